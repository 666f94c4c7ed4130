"""Sounds: open one, tell its facts, make it playable, turn it into numbers.

Display (with sound_pictures) needs NumPy and soundfile alone. librosa, which may compile for
half a minute when it is first used, is imported by ``features`` only, in a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from labeling_core.errors import LabelingError
from labeling_core.modalities import ogg_pages, sound_decoding, sound_parts
from labeling_core.modalities.renditions import keep, rendition_place
from labeling_core.sources.folders import file_facts, require_media
from labeling_core.sources.windows import Span
from labeling_core.store.removal import remove

SUFFIXES = frozenset({
    ".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
    ".w64", ".opus", ".spx", ".m4a", ".m4b", ".m4r", ".3ga", ".aac", ".wma", ".amr", ".awb",
    ".mp2", ".mka", ".weba", ".wv", ".tta", ".ape", ".ac3", ".voc",
})  # fmt: skip
MEDIA_TYPES = {"WAV": "audio/wav", "FLAC": "audio/flac", "OGG": "audio/ogg", "MP3": "audio/mpeg"}
# What libsndfile reads; all else, and what it does not see all of, is decoded by FFmpeg.
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "AIFF")
_HEADS = (b"RIFF", b"RIFX", b"fLaC", b"OggS", b"FORM")
FEATURES_VERSION = 1
PIXEL_COLUMNS = 0
SLOWDOWN = 10  # times, of what is above hearing
_FEW = 0.25  # seconds by which lengths may differ from what is decoded
_LOWEST_RATE = 8_000  # hertz, of what a browser plays for certain

_PLAYABLE = ("PCM_16", "PCM_24", "PCM_U8", "PCM_S8", "FLOAT", "VORBIS", "OPUS", "MPEG_LAYER_III")
_RATE = 22_050
_EXCERPTS, _EXCERPT_SECONDS = 12, 5
_PARTS = 6
_BLOCK = 1 << 16
# Programs that write to a pipe leave such a length behind; it says nothing.
_UNKNOWN_LENGTH = 0x7FFFF000
_UNCOUNTED = 2**48  # more frames than there are: a FLAC that was written to a pipe


def facts(path: Path) -> dict[str, Any]:
    """Name, size (bytes), date (ISO 8601, UTC), seconds, rate (Hz), channels, format.

    Reads only the header. Raises LabelingError for what is no sound.
    """
    with _described(path):
        if not _read_directly(path):
            seconds, rate, channels, kind, _ = sound_decoding.told(path)
        else:
            with soundfile.SoundFile(path) as sound:
                seconds, rate = sound.frames / sound.samplerate, sound.samplerate
                channels, kind = sound.channels, str(sound.format)
        return file_facts(path) | {
            "seconds": round(seconds, 3),
            "rate": rate,
            "channels": channels,
            "format": kind,
        }


def length(path: Path) -> float:
    """The seconds of a sound, counted where no header tells them. Raises LabelingError."""
    with _described(path):
        if not _read_directly(path):
            return sound_decoding.told(path, exact=True).seconds
        with soundfile.SoundFile(path) as sound:
            return float(sound.frames / sound.samplerate)


@contextmanager
def opened(path: Path, span: Span | None = None) -> Iterator[soundfile.SoundFile]:
    """The sound, or a ``span`` of it, open for reading; whatever goes wrong inside becomes one
    LabelingError."""
    with _described(path):
        direct = _read_directly(path)
        if span is not None:
            part = sound_parts.read_directly if direct else sound_parts.decode
            with part(path, span) as sound:
                yield sound
            return
        with soundfile.SoundFile(path) if direct else sound_decoding.decoded(path) as sound:
            yield sound


def content(path: Path, span: Span | None = None) -> bytes:
    """A digest of the rate and of all samples of a sound, or of a ``span`` of it. Raises
    LabelingError for what cannot be decoded."""
    with opened(path, span) as sound:
        digest = blake2b(f"{sound.samplerate} {sound.channels}".encode())
        for block in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
            digest.update(block.tobytes())
    return digest.digest()


@contextmanager
def _described(path: Path) -> Iterator[None]:
    require_media(path, "a sound")
    try:
        yield
    except soundfile.SoundFileError as error:
        raise LabelingError(f"{path.name} {sound_decoding.NO_SOUND}.") from error


def _read_directly(path: Path) -> bool:
    """Whether libsndfile reads the file, and all of it."""
    with path.open("rb") as file:
        # What has an MP3's ending would go to mpg123, which writes into the log of the server.
        if file.read(4) not in _HEADS:
            return False
    try:
        with soundfile.SoundFile(path) as sound:
            known = sound.format in FORMATS and 0 < sound.channels <= 64
            counted = 0 < sound.frames < _UNCOUNTED and sound.samplerate > 0
            return known and counted and not (sound.format == "OGG" and ogg_pages.is_chain(path))
    except soundfile.SoundFileError:
        return False


def require_complete(sound: soundfile.SoundFile, path: Path, span: Span | None = None) -> None:
    """Raise LabelingError when the file, or the ``span`` of it that is read, ends early.

    A wrong length in a header alone is no such end: programs that write to a pipe leave one
    behind. What counts is whether the last unit (page, frame) of the file is whole.
    """
    if span is not None:
        if sound.frames / sound.samplerate < span.end - span.start - _FEW:
            raise LabelingError(f"{path.name} ends within this window, or before it.")
        return
    if isinstance(sound, sound_decoding.DecodedSound):
        early = sound.early
    else:
        lengths = re.search(r"(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", sound.extra_info)
        # One that counts the file's header in is a mistake of the program that wrote it.
        length = int(lengths[1]) if lengths else 0
        early = path.stat().st_size < length < _UNKNOWN_LENGTH or not _has_last_frame(sound)
    if early or ogg_pages.is_cut(path):
        raise LabelingError(f"{path.name} ends early: the rest of it is missing.")
    sound.seek(0)


def _has_last_frame(sound: soundfile.SoundFile) -> bool:
    try:
        sound.seek(sound.frames - 1)
        return len(sound.read(1)) == 1
    except soundfile.SoundFileError:
        return False


def playable(path: Path, copy: Path) -> tuple[Path, str]:
    """A file that browsers play, and its media type: ``path`` itself, or else ``copy``, a FLAC
    of it, which is written unless it is there already. Raises LabelingError."""
    with _described(path):
        kind = _played_by_browsers(path)
    if kind:
        return path, MEDIA_TYPES[kind]
    return _copied(path, copy, None)


def _played_by_browsers(path: Path) -> str:
    """A key of MEDIA_TYPES; empty where browsers would play nothing, or not all of it."""
    if not _read_directly(path):
        found = sound_decoding.told(path)
        return "MP3" if found.format == "MP3" and found.plain else ""
    with soundfile.SoundFile(path) as sound:
        kind = sound.format.removesuffix("X")
        return kind if kind in MEDIA_TYPES and sound.subtype in _PLAYABLE else ""


def heard(cache: Path, path: Path, span: Span | None = None) -> tuple[Path, str]:
    """:func:`playable` with the copy in ``cache``; a ``span`` of a sound always is such a copy."""
    copy = rendition_place(cache, path, "audio", span)
    return playable(path, copy) if span is None else _copied(path, copy, span)


def slowed(cache: Path, path: Path, span: Span | None = None) -> tuple[Path, str]:
    """The sound at a tenth of its speed and pitch, so that what is above hearing is heard: a FLAC
    kept in ``cache``, and its media type. Browsers would resample it first, and lose that."""
    return _copied(path, rendition_place(cache, path, "slow", span), span, SLOWDOWN)


def _copied(path: Path, copy: Path, span: Span | None, slowdown: int = 1) -> tuple[Path, str]:
    if not copy.exists():
        with opened(path, span) as sound:
            _write_flac(sound, copy, slowdown)
    return copy, MEDIA_TYPES["FLAC"]


def _write_flac(sound: soundfile.SoundFile, copy: Path, slowdown: int = 1) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    part = copy.with_name(f".{copy.name}.{id(sound)}.part")  # two may ask at once
    # FLAC knows up to 8 channels.
    channels = sound.channels if sound.channels <= 8 else 1
    # Browsers play no rate below 3 kHz.
    rate = sound.samplerate // slowdown
    more = -(-_LOWEST_RATE // rate) if slowdown > 1 else 1
    shape = (part, "w", rate * more, channels, "PCM_16", None, "FLAC")
    try:
        with soundfile.SoundFile(*shape) as target:
            for block in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
                sane = np.nan_to_num(block, posinf=0, neginf=0)  # libsndfile writes no others
                values = sane if channels > 1 else sane.mean(axis=1, keepdims=True)
                target.write(_finer(values, more))
        keep(part, copy)
    finally:
        remove(part)


def _finer(block: np.ndarray, times: int) -> np.ndarray:
    """``times`` values in the place of each, on straight lines between them."""
    if times == 1:
        return block
    places = np.arange(len(block) * times) / times
    return np.stack([np.interp(places, np.arange(len(block)), each) for each in block.T], axis=1)


def mono(sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The next ``frames`` frames (fewer at the end), channels averaged, float32 in -1..1."""
    parts = [np.zeros(0, np.float32)]
    while frames > 0 and len(
        block := sound.read(min(frames, _BLOCK), dtype="float32", always_2d=True)
    ):
        parts.append(block @ np.full(sound.channels, 1 / sound.channels, np.float32))
        frames -= len(block)
    return np.concatenate(parts)


