"""Vectors in a file of their own, chosen for a table: for a new project, later, in a simulation."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from app_server import AppServer
from forms import Form, stored
from playwright.sync_api import BrowserContext, expect

SLOW = 600_000  # milliseconds: the process behind it gives way to all others
LABELED = "SELECT 'n' || i AS name, i % 7 AS odd, 'ab'[1 + i % 2] AS kind FROM range(60) t(i)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server with a table, and vectors for all but two of its rows."""
    folder = Path(tmp_path_factory.mktemp("vectors"))
    (folder / "models").mkdir()
    vectors = np.random.default_rng(0).normal(size=(58, 4)) + np.tile([[1.0], [-1.0]], (29, 1))
    names = np.array([f"n{i}" for i in range(58)])
    np.savez(folder / "models" / "seen.npz", name=names, vector=vectors)
    server = AppServer(folder)
    server.make_projects([])
    server.make_tables({"a_first": "SELECT 1 AS i", "known": LABELED})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_MODELS", str(folder / "models"))
        server.start()
    yield server
    server.stop()


def test_a_table_is_seen_by_vectors_beside_its_columns(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.choose("Table to label", "known")
    form.text("Name", "named")
    form.editor.add_row(0, Name="a")
    form.editor.add_row(1, Name="b")
    form.add("What the model sees", "Vectors of seen.npz")
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    assert stored(server, "named")["features"] == "classical+vectors_seen"
    read = form.page.get_by_text("seen.npz, joined by name: 58 of 60 rows have a vector")
    form.go("Settings")
    end = time.monotonic() + SLOW / 1000
    while not read.is_visible():  # it is read in the background, and nothing is saved meanwhile
        assert time.monotonic() < end, "the vectors were not read"
        form.reload()
    # Its absence is told, and keeps nobody from changing something else.
    path = server.folder / "models" / "seen.npz"
    path.rename(path.with_suffix(".away"))
    form.reload()
    gone = form.page.get_by_role("button", name="Remove seen, which is missing for now")
    expect(gone).to_be_visible()
    form.number("Retrain every n labelings", 31)
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    found = stored(server, "named")
    assert (found["every"], found["features"]) == (31, "classical+vectors_seen")
    path.with_suffix(".away").rename(path)
    form.reload()
    form.remove("What the model sees", "The table’s columns")
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    assert stored(server, "named")["features"] == "vectors_seen"


def test_a_simulation_of_a_table_sees_what_is_chosen(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("simulation")
    form.choose("Table", "known")
    form.shows("combobox", {"Label column": "kind"})
    form.add("What the model sees", "Vectors of seen.npz")
    form.number("Batch size", 4)
    form.number("Budget", 8)
    form.number("Seeds", 2)
    form.press("Run the simulation")
    seen = "60 labeled rows, seen as classical and vectors_seen"
    expect(form.page.get_by_text(seen)).to_be_visible()
    told = form.page.get_by_text("58 of 60 rows have a vector of 4 numbers; 2 have none")
    expect(told).to_be_visible(timeout=SLOW)
    (record,) = server.folder.glob("*/simulations/*/simulation.json")
    assert len(json.loads(record.read_text("utf-8"))["notes"]) == 1
