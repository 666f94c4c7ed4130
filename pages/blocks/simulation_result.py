"""What a simulation found: progress while it runs, then curves, a table and one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.learning import classifiers, strategies
from labeling_core.learning.measures import MEASURES, WHEN, title
from labeling_core.people import EVERYWHERE, Person
from labeling_core.sessions.jobs import Status
from labeling_core.simulation import figure, summary
from labeling_core.simulation.replay import Run
from labeling_core.simulation.simulations import Simulation
from labeling_core.workspace import Workspace
from pages.shell import gate, identity
from pages.shell.figure import show_figure

BANDS = {"± 1 standard error": False, "95 % interval": True}
TITLES = {name: title(name) for name in MEASURES} | {"auc": "AUC"}


def show(workspace: Workspace) -> None:
    """The chosen one of all simulations, whoever started it; it is named in the URL."""
    listed = {each.simulation_id: each for each in workspace.simulations.listed(identity.person())}
    if not listed:
        return
    asked = st.query_params.get("simulation")
    if st.session_state.get("simulation") not in listed:
        st.session_state["simulation"] = asked if asked in listed else next(iter(listed))
    st.header("Result", anchor=False)
    chosen = st.selectbox(
        "Simulation", list(listed), key="simulation", format_func=lambda each: listed[each].words
    )
    st.query_params["simulation"] = chosen
    simulation = listed[chosen]
    running = workspace.simulations.status(simulation).state == "running"
    st.fragment(_show, run_every="2s" if running else None)(workspace, simulation, running)


def _show(workspace: Workspace, simulation: Simulation, was_running: bool) -> None:
    gate.still("manage", EVERYWHERE)
    status = workspace.simulations.status(simulation)
    if was_running and status.state != "running":
        st.rerun()
    runs = workspace.simulations.runs(simulation)
    _tell(workspace, simulation, status, max((run.n_labels[-1] for run in runs), default=0))
    if runs:
        _curves(workspace, runs, simulation, whole=status.state == "done")
    with st.container(horizontal=True):
        if runs:
            st.download_button(
                "Download the runs (JSON)", json.dumps(summary.as_json(runs)),
                f"simulation_{simulation.simulation_id}.json", "application/json",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        if status.state != "running" and st.button("Delete", icon=":material/delete:"):
            _do(workspace.simulations.delete, simulation)


def _do(action: Callable[[Simulation, Person], None], simulation: Simulation) -> None:
    try:
        action(simulation, identity.person())
    except LabelingError as error:
        st.error(str(error))
        return
    st.rerun()


def _tell(workspace: Workspace, simulation: Simulation, status: Status, reached: int) -> None:
    """What is replayed, and how far; ``reached`` labels in the runs so far, 0 before the first."""
    plan = simulation.plan
    pool = f" (the data held {reached:,})" if 0 < reached < plan.budget else ""
    st.caption(
        f"{simulation.source}. {classifiers.title(plan.classifier)}, batches of {plan.batch} up to "
        f"{plan.budget:,} labels{pool}, {plan.seeds} seeds; {plan.holdout:.0%} held out to measure."
    )
    for note in simulation.notes:
        st.caption(note)
    if status.state == "running":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(status.progress or 0.0, text=status.text)
            if st.button("Stop", icon=":material/stop:"):
                _do(workspace.simulations.stop, simulation)
    elif status.state != "done":
        kind = st.error if status.state == "failed" else st.warning
        kind(status.text)


def _curves(workspace: Workspace, runs: list[Run], simulation: Simulation, whole: bool) -> None:
    titles = {name: each.title for name, each in strategies.STRATEGIES.items()}
    done = len({run.seed for run in runs})
    if not whole:
        st.caption(f"So far {done} of {simulation.plan.seeds} seeds:")
    measure = _measure(workspace, runs, simulation)
    answer = summary.verdict(runs, titles, measure)
    if answer:
        st.info(answer, title="Would active learning have helped?")
    elif whole:
        st.info("Random and another strategy are both needed for an answer: run it with them.")
    interval = BANDS[
        st.segmented_control("Bands", list(BANDS), default=next(iter(BANDS)), required=True)
    ]
    drawn = [measure] + ["auc"] * bool(runs[0].auc)
    for column, each in zip(st.columns(len(drawn)), drawn, strict=True):
        with column:
            curves = summary.curves(runs, each)
            title = TITLES[each]
            show_figure(
                f"{title} by labels",
                figure.learning_curves(curves, title, interval, titles),
                f"Learning curves: {title} of each query strategy against the number of labels",
            )
    st.dataframe(
        [_row(each, titles, MEASURES[measure]) for each in summary.rows(runs, measure)],
        hide_index=True,
        column_config={
            "share of random’s labels": st.column_config.NumberColumn(format="percent"),
            "labels to reach random’s end": st.column_config.NumberColumn(format="%.0f"),
        },
    )  # fmt: skip
    st.caption(
        f"AULC: the area under the curve of {MEASURES[measure]}, which is its mean on the way, ± "
        "its standard error over the seeds. Random’s end: what it has at its last label. The ± of "
        "the answer above is its 95 % interval."
    )


def _measure(workspace: Workspace, runs: list[Run], simulation: Simulation) -> str:
    """By which measure the result is told: at first that of the project whose labels these are."""
    offered = summary.measured(runs)
    first = "accuracy"
    with suppress(LabelingError):  # it is of no project, or of one that is gone
        first = workspace.project(simulation.project_id).settings.measure
    chosen = st.segmented_control(
        "Measure", offered, default=first if first in offered else "accuracy", required=True,
        format_func=TITLES.__getitem__, key=f"measure-{simulation.simulation_id}",
        help=" ".join(f"{TITLES[each]}: {WHEN[each]}" for each in offered),
    )  # fmt: skip
    return str(chosen)


def _row(row: summary.Row, titles: dict[str, str], measure: str) -> dict[str, object]:
    reached = row.needed is not None and np.isfinite(row.needed)
    return {
        "strategy": titles.get(row.strategy, row.strategy),
        "AULC": f"{row.aulc:.2%} ± {row.aulc_error:.2%}",
        f"last {measure}": f"{row.last:.2%} ± {row.last_error:.2%}",
        "labels to reach random’s end": row.needed if reached else None,
        "share of random’s labels": row.share if reached else None,
    }
