from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from labeling_core.errors import LabelingError
from labeling_core.modalities.table_transformer import LIMIT, MAX_WIDTH
from labeling_core.modalities.tabular import (
    FILES,
    FeatureSet,
    fit_features,
    load_transformer,
    read_features,
    transform,
)

WINE = Path(__file__).parents[2] / "data" / "wine_colour"


def fitted(folder: Path, columns: dict[str, Any], **options: Any) -> FeatureSet:
    table = folder / "table.parquet"
    pq.write_table(pa.table(columns), table)
    features = fit_features(table, folder / "features", **options)
    matrix = features.matrix
    assert matrix.dtype == np.float32
    assert matrix.shape == (features.rows, features.width)
    assert features.width <= MAX_WIDTH
    assert np.isfinite(matrix).all() and np.abs(matrix).max() <= LIMIT
    return features


def columns_of_many_kinds() -> dict[str, Any]:
    words = ["red", "white", "dry", "sweet", "old", "young", "oak", "fruit", "plum", "pear"]
    rng = np.random.default_rng(0)
    draw = rng.integers(0, 10, (200, 6))
    return {
        "number": rng.normal(size=200),
        "whole": rng.integers(0, 50, 200),
        "truth": pa.array((rng.random(200) > 0.5).tolist()),
        "city": [words[at] for at in draw[:, 0]],
        "when": pa.array([i * 86_400 for i in draw[:, 1].tolist()], pa.timestamp("s")),
        "zoned": pa.array([i * 86_400 for i in draw[:, 1].tolist()], pa.timestamp("us", "UTC")),
        "day": pa.array(draw[:, 2].tolist(), pa.date32()),
        "clock": pa.array(draw[:, 3].tolist(), pa.time64("us")),
        "story": [" ".join(words[at] for at in row) for row in draw],
        "price": pa.array([f"{n:.2f}".replace(".", ",") for n in rng.random(200) * 9]),
        "decimal": pa.array(rng.integers(0, 9, 200).tolist()).cast(pa.decimal128(21, 2)),
        "id": [f"X-{at:05}" for at in range(200)],
        "row": range(200),
        "nothing": pa.nulls(200, pa.float64()),
        "null": pa.nulls(200),
        "same": ["a"] * 200,
        "list": [[1, 2]] * 200,
        "struct": [{"a": 1}] * 200,
        "blob": [b"\x00"] * 200,
    }


def test_each_column_gets_the_kind_that_fits_it_or_a_reason(tmp_path):
    features = fitted(tmp_path, columns_of_many_kinds())
    assert features.columns == {
        "number": "number",
        "whole": "number",
        "truth": "number",
        "city": "category",
        "when": "date",
        "zoned": "date",
        "day": "date",
        "clock": "date",
        "story": "text",
        "price": "number",
        "decimal": "number",
    }
    assert features.left_out == {
        "id": "has another value in nearly every row, like an id",
        "row": "only numbers the rows",
        "nothing": "has no values",
        "null": "has no values",
        "same": "has the same value everywhere",
        "list": "has the same value everywhere",
        "struct": "holds nested values",
        "blob": "holds binary values",
    }


def test_the_cache_reads_back_and_transforms_its_own_table_alike(tmp_path):
    features = fitted(tmp_path, columns_of_many_kinds())
    folder = tmp_path / "features"
    assert read_features(folder) == features
    again = transform(tmp_path / "table.parquet", folder)
    np.testing.assert_allclose(again, features.matrix, atol=1e-5)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    told = json.loads((folder / "features.json").read_text("utf-8"))
    assert told["conversions"]["date"].startswith("dates and timestamps: seconds since 1970")


