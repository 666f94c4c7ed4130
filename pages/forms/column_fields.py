"""The fields that say how each column of a table is used: shown, learned from, or labels."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from labeling_core.projects import column_uses
from labeling_core.settings import LABEL_USES, USES, Column, Settings
from pages.forms.fields import Fields
from pages.shell.plain_text import escaped

MANY = 25  # columns from which finding some of them, and one use for all, are offered
MOST_ROWS = 300  # of the editor
MOST_MAIN = 1_000  # columns among which the main one is chosen
KINDS = {"": "as found", "number": "number", "date": "date", "category": "category",
         "text": "text", "sentence": "text, by its meaning"}  # fmt: skip
_USE_OF = {title: use for use, title in USES.items()}
_KIND_OF = {title: kind for kind, title in KINDS.items()}
# What is entered in the editor, and how it is called there.
_TITLES = {"use": "Use", "kind": "Kind", "missing": "Missing", "order": "Order",
           "as_text": "Verbatim"}  # fmt: skip
_TYPES = {"VARCHAR": "text", "BOOLEAN": "true or false", "DATE": "date", "TIME": "time",
          "DOUBLE": "number", "FLOAT": "number", "BLOB": "bytes"}  # fmt: skip


class Found(NamedTuple):
    """A column as it was found: its type, the markers that count as missing in it, examples of
    its values, and what there is to say of it. ``raw`` means that it can be read anew as text."""

    name: str
    type: str
    missing: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    note: str = ""
    raw: bool = False


class Chosen(NamedTuple):
    """What was entered: ``columns`` and ``main_column`` as in Settings; of an upload the ``types``
    ("text" for columns to keep as written) and ``missing`` markers to read it with."""

    columns: tuple[Column, ...] = ()
    main_column: str = ""
    types: Mapping[str, str] = {}
    missing: Mapping[str, tuple[str, ...]] = {}


def show(
    fields: Fields, found: Sequence[Found], base: Settings, name: str, running: bool = False
) -> Chosen:
    """The editor, a row per column, and the choice of the main one.

    ``name`` tells sources apart: another one begins anew. In a ``running`` project no column can
    begin to hold labels.
    """
    name = f"{name}-{zlib.crc32(repr([each[:2] for each in found]).encode()):x}"
    kept: dict[str, dict[str, Any]] = st.session_state.setdefault(fields.key(f"columns-{name}"), {})
    rows = _rows(found, base)
    wanted = _found_by_name(fields, kept, rows, running)
    _edit(fields, kept, wanted, name, running, any(each.raw for each in found))
    fields.slot("columns", "Columns")
    chosen = [row | kept.get(row["name"], {}) for row in rows.values()]
    chosen.sort(key=lambda row: row["order"])  # stable: equal ones stay as they were
    old = {each.name: each for each in base.columns}
    records = [_record(row, rows[row["name"]], old) for row in chosen]
    _say(records, found)
    return Chosen(
        column_uses.as_stored(records, [each.name for each in found]),
        _main(fields, records, found, base),
        {row["name"]: "text" for row in chosen if row["as_text"]},
        {each.name: each.missing for each in records if each.missing is not None},
    )


def _rows(found: Sequence[Found], base: Settings) -> dict[str, dict[str, Any]]:
    """Name → what the editor shows of a column before anything is changed, in order."""
    about = {each.name: each for each in found}
    listed = column_uses.in_order(base, about)
    return {
        each.name: {
            "order": float(number), "name": each.name, "type": _typed(about[each.name].type),
            "use": USES[each.use], "kind": KINDS[each.kind], "as_text": False,
            "missing": _written(
                about[each.name].missing if each.missing is None else each.missing
            ),
            "examples": " · ".join(about[each.name].examples), "note": about[each.name].note,
        }
        for number, each in enumerate(listed, start=1)
    }  # fmt: skip


def _found_by_name(
    fields: Fields, kept: dict[str, dict[str, Any]], rows: dict[str, dict[str, Any]], running: bool
) -> dict[str, dict[str, Any]]:
    """Those of many columns that are looked for, with one use for all of them on offer."""
    if len(rows) <= MANY:
        return rows
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        text = st.text_input(
            "Find columns", key=fields.key("find-columns"), placeholder="part of a name"
        ).strip()
    wanted = {each: row for each, row in rows.items() if text.lower() in each.lower()}
    with middle:
        use = st.selectbox(
            "Use of all that are found", _uses(running)[:4], index=None,
            key=fields.key("use-of-all"), placeholder="each as below",
        )  # fmt: skip
    with right:
        if st.button("Use them so", key=fields.key("use-all"), disabled=use is None):
            for each in wanted:
                kept[each] = kept.get(each, {}) | {"use": use}
            times = fields.key("columns-times")  # the editor begins anew
            st.session_state[times] = st.session_state.get(times, 0) + 1
    part = f"The first {MOST_ROWS} of " if len(wanted) > MOST_ROWS else ""
    named = f" with “{text}” in their names" if text else ""
    st.caption(
        f"{part}{len(wanted):,} columns{named}"
        + (": the others keep their use." if part or text else ".")
    )
    return wanted


def _edit(
    fields: Fields,
    kept: dict[str, dict[str, Any]],
    rows: dict[str, dict[str, Any]],
    name: str,
    running: bool,
    raw: bool,
) -> None:
    """Show the editor, and keep what was changed in it by the names of the columns.

    The table that it is given stays the same while its key does: what is entered lies on top.
    """
    text = st.session_state.get(fields.key("find-columns"))
    times = st.session_state.get(fields.key("columns-times"))
    key = fields.key("-".join(str(each) for each in ("edit-columns", name, text, times) if each))
    place = fields.key("columns-begun")
    if st.session_state.get(place, ("",))[0] != key:
        shown = [row | kept.get(each, {}) for each, row in list(rows.items())[:MOST_ROWS]]
        st.session_state[place] = (key, _frame(shown), dict(kept))
    _, frame, before = st.session_state[place]
    edited = st.data_editor(
        frame, key=key, hide_index=True, num_rows="fixed",
        height=min(len(frame), 12) * 35 + 38, column_config=_config(running, raw, frame),
    )  # fmt: skip
    kept.clear()
    kept.update(before)
    for was, now in zip(frame.to_dict("records"), edited.to_dict("records"), strict=True):
        changed = {each: now[each] for each in _TITLES if each in now and now[each] != was[each]}
        if changed:
            kept[was["name"]] = before.get(was["name"], {}) | _whole(changed, was)


def _whole(changed: dict[str, Any], was: dict[str, Any]) -> dict[str, Any]:
    """What was entered, an emptied cell as it was before; only missing markers can be none."""
    empty = {each for each, value in changed.items() if value is None or value != value}
    return {
        each: ("" if each == "missing" else was[each]) if each in empty else value
        for each, value in changed.items()
    }


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    names = ["name", "use", "kind", "type", "missing", "order", "as_text", "note", "examples"]
    frame = pd.DataFrame(list(rows), columns=names)
    text = [each for each in names if each not in ("order", "as_text")]
    return frame.astype({each: "object" for each in text} | {"as_text": "bool"})


def _uses(running: bool) -> list[str]:
    return [title for use, title in USES.items() if not running or use not in LABEL_USES]


def _config(running: bool, raw: bool, frame: pd.DataFrame) -> dict[str, Any]:
    """How the editor's columns look; what was found cannot be edited."""
    column = st.column_config
    uses = list(dict.fromkeys([*_uses(running), *frame["use"]]))
    return {
        "name": column.TextColumn("Column", disabled=True, pinned=True),
        "use": column.SelectboxColumn(
            _TITLES["use"], options=uses, required=True, width=180,
            help="Shown to those who label, learned from by the model, both or neither; or labels "
            "that exist already, with who gave them, when, and a remark.",
        ),
        "kind": column.SelectboxColumn(
            _TITLES["kind"], options=list(_KIND_OF), required=True, width=120,
            help="What the model takes it for. A text is learned from by its words; by its meaning "
            "(a pretrained sentence embedding, for English) texts that say alike in other words "
            "count as alike, and are slower to read: some 50 to 800 a second, once.",
        ),
        "type": column.TextColumn("Found as", disabled=True, width=110),
        "missing": column.TextColumn(
            _TITLES["missing"], width=100,
            help="Texts that stand for no value, with commas in between, such as NA, -",
        ),
        "order": column.NumberColumn(
            _TITLES["order"], width=80,
            help="Columns are shown in this order; 1.5 goes between 1 and 2.",
        ),
        "as_text": None if not raw else column.CheckboxColumn(
            _TITLES["as_text"], width=95, help="Keep each cell as text, as it is written.",
        ),
        "note": column.TextColumn("Note", disabled=True, width="large"),
        "examples": column.TextColumn("Examples", disabled=True, width="medium"),
    }  # fmt: skip


