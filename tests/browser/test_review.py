"""The Review page with keys: labels kept, changed and taken back, as the tables tell it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from annotating import LOCAL, Annotator
from app_server import AppServer
from playwright.sync_api import BrowserContext, expect
from test_sessions import wait

from labeling_core import label_review, sample_projects
from labeling_core.label_review import Listing
from labeling_core.workspace import Workspace

OTHER = {"red": "white", "white": "red"}


def finished_project(path: Path) -> list[str]:
    """Wine colour with 120 labels, six of them wrong, looked through; the list's sample ids."""
    with (sample_projects.DATA / "wine_colour" / "answers.csv").open(encoding="utf-8") as file:
        truth = {str(n): row["label"] for n, row in enumerate(csv.DictReader(file), start=1)}
    space = Workspace(path)
    sample_projects.create_wine_colour(space.database)
    settings = replace(sample_projects.WINE_COLOUR, every=1000)
    project = space.update_project("wine_colour", settings, LOCAL)
    ana = Annotator(space, project)
    for _ in range(6):
        first, *rest = ana.take(20)
        given = {first: OTHER[truth[first]]} | {each: truth[each] for each in rest}
        ana.send([ana.decision(each, "label", category=name) for each, name in given.items()])
    label_review.look(space, project, LOCAL)
    wait(space, project, 120)
    with space.database.read() as cursor:
        found = label_review.findings(cursor, project, Listing("all"))
    space.close()
    return [each.sample_id for each in found]


def test_labels_are_kept_changed_and_taken_back_with_one_key_each(
    tmp_path: Path, context: BrowserContext
) -> None:
    server = AppServer(tmp_path)
    ranked = finished_project(server.path)
    server.start()
    try:
        page = context.new_page()
        page.goto(f"{server.url}/review?project=wine_colour")
        front, place = page.locator("[data-sample-id]"), page.locator('[data-part="place"]')
        front.wait_for(timeout=30_000)
        page.get_by_role("radio", name="All, most suspicious first").click()
        expect(place).to_have_text("1 of 120", timeout=30_000)
        for key in ("Enter", "k", "category"):
            at = ("Enter", "k", "category").index(key)
            expect(front).to_have_attribute("data-sample-id", ranked[at], timeout=30_000)
            given = str(front.get_attribute("data-decision"))
            page.keyboard.press(OTHER[given][0] if key == "category" else key)
        expect(place).to_have_text("4 of 120")
        page.keyboard.press("Tab")  # later: nothing is decided
        expect(front).to_have_attribute("data-sample-id", ranked[4])
        page.keyboard.press("Backspace")
        expect(front).to_have_attribute("data-sample-id", ranked[2])
        page.keyboard.press(OTHER[given][0])
        expect(page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
        page.wait_for_timeout(500)
        connection = server.tables()
        told = connection.execute(
            "SELECT kind, sample_id FROM labeling.events WHERE detail->>'$.reviewed' IS NOT NULL "
            "ORDER BY event_id"
        ).fetchall()
        label = connection.execute(
            "SELECT label FROM wine_colour_metadata WHERE sample_id = ?", [ranked[2]]
        ).fetchone()
        connection.close()
        assert told == [
            ("review", ranked[0]),
            ("review", ranked[1]),
            ("correction", ranked[2]),
            ("correction", ranked[2]),
            ("correction", ranked[2]),
        ]
        assert label == (OTHER[given],)
    finally:
        server.stop()
