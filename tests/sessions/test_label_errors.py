"""Looking for label errors in a real project, and what a review does to its tables."""

from __future__ import annotations

import csv
import json
import uuid
from dataclasses import replace

import numpy as np
import pytest
from annotating import LOCAL, Annotator, rows
from running import run_session, wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling.bookkeeping import Decision
from labeling_core.people import ForbiddenError, Person
from labeling_core.projects import sample_projects
from labeling_core.sessions import label_errors
from labeling_core.sessions.label_errors import Listing
from labeling_core.web import review_exchange
from labeling_core.web.messages import parse

BOSS = Person("boss", (("", "admin"),))


def look(workspace, project):
    label_errors.look(workspace.loop, project, LOCAL)
    wait(workspace, project)
    assert workspace.loop.trainer.status[project.project_id].state == "idle"


def findings(workspace, project, **listing):
    with workspace.database.read() as cursor:
        return label_errors.findings(cursor, project, Listing(**listing))


@pytest.fixture
def checked(workspace, make_project, annotator):
    """A project of 60 labels by ana and 20 by bob, five of ana's wrong, looked through."""
    project = make_project(every=1000)
    ana = annotator(project)
    done = ana.label_truly(60)
    annotator(project, "bob").label_truly(20)
    given = dict(rows(workspace.database, "SELECT sample_id, label FROM wine_metadata"))
    other = {"red": "white", "white": "red"}
    wrong = done[:5]
    ana.send([ana.decision(each, "label", category=other[given[each]]) for each in wrong])
    look(workspace, project)
    return project, {each: given[each] for each in wrong}


class Reviewer:
    """A browser in review mode without a browser."""

    def __init__(self, workspace, project, by=BOSS, listing=None):
        self.workspace, self.project, self.by = workspace, project, by
        self.listing = listing or label_errors.scope(by, project.project_id, "people")
        self.client, self.seq = f"review-{uuid.uuid4().hex}", 0

    def decision(self, sample_id, action, category):
        self.seq += 1
        return Decision(self.client, self.seq, sample_id, action, category)

    def send(self, decisions=(), **more):
        raw = {"client": self.client, "message": self.seq} | more
        raw["decisions"] = [each._asdict() for each in decisions]
        project_id = self.project.project_id
        return review_exchange.answer(self.workspace, project_id, self.by, self.listing, parse(raw))


