"""The sentences that tell why an uploaded file cannot be read as a table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from labeling_core.errors import LabelingError


def file_error(name: str, problem: str) -> LabelingError:
    """The error that the file called ``name`` has ``problem`` (verb, what is wrong, what to do)."""
    return LabelingError(f"“{name}” {problem}.", field="source")


def encoding_error(name: str, encoding: str) -> LabelingError:
    """The error that the file called ``name`` is not text in this encoding."""
    return LabelingError(
        f"“{name}” cannot be read as {encoding}; choose another encoding.", field="encoding"
    )


def csv_error(name: str, message: str, mark: str) -> LabelingError:
    """What DuckDB's ``message`` about a CSV file means; ``mark`` is its delimiter in words."""
    line = re.search(r"Error on Line: (\d+)", message)
    where = f" in line {line[1]}" if line else ""
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if width:
        return file_error(
            name,
            f"has a row with {width[2]} instead of {width[1]} values{where}; correct that line, or "
            f"choose another delimiter than {mark}",
        )
    if "Maximum line size" in message:
        return file_error(name, f"has a row of more than 2 MB{where}; upload the table as Parquet")
    if "unterminated quote" in message:
        return file_error(
            name, f"has a quotation mark that is not closed{where}; correct that line"
        )
    return file_error(name, f"is no CSV file with {mark} as delimiter{where}; export it again")


def json_error(file: Path, name: str, array: bool) -> LabelingError:
    """Why DuckDB refused the JSON (UTF-8) in ``file``; the line is found by reading it again."""
    if array:
        return file_error(name, "is no list of JSON objects; save one JSON object per line")
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            problem = _line_problem(line) if line.strip() else None
            if problem:
                return file_error(
                    name, f"has {problem} in line {number}; correct or remove that line"
                )
    return file_error(name, "holds no JSON objects with keys; save one JSON object per line")


def _line_problem(line: str) -> str | None:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise KeyError
        return found

    try:
        value = json.loads(line, object_pairs_hook=distinct)
    except KeyError:
        return "a key twice in one object"
    except ValueError:
        return "something that is no JSON"
    return None if isinstance(value, dict) else "a JSON value that is no object"
