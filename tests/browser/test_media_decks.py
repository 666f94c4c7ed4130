"""Images and sounds in a real browser against the real app: shown, heard, decided by keys."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_server import ROOT, AppServer, decisions
from deck_page import DeckPage
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS
from labeling_core.settings import Category, Settings

DATA = ROOT / "data"
LEARNED = 600_000  # milliseconds: the process that learns gives way to all others
MEDIA = "**/labeling/media/**"
CHOSEN = (Category("nought", key="z"), Category("one", key="l"), Category("two", key="i"))
TWO = (Category("one", key="1"), Category("two", key="2"))
# Which images the browser has decoded, and what is in front when the frame after a key is drawn.
WITNESS = """
window.decoded = new Set();
const decode = HTMLImageElement.prototype.decode;
HTMLImageElement.prototype.decode = async function () {
  await decode.call(this);
  window.decoded.add(this);
};
window.frames = [];
const front = () => document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
  .querySelector("[data-sample-id]");
window.addEventListener("keydown", () => {
  const before = front().dataset.sampleId;
  requestAnimationFrame(() => {
    const image = front().querySelector("img");
    window.frames.push([front().dataset.sampleId !== before, Boolean(image?.complete),
                        window.decoded.has(image), image?.naturalWidth]);
  });
}, {capture: true});
"""
# As browsers do that let nothing be heard before a key or a click. This one would take the
# test's own looking around for a click.
REFUSE = """
let touched = false;
for (const what of ["keydown", "pointerdown"]) {
  window.addEventListener(what, () => (touched = true), {capture: true});
}
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  if (touched) return play.call(this);
  return Promise.reject(new DOMException("no key yet", "NotAllowedError"));
};
"""
COUNT_PLAYS = "audio => { audio.plays = 0; audio.addEventListener('play', () => audio.plays++) }"
Tab = Callable[..., DeckPage]


def project(name: str, settings: Settings, **changes: Any) -> Settings:
    """The sample project once more, with tables of its own and without active learning."""
    tables = {"labels_table": f"{name}_labels", "metadata_table": f"{name}_metadata"}
    plain = {"title": name, "queries_table": "", "probe_share": 0.0}
    return replace(settings, **tables, **(plain | changes))


def part(folder: Path, data: str, number: int) -> Path:
    """The first files of a sample project: all of a project's files are read, one project after
    the other, and those that are to learn would wait for it."""
    folder.mkdir()
    for each in sorted(each for each in (DATA / data).iterdir() if each.suffix != ".csv")[:number]:
        shutil.copy(each, folder)
    return folder


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server; its projects are used by one test each."""
    folder = Path(tmp_path_factory.mktemp("media"))
    few = part(folder / "few", "digits", 3)
    images, sounds = part(folder / "images", "digits", 400), part(folder / "s", "spoken_words", 60)
    patch = pytest.MonkeyPatch()
    patch.setenv("LABELING_DATA_ROOTS", str(folder))
    server = AppServer(folder)
    server.make_projects(
        [
            project("digits", DIGITS, source=str(images)),
            project("zoomed", DIGITS, source=str(images)),
            project("chosen", DIGITS, source=str(images), categories=CHOSEN),
            project("unreached", DIGITS, source=str(images)),
            project("few", DIGITS, source=str(few)),
            project("words", SPOKEN_WORDS, source=str(sounds)),
            project("keys", SPOKEN_WORDS, source=str(sounds), categories=TWO),
            project("silent", SPOKEN_WORDS, source=str(sounds)),
            project("taught", DIGITS, queries_table="taught_queries"),
            project("spoken", SPOKEN_WORDS, queries_table="spoken_queries"),
        ]
    )
    (few / "digit_0001.png").unlink()
    server.start()
    yield server
    server.stop()
    patch.undo()


