"""The pages' logic, without a browser: empty states, settings, messages as component state."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source, rows
from running import run_session, wait
from streamlit.testing.v1 import AppTest

from labeling_core import use_cases
from labeling_core import workspace as workspaces
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Category, Settings, default_tables
from labeling_core.web import messages

ROOT = Path(__file__).parents[2]
PAGES = (
    "home",
    "label_tabular",
    "label_images",
    "label_sounds",
    "query_sampler",
    "session_progress",
    "review",
    "simulation",
    "settings",
    "people",
    "storage",
    "log",
)


@pytest.fixture
def open_page(app_database):
    """Open a page on a fresh database in this process."""

    def open_(name: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
        for key, value in query.items():
            at.query_params[key] = value
        at.run()
        return at.switch_page(f"{name}.py").run()

    yield open_
    workspaces.close_workspaces()


def texts(at: AppTest) -> str:
    kinds = ("title", "header", "caption", "info", "error", "markdown", "warning")
    return "\n".join(str(each.value) for kind in kinds for each in getattr(at, kind))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_a_fresh_database(open_page, name):
    at = open_page(name)
    assert not at.exception
    assert not at.error
    # A labeling page opens the only project of its kind.
    own = {"label_images": "digits", "label_sounds": "spoken_words"}
    assert at.session_state["project"] == own.get(name, "wine_colour")


def test_a_labeling_page_offers_the_projects_of_its_kind(open_page):
    at = open_page("label_tabular")
    workspace = workspaces.open_workspace()
    digits = workspace.project("digits").settings
    more = {f"{kind}_table": f"more_{kind}" for kind in ("labels", "metadata", "queries")}
    create_project(workspace.database, replace(digits, title="More digits", **more))
    at.switch_page("label_images.py").run()
    assert not at.exception and at.session_state["project"] == "wine_colour"
    assert at.info[0].value == "These projects are of images:"
    assert [each.label for each in at.get("page_link")] == [
        "Digits", "More digits", "Go on with “Wine colour”",
    ]  # fmt: skip
    for project_id in ("digits", "more_digits"):
        use_cases.delete_project(workspace, project_id, LOCAL)
    at.run()
    assert at.info[0].value == "No project is of images yet."
    assert [each.label for each in at.get("page_link")] == ["Go on with “Wine colour”"]


def test_every_page_says_that_stored_settings_cannot_be_read(open_page, tmp_path):
    open_page("home")
    workspaces.close_workspaces()
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute(
            "UPDATE labeling.projects SET settings = replace(settings, '\"every\": 20', "
            "'\"every\": \"often\"') WHERE project_id = 'digits'"
        )
    at = open_page("home")
    assert not at.exception
    (said,) = at.error
    assert 'has “every”: "often" in its settings, where a whole number belongs' in said.value


def test_the_settings_page_keeps_what_a_newer_program_has_stored(open_page, tmp_path):
    open_page("home")
    workspaces.close_workspaces()
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute(
            "UPDATE labeling.projects SET settings = replace(replace(settings, "
            '\'"every": 20\', \'"every": 20, "budget": 500\'), '
            '\'"name": "red"\', \'"name": "red", "parent": "wine"\')'
        )
    at = open_page("settings", project="wine_colour")
    at.number_input(key="settings-wine_colour-every").set_value(9)
    at.button(key="settings-wine_colour-save").click().run()
    assert not at.exception and not at.error
    saved = workspaces.open_workspace().project("wine_colour").settings
    assert (saved.every, saved.newer) == (9, {"budget": 500})
    assert saved.categories[0].newer == {"parent": "wine"}


def test_no_page_falls_over_a_strategy_and_a_classifier_of_a_newer_program(open_page, tmp_path):
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 60)
    settings = replace(SETTINGS, every=1000, classifier="logistic_regression")
    project = create_project(workspace.database, settings)
    Annotator(workspace, project).label_truly(20)
    use_cases.run_session(workspace, project, LOCAL, "", "")
    wait(workspace, project)
    workspaces.close_workspaces()
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        connection.execute(
            "UPDATE labeling.projects SET settings = replace(replace(settings, '\"auto\"', "
            "'\"oracle\"'), '\"logistic_regression\"', '\"brain\"')"
        )
        connection.execute("UPDATE labeling.sessions SET strategy = 'oracle', classifier = 'brain'")
    failed = "The last session failed: There is no classifier “brain”"
    for number, name in enumerate(PAGES):
        at = open_page(name, project=project.project_id)
        assert not at.exception, name
        started = number > PAGES.index("query_sampler")  # a session, below
        assert all(started and each.value.startswith(failed) for each in at.error), name
        shown = [at.selectbox[each].value for each in range(len(at.selectbox))]
        if name in ("settings", "query_sampler"):
            assert "oracle" in shown and "brain" in shown
        if name == "query_sampler":
            assert "asked by oracle" in at.dataframe[-1].value["why"].iloc[0]
            at.button[0].click().run()
            assert not at.exception
            wait(workspaces.open_workspace(), project)
        if name == "session_progress":
            assert at.error
    assert workspaces.open_workspace().project("wine").settings.strategy == "oracle"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_without_any_project(open_page, name):
    open_page("home")
    for each in ("wine_colour", "digits", "spoken_words"):
        use_cases.delete_project(workspaces.open_workspace(), each, LOCAL)
    at = open_page(name)
    assert not at.exception
    assert not at.error
    if name not in ("home", "simulation", "settings", "people", "storage", "log"):
        assert [each.value for each in at.info] == [
            "Make one from a table, a folder of images or of recordings: it takes a minute."
        ]


@pytest.mark.parametrize("name", PAGES)
def test_a_database_that_cannot_be_opened_is_one_sentence_on_every_page(
    tmp_path, monkeypatch, name
):
    (tmp_path / "notes.duckdb").write_text("no database" * 1000, "utf-8")
    monkeypatch.setenv("LABELING_DATABASE", str(tmp_path / "notes.duckdb"))
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60).run()
    at = at.switch_page(f"{name}.py").run()
    assert not at.exception
    assert at.error[0].value.endswith(
        "is not a DuckDB database: move it away, or set LABELING_DATABASE to another file."
    )


def test_ones_own_projects_stand_first_the_one_used_last_at_the_top(open_page):
    at = open_page("home")
    samples = ["Wine colour", "Digits", "Spoken words"]
    assert [each.value for each in at.header] == samples
    assert "a model learns along" in texts(at)
    workspace = workspaces.open_workspace()
    make_source(workspace.database)
    made = [
        create_project(
            workspace.database,
            replace(
                SETTINGS, title=title, every=1000, labels_table=f"{title}_l",
                metadata_table=f"{title}_m", queries_table="",
            ),
        )
        for title in ("First", "Second")
    ]  # fmt: skip
    at = open_page("home")
    assert [each.value for each in at.header] == ["Second", "First", *samples]
    Annotator(workspace, made[0]).label_truly(1)
    at = open_page("home")
    assert [each.value for each in at.header] == ["First", "Second", *samples]
    ways = [each.proto.label for each in at.get("page_link")]
    assert ways[0] == "New project"
    assert [each for each in ways if "labeling" in each] == [
        "Go on labeling", *["Start labeling"] * 4,
    ]  # fmt: skip


def test_files_that_were_set_aside_have_a_reason_that_does_not_name_them_again(open_page):
    open_page("home")
    with workspaces.open_workspace().database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO labeling.broken VALUES ('digits', 'a/1.png', '1.png is empty.'), "
            "('digits', 'a/2.png', 'The link leads nowhere.')"
        )
    at = open_page("session_progress", project="digits")
    (table,) = [each.value for each in at.dataframe if "reason" in each.value]
    assert table.to_dict("list") == {
        "file": ["a/1.png", "a/2.png"], "reason": ["Is empty.", "The link leads nowhere."],
    }  # fmt: skip


def test_what_was_set_aside_is_tried_again_from_the_settings(open_page):
    open_page("home")
    with workspaces.open_workspace().database.transaction() as cursor:
        cursor.execute("INSERT INTO labeling.broken VALUES ('digits', '1.png', '1.png is empty.')")
    at = open_page("settings", project="digits")
    assert "Set aside: 1 file" in texts(at)
    (again,) = [each for each in at.button if each.label == "Try again"]
    at = again.click().run()
    assert not at.exception and not at.error
    assert "Set aside" not in texts(at)


def test_a_link_carries_the_project_and_an_unknown_one_is_told(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database)
    create_project(
        workspace.database,
        Settings(
            title="Second", source="wine", labels_table="l", metadata_table="m",
            categories=(Category("a"), Category("b")),
        ),
    )  # fmt: skip
    at = open_page("session_progress", project="second")
    assert at.selectbox(key="project-1").value == "second"
    assert "Project: Second" in texts(at)
    assert at.query_params["project"] == "second"
    at = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    at.query_params["project"] = "gone"
    at.run()
    assert "There is no project “gone” here" in texts(at)


def test_settings_name_each_mistake_and_save_what_is_right(open_page):
    at = open_page("settings")
    key = "settings-wine_colour-"
    at.text_input(key=key + "label_column").input("pH")
    at.text_input(key=key + "labels_table").input("wine_colour_test")
    at.button(key=key + "save").click().run()
    told = [each.value for each in at.error]
    assert any("already has a column “pH”" in each for each in told)
    assert any("“wine_colour_test” already exists" in each for each in told)
    assert told[-1].startswith("Not saved; each is marked above")
    at.text_input(key=key + "label_column").input("colour")
    at.text_input(key=key + "labels_table").input("my_labels")
    at.number_input(key=key + "every").set_value(1)
    at.selectbox(key=key + "test_table").set_value("")
    at.button(key=key + "save").click().run()
    assert not at.error
    settings = workspaces.open_workspace().project("wine_colour").settings
    assert (settings.label_column, settings.labels_table, settings.every) == (
        "colour", "my_labels", 1,
    )  # fmt: skip
    assert settings.metadata_table == "wine_colour_metadata"


def test_the_slider_of_probes_says_what_they_cost_as_it_moves(open_page):
    at = open_page("settings")
    key = "settings-wine_colour-"
    assert "no probes are drawn" in texts(at)
    at.selectbox(key=key + "test_table").set_value("").run()
    assert "10 %: of the next 200 samples 20 only measure, 180 train." in texts(at)
    at.slider(key=key + "probe_share").set_value(25).run()
    assert "25 %: of the next 200 samples 50 only measure, 150 train." in texts(at)
    at.button(key=key + "save").click().run()
    assert workspaces.open_workspace().project("wine_colour").settings.probe_share == 0.25


def test_the_progress_page_advises_when_to_stop(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 600)
    project = create_project(workspace.database, replace(SETTINGS, every=20))
    ana = Annotator(workspace, project)
    for session in range(1, 6):
        ana.label_truly(20)
        wait(workspace, project)
        if session == 1:
            at = open_page("session_progress", project=project.project_id)
            assert at.warning[0].value.startswith("A curve needs at least 4 sessions")
    at = open_page("session_progress", project=project.project_id)
    assert not at.exception
    assert "Twice the labels (200) would gain about" in at.success[0].value
    assert "When to stop" in texts(at)


def test_the_final_model_and_its_predictions_are_offered_once_it_is_trained(open_page):
    def downloads():
        return {each.label for each in at.get("download_button")}

    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 60)
    project = create_project(workspace.database, replace(SETTINGS, every=1000))
    offered = {"Final model", "All samples with predictions"}
    at = open_page("session_progress", project=project.project_id)
    assert not downloads() & offered
    at.button(key="train-final").click().run()
    assert "two categories" in at.error[0].value
    Annotator(workspace, project).label_truly(20)
    at.button(key="train-final").click().run()
    wait(workspace, project)
    at = open_page("session_progress", project=project.project_id)
    assert not at.exception
    assert downloads() >= offered
    assert "learned from 20 labels" in texts(at)


def test_renaming_a_project_leaves_its_tables_alone(open_page):
    at = open_page("settings")
    at.text_input(key="settings-wine_colour-title").input("Vinho Verde")
    at.button(key="settings-wine_colour-save").click().run()
    settings = workspaces.open_workspace().project("wine_colour").settings
    assert (settings.title, settings.labels_table) == ("Vinho Verde", "wine_colour_labels")


def test_a_new_project_can_be_made_from_an_upload(open_page):
    at = open_page("settings", new="1")
    key = "settings-new-"
    content = b"gr\xf6\xdfe;farbe\n" + b"1,5;rot\n2,5;blau\n" * 30
    at.file_uploader(key=key + "file").set_value(("kleider.csv", content, "text/csv"))
    at.text_input(key=key + "title").input("Kleider")
    at.run()
    assert "60 rows, 2 columns" in texts(at)
    assert "10 %: of the 60 undecided samples 6 only measure, 54 train." in texts(at)
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [],
        "added_rows": [{"name": "hemd"}, {"name": "hose", "order": 1}],
    }  # fmt: skip
    at.button(key=key + "save").click().run()
    assert not at.exception
    assert not at.error
    project = workspaces.open_workspace().project("kleider")
    assert [each.key for each in project.settings.categories] == ["h", "e"]
    assert project.settings.names == ("hose", "hemd")
    found = rows(workspaces.open_workspace().database, 'SELECT DISTINCT "größe" FROM kleider')
    assert sorted(found) == [(1.5,), (2.5,)]


def test_how_an_upload_is_read_can_be_corrected(open_page):
    at = open_page("settings", new="1")
    content = b"groesse;gewicht\n1,5;2\n3,25;4\n"
    at.file_uploader(key="settings-new-file").set_value(("a.csv", content, "text/csv")).run()

    def reading(at: AppTest) -> list[str]:
        fields = ("delimiter", "decimal", "encoding")
        return [
            each.key
            for name in fields
            for each in [*at.selectbox, *at.text_input]
            if str(each.key).startswith(f"settings-new-{name}-")
        ]

    delimiter, decimal, encoding = reading(at)
    assert at.selectbox(key=delimiter).value == ";"
    assert at.dataframe[0].value.columns.tolist() == ["groesse", "gewicht"]
    at.selectbox(key=decimal).set_value(".").run()
    assert not at.exception
    assert at.dataframe[0].value["groesse"].tolist() == ["1,5", "3,25"]
    at.selectbox(key=delimiter).set_value(",").run()
    assert "a row with 2 instead of 1 values in line 2" in at.error[0].value
    at.selectbox(key=delimiter).set_value("|").run()
    assert at.dataframe[0].value.columns.tolist() == ["groesse;gewicht"]
    at.text_input(key=encoding).set_value("no-such").run()
    assert not at.exception
    assert "no-such" in at.error[0].value
    # another file begins with what is found out about it
    at.file_uploader(key="settings-new-file").set_value(
        ("b.csv", b"a,b\n1.5,2\n", "text/csv")
    ).run()
    assert at.selectbox(key=reading(at)[0]).value == ","
    assert at.dataframe[0].value.columns.tolist() == ["a", "b"]


def test_an_uploaded_table_is_kept_once_and_goes_when_the_project_is_made(
    open_page, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def left() -> list[str]:
        kept = [*tmp_path.rglob(".waiting-*/*"), *(tmp_path / "temporary").rglob("*")]
        return [each.read_text("utf-8")[:1] for each in kept if each.is_file()]

    at = open_page("settings", new="1")
    key = "settings-new-"
    for letter in "ab":
        content = (f"{letter};colour\n" + "1;red\n2;blue\n" * 9).encode()
        at.file_uploader(key=key + "file").set_value((f"{letter}.csv", content, "text/csv")).run()
        at.text_input(key=key + "title").input(f"Of {letter}").run()
        assert left() == [letter]
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "c"}, {"name": "d"}],
    }  # fmt: skip
    next(tmp_path.rglob(".waiting-*/*")).unlink()  # as after a day: it is written once more
    at.button(key=key + "save").click().run()
    assert not at.exception
    assert workspaces.open_workspace().project("of_b").samples == 18
    assert left() == []


def test_a_name_that_is_taken_is_told_at_the_name(open_page):
    open_page("home")
    make_source(workspaces.open_workspace().database, 8)
    at = open_page("settings", new="1")
    key = "settings-new-"
    at.segmented_control(key=key + "way").set_value("Use a table in the database").run()
    at.selectbox(key=key + "source").set_value("wine").run()
    assert "of the 8 undecided samples 1 only measures" in texts(at)
    at.text_input(key=key + "title").input("Wine colour")
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "a"}, {"name": "b"}],
    }  # fmt: skip
    at.button(key=key + "save").click().run()
    sentence = "There is a project “Wine colour” already: choose another name."
    assert [each.value for each in at.error] == [
        sentence, "Not saved; each is marked above, beside its field: Name.",
    ]  # fmt: skip
    at.text_input(key=key + "title").input("Other")
    at.button(key=key + "save").click().run()
    assert not at.error
    assert workspaces.open_workspace().project("other").settings.labels_table == "other_labels"


@pytest.mark.parametrize(
    ("field", "number", "sentence"),
    [
        ("every", -5, "enter 1 or more"),
        ("every", 9_999_999_999, "enter at most 1,000,000,000"),
        ("overlap_share", 101, "between 0 and 100 %"),
        ("overlap_people", 1, "enter 2 or more"),
        ("overlap_people", 51, "at most 50 people"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_at_its_field(open_page, field, number, sentence):
    at = open_page("settings")
    key = "settings-wine_colour-"
    if field == "overlap_people":
        at.number_input(key=key + "overlap_share").set_value(20).run()
    at.number_input(key=key + field).set_value(number)
    at.button(key=key + "save").click().run()
    title = at.number_input(key=key + field).label
    told = [each.value for each in at.error]
    assert sentence in told[0]
    assert told[1] == f"Not saved; each is marked above, beside its field: {title}."
    assert workspaces.open_workspace().project("wine_colour").settings.every == 20


def test_a_folder_that_may_not_be_read_is_told_once_at_its_field(open_page, tmp_path):
    at = open_page("settings", new="1")
    key = "settings-new-"
    at.selectbox(key=key + "modality").set_value("sounds").run()
    at.segmented_control(key=key + "media_way").set_value("Use a folder on the server").run()
    at.text_input(key=key + "title").input("Birds")
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "a"}, {"name": "b"}],
    }  # fmt: skip
    at.text_input(key=key + "source").input(str(tmp_path / "birds")).run()
    (told,) = [each.value for each in at.error]
    assert told.endswith(f"LABELING_DATA_ROOTS={tmp_path}")
    at.button(key=key + "save").click().run()
    assert [each.value for each in at.error] == [
        told, "Not saved; each is marked above, beside its field: Folder.",
    ]  # fmt: skip


def test_the_query_sampler_says_when_nothing_is_left_to_ask(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 4)
    project = create_project(workspace.database, replace(SETTINGS, every=1000))
    at = open_page("query_sampler", project=project.project_id)
    assert "It fills when the first session has run" in texts(at)
    ana = Annotator(workspace, project)
    ana.label_truly(3)
    ana.send([ana.decision(ana.take(1)[0], "skip")])
    at = open_page("query_sampler", project=project.project_id)
    assert [each.value for each in at.success] == ["3 labeled, 1 skipped: nothing is left to ask."]
    assert not at.info


def test_an_order_that_is_not_by_uncertainty_says_so(open_page):
    """Else a first place of 0.0153 would look like a mistake."""
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 40)
    for strategy, said in (("margin", False), ("random", True)):
        settings = replace(
            SETTINGS, title=strategy, strategy=strategy, every=1000, **default_tables(strategy)
        )
        project = create_project(workspace.database, settings)
        Annotator(workspace, project).label_truly(10)
        run_session(workspace, project)
        at = open_page("query_sampler", project=project.project_id)
        assert ("not uncertainty alone decides" in texts(at)) is said


def test_where_several_people_decide_samples_and_decisions_are_told_apart(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 10)
    several = replace(SETTINGS, every=1000, overlap_share=1.0, probe_share=0.0)
    project = create_project(workspace.database, several)
    ana, ben = Annotator(workspace, project), Annotator(workspace, project, "ben")
    ana.label_truly(4)
    shared = ben.take(4)
    reply = ben.send([ben.decision(each, "skip") for each in shared])
    counts = reply["counts"]
    assert (counts["labeled"], counts["skipped"], counts["total"]) == (4, 4, 20)
    assert counts["several"] is True
    at = open_page("session_progress", project=project.project_id)
    told = {each.label: each.value for each in at.metric}
    assert told["Decisions"] == "8 of 20"
    assert int(told["Samples labeled"]) + int(told["Samples skipped"]) <= 8
    assert told["Samples in all"] == "10"
    at = open_page("session_progress", project="wine_colour")
    assert [each.label for each in at.metric][:3] == ["Labeled", "Skipped", "Samples in all"]


def test_a_new_project_can_be_made_from_a_zip_of_images(open_page):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for picture in sorted((ROOT / "data" / "digits").glob("*.png"))[:30]:
            file.write(picture, f"some/{picture.name}")
        file.writestr("../escape.png", b"out")
    at = open_page("settings", new="1")
    key = "settings-new-"
    at.selectbox(key=key + "modality").set_value("images").run()
    packed = ("few.zip", archive.getvalue(), "application/zip")
    at.file_uploader(key=key + "files_images").set_value([packed])
    at.text_input(key=key + "title").input("Few digits").run()
    assert "30 images." in texts(at)
    assert "10 %: of the 30 undecided samples 3 only measure, 27 train." in texts(at)
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "0"}, {"name": "1"}],
    }  # fmt: skip
    at.button(key=key + "save").click().run()
    assert not at.exception
    assert not at.error
    workspace = workspaces.open_workspace()
    project = workspace.project("few_digits")
    assert (project.samples, project.settings.modality) == (30, "images")
    ids = rows(workspace.database, "SELECT __sample_id FROM labeling_pool.samples_few_digits")
    assert ("some/digit_0000.png",) in ids
    assert not (workspace.database.path.parent / "escape.png").exists()


def test_the_folder_of_an_upload_is_called_as_the_upload_is_in_any_script(open_page):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(ROOT / "data" / "digits" / "digit_0000.png", "one.png")
    at = open_page("settings", new="1")
    key = "settings-new-"
    at.selectbox(key=key + "modality").set_value("images").run()
    packed = ("Птицы Севера 2.zip", archive.getvalue(), "application/zip")
    at.file_uploader(key=key + "files_images").set_value([packed])
    at.text_input(key=key + "title").input("Птицы").run()
    assert at.text_input(key=key + "folder").placeholder == "птицы_севера_2"
    at.session_state[key + "categories"] = {
        "edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "да"}, {"name": "нет"}],
    }  # fmt: skip
    at.button(key=key + "save").click().run()
    assert not at.exception
    project = workspaces.open_workspace().project("project")
    assert project.settings.source == "uploads/птицы_севера_2"


def test_an_unreadable_upload_is_one_sentence_beside_it(open_page):
    at = open_page("settings", new="1")
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10
    at.file_uploader(key="settings-new-file").set_value(("table.csv", picture, "text/csv")).run()
    assert not at.exception
    assert len(at.error) == 1
    assert "PNG" in at.error[0].value


def test_the_deck_is_told_how_many_samples_come_at_a_time(open_page):
    (deck,) = open_page("label_tabular").get("bidi_component")
    assert json.loads(deck.proto.json)["portion"] == messages.PORTION


def test_decisions_that_come_as_component_state_are_stored_once(open_page):
    at = open_page("label_tabular")
    workspace = workspaces.open_workspace()
    key, token = next(iter(at.session_state["deck_tokens"].items()))
    message = {"token": token, "client": "c1", "message": 1, "want": 5}

    def send(message):
        at.session_state[key] = {"message": message}
        at.run()
        assert not at.exception
        return at.session_state[f"{key}-reply"][1]

    samples = send(message)["samples"]
    decision = {
        "client": "c1", "seq": 1, "sample_id": samples[0]["sample_id"], "action": "label",
        "category": "red",
    }  # fmt: skip
    message |= {"message": 2, "decisions": [decision], "want": 0}
    assert send(message)["stored"] == {"c1": 1}
    assert send(message)["stored"] == {"c1": 1}
    stored = rows(workspace.database, "SELECT sample_id, label FROM wine_colour_metadata")
    assert stored == [(samples[0]["sample_id"], "red")]


def test_the_log_tells_what_was_done_and_puts_a_decision_back(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    ana = Annotator(workspace, workspace.project("wine_colour"))
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red")])
    ana.send([ana.decision(sample, "label", category="white")])
    at = open_page("log")
    assert not at.exception
    told = list(at.dataframe[0].value["what happened"])
    assert told == [
        f"ana changed sample {sample} from red to white.",
        f"ana labeled sample {sample} red.",
    ]
    at.text_input[1].input("no such sample").run()
    assert "Nothing has happened that fits the filter." in texts(at)
    at.text_input[1].input("").run()
    table = at.dataframe[0].proto.id.split("-", 2)[2]
    at.session_state[table] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert f"History of sample {sample}" in texts(at)
    next(each for each in at.button if each.label == "Restore this").click().run()
    assert not at.exception
    assert rows(workspace.database, "SELECT label FROM wine_colour_labels") == [("red",)]
    assert at.success[0].value == f"Sample {sample} is as it was."


def test_a_backup_can_be_made_on_the_page(open_page):
    at = open_page("storage")
    next(each for each in at.button if each.label == "Back up now").click().run()
    assert not at.exception
    (made,) = at.dataframe[-1].value["file"]
    assert made.startswith("app-")


def test_categories_are_renamed_merged_and_retired_on_the_settings_page(open_page):
    open_page("home")
    workspace = workspaces.open_workspace()
    ana = Annotator(workspace, workspace.project("wine_colour"))
    for sample, name in zip(ana.take(3), ("red", "white", "red"), strict=True):
        ana.send([ana.decision(sample, "label", category=name)])
    at = open_page("settings", project="wine_colour")

    def press(label):
        next(each for each in at.button if each.label == label).click().run()
        assert not at.exception

    def choose(what, name):
        at.selectbox(key=f"category-choice-wine_colour-{what}").set_value(name).run()

    buttons = ("Merge them", "Retire it")
    assert [each.disabled for each in at.button if each.label in buttons] == [True] * 2
    press("Rename it")
    assert "Choose the category that shall have another name." in [each.value for each in at.error]
    for what, value in (("old", "red"), ("new", "rouge")):  # AppTest forgets what is in a form
        at.session_state[f"category-choice-wine_colour-rename-{what}"] = value
    press("Rename it")
    assert "“red” is called “rouge” now." in [each.value for each in at.success]
    assert workspace.project("wine_colour").settings.names == ("rouge", "white")
    found = "SELECT label, count(*) FROM wine_colour_labels GROUP BY 1 ORDER BY 1"
    assert rows(workspace.database, found) == [("rouge", 2), ("white", 1)]
    choose("retire-name", "rouge")
    press("Retire it")
    assert "At least two categories are needed." in [each.value for each in at.error]
    choose("merge-old", "rouge")
    choose("merge-into-rouge", "white")
    press("Merge them")
    assert len(workspace.project("wine_colour").settings.names) == 2
    at.button(key="settings-wine_colour-save").click().run()
    assert not at.error
    assert workspace.project("wine_colour").settings.names == ("rouge", "white")


def test_a_session_can_be_run_by_hand_and_looked_at(open_page):
    at = open_page("query_sampler")
    assert "fills when the first session has run" in texts(at)
    at.button[0].click().run()
    assert "labels of at least two categories" in at.error[0].value


def test_the_sample_database_is_what_an_analyst_expects(open_page, tmp_path):
    open_page("home")
    workspaces.close_workspaces()
    with duckdb.connect(str(tmp_path / "app.duckdb")) as connection:
        names = [each[0] for each in connection.execute("SHOW TABLES").fetchall()]
    assert [each for each in names if each.startswith("wine")] == [
        "wine_colour", "wine_colour_labels", "wine_colour_metadata", "wine_colour_queries",
        "wine_colour_test",
    ]  # fmt: skip


def test_overlap_is_asked_for_in_the_settings(open_page):
    at = open_page("settings")
    key = "settings-wine_colour-"
    at.number_input(key=key + "overlap_share").set_value(25).run()
    at.number_input(key=key + "overlap_people").set_value(3)
    at.selectbox(key=key + "final_label").set_value("adjudicator")
    at.button(key=key + "save").click().run()
    assert not at.error
    settings = workspaces.open_workspace().project("wine_colour").settings
    found = (settings.overlap_share, settings.overlap_people, settings.final_label)
    assert found == (0.25, 3, "adjudicator")


def test_the_page_says_whose_model_it_offers(open_page):
    def offered():
        return [each.label for each in at.get("download_button") if "odel of" in each.label]

    open_page("home")
    workspace = workspaces.open_workspace()
    make_source(workspace.database, 60)
    project = create_project(workspace.database, replace(SETTINGS, every=1000))
    Annotator(workspace, project).label_truly(20)
    run_session(workspace, project)
    at = open_page("session_progress", project=project.project_id)
    assert offered() == ["Model of the last session"]
    assert "is being stored" not in texts(at)
    with workspace.database.transaction() as cursor:  # as if that of the second were not kept yet
        cursor.execute(
            "UPDATE labeling.sessions SET session_id = 2 WHERE project_id = ?",
            [project.project_id],
        )
    at = open_page("session_progress", project=project.project_id)
    assert not at.exception
    assert offered() == ["Model of session 1"]
    assert "The model of session 2 is being stored just now, or was lost" in texts(at)
