"""The one gate before the pages: which of them a person finds, and may open. See rights.PAGES."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from labeling_core.access import rights
from labeling_core.people import EVERYWHERE, ForbiddenError
from pages.shell import identity


def page(file: str, **shown: Any) -> st.Page:
    """A page of the navigation; listed only for people who may open it in some project."""
    listed = identity.person().may_anywhere(rights.page_action(file.removesuffix(".py")))
    visibility: Literal["visible", "hidden"] = "visible" if listed else "hidden"
    return st.Page(file, visibility=visibility, **shown)


def require(page: st.Page) -> None:
    """Stop with one sentence unless the page may be opened for the chosen project."""
    name = page.url_path or "home"  # the default page has no path
    project_id = st.session_state.get("project", EVERYWHERE)
    try:
        identity.person().require(rights.page_action(name), project_id)
    except ForbiddenError as error:
        st.title(page.title, anchor=False)
        st.warning(str(error), icon=":material/lock:")
        st.stop()


def still(action: str, project_id: str) -> None:
    """In a fragment, which runs without the frame: let the frame speak when a role is gone."""
    if not identity.person().may(action, project_id):
        st.rerun()
