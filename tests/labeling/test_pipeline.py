"""What holds for every decision, whether it labels, reviews or settles."""

from __future__ import annotations

import duckdb
import pytest
from annotating import LOCAL, Adjudicator, Annotator, rows
from running import check_memory

from labeling_core import use_cases
from labeling_core.sessions.label_errors import Listing
from labeling_core.web import messages, review_exchange

SHARED = {"overlap_share": 1.0, "probe_share": 0.0}


class Reviewer(Annotator):
    """A browser in review mode without a browser."""

    def send(self, decisions=[], **more):  # noqa: B006
        by = self.workspace.roles.person(self.name)
        message = messages.parse(self.raw(decisions, **more))
        listing = Listing(annotator=self.name)
        return review_exchange.answer(self.workspace, "wine", by, listing, message)


def labeling(workspace, make_project):
    ana = Annotator(workspace, make_project(rows=40))
    return ana, ana.take(3)


def reviewing(workspace, make_project):
    project = make_project(rows=40)
    done = Annotator(workspace, project).label_truly(3)
    return Reviewer(workspace, project), done


def adjudicating(workspace, make_project):
    project = make_project(rows=3, **SHARED)
    for name, category in (("ana", "red"), ("ben", "white")):
        person = Annotator(workspace, project, name)
        while taken := person.take(3):
            person.send([person.decision(each, "label", category=category) for each in taken])
    eva = Adjudicator(workspace, project, "eva")
    return eva, [each["sample_id"] for each in eva.send(want=3)["samples"]]


KINDS = pytest.mark.parametrize("begin", [labeling, reviewing, adjudicating])
EVENTS = "SELECT seq, kind FROM labeling.events WHERE client = ? ORDER BY event_id"


@KINDS
def test_a_gap_waits_and_what_is_known_is_passed_over(workspace, make_project, begin):
    person, (one, two, three) = begin(workspace, make_project)
    first, second, third = [person.decision(each, "label", category="red")
                            for each in (one, two, three)]  # fmt: skip
    assert person.send([first, third])["stored"] == {person.client: 1}
    for _ in range(2):
        assert person.send([third, first, second])["stored"] == {person.client: 3}
    told = rows(workspace.database, EVENTS, person.client)
    assert [seq for seq, _ in told] == [1, 2, 3]
    check_memory(workspace, person.project)


@KINDS
def test_what_is_refused_counts_as_dealt_with_and_is_told_once(workspace, make_project, begin):
    person, (one, *_) = begin(workspace, make_project)
    wrong = person.decision(one, "label", category="green")
    odd = person.decision(one, "dance", category="red")
    right = person.decision(one, "label", category="red")
    for expected in ([1, 2], []):
        reply = person.send([wrong, odd, right])
        assert [each["seq"] for each in reply["refused"]] == expected
        assert reply["stored"] == {person.client: 3}
    kinds = [kind for _, kind in rows(workspace.database, EVENTS, person.client)]
    assert kinds[:2] == ["refused"] * 2
    assert len(kinds) == 3


@KINDS
def test_when_anything_fails_memory_is_read_anew_and_the_resend_is_stored(
    workspace, make_project, begin
):
    person, taken = begin(workspace, make_project)
    sent = [person.decision(each, "label", category="white") for each in taken]
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine_labels RENAME TO away")
    before = workspace.queue(person.project)
    with pytest.raises(duckdb.Error):
        person.send(sent)
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO wine_labels")
    assert workspace.queue(person.project) is not before
    assert rows(workspace.database, EVENTS, person.client) == []
    reply = person.send(sent)
    assert (reply["stored"], reply["refused"]) == ({person.client: 3}, [])
    assert {label for (label,) in rows(workspace.database, "SELECT label FROM wine_labels")} == {
        "white"
    }
    check_memory(workspace, person.project)


@KINDS
def test_a_decision_on_a_category_that_was_renamed_follows(workspace, make_project, begin):
    person, (one, *_) = begin(workspace, make_project)
    use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    reply = person.send([person.decision(one, "label", category="red", offered="0-old")])
    assert reply["refused"] == []
    sql = (
        "SELECT l.label FROM wine_labels AS l JOIN wine_metadata USING (label_id) "
        "WHERE sample_id = ?"
    )
    assert rows(workspace.database, sql, one) == [("rouge",)]
