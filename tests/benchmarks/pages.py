"""How long a person waits for each page, of a project of a thousand rows and of a million.

    python tests/benchmarks/pages.py [--rows 1000000] [--events 1000000] [--times 5]

The real server and Chromium. Two projects of 64 numbers, one of 1,000 rows and one of ``--rows``,
each with 300 labels, three sessions and a log of so many entries (``--events``, for the small one
1,000). Each page is opened by its address in a tab that has the app's files already, by turns of
the two projects; from then until its heading is on the screen, and until the server has nothing
more to say. Medians in ms, and the ratio of the second. Before that: how long the server takes from
its start until a page is painted, and its memory then, with nobody at it.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(Path(__file__).parent)]

import scale  # noqa: E402
from app_server import AppServer  # noqa: E402
from conftest import CHROMIUM_ARGS  # noqa: E402

from labeling_core.projects.lifecycle import create_project  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

SMALL, COLUMNS, SESSIONS, LABELS = 1_000, 64, 3, 100
ADDRESSES = (
    "", "label_tabular", "query_sampler", "session_progress", "review", "simulation", "log",
    "settings", "storage",
)  # fmt: skip
# In the page itself, frame by frame: a driver that looks now and then sees things late.
WATCH = """
window.seen = {};
const find = (what) => document.querySelector(what);
const sample = () => find('[data-testid="stBidiComponentIsolated"]')?.shadowRoot
  ?.querySelector("[data-sample-id]:not([data-unseen])");
const first = () =>
  location.pathname.includes("label_") ? sample() : find("[data-testid=stMain] h1");
const look = () => {
  if (!window.seen.first && first()) window.seen.first = performance.now();
  const whole = window.seen.first && find('[data-test-script-state="notRunning"]');
  if (whole) window.seen.whole = performance.now();
  else requestAnimationFrame(look);
};
look();
"""


def make(workspace: Workspace, name: str, rows: int, events: int) -> str:
    """A project with labels, sessions and a long log; its id."""
    listed = ", ".join(f"(random() - 0.5)::FLOAT AS c{i}" for i in range(COLUMNS))
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE {name} AS SELECT {listed} FROM range({rows})")
    tables = {f"{each}_table": f"{name}_{each}" for each in ("labels", "metadata", "queries")}
    settings = replace(scale.SETTINGS, title=name, source=name, **tables)
    project = create_project(workspace.database, settings)
    workspace.loop.prepare(project)
    scale.wait(workspace, project)
    browser = scale.Browser(workspace, project)
    for _ in range(SESSIONS):
        for _ in range(LABELS):
            browser.label()
        workspace.loop.start_session(project, "hand")
        scale.wait(workspace, project)
    with workspace.database.transaction() as cursor:  # what was written, again and again
        cursor.execute(
            "INSERT INTO labeling.events (happened, project_id, annotator, kind, sample_id, "
            "label_id, detail) SELECT happened, project_id, annotator, kind, sample_id, label_id, "
            f"detail FROM (SELECT * FROM labeling.events WHERE project_id = ? AND kind = 'label' "
            f"LIMIT 100), range({events // 100})",
            [project.project_id],
        )
    return project.project_id


def opened(page: Page, address: str) -> tuple[float, float]:
    """Open an address: ms until the heading is painted (on a label page, the first sample), and
    until all is."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    deadline = time.monotonic() + 120
    while not (seen := page.evaluate("window.seen ?? {}")).get("whole"):
        assert time.monotonic() < deadline, address
        time.sleep(0.05)
    return seen["first"], seen["whole"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rows", 10**6), ("events", 10**6), ("times", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = AppServer(Path(folder))
        server.command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        workspace = Workspace(server.path)
        projects = [make(workspace, "small", SMALL, SMALL)]
        projects.append(make(workspace, "large", given.rows, given.events))
        workspace.close()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH)
        started = time.perf_counter()
        server.start()
        answered = time.perf_counter() - started
        assert server.process
        idle = scale.anonymous(str(server.process.pid))
        opened(page, server.url)
        painted = time.perf_counter() - started
        print(f"server: answers after {answered:.1f} s, first page painted after {painted:.1f} s; "
              f"{idle:.0f} MB before it")  # fmt: skip
        print(f"{'page':20}{'1,000 rows':>22}{f'{given.rows:,} rows':>22}{'ratio':>8}")
        for name in ADDRESSES:
            shown = [f"{server.url}/{name}?project={each}" for each in projects]
            for each in shown:
                opened(page, each)
            turns = [[opened(page, each) for each in shown] for _ in range(given.times)]
            few, many = (
                [
                    statistics.median(each)
                    for each in zip(*(turn[at] for turn in turns), strict=True)
                ]
                for at in (0, 1)
            )
            cells = "".join(f"{a:>11.0f} /{b:>6.0f} ms" for a, b in (few, many))
            missed = "  MISSED 1 s" if many[0] > 1000 else ""
            print(f"{name or 'home':20}{cells}{many[1] / few[1]:>8.2f}{missed}", flush=True)
        print(f"server at the end: {scale.anonymous(str(server.process.pid)):.0f} MB")
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
