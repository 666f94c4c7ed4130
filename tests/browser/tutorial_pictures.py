"""The pictures of the tutorials, taken from the running app: run it to take them anew.

python tests/browser/tutorial_pictures.py   (writes docs/pictures/*.webp)
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from pathlib import Path

from app_server import ROOT
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from test_app import from_nothing, label_truly, next_card, wait_drawn

FOLDER = ROOT / "docs" / "pictures"
LEARNED = 180_000  # milliseconds: a session waits for the features of all files
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


def main() -> None:
    """Label the sample projects by keys, and take a picture wherever a tutorial shows one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        from_nothing(Path(folder)) as server,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        try:
            _tables(page, server.url)
            _files(page, server.url, "digits", "label-images")
            _files(page, server.url, "spoken_words", "label-sounds")
        finally:
            browser.close()


def _tables(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_text("samples decided").nth(2)).to_be_visible(timeout=60_000)
    _take(page, "projects")
    page.goto(f"{url}/label_tabular?project=wine_colour")
    page.locator("[data-sample-id]").wait_for(timeout=60_000)
    for session in range(1, 6):
        label_truly(page, 20)
        page.locator(f'[data-session-id="{session}"]').wait_for(timeout=LEARNED)
    _take(page, "label-tables")
    page.goto(f"{url}/session_progress?project=wine_colour")
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_visible(timeout=60_000)
    _take(page, "progress")
    page.goto(f"{url}/query_sampler?project=wine_colour")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    _take(page, "query-sampler")


def _files(page: Page, url: str, project: str, picture: str) -> None:
    """One session's labels of a sample project of files, by its known answers."""
    with (ROOT / "data" / project / "answers.csv").open(encoding="utf-8", newline="") as file:
        known = {row["path"]: row["label"] for row in csv.DictReader(file)}
    page.goto(f"{url}/{picture.replace('-', '_')}?project={project}")
    page.locator("[data-sample-id]").first.wait_for(timeout=LEARNED)
    last = None
    for _ in range(20):
        last, _ = next_card(page, last)
        category = page.locator(f'[data-category="{known[last]}"]')
        page.keyboard.press(str(category.get_attribute("data-key")))
    page.locator('[data-session-id="1"]').wait_for(timeout=LEARNED)
    next_card(page, last)
    _take(page, picture)


def _take(page: Page, name: str) -> None:
    wait_drawn(page)
    taken = Image.open(io.BytesIO(page.screenshot()))
    taken.convert("RGB").save(FOLDER / f"{name}.webp", quality=75, method=6)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main()
