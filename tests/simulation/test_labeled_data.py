"""Labeled tables, folders and arrays as a simulation reads them; what is no such thing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest
from broken_media import broken_images, write_all

from labeling_core.__main__ import main
from labeling_core.config import DATA
from labeling_core.errors import LabelingError
from labeling_core.simulation.labeled_data import (
    draw,
    has_labels,
    labeled_files,
    read_arrays,
    read_folder,
    read_table,
    usual_label,
)

DIGITS = DATA / "digits"


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_semicolon_file_with_decimal_commas_is_read_like_any_other(tmp_path):
    rows = [(i * 1.5, ("red", "white")[i % 2]) for i in range(60)]
    plain = save(tmp_path / "a.csv", "x,colour\n" + "".join(f"{x},{y}\n" for x, y in rows))
    german = "x;colour\n" + "".join(f"{x:.1f};{y}\n".replace(".", ",") for x, y in rows)
    (X, y), (again, codes) = (
        read_table(path, "colour") for path in (plain, save(tmp_path / "b.csv", german))
    )
    assert np.array_equal(X, again) and np.array_equal(y, codes)
    assert X.shape == (60, 1) and np.bincount(y).tolist() == [30, 30]


def test_of_a_huge_table_a_fixed_random_part_is_drawn(tmp_path):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT i, i % 3 AS y FROM range(20000) r(i)")
        connection.execute("UPDATE t SET y = NULL WHERE i % 10 = 0")
        first, second = (tmp_path / name for name in ("first.parquet", "second.parquet"))
        assert draw(connection, "t", "y", first, 6000) == (18_000, 6000, 20_000)
        draw(connection, "t", "y", second, 6000)
        assert first.read_bytes() == second.read_bytes()
        mean = connection.execute("SELECT avg(i) FROM read_parquet(?)", [str(first)]).fetchone()
        assert mean is not None and abs(mean[0] - 10_000) < 300


def few_digits(folder: Path, number: int = 12) -> dict[str, str]:
    """A folder with the first digits, their labels told by a CSV file; path → label."""
    lines = (DIGITS / "answers.csv").read_text("utf-8").splitlines()[1 : number + 1]
    told = dict(line.split(",") for line in lines)
    folder.mkdir()
    for name in told:
        shutil.copy(DIGITS / name, folder)
    save(folder / "answers.csv", "\n".join(["path,label", *lines]))
    return told


def test_labels_come_from_sub_folders(tmp_path):
    for name, label in few_digits(tmp_path / "digits").items():
        (tmp_path / "sorted" / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(DIGITS / name, tmp_path / "sorted" / label)
    found = labeled_files(tmp_path / "sorted")
    assert found.modality == "images" and len(found.files) == 12
    assert all(name.startswith(f"{label}/") for name, label in zip(*found[1:], strict=True))


@pytest.mark.parametrize("beside", [False, True])
def test_labels_come_from_a_csv_file_in_the_folder_or_beside_it(tmp_path, beside):
    told = few_digits(tmp_path / "digits")
    if beside:
        (tmp_path / "digits" / "answers.csv").rename(tmp_path / "digits.csv")
    found = labeled_files(tmp_path / "digits")
    assert dict(zip(found.files, found.labels, strict=True)) == told


def test_files_that_cannot_be_read_are_left_out(tmp_path):
    told = few_digits(tmp_path / "digits", 20)
    write_all(tmp_path / "digits", broken_images())
    with (tmp_path / "digits" / "answers.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"\n{name},0" for name in broken_images())
    X, y = read_folder(tmp_path / "digits")
    assert len(X) == len(y) == 20
    assert len(np.unique(y)) == len(set(told.values()))


def test_folders_without_files_or_labels_are_one_sentence(tmp_path, capsys):
    with pytest.raises(LabelingError, match="no images or sounds") as error:
        labeled_files(tmp_path)
    assert error.value.field == "folder"
    few_digits(tmp_path / "digits")
    (tmp_path / "digits" / "answers.csv").unlink()
    with pytest.raises(LabelingError, match="sub-folder"):
        labeled_files(tmp_path / "digits")
    assert main(["simulate", "--folder", str(tmp_path / "gone")]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_the_command_replays_a_folder(tmp_path):
    few_digits(tmp_path / "digits", 60)
    out = tmp_path / "runs.json"
    options = ["--strategy", "random", "--budget", "20", "--seeds", "1", "--out", str(out)]
    assert main(["simulate", "--folder", str(tmp_path / "digits"), *options]) == 0
    assert json.loads(out.read_text("utf-8"))["runs"][0]["n_labels"] == [10, 20]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("x,label\n", "No row|no rows|row"),
        ("x,label\n1,\n2,\n", "No row has a label"),
        ("x,label\n" + "1,a\n2,a\n3,a\n" * 5, "one category only"),
        ("x,label\n" + "1,a\n1,b\n" * 9, "No column"),
        ("x,label\n" + "".join(f"{i % 7},{i * 1.5}\n" for i in range(50)), "values repeat"),
        ("x,y\n1,a\n2,b\n", "no column “label”"),
    ],
)
def test_tables_that_cannot_be_replayed_are_one_sentence(tmp_path, capsys, text, sentence):
    path = save(tmp_path / "table.csv", text)
    assert main(["simulate", "--data", str(path)]) == 2
    told = capsys.readouterr().err.strip()
    assert re.search(sentence, told) and "\n" not in told


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY no array"], ids=repr
)
def test_what_is_no_npz_is_one_sentence(tmp_path, capsys, content):
    (tmp_path / "a.npz").write_bytes(content)
    assert main(["simulate", "--features-npz", str(tmp_path / "a.npz")]) == 2
    told = capsys.readouterr().err
    assert (
        told.startswith("a.npz is no NPZ file with plain arrays X and y") and told.count("\n") == 1
    )


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        (np.array([["a"], ["b"]]), np.array([0, 1]), "no NPZ file with plain arrays"),
        (np.ones((3, 2)), np.array([0, 1, np.nan]), "y holds NaN"),
        (np.ones((0, 2)), np.ones(0), "X is empty"),
        (np.ones((2, 0)), np.array([0, 1]), "X is empty"),
        (np.ones((3, 2)), np.ones((3, 1)), r"\[3, 1\]"),
        (np.ones((4, 2)), np.array(["a", "a", "a", "a"]), "one category only"),
    ],
)
def test_arrays_that_cannot_be_replayed_are_one_sentence(tmp_path, capsys, X, y, sentence):
    np.savez(tmp_path / "a.npz", X=X, y=y)
    assert main(["simulate", "--features-npz", str(tmp_path / "a.npz")]) == 2
    assert re.search(sentence, capsys.readouterr().err)


def test_missing_numbers_stand_at_the_mean_of_their_column(tmp_path):
    X = np.array([[1.0, np.nan, 5.0], [3.0, np.nan, 5.0], [np.nan, np.nan, 5.0]])
    np.savez(tmp_path / "a.npz", X=X, y=np.array(["b", "a", "b"]))
    features, labels = read_arrays(tmp_path / "a.npz")
    assert features.dtype == np.float32
    assert features.tolist() == [[-1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert labels.tolist() == [1, 0, 1]


def test_a_place_that_cannot_be_written_to_is_told_before_anything_runs(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", X=np.ones((4, 2)), y=np.array([0, 1, 0, 1]))
    given = ["simulate", "--features-npz", str(tmp_path / "a.npz"), "--out"]
    assert main([*given, str(tmp_path / "none" / "out.json")]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_the_classifier_may_be_automatic(tmp_path):
    path = DATA / "wine_colour" / "answers.csv"
    out = tmp_path / "out.json"
    options = ["--budget", "60", "--batch", "30", "--seeds", "1", "--out", str(out)]
    assert main(["simulate", "--data", str(path), "--classifier", "auto", *options]) == 0
    assert json.loads(out.read_text("utf-8"))["runs"][0]["accuracy"][-1] > 0.9


def test_labels_are_guessed_by_what_label_columns_are_often_called(database):
    assert usual_label(["y", "Class", "size"]) == "Class"
    assert usual_label(["size", "weight"]) == ""
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE labeled AS SELECT 1 AS x, 'a' AS \"Label\"")
        cursor.execute("CREATE TABLE empty AS SELECT 1 AS x, NULL AS label")
        cursor.execute("CREATE TABLE other AS SELECT 1 AS x")
        names = ("labeled", "empty", "other", "nowhere")
        assert [has_labels(cursor, each) for each in names] == [True, False, False, False]
