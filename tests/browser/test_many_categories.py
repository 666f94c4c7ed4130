"""Many categories in a real browser: found by typing, and readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DeckPage
from playwright.sync_api import Browser, BrowserContext, expect

from labeling_core.settings import Category

SPECIES = [f"species {number:03}" for number in range(1_000)]
LONG = [f"Warbler of the {number} eastern islands" for number in range(60)]
LETTERS = [chr(ord("A") + number) for number in range(26)]
STORY = "הנשר דואה. "
SCRIPTS = ["صقر", "נשר", "猫の鳴き声", "고양이", "แมว"]


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("app")))
    lists = {"species": SPECIES, "warblers": LONG, "letters": LETTERS, "scripts": SCRIPTS}
    server.make_projects(
        [
            settings_for(title, categories=tuple(map(Category, names)))
            for title, names in lists.items()
        ]
    )
    server.make_tables(
        {"stories": f"SELECT repeat('{STORY}', 8000) || i AS \"קצה\", i FROM range(40) t(i)"}
    )
    server.make_projects(
        [
            settings_for(
                "stories",
                source="stories",
                categories=(Category("נשר", key="1"), Category("owl", key="2")),
                main_column="קצה",
            )
        ],
        wines=False,
    )
    server.start()
    yield server
    server.stop()


def find(deck: DeckPage, typed: str) -> None:
    """Three keys and Enter; the sample that it is about leaves the screen."""
    before = deck.sample
    deck.page.keyboard.press("Enter")
    field = deck.page.locator('[data-part="find"]')
    expect(field).to_be_focused()
    deck.page.keyboard.type(typed)
    deck.page.keyboard.press("Enter")
    expect(deck.page.locator(f'[data-sample-id="{before}"]')).to_have_count(0)
    expect(field).not_to_be_focused()


def test_any_of_a_thousand_categories_is_found_by_three_keys(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "species", "post").open()
    buttons, more = deck.page.locator("[data-category]"), deck.page.locator('[data-part="more"]')
    keys = sum(bool(each) for each in buttons.evaluate_all("all => all.map(e => e.dataset.key)"))
    assert 60 < keys == buttons.count() < 80
    expect(more).to_have_text(f"{1_000 - keys} more: type to find them.")
    for typed in ("517", "999", "003"):
        find(deck, typed)
    deck.page.keyboard.press("Enter")
    deck.page.keyboard.type("9")
    deck.page.keyboard.press("ArrowDown")
    expect(deck.page.locator("[data-found]")).to_have_attribute("data-category", "species 900")
    expect(deck.page.locator('[data-part="find-said"]')).to_have_text("species 900, 2 of 80")
    deck.page.keyboard.press("Escape")
    expect(deck.page.locator('[data-category="species 517"]')).to_be_visible()  # a recent one
    deck.page.keyboard.press("s")  # a category's own key again
    deck.wait_saved()
    labels = [label for _, label, _ in decisions(server, "species")]
    assert labels == ["species 517", "species 999", "species 003", "species 000"]
    assert deck.errors == []


def test_a_search_goes_on_while_streamlit_puts_the_deck_into_another_place(
    server: AppServer, context: BrowserContext
) -> None:
    """Each of the letters is a category's key, too: one outside of the search would be a label."""
    before = len(decisions(server, "species"))
    deck = DeckPage(context, server.url, "species", "state").open()
    deck.count_places()
    for number in (1, 2, 3):
        deck.page.keyboard.press("Enter")
        expect(deck.page.locator('[data-part="find"]')).to_be_focused()
        deck.page.keyboard.type("spec")
        server.hold_up("place", number)
        deck.page.evaluate("dispatchEvent(new Event('online'))")  # a message, and so a run
        deck.page.keyboard.type("ies 00", delay=20)
        deck.wait_for(f"window.places === {number + 1}")
        deck.page.keyboard.type(str(number))
        deck.page.keyboard.press("Enter")
    expect(deck.page.locator('[data-part="find"]')).not_to_be_focused()
    deck.page.keyboard.press("s")  # a category's own key again
    deck.wait_saved()
    labels = [label for _, label, _ in decisions(server, "species")][before:]
    assert labels == ["species 001", "species 002", "species 003", "species 000"]


