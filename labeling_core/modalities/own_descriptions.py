"""What people say, in a TOML file, of a model of their own: what it is given, and answers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from labeling_core.errors import LabelingError


@dataclass(frozen=True)
class Described:
    """What the TOML of a model says: what it is given, and what of its answer is taken.

    Pictures come as RGB, ``width`` × ``height`` (0: what the model asks for, else 224), squeezed
    to that (``fit`` "stretch") or its middle cut out ("crop"), (value 0..1 − ``mean``) /
    ``deviation``. Sounds come mono at ``rate`` Hz in pieces of ``seconds``, the last one filled up
    with silence, as ``input`` says: the "waveform" (-1..1), or a "log-mel" spectrogram of ``mels``
    bands from ``lowest`` to ``highest`` Hz (0: half the rate), windows of ``window`` seconds every
    ``hop`` seconds, the natural logarithm of its power. ``output`` is the name of one of its
    answers (the first); of one with more axes than two, the ``pool`` "mean" over them is taken, or
    what comes "first". The vector of a sound is the mean over its pieces.
    """

    modality: str
    title: str = ""
    output: str = ""
    pool: str = "mean"
    width: int = 0
    height: int = 0
    fit: str = "stretch"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    input: str = "waveform"
    rate: int = 16_000
    seconds: float = 5.0
    mels: int = 64
    window: float = 0.025
    hop: float = 0.01
    lowest: float = 0.0
    highest: float = 0.0


def described(path: Path) -> Described:
    """A description; LabelingError says what is wrong with it."""
    kinds = {each.name: str(each.type) for each in fields(Described)}
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LabelingError(f"it cannot be read: {error}.") from error
    for key, value in said.items():
        if key not in kinds:
            raise LabelingError(f"there is no “{key}”; there are {', '.join(kinds)}.")
        said[key] = _checked(key, value, kinds[key])
    if said.get("modality") not in ("images", "sounds"):
        raise LabelingError('say modality = "images" or modality = "sounds".')
    return Described(**said)


# Key of a description → what may stand there, where not all of its type may.
_ALLOWED = {
    "pool": ("mean", "first"), "fit": ("stretch", "crop"), "input": ("waveform", "log-mel"),
}  # fmt: skip
_LEAST = {"width": 0, "height": 0, "lowest": 0, "highest": 0, "rate": 100, "mels": 1,
          "seconds": 0.01, "window": 1e-4, "hop": 1e-4}  # fmt: skip


def _checked(key: str, value: Any, kind: str) -> Any:
    """A value as it should be. Raises LabelingError."""
    if kind == "str":
        right, wanted = isinstance(value, str), "a text"
    elif kind == "int":
        right, wanted = type(value) is int, "a whole number"
    elif kind == "float":
        right, wanted = type(value) in (int, float), "a number"
    else:
        right = isinstance(value, list) and len(value) == 3
        right, wanted = right and all(type(each) in (int, float) for each in value), "three numbers"
    if right and key in _ALLOWED:
        right, wanted = value in _ALLOWED[key], " or ".join(_ALLOWED[key])
    if right and key in _LEAST:
        right, wanted = value >= _LEAST[key], f"at least {_LEAST[key]:g}"
    if right and key == "deviation":
        right, wanted = 0 not in value, "three numbers that are not 0"
    if not right:
        raise LabelingError(f"“{key}” should be {wanted}.")
    return tuple(value) if kind.startswith("tuple") else value
