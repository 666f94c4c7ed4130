"""Who did what: the event log to read, filter and download; earlier decisions put back."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.labeling import restoring
from labeling_core.people import EVERYWHERE, Person
from labeling_core.store import eventlog
from labeling_core.store.event_sentences import sentence
from labeling_core.store.eventlog import DECISIONS, Filter
from labeling_core.store.events import Entry
from labeling_core.workspace import Workspace, open_workspace
from pages.blocks import log_filter
from pages.shell import identity
from pages.shell.project import current_project

PAGE, HISTORY = 50, 200


def show_events(workspace: Workspace, where: str, by: Person, zone: ZoneInfo) -> None:
    """The filter, a page of the events that fit it, and what the selected one is about."""
    with workspace.database.read() as cursor:
        names = eventlog.annotators(cursor, where, by) if by.may("manage", where) else []
    wanted = log_filter.choose(where, names, zone)
    with workspace.database.read() as cursor:
        number = eventlog.count(cursor, wanted, by)
    if not number:
        st.info("Nothing has happened that fits the filter.", title="No events")
        return
    left, right = st.columns(2, vertical_alignment="bottom")
    pages = -(-number // PAGE)
    page = int(left.number_input(f"Page of {pages:,}", 1, pages, key=f"log-page-{hash(wanted)}"))
    with workspace.database.read() as cursor:
        entries = eventlog.read(cursor, wanted, by, (page - 1) * PAGE, PAGE)
    right.download_button(
        f"Download {number:,} {'event' if number == 1 else 'events'} as CSV",
        partial(export, wanted, by.name),
        file_name=f"{where or 'all'}_log.csv",
        icon=":material/download:",
        on_click="ignore",
        help="All events that fit the filter, oldest first, times in UTC. Cells that a "
        "spreadsheet would take for a formula get an apostrophe in front.",
    )
    selected = show_table(entries, zone, f"log-table-{hash(wanted)}-{page}", where == EVERYWHERE)
    st.caption("Select an event of a sample to see all that happened to it, and to go back.")
    if selected is not None and selected.sample_id:
        show_history(workspace, selected, by, zone)


def show_table(entries: list[Entry], zone: ZoneInfo, key: str, projects: bool) -> Entry | None:
    """The events as sentences; the one that is selected."""
    chosen = st.dataframe(
        [
            {"time": log_filter.local(each.happened, zone), "what happened": sentence(each)}
            | ({"project": each.project_id} if projects else {})
            for each in entries
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        column_config={
            "time": st.column_config.TextColumn(f"time ({zone.key})"),
            "what happened": st.column_config.TextColumn(width="large"),
        },
    )
    rows = chosen.selection.rows
    return entries[rows[0]] if rows and rows[0] < len(entries) else None


def show_history(workspace: Workspace, of: Entry, by: Person, zone: ZoneInfo) -> None:
    """All that happened to a sample, each state with a button that brings it back."""
    st.header(f"History of sample {of.sample_id}", anchor=False)
    one = Filter(of.project_id, kinds=tuple(DECISIONS), sample_id=str(of.sample_id))
    with workspace.database.read() as cursor:
        history = eventlog.read(cursor, one, by, 0, HISTORY)
    for number, each in enumerate(history):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.caption(log_filter.local(each.happened, zone), width="content")
            st.text(sentence(each), width="stretch")
            mine = restoring.whose(each) == by.name or by.may("manage", each.project_id)
            if number and mine and each.kind in restoring.KINDS:
                st.button(
                    "Restore this",
                    icon=":material/history:",
                    key=f"restore-{each.event_id}",
                    on_click=restore,
                    args=(each,),
                )


def restore(entry: Entry) -> None:
    """Put a decision back as it was, with the rights of this moment; the next run tells of it."""
    workspace = open_workspace()
    try:
        project = workspace.project(entry.project_id)
        restoring.restore(workspace.open_projects, project, entry.event_id, identity.person())
        st.session_state["log-restored"] = f"Sample {entry.sample_id} is as it was."
    except LabelingError as error:
        st.session_state["log-refused"] = str(error)


def export(wanted: Filter, name: str) -> bytes:
    """The file behind the download button that was made for the person of that ``name``."""
    workspace = open_workspace()
    with workspace.database.read() as cursor:
        return eventlog.export(cursor, wanted, workspace.roles.person(name))


person = identity.person()
st.title("Log", anchor=False)
everywhere, workspace = person.may("manage"), open_workspace()
if not everywhere:
    workspace, project = current_project()
    if not person.may("label", project.project_id):
        st.info("It shows decisions, so it needs the role of an annotator.", title="Not for you")
        st.stop()
    scope = project.project_id
else:
    scope = log_filter.scope(workspace, st.session_state.get("project"))
if person.may("manage", scope):
    st.caption(
        "Every decision and every change, in the order in which they happened. "
        "Nothing here is ever changed or deleted."
    )
else:
    st.caption("What you have decided, and what became of it.")
if told := st.session_state.pop("log-restored", None):
    st.success(told, icon=":material/check:")
if told := st.session_state.pop("log-refused", None):
    st.error(told, icon=":material/error:")
show_events(workspace, scope, person, log_filter.zone())
