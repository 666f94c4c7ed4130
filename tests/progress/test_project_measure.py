"""A project's own measure: what is told of its sessions, wherever it is told."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from annotating import LOCAL, TWO
from running import run_session, train
from sklearn.metrics import balanced_accuracy_score, f1_score

from labeling_core import use_cases
from labeling_core.models import model_card
from labeling_core.progress import category_recall, figures, learning_curve, session_words
from labeling_core.projects import samples
from labeling_core.settings import Category, Settings

# Of 400 red ones all are found, of 100 white ones 80: 20 look like red ones.
BY_HAND = {"balanced_accuracy": (1 + 80 / 100) / 2, "macro_f1": (2 * 400 / 820 + 2 * 80 / 180) / 2}
HELD_OUT = (
    "CREATE TABLE held_out AS SELECT i AS bottle, CASE WHEN i < 420 THEN 1 ELSE 9 END AS acidity, "
    "'cask 1' AS cask, CASE WHEN i < 400 THEN 'red' ELSE 'white' END AS label FROM range(500) t(i)"
)


def sessions(workspace, project):
    with workspace.database.read() as cursor:
        return learning_curve.sessions(cursor, project, workspace.queue(project))


@pytest.fixture
def tested(workspace, make_project, annotator):
    """Make a project that a table of 500 rows measures, with one session."""

    def make(measure):
        with workspace.database.transaction() as cursor:
            cursor.execute(HELD_OUT)
        project = make_project(
            test_table="held_out", every=1000, measure=measure, classifier="logistic_regression"
        )
        annotator(project).label_truly(40)
        run_session(workspace, project)
        return project

    return make


@pytest.mark.parametrize("measure", BY_HAND)
def test_a_test_table_is_told_by_the_measure_of_the_project(workspace, tested, measure):
    project = tested(measure)
    (found,) = sessions(workspace, project)
    assert (found.kind, found.accuracy, found.measure) == ("test table", 480 / 500, measure)
    assert found.score == pytest.approx(BY_HAND[measure])
    assert found.score_low < found.score < found.score_high and not found.lacking
    project = use_cases.rename_category(workspace, project.project_id, "white", "blanc", LOCAL)
    (renamed,) = sessions(workspace, project)
    assert renamed[-5:-3] == found[-5:-3] and not renamed.lacking
    other = use_cases.update_project(
        workspace, project.project_id, replace(project.settings, measure="accuracy"), LOCAL
    )
    (again,) = sessions(workspace, other)  # what is told follows at once, without a new session
    assert again[-5:] == ("accuracy", found.accuracy, found.low, found.high, "")


def test_the_same_score_stands_in_line_row_figure_and_card(workspace, tested):
    project = tested("balanced_accuracy")
    (found,) = sessions(workspace, project)
    line = workspace.loop.status(project).text
    assert line.startswith("balanced accuracy 90.0% (") and "on 500 rows" in line
    assert session_words.session_row(found)["balanced accuracy"] == 0.9
    assert session_words.session_row(found)["accuracy"] == 0.96
    drawn = figures.curve([found], found.measure, by_labels=True)
    assert [each.name for each in drawn.data] == [
        "balanced accuracy, 95 % interval", "accuracy", "AUC",
    ]  # fmt: skip
    assert drawn.data[0].y == (pytest.approx(0.9),) and drawn.data[0].x == (40,)
    train(workspace, project)
    with workspace.database.read() as cursor:
        card = json.loads(cursor.execute("SELECT card FROM labeling.final_models").fetchone()[0])
    text = model_card.to_markdown(card)
    assert "The measure of the project, balanced accuracy: 90.0% (95 % interval" in text
    del card["accuracy"]["measure"], card["accuracy"]["score"]  # as of an older version
    assert "The measure of the project" not in model_card.to_markdown(card)


def test_probes_are_told_as_the_page_counts_them(workspace, make_project, annotator):
    project = make_project(every=1000, probe_share=0.3, measure="balanced_accuracy")
    ana, chance = annotator(project), np.random.default_rng(0)
    for sample in itertools.chain.from_iterable(ana.take(20) for _ in range(5)):
        wrong = int(chance.random() < 0.25)  # which nobody can predict
        ana.send([ana.decision(sample, "label", category=("red", "white")[wrong])])
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        judged = category_recall.judged(cursor, project, workspace.queue(project))
    (found,) = sessions(workspace, project)
    assert found.evaluated == len(judged.truth) > 25
    assert found.score == pytest.approx(balanced_accuracy_score(*judged)) != found.accuracy
    told = category_recall.by_category(judged, (*project.settings.classes, "rosé"))
    assert f"balanced accuracy {session_words.percent(found.score)}" in told
    assert told.endswith("No probe is of rosé: not counted.")
    change = replace(project.settings, measure="macro_f1")
    project = use_cases.update_project(workspace, project.project_id, change, LOCAL)
    (found,) = sessions(workspace, project)
    assert found.score == pytest.approx(f1_score(*judged, average="macro"))


def test_too_few_of_a_category_are_named_and_accuracy_is_told(workspace, make_project, annotator):
    three = (*TWO, Category("rosé"))
    project = make_project(every=1000, probe_share=0.5, measure="macro_f1", categories=three)
    ana = annotator(project)
    ana.label_truly(24)
    sample = next(each for each in ana.take(8) if each in probes(workspace, project))
    ana.send([ana.decision(sample, "label", category="rosé")])
    run_session(workspace, project)
    (found,) = sessions(workspace, project)
    assert found.lacking.startswith("Macro-F1 takes measured samples of two categories, and 5 of ")
    assert "rosé (1)" in found.lacking
    assert found[-5:-1] == ("accuracy", found.accuracy, found.low, found.high)
    assert workspace.loop.status(project).text.startswith("accuracy ")


def probes(workspace, project):
    with workspace.database.read() as cursor:
        found = cursor.execute(
            f"SELECT {samples.SAMPLE_ID} FROM {samples.table(project.project_id)} "
            f"WHERE {samples.PLACE} < ?",
            [project.probe_limit],
        )
        return {name for (name,) in found.fetchall()}


def test_sessions_of_an_older_version_know_accuracy_alone(workspace, tested):
    project = tested("macro_f1")
    with workspace.database.transaction() as cursor:
        cursor.execute("UPDATE labeling.sessions SET taken = NULL")
    run_session(workspace, project)
    old, new = sessions(workspace, project)
    assert old.lacking == "Of a session of an older version macro-F1 is not known."
    assert (old.measure, old.score) == ("accuracy", old.accuracy)
    assert new.measure == "macro_f1" and not new.lacking
    drawn = figures.curve([old, new], "macro_f1", by_labels=False)
    assert drawn.data[0].x == (2,) and drawn.data[1].x == (1, 2)


def test_cross_validation_is_told_by_the_measure_too(workspace, make_project, annotator):
    project = make_project(every=1000, probe_share=0.0, measure="balanced_accuracy")
    annotator(project).label_truly(30)
    run_session(workspace, project)
    (found,) = sessions(workspace, project)
    assert (found.kind, found.measure, found.score) == (
        "cross-validation", "balanced_accuracy", 1.0,
    )  # fmt: skip


def test_a_project_of_before_has_accuracy_and_a_measure_unknown_here_is_said(workspace, tested):
    assert Settings.from_json('{"title": "Old"}').measure == "accuracy"
    project = tested("macro_f1")
    newer = project._replace(settings=replace(project.settings, measure="kappa"))
    (found,) = sessions(workspace, newer)
    assert found.lacking == "“kappa” is no measure of this version of the program."
    with pytest.raises(Exception, match="“kappa” is no measure: it is one of accuracy, balanced"):
        use_cases.update_project(workspace, project.project_id, newer.settings, LOCAL)