def features(path: Path) -> np.ndarray:
    """Descriptors of one sound, float32: MFCC with two deltas, centroid, bandwidth, roll-off,
    contrast, zero crossings and loudness, as mean and deviation over time (of the deltas the
    deviation), and the MFCC of each sixth of the sound, so that order counts but tempo does not.

    Sounds of more than a minute are represented by twelve excerpts of five seconds, evenly
    spread. Raises LabelingError for what is damaged or cut, or holds NaN or infinity.
    """
    return statistics(*excerpts(path)).astype(np.float32)


def excerpts(path: Path, span: Span | None = None) -> tuple[list[np.ndarray], int]:
    """What :func:`features` sees of a sound, or of a ``span`` of it, mono, and its rate in hertz;
    raises as that does."""
    with opened(path, span) as sound:
        require_complete(sound, path, span)
        parts, rate = _excerpts(sound), sound.samplerate
    if not all(np.isfinite(part).all() for part in parts):
        raise LabelingError(f"{path.name} holds values that are no numbers.")
    return parts, rate


def _excerpts(sound: soundfile.SoundFile) -> list[np.ndarray]:
    """Mono: all of a short sound, evenly spread excerpts of a long one."""
    length = _EXCERPT_SECONDS * sound.samplerate
    if sound.frames <= _EXCERPTS * length:
        return [mono(sound, sound.frames)]
    parts = []
    for start in np.linspace(0, sound.frames - length, _EXCERPTS).astype(int).tolist():
        sound.seek(start)
        parts.append(mono(sound, length))
    return parts


