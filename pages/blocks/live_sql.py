"""Live SQL: whether it is on, and how to attach; for admins, where it was asked for."""

from __future__ import annotations

import streamlit as st

from labeling_core.live_sql.service import LiveSql
from labeling_core.people import Person


def show(live: LiveSql, by: Person) -> None:
    """The section on live SQL; nothing where nobody has asked for it."""
    gates = live.told(by)
    if not gates and not live.trouble:
        return
    st.header("Live SQL", anchor=False)
    if live.trouble:
        st.warning(live.trouble, title="Live SQL is off" if not gates else "Not up to date")
    for audience, attach, trouble in gates:
        st.subheader(f"For {audience}", anchor=False)
        if trouble:
            st.warning(trouble, title="Not there")
            continue
        st.caption(
            "Any DuckDB client reads the tables while people label, with the secret that the "
            "server was started with in the place of its name. Nobody writes here."
        )
        st.code(attach, language="sql")
