"""The sentences that tell why an uploaded file cannot be read as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from labeling_core.errors import LabelingError


def file_error(name: str, problem: str, field: str = "source") -> LabelingError:
    """The error that the file called ``name`` has ``problem`` (verb, what is wrong, what to do).

    ``field`` is the choice that could mend it; "source" for another file.
    """
    return LabelingError(f"“{name}” {problem}.", field)


def encoding_error(name: str, encoding: str) -> LabelingError:
    """The error that the file called ``name`` is not text in this encoding."""
    return LabelingError(
        f"“{name}” cannot be read as {encoding}; choose another encoding.", field="encoding"
    )


def csv_error(
    name: str, message: str, mark: str, original: Callable[[int], int] = int
) -> LabelingError:
    """What DuckDB's ``message`` about a CSV file means; ``mark`` is its delimiter in words.

    ``original`` gives the line of the file for the line that DuckDB has read.
    """
    line = re.search(r"Error on Line: (\d+)", message)
    where = f" in line {original(int(line[1]))}" if line else ""
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if width:
        return file_error(
            name,
            f"has a row with {width[2]} instead of {width[1]} values{where}; correct that line, or "
            f"choose another delimiter than {mark}",
            "delimiter",
        )
    if "Maximum line size" in message:
        return file_error(name, f"has a row of more than 2 MB{where}; upload the table as Parquet")
    if "unterminated quote" in message:
        return file_error(
            name, f"has a quotation mark that is not closed{where}; correct that line", "quote"
        )
    return file_error(name, f"is no CSV file with {mark} as delimiter{where}; export it again")


def broken_error(name: str, lines: Sequence[int], first: int) -> LabelingError:
    """The error that these lines (one entry a byte) hold bytes that are no UTF-8."""
    what = "a byte" if len(lines) == 1 else f"{len(lines):,} bytes"
    where = f"line {lines[0]}" if len(set(lines)) == 1 else f"line {lines[0]} and others"
    return LabelingError(
        f"“{name}” has {what} in {where} that cannot be read as UTF-8 (0x{first:02x}): correct "
        "the file, choose another encoding, or have broken bytes read as �.",
        field="errors",
    )
