"""What takes how much on the disk, and clearing what is made again; the backups. For admins."""

from __future__ import annotations

import streamlit as st

from labeling_core.config import RENDITIONS
from labeling_core.errors import LabelingError
from labeling_core.integrity import storage
from labeling_core.people import EVERYWHERE, Person
from labeling_core.projects import lifecycle
from labeling_core.workspace import Workspace, open_workspace
from pages.blocks import backup_list, live_sql, log_filter, remains
from pages.shell import identity


def show_uses(found: storage.Storage, titles: dict[str, str]) -> None:
    """The sums, and each kind of each project, the largest first."""
    st.caption(
        f"The database file and its log take {found.file / 1e6:,.1f} MB, what lies beside them "
        f"{found.beside / 1e6:,.1f} MB; {found.free / 1e9:,.1f} GB of the disk are free."
    )
    st.dataframe(
        [
            {
                "what": each.kind,
                "project": titles.get(each.project, each.project),
                "number": each.number,
                "MB": each.size / 1e6,
            }
            for each in sorted(found.uses, key=lambda use: -use.size)
        ],
        hide_index=True,
        column_config={"MB": st.column_config.NumberColumn(format="%.1f")},
    )
    st.caption(
        "Tables are counted in whole blocks of the database file, whose free blocks are used again "
        "before it grows. Events are never deleted: every decision can be told from them."
    )


def clear(workspace: Workspace, by: Person, titles: dict[str, str]) -> None:
    """A button for what may go, with what that costs."""
    left, right = st.columns(2)
    kind = left.selectbox("What", list(storage.CLEARABLE), format_func=str.capitalize)
    project_id = EVERYWHERE
    if kind != storage.WAIT:
        project_id = right.selectbox("Of", list(titles), format_func=lambda each: titles[each])
    limit = f" They take at most {RENDITIONS.get():,.0f} MB ({RENDITIONS.name})."
    st.caption(storage.CLEARABLE[kind] + (limit if kind == storage.RENDITIONS else ""))
    if st.button("Clear", icon=":material/mop:"):
        try:
            went = storage.clear(workspace.loop, kind, project_id, by)
            st.session_state[remains.TOLD] = f"{went / 1e6:,.1f} MB are free again."
            st.rerun()
        except LabelingError as error:
            st.error(str(error))


workspace, person = open_workspace(), identity.person()
with workspace.database.read() as cursor:
    projects = lifecycle.list_projects(cursor)
titles = {EVERYWHERE: "All projects"} | {each.project_id: each.settings.title for each in projects}
st.title("Storage", anchor=False)
if told := st.session_state.pop(remains.TOLD, None):
    st.success(told, icon=":material/check:")
show_uses(storage.look(workspace.database, person), titles | {EVERYWHERE: ""})
st.header("Make room", anchor=False)
clear(workspace, person, titles)
remains.show(workspace, person)
backup_list.show(workspace, person, log_filter.zone())
live_sql.show(workspace.live_sql, person)
