"""Uploading tables: any type of file, several of one shape, a sheet or table chosen in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.sources import containers, importing, several_files
from labeling_core.sources.importing import Choices
from labeling_core.sources.uploads import discard_table, stage_table
from labeling_core.workspace import Workspace

LABEL = "CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text"
HELP = (
    f"Taken are {containers.TAKEN}. Several files of one shape become one table. How a text is "
    "written is found out; correct it below if need be."
)


class Given(NamedTuple):
    """A table that was uploaded: where it waits, its name, what was chosen in it, what was done."""

    path: Path
    name: str
    part: str
    notes: tuple[str, ...]

    def inspect(self) -> importing.Preview:
        """Look at it, with what was found out of it."""
        return inspect(self.path, self.name, Choices(part=self.part))


def choose(
    workspace: Workspace, key: Callable[[str], str], label: str = LABEL, lines: bool = True
) -> Given | None:
    """The uploader with what is to be chosen of its files; None while there is nothing to read,
    which a sentence says where a file is not taken.

    ``key`` makes keys of widgets; ``lines`` says whether the lines of a text may be the samples.
    """
    # Any type of file: what is not taken is answered with a sentence, not by a red sign.
    files = st.file_uploader(label, accept_multiple_files=True, key=key("file"), help=HELP)
    if not files:
        return None
    paths = keep_uploads(workspace, files, key("file"))
    names = [each.name for each in files]
    try:
        part = _part(paths[0], names[0], key, lines)
        if len(files) == 1:
            return Given(paths[0], names[0], part, ())
        path, notes = _joined(tuple(paths), tuple(names), part)
        return Given(path, f"{Path(min(names)).stem}.parquet", "", notes)
    except LabelingError as error:
        st.error(str(error))
        return None


def keep_uploads(workspace: Workspace, files: Sequence[Any], key: str) -> list[Path]:
    """Write uploads to disk once; reruns find them there, and others take their place."""
    ids = tuple(each.file_id for each in files)
    known, paths = st.session_state.get(f"upload-{key}", ((), []))
    if known != ids or not all(path.exists() for path in paths):
        for path in paths:
            discard_table(path)
        home = workspace.database.path.parent
        paths = [stage_table(home, each.getbuffer()) for each in files]
        st.session_state[f"upload-{key}"] = (ids, paths)
    return list(paths)


def _part(path: Path, name: str, key: Callable[[str], str], lines: bool) -> str:
    """What is chosen in a file of several tables, or whether its lines are the samples."""
    file = path.parent.name
    parts = _parts(path, name)
    if parts:
        return str(st.selectbox("Sheet or table", parts, key=key(f"part-{file}")))
    if not lines or Path(name).suffix.lower() in (".parquet", ".pq", ".json", ".jsonl", ".ndjson"):
        return ""
    chosen = st.toggle(
        "One text per line", key=key(f"lines-{file}"),
        help="Each line is a sample, in one column called text; empty lines are left out.",
    )  # fmt: skip
    return containers.LINES if chosen else ""


@st.cache_data(max_entries=16, show_spinner="Reading the file …")
def _parts(path: Path, name: str) -> tuple[str, ...]:
    return containers.parts(path, name)


@st.cache_data(max_entries=4, show_spinner="Reading the files …")
def _joined(
    paths: tuple[Path, ...], names: tuple[str, ...], part: str
) -> tuple[Path, tuple[str, ...]]:
    target = paths[0].with_name("joined" if not part else f"joined-{abs(hash(part))}")
    notes = several_files.join(list(zip(paths, names, strict=True)), target, part)
    return target, notes


@st.cache_data(max_entries=16, show_spinner="Reading the file …", hash_funcs={Choices: repr})
def inspect(path: Path, name: str, choices: Choices) -> importing.Preview:
    """Read the whole upload once, not at every rerun of the page."""
    return importing.inspect(path, name, choices)


def size_of(preview: importing.Preview) -> str:
    """How many rows and columns an upload has."""
    rows, columns = preview.row_count, len(preview.columns)
    return f"{rows:,} row{'s' * (rows != 1)}, {columns:,} column{'s' * (columns != 1)}."
