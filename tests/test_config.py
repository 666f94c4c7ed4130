"""Every environment variable is read in one place, when it is asked for, and told if wrong."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from labeling_core import config
from labeling_core.errors import LabelingError

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    for each in config.VARIABLES:
        monkeypatch.delenv(each.name, raising=False)


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        (config.DATABASE, " ~/x.duckdb ", Path.home() / "x.duckdb"),
        (config.DATA_ROOTS, f"/a{os.pathsep} {os.pathsep}/b/../c", (Path("/a"), Path("/c"))),
        (config.ADMINS, "Eva@example.org,, ben@example.org ",
         ("Eva@example.org", "ben@example.org")),
        (config.BACKUPS, "/backups", Path("/backups")),
        (config.BACKUPS_KEEP, "3", 3),
        (config.TRAINING_SECONDS, "1.5", 1.5),
        (config.TRAINING_MEMORY, "700", 700.0),
    ],
)  # fmt: skip
def test_a_variable_is_read_when_it_is_asked_for(variable, text, value, monkeypatch):
    default = variable.default
    assert variable.get() == default
    monkeypatch.setenv(variable.name, text)
    assert variable.get() == value != default
    monkeypatch.setenv(variable.name, "  ")
    assert variable.get() == default


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        (config.BACKUPS_KEEP, ("many", "0", "-1", "1.5")),
        (config.TRAINING_SECONDS, ("long", "0", "-1", "inf", "nan")),
        (config.TRAINING_MEMORY, ("all", "0", "-1", "inf", "nan")),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_name(variable, wrong, monkeypatch):
    for text in wrong:
        monkeypatch.setenv(variable.name, text)
        with pytest.raises(LabelingError) as told:
            variable.get()
        assert str(told.value) == (
            f"{variable.name} is “{text}”: set it to {variable.wanted}, or leave it out."
        )


def sources() -> list[Path]:
    found = [*(ROOT / "labeling_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return [*found, ROOT / "app.py"]


def test_nothing_else_reads_the_environment():
    for path in sources():
        if path != ROOT / "labeling_core" / "config.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                named = getattr(node, "attr", getattr(node, "id", getattr(node, "name", "")))
                assert named not in ("environ", "getenv", "environb"), path


def test_every_variable_is_in_the_table_and_in_the_documents():
    names = {
        name
        for path in sources()
        for name in re.findall(r"LABELING_[A-Z_]+", path.read_text("utf-8"))
    }
    assert names == {each.name for each in config.VARIABLES}
    table = config.markdown().splitlines()
    assert len(table) == 2 + len(names)
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name, line in zip((each.name for each in config.VARIABLES), table[2:], strict=True):
        assert line.startswith(f"| `{name}` | ") and line.count("|") == 4
        assert line in told


def test_a_child_finds_the_package_and_gets_the_environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LABELING_TRAINING_MEMORY", "700")
    child = config.child_environment(OMP_NUM_THREADS="1")
    assert child["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    assert (child["LABELING_TRAINING_MEMORY"], child["OMP_NUM_THREADS"]) == ("700", "1")
    monkeypatch.delenv("PYTHONPATH")
    assert config.child_environment()["PYTHONPATH"] == str(ROOT)
