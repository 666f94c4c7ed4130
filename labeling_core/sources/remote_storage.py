"""Folders on storage elsewhere, through fsspec: what lies in them, and one file of it.

All that goes wrong on the way comes back as one sentence; what the storage said is not repeated, as
it may hold names of keys and signatures. Credentials are found by the storage's own library, in the
environment of the server: none of them passes through here.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.config import REMOTE_ROOTS, is_remote_folder
from labeling_core.errors import LabelingError
from labeling_core.sources import remote_web

log = logging.getLogger(__name__)
INSTALL = "pip install s3fs"
_PIECE = 8 * 2**20  # bytes that are asked for at once
_CONNECT, _READ = 5, 20  # seconds
_TRIES = 2
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class OutOfReachError(LabelingError):
    """The storage cannot be had at the moment: says nothing of the file that was asked for."""


class NoAnswerError(OutOfReachError):
    """Nor would any other file be to be had."""


class Entry(NamedTuple):
    """What the storage says of a file: its ``size`` (bytes), when it was ``changed`` (seconds since
    the epoch), and its ``tag``, which another content does not have."""

    size: int
    changed: int
    tag: str


def is_remote(text: str) -> bool:
    """Whether a source names a folder that is not on this machine, allowed or not."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text.strip()) is not None


def allowed(text: str) -> str:
    """The folder that ``text`` names as it is called here.

    Raises LabelingError (field ``folder``) for what is none, for one with a password or a query,
    which are not repeated, and for one below no folder of LABELING_REMOTE_ROOTS.
    """
    text = text.strip().rstrip("/")
    require_no_secrets(text, r"[?#]")
    if not is_remote_folder(text):
        raise LabelingError(
            f"{text!r} is no folder that can be read: write it as s3://bucket/folder or "
            "https://host/folder, without '..', wildcards and %.",
            "folder",
        )
    roots = REMOTE_ROOTS.get()
    if not any(text == root or text.startswith(f"{root}/") for root in roots):
        known = f" ({', '.join(roots)})" if roots else ""
        raise LabelingError(
            f"The folder {text!r} lies outside of the remote folders that may be read{known}: let "
            f"the administrator name its place in {REMOTE_ROOTS.name}.",
            "folder",
        )
    return text


def require_no_secrets(text: str, query: str) -> None:
    """Raise LabelingError for an address with a password, or what looks like a ``query`` (a regular
    expression); it is not repeated."""
    if "@" in text.split("/")[2] or re.search(query, text):
        raise LabelingError(
            "An address of a folder holds neither a password nor a query: leave them out. "
            "Credentials belong into the environment of the server.",
            "folder",
        )


def listed(folder: str) -> dict[str, Entry]:
    """Every file below ``folder`` (see :func:`allowed`) by its name there, as the storage has it:
    whoever may write to the storage has chosen it. Raises OutOfReachError."""
    start = folder.partition("://")[2] + "/"
    with _told(folder, ""):
        if not _is_bucket(folder):
            web = remote_web.listed(folder, _CONNECT, _READ)
            return {name: Entry(*facts) for name, facts in web.items()}
        found = _storage().find(folder, detail=True, withdirs=False)
    return {
        name.removeprefix(start): _entry(info)
        for name, info in found.items()
        if name.startswith(start) and not name.endswith("/")  # a folder that somebody has made
    }


def fetch(folder: str, name: str, known: Entry, part: Path) -> None:
    """Write the file ``name`` to ``part``, as it was when it was ``known``.

    Raises OutOfReachError, also where it came in part only; LabelingError where it is gone or
    another by now.
    """
    with _told(folder, name):
        with _opened(folder, name, known) as (now, file):
            if now != known:
                raise LabelingError(_replaced(folder, name))
            with part.open("wb") as kept:
                while piece := file.read(_PIECE):
                    kept.write(piece)
                    if kept.tell() > known.size:
                        raise LabelingError(_replaced(folder, name))
                written = kept.tell()
        if written != known.size:
            raise OutOfReachError(f"{name} came in part only from {folder}: try again.")


