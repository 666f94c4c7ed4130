"""The block of the progress page that says how far people agree."""

from __future__ import annotations

import streamlit as st

from labeling_core.labeling.queue import Queue
from labeling_core.learning import agreement
from labeling_core.progress import annotator_agreement, figures
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages.shell.figure import show_figure

HELP = (
    "Raw agreement is the share of pairs of labels on the same sample that are equal. Kappa and "
    "alpha take off what chance alone would bring: 1 is perfect, 0 is chance. Below each is the "
    "95 % interval (bootstrap over samples)."
)


def show(workspace: Workspace, project: Project) -> None:
    """Agreement between people; nothing where one person decides each sample."""
    with workspace.database.read() as cursor:
        found = annotator_agreement.report(cursor, project)
    if not found.samples and not project.settings.overlap_share:
        return
    st.header("Agreement between people", anchor=False, help=HELP)
    words = annotator_agreement.in_words(found, project.settings.names)
    st.caption(f"{words} {_open_question(workspace.queue(project).counts.disputed)}")
    if not found.samples:
        return
    kappa = "Cohen's kappa" if len(found.people) == 2 else "Fleiss' kappa"
    with st.container(horizontal=True):
        st.metric("Samples labeled twice or more", f"{found.samples:,}")
        _metric("Raw agreement", found.raw, ".0%")
        _metric(kappa, found.kappa, ".2f")
        _metric("Krippendorff's alpha", found.alpha, ".2f")
    _show_pairs(found, project.settings.names)


def show_decisions(queue: Queue) -> None:
    """How many decisions have been made, as the labeling page counts them; nothing where one
    person decides each sample."""
    if not queue.overlap.used:
        return
    st.metric(
        "Decisions",
        f"{queue.counts.decisions.total():,} of {queue.size + queue.counts.further:,}",
        help="Some samples are decided by several people. The labeling page counts decisions; "
        "all else here counts samples, each once, as labeled or skipped unless people disagree: "
        f"{queue.counts.disputed:,} now.",
    )


def _show_pairs(found: annotator_agreement.Report, names: tuple[str, ...]) -> None:
    left, right = st.columns(2)
    with left:
        two = len(found.people) == 2
        axes = found.people if two else ["one person", "another"]
        show_figure(
            "Who chose what",
            figures.confusion(found.confusion, names, axes[0], axes[1]),
            "How often each category of one person met each category of another",
            "On the diagonal people agree. "
            + ("" if two else "Every pair of people counts, both ways round."),
        )
    with right:
        st.header("Pairs of people", anchor=False)
        st.dataframe(
            [{"person": each.first, "and": each.second, "samples": each.samples,
              "agree": each.raw, "Cohen's kappa": each.kappa} for each in found.pairs],
            hide_index=True,
            column_config={
                "agree": st.column_config.NumberColumn(format="percent"),
                "Cohen's kappa": st.column_config.NumberColumn(format="%.2f"),
            },
        )  # fmt: skip


def _open_question(disputed: int) -> str:
    if not disputed:
        return ""
    number = "1 sample" if disputed == 1 else f"{disputed:,} samples"
    return f"People disagree on {number}: not learned from, and not counted, until settled."


def _metric(title: str, each: agreement.Estimate, form: str) -> None:
    """A figure with its interval below it; a dash where it is not defined."""
    interval = None
    if each.low is not None and each.high is not None:
        interval = f"{each.low:{form}} to {each.high:{form}}"
    value = "–" if each.value is None else format(each.value, form)
    st.metric(title, value, interval, delta_color="off", delta_arrow="off")
