"""An editable table, which the browser draws on a canvas, in the hands of a person."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, expect

WITHIN = 120  # seconds: a busy machine is no fault of the page's
ROW = 35  # pixels: a header or a row of a table


class Editor:
    """An editable table; ``run`` does something and waits for the page's run.

    The one to which rows can be added, or the one whose key holds ``key``: that has rows of its
    own, and no column in front that selects them.
    """

    def __init__(self, page: Page, run: Callable[[Callable[[], Any]], None], key: str = "") -> None:
        self._page, self._run, self._first = page, run, 0 if key else 1
        tables = page.get_by_test_id("stDataFrame")
        place = page.locator(f'[class*="{key}"]') if key else None
        add = page.locator('[aria-label="Add row"]')
        self._grid: Locator = (
            place.get_by_test_id("stDataFrame") if place else tables.filter(has=add)
        )

    def cells(self, row: int, **values: str) -> None:
        """Type into cells of a row of the editable table, by the titles of their columns."""
        self._look_at()
        for name, value in values.items():
            column = self._go(row, name)
            self._page.keyboard.press("Enter")
            self._overlay.fill(value)
            self._run(lambda: self._overlay.press("Tab"))  # Enter may leave all rows
            expect(self._cell(row, column), name).to_have_text(value)

    def pick(self, row: int, **values: str) -> None:
        """Choose from the lists in cells of a row."""
        self._look_at()
        for name, value in values.items():
            column = self._go(row, name)
            self._page.keyboard.press("Enter")
            expect(self._page.locator("#portal input")).to_be_focused()
            self._page.keyboard.type(value)  # the list shows what holds it
            self._run(lambda: self._page.keyboard.press("Enter"))  # a click may reach the table
            expect(self._cell(row, column), name).to_have_text(value)

    def tick(self, row: int, **boxes: bool) -> None:
        """Turn boxes in cells of a row to their other side."""
        self._look_at()
        for name in boxes:
            self._go(row, name)
            self._run(lambda: self._page.keyboard.press("Space"))  # drawn, and not told in words

    def add_row(self, row: int, **values: str) -> None:
        """Add a row to the editable table, below the last one."""
        self._click_row(row)
        expect(self._overlay).to_be_visible()  # the new row's first cell is opened at once
        self._page.keyboard.press("Escape")
        expect(self._chosen).to_have_count(1)
        self.cells(row, **values)

    def remove_row(self, row: int) -> None:
        """Take a row out of the editable table."""
        self._click_row(row, 12)
        self._run(lambda: self._page.keyboard.press("Delete"))

    def _selected(self) -> str:
        """The cell that is selected, as it is called for tests; none before the first click."""
        return str(self._chosen.get_attribute("data-testid")) if self._chosen.count() else ""

    @property
    def _chosen(self) -> Locator:
        return self._grid.locator("[role=gridcell][aria-selected=true]")

    def _look_at(self) -> None:
        """Select some cell: only then the table tells what it holds to those who cannot see."""
        if not self._selected():
            self._click_row(0)
        expect(self._chosen).to_have_count(1)

    def _go(self, row: int, name: str) -> int:
        """Select the cell below a column's title; the column's number."""
        titles = self._grid.locator("[role=columnheader]").all_text_contents()
        column = titles.index(name) + self._first
        self._select(row, column)
        return column

    def _select(self, row: int, column: int) -> None:
        """Go to a cell by keys, one at a time; a click on a selected one would open it.

        A key that comes while the table is drawn anew goes nowhere: another one follows it.
        """
        end = time.monotonic() + WITHIN
        while (now := self._selected()) != f"glide-cell-{column}-{row}":
            assert time.monotonic() < end, f"{now} is selected, not row {row}, column {column}"
            if self._overlay.count():  # a click on a cell that was selected already
                self._page.keyboard.press("Escape")
            if not now:
                self._look_at()
                continue
            self._grid.get_by_test_id("data-grid-canvas").focus()
            at_column, at_row = map(int, now.split("-")[2:])
            sideways = "ArrowRight" if at_column < column else "ArrowLeft"
            upright = "ArrowDown" if at_row < row else "ArrowUp"
            self._page.keyboard.press(sideways if at_row == row else upright)
            with suppress(AssertionError):
                cell = self._grid.get_by_test_id(now)
                expect(cell).to_have_attribute("aria-selected", "false", timeout=1_000)

    @property
    def _overlay(self) -> Locator:
        return self._page.locator("#portal .gdg-input")

    def _click_row(self, row: int, x: int = 60) -> None:
        box = self._grid.bounding_box()
        assert box
        self._page.mouse.click(box["x"] + x, box["y"] + ROW * (row + 1) + ROW / 2)

    def _cell(self, row: int, column: int) -> Locator:
        return self._grid.get_by_test_id(f"glide-cell-{column}-{row}")

    def rows(self) -> list[list[str]]:
        """What the editable table shows."""
        self._look_at()
        lines = self._grid.locator("[role=row]:has([role=gridcell])")
        return [each.locator("[role=gridcell]").all_text_contents() for each in lines.all()]
