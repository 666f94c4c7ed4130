"""Sounds that libsndfile does not read, or not to their end: FFmpeg, inside of PyAV, decodes them.

A file is decoded once to a FLAC that nobody sees, and is read like any other sound from there.
FFmpeg is told which containers it may look for, and reaches no other file and no network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile

from labeling_core.errors import LabelingError
from labeling_core.modalities import ogg_pages
from labeling_core.sources.folders import stamp_of
from labeling_core.sources.pinned import Version

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container.input import InputContainer
    from av.packet import Packet

INSTALL_COMMAND = "pip install av"
# FFmpeg's names of containers → what their files are called here.
CONTAINERS = {
    "mp3": "MP3", "aac": "AAC", "mov": "M4A", "asf": "WMA", "amr": "AMR", "amrnb": "AMR",
    "amrwb": "AMR", "matroska": "Matroska", "ogg": "OGG", "flac": "FLAC", "wav": "WAV",
    "aiff": "AIFF", "caf": "CAF", "au": "AU", "w64": "W64", "wv": "WavPack", "tta": "TTA",
    "ape": "APE", "ac3": "AC3", "eac3": "AC3", "voc": "VOC",
}  # fmt: skip
# Of these the header tells the length; of the others FFmpeg estimates it.
_KNOWN_LENGTH = ("M4A", "WMA", "Matroska", "AIFF", "AU", "CAF", "W64", "TTA", "WavPack", "APE")
NO_SOUND = "is damaged or no sound that can be read"
_MOST_CHANNELS = 8  # of FLAC
_COUNTED = 64 * 2**20  # bytes of a file whose frames are counted to know its length
_LONGEST_FRAME = 2881  # bytes of an MP3
# Bytes of the table of frames that FFmpeg keeps where a format has none: 24 a frame, 40 hours of
# MP3. Beyond its usual megabyte it thins out what came first, and would read a long file from its
# start for each part.
_TABLE = 2**27


Source = Path | BytesIO


class Told(NamedTuple):
    """What can be told of a sound without decoding it. ``plain`` says whether every player
    finds all of it: the header agrees with what follows it."""

    seconds: float
    rate: int
    channels: int
    format: str
    plain: bool


class DecodedSound(soundfile.SoundFile):
    """A sound that was decoded to a FLAC; ``early`` says whether its file was cut."""

    early = False


def told(path: Path, exact: bool = False) -> Told:
    """The facts of a file; with ``exact`` its frames are counted where its length is nowhere
    written, however many they are. Raises LabelingError for what FFmpeg finds no sound in."""
    version = Version(path.resolve(), stamp_of(path), path)
    return _told(version, exact or version.stamp.size <= _COUNTED)


@lru_cache(512)
def _told(version: Version, exact: bool) -> Told:
    path = version.path
    if ogg_pages.is_chain(path):
        all_told = [_told_of(path, BytesIO(each), exact) for each in ogg_pages.links(path)]
        return all_told[0]._replace(seconds=sum(each.seconds for each in all_told), plain=False)
    return _told_of(path, path, exact)


def _told_of(path: Path, source: Source, exact: bool) -> Told:
    with container(path, source) as found:
        stream, kind = found.streams.audio[0], _kind(found)
        seconds, plain = (found.duration or 0) / 1e6, True
        if kind not in _KNOWN_LENGTH and (exact or not seconds):
            first, count, lengths = _counted(found)
            seconds = float(lengths * stream.time_base) if stream.time_base else seconds
            declared = _declared_frames(path, first) if kind == "MP3" else None
            plain = declared is None or abs(declared - count) <= 2
            if declared is not None and plain:  # less what the encoder put around it
                seconds = (found.duration or 0) / 1e6
        return Told(seconds, stream.rate, stream.channels, kind, plain)


def _counted(found: InputContainer) -> tuple[Packet | None, int, int]:
    """The first packet, how many there are, and how long they are in the stream's time base."""
    first, count, lengths = None, 0, 0
    for each in found.demux(found.streams.audio[0]):
        if each.size:
            first, count, lengths = first or each, count + 1, lengths + (each.duration or 0)
    return first, count, lengths


def _declared_frames(path: Path, first: Packet | None) -> int | None:
    """How many frames the Xing header in front of an MP3's ``first`` frame speaks of, if any."""
    if first is None or first.pos is None:
        return None
    with path.open("rb") as file:
        file.seek(max(0, first.pos - _LONGEST_FRAME))
        before = file.read(min(first.pos, _LONGEST_FRAME))
    place = max(before.rfind(b"Xing"), before.rfind(b"Info"))
    if place < 0 or len(before) < place + 12 or not before[place + 7] & 1:
        return None
    return int.from_bytes(before[place + 8 : place + 12], "big")


@contextmanager
def decoded(path: Path) -> Iterator[DecodedSound]:
    """All of a file's first sound, at the rate and with the channels that it begins with.

    Raises LabelingError for what cannot be decoded, and where nothing is heard.
    """
    with tempfile.TemporaryFile() as kept:
        early = _write(path, kept)
        kept.seek(0)
        with DecodedSound(kept) as sound:
            sound.early = early
            yield sound


