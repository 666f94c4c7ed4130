"""Settings: every mistake is told beside its field; a running project can be changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, TWO, make_source, rows

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.projects import category_checks, lifecycle
from labeling_core.projects.categories import assign_keys, read_categories
from labeling_core.settings import Category, Settings, quote
from labeling_core.store.database import OWN_FOLDERS


def problems(workspace, **changes):
    with workspace.database.read() as cursor:
        return lifecycle.problems(cursor, replace(SETTINGS, **changes))


@pytest.mark.parametrize(
    ("field", "part", "changes"),
    [
        ("title", "needs a name", {"title": " "}),
        ("categories", "At least two", {"categories": TWO[:1]}),
        ("categories", "no name", {"categories": (*TWO, Category(""))}),
        ("categories", "has 101 characters", {"categories": (*TWO, Category("r" * 101))}),
        ("categories", "stands there twice", {"categories": (*TWO, Category("red"))}),
        ("categories", "share the key", {"categories": (*TWO, Category("rosé", key="r"))}),
        ("categories", "cannot be used", {"categories": (*TWO, Category("x", key="/"))}),
        ("categories", "form #1a2b3c", {"categories": (*TWO, Category("x", color="red"))}),
        ("source", "Choose the table", {"source": ""}),
        ("source", "no table “beer”", {"source": "beer"}),
        ("source", "has no rows", {"source": "empty"}),
        ("label_column", "already has a column “acidity”", {"label_column": "Acidity"}),
        ("label_id_column", "already has a column", {"label_id_column": "bottle"}),
        ("label_id_column", "two names", {"label_id_column": "LABEL"}),
        ("label_column", "column of the metadata table", {"label_column": "status"}),
        ("labels_table", "needs a name", {"labels_table": ""}),
        ("labels_table", "already exists", {"labels_table": "WINE"}),
        ("metadata_table", "named twice", {"metadata_table": "wine_labels"}),
        ("every", "1 or more", {"every": 0}),
        ("every", "at most 1,000,000,000", {"every": 9_999_999_999}),
        ("probe_share", "between 0 and 50", {"probe_share": 0.6}),
        ("classifier", "no classifier", {"classifier": "oracle"}),
        ("strategy", "no query strategy", {"strategy": "guess"}),
        ("overlap_share", "between 0 and 100", {"overlap_share": 1.5}),
        ("overlap_people", "at least two", {"overlap_people": 1}),
        ("final_label", "no rule", {"final_label": "whim"}),
        ("test_table", "There is no table", {"test_table": "nowhere"}),
        ("test_table", "lacks the column “label”", {"test_table": "wine"}),
    ],
)
def test_a_mistake_is_named_beside_its_field(workspace, field, part, changes):
    make_source(workspace.database)
    with workspace.database.transaction() as cursor:
        cursor.execute("CREATE TABLE empty AS SELECT * FROM wine LIMIT 0")
    assert problems(workspace) == []
    found = problems(workspace, **changes)
    assert [each.field for each in found] == [field]
    assert part in found[0].sentence


def test_a_table_of_another_project_is_refused(workspace, make_project):
    make_project()
    found = problems(workspace, title="Second")
    assert {each.field for each in found} == {"labels_table", "metadata_table", "queries_table"}
    assert all("in use by the project “Wine”" in each.sentence for each in found)


def test_a_name_that_is_taken_is_told_at_the_name_and_nowhere_else(workspace, make_project):
    project = make_project()
    (found,) = problems(workspace, title=" WINE ")
    assert found == ("title", "There is a project “Wine” already: choose another name.")
    use_cases.delete_project(workspace, project.project_id, LOCAL)  # its labels and metadata stay
    (found,) = problems(workspace)
    assert found == (
        "title",
        "This name stands for the tables “wine_labels”, “wine_metadata”, which exist already: "
        "choose another name, or name the tables yourself. "
        "What a deleted project has left can be dropped on the page Storage.",
    )
    (found,) = problems(workspace, labels_table="mine")
    assert found.sentence.startswith("This name stands for the table “wine_metadata”, which exists")
    (found,) = problems(workspace, title="Other", labels_table="wine_metadata", metadata_table="m")
    assert found.field == "labels_table"


def test_two_projects_that_share_a_name_from_before_can_still_be_changed(workspace, make_project):
    project = make_project()
    named = {"labels_table": "l", "metadata_table": "m", "queries_table": "q"}
    twin = use_cases.create_project(workspace, replace(SETTINGS, title="Twin", **named), LOCAL)
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.projects SET settings = ? WHERE project_id = ?",
            [replace(twin.settings, title="Wine").to_json(), twin.project_id],
        )
    workspace.open_projects.forget(twin.project_id)
    assert use_cases.update_project(workspace, "wine", replace(project.settings, every=7), LOCAL)


def test_keys_are_first_letters_then_the_next_free_letter_or_digit():
    named = [Category(name) for name in ("cat", "cow", "coc", "c c", "ßß", "42")]
    given = [*named, Category("dog", key="a")]
    assert [each.key for each in assign_keys(given)] == ["c", "o", "b", "d", "ß", "4", "a"]


def test_a_colour_that_another_category_has_is_not_given_again():
    first, second = assign_keys([Category("cat"), Category("cow")])
    found = assign_keys([replace(first, color="#112233"), Category("dog"), second])
    assert [each.color for each in found] == ["#112233", "#0072B2", "#E69F00"]
    assert len({each.color for each in assign_keys([Category(f"a{n}") for n in range(15)])}) == 15


def test_sixty_categories_have_a_key_each():
    found = assign_keys([Category(f"a{number}") for number in range(60)])
    assert len({each.key for each in found} - {""}) == 60


def test_categories_are_read_from_an_editor_with_empty_cells_in_the_order_given():
    empty = {"description": None, "colour": float("nan"), "key": None}
    rows_ = [
        empty | {"order": None, "name": " last "},
        empty | {"order": 2, "name": "second", "key": "x"},
        empty | {"order": 1.5, "name": None},
        empty | {"order": float("nan"), "name": "very last"},
    ]
    found = read_categories(rows_)
    assert [each.name for each in found] == ["", "second", "last", "very last"]
    assert found[1].key == "x"


def test_settings_survive_json():
    settings = replace(SETTINGS, categories=(Category("größe “x”", "d", "#123456", "g"), *TWO))
    assert Settings.from_json(settings.to_json()) == settings


def test_only_tables_that_belong_to_no_project_may_be_labeled(workspace, make_project):
    make_source(workspace.database, table="beer")
    make_project()
    with workspace.database.read() as cursor:
        assert lifecycle.tables_to_label(cursor) == ["beer", "wine"]


def test_tables_have_their_schema_and_every_name_is_quoted():
    settings = replace(SETTINGS, labels_table='my "labels"', label_column="größe")
    tables = settings.tables
    assert tables.labels == 'main."my ""labels"""'
    assert tables.label == '"größe"'
    assert tables.metadata == f'main."{SETTINGS.metadata_table}"'
    assert tables.queries == f'main."{SETTINGS.queries_table}"'
    assert tables.label_id == f'"{SETTINGS.label_id_column}"'


