"""The picture of a sound: its waveform above its spectrogram (mel or linear), as one PNG.

The server draws it while people wait, so NumPy, soundfile and Pillow have to do; the file is
read once, in pieces, so that an hour needs no more memory than a second.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import sounds
from labeling_core.modalities.renditions import remembered, rendition_place
from labeling_core.modalities.sample_view import Shown, Viewer, shown_facts
from labeling_core.modalities.sounds import mono, opened
from labeling_core.sources import windows
from labeling_core.sources.pinned import pinned
from labeling_core.sources.windows import Span

SHOWN_SIZE = (1200, 360)  # pixels that a browser gets
_PIECE = 1 << 16
_WINDOWS = 8
# A column of a short sound covers no less: finer ones would cost time and show nothing more.
_FEWEST_FRAMES = 16
_BANDS = 96
_RANGE = 80.0  # dB from the loudest to black
_SILENCE = -50.0  # dB below a full-scale tone: what is never louder is not made bright
_TICKS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
SCALES = ("mel", "linear")
# Indices into the palette of the picture; the shades of the spectrogram follow.
_CLEAR, _WAVE, _DARKEST = 0, 1, 2
_WAVE_COLOUR = (94, 129, 214)
# Dark to light, evenly lighter, so that it also reads in greys.
_SHADES = np.array(
    [(8, 8, 24), (52, 22, 92), (128, 36, 112), (202, 66, 84), (246, 134, 60), (252, 240, 180)]
)


class Outline(NamedTuple):
    """A sound by columns of equal duration: lowest and highest value of each (-1..1), and its
    mean power in bands of frequency, bands × columns, low bands first; 1 is a full-scale tone."""

    lowest: np.ndarray
    highest: np.ndarray
    bands: np.ndarray


def view(sample: Shown, viewer: Viewer) -> dict[str, Any]:
    """The view of a sound: ``seconds`` long; ``picture`` (``linear``) shows it over that time, with
    the ``axes`` of its frequencies; ``slow`` is it at a tenth of its speed.

    A window is shown and heard with the viewer's ``context`` around it, of which it is the
    ``window``: from one share of the time to another, 0..1.
    """
    name, span = sample.sample_id, windows.split(sample.sample_id).span
    with pinned(viewer.file(name)) as path:
        found = sounds.facts(path)
        part = None if span is None else _around(span, viewer.context, sounds.length(path))
    rate, channels = f"{int(found['rate']):,} Hz", int(found["channels"])
    seconds = found["seconds"] if part is None else round(part.end - part.start, 3)
    marked = {} if span is None or part is None else {"window": _shares(span, part)}
    return {
        "url": viewer.link("audio", name, part),
        "slow": viewer.link("slow", name, part),
        "picture": viewer.link("picture", name, part),
        "linear": viewer.link("picture_linear", name, part),
        "axes": {each: axis(int(found["rate"]), each) for each in SCALES},
        "seconds": seconds,
        **marked,
        "facts": [
            *shown_facts(sample, found),
            ["duration", f"{found['seconds']:g} s"],
            ["sampled at", rate if channels == 1 else f"{rate}, {channels} channels"],
        ],
    }


def _around(span: Span, context: float, length: float) -> Span:
    end = max(min(span.end + context, length), span.end)
    return Span(round(max(span.start - context, 0.0), 3), round(end, 3))


def _shares(span: Span, part: Span) -> list[float]:
    whole = max(part.end - part.start, 1e-3)
    return [round((each - part.start) / whole, 5) for each in span]


def shown(
    cache: Path, path: Path, span: Span | None = None, scale: str = "mel"
) -> tuple[Path, str]:
    """The picture that a browser gets of a sound, or of a ``span`` of it, kept in ``cache``, and
    its media type."""
    place = rendition_place(cache, path, f"picture 2 {scale}", span)
    remembered(place, lambda: picture(path, *SHOWN_SIZE, scale, span))
    return place, "image/png"


def shown_linear(cache: Path, path: Path, span: Span | None = None) -> tuple[Path, str]:
    """:func:`shown` with frequencies evenly spaced in hertz."""
    return shown(cache, path, span, "linear")


def picture(
    path: Path, width: int, height: int, scale: str = "mel", span: Span | None = None
) -> bytes:
    """PNG of ``width`` × ``height`` pixels: the first third the waveform on a transparent
    ground, below it the spectrogram up to half the rate, its frequencies by one of SCALES, 80 dB
    from bright to dark; silence is dark. Column x shows the time x / width of the duration.
    Raises LabelingError for what cannot be read."""
    with opened(path, span) as sound:
        if not sound.frames:
            raise LabelingError(f"{path.name} ends before this window.")
        columns = int(np.clip(sound.frames // _FEWEST_FRAMES, 1, width))
        drawn = _outline(sound, columns, scale)
    above = height // 3
    wave = _wave(drawn.lowest, drawn.highest, above)[:, np.arange(width) * columns // width]
    spectrum = _spectrogram(drawn.bands, width, height - above)
    content = BytesIO()
    image = Image.fromarray(np.vstack([wave, spectrum]))
    image.putpalette(_palette().tobytes())
    # Runs of equal pixels alone: a fifth of the time, and files as small.
    image.save(content, "PNG", transparency=_CLEAR, compress_type=zlib.Z_RLE)
    return content.getvalue()


def axis(rate: int, scale: str) -> list[list[str | float]]:
    """Frequencies to write beside the picture of a sound at ``rate`` (Hz): each with its share of
    the picture's height, from its top (the waveform's third) down."""
    place = _mel if scale == "mel" else float
    top = float(place(rate / 2))
    ticks = [tick for tick in _TICKS if tick < rate / 2]
    if scale != "mel":
        step = max((tick for tick in ticks if rate / 2 / tick >= 4), default=rate)
        ticks = list(range(step, rate // 2, step))
    places = [(tick, 1 - float(place(tick)) / top) for tick in ticks]
    # Labels that would touch are left out, the lower ones first.
    kept: list[tuple[int, float]] = []
    for tick, share in reversed(places):
        if share > 0.04 and (not kept or share - kept[-1][1] > 0.1):
            kept.append((tick, share))
    return [[_hertz(tick), round(1 / 3 + 2 / 3 * share, 4)] for tick, share in kept]


def _hertz(frequency: int) -> str:
    return f"{frequency} Hz" if frequency < 1000 else f"{frequency / 1000:g} kHz"


def _mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))


def outline(path: Path, columns: int, scale: str = "mel") -> Outline:
    """Read the sound once. A column longer than a piece is read as several and put together."""
    with opened(path) as sound:
        return _outline(sound, columns, scale)


def _outline(sound: soundfile.SoundFile, columns: int, scale: str) -> Outline:
    size = int(2 ** np.clip(np.round(np.log2(sound.samplerate * 0.032)), 8, 13))
    each = -(-sound.frames // (columns * _PIECE))
    edges = np.linspace(0, sound.frames, columns * each + 1).astype(int)
    lows, highs, powers = _read(sound, np.diff(edges), size)
    filters = mel_bands if scale == "mel" else linear_bands
    lowest = lows.reshape(columns, each).min(axis=1)
    highest = highs.reshape(columns, each).max(axis=1)
    shares = filters(sound.samplerate, size, _BANDS).astype(np.float32)
    bands = shares @ powers.reshape(columns, each, -1).mean(axis=1).T
    return Outline(lowest, highest, bands / (size / 4) ** 2)


def _read(
    sound: soundfile.SoundFile, lengths: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, highest value and power spectrum of consecutive pieces of ``lengths`` frames.
    Half a window before and behind each piece is seen, too, so that spectra are centred."""
    ahead = np.concatenate([np.zeros(size // 2, np.float32), _exactly(sound, size // 2)])
    found = []
    for some in _together(lengths):
        frames = int(some.sum())
        seen = np.concatenate([ahead, _exactly(sound, frames)])
        found.append(_measured(seen, some, size))
        ahead = seen[frames:]
    lowest, highest, powers = (np.concatenate(each) for each in zip(*found, strict=True))
    return lowest, highest, powers


def _together(lengths: np.ndarray) -> list[np.ndarray]:
    """Pieces that are read at once, since a call for each would cost more than the sound: as many
    as _PIECE frames hold, at least one."""
    number = np.cumsum(lengths) // _PIECE
    return np.split(lengths, np.flatnonzero(np.diff(number)) + 1)


def _measured(
    seen: np.ndarray, lengths: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What :func:`_read` gives, of pieces that are ``seen`` with half a window on both sides."""
    ends = np.cumsum(lengths)
    begins, own = ends - lengths, seen[size // 2 :][: ends[-1]]
    counts = np.minimum(_WINDOWS, 1 + lengths // (size // 2))
    first = np.cumsum(counts) - counts
    piece = np.repeat(np.arange(len(lengths)), counts)
    turn = np.arange(len(piece)) - first[piece] + 1
    starts = begins[piece] + lengths[piece] * turn // (counts[piece] + 1)
    window = np.hanning(size).astype(np.float32)
    spectra = np.fft.rfft(sliding_window_view(seen, size)[starts] * window)
    powers = np.add.reduceat(spectra.real**2 + spectra.imag**2, first)
    powers /= counts[:, None].astype(np.float32)
    return np.minimum.reduceat(own, begins), np.maximum.reduceat(own, begins), powers


def _exactly(sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The next frames, with silence behind the end; values that are no numbers are silence."""
    part = np.nan_to_num(mono(sound, frames), posinf=0, neginf=0)
    return part if len(part) == frames else np.pad(part, (0, frames - len(part)))


def mel_bands(rate: int, size: int, bands: int) -> np.ndarray:
    """Triangular filters, bands × (size / 2 + 1), evenly spaced in mel = 2595 log10(1 + f / 700)
    (O'Shaughnessy, 1987) up to half the ``rate``; each sums to one."""
    edges = 700 * (10 ** (np.linspace(0, _mel(rate / 2), bands + 2) / 2595) - 1)
    return _triangles(edges, rate, size)


def linear_bands(rate: int, size: int, bands: int) -> np.ndarray:
    """:func:`mel_bands`, evenly spaced in hertz."""
    return _triangles(np.linspace(0, rate / 2, bands + 2), rate, size)


def _triangles(edges: np.ndarray, rate: int, size: int) -> np.ndarray:
    bands = len(edges) - 2
    frequencies = np.linspace(0, rate / 2, size // 2 + 1)
    step = rate / size
    # A low band may be narrower than the distance of two frequencies: it is widened to it.
    rising = (frequencies - edges[:-2, None]) / np.maximum(np.diff(edges)[:-1, None], step)
    falling = (edges[2:, None] - frequencies) / np.maximum(np.diff(edges)[1:, None], step)
    filters = np.maximum(np.minimum(rising, falling), 0)
    nearest = np.abs(frequencies - edges[1:-1, None]).argmin(axis=1)
    filters[np.arange(bands), nearest] = np.maximum(filters[np.arange(bands), nearest], 1e-3)
    return filters / filters.sum(axis=1, keepdims=True)


def _wave(lowest: np.ndarray, highest: np.ndarray, height: int) -> np.ndarray:
    """Palette indices, height × columns: a bar from the lowest to the highest value of each
    column, the loudest filling the height."""
    loudest = max(float(np.abs([lowest, highest]).max()), 1e-6)
    levels = np.linspace(1, -1, height)[:, None] * loudest
    thin = loudest / max(height, 1)
    inside = (levels <= highest + thin) & (levels >= lowest - thin)
    return np.where(inside, _WAVE, _CLEAR).astype(np.uint8)


def _spectrogram(bands: np.ndarray, width: int, height: int) -> np.ndarray:
    """Palette indices, height × width, high bands at the top."""
    decibels = 10 * np.log10(np.maximum(bands, 1e-20))
    level = np.clip(1 + (decibels - max(decibels.max(), _SILENCE)) / _RANGE, 0, 1)
    grey = Image.fromarray(level[::-1].astype(np.float32)).resize((width, height))
    shade = np.clip(np.asarray(grey), 0, 1)
    return (_DARKEST + np.rint(shade * (255 - _DARKEST))).astype(np.uint8)


def _palette() -> np.ndarray:
    """256 colours, RGB, uint8: the clear one, that of the wave, and the shades."""
    places = np.linspace(0, len(_SHADES) - 1, 256 - _DARKEST)
    known = np.arange(len(_SHADES))
    shades = np.stack([np.interp(places, known, channel) for channel in _SHADES.T], axis=1)
    return np.vstack([(0, 0, 0), _WAVE_COLOUR, shades]).astype(np.uint8)
