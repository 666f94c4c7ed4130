"""Disasters while people label on the real server; after each the tables are looked into.

What was acknowledged must be in the tables, exactly once, when the disaster has struck and nothing
has been mended yet; and in the end, when everybody has got through what they had, nothing else.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from app_server import AppServer, decisions
from bad_line import BadLine
from wire_deck import Page, WireDeck

from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Category, Settings
from labeling_core.store.database import Database

PROJECT = "drill"
ROWS = 50_000
EVERY = 60  # labels between two sessions: jobs run, publish and checkpoint all the while
MEGABYTE = 1024 * 1024
PATIENCE = 240.0  # seconds until what must happen has


class Outcome(NamedTuple):
    """What a drill was, and what became of the decisions."""

    name: str
    times: int
    acknowledged: int
    lost: int
    doubled: int
    more: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name:14} {self.times:3} times, {self.acknowledged:6,} decisions acknowledged, "
            f"{self.lost} lost, {self.doubled} doubled{self.more and f' ({self.more})'}"
        )


def make_server(folder: Path, place: Path | None = None) -> AppServer:
    """The server of a drill, not started; its database in ``place``, else in ``folder``."""
    server = AppServer(folder)
    server.path = (place or folder) / server.path.name
    server.command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    database = Database(server.path)
    numbers = ", ".join(f"random() - 0.5 AS c{i}" for i in range(8))
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE numbers AS SELECT {numbers} FROM range({ROWS})")
    categories = (Category("red"), Category("white"))
    tables = {f"{kind}_table": f"{PROJECT}_{kind}" for kind in ("labels", "metadata", "queries")}
    made = Settings(title=PROJECT, source="numbers", categories=categories, every=EVERY, **tables)
    create_project(database, made)
    database.close()
    return server


class Team:
    """People who label flat out until they are stopped, each over a page of their own."""

    def __init__(self, server: AppServer, people: int) -> None:
        self.server = server
        self.pages = [Page(server, PROJECT, f"annotator {number}") for number in range(people)]
        self.decks = [WireDeck(server, page.token) for page in self.pages]
        self.failed: list[BaseException] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=[each]) for each in self.decks]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def _go_on(self, deck: WireDeck) -> None:
        try:
            while not self._done.is_set() or deck.pending:
                deck.label(len(deck.acknowledged) + 1)
        except BaseException as error:
            self.failed.append(error)
            raise

    def open_anew(self, number: int) -> None:
        """Somebody reloads the page; what is not stored yet waits in the browser meanwhile."""
        self.pages[number].close()
        self.pages[number] = Page(self.server, PROJECT, f"annotator {number}")
        self.decks[number].token, self.decks[number].failures = self.pages[number].token, 0

    def told(self) -> set[tuple[str, str]]:
        """(sample, category) of all that were acknowledged so far."""
        return {pair for deck in self.decks for pair in dict(deck.acknowledged).items()}

    def went_on(self) -> None:
        """Wait until each has got something stored from now on."""
        before = [len(each.acknowledged) for each in self.decks]
        wait(lambda: all(len(d.acknowledged) > n or d.refused
                         for d, n in zip(self.decks, before, strict=True)))  # fmt: skip

    def stop(self) -> None:
        """All leave as soon as what they have decided is stored."""
        self._done.set()
        for each in self._threads:
            each.join()
        for each in (*self.decks, *self.pages):
            each.close()
        assert not self.failed, self.failed


def wait(true: Callable[[], object], patience: float = PATIENCE) -> None:
    """Until something is so; AssertionError if it never is."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "this never came about"
        time.sleep(0.02)


class Count:
    """What was found missing, and what twice, over all disasters of a drill."""

    def __init__(self) -> None:
        self.lost = self.doubled = 0

    def look(self, server: AppServer, told: set[tuple[str, str]], whole: bool = False) -> None:
        """Compare with the tables; ``whole``: there must be nothing else in them.

        That none is there twice, and that the tables tell of the same decisions as the event log,
        is asserted by app_server.decisions.
        """
        stored = [
            (sample_id, category or "") for sample_id, category, _ in decisions(server, PROJECT)
        ]
        self.lost += len(told - set(stored))
        self.doubled += len(stored) - len(set(stored))
        if whole:
            self.doubled += len(set(stored) - told)


