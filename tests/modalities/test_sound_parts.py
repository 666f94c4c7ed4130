"""Parts of sounds: the same as the whole has there, in every format, whatever was read before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from broken_media import coded, recorded
from long_recording import RATE, write
from test_sounds import CODED

from labeling_core.errors import LabelingError
from labeling_core.modalities import sound_band, sound_decoding, sound_parts, sound_pictures, sounds
from labeling_core.sources.windows import Span

SPANS = [Span(0, 4), Span(12.345, 15), Span(5, 6), Span(17, 20)]
# Milliseconds by which a time that was sought may be off: of Opus libsndfile passes the pre-skip.
LATE = {".wma": 110, ".mka": 21, ".opus": 7}


def melody(seconds: float, rate: int) -> np.ndarray:
    """Another pitch each tenth of a second: no two parts are alike."""
    pitches = np.random.default_rng(0).uniform(200, 2_500, int(10 * seconds))
    each = np.repeat(pitches, rate // 10)
    return (0.4 * np.sin(2 * np.pi * np.cumsum(each) / rate)).astype(np.float32)[:, None]


def lag(part: np.ndarray, whole: np.ndarray) -> int:
    """By how many values ``part`` is behind ``whole``."""
    size = 2 * max(len(part), len(whole))
    alike = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(whole, size)))
    best = int(alike.argmax())
    return best - size if best > size // 2 else best


@pytest.mark.parametrize("suffix", [*sorted(CODED), ".mp3", ".wav", ".flac", ".ogg", ".aiff"])
def test_a_part_is_what_the_whole_has_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    container, codec, rate, _ = CODED.get(suffix, ("mp3", "libmp3lame", 44_100, "MP3"))
    signal = melody(20, rate)
    if suffix in (".wav", ".flac", ".ogg", ".aiff"):
        path.write_bytes(recorded(signal, rate, suffix[1:].upper()))
    else:
        path.write_bytes(coded(signal, rate, container, codec))
    with sounds.opened(path) as sound:
        whole = sound.read(dtype="float32")
    assert sounds.length(path) == pytest.approx(20, abs=0.1)
    for span in [*SPANS, *SPANS[::-1]]:
        with sounds.opened(path, span) as sound:
            assert sound.samplerate == rate
            part = sound.read(dtype="float32")
        assert len(part) / rate == pytest.approx(span.end - span.start, abs=0.11)
        there = whole[round(span.start * rate) : round(span.end * rate)]
        assert abs(lag(part, there)) <= LATE.get(suffix, 0.2) / 1000 * rate


@pytest.mark.parametrize(
    ("name", "form", "codec", "timed", "late"),
    [("x.flac", "flac", "flac", False, 0), ("x.mp3", "mp3", "libmp3lame", False, 2),
     ("x.m4a", "ipod", "aac", True, 2), ("x.m4a", "ipod", "aac", False, 1024),
     ("x.aac", "adts", "aac", False, 1024)],
)  # fmt: skip
def test_a_part_is_what_was_recorded_then(
    tmp_path: Path, name: str, form: str, codec: str, timed: bool, late: int
) -> None:
    """Encoders put silence in front. Where the file says how much it is taken off; AAC without
    such a word is later by one frame."""
    rate = 44_100
    signal = melody(20, rate)
    (tmp_path / name).write_bytes(coded(signal, rate, form, codec, timed))
    assert sounds.length(tmp_path / name) == pytest.approx(20, abs=0.05)
    for span in SPANS:
        with sounds.opened(tmp_path / name, span) as sound:
            part = sound.read(dtype="float32", always_2d=True).mean(axis=1)
        recorded_then = signal[round(span.start * rate) : round(span.end * rate), 0]
        assert 0 <= lag(part, recorded_then) <= late


def test_many_threads_read_parts_of_the_same_files(tmp_path: Path) -> None:
    """Each has the file for itself while it reads, and only a few stay open."""
    for number in range(4):
        content = coded(melody(10, 44_100), 44_100, "ipod", "alac")
        (tmp_path / f"{number}.m4a").write_bytes(content)

    def read(at: int) -> np.ndarray:
        with sounds.opened(tmp_path / f"{at % 4}.m4a", Span(at % 7, at % 7 + 1)) as sound:
            return np.asarray(sound.read())

    one_by_one = [read(at) for at in range(28)]
    with ThreadPoolExecutor(4) as threads:
        assert all(map(np.array_equal, threads.map(read, range(28)), one_by_one))
    assert len(sound_parts._idle) <= sound_parts._OPEN


def test_a_part_that_is_not_there_is_told(tmp_path: Path) -> None:
    write(tmp_path / "x.wav", 20)
    (tmp_path / "x.m4a").write_bytes(coded(melody(20, 44_100), 44_100, "ipod", "aac"))
    for name in ("x.wav", "x.m4a"):
        for span in (Span(18, 23), Span(25, 30)):
            with pytest.raises(LabelingError, match="ends within this window"):
                sound_band.features(tmp_path / name, span)
        with pytest.raises(LabelingError, match="ends before this window"):
            sound_pictures.picture(tmp_path / name, 100, 60, span=Span(25, 30))
    (tmp_path / "y.wav").write_bytes(b"RIFF no sound at all")
    with pytest.raises(LabelingError, match=r"y\.wav"):
        sound_band.features(tmp_path / "y.wav", Span(0, 5))


def test_a_cut_file_is_read_up_to_its_cut(tmp_path: Path) -> None:
    content = recorded(melody(20, RATE), RATE, "WAV")
    (tmp_path / "x.wav").write_bytes(content[: len(content) // 2])
    assert len(sound_band.features(tmp_path / "x.wav", Span(0, 5)))
    with pytest.raises(LabelingError):
        sound_band.features(tmp_path / "x.wav", Span(9, 14))


def test_a_part_is_seen_and_heard_like_a_file_of_its_own(tmp_path: Path) -> None:
    signal = melody(20, RATE)
    (tmp_path / "long.wav").write_bytes(recorded(signal, RATE, "WAV", "FLOAT"))
    part = recorded(signal[5 * RATE : 9 * RATE], RATE, "WAV", "FLOAT")
    (tmp_path / "part.wav").write_bytes(part)
    span, long, alone = Span(5, 9), tmp_path / "long.wav", tmp_path / "part.wav"
    assert np.array_equal(sound_band.features(long, span), sound_band.features(alone))
    drawn = sound_pictures.picture(long, 200, 90, span=span)
    assert drawn == sound_pictures.picture(alone, 200, 90)
    for make in (sounds.heard, sounds.slowed):
        place, kind = make(tmp_path / "cache", long, span)
        again, _ = make(tmp_path / "cache", long, Span(5, 10))
        assert kind == "audio/flac" and place != again
    place, _ = sounds.heard(tmp_path / "cache", long, span)
    heard, rate = soundfile.read(place)
    assert rate == RATE and np.allclose(heard, signal[5 * RATE : 9 * RATE, 0], atol=1e-4)


@pytest.mark.parametrize(("form", "codec"), [("mp3", "libmp3lame"), ("adts", "aac")])
def test_a_part_of_hours_without_a_table_is_read_from_shortly_before_it(
    tmp_path: Path, form: str, codec: str
) -> None:
    minute = coded(np.zeros((60 * 48_000, 1), np.float32), 48_000, form, codec)
    path = tmp_path / f"long.{form}"
    with path.open("wb") as file:
        for _ in range(110):
            file.write(minute)
    with sound_decoding.container(path, path) as found:
        for start in (6_000, 2_000, 4_000, 10):
            first, _ = sound_parts._from(found, start)
            assert start - 2 < first <= start
