"""Replay labeled data: would active learning have helped?"""

from __future__ import annotations

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIER
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.simulation import simulations
from labeling_core.simulation.data_sources import ROWS, Source, wine_colour
from labeling_core.simulation.replay import Plan
from labeling_core.workspace import open_workspace
from pages.blocks import simulation_result
from pages.forms import simulation_source
from pages.shell import identity

workspace = open_workspace()


def start(source: Source, plan: Plan) -> None:
    """Start a simulation and show it; a mistake is told in place of it."""
    with st.spinner("Drawing the samples …"):
        shown = workspace.simulations.start(source, plan, identity.person())
    st.session_state["simulation"] = shown
    st.query_params["simulation"] = shown


def show_cost(plan: Plan) -> bool:
    """How long a plan takes, or what is wrong with it; whether it can be carried out."""
    try:
        simulations.check(plan)
    except LabelingError as error:
        st.error(str(error), icon=":material/error:")
        return False
    models, seconds = simulations.estimate(plan)
    st.caption(
        f"{models:,} models to train: about {max(1, round(seconds / 60))} min on an idle core. "
        f"Of more than {ROWS:,} labeled samples a random {ROWS:,} are taken. It runs in a process "
        "of its own, behind the labeling sessions; you may leave this page."
    )
    return True


st.title("Simulation", anchor=False)
st.caption(
    "Would active learning have helped on my data? Labeled data are labeled once more, with the "
    "known answers, by each query strategy; a part of them is held out to measure accuracy."
)
with st.container(border=True, horizontal=True, vertical_alignment="center"):
    st.markdown(
        "**The wine-colour figure.** One wine at a time, red or white: smallest margin against "
        "random and automatic, 43 labels, 10 seeds. It takes about a minute."
    )
    if st.button("Show the wine-colour figure", type="primary", icon=":material/wine_bar:"):
        try:
            start(wine_colour(identity.person()), simulations.WINES)
        except LabelingError as error:
            st.error(str(error))

listed = workspace.simulations.listed(identity.person())
# As it was at first: a first result must not fold the form while somebody fills it in.
unfolded = st.session_state.setdefault("simulation_unfolded", not listed)
with st.expander("Replay your own data", icon=":material/science:", expanded=unfolded):
    source = simulation_source.choose(workspace)
    strategies = st.multiselect(
        "Query strategies", list(STRATEGIES), ["auto", "margin", "random"],
        format_func=lambda each: STRATEGIES[each].title,
        help="Keep “Random” among them: it is what the others are measured against.",
    )  # fmt: skip
    first, second, third, fourth = st.columns(4)
    classifier = first.selectbox(
        "Classifier", list(CLASSIFIERS), list(CLASSIFIERS).index(DEFAULT_CLASSIFIER),
        format_func=lambda each: CLASSIFIERS[each].title, key="simulation-classifier",
    )  # fmt: skip
    # Bounds are for simulations.check to tell: a field would hold on to the number before.
    batch = second.number_input(
        "Batch size", value=10, help="Labels between two sessions, as “retrain every n”."
    )
    budget = third.number_input("Budget", value=200, help="Labels in all, at most.")
    seeds = fourth.number_input(
        "Seeds", value=10, help="Repetitions, each with another hold-out and other luck."
    )
    plan = Plan(strategies, int(batch), int(budget), int(seeds), classifier)
    possible = show_cost(plan)
    if st.button("Run the simulation", icon=":material/play_arrow:") and possible:
        try:
            start(source(), plan)
        except LabelingError as error:
            st.error(str(error), icon=":material/error:")

simulation_result.show(workspace)
