"""Categories of a running project: labels, counts, open browsers and models follow."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, Adjudicator, rows
from running import check_memory, run_session

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.bookkeeping import Decision
from labeling_core.people import ForbiddenError, Person
from labeling_core.progress import learning_curve
from labeling_core.sessions.label_errors import Listing
from labeling_core.settings import Category, Settings
from labeling_core.web import messages, review_exchange, views

THREE = (Category("red"), Category("white"), Category("rosé"))


def labels(workspace):
    return dict(
        rows(
            workspace.database,
            "SELECT m.label, count(*) FROM wine_metadata AS m JOIN wine_labels AS l "
            "ON l.label_id = m.label_id AND l.label = m.label GROUP BY 1",
        )
    )


def curve(workspace, project):
    with workspace.database.read() as cursor:
        return learning_curve.sessions(cursor, project, workspace.queue(project))


def outdated(workspace, project):
    with workspace.database.read() as cursor:
        return learning_curve.outdated(cursor, project)


def test_a_rename_takes_labels_counts_and_pending_decisions_along(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(20)
    was = labels(workspace)
    pending = ana.take(2)
    project = use_cases.rename_category(workspace, "wine", "red", " rouge ", LOCAL)
    assert project.settings.names == ("rouge", "white")
    assert project.settings.categories[0].key == "r"
    assert labels(workspace) == {"rouge": was["red"], "white": was["white"]}
    check_memory(workspace, project)
    use_cases.rename_category(workspace, "wine", "rouge", "tinto", LOCAL)
    project = workspace.project("wine")
    reply = ana.send([ana.decision(each, "label", category="red") for each in pending])
    assert not reply["refused"]
    assert labels(workspace)["tinto"] == was["red"] + 2
    check_memory(workspace, project)
    log = "SELECT detail->>'label' FROM labeling.events WHERE kind = 'decision'"
    assert {name for (name,) in rows(workspace.database, log)} == {"red", "white", "tinto"}
    noted = "SELECT detail->>'labels' FROM labeling.events WHERE kind = 'category' ORDER BY ALL"
    assert rows(workspace.database, noted) == [(str(was["red"]),)] * 2


def test_a_merge_adds_the_labels_and_leaves_at_least_two(workspace, make_project, annotator):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    for sample, name in zip(ana.take(6), ("red", "rosé", "rosé", "white", "red", "rosé"),
                            strict=True):  # fmt: skip
        ana.send([ana.decision(sample, "label", category=name)])
    late = ana.take(1)[0]
    project = use_cases.merge_category(workspace, "wine", "rosé", "white", LOCAL)
    assert labels(workspace) == {"red": 2, "white": 4}
    check_memory(workspace, project)
    assert not ana.send([ana.decision(late, "label", category="rosé")])["refused"]
    assert labels(workspace) == {"red": 2, "white": 5}
    with pytest.raises(LabelingError, match="At least two"):
        use_cases.merge_category(workspace, "wine", "red", "white", LOCAL)
    with pytest.raises(LabelingError, match="Choose another"):
        use_cases.merge_category(workspace, "wine", "red", "red", LOCAL)
    assert labels(workspace) == {"red": 2, "white": 5}


def test_a_retired_category_keeps_its_labels_and_takes_no_new_ones(
    workspace, make_project, annotator
):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    first, second = ana.take(2)
    ana.send([ana.decision(first, "label", category="red")])
    project = use_cases.retire_category(workspace, "wine", "red", True, LOCAL)
    assert [each.name for each in project.settings.offered] == ["white", "rosé"]
    assert project.settings.classes == ("white", "rosé", "red")
    (refused,) = ana.send([ana.decision(second, "label", category="red")])["refused"]
    assert refused["reason"] == "“red” was retired: choose another one."
    reply = ana.send([ana.decision(first, "label", category="red", comment="sure")])
    assert (reply["refused"], labels(workspace)) == ([], {"red": 1})
    project = use_cases.offer_category(workspace, "wine", "red", LOCAL)
    assert [(each.name, each.key) for each in project.settings.offered] == [
        ("white", "w"), ("rosé", "o"), ("red", "r"),
    ]  # fmt: skip
    use_cases.retire_category(workspace, "wine", "red", False, LOCAL)
    with pytest.raises(LabelingError, match="At least two"):
        use_cases.retire_category(workspace, "wine", "white", True, LOCAL)


def test_a_model_of_before_is_told_to_be_out_of_date_and_measured_by_todays_names(
    workspace, make_project, annotator
):
    project = make_project(every=1000, categories=THREE, probe_share=0.2)
    ana = annotator(project)
    ana.label_truly(60)
    run_session(workspace, project)
    (before,) = curve(workspace, project)
    assert outdated(workspace, project) == ""
    project = use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    (after,) = curve(workspace, project)
    assert (after.accuracy, after.evaluated) == (before.accuracy, before.evaluated)
    assert "does not know rouge and it still tells red" in outdated(workspace, project)
    predicted = "SELECT DISTINCT prediction FROM wine_queries ORDER BY ALL"
    assert rows(workspace.database, predicted) == [("rouge",), ("white",)]
    project = use_cases.merge_category(workspace, "wine", "rosé", "white", LOCAL)
    assert curve(workspace, project)[0].accuracy == before.accuracy
    run_session(workspace, project)
    assert outdated(workspace, project) == ""
    first, second = curve(workspace, project)
    assert (first.accuracy, second.compared > 0) == (before.accuracy, True)
    assert second.contradictions == 0


def test_what_nothing_shall_learn_of_is_neither_trained_nor_predicted(
    workspace, make_project, annotator
):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    ana.label_truly(60)
    for sample in ana.take(4):
        ana.send([ana.decision(sample, "label", category="rosé")])
    run_session(workspace, project)
    project = use_cases.retire_category(workspace, "wine", "white", False, LOCAL)
    assert ("white",) not in rows(
        workspace.database, "SELECT DISTINCT prediction FROM wine_queries"
    )
    run_session(workspace, project)
    found = rows(workspace.database, "SELECT DISTINCT prediction FROM wine_queries")
    assert set(found) <= {("red",), ("rosé",)}
    (card,) = rows(workspace.database, "SELECT card->'$.labels_per_category' FROM labeling.models")
    assert "white" not in card[0]
    assert labels(workspace)["white"] > 0


def test_only_who_manages_changes_categories_and_names_stay_apart(
    workspace, make_project, annotator
):
    make_project(every=1000)
    with pytest.raises(ForbiddenError):
        use_cases.rename_category(
            workspace, "wine", "red", "r", Person("bob", (("wine", "annotator"),))
        )
    with pytest.raises(LabelingError, match="merge “red” into it"):
        use_cases.rename_category(workspace, "wine", "red", "white", LOCAL)
    with pytest.raises(LabelingError, match="Enter another name"):
        use_cases.rename_category(workspace, "wine", "red", "  ", LOCAL)
    with pytest.raises(LabelingError, match="no category “grey”"):
        use_cases.rename_category(workspace, "wine", "grey", "black", LOCAL)


def test_a_name_used_again_is_the_new_category(workspace, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    sample = ana.take(1)[0]
    settings = use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL).settings
    again = replace(settings, categories=(*settings.categories, Category("red")))
    use_cases.update_project(workspace, "wine", again, LOCAL)
    ana.send([ana.decision(sample, "label", category="red")])
    assert labels(workspace) == {"red": 1}


def test_what_was_decided_before_two_names_were_swapped_means_what_it_meant(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    first, second, third = ana.take(3)
    before = views.offered_categories(project)["offered"]
    ana.send([ana.decision(first, "label", category="red", offered=before)])
    pending = ana.decision(second, "label", category="red", offered=before)  # while offline
    for old, new in (("red", "aside"), ("white", "red"), ("aside", "white")):
        project = use_cases.rename_category(workspace, "wine", old, new, LOCAL)
    after = views.offered_categories(project)["offered"]
    assert workspace.project("wine") == project
    ana.send([pending, ana.decision(third, "label", category="red", offered=after)])
    assert labels(workspace) == {"white": 2, "red": 1}
    workspace.open_projects.forget("wine")
    assert workspace.project("wine").renames == 3


def test_settings_of_before_know_nothing_of_retired_ones():
    older = SETTINGS.to_json().replace(', "retired": false, "learned": true', "")
    assert "retired" not in older
    assert Settings.from_json(older) == SETTINGS


def test_an_open_deck_is_told_of_changed_categories_once(workspace, make_project, annotator):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    known = views.offered_categories(project)["offered"]
    assert "categories" not in ana.send(offered=known)
    use_cases.retire_category(workspace, "wine", "red", True, LOCAL)
    reply = ana.send(offered=known)
    assert [each["name"] for each in reply["categories"]] == ["white", "rosé"]
    assert "categories" not in ana.send(offered=reply["offered"])
    use_cases.merge_category(workspace, "wine", "red", "white", LOCAL)
    assert "categories" in ana.send(offered=reply["offered"])


class Watched:
    """A lock that tells when somebody has to wait for it."""

    def __init__(self, lock):
        self.lock, self.wanted = lock, threading.Event()

    def __enter__(self):
        if not self.lock.acquire(blocking=False):
            self.wanted.set()
            self.lock.acquire()

    def __exit__(self, *error):
        self.lock.release()

    def acquire(self, blocking=True):
        return self.lock.acquire(blocking)

    def release(self):
        self.lock.release()


def renaming_meanwhile(workspace, send):
    """Send a message that arrives while “red” is being renamed, and waits for that."""
    workspace.database.lock = Watched(workspace.database.lock)
    with workspace.database.lock:
        sender = threading.Thread(target=send)
        sender.start()
        assert workspace.database.lock.wanted.wait(60)
        use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    sender.join()


def test_a_review_that_arrives_during_a_rename_follows_it(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    before = labels(workspace)
    ((sample_id,),) = rows(
        workspace.database, "SELECT sample_id FROM wine_metadata WHERE label = 'white' LIMIT 1"
    )
    changed = Decision("eva", 1, sample_id, "label", category="red")
    message = messages.parse({"client": "eva", "decisions": [changed._asdict()]})
    listing = Listing("all")
    renaming_meanwhile(
        workspace, lambda: review_exchange.answer(workspace, "wine", LOCAL, listing, message)
    )
    assert labels(workspace) == {"rouge": before["red"] + 1, "white": before["white"] - 1}


def test_a_ruling_that_arrives_during_a_rename_follows_it(workspace, make_project, annotator):
    project = make_project(rows=4, overlap_share=1.0, probe_share=0.0)
    for name, category in (("ana", "red"), ("ben", "white")):
        person = annotator(project, name)
        person.send([person.decision(each, "label", category=category) for each in person.take(4)])
    eva = Adjudicator(workspace, project, "eva")
    disputed = eva.send(want=1)["samples"][0]["sample_id"]
    renaming_meanwhile(workspace, lambda: eva.rule(disputed, "red"))
    assert labels(workspace) == {"rouge": 1}
