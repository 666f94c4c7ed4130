"""Figures for Prometheus: what happened is in them, people and samples are not."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from annotating import LOCAL
from prometheus_client.parser import text_string_to_metric_families
from running import run_session
from starlette.requests import Request
from starlette.responses import Response

from labeling_core.access import tokens
from labeling_core.store.backups import list_backups
from labeling_core.web import metrics, routes

TOKEN = "a long random text"


@pytest.fixture
def opened(workspace, monkeypatch):
    for module in (metrics, routes):
        monkeypatch.setattr(module, "open_workspace", lambda: workspace)
    monkeypatch.setenv("LABELING_METRICS_TOKEN", TOKEN)
    return workspace


def ask(authorization: str = f"Bearer {TOKEN}") -> Response:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    return asyncio.run(metrics.get_metrics(Request({"type": "http", "headers": headers})))


def told() -> dict[str, float]:
    """Every figure, by its name and labels."""
    families = text_string_to_metric_families(bytes(ask().body).decode())
    return {
        " ".join([each.name, *each.labels.values()]): each.value
        for family in families
        for each in family.samples
    }


def test_decisions_sessions_samples_and_errors_are_counted(opened, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    before = told()

    def post(want: int, decisions: list[dict[str, object]]) -> dict[str, object]:
        body = {"client": "c", "want": want, "decisions": decisions}
        token = tokens.issue(opened.key, project.project_id, "ana")
        answer = routes.respond(json.dumps(body).encode(), token=token)
        assert answer.status_code == 200
        return json.loads(bytes(answer.body))

    (first, second) = post(2, [])["samples"]
    made = [
        {"client": "c", "seq": n, "sample_id": each["sample_id"], "action": "label",
         "category": "red"}
        for n, each in enumerate((first, second), start=1)
    ]  # fmt: skip
    unknown = made[0] | {"seq": 3, "sample_id": "no such sample"}
    assert len(post(0, [*made, unknown])["refused"]) == 1
    after = told()
    name = "labeling_decisions_total label"
    assert after[name] - before.get(name, 0) == 2
    ana.label_truly(40)
    run_session(opened, project)
    metrics.answered("label", 200, 0.03)
    logging.getLogger("somebody").addHandler(counted := metrics._Counted(logging.ERROR))
    logging.getLogger("somebody").error("it broke")
    logging.getLogger("somebody").removeHandler(counted)
    found = told()
    assert found[f"labeling_samples {project.project_id} labeled"] == 42
    assert found[f"labeling_samples {project.project_id} waiting"] == project.samples - 42
    assert found[f"labeling_sessions {project.project_id} done"] == 1
    assert found["labeling_errors_total somebody"] == 1
    assert found["labeling_exchange_seconds_count label 200"] >= 1
    assert found["labeling_database_bytes"] > 0 and found["labeling_disk_free_bytes"] > 0
    text = bytes(ask().body).decode()
    assert "ana" not in text.split() and first["sample_id"] not in text.split()
    assert "labeling_backup_age_seconds" not in found
    opened.backups.make(LOCAL)
    assert 0 <= told()["labeling_backup_age_seconds"] < 600
    (made,) = list_backups(opened.database.path)
    ahead = made.path.name.replace(f"-{made.made:%Y}", f"-{made.made.year + 10}")
    made.path.rename(made.path.with_name(ahead))
    assert told()["labeling_backup_age_seconds"] > 9 * 365 * 86_400, "the clock ran ahead"


def test_nobody_is_told_without_the_token(opened, monkeypatch):
    for wrong in ("", "Bearer", "Bearer a long random", f"Basic {TOKEN}", "Bearer ü"):
        answer = ask(wrong)
        assert answer.status_code == 401 and b"labeling_" not in bytes(answer.body), wrong
    monkeypatch.delenv("LABELING_METRICS_TOKEN")
    for each in ("", "Bearer ", f"Bearer {TOKEN}"):
        assert ask(each).status_code == 404
