"""`check` and `storage` while the app has the database open: what people do meanwhile is not taken
for damage, and what is mended is known to the app at once."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source, rows
from running import run_session

from labeling_core.__main__ import main
from labeling_core.integrity import checks
from labeling_core.modalities import renditions
from labeling_core.notebook.door import Door
from labeling_core.projects.lifecycle import create_project
from labeling_core.store.backups import list_backups
from labeling_core.workspace import Workspace


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Workspace]:
    """The app with the project `wine`, and its door."""
    workspace = Workspace(tmp_path / "app.duckdb")
    make_source(workspace.database)
    create_project(workspace.database, replace(SETTINGS, every=1000))
    opened = Door(workspace)
    yield workspace
    opened.close()
    workspace.close()


def call(app: Workspace, *words: str) -> int:
    return main([*words, "--database", str(app.database.path)])


def test_a_sound_database_is_told_to_be_and_what_was_not_looked_at(
    app: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = Annotator(app, app.project("wine"))
    ana.label_truly(30)
    run_session(app, app.project("wine"))
    part = app.database.files("wine", renditions.FOLDER, "ab") / f".cd.{os.getpid()}.1"
    part.write_bytes(b"on its way to a browser")
    assert call(app, "check", "--mend") == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"app.duckdb is sound: {checks.NUMBER - 1} checks found nothing.",
        "The app has it open: whether its log ends whole was not looked at.",
    ]
    assert part.exists()
    assert len(ana.label_truly(5)) == 5


def test_what_is_mended_the_app_knows_at_once(
    app: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = Annotator(app, app.project("wine"))
    ana.label_truly(30)
    stored = "SELECT * FROM wine_labels ORDER BY label_id"
    before = rows(app.database, stored)
    with app.database.transaction() as cursor:
        cursor.execute("DELETE FROM wine_labels WHERE label_id < 11")
        cursor.execute("UPDATE labeling.projects SET samples = 7")
    app.open_projects.forget("wine")
    assert app.project("wine").samples == 7
    assert call(app, "check") == 2
    assert "[mendable]" in capsys.readouterr().out
    assert call(app, "check", "--mend", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {each["state"] for each in found["findings"]} == {"mended"}
    (copy,) = found["copies"]
    assert Path(copy) in [each.path for each in list_backups(app.database.path)]
    assert rows(app.database, stored) == before
    assert app.project("wine").samples == 200
    assert len(ana.label_truly(5)) == 5
    assert call(app, "check") == 0


def test_a_session_is_waited_for_and_what_may_take_hours_is_named(
    app: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def busy(*_: object) -> str:
        at_work.set()
        go_on.wait()
        return "done"

    app.loop.trainer.submit("wine", busy)
    at_work.wait()
    codes: list[int] = []
    waiting = threading.Thread(target=lambda: codes.append(call(app, "check")))
    waiting.start()
    while not app.loop.pace.is_held("wine"):
        pass
    assert Annotator(app, app.project("wine")).label_truly(3), "nobody is held up meanwhile"
    assert codes == []
    go_on.set()
    waiting.join()
    assert codes == [0] and not app.loop.pace.is_held("wine")

    for line, name, sentence in (
        (app.loop.reader, "wine", "The files are being read"),
        (app.simulations.jobs, "some simulation", "A simulation runs"),
    ):
        at_work.clear(), go_on.clear()
        line.submit(name, busy)
        at_work.wait()
        capsys.readouterr()
        assert call(app, "check", "--mend") == 2
        told = capsys.readouterr().err
        assert sentence in told and told.count("\n") == 1, told
        go_on.set()
        while line.running(name):
            pass


def test_what_takes_how_much_is_told_and_cleared(
    app: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = Annotator(app, app.project("wine"))
    ana.label_truly(30)
    run_session(app, app.project("wine"))
    assert call(app, "storage", "--json") == 0
    there = json.loads(capsys.readouterr().out)
    kinds = {each["kind"] for each in there["uses"]}
    assert {"features", "tables", "event log"} <= kinds and there["cleared"] == 0
    assert call(app, "storage", "--clear", "features", "--project", "wine", "--json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["cleared"] > 0
    assert "features" not in {each["kind"] for each in after["uses"]}
    assert rows(app.database, "SELECT count(*) FROM labeling.events WHERE kind = 'cleared'") == [
        (1,)
    ]
    assert call(app, "storage", "--clear", "renditions", "--project", "none") == 2
    assert "There is no project “none”" in capsys.readouterr().err
    ana.label_truly(5)
    assert run_session(app, app.project("wine")).state == "idle"
    assert checks.look_open(app.database, LOCAL).findings == []
