"""The sidebar: which project the pages are about, and who is at the keyboard."""

from __future__ import annotations

import streamlit as st

from labeling_core.access import browser_names
from labeling_core.modalities.registry import modality_of
from labeling_core.settings import Project
from labeling_core.workspace import open_workspace
from pages.shell import identity, reading
from pages.shell.plain_text import escaped
from pages.shell.project import visible_projects


def sidebar() -> None:
    """Choose the project (kept in the URL) and the annotator's name.

    Both fields start with what they hold as their default, not by a value that is set: a browser
    that is given another page before it has drawn the first one answers with the default.
    """
    projects = visible_projects()
    with st.sidebar:
        if projects:
            number, opened = _opened(projects)
            chosen = st.selectbox(
                "Project",
                list(projects),
                index=list(projects).index(opened),
                key=f"project-{number}",
                format_func=lambda each: projects[each].settings.title,
            )
            st.session_state["project"] = chosen
            st.query_params["project"] = chosen
            st.session_state["project_in_url"] = chosen
            settings = projects[chosen].settings
            if modality_of(settings).reads_files or settings.queries_table:
                reading.show_reading(projects[chosen])
        else:
            st.session_state.pop("project", None)
        _name()


def _opened(projects: dict[str, Project]) -> tuple[int, str]:
    """The project that the field starts with, and the how manieth field that is.

    A project named in the URL wins when the URL is new; the field wins after that. Browsers hold
    on to the name that was chosen, and answer with it: where one has changed, a new field takes
    over what the one before it was about.
    """
    titles = {each: project.settings.title for each, project in projects.items()}
    number, opened, before = st.session_state.get("project_opened", (0, "", titles))
    both = before.keys() & titles.keys()
    asked, held = st.query_params.get("project"), st.session_state.get(f"project-{number}", opened)
    if asked in projects and asked != st.session_state.get("project_in_url"):
        number, opened = number + 1, asked
    elif held not in projects:
        number, opened = number + 1, next(iter(projects))
    elif opened not in projects or any(before[each] != titles[each] for each in both):
        number, opened = number + 1, held
    if asked is not None and asked not in projects:
        st.warning(f"There is no project “{escaped(asked[:60])}” here: choose one below.")
    st.session_state["project_opened"] = number, opened, titles
    return number, opened


def _name() -> None:
    """The name that decisions are stored under: typed in local use, else that of the login."""
    if open_workspace().roles.hosted:
        st.text(f"Signed in as {identity.person().name}")
        identity.sign_out()
        return
    if "annotator_known" not in st.session_state:
        known = browser_names.remembered(open_workspace().database, identity.browser())
        st.session_state["annotator_known"] = known or identity.system_user()
    st.session_state["annotator"] = st.text_input(
        "Your name",
        value=st.session_state["annotator_known"],
        key="annotator_typed",
        max_chars=100,
        on_change=_remember_name,
        help="Written beside each of your decisions. It is a name, not a protection: "
        "anyone who reaches this page can enter any name.",
    )


def _remember_name() -> None:
    st.session_state["annotator"] = st.session_state["annotator_typed"]
    browser_names.remember(
        open_workspace().database, identity.browser(), st.session_state["annotator"].strip()
    )
