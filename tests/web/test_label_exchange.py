"""What comes from a browser is untrusted; what goes back is complete."""

from __future__ import annotations

import json

import pytest

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.web import messages, routes

GOOD = {"client": "c", "seq": 1, "sample_id": "7", "action": "skip"}


@pytest.mark.parametrize(
    "raw",
    [
        None, [], 3, {}, {"client": ""}, {"client": "c" * 101}, {"client": "c", "decisions": 5},
        {"client": "c", "decisions": [GOOD] * 5_001}, {"client": "c", "holding": [3]},
        {"client": "c", "want": "many"}, {"client": "c", "history": {"index": 0}},
        {"client": "c", "decisions": [GOOD | {"seq": "x"}]},
        {"client": "c", "decisions": [GOOD | {"sample_id": "x" * 5_000}]},
        {"client": "c", "decisions": [GOOD | {"comment": 5}]},
        {"client": "c", "message": float("inf")},
    ],
)  # fmt: skip
def test_a_malformed_message_is_one_sentence(raw):
    with pytest.raises(LabelingError, match="cannot be read"):
        messages.parse(raw)


def test_bounds_are_kept_rather_than_refused_where_that_loses_nothing():
    message = messages.parse(
        {"client": "c", "want": 10**9,
         "decisions": [GOOD | {"comment": "x" * 20_000, "seconds": float("nan")}]}
    )  # fmt: skip
    assert message.wanted == messages.MAX_WANTED
    assert len(message.decisions[0].comment) == messages.MAX_COMMENT
    assert message.decisions[0].seconds == 0.0


def test_the_route_checks_the_token_and_answers_in_sentences(workspace, make_project, monkeypatch):
    project = make_project()
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    good = tokens.issue(workspace.key, project.project_id, "ana")
    gone = tokens.issue(workspace.key, "no_such_project", "ana")

    def post(body):
        response = routes.respond(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response.status_code, json.loads(response.body)

    assert post({"client": "c", "token": good, "want": 3})[0] == 200
    assert post({"client": "c", "token": good[:-3] + "AAA", "want": 3})[0] == 403
    assert post({"client": "c", "token": gone})[0] == 403
    assert post({"client": "c"})[0] == 403
    assert post({})[0] == 400
    assert post(b"\xff\xfe not json")[0] == 400
    assert post(b"[" * 100_000)[0] == 400


def test_a_new_session_hands_back_what_nobody_has_looked_at(workspace, make_project, annotator):
    from running import run_session

    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(40)
    queue = ana.take(10)
    run_session(workspace, project)
    reply = ana.send(holding=queue, screen=queue[0], version=0, want=5)
    assert reply["drop"] == queue[1:]
    assert reply["learning"]["session_id"] == 1
    assert len(reply["samples"]) == 14
    assert queue[0] not in [each["sample_id"] for each in reply["samples"]]
    assert workspace.queue(project).reservations.get(queue[0]).client == ana.client


def test_the_view_of_a_sample_says_nothing_about_why_it_is_shown(
    workspace, make_project, annotator
):
    project = make_project()
    samples = annotator(project).send(want=30)["samples"]
    assert {tuple(each) for each in samples} == {("sample_id", "view")}
    assert {tuple(each["view"]) for each in samples} == {("fields", "truncated")}


def test_the_last_samples_with_somebody_else_are_told(workspace, make_project, annotator):
    project = make_project(rows=10, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    ana.take(4)
    ben.label_truly(100)
    waiting = ben.send(want=5)["waiting"]
    queue = [each.until for each in workspace.queue(project).reservations]
    assert waiting == {"samples": 4, "own": False, "until": max(queue)}
