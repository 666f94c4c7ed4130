"""What the probes say of each category, and which categories have hardly a label."""

from __future__ import annotations

import pytest
from annotating import LOCAL
from running import run_session

from labeling_core import use_cases
from labeling_core.progress import category_recall
from labeling_core.settings import Category

THREE = (Category("red"), Category("white"), Category("rosé"))


@pytest.fixture
def learned(workspace, make_project, annotator):
    """A project of 40 labels, a quarter probes; “rosé” is what nobody ever saw but once."""
    project = make_project(every=1000, probe_share=0.25, categories=THREE)
    ana = annotator(project)
    ana.label_truly(60)
    ana.send([ana.decision(ana.take(1)[0], "label", category="rosé")])
    run_session(workspace, project)
    return project


def recalls(workspace, project):
    with workspace.database.read() as cursor:
        judged = category_recall.judged(cursor, project, workspace.queue(project))
    return category_recall.recalls(judged, project.settings.classes)


def test_each_category_says_how_many_of_its_probes_are_found(workspace, learned, annotator):
    before = {each.category: each for each in recalls(workspace, learned)}
    assert before.keys() - {"rosé"} == {"red", "white"}
    assert before["red"].share.share == before["white"].share.share == 1.0
    assert before["red"].share.low < 1.0 and before["red"].taken_for == ""
    # The newest model was told “red”; whoever labels white ones red finds it out here.
    ben = annotator(learned, "ben")
    while sum(each.probes for each in recalls(workspace, learned)) < 30:
        samples = ben.send(want=8)["samples"]
        ben.send([ben.decision(each["sample_id"], "label", category="red") for each in samples])
    red = next(each for each in recalls(workspace, learned) if each.category == "red")
    assert red.probes > before["red"].probes
    assert red.taken_for == "white"
    assert red.times == red.probes - round(red.share.share * red.probes) > 3


def alike(workspace, project):
    with workspace.database.read() as cursor:
        judged = category_recall.judged(cursor, project, workspace.queue(project))
    return category_recall.by_category(judged, project.settings.classes)


def test_categories_count_alike_where_each_has_probes_enough(workspace, make_project, annotator):
    project = make_project(every=1000, probe_share=0.25)
    ana = annotator(project)
    ana.label_truly(20)
    run_session(workspace, project)
    assert min(each.probes for each in recalls(workspace, project)) < 5
    assert "5 of each that has any: " in alike(workspace, project)
    while min(each.probes for each in recalls(workspace, project)) < 5:
        ana.label_truly(10)
    run_session(workspace, project)
    told = alike(workspace, project)
    assert told.startswith("With every category counting alike: balanced accuracy 100.0% (")
    assert "(100.0%" not in told and "No probe" not in told
    assert "macro-F1 100.0%" in told


def test_what_was_renamed_since_is_told_by_its_new_name(workspace, learned):
    project = use_cases.rename_category(workspace, "wine", "white", "blanc", LOCAL)
    assert "blanc" in {each.category for each in recalls(workspace, project)}


def test_categories_with_hardly_a_label_are_named_unless_they_are_retired(workspace, learned):
    labels = [("red", 30), ("white", 5), ("rosé", 1)]
    told = category_recall.hardly_known(learned, labels)
    assert "fewer than 5 labels: rosé (1)." in told
    assert category_recall.hardly_known(learned, labels[:2]) == ""
    project = use_cases.retire_category(workspace, "wine", "rosé", True, LOCAL)
    assert category_recall.hardly_known(project, labels) == ""


def test_without_probes_nothing_is_told(workspace, make_project, annotator):
    project = make_project(every=1000, probe_share=0.0)
    assert recalls(workspace, project) == [] and alike(workspace, project) == ""
    annotator(project).label_truly(20)
    run_session(workspace, project)
    assert recalls(workspace, project) == []
