"""Forms as a person fills them in: one method for each kind of field, found by its name.

What a test names as a field is what tests/browser/test_form_coverage.py takes for changed.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from app_server import AppServer
from editor import ROW, WITHIN, Editor
from playwright.sync_api import BrowserContext, Locator, Page, TimeoutError, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

IDLE = '[data-test-script-state="notRunning"]'


class Runs:
    """Which runs of the page the browser has asked for, how many of them by a pressed button, and
    whether the last one is over.

    A page that has not begun to run looks like one that is done: only the wire tells them apart.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.asked, self.pressed, self._over = 0, 0, True
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, data: str | bytes) -> None:
        message = BackMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode("latin-1"))
        if message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun:
            self.asked += 1
            self._over = False
            widgets = message.rerun_script.widget_states.widgets
            self.pressed += any(each.trigger_value for each in widgets)

    def _received(self, data: str | bytes) -> None:
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode("latin-1"))
        if message.WhichOneof("type") == "script_finished":
            early = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            self._over = self._over or not early

    def wait(self, asked: int) -> None:
        """Until more than ``asked`` runs were asked for, and the last of them is drawn."""
        end = time.monotonic() + WITHIN
        while self.asked <= asked or not self._over:
            assert time.monotonic() < end, "the page did not run"
            self._page.wait_for_timeout(10)
        expect(self._page.locator(IDLE)).to_have_count(1)
        expect(self._page.get_by_test_id("stSpinner")).to_have_count(0)


