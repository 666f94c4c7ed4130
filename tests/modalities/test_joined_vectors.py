"""Vectors of a table's rows in a file of their own: joined by a key, and what does not fit told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling_core.errors import LabelingError
from labeling_core.modalities import joined_vectors
from labeling_core.modalities.fitting import fit_table, joined_notes, transform_table
from labeling_core.modalities.tabular import read_features

ROWS = 40
KEY = "vectors_reviews"
VECTORS = np.random.default_rng(0).normal(size=(ROWS, 6)).astype(np.float32)


def table(folder: Path, **columns: Any) -> Path:
    usual = {"id": [f"r{n}" for n in range(ROWS)], "size": np.arange(ROWS) / 7}
    path = folder / "table.parquet"
    pq.write_table(pa.table(usual | columns), path)
    return path


def joined(models: Path, path: Path, **columns: Any) -> tuple[list[Any], joined_vectors.Joined]:
    """What stands beside each row of ``path``, and what is said of it."""
    pq.write_table(pa.table(columns), models / "reviews.parquet")
    target = path.with_name("joined.parquet")
    found = joined_vectors.join(path, [KEY], target)
    made = pq.read_table(target)
    assert made.column_names == [*pq.read_schema(path).names, KEY]
    for name in pq.read_schema(path).names:
        assert made[name].to_pylist() == pq.read_table(path)[name].to_pylist()
    return made[KEY].to_pylist(), found[KEY]


def test_vectors_are_joined_by_a_column_that_both_have(models: Path, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(ROWS)
    ids = [f"r{n}" for n in order]
    beside, found = joined(models, table(tmp_path), embedding=list(VECTORS[order]), id=ids)
    np.testing.assert_array_equal(np.array(beside, np.float32), VECTORS)
    assert found.note() == (
        "reviews.parquet, joined by id: 40 of 40 rows have a vector of 6 numbers."
    )


def test_what_does_not_fit_is_told_with_its_number(models: Path, tmp_path: Path) -> None:
    vectors = [*VECTORS[:35].tolist(), [1.0, 2.0], VECTORS[0].tolist(), VECTORS[0].tolist()]
    ids = [*(f"r{n}" for n in range(36)), "elsewhere", None]
    beside, found = joined(models, table(tmp_path), id=ids, embedding=vectors)
    assert beside[35] == [1.0, 2.0] and beside[36:] == [None] * 4
    assert found.note() == (
        "reviews.parquet, joined by id: 35 of 40 rows have a vector of 6 numbers; 4 have none, "
        "such as id “r36”; 1 has one of another length, such as id “r35”: it counts as missing; "
        "1 vector is of no row."
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.arange(ROWS), np.arange(ROWS).astype(float)),  # pandas, where some are missing
        (np.arange(ROWS), [str(n) for n in range(ROWS)]),
        ([f"{n:03}" for n in range(ROWS)], [f"{n:03}" for n in range(ROWS)]),
        (np.arange(ROWS) / 8, np.arange(ROWS).astype(np.float32) / 8),
        (pd.date_range("2020-01-01", periods=ROWS), pd.date_range("2020-01-01", periods=ROWS)),
    ],
)
def test_a_key_may_be_of_any_type(models: Path, tmp_path: Path, ours: Any, theirs: Any) -> None:
    beside, found = joined(models, table(tmp_path, id=ours), id=theirs, embedding=list(VECTORS))
    np.testing.assert_array_equal(np.array(beside, np.float32), VECTORS)
    assert found.without == 0


def test_two_columns_together_may_be_the_key_and_rows_may_share_it(
    models: Path, tmp_path: Path
) -> None:
    path = table(tmp_path, shop=["a", "b"] * 20, day=np.arange(ROWS) // 4)
    pairs = [(shop, day) for shop in "ab" for day in range(10)]
    beside, found = joined(
        models, path, shop=[each[0] for each in pairs], day=[each[1] for each in pairs],
        embedding=[[float(n), 0.5] for n in range(20)],
    )  # fmt: skip
    assert beside[0] == beside[2] == [0.0, 0.5] and beside[3] == [10.0, 0.5]
    assert found.keys == ["shop", "day"] and found.rows == 40


def test_sample_id_is_the_number_of_the_row_unless_the_table_says_another(
    models: Path, tmp_path: Path
) -> None:
    numbers = np.arange(1, ROWS + 1)
    assert joined(models, table(tmp_path), sample_id=numbers, v=list(VECTORS))[0][4] == (
        VECTORS[4].tolist()
    )
    pq.write_table(
        pa.table({"size": np.arange(ROWS), joined_vectors.ROW_ID: [str(n) for n in numbers[::-1]]}),
        tmp_path / "placed.parquet",
    )
    target = tmp_path / "joined.parquet"
    joined_vectors.join(tmp_path / "placed.parquet", [KEY], target)
    made = pq.read_table(target)
    assert made.column_names == ["size", KEY] and made[KEY][0].as_py() == VECTORS[-1].tolist()
    own = table(tmp_path, sample_id=[f"lab {n}" for n in range(ROWS)])
    ids = [f"lab {n}" for n in range(ROWS)][::-1]
    assert joined(models, own, sample_id=ids, v=list(VECTORS))[0][0] == VECTORS[-1].tolist()


def test_npz_names_its_key_by_the_name_of_its_array(models: Path, tmp_path: Path) -> None:
    ids = np.array([f"r{n}" for n in range(ROWS)])[::-1]
    np.savez(models / "reviews.npz", id=ids, vectors=VECTORS)
    joined_vectors.join(table(tmp_path), [KEY], tmp_path / "joined.parquet")
    beside = pq.read_table(tmp_path / "joined.parquet")[KEY].to_pylist()
    np.testing.assert_array_equal(np.array(beside, np.float32), VECTORS[::-1])
    for arrays, sentence in (
        ({"vectors": VECTORS, "id": ids[:5]}, "keys [rows] under the names of their columns"),
        ({"vectors": VECTORS.reshape(ROWS, 2, 3)}, "it holds vectors [40, 2, 3]"),
        ({"vectors": VECTORS, "other": ids}, "it has vectors, other; of the table there are id"),
        ({"vectors": VECTORS, "id": ids.astype(object)}, "cannot be read as plain arrays"),
    ):
        np.savez(models / "reviews.npz", **arrays)
        with pytest.raises(LabelingError) as caught:
            joined_vectors.join(table(tmp_path), [KEY], tmp_path / "joined.parquet")
        assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"text_id": ["r1"] * ROWS, "v": list(VECTORS)}, "it has text_id, v; of the table there"),
        ({"v": list(VECTORS)}, "beside it only columns of the table"),
        ({"id": ["r1", "r2"], "size": [1.0, 2.0]}, "should have one column of lists of numbers"),
        ({"id": ["r1"] * 3 + ["r2"] * 2, "v": list(VECTORS[:5])},
         "has more than one vector for 2 keys, such as id “r1”: leave one for each."),
        ({"id": ["x1", "x2"], "v": list(VECTORS[:2])},
         "has a vector of none of the 40 rows: it has 2, such as id “x1”, and the table id “r0”."),
    ],
)  # fmt: skip
def test_vectors_that_cannot_be_joined_say_why(
    models: Path, tmp_path: Path, columns: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(LabelingError) as caught:
        joined(models, table(tmp_path), **columns)
    assert sentence in str(caught.value)


def test_a_file_that_is_none_is_one_sentence(models: Path, tmp_path: Path) -> None:
    (models / "reviews.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(LabelingError, match=r"reviews\.parquet cannot be read as vectors of rows"):
        joined_vectors.join(table(tmp_path), [KEY], tmp_path / "joined.parquet")
    pq.write_table(pa.table({"id": ["r1"], "v": [[1.0, 2.0]]}), models / "reviews.parquet")
    with pytest.raises(LabelingError, match="has a column “vectors_reviews” already: rename"):
        joined_vectors.join(table(tmp_path, **{KEY: [1] * ROWS}), [KEY], tmp_path / "j.parquet")


def test_the_matrix_holds_the_columns_and_the_vectors_or_these_alone(
    models: Path, tmp_path: Path
) -> None:
    path = table(tmp_path)
    ids = [f"r{n}" for n in range(ROWS)]
    pq.write_table(pa.table({"id": ids, "v": list(VECTORS)}), models / "reviews.parquet")
    expected = (VECTORS - VECTORS.mean(axis=0)) / VECTORS.std(axis=0)
    for features, columns in (
        (f"tabular+{KEY}", {"size": "number", KEY: "vector 6"}),
        (KEY, {KEY: "vector 6"}),
    ):
        folder = tmp_path / features
        fit_table(path, folder, {"id": "is an id"}, lambda text, share: None, features=features)
        found = read_features(folder)
        assert found and found.columns == columns
        np.testing.assert_allclose(found.matrix[:, -6:], expected, atol=0.02)
        (note,) = joined_notes(folder).values()
        assert note.startswith("reviews.parquet, joined by id: 40 of 40 rows")
        assert not [*folder.glob("joined*")]
        # Other rows with the same columns: joined in the same way, or with a column of their own.
        new = tmp_path / "new.parquet"
        pq.write_table(pq.read_table(path).slice(7, 3), new)
        np.testing.assert_array_equal(transform_table(new, folder), found.matrix[7:10])
        with_vectors = pq.read_table(new).append_column(KEY, pa.array(VECTORS[7:10].tolist()))
        pq.write_table(with_vectors, new)
        np.testing.assert_array_equal(transform_table(new, folder), found.matrix[7:10])


def test_numbers_of_rows_are_of_no_other_table(models: Path, tmp_path: Path) -> None:
    path = table(tmp_path)
    numbers = np.arange(1, ROWS + 1)
    pq.write_table(pa.table({"sample_id": numbers, "v": list(VECTORS)}), models / "reviews.parquet")
    fit_table(path, tmp_path / "f", (), lambda text, share: None, features=f"tabular+{KEY}")
    with pytest.raises(LabelingError, match="the number of a row, and so are of no other table"):
        transform_table(path, tmp_path / "f")
