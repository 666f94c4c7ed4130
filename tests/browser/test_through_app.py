"""Somebody labels in a browser while commands of a second process do everything else."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from app_server import ROOT, AppServer, decisions, settings_for
from deck_page import DeckPage
from playwright.sync_api import BrowserContext

from labeling_core.access.rights import COMMANDS, THROUGH
from labeling_core.config import child_environment


class Second:
    """Commands in a process of their own, each while keys are pressed in the browser."""

    def __init__(self, server: AppServer, deck: DeckPage) -> None:
        self.server, self.deck, self.used = server, deck, set[str]()

    def run(self, name: str, *words: str) -> str:
        """What a command prints, which has to end well."""
        self.used.add(name)
        running = subprocess.Popen(
            [sys.executable, "-m", "labeling_core", name, *words,
             "--database", str(self.server.path)],
            cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
        )  # fmt: skip
        while True:
            self.deck.press("rw"[len(self.deck.keys) % 2])
            self.deck.wait_saved()  # one at a time: the samples are to last
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.3)
                break
        told, complaint = running.communicate()
        assert (running.returncode, complaint) == (0, ""), (name, complaint)
        return told


def test_commands_go_through_the_app_while_somebody_labels(
    context: BrowserContext, tmp_path: Path
) -> None:
    server = AppServer(tmp_path)
    settings = settings_for("busy", queries_table="busy_queries", every=25)
    server.make_projects([settings])
    server.start()
    try:
        deck = DeckPage(context, server.url, "busy", "post").open()
        second = Second(server, deck)
        stored = _do_everything(second, tmp_path)
        deck.wait_saved()
        found = decisions(server, "busy")
        assert len(found) == len(deck.keys) - len(deck.page.evaluate("idle")) + stored
        assert {"imported", "from the file"} <= {comment for _, _, comment in found}
        connection = server.tables()
        states = connection.execute(
            "SELECT DISTINCT state FROM labeling.sessions WHERE project_id = 'busy' "
            "AND state <> 'RUNNING'"
        ).fetchall()
        connection.close()
        assert states == [("DONE",)]
        assert not deck.errors
        with pytest.raises(duckdb.IOException, match="lock"):  # still the app's alone
            duckdb.connect(str(server.path))
    finally:
        server.stop()
    with duckdb.connect(str(server.path)) as tables:  # it was left whole
        assert tables.execute("SELECT count(*) FROM busy_metadata").fetchall() == [(len(found),)]
    assert second.used == {each for each, where in COMMANDS.items() if where == THROUGH}


def _do_everything(second: Second, folder: Path) -> int:
    """Every command; how many decisions they stored in the project that somebody labels."""
    on = ("--project", "busy")
    ids = [each["project"] for each in json.loads(second.run("projects", "--json"))]
    assert ids == ["wine_colour", "busy"]
    handed = json.loads(second.run("next", *on, "--count", "3", "--json"))
    decided = folder / "decided.csv"
    lines = [f"{each['sample_id']},red,from the file" for each in handed]
    decided.write_text("\n".join(["sample_id,label,comment", *lines]), "utf-8")
    # What `next` handed out is reserved for this person, as `label` finds.
    told = json.loads(second.run("label", *on, "--file", str(decided), "--json"))
    assert told == {"stored": 3, "refused": []}
    free = json.loads(second.run("next", *on, "--count", "2", "--json"))
    brought = folder / "labels.csv"
    lines = [f"{each['sample_id']},white,imported" for each in free]
    brought.write_text("\n".join(["sample_id,label,comment", *lines]), "utf-8")
    assert "Import 1 is stored." in second.run("import", *on, "--file", str(brought))
    assert json.loads(second.run("sample", *on, "--json"))["state"] == "DONE"
    assert json.loads(second.run("progress", *on, "--json"))
    out = folder / "metadata.parquet"
    second.run("export", *on, "--what", "metadata", "--out", str(out))
    with duckdb.connect() as tables:
        taken = tables.execute(
            "SELECT count(*) FROM read_parquet(?) WHERE comment = 'imported'", [str(out)]
        ).fetchall()
    assert taken == [(2,)]
    source = folder / "new.csv"
    source.write_text("n\n" + "\n".join(map(str, range(20))), "utf-8")
    second.run("create", "--title", "New", "--source", str(source), "--category", "a",
               "--category", "b")  # fmt: skip
    second.run("delete", "--project", "new")
    assert Path(second.run("backup").rsplit(" (", 1)[0]).is_file()
    assert json.loads(second.run("check", "--mend", "--json"))["findings"] == []
    assert "backups" in {
        each["kind"] for each in json.loads(second.run("storage", "--json"))["uses"]
    }
    refused = subprocess.run(
        [sys.executable, "-m", "labeling_core", "restore", str(out), "--database",
         str(second.server.path)],
        cwd=ROOT, env=child_environment(), capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    return 5
