"""Where media files may come from: folders below the allowed roots, and what lies in them.

Every path that a person typed or a browser sent passes through here. Links are resolved
before anything is compared, so that what counts is where a path ends, not how it is spelled.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from labeling_core.config import DATA, DATA_ROOTS, HOME, REMOTE_ROOTS
from labeling_core.errors import LabelingError
from labeling_core.sources import remote_folders
from labeling_core.sources.remote_storage import is_remote

UPLOADS = "uploads"  # the folder beside the database file that uploads are unpacked to


class OutsideError(LabelingError):
    """The folder ``text`` lies outside of all roots; whether it exists is not told."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"The folder {text!r} lies outside of the folders that may be read: let the "
            f"administrator name its place in {DATA_ROOTS.name}.",
            "folder",
        )
        self.text = text


class Refusal(NamedTuple):
    """A file that was not taken, and the sentence that says why."""

    name: str
    reason: str


class Listing(NamedTuple):
    """``files`` of a folder (relative, POSIX, sorted) and what was passed over."""

    files: list[str]
    refusals: list[Refusal]


def allowed_roots() -> list[Path]:
    """The folders below which sources may lie: the project's own ``data``, that of the
    folder where an installed program was started, and those named in LABELING_DATA_ROOTS, links
    resolved, each once."""
    return list(dict.fromkeys([DATA, HOME, *DATA_ROOTS.get()]))


def allowed_places() -> list[str]:
    """The same in words, and the remote ones."""
    return [*map(str, allowed_roots()), *REMOTE_ROOTS.get()]


def source_folder(source: str, home: Path) -> Path:
    """The folder that a project's ``source`` names: ``uploads/…`` lies in ``home``, the folder of
    the database file; ``s3://…`` has one there (see remote_folders.place); everything else lies
    below the allowed roots. Raises as resolve_folder does."""
    if is_remote(source):
        return remote_folders.place(source, home)
    if source.startswith(f"{UPLOADS}/"):
        return resolve_folder(source.removeprefix(f"{UPLOADS}/"), [home / UPLOADS])
    return resolve_folder(source, allowed_roots())


def chosen_folder(text: str, home: Path) -> Path:
    """:func:`source_folder` for somebody who may choose one (the right ``manage``): the sentence
    of its LabelingError names the allowed roots, and how to start the app with one more. One on
    S3 is listed, unless that was done a moment ago."""
    if is_remote(text):
        return remote_folders.look(text, home)
    try:
        return source_folder(text, home)
    except OutsideError as error:
        roots = allowed_roots()
        more = os.pathsep.join(map(str, [*roots[1:], _root_for(error.text)]))
        raise LabelingError(
            f"The folder {error.text!r} lies outside of the folders that may be read "
            f"({', '.join(map(str, roots))}): move it below one of them, or start the app with "
            f"{DATA_ROOTS.name}={shlex.quote(more)}",
            "folder",
        ) from error


def _root_for(text: str) -> Path:
    """The root that would allow the folder: the one above it, but never a whole disk."""
    path = next(_candidates(text, [DATA]), Path(text))
    return path if path.parent == Path(path.anchor) else path.parent


def resolve_folder(text: str, roots: Sequence[Path]) -> Path:
    """The existing folder that ``text`` names, absolute or relative to one of ``roots``.

    Raises LabelingError (field ``folder``) for an empty text, ``..``, and for what is no folder;
    OutsideError for a path that ends outside of all roots (by links, too).
    """
    text = text.strip()
    if not text or "\0" in text:
        raise LabelingError("The folder is empty: name the one that holds the files.", "folder")
    if ".." in PurePosixPath(text.replace("\\", "/")).parts:
        raise LabelingError(f"The folder {text!r} contains '..': write the path out.", "folder")
    inside = [path for path in _candidates(text, roots) if is_inside(path, roots)]
    for path in inside:
        if os.path.isdir(path):  # Path.is_dir raises for a name that is too long
            return path
    if inside:
        raise LabelingError(f"There is no folder {text!r}: check how it is spelled.", "folder")
    raise OutsideError(text)


def _candidates(text: str, roots: Sequence[Path]) -> Iterator[Path]:
    # An absolute text replaces the root in root / text.
    for root in roots:
        try:
            yield (root / text).resolve()
        except (OSError, RuntimeError):  # a loop of links, a name too long
            continue


def is_inside(path: Path, roots: Sequence[Path]) -> bool:
    """Whether the resolved ``path`` is one of the ``roots`` or lies below one."""
    return any(path.is_relative_to(root.resolve()) for root in roots)


