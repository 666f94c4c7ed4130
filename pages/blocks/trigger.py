"""The part of the query sampler page about sessions that start by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.progress.learning_curve import Session
from labeling_core.progress.session_words import run_row
from labeling_core.sessions.trigger import explain
from labeling_core.settings import Project, Settings
from labeling_core.workspace import open_workspace
from pages.blocks.log_filter import zone
from pages.shell import identity

_LAST = 10  # runs that are listed


def show(project: Project, runs: Sequence[Session]) -> None:
    """When sessions run by themselves, the last ``runs``, and for who manages it the setting."""
    st.header("Trigger", anchor=False)
    st.caption(explain(project.settings))
    if identity.person().may("manage", project.project_id):
        with st.popover("Change the trigger", icon=":material/schedule:"):
            _change(project)
    if runs:
        clock = zone()
        st.dataframe([run_row(each, clock) for each in runs[: -_LAST - 1 : -1]], hide_index=True)


def _change(project: Project) -> None:
    settings, key = project.settings, f"trigger-{project.project_id}"
    changed = replace(
        settings,
        automatic=st.toggle(
            "Sessions start by themselves", settings.automatic, key=f"{key}-on",
            help="Off: a session runs only when somebody starts it.",
        ),
        every=_number(
            "Every n labelings", settings.every, f"{key}-every",
            "After so many new labels a session is due.",
        ),
        check_seconds=_number(
            "Check every … seconds", settings.check_seconds, f"{key}-check",
            "How often it is looked whether a session is due; 0: with every label.",
        ),
        grace_seconds=_number(
            "Grace delay (seconds)", settings.grace_seconds, f"{key}-grace",
            "So long a session that is due waits for more labels; 0: it starts at once.",
        ),
    )  # fmt: skip
    if st.button("Save the trigger", key=f"{key}-save"):
        _save(project, changed)


def _number(title: str, value: int, key: str, help: str) -> int:
    return int(st.number_input(title, value=value, step=1, key=key, help=help))


def _save(project: Project, changed: Settings) -> None:
    try:
        use_cases.update_project(open_workspace(), project.project_id, changed, identity.person())
    except LabelingError as error:
        st.error(str(error), icon=":material/error:")
    else:
        st.rerun()
