"""The downloaded model at work on new data, by the command line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
import skops.io
from annotating import LOCAL, Annotator
from annotating import SETTINGS as WINE
from broken_media import recorded, tone, write_all
from picture_project import SETTINGS as PICTURES
from picture_project import label, read, wait

from labeling_core.__main__ import main
from labeling_core.modalities import sound_band
from labeling_core.models import final_model
from labeling_core.models.prediction import predict_table, read_model
from labeling_core.projects import lifecycle

ROOT = Path(__file__).parents[2]


def download(workspace, project, folder):
    """The final model as a zip in ``folder``."""
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    assert content, workspace.loop.status(project)
    path = folder / "model.zip"
    path.write_bytes(content)
    return path


def predict(*words):
    return main(["predict", *map(str, words)])


def read_csv(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def wine_model(workspace, make_project, annotator, tmp_path):
    """The zip of a model that tells red from white by the acidity."""
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    return download(workspace, project, tmp_path)


@pytest.mark.parametrize(
    ("classifier", "suffix"),
    [("random_forest", "parquet"), ("hist_gradient_boosting", "jsonl"), ("auto", "jsonl")],
)
def test_new_rows_get_their_category_whatever_the_classifier_and_the_file(
    workspace, make_project, annotator, tmp_path, classifier, suffix, capsys
):
    project = make_project(every=1000, classifier=classifier)
    annotator(project).label_truly(60)
    model, out = download(workspace, project, tmp_path), tmp_path / f"out.{suffix}"
    data = tmp_path / "new.csv"
    data.write_text(
        "bottle;cask;acidity;prediction\n1;cask 1;1,2;=1+1\n2;cask 2;9,1;a\n3;cask 3;8,9;b\n",
        encoding="utf-8",
    )
    assert predict("--model", model, "--data", data, "--out", out) == 0
    assert "3 rows with their prediction" in capsys.readouterr().out
    found = duckdb.sql(
        f"SELECT bottle, prediction_source, prediction, probability FROM '{out}'"
    ).fetchall()
    assert [each[:3] for each in found] == [
        (1, "=1+1", "red"), (2, "a", "white"), (3, "b", "white")
    ]  # fmt: skip
    assert all(0.5 < each[3] <= 1 for each in found)


def test_how_far_it_is_with_a_table_is_told(wine_model, tmp_path):
    data, told = tmp_path / "new.csv", []
    data.write_text("bottle,cask,acidity\n" + "1,cask 1,1.5\n" * 100_000, encoding="utf-8")
    read = read_model(wine_model)
    assert predict_table(read, data, tmp_path / "out.csv", progress=told.append).rows == 100_000
    assert len(told) > 1 and told == sorted(told) and told[-1] == 1.0


def test_texts_that_a_spreadsheet_would_compute_can_be_made_harmless(wine_model, tmp_path):
    data, out = tmp_path / "new.csv", tmp_path / "out.csv"
    data.write_text("bottle,acidity,cask\n1,1.2,=1+1\n", "utf-8")
    assert predict("--model", wine_model, "--data", data, "--out", out, "--safe") == 0
    (row,) = read_csv(out)
    assert (row["cask"], row["prediction"]) == ("'=1+1", "red")


def test_a_folder_of_recordings_gets_categories_and_broken_files_their_reason(
    workspace, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path / "root"))
    pitches = {f"{name}_{n}.wav": {"low": 300.0, "high": 2500.0}[name] + 20 * n
               for name in ("low", "high") for n in range(12)}  # fmt: skip
    files = {name: recorded(tone(0.4, pitch=pitch), 16_000, "WAV")
             for name, pitch in pitches.items()}  # fmt: skip
    write_all(tmp_path / "root" / "media", files)
    project = lifecycle.create_project(
        workspace.database, replace(PICTURES, modality="sounds", every=1000, probe_share=0.0)
    )
    read(workspace, project)
    label(Annotator(workspace, project), 12, {name: "ab"["high" in name] for name in files})
    model = download(workspace, project, tmp_path)
    new = write_all(tmp_path / "new", {
        "one.wav": recorded(tone(0.3, pitch=350.0), 16_000, "WAV"),
        "two.wav": recorded(tone(0.3, pitch=2600.0), 16_000, "WAV"),
        "three.wav": b"no sound",
        "film.mp4": b"x",
        "sub/Thumbs.db": b"x",
    })  # fmt: skip
    out = tmp_path / "out.csv"
    assert predict("--model", model, "--folder", new, "--out", out) == 0
    printed = capsys.readouterr()
    assert "3 files with their prediction, 1 of them could not be read" in printed.out
    assert "Not taken: 1 × Video (.mp4)" in printed.err and "Thumbs.db" in printed.err
    found = {row["path"]: row for row in read_csv(out)}
    assert (found["one.wav"]["prediction"], found["two.wav"]["prediction"]) == ("a", "b")
    assert found["three.wav"]["prediction"] == "" and found["three.wav"]["problem"]
    _follow_the_card(model, new / "two.wav", tmp_path / "unpacked")
    monkeypatch.setattr(sound_band, "FEATURES_VERSION", sound_band.FEATURES_VERSION + 1)
    assert predict("--model", model, "--folder", new, "--out", out) == 2
    assert capsys.readouterr().err.strip() == (
        "This version of the program computes other features than the model learned from: "
        "train the final model anew."
    )
    data = tmp_path / "new.csv"
    data.write_text("a,b\n1,2\n", "utf-8")
    assert predict("--model", model, "--data", data, "--out", out) == 2
    assert "This model is for files: name their folder with --folder." in capsys.readouterr().err


def _follow_the_card(model, sound, folder):
    """Do what the card says, word by word."""
    zipfile.ZipFile(model).extractall(folder)
    card = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
    code = card["how_to_load"].replace("a file of that kind", str(sound))
    assert card["how_to_load"] in (folder / "model_card.md").read_text(encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        cwd=folder, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "['b']"


def test_what_does_not_fit_is_refused_in_a_sentence(wine_model, tmp_path, capsys):
    data, out = tmp_path / "new.csv", tmp_path / "out.csv"
    data.write_text("bottle,cask\n1,a\n", "utf-8")

    def told(*words):
        assert predict(*words) == 2
        return capsys.readouterr().err.strip()

    given = ("--data", data, "--out", out)
    assert told("--model", wine_model, *given) == (
        "new.csv has no column “acidity”, which the model needs."
    )
    assert "for tables" in told("--model", wine_model, "--folder", tmp_path, "--out", out)
    assert "no model that was downloaded here" in told("--model", data, *given)
    assert "There is no file" in told("--model", tmp_path / "none.zip", *given)
    wrong = tmp_path / "out.xlsx"
    assert told("--model", wine_model, "--data", data, "--out", wrong) == (
        "out.xlsx should end in .csv or .parquet or .jsonl."
    )
    assert not out.exists()


def test_a_zip_with_other_things_than_a_classifier_is_not_opened(tmp_path, capsys):
    model = tmp_path / "model.zip"
    content = io.BytesIO()
    skops.io.dump({"a": np.random.default_rng(1), "b": subprocess.Popen}, content)
    with zipfile.ZipFile(model, "w") as file:
        file.writestr("model_card.json", '{"features": {"columns": {}}}')
        file.writestr("model.skops", content.getvalue())
    assert predict("--model", model, "--data", model, "--out", tmp_path / "out.csv") == 2
    assert "holds more than a classifier" in capsys.readouterr().err


@pytest.fixture
def shop_model(workspace, tmp_path):
    """The zip of a model that learned from a date, numbers with NA, and a category."""
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE main.wine AS SELECT i AS bottle, (i % 2) * 8 + 1 + (i % 7) / 10.0 AS "
            "acidity, 'cask ' || i % 3 AS cask, DATE '2020-01-01' + (i % 90)::INTEGER AS day, "
            "CASE i % 4 WHEN 0 THEN 'NA' ELSE (i % 11)::VARCHAR END AS age FROM range(200) t(i)"
        )
    project = lifecycle.create_project(workspace.database, replace(WINE, every=1000))
    Annotator(workspace, project).label_truly(40)
    return download(workspace, project, tmp_path)


def test_it_says_what_could_be_read_of_each_column_and_warns(shop_model, tmp_path, capsys):
    data, out = tmp_path / "new.csv", tmp_path / "out.csv"
    days = ["2020-01-05", "15.03.2022", "", *["2020-02-01"] * 7]
    ages = ["NA", "3", "x", *["4"] * 7]
    casks = ["cask 1", "barrel", *["cask 2"] * 8]
    rows = [f"{each},9,{casks[at]},{ages[at]}" for at, each in enumerate(days)]
    data.write_text(
        "day,Acidity_,cask,age\n".replace("Acidity_", "acidity") + "\n".join(rows), encoding="utf-8"
    )
    assert predict("--model", shop_model, "--data", data, "--out", out) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1:] == [
        "  acidity: 10 of 10 read",
        "  cask: 10 of 10 read, 1 with a category never seen in training",
        "  day: 8 of 9 read, 1 missing",
        "  age: 8 of 9 read, 1 missing",
    ]
    assert told.err.splitlines() == [
        "Warning: 1 of 9 values in the column “day” are no dates (such as 2022-03-15), which the "
        "model needs; they count as missing.",
        "Warning: 1 of 9 values in the column “age” are no numbers (such as 1.5), which the model "
        "needs; they count as missing.",
    ]


def test_a_column_of_which_nothing_can_be_read_is_refused(shop_model, tmp_path, capsys):
    data, out = tmp_path / "new.csv", tmp_path / "out.csv"
    data.write_text(
        "day,acidity,cask,age\n15.03.2022,9,cask 1,3\n16.03.2022,1,cask 1,NA\n", encoding="utf-8"
    )
    assert predict("--model", shop_model, "--data", data, "--out", out) == 2
    assert capsys.readouterr().err == (
        "None of the 2 values in the column “day” could be read: the model needs dates (such as "
        "2022-03-15) there. Write them like that, or empty the column to have it count as missing."
        "\n"
    )
    assert not out.exists()
    data.write_text("day,acidity,cask,age\n,9,cask 1,3\n,1,cask 1,NA\n", encoding="utf-8")
    assert predict("--model", shop_model, "--data", data, "--out", out) == 0
    assert "day: 0 of 0 read, 2 missing" in capsys.readouterr().out


def test_columns_that_clash_are_renamed_whatever_their_case_and_that_is_said(
    wine_model, tmp_path, capsys
):
    data, out = tmp_path / "new.csv", tmp_path / "out.csv"
    data.write_text(
        "Prediction,acidity,PROBABILITY,prediction_source,cask\na,1.2,b,c,\n", encoding="utf-8"
    )
    assert predict("--model", wine_model, "--data", data, "--out", out, "--excel") == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfPrediction_source_source,acidity,")
    with out.open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert (row["Prediction_source_source"], row["PROBABILITY_source"]) == ("a", "b")
    assert (row["prediction_source"], row["prediction"]) == ("c", "red")
    told = capsys.readouterr().out
    assert "The column “Prediction” is called “Prediction_source_source” in the result" in told
    assert "The column “PROBABILITY” is called “PROBABILITY_source” in the result" in told
