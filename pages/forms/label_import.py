"""Labels that exist already: brought into a running project, taken back, or the start of one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_matching import SAMPLE_ID
from labeling_core.labeling.label_plan import IMPORT, PEOPLE, Plan
from labeling_core.labeling.labels_at_start import NOTHING, Given
from labeling_core.modalities.registry import Modality
from labeling_core.projects import samples
from labeling_core.projects.validation import SettingsError
from labeling_core.settings import Project, Settings
from labeling_core.sources import uploads
from labeling_core.sources.foreign_labels import read_files, title_of
from labeling_core.sources.label_records import LabelFile
from labeling_core.sources.label_tools import FORMATS
from labeling_core.sources.uploads import Staged, Upload
from labeling_core.store import imports
from labeling_core.workspace import Workspace
from pages.forms.fields import Fields
from pages.shell import identity

KINDS = ["csv", "tsv", "txt", "parquet", "json", "jsonl", "zip"]
WINS = {PEOPLE: "What people decided here holds", IMPORT: "The file holds"}
_PLAN, _DONE, _REFUSED = "label-import-plan", "label-import-done", "label-import-refused"
_AT_START = "label-import-at-start"
Files = list[tuple[str, bytes]]


def show(workspace: Workspace, project: Project) -> None:
    """A file, a dry run of what it would do, the import, and taking one back."""
    st.header("Bring in labels", anchor=False)
    st.caption(
        "From a table with a column of labels, or from Label Studio, doccano, Prodigy, Argilla or "
        "the labeling plugin. They train; each stays visible as an import, and can be taken back."
    )
    with st.container():
        if sentence := st.session_state.pop(_REFUSED, None):
            st.error(sentence, icon=":material/error:")
        if sentence := st.session_state.pop(_DONE, None):
            st.success(sentence, icon=":material/check:")
    key = f"labels-{project.project_id}-"
    given = st.file_uploader(
        "File of labels", KINDS, accept_multiple_files=True, key=key + "file",
        help="Two files only for the plugin: its labels and its metadata.",
    )  # fmt: skip
    files = [(each.name, each.getvalue()) for each in given]
    if files:
        _import(workspace, project, files, key)
    _take_back(workspace, project, key)


def _import(workspace: Workspace, project: Project, files: Files, key: str) -> None:
    left, right = st.columns(2)
    formats = {"auto": "Told by its content", "table": "A table"}
    formats |= {name: each.title for name, each in FORMATS.items()}
    with workspace.database.read() as cursor:
        columns = [name for name, _ in samples.kept_columns(cursor, project.project_id)]
    told = {name: name or "What tells most of them" for name in ("", SAMPLE_ID, *columns)}
    with left:
        form = st.selectbox("Format of the file", list(formats), format_func=formats.__getitem__,
                            key=key + "format")  # fmt: skip
        column = st.selectbox("Samples are told by", list(told), format_func=told.__getitem__,
                              key=key + "match")  # fmt: skip
        label = st.text_input(
            "Column of labels", key=key + "label",
            help="Or the question, of tools that ask several. Empty: found out.",
        )  # fmt: skip
    with right:
        wins = st.radio("Where labels contradict", list(WINS), format_func=WINS.__getitem__,
                        key=key + "wins")  # fmt: skip
        create = st.toggle("Unknown labels become categories", key=key + "create")
        drawn = st.toggle(
            "The labeled samples are a random draw", key=key + "drawn",
            help="Only then may they measure accuracy, where probes are kept. A choice by anything "
            "else, a date or a search, is none.",
        )  # fmt: skip
    how = How(column, wins, create, drawn)
    asked = (project.project_id, files, form, label, how)
    with st.container(horizontal=True):
        if st.button("Dry run", key=key + "plan"):
            st.session_state[_PLAN] = (asked, _plan(workspace, *asked))
            if st.session_state[_PLAN][1] is None:
                st.rerun()
        known, found = st.session_state.get(_PLAN, (None, None))
        if known == asked and found is not None:
            st.button("Import", type="primary", key=key + "go", disabled=not found[1].stored(wins),
                      on_click=_bring_in, args=(workspace, *asked))  # fmt: skip
    if known == asked and found is not None:
        _show_plan(found[0], found[1], wins)


def _read(workspace: Workspace, project_id: str, files: Files, form: str, label: str) -> LabelFile:
    return _read_for(workspace, files, form, label, workspace.project(project_id).settings)


def _read_for(
    workspace: Workspace, files: Files, form: str, label: str, settings: Settings
) -> LabelFile:
    paths: list[tuple[Path, str]] = []
    try:
        for name, content in files:
            path = uploads.stage_table(workspace.database.path.parent, content)
            paths.append((path, name))
        return read_files(paths, form, label.strip(), [settings.label_column])
    finally:
        for path, _ in paths:
            uploads.discard_table(path)


def _plan(
    workspace: Workspace, project_id: str, files: Files, form: str, label: str, how: How
) -> tuple[str, Plan] | None:
    try:
        read = _read(workspace, project_id, files, form, label)
        found = use_cases.plan_labels(workspace, project_id, read, how, identity.person())
        return title_of(read.format), found
    except LabelingError as error:
        st.session_state[_REFUSED] = str(error)
        return None


def _show_plan(form: str, found: Plan, wins: str) -> None:
    st.caption(f"Read as {form}. " + found.lines(wins)[0])
    st.dataframe(found.table(wins), hide_index=True)
    for line in found.lines(wins)[1 + len(found.table(wins)) :]:
        st.text(line)
    if found.unreadable:
        out = io.StringIO()
        csv.writer(out).writerows([("line", "reason"), *found.unreadable])
        st.download_button("What cannot be taken", out.getvalue(), "not_taken.csv", "text/csv",
                           on_click="ignore", icon=":material/download:")  # fmt: skip


def _bring_in(
    workspace: Workspace, project_id: str, files: Files, form: str, label: str, how: How
) -> None:
    try:
        read = _read(workspace, project_id, files, form, label)
        names = ", ".join(name for name, _ in files)
        number, found = use_cases.bring_in_labels(
            workspace, project_id, read, names, how, identity.person()
        )
        done = f"Import {number}: {found.stored(how.wins):,} labels of {names} are stored."
        st.session_state[_DONE] = done
        st.session_state.pop(_PLAN, None)
    except LabelingError as error:
        st.session_state[_REFUSED] = str(error)


def _take_back(workspace: Workspace, project: Project, key: str) -> None:
    with workspace.database.read() as cursor:
        known = [each for each in imports.listed(cursor, project.project_id)
                 if not each.taken_back]  # fmt: skip
    if not known:
        return
    words = {
        each.number: f"{each.number}: {each.detail['stored']:,} labels of {each.detail['file']}"
        for each in reversed(known)
    }
    with st.popover("Take back an import", icon=":material/undo:"):
        number = st.selectbox("Import", list(words), format_func=words.__getitem__,
                              key=key + "number")  # fmt: skip
        when, who = next((each.happened, each.by) for each in known if each.number == number)
        st.caption(
            f"Brought in by {who} on {when:%Y-%m-%d}. Its labels go, what they replaced comes "
            "back; what people have changed since stays."
        )
        st.button("Take it back", type="primary", key=key + "back", on_click=_undo,
                  args=(workspace, project.project_id, number))  # fmt: skip


def _undo(workspace: Workspace, project_id: str, number: int) -> None:
    try:
        done = use_cases.take_back_import(workspace, project_id, number, identity.person())
        text = f"Import {number} is taken back: {done.gone:,} labels are gone"
        text += f", {done.back:,} decisions are back" if done.back else ""
        text += f", {done.stay:,} that people have changed since stay" if done.stay else ""
        st.session_state[_DONE] = f"{text}."
    except LabelingError as error:
        st.session_state[_REFUSED] = str(error)


def at_start(fields: Fields, workspace: Workspace, modality: Modality, base: Settings) -> Given:
    """The fields of a new project whose samples are files: labels by sub-folder, or of a file."""
    if modality.source.thing != "folder":
        return NOTHING
    folders = st.toggle(
        "Sub-folders are categories", key=fields.key("folders"),
        help="Files in a sub-folder are labeled with its name, as an import; the others are to be "
        "labeled. The first session starts by itself.",
    )  # fmt: skip
    uploaded = [] if folders else st.file_uploader(
        "Labels that are there", KINDS, accept_multiple_files=True, key=fields.key("labels-file"),
        help="A table with the columns path and label, or what Label Studio, doccano, Prodigy, "
        "Argilla or the labeling plugin export. They are stored as an import.",
    )  # fmt: skip
    fields.slot("file", "Labels that are there")
    if not (folders or uploaded):
        return NOTHING
    drawn = st.toggle(
        "The labeled samples are a random draw", key=fields.key("drawn"),
        help="Only then may they measure accuracy, where probes are kept.",
    )  # fmt: skip
    if folders:
        return Given(folders=True, random_draw=drawn)
    try:
        file = _remembered(workspace, [(each.name, each.getvalue()) for each in uploaded], base)
    except LabelingError as error:
        fields.tell("file", str(error))
        return NOTHING
    return Given(file=file, name=", ".join(each.name for each in uploaded), random_draw=drawn)


def _remembered(workspace: Workspace, files: Files, settings: Settings) -> LabelFile:
    """What files hold, read once."""
    known, found = st.session_state.get(_AT_START, (None, None))
    if known != files or found is None:
        found = _read_for(workspace, files, "auto", "", settings)
        st.session_state[_AT_START] = (files, found)
    return found


def show_at_start(
    fields: Fields, workspace: Workspace, wanted: Settings, upload: Upload | Staged | None,
    given: Given,
) -> None:  # fmt: skip
    """A button that tells what would become of labels that are given, and makes nothing."""
    if given == NOTHING or not st.button("Dry run", key=fields.key("plan")):
        return
    try:
        plan = use_cases.plan_at_start(workspace, wanted, upload, identity.person(), given)
    except SettingsError as error:
        fields.show(error.found)
    except LabelingError as error:
        fields.tell(error.field or "file", str(error))
    else:
        if plan is not None:
            form = title_of(given.file.format) if given.file else "sub-folders"
            _show_plan(form, plan, PEOPLE)