class Form:
    """One browser tab with a page of the app."""

    def __init__(self, context: BrowserContext, server: AppServer) -> None:
        self.page: Page = context.new_page()
        self.page.set_viewport_size({"width": 1280, "height": 4200})  # nothing is out of sight
        self._url, self._runs = server.url, Runs(self.page)
        self.root: Page | Locator = self.page

    def open(self, address: str) -> Form:
        """Open a page of the app by its address."""
        self._run(lambda: self.page.goto(f"{self._url}/{address}"))
        return self

    def reload(self) -> None:
        """Forget all that the browser knows of the page."""
        self._run(self.page.reload)

    def go(self, name: str) -> None:
        """Go to another page by its link in the sidebar."""
        self._run(self.page.get_by_role("link", name=name, exact=True).click)

    def _run(self, change: Callable[[], Any]) -> None:
        asked = self._runs.asked
        change()
        self._runs.wait(asked)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    @contextmanager
    def popover(self, name: str) -> Iterator[None]:
        """Fill in what is behind a button that opens a popover."""
        self.page.get_by_test_id("stPopoverButton").filter(has_text=name).click()
        body = self.page.get_by_test_id("stPopoverBody")
        expect(body).to_be_visible()
        with self.inside(body):
            yield
        if body.is_visible():
            self.page.keyboard.press("Escape")
            expect(body).to_have_count(0)

    @contextmanager
    def inside(self, part: Locator) -> Iterator[None]:
        """Look for fields in one part of the page only."""
        before, self.root = self.root, part
        yield
        self.root = before

    def field(self, role: Any, name: str) -> Locator:
        """A field by what it is and what it is called."""
        return self.root.get_by_role(role, name=name, exact=True)

    def _around(self, kind: str, role: Any, name: str) -> Locator:
        """The element that holds a field and what belongs to it."""
        field = self.page.get_by_role(role, name=name, exact=True)  # looked for in each element
        return self.root.get_by_test_id(kind).filter(has=field)

    def text(self, name: str, value: str, runs: bool = True) -> None:
        """Type into a text field; in a form nothing runs before it is sent."""
        field = self.field("textbox", name)
        field.fill(value)
        self._run(lambda: field.press("Enter")) if runs else field.press("Tab")

    def number(self, name: str, value: float) -> None:
        """Type into a field for numbers."""
        field = self.field("spinbutton", name)
        field.fill(str(value))
        self._run(lambda: field.press("Enter"))

    def choose(self, name: str, option: str, runs: bool = True) -> None:
        """Choose one of a list."""
        chosen = partial(self._pick, name, option)
        self._run(chosen) if runs else chosen()

    def _pick(self, name: str, option: str) -> None:
        chosen = self.page.get_by_role("option", name=option, exact=True)
        # A page that is drawn anew by itself just then closes the list: a person opens it again.
        for _ in range(2):
            self.field("combobox", name).click()
            with suppress(TimeoutError):
                chosen.click(timeout=10_000)
                return
        self.field("combobox", name).click()
        chosen.click()

    def add(self, name: str, option: str) -> None:
        """Choose one more of a list of which several may be chosen."""
        self.choose(name, option)
        self.page.keyboard.press("Escape")

    def remove(self, name: str, option: str) -> None:
        """Take one away of several that are chosen."""
        several = self._around("stMultiSelect", "combobox", name)
        self._run(several.get_by_role("button", name=f"Remove {option}").click)

    def segment(self, name: str, option: str) -> None:
        """Choose one of a row of buttons."""
        group = self.field("radiogroup", name)
        self._run(group.get_by_role("radio", name=option, exact=True).click)

    def radio(self, name: str, option: str) -> None:
        """Choose one of a column of dots."""
        self._run(lambda: self.field("radiogroup", name).get_by_text(option, exact=True).click())

    def switch(self, name: str) -> None:
        """Turn a switch to its other side."""
        switch = self._around("stCheckbox", "switch", name)
        self._run(switch.locator("label").first.click)

    def slide(self, name: str, value: int) -> None:
        """Move a slider, a step a key."""
        slider = self.field("group", name).get_by_role("slider")
        slider.focus()
        while (now := int(float(slider.input_value()))) != value:
            key = "ArrowRight" if now < value else "ArrowLeft"
            self._run(lambda key=key: self.page.keyboard.press(key))  # type: ignore[misc]

    def date(self, name: str, value: str) -> None:
        """Type a date (YYYY/MM/DD); it counts once something outside of the field is clicked."""

        def type_it() -> None:
            for part, digits in zip(("year", "month", "day"), value.split("/"), strict=True):
                self.field("spinbutton", f"{part}, {name}").press_sequentially(digits)
            self.page.get_by_role("heading", level=1).click()

        self._run(type_it)

    def upload(self, name: str, *files: Path | dict[str, Any]) -> None:
        """Hand over files."""
        place = self.page.get_by_test_id("stFileUploader").filter(
            has=self.page.get_by_text(name, exact=True)
        )
        self._run(lambda: place.locator("input[type=file]").set_input_files(list(files)))  # type: ignore[arg-type]

    def press(self, name: str, number: int = -1) -> None:
        """Press a button; where several are called so, that of a ``number`` from above."""
        button = self.button(name)
        button = button if number < 0 else button.nth(number)
        pressed = self._runs.pressed
        self._run(button.click)
        if self._runs.pressed == pressed:  # a run that came by itself moved it from under the mouse
            self._run(button.click)

    def settle(self) -> None:
        """Wait until nothing runs: what comes by itself moves what is to be pressed."""
        self._runs.wait(-1)

    def button(self, name: str) -> Locator:
        """A button by its text; its icon is hidden from names."""
        return self.field("button", name)

    def download(self, name: str) -> tuple[str, bytes]:
        """Press a download button, or follow its link; the file's name and content."""
        link = self.page.get_by_role("link", name=name, exact=True)
        with self.page.expect_download() as download:
            self.button(name).or_(link).click()
        return download.value.suggested_filename, download.value.path().read_bytes()

    @property
    def editor(self) -> Editor:
        """The page's editable table."""
        return Editor(self.page, self._run)

    @property
    def columns(self) -> Editor:
        """The table that says how columns are used."""
        return Editor(self.page, self._run, "edit-columns")

    def pick_row(self, row: int) -> None:
        """Select a row of the first table that lets one; again if it was still being drawn."""
        box = self.page.get_by_test_id("stDataFrame").first.bounding_box()
        assert box
        asked = self._runs.asked
        for tick in itertools.count():
            if self._runs.asked > asked:
                break
            if tick % 200 == 0:
                self.page.mouse.click(box["x"] + 12, box["y"] + ROW * (row + 1) + ROW / 2)
            self.page.wait_for_timeout(20)
        self._runs.wait(asked)

    def shows(self, role: Any, fields: dict[str, str]) -> None:
        """Each field shows its value, or offers it as what holds if nothing is entered."""
        for name, value in fields.items():
            end = time.monotonic() + WITHIN
            while (shown := self.reads(role, name)) != value:
                assert time.monotonic() < end, f"{name}: {shown!r} is shown, not {value!r}"
                self.page.wait_for_timeout(50)

    def reads(self, role: Any, name: str) -> str:
        """What a field shows."""
        field = self.field(role, name)
        if role == "switch":
            return "on" if field.is_checked() else "off"
        if role == "radiogroup":
            return field.locator("[data-selected=true]").first.inner_text()
        if role == "group":
            return field.get_by_role("slider").input_value()
        return field.input_value() or str(field.get_attribute("placeholder"))


def stored(server: AppServer, project_id: str) -> dict[str, Any]:
    """The settings of a project as its row in the database holds them."""
    with server.tables() as tables:
        row = tables.execute(
            "SELECT settings FROM labeling.projects WHERE project_id = ?", [project_id]
        ).fetchone()
    assert row, f"there is no project {project_id}"
    return dict(json.loads(row[0]))


def newest(server: AppServer, project_id: str, kind: str) -> dict[str, Any]:
    """The detail of the newest event of a kind."""
    with server.tables() as tables:
        row = tables.execute(
            "SELECT detail FROM labeling.events WHERE project_id = ? AND kind = ? "
            "ORDER BY event_id DESC LIMIT 1",
            [project_id, kind],
        ).fetchone()
    assert row, f"nothing of the kind {kind} has happened"
    return dict(json.loads(row[0]))
