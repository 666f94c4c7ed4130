"""Run a session by hand, and see what is asked next and why."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.learning import classifiers, strategies
from labeling_core.progress import figures, learning_curve
from labeling_core.projects import queries
from pages.blocks import trigger
from pages.shell import identity
from pages.shell.figure import show_figure
from pages.shell.plain_text import escaped
from pages.shell.project import current_project
from pages.shell.status import show_status

st.title("Query sampler", anchor=False)
workspace, project = current_project()
settings, queue = project.settings, workspace.queue(project)
st.caption(f"Project: {escaped(settings.title)}")
if not settings.queries_table:
    st.info("Name a queries table in the settings to use it.", title="Active learning is off")
    if identity.person().may("manage", project.project_id):
        st.page_link("settings.py", label="Open the settings", icon=":material/tune:")
    st.stop()

classifier_column, strategy_column = st.columns(2)
on_offer = classifiers.choices(settings.classifier)
classifier = classifier_column.selectbox(
    "Classifier",
    on_offer,
    index=on_offer.index(settings.classifier),
    key=f"sampler-classifier-{project.project_id}",
    format_func=classifiers.title,
)
classifier_column.caption(classifiers.description(classifier))
on_offer = strategies.choices(settings.strategy)
strategy = strategy_column.selectbox(
    "Query strategy",
    on_offer,
    index=on_offer.index(settings.strategy),
    key=f"sampler-strategy-{project.project_id}",
    format_func=lambda each: strategies.named(each).title,
)
strategy_column.caption(strategies.named(strategy).description)
if st.button("Run a session now", type="primary", icon=":material/play_arrow:"):
    try:
        use_cases.run_session(workspace, project, identity.person(), classifier, strategy)
    except LabelingError as error:
        st.error(str(error))
show_status(project)

with workspace.database.read() as cursor:
    runs = learning_curve.sessions(cursor, project)
    done = [each for each in runs if each.state == "DONE"]
    spread = queries.histogram(cursor, project)
    head = queries.head(cursor, project, done[-1].strategy if done else settings.strategy)
trigger.show(project, runs)
undecided, counts = int((~queue.pool.closed).sum()), queue.counts
if not head and not undecided:
    st.success(
        f"{counts.labeled:,} labeled, {counts.skipped:,} skipped: nothing is left to ask.",
        title="All samples are decided",
        icon=":material/check_circle:",
    )
    st.stop()
if not head and done:
    st.info(
        f"{undecided:,} samples are left; the next session puts them in a new order.",
        title="The queue is used up",
    )
    st.stop()
if not head:
    st.info(
        f"It fills when the first session has run: after {settings.every} labels of at least "
        "two categories, or with the button above.",
        title="The queue is empty",
    )
    st.stop()
if done:
    st.caption(
        f"Session {done[-1].session_id}: {classifiers.title(done[-1].classifier)}, "
        f"{strategies.named(done[-1].strategy).title}, {done[-1].labels:,} labels; "
        f"{sum(spread.counts):,} samples in the queue."
    )
    show_figure(
        "Uncertainty of the pool",
        figures.uncertainty(*spread),
        "Histogram of the uncertainty of the unlabeled samples",
    )
else:
    st.caption("No session has run yet: the queue starts with samples from all over the pool.")
st.header("Next in the queue", anchor=False)
if done and not strategies.named(done[-1].strategy).by_uncertainty:
    st.caption("The order of the queue is the strategy's: not uncertainty alone decides.")
st.dataframe(
    head,
    hide_index=True,
    column_config={"uncertainty": st.column_config.NumberColumn(format="%.4f")},
)
