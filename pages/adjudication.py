"""Samples about which people disagree: who said what, and which label holds, one key each."""

from __future__ import annotations

import streamlit as st

from labeling_core import adjudication_exchange, category_news, tokens
from labeling_core.settings import Project
from labeling_core.workspace import workspace
from pages import frame
from pages.deck import VIEWS, deck, pending_message


@st.fragment
def show(project: Project) -> None:
    """The disputed samples of a project, for those who may settle them."""
    by, space = frame.person(), workspace()
    if not by.may("manage", project.project_id):
        st.info("Ask an admin of this project.", title="Adjudicators only")
        return
    key = f"adjudication-{project.project_id}-{by.name}"
    granted = st.session_state.setdefault("deck_tokens", {})
    if key not in granted:
        granted[key] = tokens.issue(space.key, project.project_id, by.name)
    deck(
        key,
        {
            "project": project.project_id,
            "title": project.settings.title,
            "view": VIEWS[project.settings.modality],
            "mode": "adjudicate",
            "url": "/labeling/adjudication",
            "token": granted[key],
            "store": f"{space.database.path.name}/{key}",
            "reply": frame.reply_to(pending_message(key), key, adjudication_exchange.respond),
        }
        | category_news.offered(space.project(project.project_id).settings),
    )
