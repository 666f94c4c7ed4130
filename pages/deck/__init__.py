"""The labeling deck: one sample at a time, decided with one key.

The deck talks to the server by itself (``labeling_core.web.routes``); a page mounts it, and serves
the second transport: a message that arrives as component state is answered through the mount data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.deck import bundle

_HERE = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "labeling_deck",
    html=_read("deck.html"),
    css=_read("deck.css", "media.css", "review.css"),
    js=bundle.join(_HERE, "mount.js"),
    isolate_styles=True,
)


def pending_message(key: str) -> dict[str, Any] | None:
    """Return the message the browser sent as component state, or None.

    Read it in the body of the page, before ``deck`` is mounted, so that the reply can go out with
    the same run.
    """
    state = st.session_state.get(key)
    message = state.get("message") if state else None
    return message if isinstance(message, dict) else None


def deck(key: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """Mount the deck and return the message that is in its component state, or None.

    ``data``: ``project``, ``title``, ``view`` (kind of sample: ``record`` …), ``url`` of the
    exchange route, ``token``, ``store`` (prefix of the browser's storage: who labels what, in which
    database), ``categories`` (``name``, ``key``, ``description``, ``color``), ``offered`` (their
    stamp), ``portion`` (samples sent at a time), ``reply`` (to the message ``pending_message``
    returned, or None) and ``mode``: ``label``, or ``review`` and ``adjudicate`` to go through a
    list instead (see modes.js). Put nothing below it: it fills the rest of the window.
    """
    result = _mount(key=key, data=data, on_message_change=_nothing)
    message = result.get("message")
    return message if isinstance(message, dict) else None


def _nothing() -> None:
    """Declare ``message`` as state of the component; the page reads it in its body."""
