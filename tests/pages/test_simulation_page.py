"""The simulation page without a browser: choosing, running, what bad input is answered with."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from kept_worker import keep_workers
from streamlit.testing.v1 import AppTest

from labeling_core import workspace as workspaces
from labeling_core.people import local_person

ROOT = Path(__file__).parents[2]
ANSWERS = (ROOT / "data" / "wine_colour" / "answers.csv").read_bytes()


@pytest.fixture
def page(app_database, workers):
    """The page on a fresh database in this process."""
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
    keep_workers(workspaces.open_workspace())
    yield at.switch_page("simulation.py").run()
    workspaces.close_workspaces()


def press(at: AppTest, label: str) -> AppTest:
    (button,) = [each for each in at.button if each.label == label]
    return button.click().run()


def set_number(at: AppTest, label: str, value: int) -> None:
    (field,) = [each for each in at.number_input if each.label == label]
    field.set_value(value)


def wait(at: AppTest) -> AppTest:
    """Until the shown simulation has ended; the page as it is then."""
    workspace, end = workspaces.open_workspace(), time.monotonic() + 1200
    (found,) = workspace.simulations.listed(local_person("ana"))
    while workspace.simulations.jobs.running(found.simulation_id):
        assert time.monotonic() < end
        time.sleep(0.1)
    return at.run()


def info(at: AppTest) -> str:
    return "\n".join(str(each.value) for each in at.info)


def test_an_uploaded_file_gives_curves_a_table_and_an_answer(page):
    page.segmented_control(key="simulation-way").set_value("A file").run()
    page.file_uploader[0].set_value(("wines.csv", ANSWERS, "text/csv")).run()
    assert page.selectbox(key="simulation-label").value == "label"
    set_number(page, "Budget", 30)
    set_number(page, "Seeds", 2)
    press(page, "Run the simulation")
    wait(page)
    assert not page.exception and not page.error
    assert "than random on average" in info(page)
    assert len(page.get("plotly_chart")) == 2
    assert list(page.dataframe[0].value["strategy"]) == ["Automatic", "Smallest margin", "Random"]
    assert "last accuracy" in page.dataframe[0].value
    (measure,) = [each for each in page.segmented_control if each.label == "Measure"]
    assert measure.options == ["Accuracy", "Balanced accuracy", "Macro-F1"]
    measure.set_value("balanced_accuracy").run()
    assert not page.exception
    assert "than random by balanced accuracy on average" in info(page)
    assert "last balanced accuracy" in page.dataframe[0].value
    assert "Balanced accuracy by labels" in [each.value for each in page.header]
    assert page.query_params["simulation"] == page.session_state["simulation"]


def test_the_wine_colour_figure_is_one_click_and_can_be_stopped(page):
    press(page, "Show the wine-colour figure")
    assert not page.exception
    press(page, "Stop")
    wait(page)
    assert not page.exception
    assert "Stopped by" in "\n".join(each.value for each in page.warning)
    press(page, "Delete")
    assert "Result" not in [each.value for each in page.header]


@pytest.mark.parametrize(
    ("way", "sentence"), [("A file", "upload a file above"), ("A folder", "name a folder above")]
)
def test_without_data_one_sentence_says_what_to_do(page, way, sentence):
    page.segmented_control(key="simulation-way").set_value(way).run()
    press(page, "Run the simulation")
    assert not page.exception
    assert sentence in page.error[0].value


def test_a_folder_outside_of_the_roots_and_one_without_labels_are_refused(page):
    page.segmented_control(key="simulation-way").set_value("A folder").run()
    for folder, sentence in (
        ("/etc", "outside of the folders that may be read"),
        ("readme", "no labels"),
    ):
        page.text_input(key="simulation-folder").input(folder).run()
        press(page, "Run the simulation")
        assert not page.exception
        assert sentence in page.error[0].value


@pytest.mark.parametrize(
    ("label", "number", "sentence"),
    [
        ("Batch size", 0, "The batch must be 1 or more."),
        ("Budget", 1, "The budget must lie between 2 and 10,000."),
        ("Seeds", 1_000, "The seeds must lie between 1 and 100."),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_and_not_replaced(page, label, number, sentence):
    set_number(page, label, number)
    press(page, "Run the simulation")
    assert not page.exception
    assert [each.value for each in page.error] == [sentence]
    assert "simulation" not in page.session_state


def test_a_file_that_is_no_table_and_a_plan_without_strategies_are_refused(page):
    page.segmented_control(key="simulation-way").set_value("A file").run()
    page.file_uploader[0].set_value(("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(999), "text/csv")).run()
    assert "PNG" in page.error[0].value
    page.segmented_control(key="simulation-way").set_value("A table in the database").run()
    page.multiselect[0].set_value([]).run()
    press(page, "Run the simulation")
    assert not page.exception
    assert "at least one query strategy" in page.error[0].value


def test_a_table_of_which_nothing_can_be_learned_fails_with_a_sentence(page):
    page.selectbox(key="simulation-table").set_value("wine_colour").run()
    page.selectbox(key="simulation-label").set_value("density").run()
    set_number(page, "Budget", 20)
    set_number(page, "Seeds", 1)
    press(page, "Run the simulation")
    wait(page)
    assert not page.exception
    assert "values repeat" in page.error[0].value
