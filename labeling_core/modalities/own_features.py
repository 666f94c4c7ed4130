"""Features that people bring along: their own pretrained models, and vectors computed elsewhere.

Both lie in the folder of config.MODELS and are known by the name of their file. A model is
``NAME.onnx`` with a description ``NAME.toml`` (see own_descriptions.py); vectors are
``NAME.parquet`` or ``NAME.npz`` (see own_vectors.py). Imported inside the functions is what
computes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.modalities.own_descriptions import described

if TYPE_CHECKING:
    from labeling_core.modalities.own_models import OnnxReader

MODEL, VECTORS = "own_", "vectors_"  # what their keys begin with
INSTALL_COMMAND = "pip install onnxruntime"
_NAME = re.compile(r"\w[\w.-]*")  # it becomes part of keys, and of the names of folders
_TABLES = (".parquet", ".npz")


class Own(NamedTuple):
    """One of them: ``key`` stands in settings, jobs and cards; ``modality`` is empty where it may
    be of any kind of file."""

    key: str
    title: str
    modality: str = ""


class Found(NamedTuple):
    """What there is, and name of the file → what is wrong with it."""

    usable: list[Own]
    faults: dict[str, str]


def found() -> Found:
    """What lies in the folder, by name."""
    usable, faults = list[Own](), dict[str, str]()
    folder = config.MODELS.get()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            if path.suffix == ".toml":
                usable.append(_own_model(path))
            elif path.suffix in _TABLES:
                usable.append(Own(VECTORS + _name(path), f"Vectors of {path.name}"))
            elif path.suffix == ".onnx" and not path.with_suffix(".toml").exists():
                raise LabelingError(f"{path.stem}.toml, which describes it, is not beside it.")
        except LabelingError as error:
            faults[path.name] = str(error)
    return Found(usable, faults)


def is_own(key: str) -> bool:
    """Whether a key is one of such features, be they there or not."""
    return key.startswith((MODEL, VECTORS))


def require(key: str) -> None:
    """Raise LabelingError where what a key stands for is not there, or not in order."""
    if _file_of(key) is None:
        raise LabelingError(
            f"“{key.partition('_')[2]}” is not in the folder {config.MODELS.get().name} of models "
            "any more: put it back, or choose other features."
        )
    if key.startswith(MODEL):
        _own_model(_place(key, ".toml"))
        if importlib.util.find_spec("onnxruntime") is None:
            raise LabelingError(f"ONNX Runtime is not installed: run {INSTALL_COMMAND}.")


def version(key: str) -> str:
    """Digits that differ where the features would; empty where they are not there."""
    path = _file_of(key)
    if path is None:
        return ""
    if key.startswith(VECTORS):
        return _digest(path, *_state(path))
    described = _place(key, ".toml")
    return _digest(path, *_state(path))[:8] + _digest(described, *_state(described))[:8]


def reader(key: str) -> OnnxReader:
    """What computes the features of a model's key. Raises LabelingError where it is not there."""
    from labeling_core.modalities.own_models import OnnxReader

    require(key)
    return OnnxReader(_place(key, ".onnx"), described(_place(key, ".toml")))


def words_of(key: str) -> str:
    """What the features of a key are, for whoever will use them elsewhere."""
    path = file(key)
    if key.startswith(VECTORS):
        return f"the vectors in {path.name}"
    return f"{path.name} (sha256 {_digest(path, *_state(path))}…) as {path.stem}.toml describes it"


def file(key: str) -> Path:
    """The file of the model, or of the vectors, of a key. Raises LabelingError."""
    require(key)
    path = _file_of(key)
    assert path is not None
    return path


def _own_model(path: Path) -> Own:
    """What the description ``path`` is of. Raises LabelingError."""
    name, found = _name(path), described(path)
    if not path.with_suffix(".onnx").is_file():
        raise LabelingError(f"its model {path.stem}.onnx is not beside it.")
    return Own(MODEL + name, found.title or name, found.modality)


def _name(path: Path) -> str:
    if not _NAME.fullmatch(path.stem):
        raise LabelingError("call it by letters, digits, “-”, “_” and “.” only.")
    return path.stem


def _place(key: str, suffix: str) -> Path:
    return config.MODELS.get() / f"{key.removeprefix(MODEL)}{suffix}"


def _file_of(key: str) -> Path | None:
    """The model, or the vectors, of a key, where all that it needs is there."""
    if not _NAME.fullmatch(key.partition("_")[2]):
        return None
    if key.startswith(MODEL):
        path = _place(key, ".onnx")
        return path if path.is_file() and _place(key, ".toml").is_file() else None
    name = key.removeprefix(VECTORS)
    places = (config.MODELS.get() / f"{name}{suffix}" for suffix in _TABLES)
    return next((each for each in places if each.is_file()), None)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    """Sixteen hexadecimal digits of what is in a file of that state."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
