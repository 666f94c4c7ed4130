"""Websockets at the pace of people."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from labeling_core.web import pacing
from labeling_core.web.pacing import Allowance, PacedRefusals, PacedSockets


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(pacing, "monotonic", lambda: self.now)
        monkeypatch.setattr(pacing, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def scope(address: str = "10.0.0.1") -> dict[str, Any]:
    return {"type": "websocket", "client": (address, 1), "headers": []}


def run(sockets: PacedSockets, messages: list[bytes], address: str = "10.0.0.1") -> list[Any]:
    """Open a connection on which these messages wait already; what the server has sent."""
    waiting = [{"type": "websocket.receive", "bytes": each} for each in messages]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(sockets(scope(address), receive, send))
    return sent


async def take_all(scope: Any, receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        await send(message)
    await send({"code": message["code"]})


def test_a_flood_comes_through_at_the_pace_of_its_connection_and_nothing_is_lost(monkeypatch):
    clock = Clock(monkeypatch)
    sent = run(PacedSockets(take_all, signed_in=lambda scope: True), [b"x"] * 1000)
    assert len(sent) == 1001
    assert clock.now == pytest.approx((1000 - pacing.BURST) / pacing.RATE)


def test_what_a_person_does_never_waits(monkeypatch):
    clock = Clock(monkeypatch)
    run(PacedSockets(take_all, signed_in=lambda scope: True), [b"x"] * pacing.BURST)
    assert clock.now == 0


def test_all_strangers_together_have_one_pace_and_hold_up_nobody_who_has_signed_in(monkeypatch):
    clock = Clock(monkeypatch)
    sockets = PacedSockets(take_all, signed_in=lambda scope: scope["client"][0] == "known")
    for number in range(10):
        run(sockets, [b"x"] * 40, f"10.0.0.{number}")
    assert clock.now == pytest.approx((400 - pacing.STRANGERS_BURST) / pacing.STRANGERS_RATE)
    before = clock.now
    run(sockets, [b"x"] * pacing.BURST, "known")
    assert clock.now == before


def test_a_long_message_of_a_stranger_ends_its_connection(monkeypatch):
    Clock(monkeypatch)
    sockets = PacedSockets(take_all, signed_in=lambda scope: False)
    assert run(sockets, [b"x" * pacing.LONGEST])[0]["bytes"]
    assert run(sockets, [b"x" * (pacing.LONGEST + 1), b"x"]) == [{"code": pacing.TOO_LONG}]


def test_strangers_have_so_many_connections_and_no_more():
    async def flood() -> list[Any]:
        leave = asyncio.Event()
        sent: list[Any] = []

        async def stay(scope: Any, receive: Any, send: Any) -> None:
            await leave.wait()

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {}

        sockets = PacedSockets(stay, signed_in=lambda scope: False)
        addresses = [f"10.0.0.{number // 40}" for number in range(400)]
        opened = [asyncio.create_task(sockets(scope(each), receive, send)) for each in addresses]
        await asyncio.sleep(0)
        assert sockets.open.total() == pacing.MOST
        assert max(sockets.open.values()) == pacing.MOST_OF_ONE
        leave.set()
        await asyncio.gather(*opened)
        assert not sockets.open
        return sent

    refused = asyncio.run(flood())
    assert len(refused) == 400 - pacing.MOST
    assert {each["code"] for each in refused} == {pacing.TRY_LATER}


def test_an_allowance_fills_up_again_and_not_beyond_its_burst(monkeypatch):
    clock = Clock(monkeypatch)
    allowance = Allowance(2, 1.0)
    assert [allowance.wait() for _ in range(4)] == [0, 0, 1, 2]
    clock.now = 100.0
    assert [allowance.wait() for _ in range(3)] == [0, 0, 1]


def ask(refusals: PacedRefusals) -> None:
    async def send(message: Any) -> None:
        pass

    asyncio.run(refusals({"type": "http"}, send, send))


def answering(status: int) -> PacedRefusals:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body"})

    return PacedRefusals(app)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_who_is_refused_again_and_again_waits(monkeypatch, status):
    clock, refusals = Clock(monkeypatch), answering(status)
    for _ in range(1000):
        ask(refusals)
    assert clock.now == pytest.approx((1000 - pacing.REFUSED_BURST) / pacing.REFUSED_RATE)


def test_no_refusal_waits_for_long_however_many_come_at_once(monkeypatch):
    monkeypatch.setattr(pacing, "monotonic", lambda: 0.0)
    allowance = Allowance(pacing.REFUSED_BURST, pacing.REFUSED_RATE)
    waits = [allowance.wait(pacing.REFUSED_WAIT) for _ in range(1000)]
    assert max(waits) == pacing.REFUSED_WAIT


@pytest.mark.parametrize("status", [200, 206, 304, 503])
def test_what_is_answered_never_waits(monkeypatch, status):
    clock, refusals = Clock(monkeypatch), answering(status)
    for _ in range(1000):
        ask(refusals)
    assert clock.now == 0
