"""The part of the progress page on which the model to take away is trained and downloaded."""

from __future__ import annotations

from functools import partial

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.models import events, final_model
from labeling_core.projects import predictions
from labeling_core.settings import Project
from labeling_core.store import exporting
from labeling_core.workspace import open_workspace
from pages.shell import identity


def show(project: Project, form: str, safe: bool) -> None:
    """The final model: what it is, the button that trains it, its download, and its predictions
    as a file in ``form`` (one of export.FORMATS; ``safe`` as export.to_file has it)."""
    workspace, by = open_workspace(), identity.person()
    if not by.may("manage", project.project_id):
        return
    st.header("Final model", anchor=False)
    with workspace.database.read() as cursor:
        known = final_model.last_final(cursor, project.project_id)
        predicted = predictions.known(cursor, project.project_id)
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
    outcome = workspace.loop.trainer.outcomes.get((project.project_id, final_model.KIND))
    if outcome is not None and outcome.state == "failed":
        st.error(outcome.text, icon=":material/error:")
    busy = workspace.loop.trainer.running(project.project_id)
    with st.container(horizontal=True):
        if st.button(
            "Train the final model",
            key="train-final",
            icon=":material/model_training:",
            disabled=busy,
        ):
            _train(project)
        if known:
            _offer_model(project, by.name)
        if predicted:
            _offer_predictions(project, form, safe, by.name)
        if predicted and project.settings.window_seconds:
            _offer_events(project, form, safe, by.name)


def _offer_model(project: Project, name: str) -> None:
    st.download_button(
        "Final model",
        partial(_archive, project, name),
        file_name=final_model.file_name(project.project_id),
        icon=":material/download:",
        on_click="ignore",
        help="A zip of the model, what it needs to be loaded, and model_card.md, which says how.",
    )


def _offer_predictions(project: Project, form: str, safe: bool, name: str) -> None:
    st.download_button(
        "All samples with predictions",
        partial(_predictions, project, form, safe, name),
        file_name=f"{project.project_id}_predictions.{exporting.FORMATS[form][0]}",
        icon=":material/download:",
        on_click="ignore",
        help="Every sample with its label, this model's prediction and the probability of that, "
        "and as its category the label, or where there is none the prediction. In the format "
        "chosen above.",
    )


def _offer_events(project: Project, form: str, safe: bool, name: str) -> None:
    forms = {"Events": form, "Events for Audacity": events.AUDACITY}
    for title, chosen in forms.items():
        ending = exporting.FORMATS[form][0] if chosen == form else "zip"
        st.download_button(
            title,
            partial(_predictions, project, chosen, safe, name, True),
            file_name=f"{project.project_id}_events.{ending}",
            icon=":material/download:",
            on_click="ignore",
            help="Neighbouring windows of one category as one event, from and to in seconds; the "
            "category is the label, or where there is none this model's prediction. For Audacity: "
            "a zip with a label track for each recording.",
        )


def _train(project: Project) -> None:
    try:
        final_model.train(open_workspace().loop, project, identity.person())
    except LabelingError as error:
        st.error(str(error))
    else:
        st.rerun()  # the bar at the top of the page follows the worker


def _archive(project: Project, name: str) -> bytes:
    """See downloads.export_model: nobody is at the keyboard when the file is made."""
    workspace = open_workspace()
    project = workspace.project(project.project_id)
    return use_cases.export_final_model(workspace, project, workspace.roles.person(name))


def _predictions(
    project: Project, form: str, safe: bool, name: str, as_events: bool = False
) -> bytes:
    workspace = open_workspace()
    project = workspace.project(project.project_id)
    return use_cases.export_predictions(
        workspace, project, form, workspace.roles.person(name), safe, as_events
    )
