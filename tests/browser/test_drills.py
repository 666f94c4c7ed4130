"""A few of the disasters of tests/benchmarks/drills.py: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
from pathlib import Path

import clocks
import drilling
import pytest
import upgrading

NONE = (0, 0)
needs_faketime = pytest.mark.skipif(
    clocks.LIBRARY is None and "CI" not in os.environ, reason="needs Debian's package faketime"
)


def test_kills_at_work_and_at_the_start_lose_and_double_nothing(tmp_path: Path) -> None:
    found = drilling.kills(tmp_path, 4, people=3)
    assert (found.lost, found.doubled) == NONE
    assert found.acknowledged > 0


@pytest.mark.skipif(not drilling.may_mount(), reason="mounting a small disk needs root on Linux")
def test_full_disks_lose_and_double_nothing(tmp_path: Path) -> None:
    found = drilling.full_disks(tmp_path, 3, people=3)
    assert (found.lost, found.doubled) == NONE
    assert found.acknowledged > 0


def test_a_bad_line_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = drilling.bad_lines(tmp_path, 1, people=3)
    assert (found.lost, found.doubled) == NONE
    assert found.acknowledged == 36


@needs_faketime
def test_clocks_that_jump_lose_and_double_nothing_and_lock_nobody_out(tmp_path: Path) -> None:
    found = clocks.jumps(tmp_path, len(clocks.JUMPS), people=3)
    assert (found.lost, found.doubled) == NONE
    assert found.more == (
        "pages opened anew: 0 after +1d, 0 after -1d, 3 after +10y, 0 after -1y, 0 after +0"
    )


@needs_faketime
def test_a_machine_that_sleeps_and_wakes_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = clocks.sleeps(tmp_path, 1, people=3)
    assert (found.lost, found.doubled) == NONE
    assert found.acknowledged > 0


def test_an_upgrade_that_is_killed_is_one_of_all_or_nothing(tmp_path: Path) -> None:
    """Each schema, at a moment of its own; every one of them in tests/benchmarks/drills.py."""
    (tmp_path / "made").mkdir()
    made = upgrading.schemas(tmp_path / "made")
    assert list(made) == [1, 3, 5, 6, 7]
    for (schema, original), moment in zip(made.items(), [*upgrading.MOMENTS, ""], strict=True):
        place = tmp_path / f"{schema}"
        place.mkdir()
        lost, doubled, _ = upgrading.upgrade_killed(original, place, moment, 0.1)
        assert (lost, doubled) == NONE, schema
