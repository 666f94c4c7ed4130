"""The deck in a real browser against the real app: every decision stored once, in order.

Afterwards the tables are read from a copy of the database as a crash would leave it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DECK, EXCHANGE, DeckPage
from playwright.sync_api import Browser, BrowserContext, expect
from wire import Wire

TRANSPORTS = ("post", "state")
Tab = Callable[..., DeckPage]
Meddle = Callable[[str], str]  # a message to the exchange, and what is sent instead


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server for all tests, with more projects than there are tests."""
    server = AppServer(Path(tmp_path_factory.mktemp("app")))
    plain = [settings_for(f"plain{i}") for i in range(50)]
    learning = [settings_for(f"learning{i}", queries_table=f"queries{i}") for i in range(4)]
    server.make_projects([*plain, *learning, settings_for("odd", source="odd")])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture(scope="module")
def learning_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def server(app: AppServer) -> AppServer:
    """The server, running (a test before may have killed it)."""
    if app.process is None:
        app.start()
    return app


@pytest.fixture
def project(numbers: Iterator[int]) -> str:
    """A project nobody has labeled in, without active learning."""
    return f"plain{next(numbers)}"


@pytest.fixture
def learning_project(learning_numbers: Iterator[int]) -> str:
    """A project nobody has labeled in, with a session every 20 labels."""
    return f"learning{next(learning_numbers)}"


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """How messages go out: `state` means that every POST is aborted."""
    return request.param


@pytest.fixture
def tab(server: AppServer, context: BrowserContext) -> Iterator[Tab]:
    """Open the deck in a new tab: ``tab(project, transport)``."""
    opened: list[DeckPage] = []

    def open_tab(
        project: str,
        transport: str = "post",
        url: str = "",
        meddle: Meddle | None = None,
        headers: Callable[[str], dict[str, str]] | None = None,
    ) -> DeckPage:
        opened.append(DeckPage(context, url or server.url, project, transport))
        if meddle:  # before it opens: what goes out straight after this may get past it
            opened[-1].page.route(
                EXCHANGE,
                lambda route: route.continue_(
                    post_data=meddle(route.request.post_data or ""),
                    headers=route.request.headers
                    | (headers or (lambda message: {}))(route.request.post_data or ""),
                ),
            )
        return opened[-1].open()

    yield open_tab
    assert [error for each in opened for error in each.errors] == []


def stored(server: AppServer, project: str) -> list[tuple[str, str | None]]:
    return [row[:2] for row in decisions(server, project)]


def assert_all_stored(server: AppServer, project: str, deck: DeckPage, number: int) -> None:
    """``number`` keys were pressed; exactly these decisions are in the tables, in their order.

    Keys that went into a dialog of Streamlit's, or met an empty screen, decide nothing.
    """
    deck.wait_saved()
    expected = deck.decided()
    assert len(expected) == number - deck.ignored
    assert stored(server, project) == expected


# The scenarios under which nothing may be lost or doubled


def test_300_keys_at_30_a_second_are_all_stored(
    server: AppServer, learning_project: str, transport: str, tab: Tab
) -> None:
    deck = tab(learning_project, transport)
    deck.type_keys(300, rate=30)
    assert_all_stored(server, learning_project, deck, 300)


