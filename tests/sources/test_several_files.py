"""Files of one shape become one table; one of another shape is named with the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from labeling_core.errors import LabelingError
from labeling_core.sources import importing, several_files


def joined(folder: Path, **files: str) -> tuple[importing.Preview, tuple[str, ...]]:
    given = []
    for name, content in files.items():
        path = folder / name
        path.write_text(content, encoding="utf-8")
        given.append((path, f"{name}.csv"))
    notes = several_files.join(given, folder / "joined", "")
    return importing.inspect(folder / "joined", "files"), notes


def test_rows_stand_in_the_order_of_the_files_names_whatever_the_order_of_columns(tmp_path):
    preview, notes = joined(tmp_path, b="Text;id\nz;3\n", a="id,text\n1,x\n2,y\n")
    assert preview.rows == ((1, "x"), (2, "y"), (3, "z"))
    assert [name for name, _ in preview.columns] == ["id", "text"]
    assert notes == ("The rows of 2 files in this order: 2 of “a.csv”, 1 of “b.csv”.",)


def test_types_that_differ_become_one_that_holds_all(tmp_path):
    preview, notes = joined(
        tmp_path, a="n,mixed,code\n1,5,007\n", b="n,mixed,code\n1.5,x,8\n", c="n,mixed,code\n2,,9\n"
    )
    assert preview.rows == ((1.0, "5", "007"), (1.5, "x", "8"), (2.0, None, "9"))
    assert [note.split(":")[0] for note in notes[1:]] == [
        "The column “mixed” is BIGINT in “a.csv” and VARCHAR in “b.csv”",
        "The column “code” is VARCHAR in “a.csv” and BIGINT in “b.csv”",
    ]


def test_a_file_of_another_shape_is_named_with_the_difference(tmp_path):
    with pytest.raises(LabelingError) as raised:
        joined(tmp_path, a="id,text\n1,x\n", b="id,txt,more\n1,x,2\n")
    assert str(raised.value) == (
        "“b.csv” has other columns than “a.csv”: it lacks “text” and has “txt”, “more” besides; "
        "upload files of one shape together."
    )
