"""The Review page with keys: labels kept, changed and taken back, as the tables tell it.

While one list takes the place of another, both decks may be on the page for a moment; that is why
parts of a deck are asked for with ``.last``, and what they have to say is waited for.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import picture_project
import pytest
from annotating import LOCAL, Annotator
from app_server import AppServer, settings_for
from playwright.sync_api import Browser, BrowserContext, Page, expect
from running import wait
from test_app import FINISHED

from labeling_core import use_cases
from labeling_core.labeling import adjudicating
from labeling_core.projects import lifecycle, sample_projects
from labeling_core.sessions import label_errors
from labeling_core.sessions.label_errors import Listing
from labeling_core.workspace import Workspace

OTHER = {"red": "white", "white": "red"}


def finished_project(path: Path) -> list[str]:
    """Wine colour with 120 labels, six of them wrong, looked through; the list's sample ids."""
    with (sample_projects.DATA / "wine_colour" / "answers.csv").open(encoding="utf-8") as file:
        truth = {str(n): row["label"] for n, row in enumerate(csv.DictReader(file), start=1)}
    workspace = Workspace(path)
    sample_projects.create_wine_colour(workspace.database)
    settings = replace(sample_projects.WINE_COLOUR, every=1000)
    project = use_cases.update_project(workspace, "wine_colour", settings, LOCAL)
    ana = Annotator(workspace, project)
    for _ in range(6):
        first, *rest = ana.take(20)
        given = {first: OTHER[truth[first]]} | {each: truth[each] for each in rest}
        ana.send([ana.decision(each, "label", category=name) for each, name in given.items()])
    label_errors.look(workspace.loop, project, LOCAL)
    wait(workspace, project)
    with workspace.database.read() as cursor:
        found = label_errors.findings(cursor, project, Listing("all"))
    workspace.close()
    return [each.sample_id for each in found]


def finished_words(path: Path) -> None:
    """Spoken words with 60 labels, six of them wrong, looked through."""
    with (sample_projects.DATA / "spoken_words" / "answers.csv").open(encoding="utf-8") as file:
        truth = {row["path"]: row["label"] for row in csv.DictReader(file)}
    workspace = Workspace(path)
    settings = replace(sample_projects.SPOKEN_WORDS, every=1000)
    project = lifecycle.create_project(workspace.database, settings)
    ana = Annotator(workspace, project)
    for _ in range(3):
        wrong, other, *rest = ana.take(20)
        given = {wrong: truth[other], other: truth[wrong]} | {each: truth[each] for each in rest}
        ana.send([ana.decision(each, "label", category=name) for each, name in given.items()])
    picture_project.read(workspace, project)
    label_errors.look(workspace.loop, project, LOCAL)
    wait(workspace, project)
    workspace.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a finished project, to be copied, and the list's sample ids."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, finished_project(AppServer(folder).path)


@pytest.fixture
def reviewed(
    finished: tuple[Path, list[str]], tmp_path: Path
) -> Iterator[tuple[AppServer, list[str]]]:
    """The app with a finished project, and its samples, the most suspicious label first."""
    folder, ranked = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    server = AppServer(tmp_path)
    server.start()
    yield server, ranked
    server.stop()


