"""The form that starts a session by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_server import AppServer, settings_for
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect
from prepared import label_wines, workspace_of

LEARNED = 600_000  # milliseconds: the process that learns gives way to all others


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project that has labels and no session yet, and one without labels."""
    server = AppServer(tmp_path_factory.mktemp("sampler"))
    learning = {"queries_table": "q", "every": 1000}
    server.make_projects([
        settings_for("labeled", **learning),
        settings_for("blank", **(learning | {"queries_table": "b", "strategy": "random"})),
    ])  # fmt: skip
    with workspace_of(server) as workspace:
        label_wines(workspace, "labeled", 20)
    server.start()
    yield server
    server.stop()


def test_a_session_by_hand_uses_what_was_chosen_and_leaves_the_settings_alone(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("query_sampler?project=labeled")
    form.shows("combobox", {"Classifier": "Automatic", "Query strategy": "Automatic"})
    before = stored(server, "labeled")
    form.choose("Classifier", "Random forest")
    form.choose("Query strategy", "Greatest entropy")
    form.choose("Project", "blank")  # its own choice, not that of the project before
    form.shows("combobox", {"Classifier": "Automatic", "Query strategy": "Random"})
    form.choose("Project", "labeled")
    form.choose("Classifier", "Random forest")
    form.choose("Query strategy", "Greatest entropy")
    form.press("Run a session now")
    done = form.page.get_by_text("Session 1: Random forest, Greatest entropy, 20 labels")
    expect(done).to_be_visible(timeout=LEARNED)
    told = newest(server, "labeled", "session")
    assert told == {"classifier": "random_forest", "strategy": "entropy"}
    with server.tables() as tables:
        rows = tables.execute(
            "SELECT classifier, strategy, state, started_by FROM labeling.sessions "
            "WHERE project_id = 'labeled'"
        ).fetchall()
    assert rows == [("random_forest", "entropy", "DONE", "hand")]
    assert stored(server, "labeled") == before
    form.reload()
    expect(done).to_be_visible()


def test_a_session_that_the_labels_do_not_allow_is_told(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("query_sampler?project=blank")
    form.press("Run a session now")
    expect(form.page.get_by_role("alert").filter(has_text="two categories")).to_be_visible()
    with server.tables() as tables:
        rows = tables.execute("SELECT 1 FROM labeling.sessions WHERE project_id = 'blank'")
        assert rows.fetchall() == []


def test_the_trigger_is_changed_and_its_mistakes_are_told(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("query_sampler?project=blank")
    expect(form.page.get_by_text("On: a session runs after every 1,000 labelings.")).to_be_visible()
    with form.popover("Change the trigger"):
        form.number("Every n labelings", 50)
        form.number("Check every … seconds", 90)
        form.number("Grace delay (seconds)", -1)
        form.press("Save the trigger")
        expect(form.page.get_by_role("alert").filter(has_text="0 to 86,400 s")).to_be_visible()
        form.number("Grace delay (seconds)", 30)
        form.switch("Sessions start by themselves")
        form.press("Save the trigger")
    expect(form.page.get_by_text("Off: a session runs only when")).to_be_visible()
    form.reload()
    expect(form.page.get_by_text("Off: a session runs only when")).to_be_visible()
    names = ("automatic", "every", "check_seconds", "grace_seconds")
    told = stored(server, "blank")
    assert [told[each] for each in names] == [False, 50, 90, 30]