def test_a_recent_category_comes_before_one_that_fits_alike(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "warblers", "post").open()
    find(deck, "37")
    find(deck, "warbler")
    deck.wait_saved()
    assert [label for _, label, _ in decisions(server, "warblers")] == [LONG[37], LONG[37]]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
@pytest.mark.parametrize("project", ["letters", "warblers"])
def test_on_a_phone_every_name_can_be_read_and_every_button_hit(
    server: AppServer, browser: Browser, project: str, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    deck = DeckPage(context, server.url, project, "post").open()
    found = deck.page.locator("[data-category]").evaluate_all(
        """all => all.map((button) => {
          const name = button.querySelector(".name");
          const [box, text] = [button.getBoundingClientRect(), name.getBoundingClientRect()];
          return { height: box.height, width: box.width, name: name.textContent,
            cut: text.bottom > box.bottom || text.right > box.right ||
              name.scrollWidth > name.clientWidth + 1 || name.scrollHeight > name.clientHeight + 1 }
        })"""
    )
    assert [each["name"] for each in found] == (LETTERS if project == "letters" else LONG)
    assert [each for each in found if each["cut"] or min(each["height"], each["width"]) < 40] == []
    last = deck.page.locator("[data-category]").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport(ratio=0.99)  # a hair may be lost to rounding
    context.close()


def test_scripts_that_run_from_the_right_or_need_several_keys(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "scripts", "post").open()
    keys = deck.page.locator("[data-category]").evaluate_all(
        "all => Object.fromEntries(all.map(e => [e.dataset.category, e.dataset.key]))"
    )
    assert keys == {"صقر": "ص", "נשר": "נ", "猫の鳴き声": "3", "고양이": "4", "แมว": "แ"}
    directions = deck.page.locator("[data-category] .name").evaluate_all(
        "all => all.map(each => getComputedStyle(each).direction)"
    )
    assert directions == ["rtl", "rtl", "ltr", "ltr", "ltr"]
    for number, key in enumerate(["ص", "3", "4"], start=2):
        deck.page.evaluate(  # Playwright knows the keys of an American keyboard only
            """key => document.body.dispatchEvent(new KeyboardEvent(
              "keydown", { key, bubbles: true, composed: true, cancelable: true }))""",
            key,
        )
        deck.wait_for(f"shown.length >= {number}")
    deck.wait_saved()
    labels = [label for _, label, _ in decisions(server, "scripts")]
    assert labels == ["صقر", "猫の鳴き声", "고양이"]


def test_a_long_text_can_be_seen_whole_and_texts_run_in_their_own_direction(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "stories", "post").open()
    front = deck.page.locator("[data-sample-id]")
    text, button = front.locator("dd").first, front.locator("button.cut")
    assert len(text.inner_text()) == 20_000
    direction = "each => getComputedStyle(each).direction"
    assert [text.evaluate(direction), front.locator("dd").last.evaluate(direction)] == [
        "rtl",
        "ltr",
    ]
    characters = len(STORY) * 8000 + len(front.locator("dd").last.inner_text())
    expect(button).to_have_text(f"Show all {characters:,} characters")
    button.focus()
    deck.page.keyboard.press("Tab")
    deck.page.keyboard.press("Shift+Tab")
    deck.page.keyboard.press("Enter")
    expect(button).to_have_count(0)
    assert len(text.evaluate("each => each.textContent")) == characters
    deck.page.keyboard.press("/")
    deck.page.keyboard.insert_text("ברור")
    comment = deck.page.locator('[data-part="comment"]')
    assert comment.evaluate(direction) == "rtl"
    deck.page.keyboard.press("Enter")
    deck.page.keyboard.press("1")
    told = deck.page.locator('[data-part="verdict"] bdi')
    expect(told).to_have_text("נשר")
    assert told.evaluate(direction) == "rtl"
    expect(button).to_be_visible()  # of the next sample
    deck.wait_saved()
    assert [row[1:] for row in decisions(server, "stories")] == [("נשר", "ברור")]
    title = deck.page.get_by_role("textbox", name="Your name")
    assert title.evaluate("each => getComputedStyle(each).unicodeBidi") == "plaintext"
    assert deck.errors == []