def _write(path: Path, target: IO[bytes]) -> bool:
    """Decode to FLAC; whether the file ends before its sound does."""
    sources: list[Source] = [path]
    if ogg_pages.is_chain(path):
        sources = [BytesIO(each) for each in ogg_pages.links(path)]
    with ExitStack() as stack:
        containers = [stack.enter_context(container(path, each)) for each in sources]
        stream, kind = containers[0].streams.audio[0], _kind(containers[0])
        readings = [_Reading(each, path) for each in containers]
        decoded_frames = (frame for reading in readings for frame in reading.frames())
        converter, frames = Converter(stream), 0
        with soundfile.SoundFile(target, "w", *converter.shape, format="FLAC") as sound:
            for values in converter.all(decoded_frames):
                sound.write(values)
                frames += len(values)
        if not frames:
            raise LabelingError(f"{path.name} holds no sound.")
        missing = (containers[0].duration or 0) / 1e6 - frames / stream.rate
        short = kind in _KNOWN_LENGTH and missing > max(0.5, 0.02 * frames / stream.rate)
        return readings[-1].ends_within_a_frame(kind) or short


class _Reading:
    """The packets of a file, and what became of them."""

    def __init__(self, container: InputContainer, path: Path) -> None:
        self.container, self.path = container, path
        self.count, self.failed, self.cut = 0, 0, False
        self.last: tuple[bytes, bool] = b"", False  # the last packet; whether it could be decoded
        self.sizes: dict[bytes, int] = {}  # of frames, by what their heads say
        self.first: Packet | None = None

    def frames(self) -> Iterator[AudioFrame]:
        """The decoded frames; packets that cannot be decoded are passed over."""
        from av.error import FFmpegError, InvalidDataError

        stream = self.container.streams.audio[0]
        packets = self.container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except InvalidDataError:  # what follows is no sound
                return
            if packet is None:
                return
            self.first = self.first or packet
            content = bytes(packet)
            try:
                found = packet.decode()
            except FFmpegError:
                found, self.failed = [], self.failed + 1
                self._note(content, packet.is_corrupt, False)
            else:
                self._note(content, packet.is_corrupt, True)
            yield from found

    def _note(self, content: bytes, cut: bool, well: bool) -> None:
        if content:  # the very last packet is empty
            self.count, self.last, self.cut = self.count + 1, (content, well), cut
            self.sizes.setdefault(content[1:3], len(content))

    def ends_within_a_frame(self, kind: str) -> bool:
        """Whether the last frame is not there to its end."""
        content, well = self.last
        if 2 * self.failed > self.count:
            raise LabelingError(f"{self.path.name} is damaged: most of it cannot be decoded.")
        if kind == "MP3":  # a decoder conceals it, and players make up for a frame or two
            whole = len(content) >= self.sizes.get(content[1:3], 0)
            declared = _declared_frames(self.path, self.first) or 0
            return not whole and declared > 1.1 * self.count
        return not well or (self.cut and kind in _KNOWN_LENGTH)


class Converter:
    """Frames of any kind to whole numbers, frames × channels; a file may change its rate midway.

    ``shape`` is what they are written as: rate, channels, and their subtype for soundfile.
    """

    def __init__(self, stream: AudioStream) -> None:
        few = stream.channels <= _MOST_CHANNELS
        columns, self.layout = (stream.channels, stream.layout.name) if few else (1, "mono")
        wide = (stream.format.name if stream.format else "").startswith("s32")
        subtype, self.packed = ("PCM_24", "s32") if wide else ("PCM_16", "s16")
        self.shape = (stream.rate, columns, subtype)

    def all(self, frames: Iterator[AudioFrame]) -> Iterator[np.ndarray]:
        """The values of all frames, one array each."""
        before: Any = None
        resampler: AudioResampler | None = None
        for frame in frames:
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or now != before:
                yield from self._values(resampler, None)
                resampler, before = self._resampler(), now
            frame.pts = None
            yield from self._values(resampler, frame)
        yield from self._values(resampler, None)

    def _resampler(self) -> AudioResampler:
        from av.audio.resampler import AudioResampler

        return AudioResampler(self.packed, self.layout, self.shape[0])

    def _values(
        self, resampler: AudioResampler | None, frame: AudioFrame | None
    ) -> Iterator[np.ndarray]:
        if resampler is not None:
            for each in resampler.resample(frame):
                yield each.to_ndarray().reshape(-1, self.shape[1])


@contextmanager
def container(path: Path, source: Source) -> Iterator[InputContainer]:
    """``source`` (the file or a part of it), opened by FFmpeg; whatever goes wrong inside becomes
    one LabelingError."""
    if find_spec("av") is None:
        raise LabelingError(f"{path.name} can be read once a decoder is there: {INSTALL_COMMAND}")
    import av

    options = {
        "format_whitelist": ",".join(CONTAINERS),
        "protocol_whitelist": "file",
        "indexmem": str(_TABLE),
    }
    try:
        name = str(source) if isinstance(source, Path) else source
        with av.open(name, "r", options=options, metadata_errors="ignore") as found:
            if not found.streams.audio:
                raise LabelingError(f"{path.name} holds no sound.")
            if found.streams.audio[0].codec_context is None:
                raise LabelingError(f"{path.name} holds sound in a coding that is not known here.")
            found.streams.audio[0].codec_context.thread_count = 1
            yield found
    except (av.error.FFmpegError, ValueError) as error:
        what = "ends early: the rest of it is missing" if _lacks_boxes(path) else NO_SOUND
        raise LabelingError(f"{path.name} {what}.") from error


def _lacks_boxes(path: Path) -> bool:
    """Whether an MP4 ends within one of its boxes: the table of its frames may be the last."""
    place, size = 0, path.stat().st_size
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return False
        while place + 8 <= size:
            file.seek(place)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            length = int.from_bytes(head[8:], "big") if length == 1 else length or size
            place += max(length, 8)
    return place > size


def _kind(container: InputContainer) -> str:
    names = container.format.name.split(",")
    return next((CONTAINERS[each] for each in names if each in CONTAINERS), names[0].upper())
