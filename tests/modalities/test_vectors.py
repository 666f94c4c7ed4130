"""Columns of vectors: lists of numbers, such as embeddings that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from labeling_core.errors import LabelingError
from labeling_core.modalities import vectors
from labeling_core.modalities.table_transformer import LIMIT, MAX_WIDTH
from labeling_core.modalities.tabular import FeatureSet, fit_features, read_features, transform
from labeling_core.models.load_model import _vectors

ROWS = 300


def fitted(folder: Path, columns: dict[str, Any], **options: Any) -> FeatureSet:
    pq.write_table(pa.table(columns), folder / "table.parquet")
    return fit_features(folder / "table.parquet", folder / "features", **options)


def clouds(width: int, informative: float = 1.0) -> np.ndarray:
    """Two clouds by turns that differ in each direction."""
    random = np.random.default_rng(0)
    side = np.where(np.arange(ROWS) % 2, informative, -informative)[:, None]
    return random.normal(size=(ROWS, width)) + side * random.normal(size=width)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 12),
        pa.list_(pa.float16()), pa.list_(pa.int16()), pa.list_(pa.decimal128(12, 4)),
    ],
    ids=str,
)  # fmt: skip
def test_a_list_of_numbers_of_whatever_type_is_a_vector(tmp_path: Path, kind: pa.DataType) -> None:
    rows = np.round(100 * clouds(12), 2)
    cells = rows.astype(np.int16) if "int16" in str(kind) else rows
    if "decimal" in str(kind):
        column = pa.array(cells.tolist(), pa.list_(pa.float64())).cast(kind)
    elif "float16" in str(kind) or "halffloat" in str(kind):
        column = pa.array([list(each) for each in cells.astype(np.float16)], kind)
    else:
        column = pa.array(cells.tolist(), kind)
    features = fitted(tmp_path, {"embedding": column, "size": np.arange(ROWS) / 3})
    assert features.columns == {"embedding": "vector 12", "size": "number"}
    assert features.width == 13
    expected = (cells - cells.mean(axis=0)) / cells.std(axis=0)
    np.testing.assert_allclose(features.matrix[:, 1:], expected, atol=0.02)


def test_a_cell_that_is_no_such_vector_is_missing_and_costs_no_other(tmp_path: Path) -> None:
    rows: list[Any] = [each.tolist() for each in clouds(8)]
    rows[3], rows[4], rows[5] = None, [1.0, 2.0], []
    rows[6] = [None, np.nan, np.inf, *rows[6][3:]]
    features = fitted(tmp_path, {"embedding": pa.array(rows, pa.list_(pa.float64()))})
    assert features.columns == {"embedding": "vector 8"}
    assert not features.matrix[3:6].any()
    assert not features.matrix[6, :3].any() and features.matrix[6, 3:].all()
    assert np.abs(features.matrix).max() <= LIMIT
    np.testing.assert_allclose(
        transform(tmp_path / "table.parquet", features.folder), features.matrix, atol=1e-6
    )
    assert read_features(features.folder) == features


def test_more_numbers_than_there_is_room_for_keep_their_distances(tmp_path: Path) -> None:
    rows = clouds(1_536, informative=0.1)
    column = pa.array(rows.astype(np.float32).tolist(), pa.list_(pa.float32()))
    words = np.random.default_rng(1).choice(["ape", "bee", "cat", "dog"], (ROWS, 6))
    features = fitted(tmp_path, {
        "embedding": column, "story": [" ".join(each) for each in words], "size": rows[:, 0],
    })  # fmt: skip
    assert features.columns["embedding"] == "vector 1536"
    assert features.width <= MAX_WIDTH
    vectors_only = features.matrix[:, 1 + 4 :]
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0) * (64 / 1_536) ** 0.5
    first = np.linalg.norm(vectors_only[:50, None] - vectors_only[None, 50:], axis=-1)
    right = np.linalg.norm(scaled[:50, None] - scaled[None, 50:], axis=-1)
    np.testing.assert_allclose(first, right, rtol=0.35)
    assert abs(float(np.median(first / right)) - 1) < 0.05


def test_neither_vectors_nor_the_columns_beside_them_drown(tmp_path: Path) -> None:
    """What only a number tells is learned beside 384 numbers of noise, and the other way round."""
    noise = np.random.default_rng(2).normal(size=(ROWS, 384))
    truth = np.arange(ROWS) % 2
    told = {"by the number": (noise, truth + 0.0), "by the vector": (clouds(384, 0.3), noise[:, 0])}
    for name, (vector, number) in told.items():
        folder = tmp_path / name.replace(" ", "_")
        folder.mkdir()
        found = fitted(folder, {"vector": pa.array(vector.tolist()), "number": number})
        model = LogisticRegression(max_iter=1_000).fit(found.matrix[:100], truth[:100])
        assert model.score(found.matrix[100:], truth[100:]) > 0.9, name


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([list(range(at % 7)) for at in range(70)], "holds lists of 0 to 6 numbers"),
        ([[at] for at in range(70)], "holds lists of one number"),
        ([[1.0, 2.0]] * 70, "has the same value everywhere"),
        ([None] * 69 + [[]], "has no values"),
        ([[np.nan, np.nan]] * 70, "has no values"),
        ([list(np.arange(9_000.0) + at) for at in range(5)], "vectors of 9,000 numbers"),
    ],
)
def test_lists_that_are_no_vectors_are_left_out_with_the_reason(
    tmp_path: Path, cells: list[Any], reason: str
) -> None:
    columns = {"odd": pa.array(cells, pa.list_(pa.float64())), "n": np.arange(len(cells)) / 3}
    assert reason in fitted(tmp_path, columns).left_out["odd"]


def test_a_vector_is_taken_for_nothing_else(tmp_path: Path) -> None:
    columns = {"embedding": pa.array(clouds(4).tolist())}
    with pytest.raises(LabelingError, match="cannot be taken for a number: it holds lists of numb"):
        fitted(tmp_path, columns, chosen={"embedding": {"kind": "number", "missing": None}})
    assert vectors.width_of("vector 4") == 4 and not vectors.width_of("number")


def test_texts_of_lists_are_vectors_of_whatever_length_is_usual(tmp_path: Path) -> None:
    """Also where one has more characters than are read of other texts."""
    rows = clouds(600)
    texts = [str(each.tolist()) for each in rows]
    assert min(map(len, texts)) > 10_000
    wrong = ["[1, 2]", "[nonsense]", "none", "", None, "[" * 5_000, "[true]"]
    texts[: len(wrong)] = wrong  # type: ignore[list-item]
    features = fitted(tmp_path, {"embedding": texts, "size": rows[:, 0]})
    assert features.columns["embedding"] == "vector 600"
    assert not features.matrix[: len(wrong), 1:].any() and features.matrix[len(wrong) :, 1:].all()
    of_lists = tmp_path / "lists"
    of_lists.mkdir()
    cells = [None if at < len(wrong) else each.tolist() for at, each in enumerate(rows)]
    same = fitted(of_lists, {"embedding": pa.array(cells), "size": rows[:, 0]})
    np.testing.assert_allclose(same.matrix, features.matrix, atol=1e-6)


def test_texts_of_lists_that_are_no_vectors_stay_what_they_are(tmp_path: Path) -> None:
    tags = [str(list(range(at % 3 + 1))) for at in range(60)]
    features = fitted(tmp_path, {"tags": tags, "n": np.arange(60) / 3})
    assert features.columns["tags"] == "category"
    same = [str([at % 2, 1]) for at in range(60)]
    chosen = {"same": {"kind": "category", "missing": None}}
    assert fitted(tmp_path, {"same": same}, chosen=chosen).columns["same"] == "category"


def test_integers_that_no_float_is_cost_no_more_than_their_cell(tmp_path: Path) -> None:
    rows: list[list[Any]] = [each.tolist() for each in clouds(8)]
    rows[0][0], rows[1][0] = 2**63 + 1, 10**400
    features = fitted(tmp_path, {"embedding": [str(each) for each in rows]})
    assert features.columns == {"embedding": "vector 8"}
    assert features.matrix[0].all() and not features.matrix[1].any()
    read = _vectors("a", pd.Series([str(each) for each in rows[:3]]), 8)
    assert read["a\x1f0"][0] == 2.0**63 and np.isnan(read["a\x1f0"][1])
    assert not np.isnan(read["a\x1f0"][2])
