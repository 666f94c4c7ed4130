"""Make a project, or change one; every mistake is named beside its field."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.labels_at_start import NOTHING
from labeling_core.learning import classifiers, strategies
from labeling_core.modalities.registry import MODALITIES
from labeling_core.projects import lifecycle
from labeling_core.projects.validation import Problem, SettingsError
from labeling_core.settings import Settings, default_tables
from labeling_core.sources.parquet_folders import is_pattern
from labeling_core.sources.uploads import Staged
from labeling_core.workspace import open_workspace
from pages.blocks import learned_columns, project_actions, same_files, set_aside, stopping_advice
from pages.forms import (
    category_fields,
    found_columns,
    label_import,
    making,
    media_fields,
    overlap_fields,
    row_fields,
    settings_fields,
    source_fields,
)
from pages.forms.fields import Fields
from pages.shell import identity
from pages.shell.plain_text import escaped
from pages.shell.project import label_page

workspace = open_workspace()
chosen = st.session_state.get("project")
old = None if "new" in st.query_params or chosen is None else workspace.project(chosen)
base = old.settings if old else Settings()
fields = Fields(old.project_id if old else "new")

if made := None if old else making.made():  # before the form, whose upload is in the database now
    fields.forget()
    st.switch_page(label_page(made), query_params={"project": made.project_id})

with st.container(horizontal=True, vertical_alignment="center"):
    st.title(f"Settings of {escaped(base.title)}" if old else "New project", anchor=False)
    if old and st.button("New project", icon=":material/add:"):
        st.query_params["new"] = "1"
        st.rerun()
    if not old and chosen and st.button("Back to the project", icon=":material/arrow_back:"):
        del st.query_params["new"]
        st.rerun()

st.header("What is labeled", anchor=False)
title = fields.text("title", "Name", base.title, "What the project is called on every page.")
modality = MODALITIES[fields.choice(
    "modality", "Modality", {each: each.capitalize() for each in MODALITIES}, base.modality,
    "What a sample is: the row of a table, an image, or a recording.",
)]  # fmt: skip
source, upload = source_fields.source(fields, workspace, modality, base, old)
columns = found_columns.choose(fields, workspace, base, old, source, upload)
upload = found_columns.read_as_chosen(upload, columns)
cut = media_fields.windows(fields, modality, base)
if old:
    learned_columns.show(workspace, old)
given = NOTHING if old else label_import.at_start(fields, workspace, modality, base)

st.header("Categories", anchor=False)
if not old:
    there = found_columns.labels(workspace, columns, source, upload)
    base = found_columns.categories_of(there, base)
table = None if upload is None or isinstance(upload, Staged) else upload
categories = settings_fields.categories(
    fields, workspace, base, source if modality.source.thing == "table" else "", table
)
if old:
    category_fields.show(workspace, old)

st.header("Tables", anchor=False)
default = default_tables(title)
left, right = st.columns(2)
with left:
    labels_table = fields.text(
        "labels_table", "Labels table", base.labels_table,
        "Where the labeled samples go: the source's own columns, the label and its id.",
        default=base.labels_table or default["labels_table"],
    )  # fmt: skip
    metadata_table = fields.text(
        "metadata_table", "Metadata table", base.metadata_table,
        "One row per decision: status, comment, session, annotator, time.",
        default=base.metadata_table or default["metadata_table"],
    )  # fmt: skip
    use_queries = st.toggle(
        "Active learning", bool(base.queries_table) or old is None, key=fields.key("use_queries"),
        help="Off: samples come in a random order, and no model is trained.",
    )  # fmt: skip
    queries_table = ""
    if use_queries:
        queries_table = fields.text(
            "queries_table", "Queries table", base.queries_table,
            "The unlabeled samples with their uncertainty, written anew by each session.",
            default=base.queries_table or default["queries_table"],
        )  # fmt: skip
with right:
    names = None if old else found_columns.names_of(workspace, source, upload)
    usual = found_columns.free_names(names) if names else {}
    label_column = fields.text(
        "label_column", "Label column", base.label_column if old else "",
        "The column of labels and metadata that holds the category's name.",
        default=usual.get("label_column", base.label_column),
    )  # fmt: skip
    label_id_column = fields.text(
        "label_id_column", "Label id column", base.label_id_column if old else "",
        "The number that joins labels and metadata; never used to learn from.",
        default=usual.get("label_id_column", base.label_id_column),
    )  # fmt: skip

st.header("Learning", anchor=False)
left, right = st.columns(2)
with left:
    classifier = fields.choice(
        "classifier", "Classifier",
        {key: classifiers.title(key) for key in classifiers.choices(base.classifier)},
        base.classifier, "The model that is trained on the labels.",
    )  # fmt: skip
    st.caption(classifiers.description(classifier))
    strategy = fields.choice(
        "strategy", "Query strategy",
        {key: strategies.named(key).title for key in strategies.choices(base.strategy)},
        base.strategy, "How the next samples to label are chosen.",
    )  # fmt: skip
    st.caption(strategies.named(strategy).description)
with right:
    every = fields.number(
        "every", "Retrain every n labelings", base.every,
        "After so many new labels a session runs by itself: train, score, new queue.",
    )  # fmt: skip
    percent = fields.percent(
        "probe_share", "Share of probes (%)", round(base.probe_share * 100), 50,
        "So many of the samples shown are drawn at random and only measure accuracy: that keeps "
        "the learning curve honest. They look like any other sample.",
    )  # fmt: skip
    measure = settings_fields.measure(fields, base)
    cost = st.container()
    test_table = ""
    if modality.test_tables:
        test_table = settings_fields.test_table(fields, workspace, base)
    with cost:
        size = source_fields.size(workspace, modality, source, upload)
        stopping_advice.show_probe_cost(workspace, old, percent, test_table, size)
    features = media_fields.chosen_features(fields, modality, base)

wanted = replace(
    base, title=title.strip(), modality=modality.name, source=source, categories=categories,
    labels_table=labels_table, metadata_table=metadata_table, queries_table=queries_table,
    label_column=label_column, label_id_column=label_id_column, classifier=classifier,
    strategy=strategy, measure=measure, every=int(every), probe_share=percent / 100,
    test_table=test_table, columns=columns.columns, main_column=columns.main_column,
    **features, **cut, **overlap_fields.several_people(fields, base),
)  # fmt: skip

label_import.show_at_start(fields, workspace, wanted, upload, given)
found: list[Problem] = []
save = st.button(
    "Save" if old else "Create the project", type="primary", key=fields.key("save"),
    disabled=not old and making.running(),
)  # fmt: skip
try:
    if save and old:
        with workspace.database.read() as cursor:
            found = lifecycle.problems(cursor, wanted, old)
        if not found:
            use_cases.update_project(workspace, old.project_id, wanted, identity.person())
            st.session_state["settings_saved"] = found_columns.saved(base, wanted)
            st.rerun()  # the heading and the sidebar tell the name of before
    elif save:
        who = identity.person()
        making.begin(
            workspace.database,
            lambda: use_cases.create_from_upload(workspace, wanted, upload, who, given),
        )
        st.rerun()
    if not old:
        making.show()
except SettingsError as error:
    found = error.found
except LabelingError as error:
    found = [Problem(error.field or "save", str(error))]
fields.show(found)

if saved := st.session_state.pop("settings_saved", ""):
    st.toast(saved, icon=":material/check:")
if old:
    is_table = modality.source.thing == "table" and not is_pattern(source)
    if is_table and source == old.settings.source:
        row_fields.show(workspace, old)
    set_aside.show(workspace, old, identity.person())
    same_files.show(workspace, old, identity.person())
    label_import.show(workspace, old)
    project_actions.show(workspace, old, identity.person())
