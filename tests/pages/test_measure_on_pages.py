"""The measure of a project: chosen in the settings, told on every page that tells a figure."""

from __future__ import annotations

from dataclasses import replace

from annotating import SETTINGS, Annotator, make_source
from running import run_session
from test_pages import open_page, texts  # noqa: F401

from labeling_core import workspace as workspaces
from labeling_core.progress import learning_curve, session_words
from labeling_core.projects.lifecycle import create_project
from pages.shell.plain_text import escaped


def metrics(at):
    return {each.label: each.value for each in at.metric}


def learned(labels, **changes):
    """A project in the app's database, with a session after so many labels."""
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 300)
    project = create_project(workspace.database, replace(SETTINGS, every=1000, **changes))
    Annotator(workspace, project).label_truly(labels)
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        (found,) = learning_curve.sessions(cursor, project, workspace.queue(project))
    return project, found


def test_the_measure_is_chosen_with_a_word_on_when_and_stored(open_page):  # noqa: F811
    at = open_page("settings")
    key = "settings-wine_colour-"
    chosen = at.selectbox(key=key + "measure")
    assert (chosen.value, chosen.options) == (
        "accuracy", ["Accuracy", "Balanced accuracy", "Macro-F1"],
    )  # fmt: skip
    assert "For when every sample counts alike" in texts(at)
    chosen.set_value("macro_f1").run()
    assert "false alarms cost, too. It takes 5 probes of each category" in texts(at)
    at.button(key=key + "save").click().run()
    assert not at.error
    assert workspaces.open_workspace().project("wine_colour").settings.measure == "macro_f1"


def test_curve_tiles_and_start_page_tell_the_measure_with_its_interval(open_page):  # noqa: F811
    open_page("home")
    project, found = learned(60, probe_share=0.5, measure="balanced_accuracy")
    at = open_page("session_progress", project=project.project_id)
    assert not at.exception
    shown = session_words.told(found.score, found.score_low, found.score_high)
    assert metrics(at)["Balanced accuracy"] == shown and "Accuracy" in metrics(at)
    assert "Balanced accuracy" in [each.value for each in at.header]
    assert at.segmented_control(key="curve-by").label == "Balanced accuracy by"
    table = next(each.value for each in at.dataframe if "AUC" in each.value)
    assert table["balanced accuracy"].tolist() == [round(found.score, 3)]
    home = next(each for each in open_page("home").metric if "accuracy" in each.label.lower())
    assert (home.label, home.value) == ("Balanced accuracy", shown)


def test_where_a_category_has_too_few_probes_accuracy_is_told_and_why(open_page):  # noqa: F811
    open_page("home")
    project, found = learned(20, probe_share=0.2, measure="macro_f1")
    at = open_page("session_progress", project=project.project_id)
    assert not at.exception
    assert at.info[0].value == f"{escaped(found.lacking)} Until then accuracy is told."
    assert "Macro-F1 takes measured samples" in found.lacking
    assert "Accuracy" in metrics(at) and "Macro-F1" not in metrics(at)
    assert at.segmented_control(key="curve-by").label == "Accuracy by"
