"""How an uploaded table is read: what was found out, and the fields that correct it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.sources import importing
from labeling_core.sources.importing import Choices, Preview
from pages.forms.fields import Fields
from pages.forms.upload_fields import Given, inspect

DECIMALS = {".": "point (1.5)", ",": "comma (1,5)"}
HEADERS = {"": "found out", "yes": "holds the names", "no": "is a row like the others"}
_UNKNOWN = {"": "found out"}
_TEXT = (".csv", ".tsv", ".txt", ".tab")


def read(fields: Fields, given: Given) -> Preview | None:
    """The upload as it is read with what the fields say; None, and a sentence, if it cannot be.

    The fields are offered when the first reading fails too: they may be what mends it.
    """
    path, name, unread = given.path, given.name, Choices(part=given.part)
    try:
        found: Preview | None = inspect(path, name, unread)
        failure = ""
    except LabelingError as error:
        found, failure = None, str(error)
    if found is not None and found.delimiter is None:
        return found
    if found is None and not Path(name).suffix.lower().startswith(_TEXT):
        st.error(failure)
        return None
    place = st.container()
    chosen = _entered(fields, path.parent.name, found, unread)
    if chosen == _as_found(found, unread):
        if failure:
            place.error(failure)
        return found
    try:
        return inspect(path, name, chosen)
    except LabelingError as error:
        place.error(str(error))
        return None


def chosen_columns(preview: Preview, path: Path, choices: dict[str, Any]) -> Preview | None:
    """The upload read again with what was chosen of its columns; None, and a sentence, if it
    cannot be."""
    try:
        return inspect(path, preview.name, replace(preview.choices, **choices))
    except LabelingError as error:
        st.error(str(error))
        return None


def _as_found(found: Preview | None, unread: Choices) -> Choices:
    """What the fields say before anything is changed."""
    if found is None:
        return unread
    return replace(found.choices, missing={}, types={})


def _entered(fields: Fields, file: str, found: Preview | None, unread: Choices) -> Choices:
    """What the fields say; another file begins with what was found of it."""
    begun = _as_found(found, unread)
    unknown = _UNKNOWN if found is None else {}
    first, second, third = st.columns(3)
    with first:
        delimiter = fields.choice(
            f"delimiter-{file}", "Delimiter", unknown | importing.DELIMITERS,
            begun.delimiter or ("" if unknown else ","), "What separates the columns.",
        )  # fmt: skip
    with second:
        decimal = fields.choice(
            f"decimal-{file}", "Decimal mark", unknown | DECIMALS,
            begun.decimal or ("" if unknown else "."), "How numbers are written.",
        )  # fmt: skip
    with third:
        encoding = fields.text(
            f"encoding-{file}", "Encoding", "", "How letters are written, such as utf-8 or cp1252.",
            default=begun.encoding or ("" if unknown else "utf-8"),
        )  # fmt: skip
    with st.expander("More about how it is read", expanded=found is None):
        more = _more(fields, file, begun)
    entered = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding} | more
    # What was neither found out nor entered stays to be found out.
    unknown_still = {
        key for key, value in entered.items() if value == "" and getattr(begun, key) is None
    }
    return replace(begun, **{key: entered[key] for key in entered.keys() - unknown_still})


def _more(fields: Fields, file: str, begun: Choices) -> dict[str, Any]:
    """What is rarely other than it was found: the first line, lines to leave out, quotes."""
    known = {None: "", True: "yes", False: "no"}
    left, right = st.columns(2)
    with left:
        header = fields.choice(
            f"header-{file}", "The first line", HEADERS, known[begun.header],
            "Whether the first line holds the names of the columns.",
        )  # fmt: skip
        skip = fields.number(
            f"skip-{file}", "Lines to leave out at the top", begun.skip or 0,
            "So many lines stand before the table.",
        )  # fmt: skip
        comment = fields.text(
            f"comment-{file}", "Lines to leave out begin with", begun.comment or "",
            "Such as #; nothing takes all lines.",
        )  # fmt: skip
    with right:
        quote = fields.text(
            f"quote-{file}", "Quotation mark", begun.quote or "",
            "What stands around a cell with delimiters.",
        )  # fmt: skip
        escape = fields.text(
            f"escape-{file}", "Escape sign", begun.escape or "",
            'What stands before a quotation mark: \\ or ".',
        )  # fmt: skip
        broken = st.toggle(
            "Read on at broken bytes", begun.errors == "replace", key=fields.key(f"errors-{file}"),
            help="A byte that is no letter of the encoding is read as �, instead of a refusal.",
        )  # fmt: skip
        fields.slot(f"errors-{file}", "Read on at broken bytes")
    strict = begun.errors if begun.errors != "replace" else "strict"
    return {
        "header": {"": None, "yes": True, "no": False}[header],
        "skip": skip or (None if begun.skip is None else 0),
        "comment": comment,
        "quote": quote,
        "escape": escape,
        "errors": "replace" if broken else strict,
    }
