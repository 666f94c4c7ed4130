"""The objects of a JSON file of labels: an array, lines, or an archive of such files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.sources import zip_directory

MOST_BYTES = 1 << 30  # of one file in memory


class Entry(NamedTuple):
    """One object of a JSON file: its line (of an array its number) and, of a file in an archive,
    the name of that file."""

    line: int
    value: dict[str, Any]
    file: str = ""


def read_entries(path: Path, name: str, unreadable: list[tuple[int, str]]) -> list[Entry]:
    """The objects of a JSON array, of JSON lines, or of such files in a zip archive; nothing if it
    is none of them."""
    if zipfile.is_zipfile(path):
        return [each for part, text in _parts(path, name)
                for each in _objects(text, name, unreadable, part)]  # fmt: skip
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LabelingError(f"{name} is larger than 1 GB: export fewer tasks at once.", "file")
        with path.open("rb") as opened:
            head = opened.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not head.startswith((b"{", b"[")):
            return []
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise LabelingError(f"{name} cannot be opened: {error.strerror}.", "file") from error
    except UnicodeDecodeError as error:
        raise LabelingError(f"{name} is not UTF-8, as JSON has to be: save it anew.") from error
    return list(_objects(text, name, unreadable))


def _parts(path: Path, name: str) -> Iterator[tuple[str, str]]:
    """The JSON files in an archive: what each is called without its suffix, and its text."""
    if zip_directory.has_more_than(path):
        raise LabelingError(f"{name} holds more than {zip_directory.MOST:,} files: export fewer.")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [each for each in archive.infolist()
                     if each.filename.lower().endswith((".json", ".jsonl"))]  # fmt: skip
            if sum(each.file_size for each in infos) > MOST_BYTES:
                raise LabelingError(f"{name} holds more than 1 GB: export fewer tasks at once.")
            for info in infos:
                yield Path(info.filename).stem, archive.read(info).decode("utf-8-sig")
    except (zipfile.BadZipFile, UnicodeDecodeError, RuntimeError, OSError) as error:
        raise LabelingError(f"{name} is damaged: export it again.", "file") from error


def _objects(
    text: str, name: str, unreadable: list[tuple[int, str]], file: str = ""
) -> Iterator[Entry]:
    try:
        whole = json.loads(text)
    except RecursionError as error:
        raise LabelingError(f"{name} is nested too deeply to be a file of labels.") from error
    except ValueError as error:
        if text.lstrip().startswith("["):
            raise LabelingError(f"{name} is no complete JSON: {error}.", "file") from error
        yield from _lines(text, unreadable, file)
        return
    listed = whole if isinstance(whole, list) else _rows_of(whole)
    for number, each in enumerate(listed, start=1):
        if isinstance(each, dict):
            yield Entry(number, each, file)
        else:
            unreadable.append((number, "This is no object, as an annotation has to be."))


def _rows_of(whole: Any) -> list[Any]:
    """One object alone; or a dict of lists alike, as ``to_dict`` writes it, as rows."""
    lists = isinstance(whole, dict) and all(isinstance(each, list) for each in whole.values())
    if lists and len({len(each) for each in whole.values()}) == 1:
        return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]
    return [whole]


def _lines(text: str, unreadable: list[tuple[int, str]], file: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            unreadable.append((number, "This line is no JSON."))
            continue
        if isinstance(value, dict):
            yield Entry(number, value, file)
        else:
            unreadable.append((number, "This is no object, as an annotation has to be."))
