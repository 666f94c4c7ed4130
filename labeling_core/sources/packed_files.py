"""One table, packed: .gz, .zst, .bz2, .xz. How large it becomes is bounded while it is unpacked."""

from __future__ import annotations

import errno
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from labeling_core.sources.archives import DEFAULT_LIMITS, Limits
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.plain_files import Plain, damaged
from labeling_core.sources.signatures import packing

_BLOCK = 1 << 20
_SMALL = 100 * 2**20  # below it a high ratio does no harm: a column of zeros packs 1:1000
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError,
           RuntimeError, NotImplementedError)  # fmt: skip
_ENDINGS = (".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz")


def parts(path: Path, name: str) -> tuple[str, ...]:
    """There is nothing to choose: it is one file."""
    return ()


def unpack(
    path: Path, name: str, part: str, folder: Path, limits: Limits = DEFAULT_LIMITS
) -> Plain:
    """The file as it was before; LabelingError if it is damaged or becomes too large."""
    target = folder / "unpacked"
    try:
        with _stream(path) as source:
            write_bounded(source, target, name, path.stat().st_size, limits)
    except _DAMAGE as error:
        require_damage(error)
        raise damaged(name) from error
    shorter = next((name[: -len(end)] for end in _ENDINGS if name.lower().endswith(end)), name)
    return Plain(target, shorter or name)


def write_bounded(source: IO[bytes], target: Path, name: str, packed: int, limits: Limits) -> None:
    """Write what is unpacked of ``packed`` bytes to ``target``, up to the limits."""
    written = 0
    with target.open("wb") as sink:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > limits.file_bytes:
                size = f"{limits.file_bytes / 2**30:.1f} GB"
                raise file_error(name, f"unpacks to more than {size}; split it, or use Parquet")
            if written > _SMALL and written > limits.ratio * max(1, packed):
                raise file_error(
                    name,
                    f"unpacks to more than {limits.ratio:.0f} times its own size, as bombs do; "
                    "if it is a table, unpack it yourself or use Parquet",
                )
            sink.write(block)


def require_damage(error: Exception) -> None:
    """Pass on what the system has against it, such as a full disk: the file is well."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


def _stream(path: Path) -> Any:
    with path.open("rb") as file:
        method = packing(file.read(16))
    if method == "zstd":
        import pyarrow

        return pyarrow.input_stream(str(path), compression="zstd")
    if method == "gzip":
        import gzip

        return gzip.open(path)
    if method == "bz2":
        import bz2

        return bz2.open(path)
    return lzma.open(path)
