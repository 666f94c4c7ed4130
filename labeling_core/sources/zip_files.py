"""Tables in a zip archive: one is chosen where there are several."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from labeling_core.sources.archives import DEFAULT_LIMITS, Limits
from labeling_core.sources.folders import has_suffix
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.packed_files import require_damage, write_bounded
from labeling_core.sources.plain_files import Plain, damaged

SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq"})
_DAMAGE = (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError)


def parts(path: Path, name: str) -> tuple[str, ...]:
    """The tables in it, in the archive's order; hidden files and folders are passed over."""
    with zipfile.ZipFile(path) as archive:
        found = [each for each in archive.namelist() if _is_table(each)]
    if not found:
        known = ", ".join(sorted(SUFFIXES))
        raise file_error(name, f"is a ZIP archive without a table in it ({known}); pack one")
    return tuple(dict.fromkeys(found))


def _is_table(entry: str) -> bool:
    folders = entry.replace("\\", "/").split("/")
    hidden = any(each.startswith(".") or each == "__MACOSX" for each in folders)
    return not hidden and has_suffix(entry, SUFFIXES)


def unpack(
    path: Path, name: str, part: str, folder: Path, limits: Limits = DEFAULT_LIMITS
) -> Plain:
    """The table ``part``; LabelingError if it is damaged, encrypted or becomes too large."""
    target = folder / "unpacked"
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(part)
        if entry.flag_bits & 1:
            raise file_error(name, "has a password; pack it without one")
        try:
            with archive.open(entry) as source:
                write_bounded(source, target, name, path.stat().st_size, limits)
        except (*_DAMAGE, zipfile.LargeZipFile) as error:
            require_damage(error)
            raise damaged(name) from error
    left = len(archive.namelist()) - 1
    notes = (f"“{part}” was read of the {left + 1:,} entries in “{name}”.",) if left else ()
    return Plain(target, PurePosixPath(part).name, notes)
