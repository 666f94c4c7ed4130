"""What is taken away: whole, filtered, in pieces, and readable by those it is meant for."""

from __future__ import annotations

import csv
import io
import json
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from annotating import LOCAL, SETTINGS
from broken_media import photo
from picture_project import SETTINGS as PICTURES
from running import run_session

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.label_import import How
from labeling_core.progress import packages
from labeling_core.progress.downloads import Query
from labeling_core.progress.label_filter import Wanted
from labeling_core.sources.foreign_labels import read_files
from labeling_core.store import exporting
from labeling_core.store.growing_files import stream
from labeling_core.web import exports


def taken(workspace: Any, project: Any, what: str, form: str = "CSV", **more: Any) -> bytes:
    return b"".join(exports.export(workspace, project, what, form, LOCAL, **more).pieces)


def table(workspace: Any, project: Any, what: str, **more: Any) -> list[dict[str, str]]:
    text = taken(workspace, project, what, **more).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def labeled(workspace: Any, make_project: Any, annotator: Any) -> Any:
    """40 labels of one person and a session."""
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    run_session(workspace, project)
    return project


def test_every_table_comes_out_alike_in_every_format(workspace: Any, labeled: Any) -> None:
    with workspace.database.read() as cursor:
        events = cursor.execute("SELECT count(*) FROM labeling.events WHERE project_id = 'wine'")
        history = events.fetchall()[0][0]
    expected = {"labels": 40, "metadata": 40, "queries": 160, "sessions": 1, "history": history,
                "source with labels": 200}  # fmt: skip
    for what, number in expected.items():
        found = [
            pd.read_csv(io.BytesIO(taken(workspace, labeled, what, "CSV"))),
            pd.read_csv(io.BytesIO(taken(workspace, labeled, what, exporting.EXCEL))),
            pd.read_parquet(io.BytesIO(taken(workspace, labeled, what, "Parquet"))),
            pd.DataFrame(
                map(json.loads, taken(workspace, labeled, what, "JSON lines").splitlines())
            ),
        ]
        assert [len(each) for each in found] == [number] * 4, what
        assert len({tuple(each.columns) for each in found}) == 1, what


def test_the_source_comes_with_the_labels_that_it_has(workspace: Any, labeled: Any) -> None:
    rows = table(workspace, labeled, "source with labels")
    assert sorted(int(row["bottle"]) for row in rows) == list(range(200))
    known = [row for row in rows if row["label"]]
    assert len(known) == 40
    for row in known:
        assert row["label"] == ("white" if float(row["acidity"]) > 5 else "red")
        assert int(row["sample_id"]) == int(row["bottle"]) + 1


def test_one_duckdb_file_holds_all_tables(workspace: Any, labeled: Any, tmp_path: Path) -> None:
    path = tmp_path / "taken.duckdb"
    path.write_bytes(taken(workspace, labeled, "DuckDB file"))
    with duckdb.connect(str(path), read_only=True) as other:
        counts = {
            name: other.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for (name,) in other.execute("SHOW TABLES").fetchall()
        }
    assert counts.pop("history") >= 40
    assert counts == {"labels": 40, "metadata": 40, "queries": 160, "sessions": 1,
                      "source_with_labels": 200}  # fmt: skip
    with workspace.database.read() as cursor:
        names = cursor.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    assert not [name for (name,) in names if name.startswith("export")]


