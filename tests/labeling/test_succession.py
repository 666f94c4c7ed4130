from __future__ import annotations

import pytest

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.succession import SILENT
from labeling_core.web.decks import decks_of


def held(workspace, project, deck):
    reservations = workspace.queue(project).reservations
    return {each.sample_id for each in reservations if each.client == deck.client}


@pytest.fixture
def project(make_project):
    return make_project(rows=30, probe_share=0.0)


def fall_silent(workspace, project, deck):
    decks_of(workspace.queue(project)).heard[Browser(deck.name, deck.client)] -= SILENT


def test_a_lone_persons_next_browser_gets_what_a_silent_one_held(workspace, project, annotator):
    old, new = annotator(project), annotator(project)
    before = [each["sample_id"] for each in old.send(want=8)["samples"]]
    old.send(holding=before, screen=before[0], want=0)
    assert not set(before) & set(new.take(2))  # it may still be there
    fall_silent(workspace, project, old)
    got = new.take(8)
    assert len(got) >= 4 and got == before[: len(got)]
    assert held(workspace, project, old) == set()


def test_nothing_is_handed_over_while_somebody_else_works(workspace, project, annotator):
    old, new, ben = annotator(project), annotator(project), annotator(project, "ben")
    before, bens = set(old.take(6)), set(ben.take(6))
    assert not (before | bens) & set(new.take(6))
    assert held(workspace, project, old) == before


def test_a_browser_that_is_still_there_loses_no_decision(workspace, project, annotator):
    old, new = annotator(project), annotator(project)
    before = [each["sample_id"] for each in old.send(want=4)["samples"]]
    new.take(4)
    reply = old.send([old.decision(before[1], "label", category="red")], holding=before)
    assert reply["refused"] == [] and reply["counts"]["labeled"] == 1
