"""Parts of long sounds: read from where they begin, whatever the length of the whole.

What libsndfile reads is opened for each part, which costs next to nothing. To open a long file of
another kind its table of frames has to be read, so that the last few stay open.
"""

from __future__ import annotations

import atexit
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING

import soundfile

from labeling_core.errors import LabelingError
from labeling_core.modalities import ogg_pages
from labeling_core.modalities.sound_decoding import Converter, container, decoded
from labeling_core.sources.folders import Stamp, stamp_of
from labeling_core.sources.windows import Span

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container.input import InputContainer

_OPEN = 2  # files that stay open
_BEFORE = 0.5  # seconds that decoders need to get going
_BLOCK = 1 << 16


@contextmanager
def read_directly(path: Path, span: Span) -> Iterator[soundfile.SoundFile]:
    """A part of a sound that libsndfile reads; less than asked for where it ends before."""
    with soundfile.SoundFile(path) as whole, _cut_out(whole, span) as part:
        yield part


@contextmanager
def _cut_out(whole: soundfile.SoundFile, span: Span) -> Iterator[soundfile.SoundFile]:
    first, last = (min(round(each * whole.samplerate), whole.frames) for each in span)
    whole.seek(first)
    shape = (whole.samplerate, whole.channels, "FLOAT")
    with tempfile.TemporaryFile() as kept:
        with soundfile.SoundFile(kept, "w", *shape, format="WAV") as part:
            for start in range(first, last, _BLOCK):
                part.write(whole.read(min(_BLOCK, last - start), "float32", always_2d=True))
        kept.seek(0)
        with soundfile.SoundFile(kept) as part:
            yield part


@contextmanager
def decode(path: Path, span: Span) -> Iterator[soundfile.SoundFile]:
    """A part of a sound that FFmpeg decodes; less than asked for where it ends before.

    Raises LabelingError for what cannot be decoded.
    """
    if ogg_pages.is_chain(path):  # each of its streams counts its own time
        with decoded(path) as whole, _cut_out(whole, span) as part:
            yield part
        return
    with tempfile.TemporaryFile() as kept:
        with _kept_open(path) as found:
            _write(found, span, kept)
        kept.seek(0)
        with soundfile.SoundFile(kept) as sound:
            yield sound


def _write(found: InputContainer, span: Span, target: IO[bytes]) -> None:
    converter = Converter(found.streams.audio[0])
    first, frames = _from(found, span.start)
    rate = converter.shape[0]
    begins, ends = (round(each * rate) for each in span)
    passed, left = begins - round(first * rate), ends - begins  # values in front of it, and in it
    with soundfile.SoundFile(target, "w", *converter.shape, format="WAV") as sound:
        for values in converter.all(frames):
            part = values[max(passed, 0) :][:left]
            passed, left = max(passed - len(values), 0), left - len(part)
            sound.write(part)
            if not left:
                return


def _from(found: InputContainer, start: float) -> tuple[float, Iterator[AudioFrame]]:
    """The decoded frames from shortly before ``start`` on, and when the first of them is."""
    from av.error import FFmpegError

    stream = found.streams.audio[0]
    base = float(stream.time_base or 0)
    zero = stream.start_time or 0
    found.seek(zero + max(0, int((start - _BEFORE) / base)), stream=stream)

    def frames() -> Iterator[AudioFrame]:
        for packet in found.demux(stream):
            try:
                yield from packet.decode()
            except FFmpegError:  # what cannot be decoded is passed over
                continue

    coming = frames()
    for first in coming:
        if first.pts is not None and first.time_base is not None:
            when = float((first.pts * first.time_base) - zero * (stream.time_base or 0))
            return when, _with(first, coming)
    return start, iter(())


def _with(first: AudioFrame, others: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    yield first
    yield from others


_idle: OrderedDict[tuple[Path, Stamp], tuple[ExitStack, InputContainer]] = OrderedDict()
_lock = Lock()


@contextmanager
def _kept_open(path: Path) -> Iterator[InputContainer]:
    """The file, opened by FFmpeg, for one reader at a time; it stays open for the next."""
    key = (path.resolve(), stamp_of(path))
    with _lock:
        stack, found = _idle.pop(key, (ExitStack(), None))
    try:
        found = found or stack.enter_context(container(path, path))
        yield found
    except BaseException:
        if not stack.__exit__(*sys.exc_info()):
            raise
        raise LabelingError(f"{path.name} cannot be read.") from None
    with _lock:
        _idle[key] = (stack, found)
        old = [_idle.popitem(last=False)[1] for _ in range(len(_idle) - _OPEN)]
    for each, _ in old:
        each.close()


@atexit.register
def _close() -> None:
    """Before FFmpeg goes away."""
    while _idle:
        _idle.popitem()[1][0].close()
