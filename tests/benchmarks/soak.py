"""Thirty days in less than an hour: do memory, threads, files and the disk stay bounded?

    python tests/benchmarks/soak.py [--days 30] [--minutes 40] [--people 5]

The real server, whose clock runs ``days`` in ``minutes``: `time.time` and what the program asks for
the date are hurried in its process, and all intervals at which it looks after something are as
much shorter (backups, checkpoints, limits, how long uploads wait). What is measured by a clock that
cannot be set (`time.monotonic`) is not: time limits of requests, and the two minutes for which
Streamlit keeps a session that has gone. People come and go all the while: each opens a page, labels
rows or pictures, looks at the pictures, uploads something and forgets it, takes an export away. So
there are sessions, renditions, uploads and backups as of a month. Limits are set low enough to be
met early: 20 MB of renditions, backups of 7 days.

Of each quantity: the mean of the second half of the time, and its slope there by least squares in
units a day, with its standard error. What grows with the decisions has to: the database file, and
with it each backup, hold them; their slopes are given for 1,000 decisions as well.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "support")]

HURRY = "SOAK_HURRY"  # how many times as fast the server's clock runs
PICTURES, SIDE = 1200, 1600
EVERY = 60
RENDITIONS, DAYS_KEPT = 20, 7


def hurry(by: float) -> None:
    """Make this process's clock run faster, before the program is imported."""
    real, start = time.time, time.time()
    time.time = lambda: start + (real() - start) * by
    from labeling_core.store import database

    database.now = lambda: datetime.fromtimestamp(time.time(), UTC)
    from labeling_core.integrity import storage
    from labeling_core.modalities import renditions
    from labeling_core.sources import uploads
    from labeling_core.store import backups, checkpoints

    def shorter(seconds: float) -> float:
        return max(seconds / by, 0.5)

    backups.Backups.start.__defaults__ = (shorter(backups.FIRST_LOOK), shorter(backups.LOOK))
    storage.Housekeeping.start.__defaults__ = (shorter(storage.LOOK),)
    checkpoints.Checkpoints.start.__defaults__ = (shorter(checkpoints.IDLE),)

    class OfFiles:  # what is compared with the times of files, which are the system's
        time = staticmethod(real)

    uploads.time = renditions.time = storage.time = OfFiles
    uploads._LONGEST /= by
    renditions._HOUR, renditions._MINUTE = renditions._HOUR / by, renditions._MINUTE / by


def serve() -> None:
    """The server itself: `streamlit run app.py` with a hurried clock."""
    hurry(float(os.environ[HURRY]))
    from streamlit.web.cli import main

    sys.argv = ["streamlit", "run", "app.py", *sys.argv[2:]]
    main()


