"""Models in ONNX that are small enough to say what they answer, written by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def write(
    path: Path,
    shape: list[int | str],
    axes: list[int],
    *,
    absolute: bool = False,
    keep: bool = False,
) -> None:  # fmt: skip
    """A model that answers with the mean of what it is given over ``axes``."""
    nodes = [helper.make_node("Abs", ["given"], ["positive"])] if absolute else []
    start = "positive" if absolute else "given"
    nodes.append(helper.make_node("ReduceMean", [start, "axes"], ["vector"], keepdims=int(keep)))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array(axes), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
