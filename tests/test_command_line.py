"""The command line as it is called: help with an example, one sentence for a mistake, a bar."""

from __future__ import annotations

import csv
import json
import os
import pty
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import labeling_core as lc
from labeling_core.__main__ import commands, main
from labeling_core.commands import options
from labeling_core.config import child_environment

ROOT = Path(__file__).parents[1]
NAMES = (
    "backup", "check", "create", "delete", "export", "import", "label", "next",
    "predict", "progress", "projects", "restore", "sample", "serve", "simulate", "storage",
)  # fmt: skip


def test_every_command_is_listed_with_what_it_does():
    told = CliRunner().invoke(commands, ["--help"]).output
    assert sorted(commands.commands) == sorted(NAMES)
    for name, command in commands.commands.items():
        assert (command.help or "").partition("\n")[0] in told, name


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_has_help_and_an_example_that_can_be_read(name, capsys):
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    (example,) = [
        line for line in told.splitlines() if line.strip().startswith("python -m labeling_core")
    ]
    words = shlex.split(example)[3:]
    assert words[0] == name
    command = commands.commands[name]
    command.make_context(name, words[1:])  # every option and value of it is known
    for each in command.params:
        if isinstance(each, click.Option):
            assert each.help, each.name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train"], "No such command 'train'."),
        (["simulate"], "Name one of --data, --features-npz, --folder."),
        (["simulate", "--data", "a.csv", "--folder", "b"],
         "Name one of --data, --features-npz, --folder."),
        (["simulate", "--data", "a.csv", "--batch", "ten"],
         "Invalid value for '--batch': 'ten' is not a valid integer."),
        (["simulate", "--data", "a.csv", "--label"], "Option '--label' requires an argument."),
        (["predict", "--data", "a.csv", "--out", "b.csv"], "Missing option '--model'."),
        (["predict", "--model", "m.zip", "--out", "b.csv"], "Name one of --data, --folder."),
        (["restore"], "Missing argument 'BACKUP'."),
        (["import", "--project", "p"], "Missing option '--file'."),
        (["import", "--project", "p", "--file", "f", "--database", "/nowhere.duckdb"],
         "There is no database /nowhere.duckdb: name one with --database."),
        *(([*words, "--database", "/nowhere.duckdb"],
           "There is no database /nowhere.duckdb: name one with --database.") for words in (
            ["projects"], ["progress", "--project", "p"], ["export", "--project", "p"])),
        (["label", "--project", "p", "--file", "/nowhere.csv"],
         "/nowhere.csv cannot be read: No such file or directory."),
        (["backup", "--database", "/nowhere.duckdb"],
         "There is no database /nowhere.duckdb: name one with --database."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_on_standard_error(words, sentence, capsys):
    assert main(words) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{sentence}\n")


def test_the_measure_of_a_project_is_chosen_by_create_and_told_by_sample(tmp_path, capsys):
    path, file = str(tmp_path / "app.duckdb"), tmp_path / "n.csv"
    file.write_text("n,kind\n" + "\n".join(f"{n / 7},{'ab'[n > 40]}" for n in range(60)), "utf-8")
    lc.open(path).close()
    made = [
        "create",
        "--database",
        path,
        "--title",
        "New",
        "--source",
        str(file),
        "--labels",
        "kind",
    ]
    assert main([*made, "--measure", "kappa"]) == 2
    assert "'accuracy', 'balanced_accuracy', 'macro_f1'" in capsys.readouterr().err
    assert main([*made, "--measure", "balanced_accuracy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measure"] == "balanced_accuracy"
    on = ["--database", path, "--project", "new"]
    with lc.open(path) as database:
        database.project("new").label_many([("42", "b", "")])
    assert main(["sample", *on]) == 0
    assert ", balanced accuracy 100.0%." in capsys.readouterr().out
    assert main(["progress", *on]) == 0
    assert "score_low" in capsys.readouterr().out


def test_every_command_answers_with_one_json_value_and_nothing_else(
    sample_database, tmp_path, capsys
):
    """But ``serve``, which tests/test_wheel.py has stay."""
    path = tmp_path / "app.duckdb"
    shutil.copy(sample_database, path)
    on = ["--database", str(path), "--project", "wine_colour"]
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savez(tmp_path / "arrays.npz", X=X, y=(X[:, 0] > 0).astype(int))
    (tmp_path / "none.csv").write_text("sample_id,label\n", "utf-8")
    (tmp_path / "labels.csv").write_text(
        "sample_id,label\n" + "".join(f"{n},{('red', 'white')[n % 2]}\n" for n in range(1, 41)),
        "utf-8",
    )
    (tmp_path / "new.csv").write_text("n\n" + "\n".join(map(str, range(20))), "utf-8")
    shutil.copy(ROOT / "data" / "wine_colour" / "pool.csv", tmp_path / "wine.csv")
    copy = tmp_path / "copy.duckdb"
    asked = {
        "projects": ["--database", str(path)],
        "create": ["--database", str(path), "--title", "New", "--source",
                   str(tmp_path / "new.csv"), "--category", "a", "--category", "b"],
        "next": on,
        "label": [*on, "--file", str(tmp_path / "none.csv")],
        "import": [*on, "--file", str(tmp_path / "labels.csv")],
        "sample": on,
        "progress": on,
        "export": on,
        "simulate": ["--features-npz", str(tmp_path / "arrays.npz"), "--budget", "20",
                     "--seeds", "1", "--measure", "macro_f1", "--out", str(tmp_path / "runs.json")],
        "predict": ["--model", str(tmp_path / "model.zip"), "--data", str(tmp_path / "wine.csv"),
                    "--out", str(tmp_path / "predicted.csv")],
        "check": ["--database", str(path)],
        "backup": ["--database", str(path)],
        "storage": ["--database", str(path)],
        "delete": ["--database", str(path), "--project", "new"],
        "restore": [str(copy), "--database", str(tmp_path / "other.duckdb")],
    }  # fmt: skip
    assert {*asked} == {*NAMES} - {"serve"}
    found = {}
    for name, words in asked.items():
        if name == "predict":
            with lc.open(path) as database:
                database.project("wine_colour").train()
                (tmp_path / "model.zip").write_bytes(database.project("wine_colour").model())
        if name == "restore":
            shutil.copy(found["backup"]["file"], copy)
        assert main([name, *words, "--json"]) == 0, name
        told = capsys.readouterr().out
        assert told.count("\n") == 1, name
        found[name] = json.loads(told)
    assert json.loads((tmp_path / "runs.json").read_text("utf-8")) == found["simulate"]
    (one, _) = found["simulate"]["runs"]
    assert found["simulate"]["measure"] == "macro_f1" and len(one["macro_f1"]) == 2
    assert one["aulc"] == np.mean(one["macro_f1"])  # two points: the trapezoid's mean height
    assert found["import"]["stored"] == found["import"]["read"] == 40 and found["import"]["told"]
    assert [each["then"] for each in found["import"]["table"]] == ["brought in"]
    assert (
        found["predict"]["rows"] == len((tmp_path / "wine.csv").read_text("utf-8").splitlines()) - 1
    )
    assert found["restore"]["replaced"] is None
    assert main(["backup", "--list", "--json", "--database", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["file"] == found["backup"]["file"]


def test_what_is_exported_can_be_chosen(sample_database, tmp_path, capsys):
    path, file, out = tmp_path / "a.duckdb", tmp_path / "labels.csv", tmp_path / "out.csv"
    shutil.copy(sample_database, path)
    file.write_text("sample_id,label,annotator\n7,red,kim\n8,white,kim\n9,red,lee\n", "utf-8")
    on = ["--database", str(path), "--project", "wine_colour"]
    assert main(["import", *on, "--file", str(file)]) == 0
    for words, ids in (
        ([], ["7", "8", "9"]),
        (["--category", "red"], ["7", "9"]),
        (["--category", "red", "--category", "white", "--person", "kim"], ["7", "8"]),
        (["--since", "2000-01-01", "--until", "2001-01-01"], []),
        (["--since", "2000-01-01", "--until", "2999-01-01"], ["7", "8", "9"]),
        (["--agreement", "1"], ["7", "8", "9"]),
    ):
        assert main(["export", *on, "--what", "metadata", "--out", str(out), *words]) == 0
        with out.open(encoding="utf-8-sig", newline="") as text:
            assert sorted(row["sample_id"] for row in csv.DictReader(text)) == ids, words
    capsys.readouterr()
    for words, sentence in (
        (["--category", "blue"], "“blue” is no category of the project."),
        (["--since", "31.1.2026"], "'31.1.2026' does not match the format '%Y-%m-%d'."),
    ):
        assert main(["export", *on, "--out", str(out), *words]) == 2
        assert sentence in capsys.readouterr().err


def test_an_example_shows_the_name_by_which_it_was_called(capsys):
    for name in NAMES:
        assert main([name, "--help"], "labeling") == 0
        told = capsys.readouterr().out
        assert f"\n    labeling {name} " in told and "python -m" not in told, name


def test_a_strategy_or_classifier_that_is_not_there_is_told_with_those_that_are(capsys):
    assert main(["simulate", "--data", "a.csv", "--strategy", "oracle"]) == 2
    told = capsys.readouterr().err
    assert "'oracle' is not one of 'auto', " in told and told.count("\n") == 1


def test_labels_are_imported(sample_database, tmp_path, capsys):
    path, file = tmp_path / "app.duckdb", tmp_path / "labels.csv"
    shutil.copy(sample_database, path)
    file.write_text("sample_id,label,annotator\n7,red,kim\n8,rose,kim\n9,white\n", "utf-8")
    asked = ["import", "--database", str(path), "--project", "wine_colour", "--file", str(file)]
    assert main([*asked, "--dry-run"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "2 annotations were read, their samples told by “sample_id”."
    assert told[1] == "1 of samples that nobody has decided: brought in."
    assert "No category: “rose” (1)." in told and told[-1] == "Nothing is stored."
    assert "Line 4: This line has 2 cells, the header 3." in told
    assert main([*asked, "--create-categories"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Import 1 is stored."
    with duckdb.connect(str(path), read_only=True) as tables:
        assert tables.execute(
            "SELECT sample_id, label, annotator, origin FROM wine_colour_metadata ORDER BY 1"
        ).fetchall() == [("7", "red", "kim", "import"), ("8", "rose", "kim", "import")]
    file.write_text("sample_id,label\n7,red\n", "utf-16")
    for words, sentence in (
        (["--match", "none"], "The samples have no column “none”"),
        (["--label", "none"], "has no column “none”"),
        (["--project", "none"], "There is no project “none”"),
        (["--format", "prodigy"], "is no JSON file of Prodigy"),
    ):
        assert main([*asked, *words]) == 2
        told = capsys.readouterr()
        assert sentence in told.err and told.err.count("\n") == 1 and not told.out


def test_parquet_files_are_a_source_and_what_is_left_out_is_told(
    empty_database, media, tmp_path, capsys, monkeypatch
):
    path, folder = tmp_path / "app.duckdb", media / "readings"
    shutil.copy(empty_database, path)
    folder.mkdir()
    (folder / "notes.txt").write_text("none", "utf-8")
    rows = {"n": range(20), "half": [n / 2 for n in range(20)], "report": ["long"] * 20}
    pd.DataFrame(rows).to_parquet(folder / "a.parquet")
    wanted = ["--category", "weak", "--category", "strong", "--leave", "report"]

    def made(title: str, source: str) -> tuple[str, str]:
        asked = ["create", "--database", str(path), "--title", title, "--source", source]
        assert main([*asked, *wanted, "--json"]) == 0
        told = capsys.readouterr()
        return json.loads(told.out)["source"], told.err

    source, told = made("By root", "media/readings/*.parquet")
    assert source == "media/readings/*.parquet"
    assert "20 rows in 1 file" in told and "Not taken: 1 file." in told
    monkeypatch.chdir(media)
    assert made("From here", "readings/")[0] == f"{folder}/**/*.parquet"
    assert made("From here by pattern", "readings/*.parquet")[0] == f"{folder}/*.parquet"
    with lc.open(path) as database:
        settings = database.project("from_here").settings
        assert settings.left_in_files == ("report",)
        with pytest.warns(UserWarning, match="Not taken"):
            database.create("In Python", folder, ["weak", "strong"])


def test_a_project_is_made_labeled_sampled_and_taken_away(empty_database, tmp_path, capsys):
    path, file, out = tmp_path / "app.duckdb", tmp_path / "wines.csv", tmp_path / "labels.csv"
    shutil.copy(empty_database, path)
    rows = "".join(f"{n},{n % 7}.5\n" for n in range(60))
    file.write_text(f"number,strength\n{rows}", "utf-8")

    def told(*words: str, code: int = 0) -> str:
        assert main([words[0], "--database", str(path), *words[1:]]) == code
        return capsys.readouterr().out

    assert told("projects") == "There is no project yet.\n"
    made = json.loads(
        told("create", "--title", "Wines", "--source", str(file), "--category", "weak",
             "--category", "strong", "--every", "50", "--json")
    )  # fmt: skip
    assert json.loads(told("projects", "--json")) == [made]
    on = ("--project", made["project"])
    assert told("progress", *on) == "There is no session yet.\n"
    handed = json.loads(told("next", *on, "--count", "4", "--json"))
    assert len(handed) == 4
    ids = [each["sample_id"] for each in handed]
    decided = tmp_path / "decided.csv"
    lines = [
        f"{ids[0]},weak,thin",
        f"{ids[1]},strong,",
        f"{ids[2]},,",
        f"{ids[3]},odd,",
        "no,weak,",
    ]
    decided.write_text("\n".join(["sample_id,label,comment", *lines]), "utf-8")
    found = json.loads(told("label", *on, "--file", str(decided), "--json", code=2))
    assert found["stored"] == 3 and [each["line"] for each in found["refused"]] == [5, 6]
    done = json.loads(told("sample", *on, "--strategy", "margin", "--json"))
    assert (done["state"], done["labels"], done["strategy"]) == ("DONE", 2, "margin")
    assert json.loads(told("progress", *on, "--json"))[-1] == done
    assert "metadata" in told("export", *on).splitlines()
    written = json.loads(told("export", *on, "--what", "metadata", "--out", str(out), "--json"))
    assert written == {"file": str(out), "bytes": out.stat().st_size}
    with duckdb.connect() as tables:
        assert tables.read_csv(str(out)).filter("comment = 'thin'").project("label").fetchall() == [
            ("weak",)
        ]
    told("export", *on, "--what", "nothing", "--out", str(out), code=2)


def test_what_the_letters_of_a_region_lack_ends_no_command(tmp_path):
    (tmp_path / "größe.csv").write_text("a,label\n1,x\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "labeling_core", "simulate", "--data", "größe.csv", "--label", "ж"],
        cwd=tmp_path, env=child_environment(PYTHONIOENCODING="cp1252:strict"), capture_output=True,
        encoding="cp1252", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "größe.csv has no column “?”.\n")


def test_a_bar_is_drawn_on_a_terminal_only(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savez(tmp_path / "arrays.npz", X=X, y=(X[:, 0] > 0).astype(int))
    command = [
        sys.executable, "-m", "labeling_core", "simulate", "--features-npz",
        str(tmp_path / "arrays.npz"), "--budget", "20", "--seeds", "2",
    ]  # fmt: skip
    plain = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert plain.stderr == "" and "random" in plain.stdout
    ours, theirs = pty.openpty()
    drawn = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert "100%" in text and "\n" in text
    assert drawn.stdout.decode() == plain.stdout


def test_what_is_waited_for_is_said_on_a_terminal_only(monkeypatch, capsys):
    with options.waiting("Waiting for a session"):
        pass
    assert capsys.readouterr() == ("", "")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(options, "_MOMENT", 0.01)
        with options.waiting("Waiting for a session"):
            said = os.read(ours, 100).decode()
        assert said.startswith("\rWaiting for a session … 0 s")
    os.close(ours)


def test_data_may_be_a_table_in_a_file_that_holds_several(tmp_path, capsys):
    rows = [[number % 7, number % 2 * 5, "odd" if number % 2 else "even"] for number in range(120)]
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE other (a)")
        connection.execute("CREATE TABLE numbers (x, y, label)")
        connection.executemany("INSERT INTO numbers VALUES (?, ?, ?)", rows)
    connection.close()
    asked = ["simulate", "--data", str(tmp_path / "a.db"), "--batch", "10", "--budget", "20",
             "--seeds", "1", "--strategy", "random"]  # fmt: skip
    assert main(asked) == 2
    assert "holds 2 tables: choose one of “other”, “numbers”" in capsys.readouterr().err
    assert main([*asked, "--part", "numbers"]) == 0
    assert "random" in capsys.readouterr().out.lower()
