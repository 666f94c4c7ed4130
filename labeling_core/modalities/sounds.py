"""Sounds: open one, tell its facts, make it playable, turn it into numbers.

Display (with sound_pictures) needs NumPy and soundfile alone. librosa, which may compile for
half a minute when it is first used, is imported by ``features`` only, in a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from labeling_core.errors import LabelingError
from labeling_core.modalities.renditions import keep, rendition_place
from labeling_core.modalities.sample_view import Shown, Viewer, shown_facts
from labeling_core.sources.folders import file_facts, require_media
from labeling_core.store.removal import remove

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff"})
MEDIA_TYPES = {"WAV": "audio/wav", "FLAC": "audio/flac", "OGG": "audio/ogg", "MP3": "audio/mpeg"}
FORMATS = (*MEDIA_TYPES, "WAVEX", "AIFF")
FEATURES_VERSION = 1
PIXEL_COLUMNS = 0

_PLAYABLE = ("PCM_16", "PCM_24", "PCM_U8", "PCM_S8", "FLOAT", "VORBIS", "OPUS", "MPEG_LAYER_III")
_RATE = 22_050
_EXCERPTS, _EXCERPT_SECONDS = 12, 5
_PARTS = 6
_BLOCK = 1 << 16
# Programs that write to a pipe leave such a length behind; it says nothing.
_UNKNOWN_LENGTH = 0x7FFFF000


def facts(path: Path) -> dict[str, str | int | float]:
    """Name, size (bytes), date (ISO 8601, UTC), seconds, rate (Hz), channels, format.

    Reads only the header. Raises LabelingError for what is no sound.
    """
    with opened(path) as sound:
        return file_facts(path) | {
            "seconds": round(sound.frames / sound.samplerate, 3),
            "rate": sound.samplerate,
            "channels": sound.channels,
            "format": sound.format,
        }


def view(sample: Shown, viewer: Viewer) -> dict[str, Any]:
    """The view of a sound: ``seconds`` long; ``picture`` shows it over that time."""
    found = facts(viewer.file(sample.sample_id))
    rate, channels = f"{int(found['rate']):,} Hz", int(found["channels"])
    return {
        "url": viewer.link("audio", sample.sample_id),
        "picture": viewer.link("picture", sample.sample_id),
        "seconds": found["seconds"],
        "facts": [
            *shown_facts(sample, found),
            ["duration", f"{found['seconds']:g} s"],
            ["sampled at", rate if channels == 1 else f"{rate}, {channels} channels"],
        ],
    }


@contextmanager
def opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """The sound, open for reading; whatever goes wrong inside becomes one LabelingError."""
    require_media(path, "a sound")
    try:
        with soundfile.SoundFile(path) as sound:
            if sound.format not in FORMATS or not 0 < sound.channels <= 64:
                raise LabelingError(f"{path.name} is {sound.format}, which cannot be played.")
            if sound.frames <= 0 or sound.samplerate <= 0:
                raise LabelingError(f"{path.name} holds no sound.")
            yield sound
    except soundfile.SoundFileError as error:
        raise LabelingError(f"{path.name} is damaged or no sound that can be read.") from error


def require_complete(sound: soundfile.SoundFile, path: Path) -> None:
    """Raise LabelingError when the file ends before its header says so."""
    lengths = re.search(r"(?:data|SSND)\s*: (\d+) \(should be (\d+)\)", sound.extra_info)
    early = lengths and int(lengths[2]) < int(lengths[1]) < _UNKNOWN_LENGTH
    # The length of an MP3 is an estimate.
    last = sound.frames - 1 if sound.format != "MP3" else sound.frames * 9 // 10
    try:
        sound.seek(last)
        early = early or len(sound.read(1)) == 0 or _lacks_last_page(sound, path)
    except soundfile.SoundFileError:
        early = True
    if early:
        raise LabelingError(f"{path.name} ends early: the rest of it is missing.")
    sound.seek(0)


def _lacks_last_page(sound: soundfile.SoundFile, path: Path) -> bool:
    """Whether an Ogg file stops before the page that is marked as its end (RFC 3533, §6)."""
    if sound.format != "OGG":
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_307))  # the largest page there can be
        tail = file.read()
    start = tail.rfind(b"OggS")
    return start < 0 or len(tail) < start + 6 or not tail[start + 5] & 4


def playable(path: Path, copy: Path) -> tuple[Path, str]:
    """A file that browsers play, and its media type: ``path`` itself, or else ``copy``, a FLAC
    of it, which is written unless it is there already. Raises LabelingError."""
    with opened(path) as sound:
        kind = sound.format.removesuffix("X")
        if kind in MEDIA_TYPES and sound.subtype in _PLAYABLE:
            return path, MEDIA_TYPES[kind]
        if not copy.exists():
            _write_flac(sound, copy)
    return copy, MEDIA_TYPES["FLAC"]


def heard(cache: Path, path: Path) -> tuple[Path, str]:
    """:func:`playable` with the copy in ``cache``."""
    return playable(path, rendition_place(cache, path, "audio"))


def _write_flac(sound: soundfile.SoundFile, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    part = copy.with_name(f".{copy.name}.{id(sound)}.part")  # two may ask at once
    # FLAC knows up to 8 channels.
    channels = sound.channels if sound.channels <= 8 else 1
    shape = (part, "w", sound.samplerate, channels, "PCM_16", None, "FLAC")
    try:
        with soundfile.SoundFile(*shape) as target:
            for block in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
                target.write(block if channels > 1 else block.mean(axis=1))
        keep(part, copy)
    finally:
        remove(part)


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
    with opened(path) as sound:
        require_complete(sound, path)
        excerpts = _excerpts(sound)
        rate = sound.samplerate
    if not all(np.isfinite(excerpt).all() for excerpt in excerpts):
        raise LabelingError(f"{path.name} holds values that are no numbers.")
    return _statistics(excerpts, rate).astype(np.float32)


def _excerpts(sound: soundfile.SoundFile) -> list[np.ndarray]:
    """Mono: all of a short sound, evenly spread excerpts of a long one."""
    length = _EXCERPT_SECONDS * sound.samplerate
    if sound.frames <= _EXCERPTS * length:
        return [mono(sound, sound.frames)]
    excerpts = []
    for start in np.linspace(0, sound.frames - length, _EXCERPTS).astype(int).tolist():
        sound.seek(start)
        excerpts.append(mono(sound, length))
    return excerpts


def _statistics(excerpts: list[np.ndarray], rate: int) -> np.ndarray:
    import librosa

    alike = [librosa.resample(part, orig_sr=rate, target_sr=_RATE) for part in excerpts]
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
