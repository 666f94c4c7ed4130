"""The log as JSON lines: requests by number and template, and nothing of what people wrote."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from annotating import LOCAL, SETTINGS, Annotator
from serving import ask, serving
from starlette.middleware import Middleware

from labeling_core import use_cases
from labeling_core.access import tokens
from labeling_core.settings import Category
from labeling_core.web import label_exchange, request_log, routes
from labeling_core.web.request_log import Logged, template

MARK = "Zwetschge"  # in everything that people write
PERSON = f"{MARK}@example.org"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What is written while a test runs, as JSON objects; all loggers are as before then."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [(each, [*each.handlers], each.propagate, each.disabled) for each in loggers]
    root, written = [*logging.root.handlers], io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    request_log.install()
    yield lambda: [json.loads(each) for each in written.getvalue().splitlines()]
    logging.root.handlers[:] = root
    logging.captureWarnings(False)
    for logger, handlers, propagate, disabled in before:
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled


@pytest.fixture
def site(workspace: Any, monkeypatch: pytest.MonkeyPatch, lines: Any) -> Iterator[Any]:
    """The routes, with a project in which each word that people write has the mark."""
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE {MARK} AS SELECT i, '{MARK}' AS a FROM range(30) t(i)")
    kinds = (Category(f"{MARK} red", key="r"), Category("white", key="w"))
    settings = replace(SETTINGS, title=MARK, source=MARK, categories=kinds)
    project = use_cases.create_project(workspace, settings, LOCAL)
    token = tokens.issue(workspace.key, project.project_id, PERSON)
    ana = Annotator(workspace, project, PERSON)
    with serving(Middleware(Logged)) as port:
        yield port, token, ana


def test_nothing_that_people_wrote_is_in_the_log(site: Any, lines: Any) -> None:
    port, token, ana = site
    (sample,) = ana.take(1)
    made = ana.decision(sample, "label", category=f"{MARK} red", comment=MARK)
    sent = ana.raw([made], want=1)
    answer = ask(port, "POST", "/labeling/exchange", sent, X_Labeling_Token=token)
    assert answer.status == 200 and json.loads(answer.body)["refused"] == []
    ask(port, "POST", "/labeling/exchange", {"x": MARK}, X_Labeling_Token=MARK)
    ask(port, "GET", f"/labeling/media/{MARK}.png")
    ask(port, "GET", f"/labeling/{MARK}?a={MARK}")
    found = [each for each in lines() if each["message"] == "request"]
    assert [(each["method"], each["path"], each["status"]) for each in found] == [
        ("POST", "/labeling/exchange", 200),
        ("POST", "/labeling/exchange", 403),
        ("GET", "/labeling/media/{token}", 403),
    ]
    assert found[0]["request"] == answer.headers["x-request-id"]
    assert len({each["request"] for each in found}) == 3
    assert found[0]["person"] and not found[1]["person"]
    assert found[0]["ms"] > 0 and found[0]["level"] == "info"
    assert MARK.lower() not in json.dumps(lines()).lower()


def test_an_error_is_told_by_its_places_and_the_person_gets_its_number(
    site: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, token, ana = site

    def fall(*given: object) -> None:
        try:
            raise KeyError(MARK)
        except KeyError as error:
            raise RuntimeError(f"about {MARK}") from error

    monkeypatch.setattr(label_exchange, "answer", fall)
    answer = ask(port, "POST", "/labeling/exchange", ana.raw(want=1), X_Labeling_Token=token)
    number = answer.headers["x-request-id"]
    told = f"Something went wrong here: tell an admin. (reference {number})"
    assert (answer.status, answer.body.decode()) == (500, told)
    (failed,) = [each for each in lines() if "traceback" in each]
    assert failed["request"] == number and failed["level"] == "error"
    assert {"KeyError", "RuntimeError"} <= {*failed["traceback"]}
    assert any(each.endswith(" fall") for each in failed["traceback"])
    assert MARK not in json.dumps(lines())


def test_of_a_library_the_place_is_told_and_not_what_it_says(lines: Any) -> None:
    logging.getLogger("some.library").warning("about " + MARK)
    logging.getLogger("labeling_core.web").warning("The file of %s is gone", MARK)
    first, second = lines()
    assert first["message"].startswith("test_request_log:")
    assert second["message"] == "The file of %s is gone"
    assert MARK not in json.dumps([first, second])


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/labeling/text/abc/def", "/labeling/text/{token}"),
        ("/labeling/export/abc", "/labeling/export/{token}"),
        ("/_stcore/upload_file/a/b", "/_stcore/upload_file/{session}/{file}"),
        ("/labeling/review", "/labeling/review"),
        ("/labeling/health", ""),
        ("/static/x.js", ""),
    ],
)
def test_paths_are_templates(path: str, shown: str) -> None:
    assert template(path) == shown
