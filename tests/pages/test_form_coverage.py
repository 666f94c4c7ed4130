"""No field without a test: whatever widget a page shows is changed by a test of its form.

The tests are those of tests/browser/test_forms_*.py, named by page; what they change is read from
their calls of forms.Form, so that no second list has to be kept.
"""

from __future__ import annotations

import ast
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source
from running import wait
from streamlit.testing.v1 import AppTest
from test_pages import PAGES, open_page  # noqa: F401  a fixture

from labeling_core import workspace as workspaces
from labeling_core.models import final_model
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import label_errors
from labeling_core.settings import Category, Project
from labeling_core.workspace import Workspace

TESTS = Path(__file__).parents[1] / "browser"
FILLS_IN = {"text", "number", "choose", "add", "remove", "segment", "radio", "switch", "slide",
            "date", "upload", "press", "download"}  # fmt: skip
CELLS = {"cells", "add_row", "pick", "tick"}
ROW = "a row of a table"
# Not fields: figures, and the deck, whose keys have tests of their own.
NO_FIELDS = {"plotly_chart", "bidi_component"}
KINDS = (Category("red", key="r"), Category("white", key="w"), Category("pink", retired=True))
Open = Callable[..., AppTest]


def plain(label: str) -> str:
    """A label without the numbers in it."""
    return re.sub(r"\d[\d,]*", "0", label)


def changed(page: str) -> set[str]:
    """The fields that the tests of a page, or of the sidebar, change; by what they are called."""
    files = [each for each in TESTS.glob("test_forms_*.py") if page_of(each) == page]
    return {name for each in files for name in named_in(ast.parse(each.read_text("utf-8")))}


def page_of(file: Path) -> str:
    """The page that a file of tests is about: the first part of its name that is one."""
    name = file.stem.removeprefix("test_forms_")
    return next(each for each in (*PAGES, "sidebar") if name.startswith(each))


def named_in(tree: ast.AST) -> Iterator[str]:
    """What calls of a form's methods name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method, first = node.func.attr, node.args[0] if node.args else None
        if method == "pick_row":
            yield ROW
        elif method in CELLS:
            yield from (str(each.arg) for each in node.keywords)
        elif method in FILLS_IN and isinstance(first, ast.Constant):
            yield plain(str(first.value))


def fields(part: Any) -> Iterator[str]:
    """What the widgets in a part of a page are called."""
    for each in part:
        proto = getattr(each, "proto", None)
        if not getattr(proto, "id", "") or each.type in NO_FIELDS:
            continue
        if getattr(proto, "columns", "") and getattr(proto, "editing_mode", 0):
            columns = json.loads(proto.columns)
            yield from (
                column["label"]
                for column in columns.values()
                if "label" in column and not column.get("disabled") and not column.get("hidden")
            )
        elif each.type == "dataframe":
            yield ROW
        else:
            yield plain(proto.label)


def require_tests(at: AppTest, page: str) -> None:
    """Fail for a field on a page that no test of its form changes."""
    assert not at.exception, page
    for part, name in ((at.main, page), (at.sidebar, "sidebar")):
        unknown = set(fields(part)) - changed(name)
        assert not unknown, f"no tests/browser/test_forms_{name}*.py changes {sorted(unknown)}"


@pytest.fixture
def shown(open_page: Open) -> Open:  # noqa: F811
    """Open a page; each field on it must have a test."""

    def open_(page: str, **query: str) -> AppTest:
        at = open_page(page, **query)
        require_tests(at, page)
        return at

    return open_


@pytest.fixture
def labeled(open_page: Open) -> tuple[Workspace, Project]:  # noqa: F811
    """A project in which two people have labeled, some samples both."""
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 120)
    settings = replace(SETTINGS, every=1000, overlap_share=0.5, categories=KINDS, probe_share=0.2)
    project = create_project(workspace.database, settings)
    for name in ("ana", "ben"):
        Annotator(workspace, project, name).label_truly(50)
    return workspace, project


@pytest.mark.parametrize("project", ["wine_colour", "digits", "spoken_words"])
def test_each_field_of_a_fresh_project_has_a_test(shown: Open, project: str) -> None:
    for page in PAGES:
        shown(page, project=project)


def test_each_field_of_a_project_at_work_has_a_test(
    shown: Open, labeled: tuple[Workspace, Project]
) -> None:
    for page in PAGES:
        shown(page, project=labeled[1].project_id)


def test_each_field_of_a_new_project_has_a_test(shown: Open) -> None:
    key = "settings-new-"
    at = shown("settings", new="1")
    file = ("a.csv", b"a;b\n1,5;x\n2,5;y\n", "text/csv")
    require_tests(at.file_uploader(key=key + "file").set_value(file).run(), "settings")
    for way in ("A column of the samples", "A file"):
        at.segmented_control(key=key + "many-way-0").set_value(way).run()
        require_tests(at, "settings")
    for way in ("Ask by SQL", "Use a table in the database"):
        at.segmented_control(key=key + "way").set_value(way).run()
        require_tests(at, "settings")
    at.number_input(key=key + "overlap_share").set_value(20).run()
    require_tests(at, "settings")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "no image")
    for modality in ("images", "sounds"):
        at.selectbox(key=key + "modality").set_value(modality).run()
        require_tests(at, "settings")
        uploader = at.file_uploader(key=f"{key}files_{modality}")
        uploader.set_value([("a.zip", packed.getvalue(), "application/zip")]).run()
        require_tests(at, "settings")
        at.segmented_control(key=key + "media_way").set_value("Use a folder on the server").run()
        require_tests(at, "settings")
        at.segmented_control(key=key + "media_way").set_value("Upload files").run()


def test_each_field_of_what_has_been_learned_has_a_test(
    shown: Open, labeled: tuple[Workspace, Project]
) -> None:
    workspace, project = labeled
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    label_errors.look(workspace.loop, project, LOCAL)
    wait(workspace, project)
    for page in ("session_progress", "query_sampler"):
        shown(page, project=project.project_id)
    at = shown("review", project=project.project_id)
    for segment in at.segmented_control[0].options:
        at.segmented_control[0].set_value(segment).run()
        require_tests(at, "review")


def test_each_field_of_a_simulation_has_a_test(shown: Open) -> None:
    at = shown("simulation")
    for way in at.segmented_control(key="simulation-way").options:
        at.segmented_control(key="simulation-way").set_value(way).run()
        require_tests(at, "simulation")
    at.segmented_control(key="simulation-way").set_value("A file").run()
    file = ("a.csv", b"a,kind\n" + b"1,x\n2,y\n" * 40, "text/csv")
    at.file_uploader[0].set_value(file).run()
    require_tests(at, "simulation")
    for field, value in (("Batch size", 4), ("Budget", 8), ("Seeds", 1)):
        next(each for each in at.number_input if each.label == field).set_value(value)
    at.run()
    next(each for each in at.button if each.label == "Run the simulation").click().run()
    require_tests(at, "simulation")
    workspace = workspaces.open_workspace()
    (simulation,) = workspace.simulations.listed(LOCAL)
    while workspace.simulations.jobs.running(simulation.simulation_id):
        time.sleep(0.05)
    require_tests(at.run(), "simulation")


def test_each_field_of_people_and_log_has_a_test(
    shown: Open, labeled: tuple[Workspace, Project]
) -> None:
    workspace, project = labeled
    workspace.roles.set_role("eva@example.org", project.project_id, "viewer", LOCAL)
    workspace.roles.set_role("*@example.org", "", "admin", LOCAL)
    shown("people")
    shown("storage")
    shown("log", project=project.project_id)
