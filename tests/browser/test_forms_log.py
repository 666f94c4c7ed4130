"""The log's filter, field by field; a decision restored."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from annotating import Annotator
from app_server import AppServer, settings_for
from forms import Form, newest
from playwright.sync_api import BrowserContext, expect
from prepared import OTHER, TRUTH, label_wines, workspace_of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project of 60 decisions and one correction by two people, and one of 2."""
    server = AppServer(tmp_path_factory.mktemp("log"))
    server.make_projects([settings_for("long"), settings_for("short")])
    with workspace_of(server) as workspace:
        project, ids = label_wines(workspace, "long", 57)
        again = Annotator(workspace, project, "ana")
        again.send([again.decision(ids[0], "label", category=OTHER[TRUTH[ids[0]]])])
        label_wines(workspace, "long", 3, "ben", comment="cloudy, with a deposit")
        label_wines(workspace, "short", 2, "eva")
    server.start()
    yield server
    server.stop()


def corrected(server: AppServer) -> str:
    """The sample whose decision was changed."""
    with server.tables() as tables:
        (row,) = tables.execute(
            "SELECT sample_id FROM labeling.events WHERE kind = 'correction'"
        ).fetchall()
    return str(row[0])


def shows_events(form: Form, number: int) -> None:
    """So many events fit the filter, as the button that downloads them says."""
    what = "event" if number == 1 else "events"
    expect(form.page.get_by_role("button", name=f"Download {number} {what} as CSV")).to_be_visible()


def day(ahead: int) -> str:
    """A day as it is typed, counted from today; two days are safe in any time zone."""
    return (date.today() + timedelta(days=ahead)).strftime("%Y/%m/%d")


def test_each_field_of_the_filter_tells_which_events_are_shown(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("log?project=long")
    shows_events(form, 61)
    form.number("Page of 2", 2)
    form.shows("spinbutton", {"Page of 2": "2"})
    form.choose("Annotator", "ben")
    shows_events(form, 3)
    _, content = form.download("Download 3 events as CSV")
    comments = [row["comment"] for row in csv.DictReader(io.StringIO(content.decode()))]
    assert comments == ["cloudy, with a deposit"] * 3
    form.choose("Annotator", "Anyone")
    form.text("Words in the comment", "DEPOSIT")
    shows_events(form, 3)
    form.text("Words in the comment", "")
    form.text("Sample", corrected(server))
    shows_events(form, 2)
    form.add("What", "changed a decision")
    shows_events(form, 1)
    form.text("Sample", "")
    form.remove("What", "changed a decision")
    shows_events(form, 61)
    form.date("From", day(2))
    expect(form.page.get_by_text("Nothing has happened that fits the filter.")).to_be_visible()
    form.date("From", day(-2))
    shows_events(form, 61)
    form.date("Until", day(-2))
    expect(form.page.get_by_text("Nothing has happened that fits the filter.")).to_be_visible()
    form.date("Until", day(2))
    shows_events(form, 61)
    form.segment("Events of", "All projects")
    shows_events(form, 63)
    form.choose("Project", "short")
    form.shows("radiogroup", {"Events of": "Project: short"})


def test_a_decision_is_put_back_as_it_was(server: AppServer, context: BrowserContext) -> None:
    sample = corrected(server)
    form = Form(context, server).open("log?project=long")
    form.text("Sample", sample)
    form.pick_row(0)
    expect(form.page.get_by_text(f"History of sample {sample}")).to_be_visible()
    form.press("Restore this")
    expect(form.page.get_by_text(f"Sample {sample} is as it was.")).to_be_visible()
    with server.tables() as tables:
        rows = tables.execute("SELECT label FROM long_metadata WHERE sample_id = ?", [sample])
        assert rows.fetchall() == [(TRUTH[sample],)]
    assert newest(server, "long", "restore")["label"] == TRUTH[sample]