@contextlib.contextmanager
def labeling(server: AppServer, people: int) -> Iterator[Team]:
    """A team that labels while the block runs, on a server that runs before and after."""
    server.start()
    team = Team(server, people)
    team.start()
    try:
        team.went_on()
        yield team
    finally:
        if server.process is None:
            server.start()
        team.stop()


def kills(folder: Path, times: int, people: int = 8, seed: int = 0) -> Outcome:
    """SIGKILL at any moment, the next start included."""
    chance, count = random.Random(seed), Count()
    server, at_start = make_server(folder), 0
    with labeling(server, people) as team:
        for number in range(times):
            if number % 4 == 3:  # the start is killed as well
                at_start += 1
                begin(server)
                time.sleep(chance.uniform(0.5, 5))
            else:
                team.went_on()
                time.sleep(chance.uniform(0, 1))
            server.kill()
            count.look(server, team.told())
            if number % 4 != 2:
                server.start()
    count.look(server, team.told(), whole=True)
    server.stop()
    return Outcome("killed", times, len(team.told()), count.lost, count.doubled,
                   f"{at_start} of them at the start")  # fmt: skip


def begin(server: AppServer) -> None:
    """Start a server without waiting until it answers."""
    answers, server.answers = server.answers, lambda: True  # type: ignore[method-assign]
    try:
        server.start()
    finally:
        server.answers = answers  # type: ignore[method-assign]


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = 160) -> Iterator[Path]:
    """A file system of its own, in memory; needs the right to mount."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "labeling", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def fill(disk: Path, left: int) -> Path:
    """A file that leaves at most so many bytes of a disk, on which others write meanwhile."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        size, step = 0, 64 * MEGABYTE
        while step >= 4096:
            found = os.statvfs(disk)
            room = found.f_bavail * found.f_frsize - left
            try:
                os.posix_fallocate(file.fileno(), size, max(1, min(step, room)))
                size += max(1, min(step, room))
                step = step if room > step else 0
            except OSError:
                step //= 2
    return filler


def full_disks(folder: Path, times: int, people: int = 8, seed: int = 0) -> Outcome:
    """The disk of the database is full, for a moment or over a kill and the next start."""
    chance, count = random.Random(seed), Count()
    with small_disk(folder / "disk") as disk:
        server = make_server(folder, disk)
        with labeling(server, people) as team:
            for number in range(times):
                team.went_on()
                time.sleep(chance.uniform(0, 1))
                filler = fill(disk, chance.randrange(200_000))
                time.sleep(chance.uniform(0.5, 4))  # whatever comes to its end meanwhile
                count.look(server, team.told())
                if number % 3 == 2:
                    server.kill()
                    count.look(server, team.told())
                    begin(server)
                    time.sleep(chance.uniform(2, 8))
                    filler.unlink()
                    server.kill()
                    count.look(server, team.told())
                    server.start()
                else:
                    filler.unlink()
        count.look(server, team.told(), whole=True)
        server.stop()
    return Outcome("full disk", times, len(team.told()), count.lost, count.doubled,
                   f"{times // 3} of them killed and started on the full disk")  # fmt: skip


def bad_lines(folder: Path, times: int, people: int = 5, seed: int = 0) -> Outcome:
    """30 % loss and 300 ms each way, connections that end or stand still; three keys a time."""
    count, server = Count(), make_server(folder)
    server.start()
    told: set[tuple[str, str]] = set()
    cuts = stills = 0
    for number in range(times):
        line = BadLine(server.port, seed + number)
        pages = [Page(server, PROJECT, f"annotator {each}") for each in range(people)]
        decks = [WireDeck(line, page.token) for page in pages]  # type: ignore[arg-type]
        threads = [threading.Thread(target=decide_twelve, args=[each]) for each in decks]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        told |= {pair for deck in decks for pair in deck.acknowledged.items()}
        count.look(server, told, whole=True)
        cuts, stills = cuts + line.cuts, stills + line.stills
        line.close()
        for each in (*decks, *pages):
            each.close()
    server.stop()
    return Outcome("bad line", times, len(told), count.lost, count.doubled,
                   f"{cuts} connections cut, {stills} stood still")  # fmt: skip


def decide_twelve(deck: WireDeck) -> None:
    """As a hand that is faster than the line."""
    while len(deck.acknowledged) + len(deck.refused) < 12:
        while len(deck.queue) < 3:
            deck.exchange()
        for _ in range(3):
            deck.decide(deck.queue.pop(0))
        while deck.pending:
            deck.exchange()
