"""The part of the progress page on which the model to take away is trained and downloaded."""

from __future__ import annotations

from functools import partial

import streamlit as st

from labeling_core import final_model, permitted
from labeling_core.errors import LabelingError
from labeling_core.settings import Project
from labeling_core.workspace import workspace
from pages import frame


def show(project: Project) -> None:
    """The final model: what it is, the button that trains it, and its download."""
    space, by = workspace(), frame.person()
    if not by.may("manage", project.project_id):
        return
    st.subheader("Final model", anchor=False)
    with space.database.read() as cursor:
        known = final_model.last_final(cursor, project.project_id)
    text = (
        "Trained on every label, probes included: the model to take away. Its accuracy cannot be "
        "measured on labels that it has learned from, so its card tells what the last session's "
        "model reached."
    )
    if known:
        text += f" The one there is learned from {known.labels:,} labels."
        if known.since:
            text += f" **Out of date**: decisions and changes since then: {known.since:,}."
    st.caption(text)
    outcome = space.loop.trainer.outcomes.get((project.project_id, final_model.KIND))
    if outcome is not None and outcome.state == "failed":
        st.error(outcome.text, icon=":material/error:")
    busy = space.loop.trainer.running(project.project_id)
    with st.container(horizontal=True):
        if st.button("Train the final model", icon=":material/model_training:", disabled=busy):
            _train(project)
        if known:
            st.download_button(
                "Final model",
                partial(_archive, project, by.name),
                file_name=f"{project.project_id}_final_model.zip",
                icon=":material/download:",
                on_click="ignore",
                help="A zip of model.skops, model_card.json and model_card.md, which says how to "
                "load it.",
            )


def _train(project: Project) -> None:
    try:
        final_model.train(workspace(), project, frame.person())
    except LabelingError as error:
        st.error(str(error))
    else:
        st.rerun()  # the bar at the top of the page follows the worker


def _archive(project: Project, name: str) -> bytes:
    """See frame.export_table: nobody is at the keyboard when the file is made."""
    space = workspace()
    return permitted.export_final_model(space, project, space.roles.person(name))