def test_a_running_project_can_be_changed_and_keeps_its_decisions(
    workspace, make_project, annotator
):
    project = make_project()
    annotator(project).label_truly(10)
    changed = replace(
        project.settings, labels_table="etiketten", metadata_table="über sie",
        label_column="Farbe", label_id_column="nummer", every=3, title="Wein",
        categories=(Category("rosé"), *project.settings.categories),
    )  # fmt: skip
    use_cases.update_project(workspace, project.project_id, changed, LOCAL)
    found = rows(workspace.database, 'SELECT count(*), count(DISTINCT "Farbe") FROM "über sie"')
    assert found == [(10, 2)]
    assert len(rows(workspace.database, "SELECT nummer FROM etiketten")) == 10
    again = annotator(workspace.project(project.project_id))
    assert again.send()["counts"]["labeled"] == 10
    again.label_truly(3)


@pytest.mark.parametrize(
    "names",
    [
        {"labels_table": "wine_metadata", "metadata_table": "wine_labels"},
        {"labels_table": "wine_queries", "queries_table": "wine_labels"},
        {"labels_table": "wine_metadata", "metadata_table": "wine_queries",
         "queries_table": "WINE_labels"},
        {"labels_table": "wine_metadata", "metadata_table": "other"},
        {"metadata_table": "wine_labels", "labels_table": "other"},
        {"label_column": "label_id", "label_id_column": "label"},
        {"label_column": "LABEL", "labels_table": "Wine_Labels"},
        {"label_column": "label_id", "label_id_column": "number"},
    ],
)  # fmt: skip
def test_names_can_be_swapped_among_a_projects_tables_and_columns(
    workspace, make_project, annotator, names
):
    def found():
        settings = workspace.project("wine").settings
        label, number = quote(settings.label_column), quote(settings.label_id_column)
        sql = (
            f"SELECT l.{number}, l.{label}, m.status FROM {quote(settings.labels_table)} AS l "
            f"JOIN {quote(settings.metadata_table)} AS m USING ({number}, {label}) ORDER BY ALL"
        )
        asked = f"SELECT count(*) FROM {quote(settings.queries_table)}"
        return rows(workspace.database, sql), rows(workspace.database, asked)

    project = make_project(every=1000)
    annotator(project).label_truly(6)
    before = found()
    project = use_cases.update_project(workspace, "wine", replace(project.settings, **names), LOCAL)
    assert found() == before
    annotator(project).label_truly(4)
    assert len(found()[0]) == 10
    use_cases.update_project(workspace, "wine", replace(SETTINGS, every=1000), LOCAL)
    assert found()[0][:6] == before[0]


