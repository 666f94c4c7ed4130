"""The kinds of samples there are, and the modules that turn them into numbers."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, sounds

SUFFIXES = {"images": images.SUFFIXES, "sounds": sounds.SUFFIXES}
_MODALITIES = "labeling_core.modalities."


FEATURES = {
    "images": _MODALITIES + "images",
    "images_embedding": _MODALITIES + "image_embedding",
    "sounds": _MODALITIES + "sounds",
}


def module_of(features: str) -> ModuleType:
    """The module that a key of FEATURES stands for. Raises LabelingError (field ``features``)."""
    if features not in FEATURES:
        known = ", ".join(FEATURES)
        raise LabelingError(f"The features {features!r} are not one of {known}.", "features")
    return import_module(FEATURES[features])