def test_100_keys_in_one_tick_are_taken_one_per_painted_sample(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    deck = tab(project, transport)
    deck.press_in_one_tick(100)
    expect(deck.page.locator("[data-state]")).to_have_attribute("data-state", "pending")
    assert_all_stored(server, project, deck, 100)


def test_of_twelve_keys_in_one_tick_those_before_their_sample_are_never_said_to_be_kept(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.page.evaluate(
        """() => { for (let i = 0; i < 12; i++) document.body.dispatchEvent(new KeyboardEvent(
          "keydown", { key: "r", bubbles: true, composed: true, cancelable: true }));
          const deck = DECK;
          sessionStorage.said = deck.querySelector("[data-state]").textContent; location.reload() }
        """.replace("DECK", DECK)
    )
    deck.wait_for("sessionStorage.said")
    deck.wait_ready()
    said = re.fullmatch(r"12 to save, (\d+) pressed before their sample.*",
                        deck.page.evaluate("sessionStorage.said"))  # fmt: skip
    assert said
    assert 0 < 12 - int(said[1]) <= len(decisions(server, project))


@pytest.mark.parametrize("what", ["interpreter", "database", "cpu"])
def test_labeling_goes_on_while_the_server_is_held_up(
    server: AppServer, project: str, transport: str, tab: Tab, what: str
) -> None:
    deck = tab(project, transport)
    deck.wait_ahead(40)
    server.hold_up(what, 3)
    deck.type_keys(40, rate=20)
    assert_all_stored(server, project, deck, 40)


def few_at_a_time(message: str) -> str:
    """A message that asks for three samples where it would ask for more."""
    sent = json.loads(message)
    return json.dumps(sent | {"want": min(sent["want"], 3)})


def test_keys_that_meet_an_empty_screen_decide_nothing(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project, meddle=few_at_a_time)
    server.freeze()
    deck.label_all()
    taken = len(deck.keys)
    deck.press("w", "c", "w")
    server.thaw()
    deck.page.locator("[data-sample-id]").wait_for()
    assert_all_stored(server, project, deck, taken + 3)
    assert deck.ignored == 3
    deck.press("c")  # for the sample that came
    assert_all_stored(server, project, deck, taken + 4)


def test_keys_wait_while_streamlit_puts_the_deck_into_another_place(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project, "state")
    deck.count_places()
    for number in (1, 2, 3):
        deck.press_in_one_tick(60)
        server.hold_up("place", number)
        deck.wait_for(f"window.places === {number + 1}")
    assert_all_stored(server, project, deck, 180)


def test_a_comment_goes_on_while_streamlit_puts_the_deck_into_another_place(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project, "state")
    deck.count_places()
    deck.press("r")
    deck.press("/")
    deck.wait_for(f"{DECK}.activeElement?.dataset.part === 'comment'")
    deck.wait_saved()
    server.hold_up("place", 1)
    text = "rrr www ccc " * 10
    deck.page.keyboard.type(text, delay=5)
    deck.page.evaluate("dispatchEvent(new Event('online'))")  # a message, and so a run of the page
    deck.page.keyboard.type(text, delay=5)  # before the gap, in it and after it
    deck.wait_for("window.places === 2")
    deck.page.keyboard.press("Enter")
    deck.page.keyboard.press("w")
    deck.wait_saved()
    written = [(category, comment) for _, category, comment in decisions(server, project)]
    assert written == [("red", None), ("white", (text + text).strip())]


@pytest.fixture
def wire(server: AppServer) -> Iterator[Wire]:
    wire = Wire(server.port)
    yield wire
    wire.cut()


def test_a_connection_cut_while_typing_loses_nothing(
    server: AppServer, project: str, transport: str, tab: Tab, wire: Wire
) -> None:
    deck = tab(project, transport, wire.url)
    deck.type_keys(10, rate=20)
    deck.wait_ahead(40)
    wire.cut()
    deck.type_keys(30, rate=20)
    expect(deck.page.locator("[data-state]")).to_have_text(re.compile(r"\d+ to save"))
    wire.mend()
    deck.wait_until_streamlit_is_back()
    deck.type_keys(10, rate=20)
    assert_all_stored(server, project, deck, 50)


def test_200_decisions_without_a_network_are_all_stored_when_it_is_back(
    server: AppServer, project: str, tab: Tab, wire: Wire
) -> None:
    deck = tab(project, "post", wire.url)
    deck.type_keys(2, rate=20)
    deck.wait_saved()
    deck.wait_ahead(201)
    wire.cut()
    deck.press_in_one_tick(200)  # typed, some would go into Streamlit's dialog
    deck.wait_taken()
    expect(deck.page.locator("[data-state]")).to_have_text(re.compile("^200 to save"))
    wire.mend()
    assert_all_stored(server, project, deck, 202)


def test_a_connection_cut_while_idle_loses_nothing(
    server: AppServer, project: str, transport: str, tab: Tab, wire: Wire
) -> None:
    deck = tab(project, transport, wire.url)
    deck.type_keys(5, rate=20)
    deck.wait_saved()
    wire.cut()
    connected = deck.page.locator('[data-test-connection-state="CONNECTED"]')
    expect(connected).to_have_count(0)
    deck.type_keys(5, rate=20)
    expect(deck.page.locator("[data-failing]")).to_be_visible()  # it has tried in vain
    wire.mend()
    assert_all_stored(server, project, deck, 10)


def test_decisions_pending_at_a_reload_arrive(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    deck = tab(project, transport)
    deck.type_keys(5, rate=20)
    server.freeze()
    deck.type_keys(10, rate=20)
    expect(deck.page.locator("[data-state]")).to_have_attribute("data-state", "pending")
    deck.reload_when(server.thaw)
    deck.wait_ready()
    deck.type_keys(5, rate=20)
    assert_all_stored(server, project, deck, 20)


def test_decisions_pending_when_the_tab_is_closed_arrive(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    first = tab(project, transport)
    first.type_keys(5, rate=20)
    server.freeze()
    first.type_keys(10, rate=20)
    before = first.close()
    server.thaw()
    second = tab(project, transport)
    second.type_keys(5, rate=20)
    second.wait_saved()
    assert stored(server, project) == before + second.decided()


def test_two_tabs_never_show_the_same_sample(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    one, two = tab(project, transport), tab(project, transport)
    for _ in range(5):
        one.type_keys(4, rate=30)
        two.type_keys(4, rate=30)
    one.wait_saved()
    two.wait_saved()
    decided = stored(server, project)
    assert sorted(decided) == sorted(one.decided() + two.decided())
    for each in (one, two):  # in the order of its own keys
        mine = set(each.decided())
        assert [pair for pair in decided if pair in mine] == each.decided()
    for each in (one, two):
        expect(each.page.locator('[data-count="labeled"]')).to_have_text("40")


def test_a_page_switch_straight_after_a_key_loses_nothing(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    deck = tab(project, transport)
    deck.type_keys(9, rate=20)
    deck.wait_taken()
    link = deck.page.get_by_role("link", name="Session progress")
    deck.press("c")
    link.evaluate("link => link.click()")  # no waiting for anything to settle
    expect(deck.page.locator("[data-sample-id]")).to_have_count(0)
    deck.page.get_by_role("link", name="Label tabular").click()
    deck.wait_ready()
    deck.press("r")
    assert_all_stored(server, project, deck, 11)


def test_a_server_killed_while_typing_loses_nothing(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    deck = tab(project, transport)
    deck.wait_ahead(60)
    deck.type_keys(20, rate=20)
    server.kill()
    deck.type_keys(20, rate=20)
    server.start()
    deck.wait_until_streamlit_is_back()
    deck.type_keys(10, rate=20)
    assert_all_stored(server, project, deck, 50)


def test_a_server_killed_while_idle_loses_nothing_that_was_shown_as_saved(
    server: AppServer, project: str, transport: str, tab: Tab
) -> None:
    deck = tab(project, transport)
    deck.type_keys(10, rate=20)
    deck.wait_saved()
    server.kill()
    assert stored(server, project) == deck.decided()
    server.start()
    deck.wait_until_streamlit_is_back()
    deck.type_keys(5, rate=20)
    assert_all_stored(server, project, deck, 15)


# The main job, and what the keys do


def test_100_records_by_keys_with_changes_skips_and_a_comment(
    server: AppServer, learning_project: str, tab: Tab
) -> None:
    deck = tab(learning_project)
    keyboard = deck.page.keyboard
    deck.take_turns("rw" * 24 + "r")
    deck.take_turns(["Delete", "Delete"])
    deck.page.locator("[data-sample-id]:not([data-unseen])").wait_for()
    keyboard.press("/")
    keyboard.type("cork? r/w")
    keyboard.press("Escape")
    deck.take_turns("w" + "rw" * 24)
    deck.wait_taken()
    expected: list[tuple[str, str | None, str | None]] = [(*pair, None) for pair in deck.decided()]
    expected[51] = (*expected[51][:2], "cork? r/w")
    for steps_back in (3, 7):
        for _ in range(steps_back):
            keyboard.press("ArrowLeft")
        expect(deck.page.locator("[data-sample-id]")).to_have_attribute(
            "data-decision", expected[-steps_back][1] or ""
        )
        keyboard.press("c")
        keyboard.press("End")
        expected[-steps_back] = (expected[-steps_back][0], "cava", None)
    deck.wait_saved()
    assert decisions(server, learning_project) == expected
    assert (deck.count("labeled"), deck.count("skipped")) == (98, 2)


def test_c_and_r_label_and_never_reach_streamlit(server: AppServer, project: str, tab: Tab) -> None:
    deck = tab(project)
    deck.type_keys(6, rate=20, keys="cr")
    deck.page.keyboard.press("x")  # no category: ignored, by Streamlit as well
    deck.page.keyboard.press("/")
    deck.page.keyboard.type("crc?")
    deck.page.keyboard.press("Enter")
    deck.press("c")
    assert_all_stored(server, project, deck, 7)
    assert decisions(server, project)[-1][2] == "crc?"
    expect(deck.page.get_by_role("dialog")).to_have_count(0)


def test_what_is_typed_into_the_sidebar_is_no_decision(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.page.get_by_role("textbox", name="Your name").press_sequentially("rwc")
    deck.page.locator("[data-sample-id]").click()
    deck.wait_ready()
    expect(deck.page.locator('[data-count="labeled"]')).to_have_text("0")
    assert stored(server, project) == []


def test_a_held_key_and_keys_with_ctrl_decide_nothing(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.page.keyboard.down("r")
    for _ in range(5):
        deck.page.keyboard.down("r")  # repeats
    deck.page.keyboard.up("r")
    deck.page.keyboard.press("Control+c")
    deck.keys.append("r")
    assert_all_stored(server, project, deck, 1)


def test_a_decision_taken_back_leaves_the_tables_and_its_sample_returns(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.type_keys(3, rate=20)
    deck.wait_saved()
    last = deck.decided()[-1][0]
    deck.page.keyboard.press("Backspace")
    expect(deck.page.locator("[data-sample-id]")).to_have_attribute("data-sample-id", last)
    deck.wait_saved()
    assert len(stored(server, project)) == 2
    deck.page.keyboard.press("w")
    deck.wait_saved()
    assert stored(server, project)[2] == (last, "white")


def test_ones_decisions_can_be_walked_through_after_a_reload(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.type_keys(80, rate=30)
    deck.wait_saved()
    expected = deck.decided()
    deck.page.reload()
    deck.wait_ready()
    sheet = deck.page.locator("[data-sample-id]")
    for key, (sample, category) in [
        ("Home", expected[0]), ("ArrowRight", expected[1]), ("ArrowLeft", expected[0]),
        ("ArrowDown", (deck.sample, None)), ("ArrowLeft", expected[-1]), ("ArrowUp", expected[0]),
    ]:  # fmt: skip
        deck.page.keyboard.press(key)
        expect(sheet).to_have_attribute("data-sample-id", sample or "")
        if category:
            expect(sheet).to_have_attribute("data-decision", category)
    for sample, category in expected:
        expect(sheet).to_have_attribute("data-sample-id", sample)
        expect(sheet).to_have_attribute("data-decision", category or "")
        deck.page.keyboard.press("ArrowRight")


def test_a_comment_on_an_earlier_decision_is_saved_when_the_field_is_left(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.type_keys(3, rate=20)
    deck.page.keyboard.press("ArrowLeft")
    expect(deck.page.get_by_text("Decision 3 of 3")).to_be_visible()
    deck.page.keyboard.press("/")
    deck.page.keyboard.type("look again")
    deck.page.keyboard.press("Enter")
    deck.wait_saved()
    assert decisions(server, project)[2] == (*deck.decided()[2], "look again")


def test_the_question_mark_shows_all_keys_and_decides_nothing_meanwhile(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.page.keyboard.press("?")
    keys = deck.page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("cava")
    deck.page.keyboard.press("r")
    deck.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    assert deck.count("labeled") == 0


def test_the_buttons_do_what_the_keys_do(server: AppServer, project: str, tab: Tab) -> None:
    deck = tab(project)
    deck.page.locator('[data-category="white"]').click()
    deck.page.get_by_role("button", name="Skip").click()
    deck.page.get_by_role("button", name="First").click()
    expect(deck.page.locator('[data-category="white"]')).to_have_attribute("aria-pressed", "true")
    deck.page.locator('[data-category="red"]').click()
    deck.page.get_by_role("button", name="Take back").click()
    deck.wait_saved()
    assert [row[1] for row in stored(server, project)] == ["red"]


def test_a_refused_decision_is_told_and_holds_nothing_up(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project, meddle=lambda message: message.replace('"cava"', '"rosé"'))
    deck.type_keys(2, rate=20)
    deck.wait_saved()
    deck.page.keyboard.press("c")
    expect(deck.page.get_by_role("alert")).to_contain_text("“rosé” is no category")
    deck.page.keyboard.press("w")
    deck.wait_saved()
    assert [row[1] for row in stored(server, project)] == ["red", "white", "white"]
    assert deck.count("labeled") == 3
    deck.page.keyboard.press("ArrowLeft")
    expect(deck.page.get_by_text("Decision 3 of 3")).to_be_visible()


def test_a_page_that_is_not_signed_in_says_so_and_keeps_its_decisions(
    server: AppServer, project: str, tab: Tab
) -> None:
    def sign_out(message: str) -> dict[str, str]:
        """From the first decision on, the token is none."""
        return {} if '"decisions":[]' in message else {"x-labeling-token": "x"}

    deck = tab(project, meddle=str, headers=sign_out)
    deck.type_keys(3, rate=20)
    assert_all_stored(server, project, deck, 3)  # the other way, which is tried after a while
    told = deck.page.evaluate("told")
    assert any("reload it" in each for each in told)
    assert any("3 to save · not accepted" in each for each in told)


@pytest.mark.parametrize("width", [1280, 390])
def test_odd_cells_are_shown_as_text(server: AppServer, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    deck = DeckPage(context, server.url, "odd", "post").open()
    sheet = deck.page.locator("[data-sample-id]")
    expect(sheet).to_contain_text("<script>alert(1)</script><b>bold</b>")
    expect(sheet.locator("dd.missing")).to_have_text("missing")
    too_wide = sheet.evaluate("sheet => sheet.scrollWidth - sheet.clientWidth")
    assert too_wide == 0
    assert deck.errors == []
    context.close()


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_labeling_needs_no_scrolling(
    server: AppServer, project: str, browser: Browser, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    deck = DeckPage(context, server.url, project, "post").open()
    deck.wait_for(
        """(() => { const main = document.querySelector('[data-testid="stMain"]');
          return main.scrollWidth === main.clientWidth && main.scrollHeight === main.clientHeight &&
            document.documentElement.scrollWidth === innerWidth })()"""
    )
    for each in ("red", "white", "cava"):
        expect(deck.page.locator(f'[data-category="{each}"]')).to_be_in_viewport(ratio=1)
    title = deck.page.locator('[data-part="title"]')
    expect(title).to_have_text(project)
    shown = title.evaluate("each => each.getBoundingClientRect().width > 1")
    assert shown == (width < 500)  # elsewhere it stands in the sidebar, and is only read aloud
    context.close()


def test_the_focus_draws_no_frame_around_the_whole_page(
    server: AppServer, project: str, tab: Tab
) -> None:
    deck = tab(project)
    deck.page.keyboard.press("Shift+Tab")
    frame = deck.page.evaluate(
        """() => { const main = document.getElementById("stMain"); main.focus();
          const { outlineStyle, boxShadow } = getComputedStyle(main);
          return [main.matches(":focus-visible"), outlineStyle, boxShadow,
                  getComputedStyle(main, "::before").content] }"""
    )
    assert frame == [True, "none", "none", "none"]
    first = deck.page.locator('[data-do="skip"]')
    first.focus()
    assert first.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
