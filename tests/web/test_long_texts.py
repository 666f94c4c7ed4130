"""Cells of more than 20,000 characters: whole, for whoever may see them, and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, Annotator
from serving import Answer, ask, serving

from labeling_core import use_cases
from labeling_core.access import tokens
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Column
from labeling_core.web import media_links, routes
from labeling_core.workspace import Workspace

TEXT = "repeat('שלום <b>wörld</b> ', 5000) || i"


@pytest.fixture
def port(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE wine AS SELECT {TEXT} AS story, i FROM range(20) t(i)")
    create_project(workspace.database, replace(SETTINGS, title="stories"))
    with serving() as port:
        yield port


def first_story(workspace: Workspace, port: int) -> tuple[str, str, str]:
    """A browser's cookie, the address of the first sample's whole story, and the story."""
    project = workspace.project("stories")
    token = tokens.issue(workspace.key, project.project_id, "ana")
    answer = ask(
        port,
        "POST",
        "/labeling/exchange",
        Annotator(workspace, project, "ana").raw(token=token, want=1),
    )
    (sample,) = json.loads(answer.body)["samples"]
    ((column, characters, address),) = sample["view"]["truncated"]
    number = dict((name, text) for name, text, _ in sample["view"]["fields"])["i"]
    story = "שלום <b>wörld</b> " * 5000 + number
    assert (column, characters) == ("story", len(story))
    return answer.headers["set-cookie"].split(";")[0], address, story


def test_the_whole_text_comes_as_plain_text_and_is_kept_by_nobody(
    workspace: Workspace, port: int
) -> None:
    cookie, address, story = first_story(workspace, port)
    answer = ask(port, "GET", address, Cookie=cookie)
    assert (answer.status, answer.body.decode()) == (200, story)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("sandbox")


def refused(answer: Answer) -> str:
    assert answer.status == 403
    return answer.body.decode()


def test_a_link_works_in_one_browser_until_it_ends_and_while_the_column_is_shown(
    workspace: Workspace, port: int
) -> None:
    cookie, address, _ = first_story(workspace, port)
    assert "another browser" in refused(ask(port, "GET", address))
    assert "another browser" in refused(ask(port, "GET", address, Cookie="labeling_browser=x"))
    assert "not signed in" in refused(ask(port, "GET", address[:-3], Cookie=cookie))
    values = tokens.unseal(workspace.key, media_links.TEXTS, address.rpartition("/")[2])
    for place, other, said in ((5, 0, "over"), (3, "none", "no longer"), (4, "_p", "no longer")):
        forged = [*values[:place], other, *values[place + 1 :]]
        sealed = media_links.TEXTS + tokens.seal(workspace.key, media_links.TEXTS, forged)
        assert said in refused(ask(port, "GET", sealed, Cookie=cookie))
    settings = workspace.project("stories").settings
    hidden = replace(settings, columns=(Column("story", "learned"),))
    use_cases.update_project(workspace, "stories", hidden, LOCAL)
    assert "no longer" in refused(ask(port, "GET", address, Cookie=cookie))
