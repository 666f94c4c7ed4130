"""Folders elsewhere as folders here: of each file a note that it is there, its content when asked.

Beside the database lies ``remote/<digest>/`` for each of them: ``listed`` with a note for every
file (a few bytes that no reader takes for media), which has that file's name and time of change,
and ``fetched`` with the contents that are kept. So whatever lists, compares and names files works
on ``listed`` as on any folder, and ``folders.resolve_file`` gives the content; of tables only the
pieces come that are read (see remote_pieces). What was not asked for longest goes when the contents
take too much room; it is fetched again.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.sources import remote_storage
from labeling_core.sources.remote_storage import Entry, NoAnswerError
from labeling_core.store import file_names
from labeling_core.store.removal import remove, replace

REMOTE = "remote"  # beside the database file
LISTED, FETCHED = "listed", "fetched"
PIECES = ".pieces"  # in ``fetched``; no file there is called so: hidden ones are refused
_ADDRESS, _REFUSED, _PARTS = "remote.json", "refused.json", "parts"
_FRESH = 60.0  # seconds for which a form need not list a folder again
_YOUNG = 60.0  # seconds for which a content stays that was asked for
_PAUSE = 10.0  # seconds for which a storage that is out of reach is not asked again
_listing, _counting = threading.Lock(), threading.Lock()
_out: dict[str, tuple[float, str]] = {}  # folder → until when, and why it is not asked
_fetched_bytes = {"since": float("inf")}  # since the contents were last trimmed


def place(source: str, home: Path) -> Path:
    """The folder here of the remote folder ``source``, ``home`` being that of the database.

    Raises LabelingError (field ``folder``) for one that may not be read (see remote_storage), and
    for one that nobody has listed here yet.
    """
    folder = _place(remote_storage.allowed(source), home)
    if not (folder.parent / _ADDRESS).is_file():
        raise LabelingError(
            f"The folder {source!r} has not been listed on this server yet: look for new files.",
            "folder",
        )
    return folder


def _place(address: str, home: Path) -> Path:
    digest = blake2b(address.encode(), digest_size=10).hexdigest()
    return home.resolve() / REMOTE / digest / LISTED


def look(source: str, home: Path, age: float = _FRESH) -> Path:
    """:func:`place`, after the storage was asked what lies there, unless that was done within
    ``age`` seconds. Raises OutOfReachError, and LabelingError where there are no files; what was
    known stays then."""
    address = remote_storage.allowed(source)
    folder = _place(address, home)
    with _listing:
        if _age(folder.parent / _ADDRESS) >= age:
            found = remote_storage.listed(address)
            if not found:
                raise LabelingError(f"There are no files below {address}.", "folder")
            _take(folder, address, found)
            _out.pop(address, None)
    return folder


def look_again(source: str, home: Path) -> None:
    """Ask anew what lies in ``source``, if it is a remote folder. Raises as :func:`look` does."""
    if remote_storage.is_remote(source):
        look(source, home, age=0.0)


@contextmanager
def visited(text: str) -> Iterator[Path]:
    """The folder ``text``, for a command; a remote one gets a place here that goes with all that
    was fetched. Raises as :func:`look` does."""
    with tempfile.TemporaryDirectory(prefix="remote-") as home:
        yield look(text, Path(home)) if remote_storage.is_remote(text) else Path(text)


def _age(file: Path) -> float:
    try:
        return abs(time.time() - file.stat().st_mtime)
    except OSError:
        return float("inf")


def _take(folder: Path, address: str, found: Mapping[str, Entry]) -> None:
    """Have ``listed`` say what was found."""
    refused = dict(_refused(folder, found))
    for each in (folder, folder.parent / _PARTS):
        each.mkdir(parents=True, exist_ok=True)
    known = [each for each in folder.rglob("*") if not each.is_dir()]
    for each in known:
        name = each.relative_to(folder).as_posix()
        if name not in found or name in refused:
            remove(each)
            remove(folder.parent / FETCHED / name)
            remove(pieces(folder, name))
    for name, entry in found.items():
        if name not in refused:
            _note(folder, name, entry)
    told = sorted((file_names.shown(name), reason) for name, reason in refused.items())
    write(folder.parent, folder.parent / _REFUSED, json.dumps(told).encode())
    write(folder.parent, folder.parent / _ADDRESS, json.dumps(address).encode())


def _note(folder: Path, name: str, entry: Entry) -> None:
    path, changed = folder / name, _changed(entry)
    with suppress(OSError):
        if path.stat().st_mtime_ns == changed:
            return
    remove(pieces(folder, name))
    write(folder.parent, path, json.dumps({"remote": entry}).encode(), changed)


def pieces(folder: Path, name: str) -> Path:
    """The folder here of the pieces of the file ``name`` of the ``listed`` ``folder``."""
    digest = blake2b(name.encode(), digest_size=10).hexdigest()
    return folder.parent / FETCHED / PIECES / digest


def _changed(entry: Entry) -> int:
    """The time of change (ns) of a file here: another one for another size or tag, too, within
    the second in which it was changed there."""
    digest = blake2b(repr(entry).encode(), digest_size=8).digest()
    # In steps of 100 ns, as file systems of Windows have them.
    return entry.changed * 10**9 + int.from_bytes(digest) % 10**7 * 100


def write(home: Path, path: Path, content: bytes, changed: int | None = None) -> None:
    """Write a file of the remote folder that is kept in ``home`` in one step, with the time of
    change ``changed`` (ns) if one is given."""
    part = home / _PARTS / uuid4().hex
    part.write_bytes(content)
    if changed is not None:
        os.utime(part, ns=(changed, changed))
    _put(part, path)


def _put(part: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():  # left by files that are gone
        remove(path)
    replace(part, path)


def _refused(folder: Path, found: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """The names that no file here can have, with the reason."""
    names = file_names.Names(())
    folders = {name[:at] for name in found for at, each in enumerate(name) if each == "/"}
    for name in sorted(found):
        try:
            if any(part.startswith(".") for part in name.split("/")):
                raise LabelingError("Hidden file: its name or a folder's begins with a dot.")
            if found[name].size < 0:
                raise LabelingError("The server does not tell its size, and its date or ETag.")
            if file_names.sanitised(name) != name:
                raise LabelingError("Not every system can keep a file of this name: rename it.")
            if name in folders:
                raise LabelingError("It has the name of a folder: rename it.")
            file_names.require_short(folder, name)
            if names.free(name) != name:
                raise LabelingError("Its name differs from another in case only: rename it.")
            names.keep(name)
        except LabelingError as error:
            yield name, str(error)


def is_here(folder: Path) -> bool:
    """Whether a folder is the ``listed`` one of a remote folder."""
    return folder.name == LISTED and (folder.parent / _ADDRESS).is_file()


def refused(folder: Path) -> list[tuple[str, str]]:
    """The files of a remote folder that have no note in its ``listed``, and why."""
    with suppress(OSError, ValueError):
        told = json.loads((folder.parent / _REFUSED).read_text(encoding="utf-8"))
        return [(str(name), str(reason)) for name, reason in told]
    return []


def content(folder: Path, note: Path) -> Path:
    """The file here with the content of that whose ``note`` lies in the ``listed`` ``folder``; it
    has the note's time of change.

    Raises OutOfReachError when the storage cannot be had at the moment, and for some seconds after
    that without asking it; LabelingError when the file is gone there, is another one by now, or
    does not fit.
    """
    name = note.relative_to(folder).as_posix()
    entry, changed = read_note(note), note.stat().st_mtime_ns
    path = folder.parent / FETCHED / name
    if not is_kept(path, entry.size, changed):
        _fetch(folder, name, entry, path, changed)
    return path


def is_kept(path: Path, size: int, changed: int) -> bool:
    """Whether ``path`` has so many bytes of a file as it was ``changed`` last; it was asked for
    now, then."""
    with suppress(OSError):
        there = path.stat()
        if (there.st_mtime_ns, there.st_size) == (changed, size):
            if abs(time.time() - there.st_atime) > _YOUNG / 2:
                os.utime(path, ns=(time.time_ns(), changed))
            return True
    return False


def read_note(note: Path) -> Entry:
    """What a note says. Raises LabelingError for a file that is none."""
    try:
        return Entry(*json.loads(note.read_text(encoding="utf-8"))["remote"])
    except (ValueError, TypeError, KeyError) as error:
        raise LabelingError(f"{note.name} is no file of a remote folder.") from error


@contextmanager
def asked(folder: Path) -> Iterator[str]:
    """The address of a ``listed`` folder, for asking its storage, which is left alone for some
    seconds after it has not answered: NoAnswerError then."""
    # What stands there may be somebody else's: only what the administrator named is asked.
    address = remote_storage.allowed(
        str(json.loads((folder.parent / _ADDRESS).read_text(encoding="utf-8")))
    )
    until, reason = _out.get(address, (0.0, ""))
    if time.monotonic() < until:
        raise NoAnswerError(reason)
    try:
        yield address
    except NoAnswerError as error:
        _out[address] = (time.monotonic() + _PAUSE, str(error))
        raise


def _fetch(folder: Path, name: str, entry: Entry, path: Path, changed: int) -> None:
    most = config.REMOTE_CACHE.get() * 1e6
    if entry.size > most:
        raise LabelingError(
            f"{name} has {entry.size / 1e6:,.0f} MB, and {config.REMOTE_CACHE.name} lets remote "
            f"files take {most / 1e6:,.0f} MB here."
        )
    part = folder.parent / _PARTS / uuid4().hex
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with asked(folder) as address:
            remote_storage.fetch(address, name, entry, part)
        os.utime(part, ns=(time.time_ns(), changed))
        _put(part, path)
    finally:
        remove(part)
    make_room(folder.parent.parent, entry.size)


def make_room(remote: Path, more: int) -> None:
    """Trim the contents when a twentieth of what they may take has come in since that was done,
    with the ``more`` bytes of now."""
    most = config.REMOTE_CACHE.get() * 1e6
    with _counting:
        _fetched_bytes["since"] += more
        if _fetched_bytes["since"] < most / 20:
            return
        _fetched_bytes["since"] = 0.0
    trim(remote, most)


def trim(remote: Path, most: float, young: float = _YOUNG) -> int:
    """Remove contents of all folders in ``remote`` until they take at most nine tenths of ``most``
    bytes, those first that were not asked for longest; how many went. What was asked for within
    ``young`` seconds stays, as somebody may be about to read it."""
    found, total, now, went = [], 0, time.time(), 0
    for path in remote.glob(f"*/{FETCHED}/**/*"):
        with suppress(OSError):  # another has removed it meanwhile
            status = path.stat()
            if not path.is_dir():
                found.append((min(status.st_atime, now), status.st_size, path))
                total += status.st_size
    if total <= most * 0.9:
        return 0
    for used, size, path in sorted(found):
        if total <= most * 0.9 or used > now - young:
            break
        remove(path)
        total, went = total - size, went + 1
    return went
