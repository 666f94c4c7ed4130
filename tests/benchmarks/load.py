"""Twenty people at once: how long a decision takes until it is stored, and that none is lost.

    python tests/benchmarks/load.py [--people 20] [--labels 100] [--kills 20] [--rows 100000]

The real server (`python -m streamlit run app.py`) on a temporary database. Each annotator has
a websocket session of its own on the labeling page, and posts decisions as the deck does, each
as soon as the one before is stored. Once with the loop idle, and once while sessions run one
after the other on ``--rows`` samples of 64 numbers. Then the server is killed (SIGKILL) at random
moments under the same load, and everything acknowledged is looked for in the tables. The clients
run on the same cores as the server.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from app_server import AppServer, decisions  # noqa: E402
from wire_deck import Page, WireDeck  # noqa: E402

from labeling_core.projects.lifecycle import create_project  # noqa: E402
from labeling_core.settings import Category, Settings  # noqa: E402
from labeling_core.store.database import Database  # noqa: E402

COLUMNS = 64
EVERY = {"idle": 10**9, "training": 40, "killed": 100}


def make(folder: Path, rows: int) -> AppServer:
    """A server, not started, whose database has a project for each measurement."""
    server = AppServer(folder)
    server.command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    database = Database(server.path)
    listed = ", ".join(f"random() - 0.5 AS c{i}" for i in range(COLUMNS))
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE numbers AS SELECT {listed} FROM range({rows})")
    for name, every in EVERY.items():
        create_project(
            database,
            Settings(title=name, source="numbers", categories=(Category("red"), Category("white")),
                     labels_table=f"{name}_labels", metadata_table=f"{name}_metadata",
                     queries_table=f"{name}_queries", every=every),
        )  # fmt: skip
    database.close()
    return server


def sit_down(server: AppServer, name: str, people: int) -> tuple[list[Page], list[WireDeck]]:
    """Open a page for each annotator, and wait until the features are there."""
    pages = [Page(server, name, f"annotator {number}") for number in range(people)]
    decks = [WireDeck(server, page.token) for page in pages]
    while decks[0].learning.get("state") in (None, "running"):
        decks[0].exchange()
        time.sleep(0.1)
    for deck in decks:
        deck.exchange()
    return pages, decks


def label(decks: list[WireDeck], count: int) -> float:
    """Everybody labels ``count`` samples; the seconds it took."""
    threads = [threading.Thread(target=deck.label, args=(count,)) for deck in decks]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def check(server: AppServer, name: str, decks: list[WireDeck]) -> tuple[int, int]:
    """How many acknowledged decisions the tables do not have, and how many too many are there.

    The tables must agree with each other besides; see app_server.decisions.
    """
    stored = [(sample_id, category) for sample_id, category, _ in decisions(server, name)]
    told = [pair for deck in decks for pair in deck.acknowledged.items()]
    return len(set(told) - set(stored)), len(stored) - len(set(stored) & set(told))


def figures(decks: list[WireDeck], seconds: float) -> tuple[float, float, float]:
    """Decisions a second; median and 95th percentile of decision → stored in ms."""
    times = sorted(each * 1e3 for deck in decks for each in deck.latencies)
    return len(times) / seconds, statistics.median(times), times[round(0.95 * (len(times) - 1))]


def cpu(process_id: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server: AppServer, name: str, people: int, labels: int) -> float:
    """Print what one round brings; its p95 in ms."""
    server.start()
    pages, decks = sit_down(server, name, people)
    assert server.process
    used = cpu(server.process.pid), cpu(os.getpid())
    rate, middle, high = figures(decks, label(decks, labels))
    total = people * labels / 1e3
    spent = [(cpu(server.process.pid) - used[0]) / total, (cpu(os.getpid()) - used[1]) / total]
    lost, doubled = check(server, name, decks)
    sessions = decks[0].session_id
    refused = sum(len(deck.refused) for deck in decks)
    print(f"{name:9} {rate:6.0f} decisions/s   p50 {middle:4.0f} ms   p95 {high:4.0f} ms")
    print(f"          processor: {spent[0]:.1f} ms a decision in the server, {spent[1]:.1f} ms in "
          f"its client; {sessions} sessions, {lost} lost, {doubled} doubled, {refused} refused",
          flush=True)  # fmt: skip
    for page in pages:
        page.close()
    server.stop()
    return high


def kill(server: AppServer, people: int, kills: int) -> None:
    """Kill the server at random moments while everybody labels; print what was lost."""
    server.start()
    _, decks = sit_down(server, "killed", people)
    done = threading.Event()

    def go_on(deck: WireDeck) -> None:
        while not done.is_set() or deck.pending:
            deck.label(len(deck.acknowledged) + 1)

    threads = [threading.Thread(target=go_on, args=(deck,)) for deck in decks]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        time.sleep(random.uniform(0.3, 2.0))
        server.kill()
        server.start()
    done.set()
    for thread in threads:
        thread.join()
    lost, doubled = check(server, "killed", decks)
    total = sum(len(deck.acknowledged) for deck in decks)
    print(
        f"killed    {kills} times, {total} decisions acknowledged, {lost} lost, {doubled} doubled"
    )
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("people", 20), ("labels", 100), ("kills", 20), ("rows", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = make(Path(folder), given.rows)
        idle = measure(server, "idle", given.people, given.labels)
        training = measure(server, "training", given.people, given.labels)
        print(f"p95 while sessions run: {training / idle:.2f} of p95 without")
        if given.kills:
            kill(server, given.people, given.kills)


if __name__ == "__main__":
    main()