def resolve_file(folder: Path, relative: str) -> Path:
    """The regular file ``relative`` (a sample_id) below ``folder``; of a remote folder, its content
    here, which is fetched where it is not (see remote_folders.content).

    Raises LabelingError for an absolute path, ``..``, links that lead out of ``folder`` and
    for what is no file. It costs a few system calls, whatever the size of the folder.
    """
    parts = PurePosixPath(relative.replace("\\", "/"))
    if "\0" in relative or parts.is_absolute() or ".." in parts.parts:
        raise LabelingError(f"The path {relative!r} does not name a file of this project.")
    path = next(_candidates(relative, [folder]), None)
    if path is None or not is_inside(path, [folder]):
        raise LabelingError(f"The path {relative!r} leads out of the folder of this project.")
    if not os.path.isfile(path):
        raise LabelingError(f"The file {relative!r} is no longer in the folder of this project.")
    return remote_folders.content(folder, path) if remote_folders.is_here(folder) else path


def list_files(folder: Path, suffixes: Collection[str]) -> Listing:
    """All files below ``folder`` whose suffix (any case, with its dot) is in ``suffixes``.

    Hidden files and folders are skipped in silence. Links to files are taken when they stay
    below ``folder``; all other links, and names that are not UTF-8, are among the refusals.
    """
    listing = Listing([], [])
    root = folder.resolve()
    start = len(os.path.join(root, ""))
    for entry in _entries(root):
        relative = entry.path[start:].replace(os.sep, "/")
        reason = _refused(entry, root)
        # The file system hands over bytes that are not UTF-8 as lone surrogates.
        name = relative.encode("utf-8", "replace").decode("utf-8")
        if reason is None and name != relative:
            reason = "The name is not UTF-8: rename the file."
        if reason is not None:
            if entry.is_symlink() or has_suffix(name, suffixes):
                listing.refusals.append(Refusal(name, reason))
        elif entry.is_file() and has_suffix(relative, suffixes):
            listing.files.append(relative)
    if remote_folders.is_here(root):
        listing.refusals.extend(Refusal(*each) for each in remote_folders.refused(root))
    return Listing(sorted(listing.files), sorted(listing.refusals))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below ``folder`` that is neither hidden nor itself a real folder."""
    waiting: list[str | Path] = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def _refused(entry: os.DirEntry[str], root: Path) -> str | None:
    if not entry.is_symlink():
        return None
    try:
        inside = Path(entry.path).resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return "The link leads nowhere."
    if not inside:
        return "The link leads out of the folder."
    return "Links to folders are not followed." if entry.is_dir() else None


def has_suffix(name: str, suffixes: Collection[str]) -> bool:
    """Whether ``name`` ends in one of ``suffixes`` (lower case, with the dot)."""
    return PurePosixPath(name).suffix.lower() in suffixes


def file_facts(path: Path) -> dict[str, str | int]:
    """What any file can tell: name, size in bytes, date of its last change (ISO 8601, UTC)."""
    status = path.stat()
    changed = datetime.fromtimestamp(status.st_mtime, UTC)
    return {
        "name": path.name,
        "size": status.st_size,
        "date": changed.isoformat(timespec="seconds"),
    }


def require_media(path: Path, kind: str) -> None:
    """Raise LabelingError unless ``path`` is a file that could be media at all: there, not
    empty, and no markup (SVG, HTML) under a media file's name. ``kind`` words the sentence."""
    try:
        with path.open("rb") as file:
            head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    except OSError as error:
        raise LabelingError(f"{path.name} cannot be opened: {error.strerror}.") from error
    if not head and path.stat().st_size == 0:
        raise LabelingError(f"{path.name} is empty.")
    if b"<svg" in head and head.startswith(b"<"):
        raise LabelingError(f"{path.name} is an SVG drawing, not {kind}: convert it first.")
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<!--", b"<head", b"<script")):
        raise LabelingError(f"{path.name} is a web page, not {kind}.")


class Stamp(NamedTuple):
    """Size (bytes) and time of change (ns) of a file: another stamp means another content."""

    size: int
    changed: int


def stamp_of(path: str | Path) -> Stamp:
    """The stamp of a file; one that is gone has the size -1."""
    try:
        status = os.stat(path)
    except OSError:
        return Stamp(-1, 0)
    return Stamp(status.st_size, status.st_mtime_ns)
