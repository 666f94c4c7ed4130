"""What takes how much, what may be cleared, and that nothing is lost by it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, rows
from running import run_session

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.integrity import storage
from labeling_core.integrity.storage import Housekeeping, Use
from labeling_core.modalities import renditions
from labeling_core.projects.lifecycle import create_project
from labeling_core.sources.uploads import WAITING


def size_of(found, kind, project):
    (use,) = [each for each in found.uses if (each.kind, each.project) == (kind, project)]
    return use


def drawn(workspace, project_id, name, size, age=0.0):
    """A picture that was made, and last shown ``age`` seconds ago."""
    place = workspace.database.files(project_id, renditions.FOLDER) / name[:2] / name[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"x" * size)
    os.utime(place, (time.time() - age,) * 2)
    return place


def waiting(workspace, name, age):
    folder = workspace.database.path.parent / "uploads" / f"{WAITING}{name}"
    folder.mkdir(parents=True)
    (folder / "table").write_bytes(b"x" * 1000)
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_everything_is_told_by_kind_and_project(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(30)
    run_session(workspace, project)
    workspace.backups.make(LOCAL)
    drawn(workspace, "wine", "abcd", 5000)
    waiting(workspace, "x", 0)
    workspace.database.checkpoint()
    found = storage.look(workspace.database, LOCAL)
    assert size_of(found, "renditions", "wine") == Use("renditions", "wine", 1, 5000)
    assert size_of(found, storage.WAIT, "") == Use(storage.WAIT, "", 1, 1000)
    assert size_of(found, storage.FEATURES, "wine").number >= 2
    assert size_of(found, "backups", "").number == 1
    assert size_of(found, "tables", "wine").number >= 2
    events = size_of(found, "event log", "wine")
    (counted,) = rows(
        workspace.database, "SELECT count(*) FROM labeling.events WHERE project_id = 'wine'"
    )
    assert (events.number,) == counted
    inside = [each for each in found.uses if "tables" in each.kind or each.kind == "event log"]
    assert sum(each.size for each in inside) > 0
    assert found.file >= workspace.database.path.stat().st_size
    assert found.beside == sum(each.size for each in found.uses if each not in inside)
    assert found.free > 0


def test_what_is_cleared_is_made_again_and_no_decision_is_lost(workspace, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(30)
    run_session(workspace, project)
    before = rows(workspace.database, "SELECT * FROM wine_metadata ORDER BY label_id")
    assert storage.clear(workspace.loop, storage.FEATURES, "wine", LOCAL) > 0
    assert not list(workspace.database.files("wine").glob("features_*"))
    ana.label_truly(5)
    assert run_session(workspace, project).state == "idle"
    assert list(workspace.database.files("wine").glob("features_*/features.npy"))
    assert rows(workspace.database, "SELECT * FROM wine_metadata ORDER BY label_id")[:30] == before


@pytest.mark.parametrize(("project", "left"), [("wine", [False, True]), ("", [False, False])])
def test_pictures_of_one_project_or_of_all_are_cleared(workspace, make_project, project, left):
    make_project()
    named = {"labels_table": "l", "metadata_table": "m", "queries_table": ""}
    create_project(workspace.database, replace(SETTINGS, title="other", **named))
    places = [drawn(workspace, each, "abcd", 5000) for each in ("wine", "other")]
    went = storage.clear(workspace.loop, "renditions", project, LOCAL)
    assert went == 5000 * left.count(False)
    assert [each.exists() for each in places] == left


def test_an_upload_whose_form_may_still_be_open_is_not_cleared(workspace):
    old, young = waiting(workspace, "old", 2 * storage.YOUNG), waiting(workspace, "young", 60)
    assert storage.clear(workspace.loop, storage.WAIT, "", LOCAL) == 1000
    assert not old.exists() and young.exists()


@pytest.mark.parametrize(("kind", "project"), [("event log", ""), ("renditions", "none")])
def test_what_cannot_be_cleared_is_said(workspace, make_project, kind, project):
    make_project()
    with pytest.raises(LabelingError, match=r"cannot be cleared|There is no project"):
        storage.clear(workspace.loop, kind, project, LOCAL)


def test_of_too_many_pictures_those_not_shown_for_longest_go(workspace, make_project, monkeypatch):
    make_project()
    monkeypatch.setenv("LABELING_RENDITIONS", "0.01")
    places = [drawn(workspace, "wine", f"{age:04}", 2000, age) for age in range(100, 4000, 500)]
    renditions.shown(places[-1], workspace.database.files("wine", renditions.FOLDER))
    forgotten = waiting(workspace, "x", 100_000)
    Housekeeping(workspace.database).now()
    assert [each.exists() for each in places] == [True] * 3 + [False] * 4 + [True]
    assert not forgotten.exists()
    Housekeeping(workspace.database).now()
    assert sum(each.exists() for each in places) == 4


def test_what_was_stored_by_a_clock_that_ran_ahead_is_within_the_limits_too(
    workspace, make_project, monkeypatch
):
    make_project()
    monkeypatch.setenv("LABELING_RENDITIONS", "0.005")
    year = 365 * 86_400
    ahead = [drawn(workspace, "wine", f"a{each:03}", 2000, -year) for each in range(4)]
    today = drawn(workspace, "wine", "today", 2000, 100)
    forgotten = waiting(workspace, "x", -year)
    cleared = waiting(workspace, "y", -2 * storage.YOUNG)
    shown = drawn(workspace, "wine", "shown", 2000, -year)
    renditions.shown(shown, workspace.database.files("wine", renditions.FOLDER))
    Housekeeping(workspace.database).now()
    assert today.exists() and shown.exists() and not any(each.exists() for each in ahead)
    assert not forgotten.exists() and cleared.exists()
    assert storage.clear(workspace.loop, storage.WAIT, "", LOCAL) == 1000
    assert not cleared.exists()


def test_a_picture_that_is_on_its_way_to_a_browser_stays(workspace, make_project, monkeypatch):
    make_project()
    monkeypatch.setenv("LABELING_RENDITIONS", "0.001")
    place = drawn(workspace, "wine", "abcd", 5000)
    Housekeeping(workspace.database).now()
    assert place.exists()


def test_the_command_tells_and_clears(workspace, make_project, capsys):
    make_project()
    drawn(workspace, "wine", "abcd", 5000)
    path = workspace.database.path
    workspace.close()
    assert main(["storage", "--database", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"kind": "renditions", "project": "wine", "number": 1, "size": 5000} in told["uses"]
    assert main(["storage", "--database", str(path), "--clear", "renditions"]) == 0
    assert "0.0 MB of renditions are gone" in capsys.readouterr().out
    assert main(["storage", "--database", str(path), "--clear", "renditions",
                 "--project", "none"]) == 2  # fmt: skip
    assert "There is no project" in capsys.readouterr().err
