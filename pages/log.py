"""Who did what: the event log to read, filter and download; earlier decisions put back."""

from __future__ import annotations

from functools import partial

import streamlit as st

from labeling_core import eventlog, restoring
from labeling_core.errors import LabelingError
from labeling_core.event_sentences import sentence
from labeling_core.eventlog import DECISIONS, Entry, Filter
from labeling_core.people import EVERYWHERE
from labeling_core.workspace import workspace
from pages import backup_list, frame, log_filter

PAGE, HISTORY = 50, 200

by = frame.person()
st.title("Log", anchor=False)
space, project = workspace(), None
if not by.may("manage"):
    space, project = frame.current_project()
elif st.session_state.get("project"):
    project = space.project(st.session_state["project"])
if project is not None and not by.may("label", project.project_id):
    st.info("It shows decisions, so it needs the role of an annotator.", title="Not for you")
    st.stop()

everything = project is None or log_filter.whole_instance(by, project)
where = EVERYWHERE if project is None or everything else project.project_id
own = not by.may("manage", where)
st.caption(
    "What you have decided, and what became of it."
    if own
    else "Every decision and every change, in the order in which they happened. "
    "Nothing here is ever changed or deleted."
)
zone = log_filter.zone()
with space.database.read() as cursor:
    names = [] if own else eventlog.annotators(cursor, where, by)
wanted = log_filter.choose(where, names, zone)
with space.database.read() as cursor:
    number = eventlog.count(cursor, wanted, by)
if not number:
    st.info("Nothing has happened that fits the filter.", title="No events")
    st.stop()

left, right = st.columns(2, vertical_alignment="bottom")
pages = -(-number // PAGE)
page = left.number_input(f"Page of {pages:,}", 1, pages, key=f"log-page-{hash(wanted)}")
with space.database.read() as cursor:
    entries = eventlog.read(cursor, wanted, by, (int(page) - 1) * PAGE, PAGE)


def export(wanted: Filter) -> bytes:
    """The file behind the download button."""
    with space.database.read() as cursor:
        return eventlog.export(cursor, wanted, by)


right.download_button(
    f"Download {number:,} {'event' if number == 1 else 'events'} as CSV",
    partial(export, wanted),
    file_name=f"{where or 'all'}_log.csv",
    icon=":material/download:",
    on_click="ignore",
    help="All events that fit the filter, oldest first, times in UTC. Cells that a spreadsheet "
    "would take for a formula get an apostrophe in front.",
)
chosen = st.dataframe(
    [
        {"time": log_filter.local(each.happened, zone), "what happened": sentence(each)}
        | ({"project": each.project_id} if everything else {})
        for each in entries
    ],
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    key=f"log-table-{hash(wanted)}-{page}",
    column_config={
        "time": st.column_config.TextColumn(f"time ({zone.key})", width="small"),
        "what happened": st.column_config.TextColumn(width="large"),
    },
)
st.caption("Select an event of a sample to see all that happened to it, and to go back.")


def show_history(of: Entry) -> None:
    """All that happened to a sample, each state with a button that brings it back."""
    st.subheader(f"History of sample {of.sample_id}", anchor=False)
    one = Filter(of.project_id, kinds=tuple(DECISIONS), sample_id=str(of.sample_id))
    with space.database.read() as cursor:
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
    """Put a decision back as it was, and say so."""
    try:
        restoring.restore(space, space.project(entry.project_id), entry.event_id, by)
        st.session_state["log-restored"] = f"Sample {entry.sample_id} is as it was."
    except LabelingError as error:
        st.session_state["log-refused"] = str(error)


if told := st.session_state.pop("log-restored", None):
    st.success(told, icon=":material/check:")
if told := st.session_state.pop("log-refused", None):
    st.error(told)
selected = chosen.selection.rows
if selected and selected[0] < len(entries) and entries[selected[0]].sample_id:
    show_history(entries[selected[0]])
if by.may("manage"):
    backup_list.show(space, by, zone)