def test_labels_are_kept_changed_and_taken_back_with_one_key_each(
    reviewed: tuple[AppServer, list[str]], context: BrowserContext
) -> None:
    server, ranked = reviewed
    page = context.new_page()
    page.goto(f"{server.url}/review?project=wine_colour")
    front, place = page.locator("[data-sample-id]").last, page.locator('[data-part="place"]').last
    front.wait_for(timeout=60_000)
    page.get_by_role("radio", name="All, most suspicious first").click()
    expect(place).to_have_text("1 of 120")
    for key in ("Enter", "k", "category"):
        at = ("Enter", "k", "category").index(key)
        expect(front).to_have_attribute("data-sample-id", ranked[at])
        given = str(front.get_attribute("data-decision"))
        page.keyboard.press(OTHER[given][0] if key == "category" else key)
    expect(place).to_have_text("4 of 120")
    page.keyboard.press("Shift+ArrowRight")  # later: nothing is decided
    expect(front).to_have_attribute("data-sample-id", ranked[4])
    page.keyboard.press("Backspace")
    expect(front).to_have_attribute("data-sample-id", ranked[2])
    page.keyboard.press(OTHER[given][0])
    expect(front).not_to_have_attribute("data-sample-id", ranked[2])
    expect(page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
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


def test_a_label_changed_in_a_review_is_changed_in_a_deck_that_was_open(
    reviewed: tuple[AppServer, list[str]], context: BrowserContext
) -> None:
    server, ranked = reviewed
    page = context.new_page()
    page.goto(f"{server.url}/label_tabular?project=wine_colour")
    name = page.get_by_role("textbox", name="Your name")
    name.fill("ana")
    name.press("Enter")
    expect(page.locator('[data-do="back"]:not([disabled])')).to_be_visible(timeout=30_000)
    page.locator('[data-part="stage"]').click()  # keys are the deck's again
    front, back = page.locator("[data-sample-id]").last, 0
    while (here := str(front.get_attribute("data-sample-id"))) != ranked[0]:
        page.keyboard.press("ArrowLeft")
        back += 1
        expect(front).not_to_have_attribute("data-sample-id", here)
        expect(front).to_have_attribute("data-decision", re.compile("red|white"))
    given = str(front.get_attribute("data-decision"))
    page.keyboard.press("End")

    review = context.new_page()
    review.goto(f"{server.url}/review?project=wine_colour")
    listed = review.locator(f'[data-sample-id="{ranked[0]}"]')
    listed.wait_for(timeout=30_000)
    review.keyboard.press(OTHER[given][0])
    expect(review.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()

    page.bring_to_front()
    for _ in range(2):  # the first one may have been asked before
        page.wait_for_event("response", lambda each: each.url.endswith("/labeling/exchange"))
    for _ in range(back):
        page.keyboard.press("ArrowLeft")
    expect(front).to_have_attribute("data-sample-id", ranked[0])
    expect(front).to_have_attribute("data-decision", OTHER[given])


def test_the_page_counts_with_the_deck_and_says_where_to_stop(
    reviewed: tuple[AppServer, list[str]], context: BrowserContext
) -> None:
    server, _ = reviewed
    page = context.new_page()
    page.goto(f"{server.url}/review?project=wine_colour")
    page.get_by_role("radio", name="All, most suspicious first").click(timeout=60_000)
    front, place = page.locator("[data-sample-id]").last, page.locator('[data-part="place"]').last
    expect(place).to_have_text("1 of 120")
    expect(page.get_by_text("Reviewed so far: 0 kept, 0 changed")).to_be_visible()
    expect(page.get_by_text("when a dozen in a row are right")).to_be_visible()
    given = str(front.get_attribute("data-decision"))
    page.keyboard.press(OTHER[given][0])
    for number in range(2, 5):
        expect(place).to_have_text(f"{number} of 120")
        page.keyboard.press("Enter")
    expect(page.get_by_text("Reviewed so far: 3 kept, 1 changed")).to_be_visible()
    expect(page.get_by_text("Out of date")).to_be_visible()  # one more line above the deck
    assert_all_in_view(page)
    part = page.locator(f'[data-category="{given}"] .part')
    expect(part).to_have_attribute("title", re.compile("% is the model's probability of it$"))


HAS_ROOM = """() => {
  const deck = document.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot;
  const box = (wanted) => deck?.querySelector(wanted)?.getBoundingClientRect();
  const [picture, clock] = [box("[data-sample-id] .wave"), box("[data-sample-id] .reading")];
  return picture?.height > 80 && clock?.bottom <= box("[data-part=stage]").bottom;
}"""


def test_a_sound_under_review_has_its_picture_on_a_phone(tmp_path: Path, browser: Browser) -> None:
    server = AppServer(tmp_path)
    finished_words(server.path)
    server.start()
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    try:
        page = phone.new_page()
        page.goto(f"{server.url}/review?project=spoken_words")
        page.get_by_text("All, most suspicious first").tap(timeout=60_000)
        expect(page.locator("[data-sample-id] .wave img")).to_be_visible(timeout=60_000)
        page.wait_for_function(HAS_ROOM, timeout=60_000)  # the list that was chosen comes anew
        for segment in ("Likely errors", "Model against people"):
            each = page.get_by_role("radio", name=segment)
            expect(each).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        phone.close()
        server.stop()


DISPUTED = "cellar"


def make_disagreements(path: Path) -> list[str]:
    """A project of which ana and ben have decided six samples differently; their ids in order."""
    workspace = Workspace(path)
    settings = settings_for(DISPUTED, overlap_share=1.0, overlap_people=2)
    project = use_cases.create_project(workspace, settings, LOCAL)
    ana, ben = Annotator(workspace, project), Annotator(workspace, project, "ben")
    ids = ana.take(6)
    ana.send([ana.decision(each, "label", category="red", comment="dark") for each in ids])
    ana.send(release=True)
    ben.take(30)
    ben.send([ben.decision(each, "label", category="white") for each in ids])
    found = adjudicating.disputes(workspace.open_projects, project, LOCAL).waiting
    workspace.close()
    return [each.sample_id for each in found]


def assert_all_in_view(page: Page) -> None:
    """The sample, every button and the comment are on the screen, and nothing scrolls."""
    expect(page.locator('[data-part="deck"]')).to_have_count(1)
    for part in ('[data-part="stage"]', ".category", '[data-part="comment"]', '[data-do="skip"]'):
        for each in page.locator(part).all():
            expect(each).to_be_in_viewport(ratio=1)
    pane = page.locator('[data-testid="stMain"]')
    scrolls = "pane => pane.scrollHeight - pane.clientHeight > 1"
    for _ in range(100):  # while another list takes the place of the one before, it may
        if not pane.evaluate(scrolls):
            return
        page.wait_for_timeout(100)
    assert not pane.evaluate(scrolls)


def test_disagreements_are_settled_with_one_key_each_and_taken_back(
    finished: tuple[Path, list[str]], tmp_path: Path, context: BrowserContext
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    server = AppServer(tmp_path)
    ids = make_disagreements(server.path)
    server.start()
    try:
        page = context.new_page()
        page.goto(f"{server.url}/review?project={DISPUTED}")
        page.get_by_text("Disagreements", exact=True).click(timeout=60_000)
        front, place = (
            page.locator("[data-sample-id]").last,
            page.locator('[data-part="place"]').last,
        )
        opinions = page.locator('[data-part="opinions"] p')
        verdict = page.locator('[data-part="verdict"]').last
        expect(place).to_have_text("1 of 6")
        expect(opinions).to_have_text(["red · ana: “dark”", "white · ben"])
        assert_all_in_view(page)
        for key, said, next_one in (("w", "Last: white", 1), ("Delete", "Last: no label", 2)):
            page.keyboard.press(key)
            expect(front).to_have_attribute("data-sample-id", ids[next_one])
            expect(verdict).to_have_text(said)
        page.keyboard.press("Shift+ArrowRight")  # later: nothing is decided
        expect(front).to_have_attribute("data-sample-id", ids[3])
        page.keyboard.press("Backspace")
        expect(front).to_have_attribute("data-sample-id", ids[1])
        expect(opinions).to_have_text(["red · ana: “dark”", "white · ben"])
        page.keyboard.press("r")
        expect(page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
        page.reload()  # the rulings are there to go back to
        page.get_by_text("Disagreements", exact=True).click(timeout=60_000)
        expect(place).to_have_text("3 of 6")
        page.keyboard.press("ArrowLeft")
        expect(front).to_have_attribute("data-sample-id", ids[1])
        expect(verdict).to_have_text("red")
        page.keyboard.press("w")
        expect(place).to_have_text("3 of 6")
        expect(page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
        connection = server.tables()
        rulings = connection.execute(
            f"SELECT sample_id, label, annotator FROM {DISPUTED}_metadata "
            "WHERE origin = 'adjudication' ORDER BY label_id"
        ).fetchall()
        labels = connection.execute(f"SELECT label FROM {DISPUTED}_labels").fetchall()
        connection.close()
        assert [each[:2] for each in rulings] == [(ids[0], "white"), (ids[1], "white")]
        assert labels == [("white",), ("white",)]

        page.goto(f"{server.url}/review?project=wine_colour")
        for segment in ("Likely errors", "All, most suspicious first", "Model against people"):
            page.get_by_role("radio", name=segment).click(timeout=60_000)
            expect(place).to_have_text(re.compile("^1 of"))
            expect(page.locator(FINISHED)).to_have_count(1)
            assert_all_in_view(page)
    finally:
        server.stop()
