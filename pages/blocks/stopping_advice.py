"""When to stop, and what probes cost: the block of the progress page, the line of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from labeling_core.learning import stopping
from labeling_core.progress import figures, learning_curve, probe_cost, stopping_evidence
from labeling_core.progress.learning_curve import Session
from labeling_core.projects import probe_draw
from labeling_core.projects.labels import undrawn_count
from labeling_core.settings import Project
from labeling_core.workspace import Workspace, open_workspace
from pages.shell.figure import show_figure

LOOKS = {
    "go on": (st.info, ":material/trending_up:"),
    "stop": (st.success, ":material/flag:"),
    "unknown": (st.warning, ":material/hourglass_empty:"),
}


def show(project: Project, sessions: Sequence[Session]) -> None:
    """The advice in words, and the curve that it comes from."""
    workspace = open_workspace()
    with workspace.database.read() as cursor:
        found = stopping_evidence.read(cursor, project, workspace.queue(project), sessions)
    advice = stopping.advise(found)
    look, icon = LOOKS[advice.verdict]
    look("  \n".join(advice.reasons), icon=icon, title=advice.title)
    if advice.forecast is not None:
        show_figure(
            "When to stop",
            figures.forecast(stopping_evidence.comparable(sessions), advice.forecast),
            "Score against labels: measured, fitted curve, and forecast to twice the labels",
            "A power law, error = a + b · labels^-c, fitted to what was measured; its band by "
            "bootstrap. From the dotted line on it also uses how many predictions still change "
            "as labels come in. Labeling may stop when twice the labels would, four times in "
            "five, gain less than one point.",
        )


def show_probe_cost(
    workspace: Workspace, project: Project | None, percent: int, test_table: str, size: int | None
) -> None:
    """What the chosen share of probes costs and buys in this project, or in a new one of ``size``
    samples (None: not known yet)."""
    if test_table:
        st.caption("The test table measures: no probes are drawn.")
        return
    left = probe_cost.AHEAD + 1 if size is None else size
    free, evaluated, accuracy = round(percent / 100 * left), 0, None
    if project is not None:
        queue = workspace.queue(project)
        with workspace.database.read() as cursor:
            last = learning_curve.summary(cursor, project, queue).last
        left = queue.pool.free() + len(queue.reservations)
        if last is not None and last.kind == "probes":
            evaluated, accuracy = last.evaluated, last.accuracy
        chosen = replace(project.settings, probe_share=percent / 100, test_table="")
        with workspace.database.read() as cursor:
            kept = probe_draw.kept(project, chosen, undrawn_count(cursor, project))
        free = int((~queue.pool.closed[:kept]).sum())
    st.caption(probe_cost.describe(percent / 100, left, free, evaluated, accuracy))
