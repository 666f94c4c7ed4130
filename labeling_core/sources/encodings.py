"""How the letters of a text file are written: found out, or said what is wrong with them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from labeling_core.sources.import_errors import broken_error, encoding_error, file_error

BLOCK = 1 << 20  # bytes read at a time
# Legacy encodings worth guessing among; anything rarer is the user's to name.
LEGACY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp866", "iso8859_5",
    "shift_jis", "gb18030", "euc_kr", "big5",
]  # fmt: skip
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_MANY = 1_000  # lines with broken bytes: that file is written in another encoding


@dataclass(frozen=True)
class _Broken:
    """Bytes that are no UTF-8: the lines they are in (with repeats), the first one, the letters
    beyond ASCII that are in order, and some of the file around the first."""

    lines: tuple[int, ...]
    first: int
    letters: int
    around: bytes


def find_encoding(
    path: Path, head: bytes, name: str, chosen: str | None, errors: str | None
) -> tuple[str, tuple[str, ...]]:
    """The Python name of the encoding, ``chosen`` if given, and notes on what was guessed.

    Raises LabelingError where the file is not in that encoding: with ``field="errors"`` where
    most of it is, so that it can be read on with ``errors="replace"``, else "encoding".
    """
    encoding = chosen or _marked(head, name)
    if encoding and codecs_name(encoding, name) not in ("utf-8", "utf-8-sig"):
        return encoding, _whole(path, name, encoding, errors)
    broken = _broken(path)
    if not broken:
        return encoding or "utf-8", ()
    if not encoding and len(broken.lines) > broken.letters:
        legacy = _guess_legacy(broken.around)
        return legacy, (f"Read as {legacy}; choose another encoding if letters look wrong.",)
    if errors != "replace":
        raise broken_error(name, broken.lines, broken.first)
    shown = ", ".join(map(str, dict.fromkeys(broken.lines[:20])))
    more = " and more" if len(broken.lines) > 20 else ""
    count = len(broken.lines)
    bytes_were = (
        "1 byte that is no UTF-8 was" if count == 1 else f"{count:,} bytes that are no UTF-8 were"
    )
    note = f"{bytes_were} read as �, in line {shown}{more}."
    return encoding or "utf-8", (note,)


def codecs_name(encoding: str, name: str) -> str:
    """The one name of an encoding; LabelingError if there is none."""
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise encoding_error(name, encoding) from error


def _marked(head: bytes, name: str) -> str | None:
    """The encoding by its mark or its zeros; None for what may be UTF-8."""
    for mark, found in _MARKS.items():
        if head.startswith(mark):
            return found
    for encoding, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if head.count(0) <= 1.1 * high.count(0) and high.count(0) > 0.4 * len(high):
            return encoding
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27)))
    if head.count(0) or controls > len(head) // 100:
        raise file_error(name, "is not text; choose a CSV, TSV, Parquet or JSON lines file")
    return None


def _whole(path: Path, name: str, encoding: str, errors: str | None) -> tuple[str, ...]:
    """A note on bytes of the file that are not in this encoding, which ``errors`` may allow."""
    count = 0
    try:
        with path.open(encoding=encoding, errors=errors or "strict", newline="") as file:
            while text := file.read(BLOCK):
                count += text.count("\ufffd") if errors == "replace" else 0
    except (LookupError, UnicodeError) as error:
        raise encoding_error(name, encoding) from error
    return (f"{count:,} times what is no {encoding} was read as �.",) if count else ()


def _broken(path: Path) -> _Broken | None:
    """What is no UTF-8 in the file; None if it all is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return None
        except UnicodeDecodeError:
            file.seek(0)
        lines: list[int] = []
        letters, first, around = 0, 0, b""
        for number, line in enumerate(file, start=1):
            if line.isascii():
                continue
            count = 0
            for part in _valid_parts(line):
                if isinstance(part, int):
                    first, count = first or part, count + 1
                else:
                    letters += sum(letter > "\x7f" for letter in part)
            if count and len(around) < 40_000:
                around += line[:40_000]
            lines += [number] * count
            if len(lines) > _MANY and len(lines) > letters:
                break
    return _Broken(tuple(lines), first, letters, around)


def _valid_parts(line: bytes) -> list[str | int]:
    """The texts of a line that are UTF-8, and between them the first byte of what is not."""
    parts: list[str | int] = []
    while line and len(parts) < 2 * _MANY:
        try:
            parts.append(line.decode("utf-8"))
            break
        except UnicodeDecodeError as error:
            parts += [line[: error.start].decode("utf-8"), line[error.start]]
            line = line[error.end :]
    return parts


def _guess_legacy(data: bytes) -> str:
    """A legacy encoding for bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    high = len(re.findall(rb"[\x80-\xff]", data))
    # Few accents among plain letters are western European; there statistics only mislead.
    if high > 0.7 * len(re.findall(rb"[A-Za-z]", data)):
        best = from_bytes(data, cp_isolation=LEGACY).best()
        if best and best.encoding != "cp1252":
            return best.encoding
    # Five byte values mean nothing in cp1252; latin-1 reads every file.
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"