def test_a_category_with_labels_and_the_source_cannot_go(workspace, make_project, annotator):
    project = make_project()
    annotator(project).label_truly(10)
    make_source(workspace.database, table="other")
    without = replace(project.settings, categories=(TWO[0], Category("rosé")))
    for changed, field in ((without, "categories"), (replace(project.settings, source="other"), "source")):  # fmt: skip  # noqa: E501
        with pytest.raises(LabelingError) as told:
            use_cases.update_project(workspace, project.project_id, changed, LOCAL)
        assert told.value.field == field


def test_the_source_may_change_while_nothing_is_decided(workspace, make_project):
    project = make_project()
    make_source(workspace.database, rows=7, table="other")
    use_cases.update_project(
        workspace, project.project_id, replace(project.settings, source="other"), LOCAL
    )
    assert workspace.queue(workspace.project(project.project_id)).total == 7


def test_a_category_whose_name_was_always_too_long_stays_and_can_be_renamed(
    workspace, make_project, annotator, monkeypatch
):
    old = tuple(Category(letter * 300, key=letter) for letter in "ab")
    with monkeypatch.context() as of_before:
        of_before.setattr(category_checks, "LONGEST_NAME", 1000)
        project = make_project(categories=old)
    more = replace(project.settings, categories=(*old, Category("c" * 100)))
    project = use_cases.update_project(workspace, project.project_id, more, LOCAL)
    ana = annotator(project)
    decisions = [
        ana.decision(sample, "label", category=each.name)
        for sample, each in zip(ana.take(3), project.settings.categories, strict=True)
    ]
    assert not ana.send(decisions)["refused"]
    with pytest.raises(LabelingError, match="has 101 characters: take at most 100"):
        use_cases.rename_category(workspace, project.project_id, "a" * 300, "z" * 101, LOCAL)
    use_cases.rename_category(workspace, project.project_id, "a" * 300, "a", LOCAL)
    found = rows(workspace.database, "SELECT label FROM wine_labels ORDER BY 1")
    assert found == [("a",), ("b" * 300,), ("c" * 100,)]


def test_a_deleted_project_leaves_labels_and_metadata(workspace, make_project, annotator):
    project = make_project()
    annotator(project).label_truly(10)
    use_cases.delete_project(workspace, project.project_id, LOCAL)
    assert rows(workspace.database, "SELECT count(*) FROM wine_labels") == [(10,)]
    with pytest.raises(LabelingError, match="There is no project"):
        workspace.project(project.project_id)


@pytest.mark.parametrize("title", ["Backups", "Simulations"])
@pytest.mark.parametrize("own", [frozenset(), OWN_FOLDERS])
def test_a_project_called_like_a_folder_of_the_program_takes_nothing_with_it(
    workspace, make_project, monkeypatch, title, own
):
    with monkeypatch.context() as of_before:
        of_before.setattr(
            lifecycle, "OWN_FOLDERS", own
        )  # none were kept out: such ids are in databases
        project = make_project(title=title)
    backup = workspace.backups.make(LOCAL)
    kept = workspace.database.files("simulations", "20260101") / "record.json"
    kept.write_text("{}", "utf-8")
    use_cases.delete_project(workspace, project.project_id, LOCAL)
    assert backup.path.exists() and kept.exists()


