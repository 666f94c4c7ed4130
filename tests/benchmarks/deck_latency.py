"""How long a person waits at the deck: measured in Chromium against the real app.

    python tests/benchmarks/deck_latency.py [--presses 100] [--rate 2] [--json file]

Key → painted: from the time stamp of the key press to after the frame in which the next sample
is on the screen. Decision → acknowledged: from the same time stamp until the save line says that
the server has stored it. Once without and once with sessions running beside it; then with images,
which count as painted when they are decoded: 8 × 8 digits, and photographs of about 2 MB in a
window of 1920 × 1080.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

import numpy as np  # noqa: E402
from app_server import AppServer, settings_for  # noqa: E402
from conftest import CHROMIUM_ARGS  # noqa: E402
from deck_page import DeckPage  # noqa: E402
from PIL import Image  # noqa: E402
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


def make_photographs(folder: Path, number: int) -> None:
    """JPEG files of 3840 × 2160 pixels and about 2 MB, no two the same."""
    folder.mkdir()
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:2160, 0:3840] / 400
    waves = np.stack([127 + 90 * np.sin(columns * c + rows) for c in (1, 2, 3)], axis=-1)
    scene = (waves + random.normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8)
    for each in range(number):
        photograph = Image.fromarray(np.roll(scene, 31 * each, axis=1))
        photograph.save(folder / f"photograph_{each:03}.jpg", quality=88)


def image_project(name: str, source: str) -> Any:
    """Settings of a project on a folder of images, without active learning."""
    return settings_for(
        name,
        modality="images",
        source=source,
        categories=(Category("red", key="r"), Category("white", key="w")),
    )


def measure(
    browser: Browser, server: AppServer, run: tuple[str, str, int, int], presses: int, rate: float
) -> dict:
    """Press ``presses`` keys, ``rate`` a second; p50 and p95 of both waits, in ms."""
    project, page, width, height = run
    context = browser.new_context(viewport={"width": width, "height": height})
    deck = DeckPage(context, server.url, project, "post", recorded=False)
    deck.address = f"{server.url}/{page}?project={project}"
    deck.page.add_init_script(STOPWATCH)
    deck.open()
    deck.page.wait_for_timeout(2000)
    start = time.monotonic()
    for i in range(presses):
        deck.press("rw"[i % 2])
        deck.page.wait_for_timeout(max(0.0, 1000 * (start + (i + 1) / rate - time.monotonic())))
    deck.wait_saved()
    painted, acknowledged = deck.page.evaluate("[window.painted, window.acknowledged]")
    session = deck.page.locator("[data-session-id]").get_attribute("data-session-id")
    context.close()
    assert len(painted) == len(acknowledged) == presses, (len(painted), len(acknowledged))
    return {
        "key_to_painted_ms": _quantiles(painted),
        "decision_to_acknowledged_ms": _quantiles(acknowledged),
        "presses": presses,
        "sessions": int(session or 0),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": round(statistics.median(values), 1), "p95": round(cuts[18], 1)}


def run(presses: int, rate: float) -> dict[str, Any]:
    """All measurements on a server of their own."""
    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder))
        os.environ["LABELING_DATA_ROOTS"] = folder
        make_photographs(Path(folder) / "photographs", presses + 10)
        server.make_projects(
            [
                settings_for("plain"),
                settings_for("learning", queries_table="queries"),
                image_project("digits", DIGITS.source),
                image_project("photographs", str(Path(folder) / "photographs")),
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
                }
                browser.close()
        finally:
            server.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=100, help="keys pressed in each run")
    parser.add_argument("--rate", type=float, default=2.0, help="keys a second")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    found = run(options.presses, options.rate)
    print(f"{'':28}{'key → painted':>20}{'decision → acknowledged':>28}")
    for name, each in found.items():
        one, two = each["key_to_painted_ms"], each["decision_to_acknowledged_ms"]
        cells = [f"p50 {a['p50']:.1f}  p95 {a['p95']:.1f} ms" for a in (one, two)]
        print(f"{name:28}{cells[0]:>24}{cells[1]:>26}")
    text = json.dumps(found)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