def make(folder: Path) -> Any:
    """A server, not started, with a project of numbers and one of pictures."""
    from app_server import AppServer
    from broken_media import encoded, photo

    from labeling_core.projects.lifecycle import create_project
    from labeling_core.settings import Category, Settings
    from labeling_core.store.database import Database

    pictures = folder / "root" / "pictures"
    pictures.mkdir(parents=True)
    for number in range(PICTURES):
        content = encoded(photo(SIDE, SIDE * 3 // 4, seed=number), "JPEG", quality=80)
        (pictures / f"{number:04}.jpg").write_bytes(content)
    os.environ["LABELING_DATA_ROOTS"] = str(folder / "root")
    os.environ["LABELING_RENDITIONS"] = str(RENDITIONS)
    os.environ["LABELING_BACKUPS_KEEP"] = str(DAYS_KEPT)
    os.environ["LABELING_LOG"] = "json"
    server = AppServer(folder)
    server.command = [sys.executable, str(Path(__file__).resolve()), "serve"]
    database = Database(server.path)
    numbers = ", ".join(f"random() - 0.5 AS c{i}" for i in range(16))
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE numbers AS SELECT {numbers} FROM range(100000)")
    two = (Category("red"), Category("white"))
    for title, modality, source in (
        ("rows", "tabular", "numbers"),
        ("media", "images", "pictures"),
    ):
        tables = {f"{kind}_table": f"{title}_{kind}" for kind in ("labels", "metadata", "queries")}
        create_project(database, Settings(title=title, modality=modality, source=source,
                                          categories=two, every=EVERY, **tables))  # fmt: skip
    database.close()
    return server


class Visits:
    """People who come, label, look, upload, export and go, until they are told to stop."""

    def __init__(self, server: Any, people: int) -> None:
        from labeling_core.access import tokens

        self.server, self.done = server, threading.Event()
        self.key = tokens.read_key(server.path.with_name(f"{server.path.name}.files"), "local")
        self.counts: dict[str, int] = dict.fromkeys(
            ("visits", "decisions", "pictures", "uploads", "exports", "failed"), 0
        )
        self._names = itertools.count()
        self.threads = [threading.Thread(target=self._come, args=[n]) for n in range(people)]

    def _come(self, number: int) -> None:
        chance = random.Random(number)
        while not self.done.is_set():
            try:
                self._visit("media" if number % 3 == 2 else "rows", chance)
                self.counts["visits"] += 1
            except Exception as error:
                self.counts["failed"] += 1
                print(f"a visit failed: {error!r}"[:300], flush=True)
                time.sleep(1)

    def _visit(self, project: str, chance: random.Random) -> None:
        from wire_deck import Page, WireDeck

        shown = "label_images" if project == "media" else "label_tabular"
        page = Page(self.server, project, f"annotator {next(self._names) % 40}", shown)
        deck = WireDeck(self.server, page.token)
        try:
            for _ in range(chance.randrange(5, 25)):
                if self.done.is_set():
                    break
                self._until(deck, lambda: deck.queue or deck.finished)
                if not deck.queue:
                    break
                sample = deck.queue[0]
                if project == "media":
                    self._look(deck, sample)
                deck.decide(deck.queue.pop(0))
                self._until(deck, lambda: not deck.pending)
                self.counts["decisions"] += 1
                time.sleep(chance.uniform(0.2, 0.8))
            if chance.random() < 0.3:
                self._forget(chance)
            if chance.random() < 0.3:
                self._export(deck, project)
        finally:
            deck.close()
            page.close()

    def _until(self, deck: Any, true: Any) -> None:
        """Exchange messages until something is so; a page that was open for a week (of the hurried
        clock) is left by its person, who would reload it."""
        while not true():
            deck.exchange()
            if deck.failures > 20:
                raise TimeoutError("the page was open for too long")

    def _look(self, deck: Any, sample: str) -> None:
        self._get(deck, deck.views[sample]["url"])
        self.counts["pictures"] += 1

    def _get(self, deck: Any, address: str) -> None:
        asked = urllib.request.Request(
            f"{self.server.url}/{address.lstrip('/')}", headers=deck.cookies
        )
        with urllib.request.urlopen(asked, timeout=60) as got:
            got.read()

    def _forget(self, chance: random.Random) -> None:
        """Leave an upload behind, as the form for a new project does."""
        from labeling_core.sources import uploads

        content = chance.randbytes(200_000)
        folder = self.server.path.parent / uploads.UPLOADS
        folder.mkdir(exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=uploads.WAITING, dir=folder))
        (place / "table").write_bytes(content)
        self.counts["uploads"] += 1

    def _export(self, deck: Any, project: str) -> None:
        from labeling_core.web import exports, media_links

        browser = media_links.browser_of(deck.client)
        told = exports.Link(project, "annotator 1", browser, "labels", "CSV", False,
                            [[], [], None, None, None], time.time() + 10**9)  # fmt: skip
        self._get(deck, exports.link(self.key, told))
        self.counts["exports"] += 1


def processes(first: int) -> list[int]:
    """A process and all that it has started, by their numbers."""
    found, waiting = list[int](), [first]
    while waiting:
        number = waiting.pop()
        with suppress(OSError):
            found.append(number)
            for task in Path(f"/proc/{number}/task").iterdir():
                waiting += map(int, (task / "children").read_text("utf-8").split())
    return found


def sample(server: Any) -> dict[str, float]:
    """What all takes at this moment: megabytes, and numbers of files and threads."""
    told: dict[str, float] = {}
    for number in processes(server.process.pid):
        name = "server" if number == server.process.pid else "workers"
        with suppress(OSError, KeyError):  # it has just ended
            status = Path(f"/proc/{number}/status").read_text("utf-8")
            lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            told[f"{name}: MB"] = told.get(f"{name}: MB", 0) + int(lines["VmRSS"].split()[0]) / 1000
            told[f"{name}: threads"] = told.get(f"{name}: threads", 0) + int(lines["Threads"])
            files = len(os.listdir(f"/proc/{number}/fd"))
            told[f"{name}: open files"] = told.get(f"{name}: open files", 0) + files
    files = server.path.with_name(f"{server.path.name}.files")
    places = {
        "renditions": files.glob("*/renditions"), "backups": [files / "backups"],
        "uploads": [server.path.parent / "uploads"], "features": files.glob("*/features_*"),
    }  # fmt: skip
    whole = size(files)
    told["disk, database: MB"] = size(server.path) + size(Path(f"{server.path}.wal"))
    for name, found in places.items():
        told[f"disk, {name}: MB"] = sum(size(each) for each in found)
    named = sum(told[f"disk, {name}: MB"] for name in ("renditions", "backups", "features"))
    told["disk, other files: MB"] = whole - named
    told["disk, backups: number"] = len(list((files / "backups").glob("*.duckdb")))
    told["disk, server's log: MB"] = size(server.folder / "server.log")
    return told


def size(place: Path) -> float:
    """Megabytes of a file, or of all in a folder."""
    total = 0
    with suppress(OSError):
        if place.is_file():
            return place.stat().st_size / 1e6
    for root, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total / 1e6


def slope(x: list[float], y: list[float]) -> tuple[float, float]:
    """Least squares: the slope and its standard error."""
    import numpy as np

    X, Y = np.array(x) - np.mean(x), np.array(y) - np.mean(y)
    found = float((X * Y).sum() / (X * X).sum())
    left = Y - found * X
    return found, float(np.sqrt((left * left).sum() / (len(x) - 2) / (X * X).sum()))


def report(days: list[float], samples: list[dict[str, float]], decisions: list[float]) -> None:
    """A row for each quantity."""
    half = len(days) // 2
    rate = (decisions[-1] - decisions[half]) / (days[-1] - days[half])
    print(f"\n{'':28} {'first':>9} {'at half':>9} {'last':>9} {'a day':>10} {'±':>8} "
          f"{'per 1000 decisions':>19}")  # fmt: skip
    for name in samples[-1]:
        values = [each.get(name, 0.0) for each in samples]
        found, error = slope(days[half:], values[half:])
        middle = sum(values[half : half + 3]) / 3
        print(f"{name:28} {values[0]:9.1f} {middle:9.1f} {sum(values[-3:]) / 3:9.1f} {found:10.3f} "
              f"{error:8.3f} {found / rate * 1000:19.2f}")  # fmt: skip


def soak(days: float, minutes: float, people: int) -> None:
    by = days * 24 * 60 / minutes
    with tempfile.TemporaryDirectory() as folder:
        server = make(Path(folder))
        os.environ[HURRY] = str(by)
        server.start()
        visits = Visits(server, people)
        for each in visits.threads:
            each.start()
        start, when = time.monotonic(), list[float]()
        samples: list[dict[str, float]] = []
        decisions: list[float] = []
        while (passed := (time.monotonic() - start) / 60) < minutes:
            time.sleep(minutes * 60 / 150)
            when.append((time.monotonic() - start) / 60 * days / minutes)
            samples.append(sample(server))
            decisions.append(visits.counts["decisions"])
            print(f"day {when[-1]:5.1f} {visits.counts} "
                  + " ".join(f"{name}={value:.1f}" for name, value in samples[-1].items()),
                  flush=True)  # fmt: skip
        visits.done.set()
        for each in visits.threads:
            each.join()
        print(f"{passed:.0f} minutes as {days:g} days; {visits.counts}")
        report(when, samples, decisions)
        server.stop()


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve()
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--people", type=int, default=5)
    given = parser.parse_args()
    soak(given.days, given.minutes, given.people)


if __name__ == "__main__":
    main()
