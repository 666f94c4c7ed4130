"""The widgets that narrow a download to some of the labels."""

from __future__ import annotations

import streamlit as st

from labeling_core.progress import label_filter
from labeling_core.progress.label_filter import Found, Wanted
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages.blocks import log_filter
from pages.shell.plain_text import escaped

_AGREEMENT = {
    None: "Any",
    0.5: "Half of the people, or more",
    2 / 3: "Two thirds of the people, or more",
    1.0: "All of the people",
}


def choose(workspace: Workspace, project: Project) -> Wanted:
    """Which labels shall be taken away, with how many that are."""
    with workspace.database.read() as cursor:
        every = label_filter.found(cursor, project)
    if not every.number:
        return label_filter.ALL
    with st.expander("Only some of the labels", icon=":material/filter_alt:"):
        wanted = _fields(every)
        if wanted == label_filter.ALL:
            st.caption(f"All {every.number:,} decisions are taken away.")
            return wanted
        with workspace.database.read() as cursor:
            number = label_filter.found(cursor, project, wanted).number
        st.caption(
            f"{number:,} of {every.number:,} decisions fit. Labels, metadata, the source with "
            "labels, Label Studio and the folder hold these alone; queries, sessions and the "
            "history come whole, in the DuckDB file too."
        )
    return wanted


def _fields(every: Found) -> Wanted:
    left, middle, right = st.columns(3)
    categories = left.multiselect(
        "Categories", every.categories, format_func=escaped, placeholder="All"
    )
    people = middle.multiselect("Labeled by", every.people, format_func=escaped, placeholder="All")
    agreement = right.selectbox(
        "Agreement on the sample",
        list(_AGREEMENT),
        format_func=lambda each: _AGREEMENT[each],
        disabled=len(every.people) < 2,
        help="How many of the people who labeled a sample chose its most frequent category.",
    )
    since, until = log_filter.days(left, middle, log_filter.zone())
    return Wanted(tuple(categories), tuple(people), since, until, agreement)