@pytest.fixture
def tab(server: AppServer, context: BrowserContext) -> Iterator[Tab]:
    """Open the deck of a project on its page; at the end no script may have failed."""
    opened: list[DeckPage] = []

    def open_tab(page: str, name: str, *scripts: str, blocked: str = "") -> DeckPage:
        deck = DeckPage(context, server.url, name, "post")
        deck.address = f"{server.url}/{page}?project={name}"
        for script in scripts:
            deck.page.add_init_script(script)
        if blocked:
            deck.page.route(blocked, lambda route: route.abort())
        opened.append(deck)
        return deck.open()

    yield open_tab
    assert [error for each in opened for error in each.errors] == []


def answers(folder: str) -> dict[str, str]:
    with (DATA / folder / "answers.csv").open(encoding="utf-8") as file:
        return {row["path"]: row["label"] for row in csv.DictReader(file)}


def front(deck: DeckPage, what: str) -> Locator:
    return deck.page.locator(f"[data-sample-id] {what}")


def wait_decoded(deck: DeckPage, images: int) -> None:
    """Wait for so many images; five more than were in front are all that is fetched ahead."""
    deck.wait_for(f"window.decoded.size >= {images}")


def wait_left(deck: DeckPage, sample: str | None) -> None:
    """Wait until the sample is in front no longer: a key waits until it has been painted."""
    expect(deck.page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)


def label_truly(deck: DeckPage, key: dict[str, str], truth: dict[str, str]) -> tuple[str, str, Any]:
    sample = deck.sample or ""
    deck.page.keyboard.press(key[truth[sample]])
    return (sample, truth[sample], None)


def key_of(deck: DeckPage) -> dict[str, str]:
    pairs = deck.page.locator("[data-category]").evaluate_all(
        "all => all.map(each => [each.dataset.category, each.dataset.key])"
    )
    return dict(pairs)


# Images


def test_digits_are_decoded_in_the_frame_after_the_key(server: AppServer, tab: Tab) -> None:
    deck = tab("label_images", "digits", WITNESS)
    truth, keys, expected = answers("digits"), key_of(deck), []
    for number in range(60):
        wait_decoded(deck, number + 6)
        expected.append(label_truly(deck, keys, truth))
        deck.wait_for(f"window.frames.length > {number}")
    assert deck.page.evaluate("window.frames") == [[True, True, True, 8]] * 60
    deck.wait_saved()
    assert decisions(server, "digits") == expected


