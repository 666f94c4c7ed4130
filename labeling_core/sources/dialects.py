"""How an uploaded file is to be read: its format, encoding, delimiter and decimal mark."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labeling_core.errors import LabelingError
from labeling_core.sources.import_errors import encoding_error, file_error

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
BLOCK = 1 << 20  # read at a time; all but the encoding is found in the first block
# Legacy encodings worth guessing among; anything rarer is the user's to name.
LEGACY = ["cp1252", "cp1250", "cp1251", "cp1253", "shift_jis", "gb18030", "euc_kr", "big5"]
SIGNATURES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"\x1f\x8b": "a gzip archive",
}


@dataclass(frozen=True)
class Reading:
    """How to read a file: its format, its dialect, and the notes made while finding them out."""

    name: str
    format: str  # "csv" (TSV too), "parquet" or "json"
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    notes: tuple[str, ...] = ()


def find_reading(
    path: Path, name: str, encoding: str | None, delimiter: str | None, decimal: str | None
) -> Reading:
    """Find out how to read ``path``, called ``name`` by the user; what is given is taken.

    Raises LabelingError if it is no table, or if what is given cannot be honoured.
    """
    head = _head(path, name)
    suffix = Path(name).suffix.lower()
    if head.startswith(b"PAR1"):
        return Reading(name, "parquet")
    _refuse_what_is_no_text(head, suffix, name)
    notes: tuple[str, ...] = ()
    if encoding is None:
        encoding = _find_encoding(path, head, name)
        if not encoding.startswith("utf"):
            notes = (f"Read as {encoding}; choose another encoding if letters look wrong.",)
    text = _decoded(head, encoding, name)
    if suffix in (".json", ".jsonl", ".ndjson") or text.lstrip().startswith('{"'):
        return Reading(name, "json", encoding, notes=notes)
    whole = path.stat().st_size <= len(head)
    delimiter = delimiter or _find_delimiter(text, whole, suffix)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise LabelingError(f"The delimiter “{delimiter}” is not one character.", "delimiter")
    decimal = decimal or _find_decimal(sample_rows(text, delimiter, whole), delimiter)
    if decimal not in (".", ","):
        raise LabelingError(f"The decimal mark “{decimal}” is no point or comma.", "decimal")
    return Reading(name, "csv", encoding, delimiter, decimal, notes)


def sample_rows(text: str, delimiter: str, whole: bool) -> list[list[str]]:
    """The first rows (at most 501) of the text of a CSV file.

    Unless the text is ``whole``, its last row may be cut off and is left out.
    """
    csv.field_size_limit(BLOCK)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
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


def _refuse_what_is_no_text(head: bytes, suffix: str, name: str) -> None:
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise file_error(
                name, f"is {what}, not a table; save it as CSV or Parquet and try again"
            )
    if suffix in (".parquet", ".pq"):
        raise file_error(name, "is not a Parquet file; export it again, or rename it to what it is")


def _find_encoding(path: Path, head: bytes, name: str) -> str:
    """The Python name of the encoding: by its mark, by trying UTF-8 on it all, else a guess."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if head.count(0) <= 1.1 * high.count(0) and high.count(0) > 0.4 * len(high):
            return encoding
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27)))
    if head.count(0) or controls > len(head) // 100:
        raise file_error(name, "is not text; choose a CSV, TSV, Parquet or JSON lines file")
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return _guess_legacy(block[max(0, error.start - 20_000) : error.start + 20_000])
    return "utf-8"


def _guess_legacy(data: bytes) -> str:
    """A legacy encoding for bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    high = len(re.findall(rb"[\x80-\xff]", data))
    # Few accents among plain letters are western European; there statistics only mislead.
    if high > 0.7 * len(re.findall(rb"[A-Za-z]", data)):
        best = from_bytes(data, cp_isolation=LEGACY).best()
        if best and best.encoding != "cp1252":
            return best.encoding
    # Five byte values mean nothing in cp1252; latin-1 reads every file.
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"


def _decoded(head: bytes, encoding: str, name: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except (LookupError, UnicodeDecodeError) as error:
        raise encoding_error(name, encoding) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _find_delimiter(text: str, whole: bool, suffix: str) -> str:
    """The delimiter that cuts the header into several names and most rows into as many."""

    def fitness(delimiter: str) -> tuple[bool, float, bool, int]:
        rows = [row for row in sample_rows(text, delimiter, whole) if row]
        width = len(rows[0]) if rows else 1
        share = sum(len(row) == width for row in rows) / max(len(rows), 1)
        return width > 1, round(share, 2), delimiter == "\t" and suffix == ".tsv", width

    return max(DELIMITERS, key=fitness)


def _find_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    cells = [cell.strip() for row in rows[1:] for cell in row]
    commas = [cell for cell in cells if re.fullmatch(r"[-+]?\d+,\d+", cell)]
    points = sum(bool(re.fullmatch(r"[-+]?\d+\.\d+", cell)) for cell in cells)
    # Between commas as delimiters, "1,234" is a thousand rather than a fraction.
    thousands = delimiter == "," and all(re.fullmatch(r"[-+]?\d{1,3},\d{3}", c) for c in commas)
    return "," if len(commas) > points and not thousands else "."