def test_a_duckdb_file_in_parts_is_the_same(
    workspace: Any, labeled: Any, annotator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Wanted(categories=("red",))

    def rows(wanted: Wanted) -> dict[str, list[tuple[Any, ...]]]:
        path = tmp_path / "taken.duckdb"
        path.write_bytes(taken(workspace, labeled, "DuckDB file", wanted=wanted))
        with duckdb.connect(str(path), read_only=True) as other:
            names = [name for (name,) in other.execute("SHOW TABLES").fetchall()]
            return {
                each: other.execute(f"SELECT * FROM {each} ORDER BY ALL").fetchall()
                for each in names
                if each != "history"  # it tells of each export
            }

    whole, some = rows(Wanted()), rows(narrow)
    assert 0 < len(some["labels"]) < len(whole["labels"]) == 40
    monkeypatch.setattr(packages, "_ROWS_WRITTEN", 7)
    assert rows(Wanted()) == whole and rows(narrow) == some
    with workspace.database.read() as cursor:
        parts = packages._parts(cursor, labeled, "labels", lambda: None, Wanted())
        annotator(labeled).label_truly(3)  # while the parts are written
        numbers = [
            number for sql, values in parts for *_, number in cursor.execute(sql, values).fetchall()
        ]
    assert len(parts) == 6 and len(numbers) == len(set(numbers)) == 43


def test_only_the_decisions_that_are_wanted(
    workspace: Any, make_project: Any, annotator: Any
) -> None:
    project = make_project(rows=10, every=1000, overlap_share=1.0, overlap_people=2)
    ana, ben = annotator(project, "ana"), annotator(project, "ben")
    while found := ana.send(want=5)["samples"]:
        ana.send([ana.decision(each["sample_id"], "label", category="red") for each in found])
    after = datetime.now(UTC)
    whites = 0
    while found := ben.send(want=1)["samples"]:
        whites += 1
        category = "white" if whites <= 3 else "red"
        ben.send([ben.decision(found[0]["sample_id"], "label", category=category)])

    def count(what: str = "metadata", **wanted: Any) -> int:
        return len(table(workspace, project, what, wanted=Wanted(**wanted)))

    assert count() == 20
    assert count(categories=("white",)) == 3
    assert count(people=("ana",)) == count(until=after) == 10
    assert count(since=after, categories=("red",)) == 7
    assert count(agreement=1.0) == 14 and count(agreement=0.5) == 20
    assert count("labels", agreement=1.0) == count("source with labels", agreement=1.0) == 7
    tasks = json.loads(taken(workspace, project, "Label Studio", wanted=Wanted(agreement=1.0)))
    assert [len(each["annotations"]) for each in tasks] == [2] * 7
    for wrong in ({"agreement": 2.0}, {"since": after.replace(tzinfo=None)}):
        with pytest.raises(LabelingError):
            count(**wrong)
    with pytest.raises(LabelingError, match="cannot be filtered"):
        count("history", people=("ana",))
    with pytest.raises(LabelingError, match="cannot be exported"):
        taken(workspace, project, "secrets")
    with pytest.raises(LabelingError, match="no format"):
        taken(workspace, project, "labels", "XML")


def test_what_goes_to_label_studio_comes_back_as_it_was(
    workspace: Any, make_project: Any, annotator: Any, tmp_path: Path
) -> None:
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    file = tmp_path / "out.json"
    file.write_bytes(taken(workspace, project, "Label Studio"))
    before = table(workspace, project, "labels")
    named: Any = {f"{each}_table": f"again_{each}" for each in ("labels", "metadata", "queries")}
    again = use_cases.create_project(
        workspace, replace(SETTINGS, title="Again", every=1000, **named), LOCAL
    )
    use_cases.bring_in_labels(
        workspace, again.project_id, read_files([(file, file.name)]), file.name, How(), LOCAL
    )
    after = table(workspace, again, "labels")
    told = [sorted((row["bottle"], row["label"]) for row in rows) for rows in (before, after)]
    assert len(told[0]) == 20 and told[0] == told[1]
    metadata = table(workspace, again, "metadata")
    assert {row["annotator"] for row in metadata} == {"ana"}


def test_labeled_pictures_come_as_a_folder_that_datasets_reads(
    workspace: Any, annotator: Any, media: Path
) -> None:
    (media / "test").mkdir()
    for number in range(6):
        photo(seed=number).save(media / ("test" if number % 2 else "") / f"test_{number}.PNG")
    project = use_cases.create_project(workspace, PICTURES, LOCAL)
    ana = annotator(project)
    for each in ana.send(want=4)["samples"]:
        ana.send([ana.decision(each["sample_id"], "label", category="a")])
    lost = table(workspace, project, "labels")[0]["path"]
    (media / lost).unlink()
    with zipfile.ZipFile(io.BytesIO(taken(workspace, project, exports.FOLDER))) as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode(), newline="")))
        assert archive.read("left_out.txt").decode() == f"{lost}\n"
        assert len(rows) == 3 and {row["label"] for row in rows} == {"a"}
        for row in rows:
            assert archive.read(row["file_name"]) == (media / row["path"]).read_bytes()
        files = {*archive.namelist()} - {"metadata.csv", "left_out.txt"}
    assert files == {row["file_name"] for row in rows}
    assert not [each for each in files if "test" in each]