def _typed(kind: str) -> str:
    """A type of DuckDB in plain words, where there are some."""
    if kind.endswith("INT") or kind.endswith("INTEGER"):
        return "whole number"
    return _TYPES.get(kind, "date and time" if kind.startswith("TIMESTAMP") else kind.lower()[:40])


def _record(row: dict[str, Any], begun: dict[str, Any], old: Mapping[str, Column]) -> Column:
    """The record of a column as entered; markers that nobody changed are as before."""
    was = old.get(row["name"], Column(row["name"]))
    same = row["missing"] == begun["missing"]
    missing = was.missing if same else _read(row["missing"])
    return Column(row["name"], _USE_OF[row["use"]], _KIND_OF[row["kind"]], missing, was.newer)


def _written(markers: Sequence[str]) -> str:
    return ", ".join(markers)


def _read(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def _say(records: Sequence[Column], found: Sequence[Found]) -> None:
    """How many are shown and learned from, and what there is to know of some, in two lines."""
    shown = sum(each.shown for each in records)
    learned = sum(each.learned for each in records)
    st.caption(
        f"Of {len(records):,} columns {shown:,} are shown, and {learned:,} may be learned from."
    )
    if noted := [each for each in found if each.note]:
        few = "  \n".join(f"**{escaped(each.name)}** {escaped(each.note)}" for each in noted[:5])
        more = f"  \n{len(noted) - 5:,} more have a note in the table." if len(noted) > 5 else ""
        st.caption(few + more)


def _main(fields: Fields, records: Sequence[Column], found: Sequence[Found], base: Settings) -> str:
    """The choice of the main column, among the texts that are shown."""
    texts = {each.name for each in found if each.type == "VARCHAR" or each.name == base.main_column}
    names = [each.name for each in records if each.shown and each.name in texts]
    if base.main_column and base.main_column not in names and base.main_column in texts:
        names.insert(0, base.main_column)  # what is wrong with it is told beside the field
    options = {"": "none: all columns alike"} | {name: name for name in names[:MOST_MAIN]}
    return fields.choice(
        "main_column", "Main text column", options, base.main_column,
        "It is shown large, the other columns beside it.",
    )  # fmt: skip
