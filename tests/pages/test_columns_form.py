"""How the columns of a table are used, entered and shown; without a browser."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest
from test_pages import open_page, texts  # noqa: F401  a fixture

from labeling_core import workspace as workspaces
from labeling_core.settings import Column, Settings

NEW, WINE = "settings-new-", "settings-wine_colour-"
FILMS = "review;stars;label;id\n" + "".join(
    f"a rather long text about film {n};{n % 5};{'good' if n % 3 else 'bad'};f-{n}\n"
    for n in range(60)
)


def upload(at: AppTest, content: str, name: str = "films.csv") -> AppTest:
    return (
        at.file_uploader(key=NEW + "file").set_value([(name, content.encode(), "text/csv")]).run()
    )


def edit(at: AppTest, key: str, **changes: Any) -> AppTest:
    """Change cells of the editor: row number → what is entered there."""
    rows = {int(row.removeprefix("row")): cells for row, cells in changes.items()}
    place = at.session_state[key + "columns-begun"][0]
    at.session_state[place] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    return at.run()


def shown(at: AppTest, key: str) -> Any:
    """The table that the editor was given."""
    return at.session_state[key + "columns-begun"][1]


def saved(project_id: str) -> Settings:
    return workspaces.open_workspace().project(project_id).settings


def test_each_column_of_an_upload_is_shown_as_it_was_found(open_page):  # noqa: F811
    at = upload(open_page("settings", new="1"), FILMS)
    found = shown(at, NEW).set_index("name")
    assert found["type"].to_dict() == {
        "review": "text", "stars": "whole number", "label": "text", "id": "text",
    }  # fmt: skip
    assert set(found["use"]) == {"shown and learned from"} and set(found["kind"]) == {"as found"}
    assert found["examples"]["stars"] == "0 · 1 · 2"
    assert "like an id: not learned from" in found["note"]["id"]
    assert r"**id** Another value in nearly every row, like an id\: not learned from" in texts(at)
    assert "Of 4 columns 4 are shown, and 4 may be learned from." in texts(at)


def test_a_project_is_made_from_the_labels_in_a_column(open_page):  # noqa: F811
    at = upload(open_page("settings", new="1"), FILMS)
    assert "The table has a column “label” of its own: ours is called “label_given”." in texts(at)
    edit(
        at, NEW, row0={"order": 9}, row2={"use": "holds labels"}, row3={"use": "neither"},
        row1={"kind": "category", "missing": "?, 0"},
    )  # fmt: skip
    assert "2 found: bad, good. 60 rows come labeled." in texts(at)
    at.selectbox(key=NEW + "main_column").set_value("review")
    at.text_input(key=NEW + "title").input("Films")
    at.button(key=NEW + "save").click().run()
    assert not at.exception and not at.error
    settings = saved("films")
    assert settings.columns == (
        Column("stars", kind="category", missing=("?", "0")),
        Column("label", "labels"), Column("id", "neither"),
    )  # fmt: skip
    assert (settings.main_column, settings.names) == ("review", ("bad", "good"))
    assert (settings.label_column, settings.label_id_column) == ("label_given", "label_id")


def test_a_mistake_in_the_columns_is_told_and_nothing_is_lost(open_page):  # noqa: F811
    at = upload(open_page("settings", new="1"), FILMS)
    both = {f"row{n}": {"use": "holds labels"} for n in (2, 3)}
    edit(at, NEW, **both)
    at.text_input(key=NEW + "title").input("Films")
    at.button(key=NEW + "save").click().run()
    assert any("only one column can be “holds labels”" in each.value for each in at.error)
    edit(at, NEW, row2={"use": "holds labels"})  # what was taken back in the editor is
    at.button(key=NEW + "save").click().run()
    assert not at.error and saved("films").columns == (Column("label", "labels"),)


def test_of_many_columns_some_are_found_and_all_of_them_changed_at_once(open_page):  # noqa: F811
    names = [f"{'gene' if n % 2 else 'noise'}_{n}" for n in range(700)]
    lines = "\n".join(",".join(str((n * row) % 17) for n in range(700)) for row in range(1, 40))
    at = upload(open_page("settings", new="1"), ",".join(names) + "\n" + lines)
    assert "The first 300 of 700 columns: the others keep their use." in texts(at)
    assert len(shown(at, NEW)) == 300
    edit(at, NEW, row1={"use": "shown only"})
    at.text_input(key=NEW + "find-columns").input("noise").run()
    assert "350 columns with “noise” in their names" in texts(at)
    at.selectbox(key=NEW + "use-of-all").set_value("neither").run()
    at.button(key=NEW + "use-all").click().run()
    assert set(shown(at, NEW)["use"]) == {"neither"}
    assert "Of 700 columns 350 are shown, and 349 may be learned from." in texts(at)
    at.text_input(key=NEW + "find-columns").input("").run()
    uses = shown(at, NEW).set_index("name")["use"]
    assert (uses["noise_0"], uses["gene_1"]) == ("neither", "shown only")
    assert uses["gene_3"] == "shown and learned from"


def test_a_file_that_cannot_be_read_at_first_can_be_once_it_is_said_how(open_page):  # noqa: F811
    at = upload(open_page("settings", new="1"), "a,b\n1,2\n3,4,5,6\n")
    (told,) = at.error
    assert "has a row with 3 instead of 2 values in line 3" in told.value and not at.exception
    labels = {each.label for kind in ("selectbox", "text_input", "number_input", "toggle")
              for each in getattr(at, kind)}  # fmt: skip
    assert labels >= {
        "Delimiter", "Decimal mark", "Encoding", "The first line", "Lines to leave out at the top",
        "Lines to leave out begin with", "Quotation mark", "Escape sign", "Read on at broken bytes",
    }  # fmt: skip
    next(each for each in at.selectbox if each.label == "Delimiter").set_value(";").run()
    assert not at.error and "2 rows, 1 column." in texts(at)


def test_a_running_project_can_show_and_learn_from_other_columns(open_page):  # noqa: F811
    at = open_page("settings", project="wine_colour")
    names = list(shown(at, WINE)["name"])
    edit(at, WINE, row0={"use": "shown only"}, row2={"order": 0.5}, row3={"use": "neither"})
    at.button(key=WINE + "save").click().run()
    assert not at.error and not at.exception
    assert saved("wine_colour").columns == (
        Column(names[2]), Column(names[0], "shown"), Column(names[3], "neither"),
    )  # fmt: skip
    assert any("the next session computes the features anew" in each.value for each in at.toast)
    before = saved("wine_colour")
    at = open_page("settings", project="wine_colour")  # read again, nothing changes
    assert list(shown(at, WINE)["name"])[:2] == [names[2], names[0]]
    at.button(key=WINE + "save").click().run()
    assert saved("wine_colour") == before


def test_the_main_column_must_be_one_that_is_shown(open_page):  # noqa: F811
    at = open_page("settings", project="wine_colour")
    assert at.selectbox(key=WINE + "main_column").options == ["none: all columns alike"]  # no texts
