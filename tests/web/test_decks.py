"""What the server remembers of open decks stays bounded, however many come and go."""

from __future__ import annotations

from annotating import Annotator

from labeling_core.labeling.browsers import Browser
from labeling_core.web import decks
from labeling_core.web.decks import Decks, decks_of


def test_the_deck_that_was_silent_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(decks, "MOST", 3)
    known, a, b, c, d = Decks(), *(Browser("ana", name) for name in "abcd")
    for now, browser in enumerate((a, b, c, a, d)):
        known.screens[browser] = "a sample"
        known.hear(browser, float(now), "seat")
    assert list(known.heard) == [c, a, d]
    assert set(known.seats) == set(known.screens) == {c, a, d}


def test_a_deck_that_was_forgotten_keeps_its_samples_and_its_decisions(
    workspace, make_project, monkeypatch
):
    monkeypatch.setattr(decks, "MOST", 5)
    project = make_project()
    first = Annotator(workspace, project, "ana")
    held = first.take(3)
    for number in range(20):
        Annotator(workspace, project, f"annotator {number}").take(1)
    known = decks_of(workspace.queue(project))
    assert len(known.heard) == len(known.seats) == 5 and len(known.screens) <= 5
    answer = first.send([first.decision(held[0], "label", category="red")], holding=held[1:])
    assert not answer["refused"] and not set(answer["drop"]) & set(held[1:])
