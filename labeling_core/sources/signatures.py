"""What a file is, by its first bytes: never by its name alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

from labeling_core.sources import zip_directory
from labeling_core.sources.import_errors import file_error

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
_IN_WORDS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"RIFF": "a recording or an image (RIFF)",
    b"ID3": "an MP3 recording",
    b"fLaC": "a FLAC recording",
    b"OggS": "an Ogg recording",
    b"%PDF": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file, or a workbook with a password",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow (Feather) file",
    b"FEA1": "a Feather file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\x93NUMPY": "a NumPy array",
    b"RDX": "an R data file",
    b"$FL": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<?xml": "an XML file",
}
_TEXT = (b"ORC", b"MZ", b"RDX", b"ID3", b"RIFF", b"OggS", b"BZh")  # a text may begin so, too
_PICKLES = tuple(b"\x80" + bytes([number]) for number in range(2, 6))


def kind_of(path: Path, name: str) -> str:
    """ "workbook", "sqlite", "duckdb", "zip" or "packed": what holds tables; empty for all else."""
    head = _head(path, name)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _kind_of_zip(path, name)
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite"
    if head[8:12] == b"DUCK":
        return "duckdb"
    return "packed" if packing(head) else ""


def packing(head: bytes) -> str:
    """The method by which a file was packed: "gzip", "zstd", "bz2" or "xz"; empty if by none."""
    found = (method for sign, method in _PACKED.items() if head.startswith(sign))
    method = next(found, "")
    return "" if method == "bz2" and head[4:10] != b"1AY&SY" else method


def refuse_other_things(path: Path, name: str) -> None:
    """Raise LabelingError that says what the file is where it is no table."""
    head = _head(path, name)
    small = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    binary = any(byte < 9 for byte in head)
    for sign, what in _IN_WORDS.items():
        if (head.startswith(sign) and (binary or sign not in _TEXT)) or (
            sign.startswith(b"<") and small.startswith(sign)
        ):
            raise _refusal(name, what)
    if head.startswith(_PICKLES):
        raise _refusal(name, "a Python pickle")
    if head[257:262] == b"ustar":
        raise _refusal(name, "a tar archive")


def _refusal(name: str, what: str) -> Exception:
    return file_error(name, f"is {what}, not a table; save it as CSV or Parquet and try again")


def _kind_of_zip(path: Path, name: str) -> str:
    if zip_directory.has_more_than(path):
        raise file_error(name, f"holds more than {zip_directory.MOST:,} files; unpack it yourself")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        problem = "is a ZIP archive or an Excel workbook that is cut off or damaged; save it again"
        raise file_error(name, problem) from error
    if "xl/workbook.xml" in names:
        return "workbook"
    if "xl/workbook.bin" in names or b"opendocument" in mimetype:
        raise file_error(name, "is a spreadsheet of another kind than .xlsx; save it as .xlsx")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise _refusal(name, "an Office document")
    return "zip"


def _head(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1024)
    except OSError as error:
        raise file_error(name, "cannot be opened; upload it again") from error
