"""A deck on a page: what it is told, and the answers to messages that come as component state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb
import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import modality_of
from labeling_core.settings import Project
from labeling_core.store.database import why_not_stored
from labeling_core.web import (
    adjudication_exchange,
    label_exchange,
    messages,
    review_exchange,
    views,
)
from labeling_core.web.logins import SIGNED_OUT
from labeling_core.web.routes import Answer
from labeling_core.workspace import open_workspace
from pages.deck import deck, pending_message
from pages.shell import identity


class Mode(NamedTuple):
    """What a deck is for, and who answers it: at the route ``url``, and in the page."""

    name: str
    url: str
    respond: Answer


LABEL = Mode("label", "/labeling/exchange", label_exchange.respond)
REVIEW = Mode("review", "/labeling/review", review_exchange.respond)
ADJUDICATE = Mode("adjudicate", "/labeling/adjudication", adjudication_exchange.respond)


def mount(project: Project, mode: Mode, key: str, store: str, issue: Callable[[], str]) -> None:
    """Mount the deck of a project as the component ``key``; serve its second transport.

    ``store`` tells apart, in the browser's storage, the decisions of different people and lists;
    ``issue`` makes the token that the deck shows with every message.
    """
    workspace = open_workspace()
    granted = st.session_state.setdefault("deck_tokens", {})
    if key not in granted:
        granted[key] = issue()
    deck(
        key,
        {
            "project": project.project_id,
            "title": project.settings.title,
            "view": modality_of(project.settings).deck_view,
            "mode": mode.name,
            "url": mode.url,
            "token": granted[key],
            "store": f"{workspace.database.path.name}/{store}",
            "portion": messages.PORTION,
            "reply": _reply(pending_message(key), key, mode.respond),
        }
        | views.offered_categories(workspace.project(project.project_id)),
    )


def _reply(raw: dict[str, Any] | None, key: str, respond: Answer) -> dict[str, Any] | None:
    """Answer a message once; a rerun for another reason gets the same answer again."""
    if raw is None:
        return None
    kept = st.session_state.get(f"{key}-reply")
    if kept is not None and kept[0] == (raw.get("client"), raw.get("message")):
        return kept[1]
    try:
        who = identity.person().name
        if not who:  # signed out in another tab
            raise LabelingError(SIGNED_OUT)
        message = messages.parse(raw)
        reply = respond(open_workspace(), raw.get("token"), message, identity.browser(), who)
    except LabelingError as error:
        return {"message": raw.get("message"), "error": str(error), "status": 403}
    except (duckdb.Error, OSError) as error:
        return {"message": raw.get("message"), "error": why_not_stored(error), "status": 503}
    st.session_state[f"{key}-reply"] = ((message.client, message.number), reply)
    return reply
