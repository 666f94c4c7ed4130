"""Whether DuckDB's log ends with a whole transaction: asked before the database is opened.

DuckDB passes over the rest of a log from the first place that is not whole, without a word.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from labeling_core.store.file_state import log_of

_LONGEST_HEADER = 80
_END = b"\xff\xff"  # of every record, the header of the log among them
_SIZES = 16  # bytes before each entry: its length and its checksum
_LAST = (99, 100)  # kinds of entries that a log may end with: a checkpoint, a commit


def bytes_cut(database: Path) -> int:
    """Bytes at the end of the log from the first place that is not whole; 0 if it is whole.

    A log that was cut between two transactions looks whole.
    """
    log = log_of(database)
    if not log.exists():
        return 0
    content = log.read_bytes()
    # The header has no length in front; it ends with the first of these after which a chain begins.
    ends = [
        at + 2 for at in range(min(len(content), _LONGEST_HEADER)) if content[at : at + 2] == _END
    ]
    return len(content) - max((_whole(content, at) for at in ends), default=0)


def _whole(content: bytes, at: int) -> int:
    """Where the last whole transaction ends, of entries that begin ``at``."""
    committed = at
    while at + _SIZES <= len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        at += _SIZES + size
        if not size or at > len(content):
            break
        kind = content[at - size + 2]  # a record begins with the number of its first field
        committed = at if kind in _LAST else committed
    return committed


def keep_log(database: Path, folder: Path) -> Path:
    """Copy the log into ``folder``; where it lies there."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while (kept := folder / f"{log_of(database).name}.cut-{number}").exists():
        number += 1
    shutil.copyfile(log_of(database), kept)
    return kept
