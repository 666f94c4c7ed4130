"""Which names a file may have so that every system takes it, and keeps it apart from others.

What is stored on one system is moved to another, in a backup or on a stick: what Windows or macOS
would refuse, or take for another file, is decided here for all of them.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from labeling_core.errors import LabelingError

# Of the path of a file, in characters: what Windows opens unless somebody has changed its registry.
LONGEST_PATH = 259 if sys.platform == "win32" else 4_000
# Devices on Windows, whatever suffix follows and however they are spelled.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"}
)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


def is_device(name: str) -> bool:
    """Whether Windows takes ``name``, one part of a path, for a device: CON, nul.txt, Com1 …"""
    return name.partition(".")[0].rstrip(" ").lower() in _DEVICES


def files_of(database: Path) -> Path:
    """The folder beside a database file with all that the program keeps for it."""
    return database.with_name(f"{database.name}.files")


def folder_name(name: str) -> str:
    """``name`` (an id: lower case, digits, ``_``) as the name of a folder on every system."""
    return f"{name}_" if is_device(name) else name


def shown(name: str) -> str:
    """``name`` as it may be shown: what cannot be seen, or turns the text round, is ``_``."""
    return _FORBIDDEN.sub("_", name)[:200]


def plain(name: str) -> str:
    """``name`` as a path is written here: ``/`` between its parts, none of them empty or ``.``, and
    letters with accents in one piece."""
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def sanitised(name: str) -> str:
    """``name`` as a relative POSIX path that is safe on every file system.

    Raises LabelingError for absolute paths, drive letters, ``..`` and names without a letter
    left. Control, direction and reserved characters become ``_``, devices of Windows get one in
    front, dots and blanks at the ends go; parts keep 200 bytes.
    """
    if re.match(r"([A-Za-z]:)?[/\\]", name):
        raise LabelingError("The name is an absolute path.")
    if re.match(r"[A-Za-z]:", name):
        raise LabelingError(
            f"“{name[:2]}” at its beginning names a drive on Windows: rename the file."
        )
    parts = plain(name).split("/")
    if ".." in parts:
        raise LabelingError("The name contains '..' and would lead out of the folder.")
    cleaned = [_part(part) for part in parts]
    if not cleaned or not all(cleaned) or len("/".join(cleaned)) > 1000:
        raise LabelingError("The name is empty or too long.")
    return "/".join(cleaned)


def _part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part).strip(". ")
    if len(part.encode()) > 200:
        stem, suffix = PurePosixPath(part).stem, PurePosixPath(part).suffix[:16]
        part = stem.encode()[:150].decode(errors="ignore").rstrip(". ") + suffix
    return f"_{part}" if is_device(part) else part


class Names:
    """The names below one folder, of which no two differ in case only."""

    def __init__(self, taken: Iterable[str]) -> None:
        """``taken`` are the relative POSIX paths that there are."""
        self._spelled: dict[str, str] = {}  # folded path → how it is spelled
        for name in taken:
            self.keep(self._below(name))

    def free(self, name: str) -> str:
        """``name`` as it is, or in the spelling and with the number that keep it apart.

        Raises LabelingError where a file of this very name is there.
        """
        wanted = self._below(name)
        if self._spelled.get(wanted.casefold()) == wanted:
            raise LabelingError("A file of this name is there already: rename it.")
        path, number, free = PurePosixPath(wanted), 2, wanted
        while free.casefold() in self._spelled:
            free, number = str(path.with_stem(f"{path.stem}_{number}")), number + 1
        return free

    def keep(self, name: str) -> None:
        """Take note of a name that :meth:`free` gave."""
        self._spelled[name.casefold()] = name

    def _below(self, name: str) -> str:
        """``name`` in those of its folders that there are already under another spelling."""
        folder = ""
        *folders, last = name.split("/")
        for each in folders:
            path = f"{folder}{each}"
            folder = self._spelled.setdefault(path.casefold(), path) + "/"
        return folder + last


def require_short(folder: Path, name: str) -> None:
    """Raise LabelingError where ``name`` below ``folder`` would be a path that no program opens."""
    room = LONGEST_PATH - len(str(folder)) - 40  # what is added while a file is written or moved
    if len(name) > room:
        raise LabelingError(
            f"Its path would be longer than the {LONGEST_PATH + 1} characters that this system "
            "opens: shorten the name, or keep the database in a folder with a shorter path."
        )
