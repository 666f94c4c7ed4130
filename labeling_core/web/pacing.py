"""Websockets and refusals at the pace of people: each message starts a run of a page, and many at
once would stop the server; and who guesses, asks thousands of times.

Nothing is refused that a person does: what comes too fast waits its turn on the wire.
"""

from __future__ import annotations

from asyncio import sleep
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BURST, RATE = 40, 20.0  # messages at once, and a second, of one connection
STRANGERS_BURST, STRANGERS_RATE = 40, 10.0  # of all together who have not signed in
MOST, MOST_OF_ONE = 200, 30  # connections of strangers, and of those from one address
LONGEST = 64 * 1024  # bytes of a stranger's message
# Refusals at once, and a second, of all requests; the seconds that the next ones wait at most.
REFUSED_BURST, REFUSED_RATE, REFUSED_WAIT = 40, 20.0, 1.0
TOO_LONG, TRY_LATER = 1009, 1013  # why a websocket is closed


@dataclass
class Allowance:
    """So many at once, and ``rate`` a second after that."""

    burst: float
    rate: float
    left: float = field(init=False)
    counted: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.counted = self.burst, monotonic()

    def wait(self, most: float = float("inf")) -> float:
        """Take one; in how many seconds its turn comes, ``most`` at most."""
        now = monotonic()
        self.left = min(self.burst, self.left + (now - self.counted) * self.rate) - 1
        self.left = max(self.left, -most * self.rate)
        self.counted = now
        return max(0.0, -self.left / self.rate)


class PacedRefusals:
    """Holds back the answers that refuse something where they are many: whoever guesses tokens one
    after the other waits, and the server meanwhile serves those who have one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.refusals = app, Allowance(REFUSED_BURST, REFUSED_RATE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def held_back(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                await sleep(self.refusals.wait(REFUSED_WAIT))
            await send(message)

        await self.app(scope, receive, held_back if scope["type"] == "http" else send)


class PacedSockets:
    """Lets the messages of each websocket through at RATE, those of strangers more slowly."""

    def __init__(self, app: ASGIApp, signed_in: Callable[[Scope], bool]) -> None:
        """``signed_in`` tells whether somebody with a login opens a websocket; in local use
        everybody counts as such."""
        self.app, self.signed_in = app, signed_in
        self.strangers = Allowance(STRANGERS_BURST, STRANGERS_RATE)
        self.open: Counter[str] = Counter()  # connections of strangers by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
        elif self.signed_in(scope):
            await self.app(scope, _paced(receive, [Allowance(BURST, RATE)]), send)
        else:
            await self._serve_stranger(scope, receive, send)

    async def _serve_stranger(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = str((scope.get("client") or [""])[0])
        if self.open[address] >= MOST_OF_ONE or self.open.total() >= MOST:
            await send({"type": "websocket.close", "code": TRY_LATER})
            return
        self.open[address] += 1
        try:
            paced = _paced(receive, [Allowance(BURST, RATE), self.strangers])
            await self.app(scope, _short(paced), send)
        finally:
            self.open[address] -= 1
            self.open += Counter()  # forget those without any


def _paced(receive: Receive, allowances: list[Allowance]) -> Receive:
    async def paced() -> Message:
        message = await receive()
        if message["type"] != "websocket.disconnect":
            for each in allowances:
                await sleep(each.wait())
        return message

    return paced


def _short(receive: Receive) -> Receive:
    """Ends a connection at the first message that is too long."""

    async def short() -> Message:
        message = await receive()
        if len(message.get("bytes") or message.get("text") or b"") > LONGEST:
            return {"type": "websocket.disconnect", "code": TOO_LONG}
        return message

    return short
