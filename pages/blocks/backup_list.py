"""The backups there are, and making one now; for admins."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st

from labeling_core.config import BACKUPS_KEEP
from labeling_core.errors import LabelingError
from labeling_core.people import Person
from labeling_core.store.backups import Backup, backup_folder, list_backups
from labeling_core.workspace import Workspace
from pages.blocks.log_filter import local


def show(workspace: Workspace, by: Person, zone: ZoneInfo) -> None:
    """The section on backups."""
    path = workspace.database.path
    st.header("Backups", anchor=False)
    try:
        st.caption(
            "A copy of the whole database is made once a day and kept for "
            f"{BACKUPS_KEEP.get()} days, in `{backup_folder(path)}`. Folders of images and "
            "sounds are not in it. To go back to one, stop the app and run "
            "`python -m labeling_core restore FILE`."
        )
        if st.button("Back up now", icon=":material/backup:"):
            with st.spinner("Copying the database; labeling goes on …"):
                made = workspace.backups.make(by)
            st.toast(f"Saved as {made.path.name}.", icon=":material/check:")
    except LabelingError as error:
        st.error(str(error))
    if workspace.backups.trouble:
        st.warning(workspace.backups.trouble, title="The last daily backup failed")
    found = list_backups(path)
    if not found:
        st.info("The first one is made a minute after the start.", title="No backup yet")
        return
    st.dataframe(
        [
            {
                "time": local(each.made, zone),
                "MB": each.size / 1e6,
                "made": _why(each),
                "file": each.path.name,
            }
            for each in found
        ],
        hide_index=True,
        column_config={
            "time": st.column_config.TextColumn(f"time ({zone.key})"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
        },
    )


def _why(backup: Backup) -> str:
    if backup.dropped:
        return f"before tables of {backup.dropped} were dropped"
    return "daily, or by hand" if backup.upgraded_from is None else "before an upgrade"
