"""Uploads: many files or zip archives, unpacked with nothing taken on trust.

Names are sanitised, sizes counted while they are written (what an archive declares is only
used to refuse early), and nothing is ever written over.
"""

from __future__ import annotations

import errno
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.sources import zip_directory
from labeling_core.sources.folders import Refusal, has_suffix
from labeling_core.sources.left_out import is_hidden, reason
from labeling_core.store.file_names import Names, plain, require_short, sanitised, shown
from labeling_core.store.removal import remove, replace

_BLOCK = 1 << 20
# Below this size a high ratio is harmless, and common: a blank BMP packs 1:1000.
_SMALL = 10 * 2**20
# What zipfile says of damage, each method of compression in its own way.
_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, OSError, EOFError,
           ValueError, RuntimeError)  # fmt: skip


class Limits(NamedTuple):
    """Bounds of one upload: files, bytes of one file, bytes in all, unpacked / packed size."""

    files: int = 100_000
    file_bytes: int = 2 * 2**30
    total_bytes: int = 8 * 2**30
    ratio: float = 200.0


DEFAULT_LIMITS = Limits()


class Target:
    """The folder that files are stored in; ``renamed`` are those that got another name there,
    each with the sentence that says which."""

    def __init__(self, folder: Path, suffixes: Collection[str]) -> None:
        """``suffixes`` (lower case, with the dot) are those of the files that are taken."""
        self.folder, self.suffixes = folder, suffixes
        known = folder.rglob("*") if folder.is_dir() else ()
        self.names = Names(each.relative_to(folder).as_posix() for each in known)
        self.renamed: list[Refusal] = []

    def take(self, name: str, content: IO[bytes], most: int) -> int:
        """Store at most ``most`` bytes under ``name``, or one like it; how many they were."""
        free = _place(name, self)
        written = _write(content, self.folder.joinpath(*PurePosixPath(free).parts), most)
        self.names.keep(free)
        if free != plain(name):
            sentence = f"Its name is not possible, or not told apart, on every system: {free}"
            self.renamed.append(Refusal(shown(name), sentence))
        return written


def unpack(
    archive: Path | BinaryIO,
    target: Path | Target,
    suffixes: Collection[str],
    limits: Limits,
) -> tuple[list[Refusal], int]:
    """Unpack the media files of a zip ``archive`` into ``target``: what was not taken, and how many
    bytes of ``limits`` are left.

    One bad entry never stops the others. Raises LabelingError (field ``upload``) when the
    whole is refused: no zip at all, too many files, or a bomb by total size or ratio.
    """
    try:
        if zip_directory.has_more_than(archive):
            raise _too_many(limits)
        with zipfile.ZipFile(archive) as opened:
            files = [entry for entry in opened.infolist() if not entry.is_dir()]
            hidden = [entry for entry in files if is_hidden(entry.filename.replace("\\", "/"))]
            names = {entry.filename for entry in hidden}
            entries = [entry for entry in files if entry.filename not in names]
            _require_bounded(opened, entries, limits)
            if isinstance(target, Path):
                target = Target(target, suffixes)
            refusals, left = _unpack_entries(opened, entries, target, limits)
            passed = [Refusal(shown(name), reason(name.replace("\\", "/"))) for name in names]
            return [*refusals, *sorted(passed)], left
    except _DAMAGE as error:
        _require_damage(error)
        raise LabelingError("The archive is damaged or not a zip file.", "upload") from error


def _require_bounded(
    opened: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limits: Limits
) -> None:
    total = sum(entry.file_size for entry in entries)
    # Entries that overlap share their packed bytes, so only the archive's own size is true.
    assert opened.fp is not None
    packed = max(1, opened.fp.seek(0, os.SEEK_END))
    if len(entries) > limits.files:
        raise _too_many(limits)
    if total > limits.total_bytes:
        size = f"{limits.total_bytes / 2**30:.1f} GB"
        raise LabelingError(f"The archive unpacks to more than {size}: split it.", "upload")
    if total > _SMALL and total / packed > limits.ratio:
        raise LabelingError(
            f"The archive is refused: it unpacks to more than {limits.ratio:.0f} times "
            "its own size, as zip bombs do.",
            "upload",
        )