def test_a_model_with_the_transformer_loads_without_this_package(tmp_path):
    import skops.io

    features = fitted(tmp_path, columns_of_many_kinds())
    classifier = LogisticRegression().fit(features.matrix, np.arange(200) % 2)
    model = make_pipeline(load_transformer(features.folder), classifier)
    skops.io.dump(model, tmp_path / "model.skops")
    script = (
        "import sys, skops.io; skops.io.load(sys.argv[1], trusted=['numpy.dtype']);"
        "assert not [m for m in sys.modules if m.startswith('labeling_core')]"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model.skops")]
    assert subprocess.run(command, cwd="/", check=False).returncode == 0


def test_importing_the_module_loads_no_heavy_library():
    script = (
        "import sys, labeling_core.modalities.tabular;"
        "assert not {'sklearn', 'pandas', 'pyarrow', 'numpy', 'skops'} & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("missing", range(3))
def test_a_cache_that_lacks_a_file_counts_as_none(tmp_path, missing):
    features = fitted(tmp_path, {"a": [1.0, 2.0, 3.0]})
    (features.folder / FILES[missing]).unlink()
    assert read_features(features.folder) is None


def test_a_fit_that_breaks_off_leaves_no_cache(tmp_path):
    features = fitted(tmp_path, {"a": [1.0, 2.0, 3.0]})

    def stop(doing: str, share: float) -> None:
        if share > 0.1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_features(tmp_path / "table.parquet", features.folder, progress=stop)
    assert read_features(features.folder) is None


def test_progress_rises_to_one(tmp_path):
    shares: list[float] = []
    fitted(tmp_path, {"a": [1.0, 2.0]}, progress=lambda doing, share: shares.append(share))
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0


def test_excluded_columns_are_no_features(tmp_path):
    features = fitted(tmp_path, {"a": [1.0, 2.0], "label": [0.0, 1.0]}, exclude=["label"])
    assert features.columns == {"a": "number"}
    assert features.left_out == {"label": "is not a feature by choice"}


def test_huge_infinite_and_missing_numbers_stay_bounded_and_the_rest_is_not_flattened(tmp_path):
    values = [*np.linspace(-1, 1, 500), 1e308, -1e308, np.inf, -np.inf, np.nan]
    matrix = fitted(tmp_path, {"a": values}).matrix
    assert matrix.shape == (505, 2)
    assert matrix[:500, 0].std() > 0.5
    assert matrix[500, 0] == LIMIT and matrix[501, 0] == -LIMIT
    assert matrix[:, 1].tolist() == [0.0] * 502 + [1.0] * 3
    assert matrix[502:, 0].tolist() == [0.0] * 3


def test_a_column_that_is_mostly_zero_keeps_its_few_other_values_apart(tmp_path):
    matrix = fitted(tmp_path, {"a": [0.0] * 500 + [1.0]}).matrix
    assert matrix[-1, 0] > 1 and abs(matrix[0, 0]) < 1


def test_numbers_kept_as_text_are_numbers_and_a_few_words_among_them_are_missing(tmp_path):
    texts = [str(at / 4) for at in range(40)] + ["n/a", None, " +3.5 ", "-.5", "1e3", "2,5"]
    features = fitted(tmp_path, {"a": texts})
    assert features.columns == {"a": "number"}
    assert features.matrix[:, 1].sum() == 2
    assert (features.matrix[10, 0], features.matrix[14, 0]) == (
        features.matrix[45, 0],
        features.matrix[42, 0],
    )


def test_codes_with_leading_zeros_are_categories(tmp_path):
    assert fitted(tmp_path, {"a": ["007", "012"] * 20}).columns == {"a": "category"}


def test_iso_dates_kept_as_text_are_dates_even_if_one_is_impossible(tmp_path):
    dates = [f"2020-01-{day:02}" for day in range(1, 29)]
    assert fitted(tmp_path, {"a": dates}).columns == {"a": "date"}
    odd = fitted(tmp_path, {"a": ["2020-13-01", "2020-01-02"] * 9})
    assert odd.columns == {"a": "category"}


def test_rare_categories_are_pooled_and_new_ones_join_them(tmp_path):
    features = fitted(tmp_path, {"a": ["x", "y"] * 50 + ["rare", "scarce"], "b": range(102)})
    assert features.width == 3
    pq.write_table(pa.table({"a": ["rare", "never seen", None]}), tmp_path / "new.parquet")
    with pytest.raises(LabelingError, match="lacks the column") as raised:
        pq.write_table(pa.table({"b": [1]}), tmp_path / "other.parquet")
        transform(tmp_path / "other.parquet", features.folder)
    assert "“a”" in str(raised.value)
    new = transform(tmp_path / "new.parquet", features.folder)
    assert new.tolist() == [new[0].tolist()] * 3


def test_a_test_table_may_hold_the_columns_in_other_types_and_further_ones(tmp_path):
    features = fitted(tmp_path, {"a": [1.0, 2.0, 4.0]})
    pq.write_table(pa.table({"x": ["?"] * 3, "a": ["1", "2", "4.0"]}), tmp_path / "t.parquet")
    assert (transform(tmp_path / "t.parquet", features.folder) == features.matrix).all()


def test_three_hundred_columns_with_odd_names_fit_into_the_width(tmp_path):
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"n {at}": rng.normal(size=60) for at in range(200)}
    columns |= {f"c{at}": rng.choice(list("abcdefghijkl"), 60) for at in range(100)}
    columns |= {'say "ä"': rng.normal(size=60), "a.b": rng.normal(size=60), "": range(0, 120, 2)}
    columns |= {"a": [None, 1.0] * 30, "漢字": rng.normal(size=60), "'; DROP": [1.5, 2.5] * 30}
    features = fitted(tmp_path, columns)
    assert len(features.columns) == 306


def test_cells_of_100_kb_are_read(tmp_path):
    texts = [f"{'long ' * 20_000} {word}" for word in ("ape", "bee")] * 20
    texts = [f"{at} {text}" for at, text in enumerate(texts)]
    assert fitted(tmp_path, {"a": texts}).columns == {"a": "text"}


def test_text_in_a_script_without_spaces_is_read_by_its_characters(tmp_path):
    texts = ["这款葡萄酒颜色很深并且味道非常浓郁" + chr(0x4E00 + at) for at in range(60)]
    assert fitted(tmp_path, {"a": texts}).columns == {"a": "text"}


@pytest.mark.parametrize(
    "columns",
    [{"a": [1.0]}, {"a": [1, 1, 1], "b": ["x"] * 3}, {"a": pa.nulls(3)}, {"a": [["x"], ["y"]]}],
    ids=["one row", "identical rows", "nothing but missing", "only lists"],
)
def test_a_table_without_a_usable_column_is_told_why(tmp_path, columns):
    with pytest.raises(LabelingError, match=r"No column of the table can be used.*“a” h"):
        fitted(tmp_path, columns)


def test_texts_without_a_common_word_are_left_out(tmp_path):
    texts = [f"a{at} b{at} c{at}" for at in range(40)]
    features = fitted(tmp_path, {"a": texts, "b": np.arange(40.0)})
    assert features.left_out == {"a": "has no words that occur twice"}
    with pytest.raises(LabelingError, match="share no words"):
        fitted(tmp_path, {"a": texts})


def test_wine_colour_is_learned_from_a_hundred_labels(tmp_path):
    for name in ("pool", "test"):
        duckdb.sql(f"COPY (FROM read_csv('{WINE / name}.csv')) TO '{tmp_path / name}.parquet'")
    features = fit_features(tmp_path / "pool.parquet", tmp_path / "features")
    answers, truth = (
        np.array(
            [row[0] for row in duckdb.sql(f"SELECT label FROM '{WINE / name}.csv'").fetchall()]
        )
        for name in ("answers", "test")
    )
    held_out = transform(tmp_path / "test.parquet", features.folder)
    labeled = list(range(20))
    model = LogisticRegression(max_iter=1_000)
    for _ in range(4):
        chances = model.fit(features.matrix[labeled], answers[labeled]).predict_proba(
            features.matrix
        )
        order = np.argsort(np.abs(chances[:, 0] - 0.5), kind="stable").tolist()
        labeled += [at for at in order if at not in labeled][:20]
    model.fit(features.matrix[labeled], answers[labeled])
    assert model.score(held_out, truth) > 0.98