def test_an_image_is_zoomed_at_the_pointer_and_dragged(tab: Tab) -> None:
    deck = tab("label_images", "zoomed", WITNESS)
    page, image, reading = deck.page, front(deck, "img"), front(deck, ".reading")
    expect(image).to_have_css("image-rendering", "pixelated")
    frame = front(deck, ".image").bounding_box()
    assert frame
    centre = (frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.mouse.move(centre[0] + 100, centre[1] + 50)
    before = _point_under(deck, centre[0] + 100, centre[1] + 50)
    page.mouse.wheel(0, -300)
    expect(reading).to_be_visible()
    after = _point_under(deck, centre[0] + 100, centre[1] + 50)
    assert after == pytest.approx(before, abs=0.005)
    page.mouse.down()
    page.mouse.move(centre[0] + 70, centre[1] + 30)
    page.mouse.up()
    assert _point_under(deck, centre[0] + 70, centre[1] + 30) == pytest.approx(before, abs=0.005)
    page.keyboard.press("z")
    expect(reading).to_be_hidden()
    page.keyboard.press("z")
    expect(reading).to_have_text("100 %")
    wait_decoded(deck, 6)
    page.keyboard.press("0")
    expect(reading).to_be_hidden()


def _point_under(deck: DeckPage, x: float, y: float) -> list[float]:
    """Which point of the image (0..1 of its box) is at this point of the window."""
    return front(deck, "img").evaluate(
        """(image, [x, y]) => { const box = image.getBoundingClientRect();
          return [(x - box.left) / box.width, (y - box.top) / box.height] }""",
        [x, y],
    )


def test_the_facts_of_the_file_stay_open_from_image_to_image(tab: Tab) -> None:
    deck = tab("label_images", "zoomed")
    deck.page.keyboard.press("i")
    for key in ("0", "1"):
        sample = deck.sample
        expect(front(deck, ".facts")).to_contain_text(f"name{sample}")
        expect(front(deck, ".facts")).to_contain_text("8×8")
        expect(front(deck, "img")).to_be_visible()
        deck.page.keyboard.press(key)
        wait_left(deck, sample)
    deck.page.keyboard.press("i")
    expect(front(deck, ".facts")).to_be_hidden()


def test_a_category_key_wins_over_a_key_of_the_view(server: AppServer, tab: Tab) -> None:
    deck = tab("label_images", "chosen", WITNESS)
    for number, key in enumerate("zli"):
        wait_decoded(deck, number + 6)
        deck.page.keyboard.press(key)
    deck.wait_saved()
    labels = [label for _, label, _ in decisions(server, "chosen")]
    assert labels == ["nought", "one", "two"]
    deck.page.get_by_role("button", name="Actual size").click()
    expect(front(deck, ".reading")).to_have_text("100 %")


def test_an_image_that_has_gone_says_so_and_can_be_skipped_only(
    server: AppServer, tab: Tab
) -> None:
    deck = tab("label_images", "few")
    for _ in range(3):
        sample = deck.sample
        gone = sample == "digit_0001.png"
        expect(front(deck, ".excuse" if gone else "img")).to_be_visible()
        deck.page.keyboard.press("1")
        if gone:
            expect(front(deck, ".excuse")).to_be_visible()
            deck.page.keyboard.press("Delete")
        wait_left(deck, sample)
    deck.wait_saved()
    assert (deck.count("labeled"), deck.count("skipped")) == (2, 1)
    assert dict(row[:2] for row in decisions(server, "few"))["digit_0001.png"] is None


def test_images_come_by_themselves_when_the_network_is_back(tab: Tab) -> None:
    deck = tab("label_images", "unreached", blocked=MEDIA)
    expect(front(deck, ".excuse")).to_contain_text("cannot be reached")
    deck.page.keyboard.press("1")
    assert deck.count("labeled") == 0
    deck.page.unroute(MEDIA)
    expect(front(deck, "img")).to_be_visible()
    deck.page.keyboard.press("1")
    expect(deck.page.locator('[data-count="labeled"]')).to_have_text("1")


# Sounds


def time_of(deck: DeckPage) -> float:
    return front(deck, "audio").evaluate("audio => audio.currentTime")


def wait_heard(deck: DeckPage) -> None:
    """Wait until the sound in front plays, and its playhead moves with it."""
    handle = front(deck, ".sound").element_handle()
    deck.wait_for(
        """sound => sound.querySelector("audio").currentTime > 0.05 &&
          new DOMMatrix(getComputedStyle(sound.querySelector(".head")).transform).e > 5""",
        handle,
    )


def test_spoken_words_are_heard_one_after_the_other(server: AppServer, tab: Tab) -> None:
    deck = tab("label_sounds", "words")
    truth, keys, expected = answers("spoken_words"), key_of(deck), []
    for _ in range(30):
        wait_heard(deck)
        expected.append(label_truly(deck, keys, truth))
    deck.wait_saved()
    assert decisions(server, "words") == expected
    assert deck.page.locator("audio").count() <= 2


def test_a_sound_is_replayed_sought_looped_and_slowed_down_by_keys(tab: Tab) -> None:
    deck = tab("label_sounds", "keys")
    page, audio = deck.page, front(deck, "audio")
    expect(audio).to_have_js_property("ended", True)
    audio.evaluate(COUNT_PLAYS)  # it may be over sooner than anybody looks
    page.keyboard.press("Space")
    expect(audio).to_have_js_property("plays", 1)
    wait_heard(deck)
    expect(audio).to_have_js_property("ended", True)
    for key in ("l", "-", "-"):
        page.keyboard.press(key)
    front(deck, ".wave").click(position={"x": 5, "y": 5})
    expect(audio).to_have_js_property("plays", 2)
    for name, value in {"loop": True, "playbackRate": 0.5, "preservesPitch": True}.items():
        expect(audio).to_have_js_property(name, value)
    assert front(deck, ".reading").inner_text().endswith("0.5 ×")
    page.keyboard.press("+")
    expect(audio).to_have_js_property("playbackRate", 0.75)
    page.get_by_role("button", name="Pause").click()
    expect(audio).to_have_js_property("paused", True)
    page.get_by_role("button", name="Autoplay").click()
    page.reload()
    deck.wait_ready()
    expect(page.get_by_role("button", name="Autoplay")).to_have_attribute("aria-pressed", "false")
    expect(front(deck, ".wave img")).to_be_visible()
    page.wait_for_timeout(300)  # in which nothing may be played
    assert time_of(deck) == 0


def test_what_a_sound_can_do_stands_in_one_row_and_a_number_says_of_what(tab: Tab) -> None:
    page = tab("label_sounds", "keys").page
    buttons = page.locator('[data-part="tools"] button')
    expect(buttons.locator("kbd")).to_have_text(["␣", "L", "-", "+", "I"])
    rows = buttons.evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
    assert len(rows) == 8
    assert len(set(rows)) == 1
    button = page.get_by_role("button", name="one 0 labels")
    expect(button.locator(".part")).to_have_attribute("title", "0 labels")


def test_a_browser_that_refuses_sound_before_the_first_key_plays_from_then_on(tab: Tab) -> None:
    deck = tab("label_sounds", "silent", REFUSE)
    expect(front(deck, ".hint")).to_contain_text("Press any key")
    assert time_of(deck) == 0
    deck.page.keyboard.press("x")
    wait_heard(deck)
    expect(front(deck, ".hint")).to_be_hidden()
    deck.page.locator("[data-category]").first.click()
    wait_heard(deck)


# The loop: labels by keys, sessions by themselves


def wait_learned(server: AppServer, name: str, labels: int) -> None:
    """Wait for a session on so many labels; how many there are before it is the machine's speed."""
    for _ in range(300):
        with server.tables() as connection:
            row = connection.execute(
                "SELECT coalesce(max(labels), 0) FROM labeling.sessions "
                "WHERE project_id = ? AND state = 'DONE'",
                [name],
            ).fetchone()
        if row and row[0] >= labels:
            return
        time.sleep(2)
    pytest.fail(f"no session on {labels} labels within ten minutes")


@pytest.mark.parametrize(
    ("page", "name", "folder", "labels"),
    [
        ("label_images", "taught", "digits", 200),
        ("label_sounds", "spoken", "spoken_words", 100),
    ],
)
def test_the_model_knows_the_others_after_a_few_labels(
    server: AppServer, tab: Tab, page: str, name: str, folder: str, labels: int
) -> None:
    deck = tab(page, name)
    truth, keys = answers(folder), key_of(deck)
    expected = []
    for number in range(labels):
        if number % 40 == 0:  # at least every other session has been run, and is made use of
            deck.wait_session(number // 40)
        before = deck.sample
        deck.page.locator("[data-sample-id]:not([data-unseen])").wait_for()
        expected.append(label_truly(deck, keys, truth))
        deck.page.locator(f'[data-sample-id]:not([data-sample-id="{before}"])').wait_for()
    deck.wait_saved()
    wait_learned(server, name, labels)
    assert decisions(server, name) == expected
    with server.tables() as connection:
        rows = connection.execute(f"SELECT path, prediction FROM {name}_queries").fetchall()
        sessions = connection.execute(
            "SELECT labels FROM labeling.sessions WHERE project_id = ? AND state = 'DONE' "
            "ORDER BY session_id",
            [name],
        ).fetchall()
    assert len(rows) == len(truth) - labels
    assert len(sessions) >= labels // 40
    right = sum(truth[path] == prediction for path, prediction in rows)
    print(f"{name}: {right / len(rows):.3f} of {len(rows)} others after {labels} labels")
    assert right / len(rows) > 0.85
