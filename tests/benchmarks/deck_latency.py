"""How long a person waits at the deck: measured in Chromium against the real app.

    python tests/benchmarks/deck_latency.py [--presses 100] [--rate 2] [--only run] [--json file]

Key → painted: from the time stamp of the key press to after the frame in which the next sample
is on the screen. Decision → acknowledged: from the same time stamp until the save line says that
the server has stored it. Once without and once with sessions running beside it; then with images,
which count as painted when they are decoded: 8 × 8 digits, and photographs of about 2 MB in a
window of 1920 × 1080. Then by turns, for their ratios: a pool of a thousand rows of 64 numbers and
one of a million, without sessions and with one every 20 labels; two and a thousand categories;
last, pictures of 1920 × 1080 pixels and recordings of 10 s in formats that browsers do not know
against one that they do, once all files have been read for the model.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / each) for each in ("browser", "support"))]

import rare_formats  # noqa: E402
from app_server import AppServer, settings_for  # noqa: E402
from conftest import CHROMIUM_ARGS  # noqa: E402
from deck_page import DeckPage  # noqa: E402
from PIL import ImageChops  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from labeling_core.projects.sample_projects import DIGITS  # noqa: E402
from labeling_core.settings import Category  # noqa: E402

# Listens before the deck does, which lets no key pass that it has handled.
STOPWATCH = """
window.painted = [];
window.acknowledged = [];
let pressed = null;
let watched = null;
const find = (what) =>
  document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot.querySelector(what);
