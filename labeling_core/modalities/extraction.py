"""Features of many files: in parallel, each kept as it is finished, resumed at will."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.learning import pieces
from labeling_core.modalities import own_features, own_vectors
from labeling_core.modalities.extraction_ledger import Entry, read_entries, recorder
from labeling_core.modalities.extraction_process import SECONDS_PER_FILE, ExtractionProcess
from labeling_core.modalities.registry import FEATURES, parts, version_of
from labeling_core.sources.folders import Stamp, resolve_file, stamp_of
from labeling_core.sources.remote_storage import OutOfReachError
from labeling_core.sources.windows import by_recording, split

Result = tuple[str, Stamp, np.ndarray | str]
_PIECE = 8  # files that a worker of a cluster is asked for at once
_PATIENCE = 2 * _PIECE * SECONDS_PER_FILE  # seconds until a piece must have come in
_idle: dict[str, list[ExtractionProcess]] = {}  # module → processes that nobody asks just now


class Progress(NamedTuple):
    """Files ``done`` of ``total``, files a second in this run, seconds left (None: unknown)."""

    done: int
    total: int
    rate: float
    seconds_left: float | None


class Extraction(NamedTuple):
    """How far it came: ``broken`` maps the files that were set aside to their reasons."""

    done: int
    total: int
    broken: dict[str, str]


def ledger_folder(folder: Path, features: str) -> Path:
    """Where below ``folder`` the results of one kind of ``features`` lie; another version of them
    starts anew."""
    return folder / f"{features}-{version_of(features)}"


def extract(
    files: Sequence[str],
    root: Path,
    folder: Path,
    features: str,
    progress: Callable[[Progress], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    processes: int | None = None,
    reading: int = 0,
) -> Extraction:
    """Compute ``features`` (see registry.features_of: of several, one after the other) of ``files``
    (relative to ``root``), or of windows of files, into ``folder``.

    Runs in ``processes`` child processes (None: one a core), or on a cluster (see pieces.done) that
    has ``root`` under the same path. Files whose path, size and time of change are known from an
    earlier run are not read again, unless an earlier ``reading`` (by its number) refused them: what
    it lacked, say a decoder, may be there now. ``progress`` is called after each file; once
    ``stop`` says True, the files in work are finished and the rest is left for later.
    """
    keys, broken = parts(features), dict[str, str]()
    total = len(files) * len(keys)
    for number, key in enumerate(keys):
        before = number * len(files)
        left = [path for path in files if path not in broken]

        def tell(now: Progress, done: int = before + len(broken)) -> None:
            progress(now._replace(done=done + now.done, total=total))

        found = _extract(left, root, folder, key, tell, stop, processes, reading)
        before += len(broken) + found.done
        broken |= found.broken
        if found.done < found.total:
            return Extraction(before, total, broken)
    return Extraction(total, total, broken)


def _extract(
    files: Sequence[str], root: Path, folder: Path, features: str,
    progress: Callable[[Progress], None], stop: Callable[[], bool], processes: int | None,
    reading: int,
) -> Extraction:  # fmt: skip
    """As :func:`extract`, of one kind of features."""
    ledger = ledger_folder(folder, features)
    known = known_entries(files, root, ledger, reading)
    waiting = by_recording([path for path in files if path not in known])
    begun, before = time.monotonic(), len(known)
    progress(Progress(before, len(files), 0.0, None if waiting else 0.0))
    with recorder(ledger, reading) as record:
        count = min(processes or os.cpu_count() or 1, len(waiting))
        for done, result in enumerate(_computed(waiting, root, features, count, stop), 1):
            known[result[0]] = record(*result)
            rate = done / max(time.monotonic() - begun, 1e-9)
            left = (len(waiting) - done) / rate
            progress(Progress(before + done, len(files), rate, left))
    broken = {path: entry.reason for path, entry in known.items() if entry.reason is not None}
    return Extraction(len(known), len(files), broken)


def known_entries(
    files: Sequence[str], root: Path, ledger: Path, reading: int = 0
) -> dict[str, Entry]:
    """The entries of those ``files`` that have not changed since they were extracted; without what
    was refused before this ``reading``."""
    entries = read_entries(ledger)
    return {
        path: entries[path]
        for path in files
        if path in entries
        and (entries[path].reason is None or entries[path].reading >= reading)
        and entries[path].stamp == stamp_of(os.path.join(root, split(path).path))
    }


def _computed(
    files: Sequence[str], root: Path, features: str, processes: int, stop: Callable[[], bool]
) -> Iterator[Result]:
    """The results as they come in, here or on a cluster."""
    if features.startswith(own_features.VECTORS):
        for name, numbers in own_vectors.of_files(own_features.file(features), files):
            yield name, stamp_of(root / split(name).path), numbers
        return
    size = _PIECE if pieces.elsewhere() else 1
    cut = (list(files[at : at + size]) for at in range(0, len(files), size))
    waiting = takewhile(lambda _: not stop(), cut)
    module = FEATURES.get(features) or f"{own_features.__name__}:{features}"
    asked = ((module, root, some) for some in waiting)
    try:
        for results in pieces.done(read, asked, max(processes, 1), _PATIENCE):
            for path, stamp, result in results:
                if stamp.size < 0 and stamp_of(root / split(path).path).size >= 0:
                    raise LabelingError(
                        f"A worker of the cluster does not find “{path}” in {root}: let all of "
                        "them have that folder, under the same path."
                    )
                yield path, stamp, result
    finally:
        for child in _idle.pop(module, []):
            child.close()


def read(module: str, root: Path, files: Sequence[str]) -> list[Result]:
    """The features of some ``files`` by ``module``, wherever this runs, in a child process that is
    kept for the next of them."""
    idle = _idle.setdefault(module, [])
    try:
        child = idle.pop()
    except IndexError:
        child = ExtractionProcess(module)
    try:
        return [_one(child, root, path) for path in files]
    finally:
        idle.append(child)


def _one(child: ExtractionProcess, root: Path, path: str) -> Result:
    name, span = split(path)
    stamp = stamp_of(root / name)
    try:
        return path, stamp, child.features(resolve_file(root, name), span)
    except OutOfReachError:  # says nothing of the file: what was read is kept, the rest waits
        raise
    except LabelingError as error:
        return path, stamp, str(error)