def answers(name):
    """sample_id → true category of a sample project."""
    with (sample_projects.DATA / name / "answers.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    return {row.get("path", str(n)): row["label"] for n, row in enumerate(found, start=1)}


def finish(workspace, project, count):
    """Label as a person does, sessions in between, every 20th label wrong; the wrong ones."""
    truth, names = answers(project.settings.source), project.settings.names
    rng, wrong = np.random.default_rng(0), set()
    ana = Annotator(workspace, project)
    for start in range(0, count, 20):
        taken = ana.take(20)
        given = {each: truth[each] for each in taken}
        slip = taken[int(rng.integers(20))]
        given[slip] = rng.choice([each for each in names if each != truth[slip]])
        wrong.add(slip)
        ana.send([ana.decision(each, "label", category=given[each]) for each in taken])
        if start % 100 == 80:
            run_session(workspace, project)
    return wrong


def test_the_first_tenth_of_the_rows_holds_most_of_the_wrong_labels(workspace):
    sample_projects.create_wine_colour(workspace.database)
    settings = replace(sample_projects.WINE_COLOUR, every=1000)
    project = use_cases.update_project(workspace, "wine_colour", settings, LOCAL)
    wrong = finish(workspace, project, 300)
    look(workspace, project)
    ranked = [each.sample_id for each in findings(workspace, project, segment="all")]
    assert len(ranked) == 300
    assert len(wrong) == 15
    assert len(wrong & set(ranked[:30])) >= 0.6 * len(wrong)


def test_what_was_found_is_the_wrong_labels_with_the_right_suggestion(workspace, checked):
    project, wrong = checked
    found = findings(workspace, project, segment="all")[:5]
    assert {each.sample_id: each.suggested for each in found} == wrong
    likely = {each.sample_id for each in findings(workspace, project)}
    assert likely
    assert likely <= set(wrong)
    assert all(each.annotator == "ana" for each in found)
    found = findings(workspace, project, segment="people")
    assert {each.sample_id: each.suggested for each in found} == wrong
    with workspace.database.read() as cursor:
        pairs = label_errors.agreement(cursor, project)
        check = label_errors.last_check(cursor, project.project_id)
    assert sum(pairs.values()) == check.labels == 80
    assert sum(n for (given, model), n in pairs.items() if given != model) == 5
    assert check.since == 0


def test_too_few_labels_are_told_in_a_sentence(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(5)
    with pytest.raises(LabelingError, match="too few labels"):
        label_errors.look(workspace.loop, project, LOCAL)


def test_a_change_is_a_correction_that_keeps_who_labeled_first(workspace, checked):
    project, wrong = checked
    before = rows(workspace.database, "SELECT * FROM wine_metadata ORDER BY label_id")
    counts = dict(workspace.queue(project).counts.categories)
    reviewer = Reviewer(workspace, project)
    taken = reviewer.send(want=10)["samples"]
    assert [each["sample_id"] for each in taken] == [
        each.sample_id for each in findings(workspace, project, segment="people")
    ]
    for each in taken:
        reviewer.send([reviewer.decision(each["sample_id"], "label", each["suggested"])])
    found = rows(workspace.database, "SELECT sample_id, label, annotator FROM wine_metadata")
    assert {s: label for s, label, who in found if s in wrong and who == "ana"} == wrong
    joined = rows(workspace.database, "SELECT count(*) FROM wine_metadata m JOIN wine_labels l "
                  "USING (label_id) WHERE m.label = l.label")  # fmt: skip
    assert joined == [(80,)]
    after = rows(
        workspace.database, "SELECT * EXCLUDE (label) FROM wine_metadata ORDER BY label_id"
    )
    assert after == [(*row[:3], *row[4:]) for row in before]
    told = rows(workspace.database, "SELECT annotator, detail FROM labeling.events "
                "WHERE kind = 'correction' AND annotator = 'boss'")  # fmt: skip
    assert len(told) == 5
    detail = json.loads(told[0][1])
    assert (detail["of"], detail["was"][0]) == ("ana", "LABELED")
    assert detail["was"][1] != detail["label"] == detail["reviewed"]
    now = dict(workspace.queue(project).counts.categories)
    assert now != counts
    workspace.open_projects.forget(project.project_id)
    assert dict(workspace.queue(project).counts.categories) == now


def test_what_was_kept_stays_out_of_the_list_the_next_time(workspace, checked):
    project, _ = checked
    reviewer = Reviewer(workspace, project)
    first, second = reviewer.send(want=2)["samples"]
    reply = reviewer.send([reviewer.decision(first["sample_id"], "keep", first["given"])])
    assert (reply["more"], reply["refused"]) == (4, [])
    look(workspace, project)
    left = {each.sample_id for each in findings(workspace, project, segment="people")}
    assert first["sample_id"] not in left
    assert second["sample_id"] in left
    with workspace.database.read() as cursor:
        assert label_errors.reviewed_number(cursor, project) == {"kept": 1, "changed": 0}


def test_undo_brings_the_label_and_the_row_back(workspace, checked):
    project, _ = checked
    before = rows(workspace.database, "SELECT * FROM wine_metadata ORDER BY label_id")
    reviewer = Reviewer(workspace, project)
    kept, changed = reviewer.send(want=2)["samples"]
    reviewer.send(
        [reviewer.decision(kept["sample_id"], "keep", kept["given"]),
         reviewer.decision(changed["sample_id"], "label", changed["suggested"])]
    )  # fmt: skip
    assert len(findings(workspace, project, segment="people")) == 3
    reviewer.send(
        [reviewer.decision(changed["sample_id"], "undo", changed["given"]),
         reviewer.decision(kept["sample_id"], "undo", kept["given"])]
    )  # fmt: skip
    assert len(findings(workspace, project, segment="people")) == 5
    assert rows(workspace.database, "SELECT * FROM wine_metadata ORDER BY label_id") == before


def test_a_message_that_comes_twice_is_stored_once(workspace, checked):
    project, _ = checked
    reviewer = Reviewer(workspace, project)
    each = reviewer.send(want=1)["samples"][0]
    decisions = [reviewer.decision(each["sample_id"], "label", each["suggested"])]
    assert reviewer.send(decisions)["stored"] == reviewer.send(decisions)["stored"]
    told = rows(workspace.database, "SELECT 1 FROM labeling.events WHERE annotator = 'boss'")
    assert len(told) == 1


def test_the_check_says_how_much_came_since(workspace, checked, annotator):
    project, _ = checked
    annotator(project, "eve").label_truly(3)
    reviewer = Reviewer(workspace, project)
    each = reviewer.send(want=1)["samples"][0]
    reviewer.send([reviewer.decision(each["sample_id"], "label", each["suggested"])])
    with workspace.database.read() as cursor:
        assert label_errors.last_check(cursor, project.project_id).since == 4


def test_an_annotator_reviews_their_own_labels_only(workspace, checked):
    project, wrong = checked
    bob = Person("bob", ((project.project_id, "annotator"),))
    reviewer = Reviewer(workspace, project, bob, label_errors.scope(bob, project.project_id, "all"))
    assert len(reviewer.send(want=100)["samples"]) == 20
    foreign = next(iter(wrong))
    refused = reviewer.send([reviewer.decision(foreign, "label", "red")])["refused"]
    assert "that you may review" in refused[0]["reason"]
    with pytest.raises(ForbiddenError):
        Reviewer(workspace, project, bob, Listing("all")).send()
    with pytest.raises(ForbiddenError):
        review_exchange.issue(workspace.key, project.project_id, bob, Listing("all"))
    with pytest.raises(ForbiddenError):
        label_errors.scope(Person("vic", (("", "viewer"),)), project.project_id)


def test_what_cannot_be_stored_is_refused_in_a_sentence(workspace, checked):
    project, _ = checked
    reviewer, other = Reviewer(workspace, project), Reviewer(workspace, project, LOCAL)
    each = reviewer.send(want=1)["samples"][0]
    sample_id, given, suggested = each["sample_id"], each["given"], each["suggested"]
    other.send([other.decision(sample_id, "label", suggested)])
    for action, category, reason in (
        ("keep", given, "changed to"),
        ("undo", given, "Another person has reviewed"),
        ("label", "blue", "no category"),
        ("skip", None, "no decision of a review"),
    ):
        reply = reviewer.send([reviewer.decision(sample_id, action, category)])
        assert reason in reply["refused"][0]["reason"]
    assert reviewer.send([reviewer.decision("nobody", "keep", given)])["refused"]


def test_a_forged_or_foreign_token_reviews_nothing(workspace, checked):
    project, _ = checked
    message = parse({"client": "c"})
    from labeling_core.access import tokens

    for token in ("", "a.b", None, tokens.issue(workspace.key, project.project_id, "boss")):
        with pytest.raises(LabelingError, match="not signed in"):
            review_exchange.respond(workspace, token, message)


def test_samples_decided_elsewhere_are_handed_back_and_the_rest_is_counted(workspace, checked):
    project, _ = checked
    reviewer, other = Reviewer(workspace, project), Reviewer(workspace, project, LOCAL)
    queue = [each["sample_id"] for each in reviewer.send(want=2)["samples"]]
    gone = other.send(want=1)["samples"][0]
    other.send([other.decision(gone["sample_id"], "keep", gone["given"])])
    reply = reviewer.send(holding=queue, want=1)
    assert reply["drop"] == [gone["sample_id"]]
    assert (len(reply["samples"]), reply["more"], reply["finished"]) == (1, 2, False)


def test_deleting_a_project_forgets_what_was_found(workspace, checked):
    project, _ = checked
    use_cases.delete_project(workspace, project.project_id, LOCAL)
    assert rows(workspace.database, "SELECT 1 FROM labeling.label_findings") == []
    assert rows(workspace.database, "SELECT 1 FROM labeling.label_checks") == []
