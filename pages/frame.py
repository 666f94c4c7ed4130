"""What all pages share: the project they are about, and who is at the keyboard."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from labeling_core import classifiers, names, permitted, tokens
from labeling_core.people import Person
from labeling_core.progress import Session
from labeling_core.settings import Project
from labeling_core.strategies import STRATEGIES
from labeling_core.workspace import Workspace, workspace
from pages import gate, identity, media, mounting

LABEL_PAGES = {
    "tabular": "label_tabular.py",
    "images": "label_images.py",
    "sounds": "label_sounds.py",
}


def sidebar() -> None:
    """Choose the project (kept in the URL) and the annotator's name.

    Both fields start with what they hold as their default, not by a value that is set: a browser
    that is given another page before it has drawn the first one answers with the default.
    """
    projects = _projects()
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
            if projects[chosen].settings.is_media:
                media.show_reading(projects[chosen])
        else:
            st.session_state.pop("project", None)
        _name()


def _opened(projects: dict[str, Project]) -> tuple[int, str]:
    """The project that was opened by its address, or the first, and the how manieth that is.

    A project named in the URL wins when the URL is new; the field wins after that.
    """
    number, opened = st.session_state.get("project_opened", (0, ""))
    asked = st.query_params.get("project")
    if asked in projects and asked != st.session_state.get("project_in_url"):
        number, opened = number + 1, asked
    elif opened not in projects:
        number, opened = number + 1, next(iter(projects))
    if asked is not None and asked not in projects:
        st.warning(f"There is no project “{asked[:60]}” here: choose one below.")
    st.session_state["project_opened"] = number, opened
    return number, opened


def _name() -> None:
    """The name that decisions are stored under: typed in local use, else that of the login."""
    if workspace().roles.hosted:
        st.text(f"Signed in as {person().name}")
        identity.sign_out()
        return
    if "annotator_known" not in st.session_state:
        known = names.remembered(workspace().database, identity.browser())
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
    names.remember(workspace().database, identity.browser(), st.session_state["annotator"].strip())


def _projects() -> dict[str, Project]:
    return permitted.visible_projects(workspace(), person())


def person() -> Person:
    """Who is at the keyboard; decisions are stored under the name."""
    return identity.person()


def current_project() -> tuple[Workspace, Project]:
    """The workspace and the chosen project; shows an empty state and stops if there is none."""
    chosen = st.session_state.get("project")
    if chosen is None or chosen not in _projects():
        no_project()
        st.stop()
    return workspace(), workspace().project(chosen)


def no_project() -> None:
    """The empty state of a page, with the way out for those who may take it."""
    if not person().may("manage"):
        st.info("An admin can make one.", title="There is no project yet")
        return
    st.info(
        "Make one from a table, a folder of images or of recordings: it takes a minute.",
        title="There is no project yet",
    )
    st.page_link(
        "settings.py", label="New project", icon=":material/add:", query_params={"new": "1"}
    )


def label_page(project: Project) -> str:
    """The page on which a project's samples are labeled."""
    return LABEL_PAGES[project.settings.modality]


def label(modality: str) -> None:
    """The whole of a labeling page: the deck, or the way to the page that has this project's."""
    space, project = current_project()
    if project.settings.modality != modality:
        st.info("This project's samples are of another kind.", title=project.settings.title)
        st.page_link(label_page(project), label="Open its own labeling page")
        st.stop()
    space.loop.prepare(project)
    show_deck(project)


@st.fragment
def show_deck(project: Project) -> None:
    """The deck on what is to be labeled."""
    key, who = project.project_id, person().name

    def issue() -> str:
        return tokens.issue(workspace().key, key, who)

    mounting.mount(project, mounting.LABEL, f"deck-{key}-{who}", f"{key}/{who}", issue)


@st.fragment(run_every="2s")
def show_status(project: Project) -> None:
    """What the loop is doing; a progress bar while a session runs, a rerun when one ends."""
    gate.still("see", project.project_id)
    status = workspace().loop.status(project)
    session_id = workspace().queue(project).session_id
    seen = st.session_state.setdefault("session_seen", {})
    before = seen.get(project.project_id, (session_id, status.state))
    seen[project.project_id] = (session_id, status.state)
    if status.state == "running":
        st.progress(status.progress or 0.0, text=status.text)
    elif status.state == "failed":
        st.error(status.text, icon=":material/error:")
    else:
        st.caption(f"Session {session_id}: {status.text}" if session_id else status.text)
    if before != (session_id, status.state):
        st.rerun()


def show_figure(title: str, figure: go.Figure, alt: str, help: str | None = None) -> None:
    """A titled plotly figure whose toolbar can download it as a picture."""
    st.subheader(title, anchor=False, help=help)
    st.plotly_chart(
        figure,
        key=f"figure-{title}",
        alt=alt,
        config={"displaylogo": False, "toImageButtonOptions": {"filename": title, "scale": 2}},
    )


def explain_accuracy(session: Session) -> str:
    """Where an accuracy comes from, in words for someone who never labels."""
    number = f"{session.evaluated:,}"
    probes = "1 probe" if session.evaluated == 1 else f"{number} probes"
    words = {
        "test table": f"Measured on the {number} samples of the labeled test table, "
        "which the model never trains on.",
        "probes": f"Measured on {probes}: samples drawn at random and kept from training, the same "
        "ones for every session.",
        "cross-validation": f"Estimated by cross-validation on the {number} labels themselves. "
        "Labels chosen by a strategy are no random draw, so this can be off; "
        "probes or a test table would be honest.",
    }
    return words[session.kind]


def session_row(each: Session) -> dict[str, Any]:
    """A session as a row for reading."""
    return {
        "session": each.session_id,
        "state": each.state.lower(),
        "labels": each.labels,
        "accuracy": each.accuracy,
        "from": each.low,
        "to": each.high,
        "AUC": each.auc,
        "measured on": f"{each.evaluated} ({each.kind})" if each.kind else "",
        "contradictions": each.contradictions,
        "classifier": classifiers.title(each.classifier),
        "strategy": STRATEGIES[each.strategy].title,
        "started by": each.started_by,
        "reason": each.reason,
    }


def export_table(project: Project, what: str, form: str, safe: bool, name: str) -> bytes:
    """The file behind a download button that the page has made for the person of that ``name``.

    It is made when the button is pressed, outside of the page: nobody is at the keyboard there,
    and the tables of the ``project`` may have got other names since.
    """
    space = workspace()
    project = space.project(project.project_id)
    return permitted.export_table(space, project, what, form, space.roles.person(name), safe)


def export_model(project: Project, name: str) -> bytes:
    """The model behind its download button; see :func:`export_table`."""
    space = workspace()
    project = space.project(project.project_id)
    return permitted.export_model(space, project, space.roles.person(name))
