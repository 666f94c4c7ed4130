"""How an uploaded file is to be read: its format, encoding, delimiter and decimal mark."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from labeling_core.errors import LabelingError
from labeling_core.sources.choices import Choices, check
from labeling_core.sources.encodings import BLOCK, find_encoding
from labeling_core.sources.import_errors import encoding_error, file_error

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_NUMBER = r"[-+]?\d+([.,]\d+)?"
_DATA = rf"{_NUMBER}|\d{{4}}-\d\d-\d\d.*|true|false|TRUE|FALSE|NA|NaN|NULL"


@dataclass(frozen=True)
class Reading(Choices):
    """How to read a file: its format, its dialect (see Choices), and notes on what was found."""

    name: str
    format: str  # "csv" (TSV too), "parquet" or "json"
    notes: tuple[str, ...] = ()
    choices: Choices = field(default_factory=Choices)


def find_reading(path: Path, name: str, choices: Choices) -> Reading:
    """Find out how to read ``path``, called ``name`` by the user; what is chosen is taken.

    Raises LabelingError if it is no table, or if what is chosen cannot be honoured.
    """
    check(choices)
    head = _head(path, name)
    suffix = Path(name).suffix.lower()
    if head.startswith(b"PAR1"):
        return Reading(name, "parquet", choices=choices)
    _refuse_what_is_no_parquet(suffix, name)
    encoding, notes = find_encoding(path, head, name, choices.encoding, choices.errors)
    reading = Reading(
        name, "json", notes, choices, encoding=encoding, errors=choices.errors or "strict"
    )
    text = _decoded(head, encoding, reading.errors or "strict", name)
    if suffix in (".json", ".jsonl", ".ndjson") or text.lstrip().startswith('{"'):
        return reading
    return _find_dialect(replace(reading, format="csv"), text, path.stat().st_size <= len(head))


def _find_dialect(reading: Reading, text: str, whole: bool) -> Reading:
    given, suffix = reading.choices, Path(reading.name).suffix.lower()
    notes = [*reading.notes]
    skip = given.skip or 0
    rest = text.split("\n", skip)[-1] if text.count("\n") >= skip else ""
    if not rest.strip():
        raise LabelingError(f"“{reading.name}” has no table below {skip:,} lines.", "skip")
    declared = re.match(r'"?sep=(.)"?\n', rest, re.IGNORECASE)
    if declared:
        skip, rest = skip + 1, rest[declared.end() :]
        notes.append(f"The first line, {declared[0].strip()}, tells the delimiter.")
    delimiter = given.delimiter or (declared[1] if declared else None)
    comment = given.comment
    if comment is None:
        comment = "#" if _has_comments(rest, delimiter, whole, suffix) else ""
    if comment:
        rest = "\n".join(line for line in rest.split("\n") if not line.startswith(comment))
    mark = given.quote if given.quote is not None else _find_quote(rest, delimiter, whole, suffix)
    escape = given.escape if given.escape is not None else mark
    if delimiter is None:
        delimiter = _find_delimiter(rest, whole, suffix, mark)
    if given.escape is None and mark and f"\\{mark}" in rest:
        doubled, escaped = (_fit(rest, delimiter, whole, mark, each) for each in (mark, "\\"))
        escape = "\\" if escaped > doubled else mark
    chosen = given.skip is not None or given.delimiter is not None
    if not chosen and (junk := _junk(rest, delimiter, whole, mark)):
        (lines, delimiter), before = junk, skip
        skip += lines
        rest = rest.split("\n", lines)[-1]
        notes.append(
            f"The first {skip} lines were left out, as the table begins below them."
            if skip > 1 and not before
            else "A line above the table was left out."
        )
    rows = sample_rows(rest, delimiter, whole, mark, escape)
    decimal = given.decimal or _find_decimal(rows, delimiter)
    if given.header is None:
        notes += _header_notes([row for row in rows if row])
    return replace(
        reading, delimiter=delimiter, decimal=decimal, notes=tuple(notes), skip=skip,
        header=given.header is not False, comment=comment, quote=mark, escape=escape,
    )  # fmt: skip


def sample_rows(
    text: str, delimiter: str, whole: bool, mark: str = '"', escape: str = '"'
) -> list[list[str]]:
    """The first rows (at most 501) of the text of a CSV file.

    Unless the text is ``whole``, its last row may be cut off and is left out.
    """
    csv.field_size_limit(BLOCK)
    rows: list[list[str]] = []
    lines = io.StringIO(text, newline="")
    escapes = escape if mark and escape != mark else None
    try:
        for row in csv.reader(
            lines,
            delimiter=delimiter,
            quotechar=mark or None,
            escapechar=escapes,
            quoting=csv.QUOTE_MINIMAL if mark else csv.QUOTE_NONE,
        ):
            rows.append(row)
            if len(rows) > 500:
                break
    except csv.Error:
        pass
    return rows if whole or len(rows) < 2 else rows[:-1]


def _head(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(BLOCK)
    except OSError as error:
        raise file_error(name, "cannot be opened; upload it again") from error
    if not head.strip(b" \t\r\n\xef\xbb\xbf\xff\xfe\0"):
        raise file_error(name, "is empty; choose a file with a header line and at least one row")
    return head


def _refuse_what_is_no_parquet(suffix: str, name: str) -> None:
    if suffix in (".parquet", ".pq"):
        raise file_error(name, "is not a Parquet file; export it again, or rename it to what it is")


def _decoded(head: bytes, encoding: str, errors: str, name: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)(errors).decode(head)
    except (LookupError, UnicodeDecodeError) as error:
        raise encoding_error(name, encoding) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _find_delimiter(text: str, whole: bool, suffix: str, mark: str) -> str:
    """The delimiter that cuts the header into several names and most rows into as many."""

    def fitness(delimiter: str) -> tuple[bool, float, bool, int]:
        width, share = _widths(text, delimiter, whole, mark, mark)
        return width > 1, round(share, 2), delimiter == "\t" and suffix == ".tsv", width

    return max(DELIMITERS, key=fitness)


def _widths(text: str, delimiter: str, whole: bool, mark: str, escape: str) -> tuple[int, float]:
    """How many cells the first row has, and the share of rows that have as many (0..1)."""
    rows = [row for row in sample_rows(text, delimiter, whole, mark, escape) if row]
    width = len(rows[0]) if rows else 1
    return width, sum(len(row) == width for row in rows) / max(len(rows), 1)


def _fit(text: str, delimiter: str, whole: bool, mark: str, escape: str) -> tuple[float, int]:
    rows = [row for row in sample_rows(text, delimiter, whole, mark, escape) if row]
    return _widths(text, delimiter, whole, mark, escape)[1], len(rows)


def _find_quote(text: str, delimiter: str | None, whole: bool, suffix: str) -> str:
    """The quotation mark; a ' only where the rows are even with it alone."""
    if '"' in text or not re.search(r"(?m)(^|[,;\t|])'.*[,;\t|].*'([,;\t|]|$)", text):
        return '"'
    shares = {}
    for mark in ('"', "'"):
        cut = delimiter or _find_delimiter(text, whole, suffix, mark)
        shares[mark] = _widths(text, cut, whole, mark, mark)[1]
    return "'" if shares["'"] == 1 > shares['"'] else '"'


