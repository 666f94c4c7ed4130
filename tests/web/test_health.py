"""Health: said within a second, to anybody, and nothing more than that."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from typing import NamedTuple

import pytest

from labeling_core.errors import LabelingError
from labeling_core.web import health


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def opened(workspace, monkeypatch):
    monkeypatch.setattr(health, "open_workspace", lambda: workspace)
    monkeypatch.setattr(health, "_health", health._Health())
    return workspace


def ask(answers: int = 1) -> list[tuple[int, dict[str, str], float]]:
    async def run() -> list[tuple[int, dict[str, str], float]]:
        found = []
        for _ in range(answers):
            start = time.monotonic()
            answer = await health.get_health(None)  # type: ignore[arg-type]
            told = json.loads(bytes(answer.body))
            found.append((answer.status_code, told, time.monotonic() - start))
        return found

    return asyncio.run(run())


def test_a_server_that_can_work_says_so(opened):
    assert ask()[0][:2] == (200, {"status": "ok"})


def test_a_database_that_was_moved_away_and_a_full_disk_are_failing(opened, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**12, 10**12, 5 * 1024**2))
    assert health.trouble() == "5 MB are left on the disk of the database."
    assert ask()[0][:2] == (503, {"status": "failing"})
    monkeypatch.setattr(health, "open_workspace", _broken)
    assert health.trouble() == "broken"


def _broken() -> None:
    raise LabelingError("broken")


def test_a_check_that_hangs_holds_no_answer_up(opened, monkeypatch):
    monkeypatch.setattr(health, "WITHIN", 0.05)
    ended: list[bool] = []

    def slow() -> str:
        time.sleep(1)
        ended.append(True)
        return ""

    monkeypatch.setattr(health, "trouble", slow)

    async def answers() -> list[int]:
        found = [(await health.get_health(None)).status_code for _ in range(3)]  # type: ignore
        assert not ended
        await health._health.running  # type: ignore[misc]
        return [*found, (await health.get_health(None)).status_code]  # type: ignore[arg-type]

    # Until the first check has ended nobody knows; one check runs, however many ask.
    assert asyncio.run(answers()) == [503, 503, 503, 200]
    assert len(ended) == 1
