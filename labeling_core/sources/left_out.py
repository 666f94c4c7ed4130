"""What lies in a folder or archive beside its samples: of which kind, how many, what would help.

A kind is told by the name alone; nothing is opened.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from labeling_core.sources.folders import Listing, Refusal, list_files

ARCHIVES = frozenset({
    ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".lz4", ".cbz",
    ".iso", ".dmg",
})  # fmt: skip
# Written by systems and their programs into folders of pictures and music.
_SYSTEM = frozenset({
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", ".ds_store", "icon\r",
    ".localized", ".nomedia", ".directory", "folder.jpg.lnk", "autorun.inf", "zbthumbnail.info",
    "picasa.ini", ".picasa.ini",
})  # fmt: skip
_SYSTEM_FOLDERS = frozenset({
    "__macosx", "@eadir", "$recycle.bin", "system volume information", ".spotlight-v100",
    ".trashes", ".fseventsd", ".appledouble", ".thumbnails",
})  # fmt: skip
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("Archive", "unpack it first", " ".join(ARCHIVES)),
    ("Picture", "make a project of images for it",
     ".png .apng .jpg .jpeg .jpe .jfif .mpo .gif .webp .bmp .dib .tif .tiff .avif .heic .heif .hif "
     ".jxl .jp2 .j2k .j2c .jpx .ppm .pgm .pbm .pnm .tga .ico .icns .pcx .dds .qoi .sgi .psd"),
    ("Sound recording", "make a project of sounds for it",
     ".wav .flac .ogg .oga .mp3 .aif .aiff .aifc .au .snd .caf .w64 .opus .spx .m4a .m4b .m4r .3ga "
     ".aac .wma .amr .awb .mp2 .mka .weba .wv .tta .ape .ac3 .voc"),
    ("Video", "export pictures of it, or its sound as WAV or FLAC",
     ".mp4 .m4v .mov .avi .mkv .webm .wmv .mpg .mpeg .flv .ogv .3gp .mts .m2ts .vob .divx"),
    ("Raw photograph", "export it as TIFF or JPEG",
     ".cr2 .cr3 .crw .nef .nrw .arw .srf .dng .raf .orf .rw2 .pef .srw .raw .3fr .iiq .x3f"),
    ("Drawing", "export it as PNG", ".svg .svgz .eps .ps .ai .cdr .wmf .emf .dxf .dwg .xcf .kra"),
    ("Document", "export its pictures as PNG",
     ".pdf .doc .docx .odt .rtf .ppt .pptx .odp .pages .key .epub .djvu"),
    ("Scientific picture", "convert it to TIFF",
     ".dcm .nii .mha .mhd .nrrd .fits .fit .hdf .hdf5 .h5 .npy .npz .mat .czi .nd2 .lif .svs .ndpi "
     ".exr .hdr"),
    ("Sound without a header or under protection", "convert it to WAV or FLAC",
     ".raw .pcm .sph .gsm .dsf .dff .dts .ra .rm .aax .aa .m4p .mid .midi .mod .xm .it .sf2"),
    ("Playlist", "add the files that it names", ".m3u .m3u8 .pls .cue .xspf .asx"),
    ("Text or table", "nothing to do, it is no sample",
     ".txt .csv .tsv .json .jsonl .xml .yml .yaml .md .html .htm .log .ini .cfg .toml .xls .xlsx "
     ".ods .parquet .db .sqlite .xmp .thm .srt .lrc .nfo .dat .textgrid .lab .py .js .sh"),
)  # fmt: skip
_KIND_OF = {
    suffix: (name, hint) for name, hint, some in reversed(_KINDS) for suffix in some.split()
}


class Group(NamedTuple):
    """Files that were not taken for one ``reason``: how many, and the name of the first."""

    reason: str
    files: int
    example: str


def reason(name: str) -> str:
    """Why a file of that name (relative, POSIX) is no sample, in a sentence that says what would
    help. The name is that of a file which does not belong to the project."""
    parts = [part.lower() for part in PurePosixPath(name).parts]
    if is_of_system(name):
        return "File that a system keeps for itself: nothing to do."
    if any(part.startswith(".") for part in parts):
        return "Hidden file (its name or folder begins with a dot): rename it to have it taken."
    suffix = PurePosixPath(name).suffix.lower()
    if not suffix:
        return "File without an ending: give it the ending of its format."
    kind, hint = _KIND_OF.get(suffix, ("File of a kind that is not known", "convert it, if it is a "
                                       "picture to PNG, if it is a sound to FLAC"))  # fmt: skip
    return f"{kind} ({suffix}): {hint}."


def is_of_system(name: str) -> bool:
    """Whether systems and not people write files of that name."""
    *folders, last = (part.lower() for part in PurePosixPath(name).parts or ("",))
    return last in _SYSTEM or last.startswith("._") or not _SYSTEM_FOLDERS.isdisjoint(folders)


def is_hidden(name: str) -> bool:
    """Whether a file is passed over whatever its ending."""
    parts = PurePosixPath(name).parts
    return is_of_system(name) or any(part.startswith(".") and part != ".." for part in parts)


def look_through(folder: Path, suffixes: Collection[str]) -> Listing:
    """:func:`list_files`, with every other file below ``folder`` among the refusals."""
    listing = list_files(folder, suffixes)
    known = {*listing.files, *(each.name for each in listing.refusals)}
    root = folder.resolve()
    others = []
    for place, _, names in os.walk(root):
        inside = os.path.relpath(place, root)
        for name in names:
            relative = name if inside == "." else f"{inside}/{name}".replace(os.sep, "/")
            shown = relative.encode("utf-8", "replace").decode("utf-8")
            if shown not in known:
                others.append(Refusal(shown, reason(shown)))
    return Listing(listing.files, sorted([*listing.refusals, *others]))


def groups(refusals: Iterable[Refusal]) -> list[Group]:
    """The refusals by their reasons, the most frequent first."""
    found: dict[str, Group] = {}
    for each in refusals:
        known = found.get(each.reason, Group(each.reason, 0, each.name))
        found[each.reason] = known._replace(files=known.files + 1)
    return sorted(found.values(), key=lambda group: (-group.files, group.reason))