def _has_comments(text: str, delimiter: str | None, whole: bool, suffix: str) -> bool:
    """Whether the lines that begin with # are no rows of the table."""
    lines = text.split("\n")
    marked = [line for line in lines if line.startswith("#")]
    rest = "\n".join(line for line in lines if not line.startswith("#"))
    if not marked or not rest.strip():
        return False
    delimiter = delimiter or _find_delimiter(rest, whole, suffix, '"')
    width, _ = _widths(rest, delimiter, whole, '"', '"')
    first = next(at for at, line in enumerate(lines) if line.strip() and line[0] != "#")
    leading = [line for line in lines[:first] if line.startswith("#")]
    words = [line for line in leading if line.startswith("# ")]
    others = [line for line in marked if line not in words]
    if width == 1:
        return bool(words) and not others
    return all(_widths(line, delimiter, True, '"', '"')[0] != width for line in others)


def _junk(text: str, delimiter: str, whole: bool, mark: str) -> tuple[int, str] | None:
    """How many lines stand above a table whose delimiter shows only below them, and that."""
    if _widths(text, delimiter, whole, mark, mark)[0] > 1:
        return None
    for each in DELIMITERS:
        rows = sample_rows(text, each, whole, mark, mark)
        width = Counter(len(row) for row in rows if row).most_common(1)[0][0] if rows else 1
        start = next((at for at, row in enumerate(rows) if len(row) == width), 0)
        table = [row for row in rows[start:] if row]
        clear = width > 2 or (width == 2 and [] in rows[:start])
        above = all(len(row) < 2 for row in rows[:start])
        even = len(table) > 2 and all(len(row) == width for row in table)
        if clear and above and even and 0 < start <= 20:
            return start, each
    return None


def _find_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    cells = [cell.strip() for row in rows[1:] for cell in row]
    commas = [cell for cell in cells if re.fullmatch(r"[-+]?\d+,\d+", cell)]
    points = sum(bool(re.fullmatch(r"[-+]?\d+\.\d+", cell)) for cell in cells)
    # Between commas as delimiters, "1,234" is a thousand rather than a fraction.
    thousands = delimiter == "," and all(re.fullmatch(r"[-+]?\d{1,3},\d{3}", c) for c in commas)
    return "," if len(commas) > points and not thousands else "."


def _header_notes(rows: Sequence[Sequence[str]]) -> list[str]:
    """A note if the first row, taken as names, looks like data."""
    if not rows:
        return []
    cells = [cell.strip() for cell in rows[0]]
    if all(re.fullmatch(_NUMBER, cell) for cell in cells):
        return [
            "The first line was taken as column names, though it holds only numbers; say that "
            "there is no header if it is a row."
        ]
    alike = []
    for at, cell in enumerate(cells):
        below = [row[at].strip() for row in rows[1:] if at < len(row) and row[at].strip()]
        typed = re.fullmatch(_DATA, cell) and any(re.fullmatch(_DATA, each) for each in below)
        if typed or (cell and below.count(cell) > 1):
            alike.append(cell)
    if 2 * len(alike) < len(cells) or not alike:
        return []
    return [
        f"The first line was taken as column names, though “{alike[0]}” looks like data; say that "
        "there is no header if it is a row."
    ]
