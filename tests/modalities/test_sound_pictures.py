from __future__ import annotations

import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from broken_media import broken_sounds, recorded, tone, write_all
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities.sound_pictures import axis, mel_bands, outline, picture


def drawn(folder: Path, signal: np.ndarray, rate: int = 16_000, width: int = 300) -> np.ndarray:
    path = write_all(folder, {"x.wav": recorded(signal, rate, "WAV")}) / "x.wav"
    image = Image.open(BytesIO(picture(path, width, 120)))
    assert image.size == (width, 120) and image.format == "PNG"
    return np.asarray(image.convert("RGBA")).astype(int)


def test_the_wave_stands_above_the_spectrum(tmp_path: Path) -> None:
    half = np.concatenate([tone(1), np.zeros((16_000, 1), np.float32)])
    pixels = drawn(tmp_path, half)
    bars = (pixels[:40, :, 3] > 0).sum(axis=0)
    assert bars[:140].min() > 5 and bars[160:].max() <= 2
    brightness = pixels[40:, :, :3].sum(axis=(0, 2))
    assert brightness[:140].min() > 1.5 * brightness[160:].max()
    assert (pixels[40:, :, 3] == 255).all()


def test_an_event_stands_at_its_own_time(tmp_path: Path) -> None:
    signal = np.zeros((48_000, 1), np.float32)
    signal[36_000:36_040] = 0.9
    pixels = drawn(tmp_path, signal)
    assert (pixels[:40, :, 3] > 0).sum(axis=0).argmax() == 225
    assert abs(int(pixels[40:, :, :3].sum(axis=(0, 2)).argmax()) - 225) <= 2


def test_high_sounds_stand_above_low_ones(tmp_path: Path) -> None:
    rows = [
        drawn(tmp_path, tone(1, pitch=pitch))[40:, 150, :3].sum(axis=1).argmax()
        for pitch in (200, 1000, 4000, 7000)
    ]
    assert rows == sorted(rows, reverse=True) and len(set(rows)) == 4


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_the_bright_band_is_the_band_of_the_tone(tmp_path: Path, rate: int) -> None:
    path = write_all(tmp_path, {"x.wav": recorded(tone(1, rate, 1500), rate, "WAV")}) / "x.wav"
    band = outline(path, 50).bands.mean(axis=1).argmax()
    top = 2595 * np.log10(1 + rate / 2 / 700)
    expected = 2595 * np.log10(1 + 1500 / 700) / top * 97 - 1
    assert abs(band - expected) <= 1.5


def test_every_mel_band_sees_something_and_sums_to_one() -> None:
    for rate, size in ((8_000, 256), (16_000, 512), (44_100, 1024), (192_000, 4096)):
        bands = mel_bands(rate, size, 96)
        assert bands.shape == (96, size // 2 + 1) and (bands >= 0).all()
        assert np.allclose(bands.sum(axis=1), 1)


@pytest.mark.parametrize("seconds", [0.0001, 0.01, 0.3])
def test_short_and_silent_sounds_have_a_picture(tmp_path: Path, seconds: float) -> None:
    drawn(tmp_path, tone(seconds, channels=3), width=800)
    drawn(tmp_path, np.zeros((int(seconds * 16_000) + 1, 1), np.float32))


def test_what_is_put_together_from_pieces_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000).astype(np.float32)
    path = write_all(tmp_path, {"x.wav": recorded(noise, 16_000, "WAV")}) / "x.wav"
    whole = outline(path, 20)
    monkeypatch.setattr("labeling_core.modalities.sound_pictures._PIECE", 1_000)
    pieces = outline(path, 20)
    assert np.array_equal(whole.lowest, pieces.lowest)
    assert np.array_equal(whole.highest, pieces.highest)
    assert np.allclose(10 * np.log10(pieces.bands / whole.bands), 0, atol=6)


def test_a_long_sound_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 44_100, 2, "PCM_16") as sound:
        for _ in range(600):
            sound.write(np.zeros((44_100, 2), np.int16))
    tracemalloc.start()
    picture(path, 1000, 300)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 100e6 and most < 40e6


def test_a_broken_sound_has_no_picture_but_a_sentence(tmp_path: Path) -> None:
    write_all(tmp_path, broken_sounds())
    for name in ("empty.wav", "text.mp3", "html.ogg", "random.aiff", "no_frames.wav"):
        with pytest.raises(LabelingError):
            picture(tmp_path / name, 100, 60)


@pytest.mark.parametrize("scale", ["mel", "linear"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 250_000])
def test_a_tone_stands_where_the_axis_says(tmp_path: Path, scale: str, rate: int) -> None:
    ticks = axis(rate, scale)
    assert len(ticks) >= 3 and all(1 / 3 < share < 1 for _, share in ticks)
    units = {"Hz": 1, "kHz": 1_000}
    for text, share in ticks:
        number, unit = str(text).split()
        pitch = float(number) * units[unit]
        content = recorded(tone(0.5, rate, pitch), rate, "WAV")
        path = write_all(tmp_path, {"x.wav": content}) / "x.wav"
        image = Image.open(BytesIO(picture(path, 200, 360, scale))).convert("RGB")
        column = np.asarray(image).astype(int)[120:, 100].sum(axis=1)
        assert abs((120 + column.argmax()) / 360 - float(share)) < 0.015


def test_silence_is_dark_and_a_quiet_sound_is_not(tmp_path: Path) -> None:
    nothing = drawn(tmp_path, np.zeros((16_000, 1), np.float32))
    quiet = drawn(tmp_path, 0.001 * tone(1))
    assert nothing[40:, :, :3].max() <= 24 and quiet[40:, :, :3].max() > 180
