"""The lines of the model card, run elsewhere on tables as pandas reads them, say what *predict*
says: in a folder that holds the zip and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from annotating import SETTINGS, Annotator
from running import train

from labeling_core.__main__ import main
from labeling_core.modalities.table_columns import prepare
from labeling_core.models import final_model
from labeling_core.models.load_model import _convert
from labeling_core.projects import lifecycle
from labeling_core.settings import Column
from labeling_core.sources.importing import inspect, load

WINES = Path(__file__).parents[2] / "data" / "wine_colour" / "pool.csv"
ROWS = 240


def wines(folder):
    """Numbers as they come."""
    frame = pd.read_csv(WINES).head(ROWS)
    frame.insert(0, "acidity", np.where(np.arange(ROWS) % 2, 9.0, 1.0))
    return frame


def survey(folder):
    """What people type: NA among numbers, True, codes with zeros, texts, impossible days."""
    at = np.arange(ROWS)
    random = np.random.default_rng(3)
    words = np.array(["ape", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"])
    return pd.DataFrame(
        {
            "acidity": np.where(at % 2, "9,5", "1,0"),
            "age": np.where(at % 5 == 0, "NA", (at % 60).astype(str)),
            "code": np.char.zfill((at % 7).astype(str), 3),
            "agrees": np.where(random.random(ROWS) > 0.5, "True", "False"),
            "country": random.choice(["NA", "DE", "FR"], ROWS),
            "grade": random.choice(["1", "2", "3", "A"], ROWS),
            "born": np.where(
                at == 3, "2023-02-30", [f"19{a % 90 + 10}-0{a % 9 + 1}-11" for a in at]
            ),
            "seen": [f"2020-01-{a % 28 + 1:02}T1{a % 10}:30:00.250+02:00" for a in at],
            "ends": np.where(at % 3 == 0, "9999-12-31", [f"2021-0{a % 9 + 1}-01" for a in at]),
            "story": [" ".join(random.choice(words, 5)) for _ in at],
        }
    )


def typed(folder):
    """What a program writes: nullable, categorical, moments with a zone, durations, decimals."""
    at = np.arange(ROWS)
    random = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "acidity": pd.array(np.where(at % 2, 9, 1), "Int64"),
            "count": pd.array([None if a % 6 == 0 else a % 17 for a in at], "Int16"),
            "truth": pd.array([None if a % 9 == 0 else bool(a % 4) for a in at], "boolean"),
            "colour": pd.Categorical(random.choice(["red", "green", "blue"], ROWS)),
            "moment": pd.date_range("2020-01-01", periods=ROWS, freq="37h", tz="Europe/Berlin"),
            "day": pd.date_range("1990-01-01", periods=ROWS, freq="D").astype("datetime64[s]"),
            "share": random.random(ROWS).astype(np.float32),
            "size": np.where(at % 8 == 0, np.nan, random.integers(1, 5, ROWS)),
            "story": pd.array([f"w{a % 7} w{a % 5} w{a % 3} end" for a in at], "string"),
        }
    )


def embedded(folder):
    """Vectors that were computed elsewhere, some missing or of another length."""
    random = np.random.default_rng(5)
    acidity = np.where(np.arange(ROWS) % 2, 9.0, 1.0)
    vectors = (random.normal(size=(ROWS, 24)) + acidity[:, None] / 9).astype(np.float32)
    cells = [each[:3] if at % 11 == 0 else each for at, each in enumerate(vectors)]
    cells = [None if at % 13 == 0 else each for at, each in enumerate(cells)]
    return pd.DataFrame({"acidity": acidity, "embedding": cells})


def written(folder):
    """The same as texts, which CSV holds."""
    frame = embedded(folder)
    texts = [None if each is None else str([float(n) for n in each]) for each in frame["embedding"]]
    return frame.assign(embedding=texts)


def remarks(folder):
    """Texts that are read by their meaning, some missing."""
    at = np.arange(ROWS)
    texts = [f"{('The soup was', 'My train is')[a % 2]} {a % 11} {' times' * (a % 5)}" for a in at]
    return pd.DataFrame(
        {"acidity": at % 17 / 3, "story": [None if a % 7 == 0 else texts[a] for a in at]}
    )


# The source as pandas may have it, from the file that *predict* is given.
FRAMES = {
    "read_csv": "pd.read_csv('new.csv')",
    "read_csv as texts": "pd.read_csv('new.csv', dtype=str, keep_default_na=False)",
    "read_parquet": "pd.read_parquet('new.parquet')",
    "read_excel": "pd.read_excel('new.xlsx')",
    "convert_dtypes": "pd.read_parquet('new.parquet').convert_dtypes()",
    "categoricals": "pd.read_parquet('new.parquet').astype('object').astype('category')",
    "shuffled": "pd.read_csv('new.csv').sample(frac=1, random_state=0).sort_index()[::-1][::-1]",
}


def model_of(workspace, path, folder, **changes):
    """Zip of the final model of a project whose source is a file, read as the form would."""
    with workspace.database.transaction() as cursor:
        load(cursor, path, inspect(path, path.name), "wine")
    project = lifecycle.create_project(workspace.database, replace(SETTINGS, every=1000, **changes))
    ana = Annotator(workspace, project)
    samples = ana.send(want=80)["samples"]
    red = {"accuracy": 1, "macro_f1": 3}[changes["measure"]]  # for each white: a rare one weighs
    kinds = [(int(each["sample_id"]) // 3) % (red + 1) < red for each in samples]
    chosen = [
        ana.decision(each["sample_id"], "label", category="red" if kind else "white")
        for each, kind in zip(samples, kinds, strict=True)
    ]
    ana.send(chosen)
    train(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    made = folder / final_model.file_name(project.project_id)
    made.write_bytes(content)
    return made


@pytest.mark.parametrize("table", [wines, survey, typed, embedded, written, remarks])
def test_the_lines_of_the_card_say_what_predict_says(workspace, tmp_path, table, request):
    frame = table(tmp_path)
    frames = dict(FRAMES)
    if table is embedded:  # a text file has no lists
        frames = {name: FRAMES[name] for name in ("read_parquet", "convert_dtypes")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    source = elsewhere / "new.parquet"
    frame.to_parquet(source)
    if table not in (typed, embedded):
        source = elsewhere / "new.csv"
    frame.to_csv(elsewhere / "new.csv", index=False)
    plain = frame.copy()
    for name in plain.columns:
        if isinstance(plain[name].dtype, pd.DatetimeTZDtype):
            plain[name] = plain[name].dt.tz_convert("UTC").dt.tz_localize(None)
    plain.to_excel(elsewhere / "new.xlsx", index=False)
    classifier = "auto" if table is survey else "logistic_regression"
    weights = request.getfixturevalue("weights") if table is remarks else ""
    meaning = (Column("story", kind="sentence"),) if table is remarks else ()
    measure = "macro_f1" if table is survey else "accuracy"
    model = model_of(
        workspace, source, elsewhere, classifier=classifier, columns=meaning, measure=measure
    )
    out = tmp_path / "out.parquet"
    assert main(["predict", "--model", str(model), "--data", str(source), "--out", str(out)]) == 0
    right = duckdb.sql(f"SELECT prediction, probability FROM '{out}'").df()
    assert right["prediction"].nunique() == 2 and right["probability"].nunique() > 50
    with zipfile.ZipFile(model) as archive:
        text = archive.read("model_card.md").decode()
    lines = text.split("```python\n")[1].split("```")[0]
    assert 'table = pd.read_csv("your table.csv")' in lines
    script = f"import sys\nsys.path.append({str(weights)!r})\n" + "".join(
        lines.replace('pd.read_csv("your table.csv")', read)
        + "found = model.predict_proba(table)\n"
        + "told = {'prediction': model.predict(table)}\n"
        + "at = [model.classes_.tolist().index(each) for each in told['prediction']]\n"
        + "told['probability'] = found[range(len(found)), at]\n"
        + f"pd.DataFrame(told).to_parquet('{name}.told')\n"
        for name, read in frames.items()
    )
    script += "assert not [each for each in sys.modules if each.startswith('labeling_core')]\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=elsewhere, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name in frames:
        found = pd.read_parquet(elsewhere / f"{name}.told")
        assert found["prediction"].tolist() == right["prediction"].tolist(), name
        np.testing.assert_allclose(
            found["probability"], right["probability"], rtol=0, atol=1e-6, err_msg=name
        )


TEXTS = [
    "1", "-1.5", "+2", ",5", "1,5", "1,2,3", "007", "1e3", "1e999", "1.", ".", "-", "", " 3 ", "x",
    "NA", "true", "FALSE", "9" * 30, "١", "2020-02-29", "2021-02-29", "0000-00-00", "0001-01-01",
    "9999-12-31", "9998-12-31", "2020-01-01T10:00", "2020-01-01 10:00:00.123456789",
    "2020-01-01 10:00:00+02:00", "2020-01-01 10:00:00 -0330", "2020-01-01T10:00:00Z",
    "2020-01-01 10:00:00+99:99", "2020-01-01 24:00:00", "2020-01-01 10:60", "10:30", "25:00",
    "10:30:59.5", "12020-01-01", "2020-1-1", "15.03.2022", "infinity", "٢٠٢٠-٠١-٠١",
    "\u00a0a\u00a0", "unknown", "x" * 6_000, "−5", "1_000", "0x1F", "nan",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["number", "date", "category", "text"])
@pytest.mark.parametrize("markers", [(), ("unknown", "1", "10:30")], ids=["none", "some"])
def test_every_text_is_read_alike_with_arrow_and_with_pandas(kind, markers):
    table = pa.table({"a": [*TEXTS, None]})
    cut = pa.table({"a": [each and each[:5_000] for each in [*TEXTS, None]]})
    right = prepare(cut, {"a": kind}, {"a": list(markers)})["a"].tolist()
    for frame in (table.to_pandas(), table.to_pandas().convert_dtypes()):
        found = _convert(frame["a"], kind, frozenset(markers), ()).tolist()
        for text, one, other in zip([*TEXTS, None], found, right, strict=True):
            assert one == other or (one != one and other != other), (text, one, other)


def test_what_pandas_has_made_of_a_text_is_found_again_among_the_categories():
    known = ["007", "012", "1.10", "True", "False", "2020-01-01", "NA"]
    cells = [
        7,
        12.0,
        1.1,
        True,
        np.bool_(False),
        pd.Timestamp("2020-01-01"),
        np.nan,
        "007",
        5,
        "new",
    ]
    found = _convert(pd.Series(cells, dtype=object), "category", frozenset(), known).tolist()
    assert found == ["007", "012", "1.10", "True", "False", "2020-01-01", "NA", "007", "5", "new"]
    # With two that a value could stand for, or a known missing value, nothing is guessed.
    assert _convert(pd.Series([1.0]), "category", frozenset(), ["01", "1.0"])[0] == "1"
    assert _convert(pd.Series([None]), "category", frozenset(), ["", "NA"])[0] == ""
