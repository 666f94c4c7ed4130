from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from above_hearing import pulses
from broken_media import recorded, refusal, tone, write_all
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from labeling_core.modalities import sound_band, sound_pictures, sounds
from labeling_core.sources import windows


def written(folder: Path, signal: np.ndarray, rate: int, name: str = "x.wav") -> Path:
    return write_all(folder, {name: recorded(signal, rate, "WAV")}) / name


def test_pulses_above_hearing_are_told_apart_after_twenty_labels(tmp_path: Path) -> None:
    labels = np.arange(80) % 2
    vectors = np.array([
        sound_band.features(written(tmp_path, pulses((40e3, 70e3)[label], seed), 250_000))
        for seed, label in enumerate(labels)
    ])  # fmt: skip
    scaled = np.clip(StandardScaler().fit_transform(vectors), -10, 10)
    model = LogisticRegression(max_iter=1_000).fit(scaled[:20], labels[:20])
    assert model.score(scaled[20:], labels[20:]) > 0.95


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_of_ordinary_sounds_the_numbers_of_before_come_first(tmp_path: Path, rate: int) -> None:
    path = written(tmp_path, tone(0.5, rate), rate)
    vector, before = sound_band.features(path), sounds.features(path)
    assert np.array_equal(vector[: len(before)], before)
    assert len(vector) == len(before) + 3 * (len(sound_band.EDGES) - 1)
    assert vector.dtype == np.float32 and np.isfinite(vector).all()


@pytest.mark.parametrize("pitch", [9_000, 15_000, 40_000, 70_000, 110_000])
def test_the_loudest_band_is_that_of_the_tone(tmp_path: Path, pitch: float) -> None:
    parts, rate = sounds.excerpts(written(tmp_path, tone(0.2, 250_000, pitch), 250_000))
    band = int(sound_band.levels(parts, rate).mean(axis=0).argmax())
    assert sound_band.EDGES[band] <= pitch * 1.02 and sound_band.EDGES[band + 1] >= pitch * 0.98


def test_what_a_recording_cannot_hold_is_the_least_there_is(tmp_path: Path) -> None:
    for signal in (tone(0.5), np.zeros((10, 1), np.float32)):
        parts, rate = sounds.excerpts(written(tmp_path, signal, 16_000))
        level = sound_band.levels(parts, rate)
        assert (level[:, 1:] == -80).all() and np.isfinite(level).all()


def test_a_broken_file_has_the_same_sentence_as_before(tmp_path: Path) -> None:
    path = write_all(tmp_path, {"x.wav": b"no sound"}) / "x.wav"
    assert refusal(sound_band.features, path) == refusal(sounds.features, path)


def test_windows_of_one_recording_above_hearing_are_told_apart_heard_and_seen(
    tmp_path: Path,
) -> None:
    rate, labels = 250_000, np.arange(80) % 2
    pieces = [pulses((40e3, 70e3)[label], seed) for seed, label in enumerate(labels)]
    path = written(tmp_path, np.concatenate([*pieces, np.zeros(rate // 5, np.float32)]), rate)
    spans = windows.cut(sounds.length(path), 0.2, 0)
    assert len(spans) == 81
    vectors = np.array([sound_band.features(path, span) for span in spans[:80]])
    scaled = np.clip(StandardScaler().fit_transform(vectors), -10, 10)
    model = LogisticRegression(max_iter=1_000).fit(scaled[:20], labels[:20])
    assert model.score(scaled[20:], labels[20:]) > 0.95
    for at, pitch in ((0, 4_000), (1, 7_000)):  # at a tenth of the speed: what people hear
        place, kind = sounds.slowed(tmp_path / "cache", path, spans[at])
        heard, slow = soundfile.read(place)
        loudest = np.abs(np.fft.rfft(heard)).argmax() * slow / len(heard)
        assert (kind, slow) == ("audio/flac", rate // 10) and len(heard) / slow == pytest.approx(2)
        assert loudest == pytest.approx(pitch, rel=0.06)
    for at, is_dark in ((80, True), (1, False)):
        png = sound_pictures.picture(path, 200, 90, span=spans[at])
        shown = np.asarray(Image.open(BytesIO(png)).convert("RGB"))[30:]
        assert (shown.max() < 32) == is_dark
