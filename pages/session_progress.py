"""The learning curve, for people who look at curves and need not label."""

from __future__ import annotations

from functools import partial

import streamlit as st

from labeling_core.progress import downloads, figures, learning_curve
from labeling_core.progress.label_filter import ALL
from labeling_core.progress.session_words import (
    SHARES,
    between,
    explain_area,
    explain_calibration,
    explain_score,
    hits,
    measure,
    samples,
    session_row,
    told,
    vague,
)
from labeling_core.store import exporting
from pages.blocks import (
    agreement,
    category_recall,
    final_model,
    label_filter,
    learned_columns,
    log_filter,
    stopping_advice,
)
from pages.blocks.downloads import export_model, links
from pages.shell import identity
from pages.shell.figure import show_figure
from pages.shell.plain_text import escaped
from pages.shell.project import current_project
from pages.shell.status import show_status

st.title("Session progress", anchor=False)
workspace, project = current_project()
person = identity.person()
queue = workspace.queue(project)
with workspace.database.read() as cursor:
    sessions = learning_curve.sessions(cursor, project, queue)
    by_category = learning_curve.labels_by_category(cursor, project)
    over_time = learning_curve.labels_over_time(cursor, project)
    outdated = learning_curve.outdated(cursor, project)
    imported = learning_curve.imported(cursor, project)
    unused = learning_curve.unused(cursor, project, queue)
finished = [each for each in sessions if each.state == "DONE"]
measured = learning_curve.last_measured(sessions)

st.caption(f"Project: {escaped(project.settings.title)}")
show_status(project)
if outdated:
    st.warning(outdated, title="The model is out of date")
with st.container(horizontal=True):
    st.metric("Samples labeled" if queue.overlap.used else "Labeled", f"{queue.counts.labeled:,}")
    st.metric("Samples skipped" if queue.overlap.used else "Skipped", f"{queue.counts.skipped:,}")
    st.metric("Samples in all", f"{queue.size:,}")
    agreement.show_decisions(queue)
    if imported:
        st.metric("Imported", f"{imported:,}", help="Decisions from elsewhere.")
    st.metric("Sessions", len(finished))
    if measured:
        score, low, high = measured.score, measured.score_low, measured.score_high
        st.metric(measure(measured), told(score, low, high))
        if not vague(low, high):
            st.metric("95 % interval", between(low, high))
        elif measured.measure == "accuracy":  # then the figure is the interval
            st.metric("Right", hits(measured))
        else:
            st.metric("Measured on", samples(measured))
        if measured.measure != "accuracy":
            st.metric("Accuracy", told(measured.accuracy, measured.low, measured.high))

if unused:
    st.info(unused)
if measured and measured.lacking:
    st.info(f"{escaped(measured.lacking)} Until then accuracy is told.",
            title="Not by the measure of this project yet")  # fmt: skip
if finished:
    stopping_advice.show(project, sessions)
if measured:
    st.caption(
        f"{explain_score(measured)} {explain_area(measured)} {explain_calibration(measured)}"
    )
    by = st.segmented_control(
        f"{measure(measured)} by", ["session_id", "number of labels"], default="session_id",
        required=True, key="curve-by",
    )  # fmt: skip
    show_figure(
        measure(measured),
        figures.curve(sessions, measured.measure, by != "session_id"),
        f"{measure(measured)} and AUC by session",
    )
elif finished:
    st.info(
        "The labels do not allow a measurement yet: two of each category are needed.",
        title="Accuracy is not known yet",
    )
else:
    st.info(
        f"The first session starts after {project.settings.every} labels of at least two "
        "categories, or when someone starts one on the query sampler page.",
        title="No session has finished yet",
    )
left, right = st.columns(2)
with left:
    show_figure(
        "Labels per category",
        figures.labels_by_category(by_category, project.settings.categories),
        "Bar chart of labels per category",
    )
with right:
    if over_time:
        show_figure(
            "Labels over time",
            figures.labels_over_time(over_time, log_filter.zone()),
            "Labels over time",
            "Without what was imported." if imported else None,
        )
if finished:
    with workspace.database.read() as cursor:
        category_recall.show(cursor, project, queue, by_category)
if any(each.contradictions is not None for each in finished):
    show_figure(
        "Contradictions",
        figures.contradictions(sessions),
        "Share of predictions that changed from session to session",
        "The share of up to 1,000 unlabeled samples whose predicted category changed from one "
        "session to the next. It falls as the model settles.",
    )
agreement.show(workspace, project)
learned_columns.show(workspace, project)

if sessions:
    st.header("Sessions", anchor=False)
    st.dataframe(
        [session_row(each) for each in reversed(sessions)],
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="percent") for name in SHARES}
        | {"AUC": st.column_config.NumberColumn(format="%.3f")},
    )

st.header("Download", anchor=False)
form = st.segmented_control("Format", list(exporting.FORMATS), default="CSV", required=True)
safe = exporting.is_csv(form) and st.toggle(
    "Safe to open in a spreadsheet",
    help="Texts that begin with = + - @, a tab or a line break get an apostrophe in front, so "
    "that no spreadsheet runs them as a formula. Off: every cell exactly as it is.",
)
manages = person.may("manage", project.project_id)
wanted = label_filter.choose(workspace, project) if manages else ALL
with workspace.database.read() as cursor:
    kept = downloads.session_of_model(cursor, project.project_id)
last = finished[-1].session_id if finished else None
if manages and kept != last:
    st.caption(
        f"The model of session {last} is being stored just now, or was lost when the program ended "
        "or the process that trains did; the next session brings another."
    )
with st.container(horizontal=True):
    links(project, form, bool(safe), wanted)
    if kept and manages:
        st.download_button(
            "Model of the last session" if kept == last else f"Model of session {kept}",
            partial(export_model, project, person.name),
            file_name=f"{project.project_id}_model.zip",
            icon=":material/download:",
            on_click="ignore",
            help="A zip of model.skops (a scikit-learn pipeline from the raw columns, or the "
            "features of a file, to the category) and model_card.json (what it was trained on, "
            "and how good it is).",
        )
final_model.show(project, form, bool(safe))
