"""Whether background work holds up decisions: in one process, against the same process idle.

    python tests/benchmarks/stalls.py [--rows 100000] [--seconds 10]

One annotator decides every 20 ms on a table of 64 numbers while (a) sessions are trained and
published one after the other, (b) the queries (all rows, all columns) are exported as CSV again and
again, (c) features are computed anew. Prints median and 95th percentile of decision → stored.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from scale import SETTINGS, Browser, spread, wait  # noqa: E402

from labeling_core.progress import downloads  # noqa: E402
from labeling_core.projects.lifecycle import create_project  # noqa: E402
from labeling_core.settings import Project  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

PAUSE = 0.02


def during(browser: Browser, seconds: float) -> list[float]:
    """Decide for so long; the seconds until each decision was stored."""
    until, times = time.monotonic() + seconds, []
    while time.monotonic() < until:
        times.append(browser.label())
        time.sleep(PAUSE)
    return times


def train(workspace: Workspace, project: Project) -> None:
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    while project.project_id in workspace.loop.in_session:
        time.sleep(0.01)


def write_out(workspace: Workspace, project: Project) -> None:
    with workspace.database.read() as cursor:
        downloads.table(cursor, project, "queries", "CSV")


def extract(workspace: Workspace, project: Project) -> None:
    for old in workspace.database.files(project.project_id).glob("features*"):
        for file in old.glob("*"):
            file.unlink()
    workspace.loop._compute_features(project, workspace.loop.trainer)
    wait(workspace, project)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "stalls.duckdb")
        listed = ", ".join(f"random() - 0.5 AS c{i}" for i in range(64))
        with workspace.database.transaction() as cursor:
            cursor.execute(f"CREATE TABLE scale AS SELECT {listed} FROM range({given.rows})")
        project = create_project(workspace.database, SETTINGS)
        workspace.loop.prepare(project)
        wait(workspace, project)
        browser = Browser(workspace, project)
        for _ in range(40):
            browser.label()
        train(workspace, project)
        work: dict[str, Callable[[Workspace, Project], None] | None] = {
            "idle": None, "sessions": train, "export": write_out, "features": extract,
            "idle again": None,
        }  # fmt: skip
        for name, job in work.items():
            done = threading.Event()
            rounds: list[float] = []

            def go_on(job=job, done=done, rounds=rounds) -> None:
                while job is not None and not done.is_set():
                    job(workspace, project)
                    rounds.append(time.monotonic())

            thread = threading.Thread(target=go_on)
            thread.start()
            times = during(browser, given.seconds)
            done.set()
            thread.join()
            print(f"{name:12} {spread(times)}, longest {max(times) * 1e3:.0f} ms "
                  f"({len(times)} decisions, {len(rounds)} rounds)", flush=True)  # fmt: skip
        workspace.close()


if __name__ == "__main__":
    main()