def test_the_first_piece_is_there_before_the_last_is_made(workspace: Any) -> None:
    """And a failure after it is no shorter file, but a failure."""
    may_end = threading.Event()

    def write(cursor: Any, path: Path) -> None:
        with path.open("wb") as file:
            file.write(b"first")
            file.flush()
            assert may_end.wait(60)
            file.write(b"last")
        raise LabelingError("It failed after all.")

    pieces = stream(workspace.database, write, b"head ")
    assert next(pieces) == b"head first"
    may_end.set()
    assert next(pieces) == b"last"
    with pytest.raises(LabelingError, match="after all"):
        next(pieces)


def test_of_a_duckdb_file_the_beginning_comes_before_the_rest_is_made(workspace: Any) -> None:
    may_end = threading.Event()

    def write(cursor: Any, path: Path) -> None:
        numbers = Query("SELECT * FROM range(10)", [])
        packages.write_tables(cursor, path, {"begun": [numbers]})
        assert may_end.wait(60)
        packages.write_tables(cursor, path, {"numbers": [numbers, numbers]})

    pieces = stream(workspace.database, write, settled=packages.SETTLED)
    first = next(pieces)
    assert (len(first), first[8:12]) == (packages.SETTLED, b"DUCK")
    may_end.set()
    path = workspace.database.files("taken") / "whole.duckdb"
    path.write_bytes(first + b"".join(pieces))
    with duckdb.connect(str(path), read_only=True) as other:
        assert other.execute("SELECT count(*) FROM numbers").fetchall() == [(20,)]


def test_a_beginning_that_was_not_settled_is_no_file(workspace: Any) -> None:
    may_end = threading.Event()

    def write(cursor: Any, path: Path) -> None:
        path.write_bytes(b"first")
        assert may_end.wait(60)
        path.write_bytes(b"other and more")

    pieces = stream(workspace.database, write, settled=5)
    assert next(pieces) == b"first"
    may_end.set()
    with pytest.raises(OSError, match="have changed"):
        next(pieces)


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_whoever_goes_away_stops_the_writing(workspace: Any, form: str) -> None:
    """However little there is of the file by then."""
    endless = "SELECT range AS a, hash(range) AS b FROM range(100_000_000_000)"
    places: list[Path] = []

    def write(cursor: Any, path: Path) -> None:
        places.append(path)
        exporting.write(cursor, endless, form, path)

    pieces = stream(workspace.database, write)
    assert next(pieces)
    assert places[0].exists()
    pieces.close()
    assert not places[0].parent.exists()
    assert not [each for each in threading.enumerate() if each.name == "export"]


def test_whoever_does_not_wait_for_a_duckdb_file_leaves_nothing_attached(
    workspace: Any, labeled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables are endless here, and the reader gives up when the first is being written."""
    endless = Query("SELECT range AS label_id FROM range(100_000_000_000)", [])
    begun, places = threading.Event(), []

    def query(*_: object) -> Query:
        begun.set()
        return endless

    def write(cursor: Any, path: Path) -> None:
        places.append(path)
        packages.write_database(cursor, labeled, path, lambda: None, Wanted())

    monkeypatch.setattr(packages.downloads, "query", query)
    pieces = stream(workspace.database, write, settled=packages.SETTLED)
    assert next(pieces)
    assert begun.wait(60)
    pieces.close()
    assert not places[0].parent.exists()
    with workspace.database.read() as cursor:
        names = cursor.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    assert not [name for (name,) in names if name.startswith("export")]
