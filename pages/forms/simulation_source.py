"""Choosing what a simulation replays: a table, a file, a folder or a project's labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import MODALITIES, TOGETHER, offered
from labeling_core.projects.lifecycle import list_projects
from labeling_core.settings import Settings
from labeling_core.simulation import data_sources
from labeling_core.simulation.data_sources import Source
from labeling_core.simulation.labeled_data import has_labels, labeled_files, usual_label
from labeling_core.sources.folders import allowed_places, chosen_folder
from labeling_core.store.database import columns, tables
from labeling_core.workspace import Workspace
from pages.forms import upload_fields
from pages.shell import identity

Choice = Callable[[], Source]


def choose(workspace: Workspace) -> Choice:
    """The fields; what they name is read when the simulation is started."""
    ways = {
        "A table in the database": _table,
        "A file": _file,
        "A folder": _folder,
        "A project’s labels": _project,
    }
    way = st.segmented_control(
        "Labeled data from", list(ways), default=next(iter(ways)), required=True,
        key="simulation-way",
    )  # fmt: skip
    return ways[way](workspace)


def _refuse(sentence: str) -> Choice:
    def refuse() -> Source:
        raise LabelingError(sentence)

    return refuse


def _table(workspace: Workspace) -> Choice:
    with workspace.database.read() as cursor:
        names = tables(cursor)
        labeled = [name for name in names if has_labels(cursor, name)]
    if not names:
        st.info("The database holds no table yet: upload a file.")
        return _refuse("Choose labeled data first: the database holds no table yet.")
    first = labeled[0] if labeled else names[0]
    name = st.selectbox("Table", names, names.index(first), key="simulation-table")
    with workspace.database.read() as cursor:
        label = _label([each for each, _ in columns(cursor, name)])
    seen = _seen(Settings.modality)
    return lambda: data_sources.table(workspace.database, name, label, identity.person(), seen)


def _file(workspace: Workspace) -> Choice:
    given = upload_fields.choose(workspace, "simulation-{}".format, lines=False)
    if given is None:
        return _refuse("Choose labeled data first: upload a file above.")
    try:
        preview = given.inspect()
    except LabelingError as error:
        st.error(str(error))
        return _refuse(str(error))
    for note in (*given.notes, *preview.notes):
        st.info(note)
    st.caption(upload_fields.size_of(preview))
    label = _label([name for name, _ in preview.columns])
    reading = {"part": given.part}
    asked, seen = (given.path, given.name, label, reading), _seen(Settings.modality)
    return lambda: data_sources.upload(*asked, identity.person(), seen)


def _label(names: list[str]) -> str:
    """The label column among ``names``."""
    guess = usual_label(names) or names[-1]
    return str(st.selectbox("Label column", names, names.index(guess), key="simulation-label"))


def _folder(workspace: Workspace) -> Choice:
    text = st.text_input(
        "Folder of images or sounds", key="simulation-folder",
        help="Each category is a sub-folder; or a CSV file in the folder has the columns path and "
        "label. Below one of: " + ", ".join(f"`{root}`" for root in allowed_places()),
        placeholder="digits",
    ).strip()  # fmt: skip
    if not text:
        return _refuse("Choose labeled data first: name a folder above.")
    try:
        modality = _modality(chosen_folder(text, workspace.database.path.parent))
    except LabelingError as error:
        st.error(str(error), icon=":material/error:")
        return _refuse(str(error))
    features = _seen(modality)
    return lambda: data_sources.folder(workspace.database, text, identity.person(), features)


def _seen(modality: str) -> str:
    """What the model sees, as in Settings; nothing is asked, and the answer empty, where a table
    has no other than its columns."""
    kind = MODALITIES[modality]
    listed = offered(kind)
    if len(listed) == 1 and not kind.reads_files:
        return ""
    chosen = st.multiselect(
        "What the model sees", list(listed), [next(iter(listed))],
        key=f"simulation-features-{modality}", format_func=lambda each: listed[each].title,
        help="Run it once with each, and compare: what learns from fewer labels?",
    )  # fmt: skip
    return TOGETHER.join(chosen)


@st.cache_data(ttl=30, max_entries=16, show_spinner="Looking through the folder …")
def _modality(folder: Path) -> str:
    """The kind of a folder's labeled files; looked through again after half a minute."""
    return labeled_files(folder).modality


def _project(workspace: Workspace) -> Choice:
    with workspace.database.read() as cursor:
        listed = {each.project_id: each for each in list_projects(cursor)}
    mine = [each for each in listed if identity.person().may("label", each)]
    if not mine:
        st.info("There is no project whose labels you may use.")
        return _refuse("Choose labeled data first: there is no project whose labels you may use.")
    chosen = st.selectbox(
        "Labels of", mine, key="simulation-project",
        index=mine.index(st.session_state["project"]) if st.session_state["project"] in mine else 0,
        format_func=lambda each: listed[each].settings.title,
    )  # fmt: skip
    st.caption(f"{workspace.queue(listed[chosen]).counts.labeled:,} labels so far.")
    return lambda: data_sources.project(workspace.database, listed[chosen], identity.person())