def piece(folder: str, name: str, known: Entry, start: int, end: int) -> bytes | None:
    """The bytes ``start`` to ``end`` of the file ``name``, as it was when it was ``known``; None
    where the storage gives whole files only. Raises as :func:`fetch` does."""
    with _told(folder, name):
        now, found = _piece(folder, name, known, start, end)
        if found is None:
            return None
        if now != known:
            raise LabelingError(_replaced(folder, name))
    if len(found) != end - start:
        raise OutOfReachError(f"{name} came in part only from {folder}: try again.")
    return found


def _piece(
    folder: str, name: str, known: Entry, start: int, end: int
) -> tuple[Entry, bytes | None]:
    if not _is_bucket(folder):
        facts, found = remote_web.piece(folder, name, start, end, _CONNECT, _READ)
        return Entry(*facts), found
    with _storage().open(f"{folder}/{name}", "rb", cache_type="none") as file:
        now = _entry(file.details)
        if now != known:
            return now, b""
        file.seek(start)  # what is replaced from now on is refused by its tag
        return now, file.read(end - start)


@contextmanager
def _opened(folder: str, name: str, known: Entry) -> Iterator[tuple[Entry, Any]]:
    if _is_bucket(folder):
        with _storage().open(f"{folder}/{name}", "rb", block_size=_PIECE) as file:
            yield _entry(file.details), file
    else:
        with remote_web.opened(folder, name, known.size, _CONNECT, _READ) as (facts, file):
            yield Entry(*facts), file


def _is_bucket(folder: str) -> bool:
    return folder.startswith("s3://")


@lru_cache(1)
def _storage() -> Any:
    """The storage: one for all threads, and nothing that it has listed is kept."""
    import fsspec

    storage = fsspec.filesystem(
        "s3", skip_instance_cache=True, use_listings_cache=False,
        config_kwargs={
            "connect_timeout": _CONNECT, "read_timeout": _READ, "retries": {"max_attempts": 0},
        },
    )  # fmt: skip
    storage.retries = _TRIES
    return storage


def _entry(info: dict[str, Any]) -> Entry:
    return Entry(int(info["size"]), int(info["LastModified"].timestamp()), str(info["ETag"]))


@contextmanager
def _told(folder: str, name: str) -> Iterator[None]:
    """What goes wrong, in one sentence."""
    try:
        yield
    except (LabelingError, MemoryError):
        raise
    except ImportError as error:
        command = INSTALL if _is_bucket(folder) else remote_web.INSTALL
        raise OutOfReachError(
            f"{folder} needs what is not installed: run {command}, and start the app again."
        ) from error
    except FileNotFoundError as error:
        gone = f"{name} is not in {folder} any more: look for new files."
        raise LabelingError(gone if name else f"There is no folder {folder}.", "folder") from error
    except Exception as error:
        kind = type(error).__name__
        log.warning("A remote folder could not be read: %s", kind)
        if kind == "FileExpired":
            raise LabelingError(_replaced(folder, name)) from error
        raise _told_of(error, kind, folder, name) from error


def _told_of(error: Exception, kind: str, folder: str, name: str) -> OutOfReachError:
    what = f"{name} of {folder}" if name else f"The folder {folder}"
    if isinstance(error, OSError) and (error.filename or error.errno in _DISK):
        return OutOfReachError(f"{what} cannot be kept on this machine: {error.strerror}.")
    if isinstance(error, PermissionError) or getattr(error, "status", 0) in (401, 403):
        refused = f"{what} cannot be read: the storage refuses it to the server's credentials."
        return OutOfReachError(refused, "folder")
    reason = f"the storage cannot be reached ({kind}). Try again later."
    if "Credentials" in kind:
        reason = "the server has no credentials for it."
    elif isinstance(error, TimeoutError) or "Timeout" in kind:
        reason = "the storage did not answer in time. Try again later."
    return NoAnswerError(f"The folder {folder} cannot be read: {reason}", "folder")


def _replaced(folder: str, name: str) -> str:
    return f"{name} was replaced in {folder} since it was listed: look for new files."