const sample = () => find("[data-sample-id]")?.dataset.sampleId;
const watch = (line) => {
  watched = line;
  new MutationObserver(() => {
    if (pressed === null || line.dataset.state !== "saved") return;
    window.acknowledged.push(performance.now() - pressed);
    pressed = null;
  }).observe(line, {attributes: true});
};
window.addEventListener("keydown", ({timeStamp}) => {
  if (watched !== find("[data-state]")) watch(find("[data-state]"));
  const before = sample();
  pressed = timeStamp;
  const look = () => {
    const unseen = find("[data-sample-id][data-unseen]");
    if (unseen || sample() === before) return requestAnimationFrame(look);
    const {port1, port2} = new MessageChannel();  // its message comes after the paint
    port1.onmessage = () => window.painted.push(performance.now() - timeStamp);
    port2.postMessage(null);
  };
  requestAnimationFrame(look);
}, {capture: true});
"""

RUNS = {  # title -> project, its page, width and height of the window
    "labeling alone": ("plain", "label_tabular", 1280, 800),
    "a session every 20 labels": ("learning", "label_tabular", 1280, 800),
    "digits": ("digits", "label_images", 1280, 800),
    "photographs of 2 MB": ("photographs", "label_images", 1920, 1080),
}
FEW, MANY = "two categories", "a thousand categories"
POOLS = {"thousand_rows": 10**3, "million_rows": 10**6}  # project → its rows
# What is measured by turns: of each group the first is what the others are compared with.
BY_TURNS = {
    "pools": {
        each: (each, "label_tabular", 1280, 800)
        for rows in POOLS for each in (rows, f"{rows}_learning")
    },
    MANY: {
        FEW: ("two", "label_tabular", 1280, 800),
        MANY: ("thousand", "label_tabular", 1280, 800),
    },
    "pictures": {
        each: (each, "label_images", 1920, 1080) for each in rare_formats.PICTURES
    },
    "recordings": {each: (each, "label_sounds", 1280, 800) for each in rare_formats.SOUNDS},
}  # fmt: skip
ROUNDS = 4
TWO = (Category("red", key="r"), Category("white", key="w"))


def make_photographs(folder: Path, number: int) -> None:
    """JPEG files of 3840 × 2160 pixels and about 2 MB, no two the same."""
    folder.mkdir()
    scene = rare_formats.scene()
    for each in range(number):
        photograph = ImageChops.offset(scene, 31 * each, 0)
        photograph.save(folder / f"photograph_{each:03}.jpg", quality=88)


def media_project(name: str, source: str, modality: str = "images") -> Any:
    """Settings of a project on a folder of files, without active learning."""
    return settings_for(name, modality=modality, source=source, categories=TWO)


def measure(
    browser: Browser, server: AppServer, run: tuple[str, str, int, int], presses: int, rate: float
) -> dict:
    """Press ``presses`` keys, ``rate`` a second; p50 and p95 of both waits, in ms."""
    painted, acknowledged, sessions = waits(browser, server, run, presses, rate)
    assert len(acknowledged) == presses, f"the machine is too busy: {len(acknowledged)}"
    return {
        "key_to_painted_ms": _quantiles(painted),
        "decision_to_acknowledged_ms": _quantiles(acknowledged),
        "presses": presses,
        "sessions": sessions,
    }


def by_turns(
    browser: Browser,
    server: AppServer,
    runs: dict[str, tuple[str, str, int, int]],
    presses: int,
    rate: float,
) -> dict[str, Any]:
    """Both waits for each of ``runs``, a part of the presses at a time, so that all meet the same
    machine; and the ratio of their p50 of key to painted to that of the first."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in runs}
    for _ in range(ROUNDS):
        for name, each in runs.items():
            painted, acknowledged, _ = waits(browser, server, each, presses // ROUNDS, rate)
            found[name][0].extend(painted)
            found[name][1].extend(acknowledged)
    shown: dict[str, Any] = {
        name: {
            "key_to_painted_ms": _quantiles(painted),
            "decision_to_acknowledged_ms": _quantiles(acknowledged),
            "presses": len(painted),
        }
        for name, (painted, acknowledged) in found.items()
    }
    first = next(iter(runs))
    for name in runs:
        if name != first:
            few, many = (shown[each]["key_to_painted_ms"]["p50"] for each in (first, name))
            shown[name] |= {"times": round(many / few, 2), "compared_with": first}
    return shown


def waits(
    browser: Browser, server: AppServer, run: tuple[str, str, int, int], presses: int, rate: float
) -> tuple[list[float], list[float], int]:
    """Both waits of every press in ms, and the session at the end."""
    project, page, width, height = run
    context = browser.new_context(viewport={"width": width, "height": height})
    deck = DeckPage(context, server.url, project, "post", recorded=False)
    deck.address = f"{server.url}/{page}?project={project}"
    deck.page.add_init_script(STOPWATCH)
    deck.open()
    deck.page.locator("[data-sample-id]:not([data-unseen])").wait_for(timeout=120_000)
    if page != "label_tabular":
        wait_until_read(server, project)
    deck.page.wait_for_timeout(2000)
    start = time.monotonic()
    for i in range(presses):
        deck.press("rw"[i % 2])
        deck.page.wait_for_timeout(max(0.0, 1000 * (start + (i + 1) / rate - time.monotonic())))
    deck.wait_saved()
    deck.page.wait_for_function(f"window.painted.length >= {presses}")
    painted, acknowledged = deck.page.evaluate("[window.painted, window.acknowledged]")
    session = deck.page.locator("[data-session-id]").get_attribute("data-session-id")
    context.close()
    assert len(painted) == presses, len(painted)
    return painted, acknowledged, int(session or 0)


def wait_until_read(server: AppServer, project: str) -> None:
    """Wait until the reading that opening the page began has come to its end."""
    folder = server.path.with_name(f"{server.path.name}.files") / project
    while not list(folder.glob("features_*/features.json")):
        time.sleep(0.2)


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": round(statistics.median(values), 1), "p95": round(cuts[18], 1)}


def run(presses: int, rate: float, runs: Collection[str]) -> dict[str, Any]:
    """The measurements that are asked for on a server of their own."""
    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder))
        os.environ["LABELING_DATA_ROOTS"] = folder
        whole = len(runs) > 1
        make_photographs(Path(folder) / "photographs", presses + 10 if whole else 3)
        pools = POOLS if "pools" in runs else {}
        numbers = ", ".join(f"random() - 0.5 AS c{each}" for each in range(64))
        server.make_tables(
            {each: f"SELECT {numbers} FROM range({rows})" for each, rows in pools.items()}
        )
        kinds = [
            each for name in ("pictures", "recordings") if name in runs for each in BY_TURNS[name]
        ]
        for each in kinds:
            rare_formats.make(Path(folder) / each, each, presses + 40)
        server.make_projects(
            [
                *(
                    media_project(
                        each,
                        f"{folder}/{each}",
                        "images" if each in rare_formats.PICTURES else "sounds",
                    )
                    for each in kinds
                ),
                *(settings_for(each, source=each) for each in pools),
                *(
                    settings_for(f"{each}_learning", source=each, queries_table=f"{each}_queries")
                    for each in pools
                ),
                settings_for("plain"),
                settings_for("learning", queries_table="queries"),
                media_project("digits", DIGITS.source),
                media_project("photographs", str(Path(folder) / "photographs")),
                settings_for("two", categories=TWO),
                settings_for(
                    "thousand",
                    categories=TWO + tuple(Category(f"species {n:03}") for n in range(998)),
                ),
            ]
        )
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
                )
                found = {
                    name: measure(browser, server, each, presses, rate)
                    for name, each in RUNS.items()
                    if name in runs
                }
                for name, group in BY_TURNS.items():
                    if name in runs:
                        found |= by_turns(browser, server, group, presses, rate)
                browser.close()
        finally:
            server.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=100, help="keys pressed in each run")
    parser.add_argument("--rate", type=float, default=2.0, help="keys a second")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=[*RUNS, *BY_TURNS], help="this measurement and no other")
    options = parser.parse_args()
    wanted = [options.only] if options.only else [*RUNS, *BY_TURNS]
    found = run(options.presses, options.rate, wanted)
    print(f"{'':28}{'key → painted':>20}{'decision → acknowledged':>28}")
    for name, each in found.items():
        two = each.get("decision_to_acknowledged_ms")
        shown = [each["key_to_painted_ms"], *([two] if two else [])]
        cells = [f"p50 {a['p50']:.1f}  p95 {a['p95']:.1f} ms" for a in shown] + [""]
        ratio = f"  × {each['times']} of {each['compared_with']}" if "times" in each else ""
        print(f"{name:28}{cells[0]:>24}{cells[1]:>26}{ratio}")
    text = json.dumps(found)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
