"""What the Review page lets one choose; its keys are tried in test_review.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_server import AppServer, settings_for
from forms import Form
from playwright.sync_api import BrowserContext, expect
from prepared import disputed_wines, workspace_of

LEARNED = 600_000  # milliseconds: the process that learns gives way to all others


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project whose labels nobody has looked through yet, some of them wrong."""
    server = AppServer(tmp_path_factory.mktemp("review"))
    server.make_projects([settings_for("doubtful", overlap_share=0.3, queries_table="doubtful_q",
                                       every=1000)])  # fmt: skip
    with workspace_of(server) as workspace:
        disputed_wines(workspace, "doubtful")
    server.start()
    yield server
    server.stop()


def test_labels_are_looked_through_and_listed_by_each_choice(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("review?project=doubtful")
    form.press("Look for label errors")
    expect(form.button("Look again")).to_be_visible(timeout=LEARNED)
    query = "SELECT labels FROM labeling.label_checks WHERE project_id = 'doubtful'"
    with server.tables() as tables:
        number = tables.execute(query).fetchall()[0][0]
    assert number > 50
    expect(form.page.get_by_text(f"{number} labels looked through")).to_be_visible()
    place = form.page.locator('[data-part="place"]').last
    form.segment("Segment", "All, most suspicious first")
    expect(place).to_have_text(f"1 of {number}")
    form.segment("Segment", "Model against people")
    expect(form.page.get_by_text("Agreement:")).to_be_visible()
    field = form.field("combobox", "Show")
    field.click()
    options = [each.inner_text() for each in form.page.get_by_role("option").all()]
    form.page.keyboard.press("Escape")
    pair = next(each for each in options if each.startswith("people:"))
    form.choose("Show", pair)
    listed = pair.rsplit("(", 1)[1].rstrip(")")
    expect(place).to_have_text(f"1 of {listed}")
    with form.popover("By category"):
        expect(form.root.locator(".js-plotly-plot")).to_be_visible()
    form.segment("Segment", "Disagreements")
    expect(form.page.locator("[data-sample-id]").last).to_be_visible()
    form.segment("Segment", "Likely errors")
    with server.tables() as tables:
        first = tables.execute("SELECT max(checked) FROM labeling.label_checks").fetchall()
    form.press("Look again")
    expect(form.button("Look again")).to_be_visible(timeout=LEARNED)
    form.settle()
    with server.tables() as tables:
        again = tables.execute("SELECT max(checked) FROM labeling.label_checks").fetchall()
    assert again > first
