"""How well each category is found: a block of the progress page."""

from __future__ import annotations

import duckdb
import streamlit as st

from labeling_core.labeling.queue import Queue
from labeling_core.learning.evaluation import ENOUGH
from labeling_core.progress import category_recall
from labeling_core.progress.category_recall import Recall
from labeling_core.settings import Project
from pages.shell.plain_text import escaped


def show(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    queue: Queue,
    labels: list[tuple[str, int]],
) -> None:
    """A warning about categories with hardly a label, and what the probes say of each one."""
    few = category_recall.hardly_known(project, labels)
    if few:
        st.warning(few, icon=":material/search:")
    judged = category_recall.judged(cursor, project, queue)
    found = category_recall.recalls(judged, project.settings.classes)
    if not found:
        return
    st.header(
        "Found, by category", anchor=False,
        help="Of the probes of a category, how many the newest model finds, with a 95 % interval; "
        f"of fewer than {ENOUGH} probes the interval only. "
        "Where two categories are taken for each other again and again, more labels will hardly "
        "help: the data may not show the difference.",
    )  # fmt: skip
    st.caption(escaped(category_recall.by_category(judged, project.settings.classes)))
    numbers = dict(labels)
    st.dataframe(
        [_row(each, numbers[each.category]) for each in found],
        hide_index=True,
        column_config={
            "found": st.column_config.ProgressColumn(format="%.0f %%", max_value=100),
            "from": st.column_config.NumberColumn(format="%.0f %%"),
            "to": st.column_config.NumberColumn(format="%.0f %%"),
        },
    )


def _row(each: Recall, labels: int) -> dict[str, object]:
    taken = f"{each.taken_for} ({each.times} of {each.probes})" if each.times else ""
    return {
        "category": each.category,
        "labels": labels,
        "probes": each.probes,
        "found": 100 * each.share.share if each.probes >= ENOUGH else None,
        "from": 100 * each.share.low,
        "to": 100 * each.share.high,
        "mostly taken for": taken,
    }
