"""Files as DuckDB reads them: UTF-8, one kind of line end, nothing above or between the rows."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from labeling_core.sources.dialects import Reading
from labeling_core.sources.encodings import BLOCK
from labeling_core.sources.import_errors import encoding_error


@dataclass(frozen=True)
class Plain:
    """A file that DuckDB can read, and which lines of the original are not in it (from 1)."""

    path: Path
    dropped: tuple[int, ...] = ()
    comments: int = 0

    def original(self, line: int) -> int:
        """The line of the original that is this line here."""
        for each in self.dropped:
            line += each <= line
        return line


@contextmanager
def readable(path: Path, reading: Reading) -> Iterator[Plain]:
    """The file itself, or a temporary copy where DuckDB would not read it as it should."""
    plain = not re.search(r"[*?\[\]{}]", str(path))  # DuckDB would read these as patterns
    text = reading.format == "csv"
    if plain and (not text or not _to_be_written_anew(path, reading)):
        yield Plain(path)
        return
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        copy = Path(folder) / "table"
        if text:
            yield _rewritten(path, copy, reading)
        else:
            shutil.copyfile(path, copy)
            yield Plain(copy)


def _to_be_written_anew(path: Path, reading: Reading) -> bool:
    return bool(
        reading.encoding != "utf-8"
        or reading.errors == "replace"
        or reading.skip
        or reading.comment
        or reading.escape != reading.quote
        or _mixed_line_ends(path)
    )


def _mixed_line_ends(path: Path) -> bool:
    """Whether the file has line ends of more than one kind, which DuckDB refuses."""
    feeds = returns = both = 0
    last = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            both += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            last = block[-1:]
    return (feeds > both) + (returns > both) + (both > 0) > 1


def _rewritten(path: Path, copy: Path, reading: Reading) -> Plain:
    encoding, errors = reading.encoding or "utf-8", reading.errors or "strict"
    try:
        with (
            path.open(encoding=encoding, errors=errors, newline="") as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            return _write_plainly(source, target, copy, reading)
    except (LookupError, UnicodeError) as error:
        raise encoding_error(reading.name, encoding) from error


def _write_plainly(source: TextIO, target: TextIO, copy: Path, reading: Reading) -> Plain:
    mark, comment, skip = reading.quote or "", reading.comment, reading.skip or 0
    escaped = re.compile(rf"\\([{re.escape(mark)}\\])") if mark else None
    dropped: list[int] = []
    inside = False  # a quoted cell
    for number, line in enumerate(source, start=1):
        if number <= skip or (comment and not inside and line.startswith(comment)):
            dropped.append(number)
            continue
        if reading.escape == "\\" and escaped:
            line = escaped.sub(lambda found: mark * 2 if found[1] == mark else "\\", line)
        inside = _ends_inside(line, inside, reading.delimiter or "", mark)
        target.write(line if inside else line.rstrip("\r\n") + "\n")
    return Plain(copy, tuple(dropped), sum(line > skip for line in dropped))


def _ends_inside(line: str, inside: bool, delimiter: str, mark: str) -> bool:
    """Whether a line that begins ``inside`` a quoted cell or not ends in one."""
    if not mark or mark not in line:
        return inside
    for before in line.split(mark)[:-1]:
        if inside:
            inside = False
        elif not before or before.endswith(delimiter):
            inside = True  # a doubled mark closes the cell and opens it again
    return inside