def test_a_project_gets_no_id_that_is_a_folder_of_the_program(workspace, make_project):
    assert make_project(title="Backups").project_id == "backups_2"
    names = {each.name for each in workspace.database.files().iterdir() if each.is_dir()}
    workspace.backups.make(LOCAL)
    workspace.simulations.listed(LOCAL)
    made = {each.name for each in workspace.database.files().iterdir() if each.is_dir()} - names
    assert made == OWN_FOLDERS


def test_identical_rows_are_samples_of_their_own(workspace):
    with workspace.database.transaction() as cursor:
        cursor.execute("CREATE TABLE wine AS SELECT 1 AS acidity FROM range(5)")
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ids = rows(workspace.database, "SELECT __sample_id FROM labeling_pool.samples_wine")
    assert sorted(ids) == [("1",), ("2",), ("3",), ("4",), ("5",)]
    assert project.samples == 5


def test_odd_column_names_and_values_are_labeled_like_any_other(workspace, annotator):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            'CREATE TABLE wine AS SELECT \'nan\'::DOUBLE AS "größe ""x""", '
            "'inf'::DOUBLE AS uncertainty, i AS sample_id, NULL::DOUBLE AS nothing, "
            "repeat('long ', 20000) AS prediction, '<script>alert(1)</script>' AS \"select\", "
            "i % 2 AS truth FROM range(60) t(i)"
        )
    project = lifecycle.create_project(workspace.database, replace(SETTINGS, every=1000))
    ana = annotator(project)
    samples = ana.send(want=40)["samples"]
    fields = {name: text for name, text, _ in samples[0]["view"]["fields"]}
    assert fields['größe "x"'] is None
    assert (fields["uncertainty"], fields["nothing"]) == ("∞", None)
    assert fields["select"] == "<script>alert(1)</script>"
    assert len(fields["prediction"]) == 20_000
    assert samples[0]["view"]["truncated"][0][:2] == ["prediction", 100_000]
    colours = {"0": "red", "1": "white"}
    decisions = []
    for each in samples:
        truth = {name: text for name, text, _ in each["view"]["fields"]}["truth"]
        decisions.append(ana.decision(each["sample_id"], "label", category=colours[truth]))
    ana.send(decisions)
    from running import run_session

    assert run_session(workspace, project).state == "idle"
    assert len(rows(workspace.database, "SELECT * FROM wine_labels")) == len(samples)
    names = [each[0] for each in rows(workspace.database, "DESCRIBE wine_queries")]
    assert names == [
        'größe "x"', "uncertainty_source", "sample_id_source", "nothing", "prediction_source",
        "select", "truth", "sample_id", "uncertainty", "session_id", "prediction",
    ]  # fmt: skip


def test_another_type_of_the_same_values_makes_no_other_rows(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    with (
        workspace.database.transaction() as cursor
    ):  # as pandas writes it, once a number is missing
        cursor.execute("ALTER TABLE wine ALTER bottle TYPE DOUBLE")
        cursor.execute("INSERT INTO wine VALUES (NULL, 3, 'cask 1')")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert (change, project.samples) == ((1, 0), 201)


def test_values_that_a_column_could_not_hold_before_are_refused(workspace, make_project):
    project = make_project()
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine ALTER bottle TYPE DOUBLE")
        cursor.execute("UPDATE wine SET bottle = 2.5 WHERE bottle = 2")
    with pytest.raises(LabelingError, match=r"column “bottle”.* was of the type BIGINT.*“2.5”"):
        use_cases.refresh_source(workspace, project, LOCAL)


def test_a_source_cannot_have_the_columns_that_samples_have(workspace):
    with workspace.database.transaction() as cursor:
        cursor.execute('CREATE TABLE wine AS SELECT 1 AS acidity, 2 AS "__number"')
    found = problems(workspace)
    assert [each.field for each in found] == ["source"]
    assert "“__number” is one we need" in found[0].sentence


def test_a_page_that_shows_older_settings_does_not_bring_them_back(
    workspace, make_project, annotator
):
    shown = make_project(every=1000, probe_share=0.0, overlap_share=1.0)
    annotator(shown).label_truly(5)
    settings = replace(shown.settings, overlap_share=0.0)
    project = use_cases.update_project(workspace, shown.project_id, settings, LOCAL)
    workspace.loop.status(shown)  # what an open page asks for every other second
    assert workspace.queue(project).overlap.needed(100) == 1
    annotator(project).label_truly(10)
    assert rows(workspace.database, "SELECT count(*) FROM wine_labels") == [(15,)]
