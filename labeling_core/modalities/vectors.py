"""Columns of vectors: lists of numbers of one length, such as embeddings computed elsewhere.

A column of vectors of ``width`` numbers has the kind ``vector <width>``; in a prepared frame it is
so many columns of numbers, as is a text of the kind ``sentence <width>`` (sentence_embedding.py). A
text such as ``[0.5, -1, 2e-3]``, as CSV and JSON lines have it, is a list as well. What is done
here with Arrow does ``models/load_model.py`` once more with pandas. For the worker process and the
command line: imported inside the functions are numpy and pyarrow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labeling_core.modalities import sentence_embedding

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

WORD = "vector"
MOST = 8_192  # numbers in a vector
_PLAIN = (int, float, type(None))
MOST_CHARACTERS = 30 * MOST  # of one that is written as a text


def width_of(kind: str) -> int:
    """How many numbers the vectors of this kind of column have; 0 if it is none of vectors."""
    word, _, width = kind.partition(" ")
    return int(width) if word in (WORD, sentence_embedding.KIND) and width.isdecimal() else 0


def is_sentence(kind: str) -> bool:
    """Whether a column of this kind holds texts that are read by their meaning."""
    return kind.partition(" ")[0] == sentence_embedding.KIND


def columns_of(name: str, width: int) -> list[str]:
    """What the numbers of a column of vectors are called in a prepared frame."""
    return [f"{name}\x1f{at}" for at in range(width)]


def holds_vectors(kind: pa.DataType) -> bool:
    """Whether values of this type are lists of numbers."""
    import pyarrow as pa

    some = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_one(kind) for is_one in some):
        return False
    inner = kind.value_type
    return any(
        is_one(inner) for is_one in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    )


def read_lists(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as lists of numbers, null where a text is none; lists as they are."""
    import pyarrow as pa

    if holds_vectors(values.type):
        return values
    lists = [_read_list(each) for each in values.to_pylist()]
    return pa.chunked_array([pa.array(lists, pa.list_(pa.float64()))])


def _read_list(text: Any) -> list[float | None] | None:
    if not isinstance(text, str) or text.lstrip()[:1] != "[":
        return None
    try:
        found = json.loads(text)
        if not all(type(each) in _PLAIN for each in found):
            return None
        # Arrow takes no integer that a float cannot hold exactly.
        return [each if each is None else float(each) for each in found]
    except (ValueError, RecursionError, OverflowError):
        return None


def are_lists(values: pa.ChunkedArray) -> bool:
    """Whether nearly all of the texts that are there are lists of numbers, by the first of them."""
    import pyarrow.compute as pc

    some = pc.drop_null(values.slice(0, 200))
    some = some.filter(pc.not_equal(some, ""))
    read = sum(_read_list(each) is not None for each in some.to_pylist())
    return len(some) > 0 and read >= 0.9 * len(some)


def judge(values: pa.ChunkedArray) -> tuple[str, str]:
    """The kind of a column of :func:`read_lists` by its first values, or "" and why it is not
    used."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.drop_null(pc.list_value_length(values))
    if not len(lengths) or not pc.max(lengths).as_py():
        return "", "has no values"
    usual = pc.mode(lengths)[0]["mode"].as_py()
    if pc.sum(pc.equal(lengths, usual)).as_py() < 0.9 * len(lengths) or not usual:
        least, most = pc.min(lengths).as_py(), pc.max(lengths).as_py()
        return "", f"holds lists of {least:,} to {most:,} numbers, which are no vectors"
    if usual == 1:  # a number for each row may be the number of the row
        return "", "holds lists of one number, which are no vectors"
    if usual > MOST:
        return "", f"holds vectors of {usual:,} numbers; at most {MOST:,} are used"
    numbers = np.ma.masked_invalid(numbers_of(values, usual))
    if numbers.mask.all():
        return "", "has no values"
    if not np.ma.ptp(numbers, axis=0).any():
        return "", "has the same value everywhere"
    return f"{WORD} {usual}", ""


def whole(values: pa.ChunkedArray, width: int) -> pa.ChunkedArray:
    """For each cell whether it is a vector of ``width`` numbers."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.equal(pc.list_value_length(values), width), False)


def numbers_of(values: pa.ChunkedArray, width: int) -> np.ndarray:
    """float64 [cells, width]; a row of NaN where a cell is no vector of that width, NaN where a
    number in it is missing or not finite."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = np.full((len(values), width), np.nan)
    right = whole(values, width)
    flat = pc.cast(pc.list_flatten(values.filter(right)), pa.float64(), safe=False)
    found[right.to_numpy()] = flat.to_numpy().reshape(-1, width)
    found[~np.isfinite(found)] = np.nan
    return found
