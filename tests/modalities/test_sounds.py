from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from broken_media import broken_sounds, recorded, refusal, tone, wave, write_all

from labeling_core.errors import LabelingError
from labeling_core.modalities import sounds

FORMATS = {"WAV": ".wav", "FLAC": ".flac", "OGG": ".ogg", "MP3": ".mp3", "AIFF": ".aiff"}
BROKEN = broken_sounds()


def written(folder: Path, content: bytes, name: str = "x.wav") -> Path:
    return write_all(folder, {name: content}) / name


def read_to_the_end(path: Path) -> None:
    with sounds.opened(path) as sound:
        sounds.require_complete(sound, path)


@pytest.mark.parametrize("format", sorted(FORMATS))
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_every_format_rate_and_number_of_channels_is_read(
    tmp_path: Path, format: str, rate: int, channels: int
) -> None:
    content = recorded(tone(1.5, rate, channels=channels), rate, format)
    path = written(tmp_path, content, "x" + FORMATS[format])
    os.utime(path, (0, 0))
    facts = sounds.facts(path)
    assert (facts["rate"], facts["channels"], facts["format"]) == (rate, channels, format)
    assert facts["seconds"] == pytest.approx(1.5, abs=0.1)
    assert facts["size"] == len(content) and str(facts["date"]).startswith("1970")
    assert refusal(read_to_the_end, path) is None
    vector = sounds.features(path)
    assert vector.dtype == np.float32 and np.isfinite(vector).all()


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_every_kind_of_broken_sound_is_told_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, BROKEN[name], name)
    with pytest.raises(LabelingError) as error:
        sounds.features(path)
    assert str(error.value).startswith(name) and str(error.value).endswith(".")
    if name != "not_numbers.wav":  # only whoever reads all of it can tell
        assert refusal(read_to_the_end, path) == str(error.value)


def test_the_sentences_tell_the_kinds_of_damage_apart(tmp_path: Path) -> None:
    write_all(tmp_path, BROKEN)
    expected = {"empty.wav": "is empty", "html.ogg": "web page", "no_frames.wav": "holds no sound"}
    expected |= {f"cut.{kind}": "ends early" for kind in ("wav", "flac", "mp3", "aiff")}
    for name, part in expected.items():
        assert part in str(refusal(read_to_the_end, tmp_path / name)) or name == "cut.flac"


def test_an_ogg_file_without_its_last_page_ends_early(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 30 * 16_000)
    content = recorded(noise, 16_000, "OGG")
    path = written(tmp_path, content[: content.rindex(b"OggS")], "x.ogg")
    assert "ends early" in str(refusal(read_to_the_end, path))


def test_a_wave_of_unknown_length_from_a_pipe_is_complete(tmp_path: Path) -> None:
    content = bytearray(wave(1))
    place = content.index(b"data") + 4
    content[place : place + 4] = b"\xff\xff\xff\xff"
    assert refusal(read_to_the_end, written(tmp_path, bytes(content))) is None


def test_what_browsers_play_is_handed_out_as_it_is(tmp_path: Path) -> None:
    for format, media_type in sounds.MEDIA_TYPES.items():
        path = written(tmp_path, recorded(tone(1), 16_000, format), "x" + FORMATS[format])
        assert sounds.playable(path, tmp_path / "copy.flac") == (path, media_type)
    assert not (tmp_path / "copy.flac").exists()


@pytest.mark.parametrize(
    ("format", "subtype", "channels"),
    [
        ("AIFF", None, 2),
        ("WAV", "PCM_32", 1),
        ("WAV", "ULAW", 1),
        ("AIFF", None, 12),
    ],
)
def test_what_browsers_do_not_play_is_copied_once_to_flac(
    tmp_path: Path, format: str, subtype: str | None, channels: int
) -> None:
    signal = tone(1, channels=channels)
    path = written(tmp_path, recorded(signal, 16_000, format, subtype), "x" + FORMATS[format])
    copy = tmp_path / "cache" / "copy.flac"
    assert sounds.playable(path, copy) == (copy, "audio/flac")
    heard, rate = soundfile.read(copy, dtype="float32", always_2d=True)
    assert rate == 16_000 and heard.shape == (16_000, channels if channels <= 8 else 1)
    assert np.abs(heard - signal[:, : heard.shape[1]]).max() < 0.03
    made = copy.stat().st_mtime_ns
    sounds.playable(path, copy)
    assert copy.stat().st_mtime_ns == made and len(list(copy.parent.iterdir())) == 1


def test_features_have_one_length_whatever_the_sound(tmp_path: Path) -> None:
    signals = [tone(1.0), tone(0.001), np.zeros((16_000, 1), np.float32), tone(70.0, 8_000)]
    vectors = [
        sounds.features(written(tmp_path, recorded(signal, 16_000, "WAV"))) for signal in signals
    ]
    assert {vector.shape for vector in vectors} == {(168,)}
    assert all(np.isfinite(vector).all() for vector in vectors)


def test_features_depend_on_pitch_more_than_on_the_file_format(tmp_path: Path) -> None:
    low = sounds.features(written(tmp_path, recorded(tone(1, pitch=300), 16_000, "WAV")))
    same = sounds.features(
        written(tmp_path, recorded(tone(1, pitch=300), 16_000, "FLAC"), "x.flac")
    )
    high = sounds.features(written(tmp_path, recorded(tone(1, pitch=3000), 16_000, "WAV")))
    assert np.linalg.norm(low - same) < 0.05 * np.linalg.norm(low - high)


def test_of_a_long_sound_only_a_minute_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, recorded(np.zeros((8_000 * 600, 1), np.float32), 8_000, "WAV"))
    read: list[int] = []
    original = soundfile.SoundFile.read

    def counted(self: soundfile.SoundFile, frames: int = -1, *rest: object, **named: object):  # type: ignore[no-untyped-def]
        read.append(frames)
        return original(self, frames, *rest, **named)

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    sounds.features(path)
    assert sum(read) <= 8_000 * 61 and max(read) <= 1 << 16


def test_display_needs_neither_librosa_nor_scipy(tmp_path: Path) -> None:
    path = written(tmp_path, wave(1))
    program = (
        "import sys, pathlib\n"
        "from labeling_core.modalities import sounds, sound_pictures\n"
        f"path = pathlib.Path({str(path)!r})\n"
        "sounds.facts(path), sounds.playable(path, path)\n"
        "sound_pictures.picture(path, 200, 100)\n"
        "print(sorted({'librosa', 'scipy', 'numba', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stdout.strip() == "[]"