def _too_many(limits: Limits) -> LabelingError:
    return LabelingError(f"The archive holds more than {limits.files:,} files.", "upload")


def _unpack_entries(
    opened: zipfile.ZipFile,
    entries: list[zipfile.ZipInfo],
    target: Target,
    limits: Limits,
) -> tuple[list[Refusal], int]:
    refusals, left = [], limits.total_bytes
    for entry in entries:
        try:
            _place(entry.filename, target)
            _require_harmless(entry, limits)
            with opened.open(entry) as source:
                left -= target.take(entry.filename, source, min(limits.file_bytes, left))
        except LabelingError as error:
            refusals.append(Refusal(shown(entry.filename), str(error)))
        except _DAMAGE as error:
            _require_damage(error)
            refusals.append(Refusal(shown(entry.filename), "The entry is damaged."))
    return refusals, left


def _require_damage(error: Exception) -> None:
    """Pass on what the system has against it, such as a full disk: the archive is well.

    What bz2 says of its data has no number, and a seek to nowhere is an invalid argument.
    """
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


def _require_harmless(entry: zipfile.ZipInfo, limits: Limits) -> None:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise LabelingError("The entry is a symbolic link.")
    if entry.flag_bits & 1:
        raise LabelingError("The entry is encrypted: pack it without a password.")
    if entry.file_size > limits.file_bytes:
        raise LabelingError(f"The file is larger than {limits.file_bytes / 2**20:,.0f} MB.")
    ratio = entry.file_size / max(1, entry.compress_size)
    if entry.file_size > _SMALL and ratio > limits.ratio:
        raise LabelingError(f"The file unpacks to {ratio:.0f} times its size, as zip bombs do.")


def _place(name: str, target: Target) -> str:
    """The relative path under which a file called ``name`` can be stored; LabelingError if none."""
    relative = sanitised(name)
    if not has_suffix(relative, target.suffixes):
        raise LabelingError(reason(relative))
    free = target.names.free(relative)
    require_short(target.folder, free)
    path = target.folder.joinpath(*PurePosixPath(free).parts)
    if not path.parent.resolve().is_relative_to(target.folder.resolve()):
        raise LabelingError("The name leads out of the folder.")
    return free


def _write(source: IO[bytes], path: Path, most: int) -> int:
    """Copy at most ``most`` bytes to ``path``, which appears only when it is complete."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise LabelingError("A file has the name of its folder: rename one.") from error
    part = path.with_name(f".{path.name}.part")
    written = 0
    try:
        with part.open("wb") as sink:
            while block := source.read(_BLOCK):
                written += len(block)
                if written > most:
                    raise LabelingError("The upload is larger than the limit of its size.")
                sink.write(block)
        replace(part, path)
    finally:
        remove(part)
    return written


def store_upload(
    uploads: Iterable[tuple[str, BinaryIO]],
    target: Path,
    suffixes: Collection[str],
    limits: Limits = DEFAULT_LIMITS,
    renamed: list[Refusal] | None = None,
) -> list[Refusal]:
    """Store uploaded files (name as the browser told it, content) below ``target``; zip
    archives are unpacked. Returns what was not taken; one bad file never stops the others.
    ``renamed`` is given those that got another name, each with the sentence that says which."""
    place = Target(target, suffixes)
    refusals: list[Refusal] = []
    left = limits.total_bytes
    for name, content in uploads:
        try:
            if has_suffix(name, {".zip"}):
                rest = limits._replace(total_bytes=left)
                refused, left = unpack(content, place, suffixes, rest)
                refusals += refused
            else:
                left -= place.take(name, content, min(limits.file_bytes, left))
        except LabelingError as error:
            refusals.append(Refusal(shown(name), str(error)))
    if renamed is not None:
        renamed += place.renamed
    return refusals
