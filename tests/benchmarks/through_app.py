"""Whether commands hold up decisions: the real app while commands go through it, against without.

    python tests/benchmarks/through_app.py [--labels 100] [--rounds 3] [--rows 20000]

One annotator decides as fast as answers come, in turns in peace and while a second process lists,
exports, imports labels and runs a session through the app, one after the other and again. Prints
median and 95th percentile of decision → stored for both, and the ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "support")]

from app_server import AppServer  # noqa: E402
from wire_deck import Page, WireDeck  # noqa: E402

from labeling_core.config import child_environment  # noqa: E402
from labeling_core.settings import Category, Settings  # noqa: E402

NAMES = ("labels_table", "metadata_table", "queries_table")


def commands(folder: Path, number: int) -> list[list[str]]:
    """One round of commands; the labels that are brought in are of another project."""
    labels = folder / f"labels_{number}.csv"
    rows = range(500 * number + 1, 500 * number + 501)
    labels.write_text(
        "sample_id,label\n" + "".join(f"{n},{('red', 'white')[n % 2]}\n" for n in rows), "utf-8"
    )
    return [
        ["projects"],
        ["export", "--project", "busy", "--what", "source with labels", "--out",
         str(folder / "out.csv")],
        ["import", "--project", "busy", "--file", str(labels)],
        ["sample", "--project", "busy"],
    ]  # fmt: skip


def command_after_command(
    server: AppServer, number: list[int], failed: list[str], done: threading.Event
) -> None:
    """Round after round, until ``done``."""
    while not done.is_set():
        number[0] += 1
        for words in commands(server.folder, number[0]):
            if done.is_set():
                return
            ended = subprocess.run(
                [sys.executable, "-m", "labeling_core", *words, "--database", str(server.path)],
                cwd=ROOT, env=child_environment(), capture_output=True, encoding="utf-8",
                check=False,
            )  # fmt: skip
            if ended.returncode:
                failed.append(f"{words[0]}: {ended.stderr}")


def spread(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile, in ms."""
    low = sorted(each * 1e3 for each in times)
    return statistics.median(low), low[round(0.95 * (len(low) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("labels", 100), ("rounds", 3), ("rows", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder))
        columns = ", ".join(f"random() - 0.5 AS c{i}" for i in range(12))
        server.make_projects([], wines=True)
        server.make_tables({"numbers": f"SELECT {columns} FROM range({given.rows})"})
        both = (Category("red"), Category("white"))
        server.make_projects(
            [
                Settings(title=each, source="numbers", categories=both, every=10**9,
                         **{name: f"{each}_{name}" for name in NAMES})
                for each in ("calm", "busy")
            ],
            wines=False,
        )  # fmt: skip
        server.start()
        page = Page(server, "busy", "ana")
        deck = WireDeck(server, page.token)
        deck.label(20)
        times: dict[bool, list[float]] = {False: [], True: []}
        number, failed = [0], list[str]()
        for turn in range(2 * given.rounds):
            commanded = bool(turn % 2)
            beside = partial(command_after_command, server, number, failed) if commanded else None
            times[commanded] += deck.timed(given.labels, beside)
        calm, busy = spread(times[False]), spread(times[True])
        print(f"in peace       p50 {calm[0]:6.1f} ms   p95 {calm[1]:6.1f} ms")
        print(f"with commands  p50 {busy[0]:6.1f} ms   p95 {busy[1]:6.1f} ms")
        print(f"ratio          p50 {busy[0] / calm[0]:6.2f}      p95 {busy[1] / calm[1]:6.2f}   "
              f"{number[0]} rounds of commands, load {os.getloadavg()[0]:.1f}")  # fmt: skip
        for each in failed:
            print("failed:", each)
        page.close()
        server.stop()


if __name__ == "__main__":
    main()
