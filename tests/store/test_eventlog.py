"""The event log: what is noted, who may read what, filters, pages, sentences, download."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from annotating import LOCAL, SETTINGS, make_source, rows

from labeling_core import use_cases
from labeling_core.people import ForbiddenError, Person
from labeling_core.store import eventlog
from labeling_core.store.event_sentences import sentence
from labeling_core.store.eventlog import Filter

BOB = Person("bob", (("wine", "annotator"),))
VIEWER = Person("eve", (("wine", "viewer"),))
STRANGER = Person("sam", (("other", "admin"),))


@pytest.fixture
def busy(workspace, make_project, annotator):
    """A project in which ana and bob have decided, changed and taken back."""
    project = make_project(every=1000)
    ana, bob = annotator(project), annotator(project, "bob")
    first, second = ana.take(2)
    (third,) = bob.take(1)
    ana.send([ana.decision(first, "label", category="red", comment="dark")])
    ana.send([ana.decision(first, "label", category="white"), ana.decision(second, "skip")])
    ana.send([ana.decision(second, "undo")])
    bob.send([bob.decision(third, "label", category="red", comment="=SUM(A1)")])
    bob.send([bob.decision(third, "label", category="grey")])
    return project, first, second, third


def read(workspace, wanted=Filter("wine"), by=LOCAL, offset=0, count=100):  # noqa: B008
    with workspace.database.read() as cursor:
        return eventlog.read(cursor, wanted, by, offset, count)


def test_every_decision_reads_as_a_sentence(workspace, busy):
    _, first, second, third = busy
    assert [sentence(each) for each in reversed(read(workspace))] == [
        f"ana labeled sample {first} red. Comment: “dark”",
        f"ana changed sample {first} from red to white.",
        f"ana skipped sample {second}.",
        f"ana took back the decision on sample {second}, which was skipped.",
        f"bob labeled sample {third} red. Comment: “=SUM(A1)”",
        f"What bob decided on sample {third} (grey) was not stored: “grey” is no category of "
        "this project any more.",
    ]


def test_filters_narrow_and_pages_do_not_overlap(workspace, busy):
    _, first, _, _ = busy
    everything = read(workspace)
    paged = [each for offset in range(0, 6, 2) for each in read(workspace, offset=offset, count=2)]
    assert paged == everything
    found = {
        "who": read(workspace, Filter("wine", annotator="bob")),
        "what": read(workspace, Filter("wine", kinds=("undo", "correction"))),
        "sample": read(workspace, Filter("wine", sample_id=first)),
        "text": read(workspace, Filter("wine", text="DARK")),
        "all": read(workspace, Filter()),
    }
    assert {name: len(each) for name, each in found.items()} == {
        "who": 2, "what": 2, "sample": 2, "text": 1, "all": 6,
    }  # fmt: skip
    middle = everything[3].happened
    later, earlier = Filter("wine", since=middle), Filter("wine", until=middle)
    assert len(read(workspace, later)) + len(read(workspace, earlier)) == 6
    assert not read(workspace, Filter("wine", since=datetime.now(UTC) + timedelta(minutes=1)))
    with workspace.database.read() as cursor:
        assert eventlog.count(cursor, Filter("wine", annotator="ana"), LOCAL) == 4
        assert eventlog.annotators(cursor, "wine", LOCAL) == ["ana", "bob"]


def test_an_annotator_sees_only_their_own_events_and_a_viewer_none(workspace, busy):
    assert {each.annotator for each in read(workspace, by=BOB)} == {"bob"}
    assert not read(workspace, Filter("wine", annotator="ana"), BOB)
    for wanted, by in ((Filter("wine"), VIEWER), (Filter("wine"), STRANGER), (Filter(), BOB)):
        with pytest.raises(ForbiddenError):
            read(workspace, wanted, by)


def test_the_download_holds_what_the_filter_lets_through_and_no_formula(workspace, busy):
    with workspace.database.read() as cursor:
        whole = pd.read_csv(io.BytesIO(eventlog.export(cursor, Filter("wine"), LOCAL)))
        own = pd.read_csv(io.BytesIO(eventlog.export(cursor, Filter("wine"), BOB)))
    assert list(whole["kind"]) == ["decision", "correction", "decision", "undo", "decision",
                                   "refused"]  # fmt: skip
    assert list(whole["before"].dropna()) == ["red", "SKIPPED"]
    assert whole["happened"].str.endswith("Z").all()
    assert (own["comment"][0], set(own["annotator"])) == ("'=SUM(A1)", {"bob"})
    assert ("detail" in whole, "detail" in own) == (True, False)


def test_projects_made_changed_refreshed_and_deleted_are_in_the_log(workspace):
    make_source(workspace.database)
    project = use_cases.create_project(workspace, SETTINGS, LOCAL)
    changed = replace(project.settings, every=7, title="Vinho Verde")
    use_cases.update_project(workspace, project.project_id, changed, LOCAL)
    use_cases.update_project(workspace, project.project_id, changed, LOCAL)
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO main.wine VALUES (1000, 1.5, 'cask 9')")
    use_cases.refresh_source(workspace, workspace.project("wine"), LOCAL)
    use_cases.delete_project(workspace, "wine", LOCAL)
    assert [sentence(each) for each in reversed(read(workspace, Filter()))] == [
        "ana made the project “Wine”.",
        "ana changed the settings: title from “Wine” to “Vinho Verde”; every from 20 to 7.",
        "ana took over the source: 1 new samples, 0 gone.",
        "ana deleted the project “Vinho Verde”.",
    ]
    stored = rows(workspace.database, "SELECT detail FROM labeling.events WHERE kind = 'settings'")
    assert stored == [('{"changed": {"title": ["Wine", "Vinho Verde"], "every": [20, 7]}}',)]


def test_a_change_that_is_refused_leaves_no_event(workspace):
    make_source(workspace.database)
    with pytest.raises(Exception, match="At least two categories"):
        use_cases.create_project(workspace, replace(SETTINGS, categories=()), LOCAL)
    assert not read(workspace, Filter())


def test_a_kind_that_is_not_known_here_is_still_told():
    entry = eventlog.Entry(1, datetime.now(UTC), "p", "ana", "role", None, None, {"of": "bob"})
    assert sentence(entry) == "ana: role (of “bob”)."
