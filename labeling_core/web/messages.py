"""What a deck sends: a message as it may look, and whether it does."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.labeling.bookkeeping import Decision

MAX_DECISIONS, MAX_WANTED, MAX_HISTORY = 5_000, 500, 200
PORTION = 32  # samples sent at a time to somebody who is deciding; the deck is told
MAX_ID, MAX_COMMENT, MAX_HOLDING = 4_096, 10_000, 2_000
MAX_SECONDS = 3_600.0
MAX_DEPTH, MAX_BRACKETS = 8, 2 * (MAX_DECISIONS + 100)
# To the end where it is not closed: from each mark to the end would take long.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\)', re.DOTALL)


def read_json(body: bytes) -> Any:
    """What the text of a message says; ValueError unless it is JSON that is as flat as a message.

    How deep it goes and how much is in it is looked at before: what is built of a text is up to
    thirty times its size.
    """
    brackets = re.findall(rb"[][{}]", _STRING.sub(b"", body))
    if len(brackets) > MAX_BRACKETS:
        raise ValueError("too much in it")
    depth = 0
    for each in brackets:
        depth += 1 if each in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
    return json.loads(body)


class Message(NamedTuple):
    """A deck's message after validation; see :func:`parse`."""

    number: int
    client: str
    decisions: list[Decision]
    holding: list[str]
    screen: str | None
    wanted: int
    version: int
    release: bool
    history: tuple[int, int] | None
    offered: str = ""


def parse(raw: object) -> Message:
    """Validate what came from a browser; LabelingError when it is not of the agreed form."""
    try:
        if not isinstance(raw, dict):
            raise TypeError("no object")
        decisions = [_decision(each) for each in _list(raw.get("decisions"), MAX_DECISIONS)]
        history = raw.get("history")
        return Message(
            number=int(raw.get("message") or 0),
            client=_text(raw["client"], 100),
            decisions=decisions,
            holding=[_text(each, MAX_ID) for each in _list(raw.get("holding"), MAX_HOLDING)],
            screen=None if raw.get("screen") is None else _text(raw["screen"], MAX_ID),
            wanted=min(max(int(raw.get("want") or 0), 0), MAX_WANTED),
            version=int(raw.get("version") or 0),
            release=raw.get("release") is True,
            history=None if history is None else (int(history["index"]), int(history["count"])),
            offered=str(raw.get("offered") or "")[:100],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LabelingError(
            f"The labeling page sent something that cannot be read ({error}): reload it."
        ) from error


def _decision(raw: dict[str, Any]) -> Decision:
    category, comment = raw.get("category"), raw.get("comment")
    seconds = float(raw.get("seconds") or 0.0)
    return Decision(
        client=_text(raw["client"], 100),
        seq=int(raw["seq"]),
        sample_id=_text(raw["sample_id"], MAX_ID),
        action=_text(raw["action"], 10),
        category=None if category is None else _text(category, 1_000),
        comment=None if comment is None else _text(comment, None)[:MAX_COMMENT],
        seconds=min(max(seconds, 0.0), MAX_SECONDS) if seconds == seconds else 0.0,
        offered=str(raw.get("offered") or "")[:100],
    )


def _text(value: object, most: int | None) -> str:
    if not isinstance(value, str) or (most is not None and not 0 < len(value) <= most):
        raise ValueError("a text is missing or too long")
    return value.encode("utf-8", "replace").decode()  # lone surrogates cannot be stored


def _list(value: object, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("a list is too long")
    return value
