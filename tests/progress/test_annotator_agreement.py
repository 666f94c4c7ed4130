"""What the progress page says about agreement between people."""

from __future__ import annotations

import pytest
from annotating import Adjudicator, reserved
from streamlit.testing.v1 import AppTest

from labeling_core import workspace as workspaces
from labeling_core.progress import annotator_agreement


def vote(person, votes):
    """Take what is there, and decide on it as told: sample_id → category, None for a skip."""
    queue = person.take(100)
    while more := person.take(100):
        queue += more
    decisions = [
        person.decision(each, "label" if votes[each] else "skip", category=votes[each])
        for each in queue
        if each in votes
    ]
    assert person.send(decisions)["refused"] == []
    person.send(release=True, holding=reserved(person.workspace.queue(person.project)))


@pytest.fixture
def team(workspace, make_project, annotator):
    """A project in which each person's labels are told as one word; r, w, or s for a skip."""

    def make(people: int = 2, **words: str):
        size = max(len(word) for word in words.values())
        project = make_project(rows=size, overlap_share=1.0, overlap_people=people, probe_share=0.0)
        names = {"r": "red", "w": "white", "s": None}
        for name, word in words.items():
            votes = {str(i): names[c] for i, c in enumerate(word, start=1) if c in names}
            vote(annotator(project, name), votes)
        return project

    return make


def report(workspace, project):
    with workspace.database.read() as cursor:
        return annotator_agreement.report(cursor, project)


def test_two_people_have_cohens_kappa_and_a_table_of_who_chose_what(workspace, team):
    project = team(ana="rrrrrwwwwws", ben="rrrrwwwwwrw")
    found = report(workspace, project)
    assert (found.people, found.samples) == (["ana", "ben"], 10)
    assert found.raw.value == pytest.approx(0.8)
    assert found.kappa.value == pytest.approx(0.6)
    assert found.kappa.low < 0.6 < found.kappa.high
    assert found.confusion.tolist() == [[4, 1], [1, 4]]
    assert [pair[:4] for pair in found.pairs] == [("ana", "ben", 10, pytest.approx(0.8))]
    words = annotator_agreement.in_words(found, project.settings.names)
    assert "80%" in words
    assert "Most often mixed up: red and white." in words


def test_three_people_have_fleiss_kappa_and_every_pair(workspace, team):
    project = team(3, ana="rrww", ben="rrww", cem="rrwr")
    found = report(workspace, project)
    assert found.people == ["ana", "ben", "cem"]
    assert [(pair.first, pair.second, pair.samples) for pair in found.pairs] == [
        ("ana", "ben", 4), ("ana", "cem", 4), ("ben", "cem", 4),
    ]  # fmt: skip
    assert found.raw.value == pytest.approx(10 / 12)
    assert found.confusion.tolist() == [[12, 2], [2, 8]]


def test_an_adjudicators_ruling_is_not_compared(workspace, team):
    project = team(ana="rrw", ben="rww")
    before = report(workspace, project)
    Adjudicator(workspace, project).rule("2", "white")
    after = report(workspace, project)
    assert (after.samples, after.raw, after.people) == (3, before.raw, ["ana", "ben"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ({"ana": "rrr"}, "No sample has been labeled by two people yet"),
        ({"ana": "rrr", "ben": "rrr"}, "kappa and alpha are not defined"),
        ({"ana": "rsw", "ben": "rww"}, "People label alike, as far as so few can tell."),
        ({"ana": "rrww", "ben": "rwrw"}, "do not label alike enough"),
        ({"ana": "r", "ben": "r"}, "1 sample was labeled by two people or more"),
    ],
)
def test_it_is_said_in_plain_words(workspace, team, words, part):
    project = team(**words)
    assert part in annotator_agreement.in_words(report(workspace, project), project.settings.names)


def page():
    from labeling_core.workspace import open_workspace
    from pages.blocks import agreement

    agreement.show(open_workspace(), open_workspace().project("wine"))


@pytest.mark.parametrize(
    ("words", "metrics"),
    [
        ({"ana": "rr"}, []),
        ({"ana": "rrr", "ben": "rrr"}, ["3", "100%", "–", "–"]),
        ({"ana": "rrww", "ben": "rrwr"}, ["4", "75%", "0.50", "0.53"]),
    ],
)
def test_the_block_of_the_progress_page(workspace, team, monkeypatch, words, metrics):
    team(**words)
    monkeypatch.setenv("LABELING_DATABASE", str(workspace.database.path))
    monkeypatch.setitem(workspaces._open, workspace.database.path, workspace)
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    assert at.header[0].value == "Agreement between people"
    assert [each.value for each in at.metric] == metrics


def test_nothing_is_said_where_one_person_decides_each_sample(workspace, make_project, monkeypatch):
    make_project()
    monkeypatch.setenv("LABELING_DATABASE", str(workspace.database.path))
    monkeypatch.setitem(workspaces._open, workspace.database.path, workspace)
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    assert not at.header