def statistics(parts: list[np.ndarray], rate: int) -> np.ndarray:
    """The numbers of :func:`features`, of excerpts at a rate (Hz); nothing above 11 kHz counts."""
    import librosa

    alike = [librosa.resample(part, orig_sr=rate, target_sr=_RATE) for part in parts]
    signal = np.concatenate(alike)
    sounding, _ = librosa.effects.trim(signal, top_db=25, frame_length=512, hop_length=128)
    signal = librosa.util.fix_length(sounding, size=max(len(sounding), 4096))
    power = np.abs(librosa.stft(signal, n_fft=1024, hop_length=256)) ** 2
    mel = librosa.feature.melspectrogram(S=power, sr=_RATE, n_mels=64)
    cepstrum = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=60), n_mfcc=20)
    level = np.vstack([cepstrum, *_spectrum(np.sqrt(power), signal)])
    change = [librosa.feature.delta(cepstrum[:13], order=order, mode="nearest") for order in (1, 2)]
    parts = [part.mean(axis=1) for part in np.array_split(cepstrum[:13], _PARTS, axis=1)]
    spread = [rows.std(axis=1) for rows in (level, *change)]
    return np.concatenate([level.mean(axis=1), *spread, *parts])


def _spectrum(magnitude: np.ndarray, signal: np.ndarray) -> list[np.ndarray]:
    from librosa import feature, power_to_db

    loudness = feature.rms(S=magnitude, frame_length=1024)
    return [
        feature.spectral_contrast(S=magnitude, sr=_RATE, fmin=100.0),
        feature.spectral_centroid(S=magnitude, sr=_RATE),
        feature.spectral_bandwidth(S=magnitude, sr=_RATE),
        feature.spectral_rolloff(S=magnitude, sr=_RATE),
        feature.zero_crossing_rate(signal, frame_length=1024, hop_length=256),
        power_to_db(loudness**2),
    ]
