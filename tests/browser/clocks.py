"""A clock that jumps, and a machine that sleeps, while people label on the real server.

The server's calendar clock is libfaketime's (Debian's package `faketime`), which reads from a file
how far off it is. The clock that only counts on, by which programs wait, is left alone, as when
somebody sets a clock.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import drilling
from app_server import AppServer
from drilling import Count, Outcome, Team
from wire_deck import Page, WireDeck

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
JUMPS = ("+1d", "-1d", "+10y", "-1y", "+0")
REFUSED = 3  # times in a row: the page is opened anew, as its sentence says


class Clock:
    """The calendar clock of a server that is not started yet."""

    def __init__(self, server: AppServer) -> None:
        self._file = server.folder / "clock"
        self.jump("+0")
        faked = {
            "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self._file, "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1, "NO_FAKE_STAT": 1,
        }  # fmt: skip
        settings = [f"{name}={value}" for name, value in faked.items()]
        server.command = ["env", *settings, *server.command]

    def jump(self, offset: str) -> None:
        """From now on it is off by ``offset``, such as ``+10y``; ``+0``: it is right."""
        part = self._file.with_name("clock.part")
        part.write_text(f"{offset}\n", "ascii")
        os.replace(part, self._file)


@contextlib.contextmanager
def asleep(server: AppServer) -> Iterator[None]:
    """The server and all processes below it stand still, as when a machine is suspended."""
    assert server.process
    below = list(_below(server.process.pid))
    server.freeze()
    for each in below:
        os.kill(each, signal.SIGSTOP)
    yield
    for each in below:
        os.kill(each, signal.SIGCONT)
    server.thaw()


def _below(process: int) -> Iterator[int]:
    for thread in Path(f"/proc/{process}/task").iterdir():
        for each in (thread / "children").read_text("ascii").split():
            yield int(each)
            yield from _below(int(each))


def jumps(folder: Path, times: int, people: int = 8, seed: int = 0) -> Outcome:
    """The clock jumps; after each jump everybody goes on, a session begins and ends, and somebody
    new comes.

    ``more`` of the outcome tells who had to open the page anew: where the clock went ahead by more
    than a token lasts, and nobody else.
    """
    count, server = Count(), drilling.make_server(folder)
    clock, newcomers, anew = Clock(server), list[WireDeck](), []
    with drilling.labeling(server, people) as team:
        for number in range(times):
            offset = JUMPS[number % len(JUMPS)]
            clock.jump(offset)
            anew.append(f"{_get_on(team)} after {offset}")
            page = Page(server, drilling.PROJECT, f"newcomer {number}")
            newcomers.append(WireDeck(server, page.token))
            newcomers[-1].label(3)
            newcomers[-1].close()
            page.close()
            count.look(server, _told(team, newcomers))
    count.look(server, _told(team, newcomers), whole=True)
    _look_at_order(server, [*team.decks, *newcomers])
    server.stop()
    return Outcome("clock jumps", times, len(_told(team, newcomers)), count.lost, count.doubled,
                   f"pages opened anew: {', '.join(anew)}")  # fmt: skip


def sleeps(folder: Path, times: int, people: int = 8, seed: int = 0) -> Outcome:
    """The machine sleeps until nobody waits for an answer any more, and wakes eight hours later."""
    count, server = Count(), drilling.make_server(folder)
    clock = Clock(server)
    with drilling.labeling(server, people) as team:
        for number in range(times):
            with asleep(server):
                drilling.wait(lambda: all(each.failures for each in team.decks))
                clock.jump(f"+{8 * (number + 1)}h")
            _get_on(team)
            count.look(server, team.told())
    count.look(server, team.told(), whole=True)
    _look_at_order(server, team.decks)
    server.stop()
    return Outcome("sleep", times, len(team.told()), count.lost, count.doubled)


def _told(team: Team, newcomers: list[WireDeck]) -> set[tuple[str, str]]:
    return team.told().union(*(each.acknowledged.items() for each in newcomers))


def _get_on(team: Team) -> int:
    """Wait until each has got decisions stored and heard of a session that began after this; how
    many had to open their page anew for that."""
    # One decision may have been on its way, and one session have begun before.
    before = [(len(each.acknowledged) + 1, each.session_id + 1) for each in team.decks]
    anew = set[int]()

    def got_on() -> bool:
        for number, deck in enumerate(team.decks):
            if deck.failures >= REFUSED:
                anew.add(number)
                team.open_anew(number)
        return all(
            len(deck.acknowledged) > stored and deck.session_id > session
            for deck, (stored, session) in zip(team.decks, before, strict=True)
        )

    drilling.wait(got_on)
    return len(anew)


def _look_at_order(server: AppServer, decks: list[WireDeck]) -> None:
    """AssertionError unless each browser's decisions are numbered in the order of their making."""
    with server.tables() as tables:
        rows = tables.execute(
            "SELECT client, list(sample_id ORDER BY event_id), list(label_id ORDER BY event_id) "
            "FROM labeling.events WHERE kind = 'decision' GROUP BY client"
        ).fetchall()
    found = {client: (samples, numbers) for client, samples, numbers in rows}
    for each in decks:
        samples, numbers = found[each.client]
        assert samples == list(each.acknowledged) and numbers == sorted(numbers)
