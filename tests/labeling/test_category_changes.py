"""Categories of a running project: labels, counts, open browsers and models follow."""

from __future__ import annotations

import threading
import time
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


def labels(space):
    return dict(
        rows(
            space.database,
            "SELECT m.label, count(*) FROM wine_metadata AS m JOIN wine_labels AS l "
            "ON l.label_id = m.label_id AND l.label = m.label GROUP BY 1",
        )
    )


def curve(space, project):
    with space.database.read() as cursor:
        return learning_curve.sessions(cursor, project, space.queue(project))


def outdated(space, project):
    with space.database.read() as cursor:
        return learning_curve.outdated(cursor, project)


def test_a_rename_takes_labels_counts_and_pending_decisions_along(space, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(20)
    was = labels(space)
    pending = ana.take(2)
    project = use_cases.rename_category(space, "wine", "red", " rouge ", LOCAL)
    assert project.settings.names == ("rouge", "white")
    assert project.settings.categories[0].key == "r"
    assert labels(space) == {"rouge": was["red"], "white": was["white"]}
    check_memory(space, project)
    use_cases.rename_category(space, "wine", "rouge", "tinto", LOCAL)
    project = space.project("wine")
    reply = ana.send([ana.decision(each, "label", category="red") for each in pending])
    assert not reply["refused"]
    assert labels(space)["tinto"] == was["red"] + 2
    check_memory(space, project)
    log = "SELECT detail->>'label' FROM labeling.events WHERE kind = 'decision'"
    assert {name for (name,) in rows(space.database, log)} == {"red", "white", "tinto"}
    noted = "SELECT detail->>'labels' FROM labeling.events WHERE kind = 'category' ORDER BY ALL"
    assert rows(space.database, noted) == [(str(was["red"]),)] * 2


def test_a_merge_adds_the_labels_and_leaves_at_least_two(space, make_project, annotator):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    for sample, name in zip(ana.take(6), ("red", "rosé", "rosé", "white", "red", "rosé"),
                            strict=True):  # fmt: skip
        ana.send([ana.decision(sample, "label", category=name)])
    late = ana.take(1)[0]
    project = use_cases.merge_category(space, "wine", "rosé", "white", LOCAL)
    assert labels(space) == {"red": 2, "white": 4}
    check_memory(space, project)
    assert not ana.send([ana.decision(late, "label", category="rosé")])["refused"]
    assert labels(space) == {"red": 2, "white": 5}
    with pytest.raises(LabelingError, match="At least two"):
        use_cases.merge_category(space, "wine", "red", "white", LOCAL)
    with pytest.raises(LabelingError, match="Choose another"):
        use_cases.merge_category(space, "wine", "red", "red", LOCAL)
    assert labels(space) == {"red": 2, "white": 5}


def test_a_retired_category_keeps_its_labels_and_takes_no_new_ones(space, make_project, annotator):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    first, second = ana.take(2)
    ana.send([ana.decision(first, "label", category="red")])
    project = use_cases.retire_category(space, "wine", "red", True, LOCAL)
    assert [each.name for each in project.settings.offered] == ["white", "rosé"]
    assert project.settings.classes == ("white", "rosé", "red")
    (refused,) = ana.send([ana.decision(second, "label", category="red")])["refused"]
    assert refused["reason"] == "“red” was retired: choose another one."
    reply = ana.send([ana.decision(first, "label", category="red", comment="sure")])
    assert (reply["refused"], labels(space)) == ([], {"red": 1})
    project = use_cases.offer_category(space, "wine", "red", LOCAL)
    assert [(each.name, each.key) for each in project.settings.offered] == [
        ("white", "w"), ("rosé", "o"), ("red", "r"),
    ]  # fmt: skip
    use_cases.retire_category(space, "wine", "red", False, LOCAL)
    with pytest.raises(LabelingError, match="At least two"):
        use_cases.retire_category(space, "wine", "white", True, LOCAL)


def test_a_model_of_before_is_told_to_be_out_of_date_and_measured_by_todays_names(
    space, make_project, annotator
):
    project = make_project(every=1000, categories=THREE, probe_share=0.2)
    ana = annotator(project)
    ana.label_truly(60)
    run_session(space, project)
    (before,) = curve(space, project)
    assert outdated(space, project) == ""
    project = use_cases.rename_category(space, "wine", "red", "rouge", LOCAL)
    (after,) = curve(space, project)
    assert (after.accuracy, after.evaluated) == (before.accuracy, before.evaluated)
    assert "does not know rouge and it still tells red" in outdated(space, project)
    predicted = "SELECT DISTINCT prediction FROM wine_queries ORDER BY ALL"
    assert rows(space.database, predicted) == [("rouge",), ("white",)]
    project = use_cases.merge_category(space, "wine", "rosé", "white", LOCAL)
    assert curve(space, project)[0].accuracy == before.accuracy
    run_session(space, project)
    assert outdated(space, project) == ""
    first, second = curve(space, project)
    assert (first.accuracy, second.compared > 0) == (before.accuracy, True)
    assert second.contradictions == 0


def test_what_nothing_shall_learn_of_is_neither_trained_nor_predicted(
    space, make_project, annotator
):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    ana.label_truly(60)
    for sample in ana.take(4):
        ana.send([ana.decision(sample, "label", category="rosé")])
    run_session(space, project)
    project = use_cases.retire_category(space, "wine", "white", False, LOCAL)
    assert ("white",) not in rows(space.database, "SELECT DISTINCT prediction FROM wine_queries")
    run_session(space, project)
    found = rows(space.database, "SELECT DISTINCT prediction FROM wine_queries")
    assert set(found) <= {("red",), ("rosé",)}
    (card,) = rows(space.database, "SELECT card->'$.labels_per_category' FROM labeling.models")
    assert "white" not in card[0]
    assert labels(space)["white"] > 0


def test_only_who_manages_changes_categories_and_names_stay_apart(space, make_project, annotator):
    make_project(every=1000)
    with pytest.raises(ForbiddenError):
        use_cases.rename_category(
            space, "wine", "red", "r", Person("bob", (("wine", "annotator"),))
        )
    with pytest.raises(LabelingError, match="merge “red” into it"):
        use_cases.rename_category(space, "wine", "red", "white", LOCAL)
    with pytest.raises(LabelingError, match="Enter another name"):
        use_cases.rename_category(space, "wine", "red", "  ", LOCAL)
    with pytest.raises(LabelingError, match="no category “grey”"):
        use_cases.rename_category(space, "wine", "grey", "black", LOCAL)


def test_a_name_used_again_is_the_new_category(space, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    sample = ana.take(1)[0]
    settings = use_cases.rename_category(space, "wine", "red", "rouge", LOCAL).settings
    again = replace(settings, categories=(*settings.categories, Category("red")))
    use_cases.update_project(space, "wine", again, LOCAL)
    ana.send([ana.decision(sample, "label", category="red")])
    assert labels(space) == {"red": 1}


def test_what_was_decided_before_two_names_were_swapped_means_what_it_meant(
    space, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    first, second, third = ana.take(3)
    before = views.offered_categories(project)["offered"]
    ana.send([ana.decision(first, "label", category="red", offered=before)])
    pending = ana.decision(second, "label", category="red", offered=before)  # while offline
    for old, new in (("red", "aside"), ("white", "red"), ("aside", "white")):
        project = use_cases.rename_category(space, "wine", old, new, LOCAL)
    after = views.offered_categories(project)["offered"]
    assert space.project("wine") == project
    ana.send([pending, ana.decision(third, "label", category="red", offered=after)])
    assert labels(space) == {"white": 2, "red": 1}
    space.open_projects.forget("wine")
    assert space.project("wine").renames == 3


def test_settings_of_before_know_nothing_of_retired_ones():
    older = SETTINGS.to_json().replace(', "retired": false, "learned": true', "")
    assert "retired" not in older
    assert Settings.from_json(older) == SETTINGS


def test_an_open_deck_is_told_of_changed_categories_once(space, make_project, annotator):
    project = make_project(every=1000, categories=THREE)
    ana = annotator(project)
    known = views.offered_categories(project)["offered"]
    assert "categories" not in ana.send(offered=known)
    use_cases.retire_category(space, "wine", "red", True, LOCAL)
    reply = ana.send(offered=known)
    assert [each["name"] for each in reply["categories"]] == ["white", "rosé"]
    assert "categories" not in ana.send(offered=reply["offered"])
    use_cases.merge_category(space, "wine", "red", "white", LOCAL)
    assert "categories" in ana.send(offered=reply["offered"])


def renaming_meanwhile(space, send):
    """Send a message that arrives while “red” is being renamed, and waits for that."""
    with space.database.lock:
        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(0.3)  # as far as the lock
        use_cases.rename_category(space, "wine", "red", "rouge", LOCAL)
    sender.join()


def test_a_review_that_arrives_during_a_rename_follows_it(space, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    before = labels(space)
    ((sample_id,),) = rows(
        space.database, "SELECT sample_id FROM wine_metadata WHERE label = 'white' LIMIT 1"
    )
    changed = Decision("eva", 1, sample_id, "label", category="red")
    message = messages.parse({"client": "eva", "decisions": [changed._asdict()]})
    listing = Listing("all")
    renaming_meanwhile(
        space, lambda: review_exchange.answer(space, "wine", LOCAL, listing, message)
    )
    assert labels(space) == {"rouge": before["red"] + 1, "white": before["white"] - 1}


def test_a_ruling_that_arrives_during_a_rename_follows_it(space, make_project, annotator):
    project = make_project(rows=4, overlap_share=1.0, probe_share=0.0)
    for name, category in (("ana", "red"), ("ben", "white")):
        person = annotator(project, name)
        person.send([person.decision(each, "label", category=category) for each in person.take(4)])
    eva = Adjudicator(space, project, "eva")
    disputed = eva.send(want=1)["samples"][0]["sample_id"]
    renaming_meanwhile(space, lambda: eva.rule(disputed, "red"))
    assert labels(space) == {"rouge": 1}
