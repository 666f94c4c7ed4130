from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from broken_media import broken_sounds, coded, recorded, refusal, tone, wave, write_all

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


CODED = {  # suffix → container, codec, rate, what its format is called
    ".m4a": ("ipod", "aac", 44_100, "M4A"),
    ".m4b": ("ipod", "alac", 44_100, "M4A"),
    ".aac": ("adts", "aac", 48_000, "AAC"),
    ".opus": ("opus", "libopus", 48_000, "OGG"),
    ".wma": ("asf", "wmav2", 44_100, "WMA"),
    ".amr": ("amr", "libopencore_amrnb", 8_000, "AMR"),
    ".mka": ("matroska", "libopus", 48_000, "Matroska"),
    ".wv": ("wv", "wavpack", 22_050, "WavPack"),
    ".tta": ("tta", "tta", 16_000, "TTA"),
    ".caf": ("caf", "pcm_s16le", 16_000, "CAF"),
    ".ac3": ("ac3", "ac3", 48_000, "AC3"),
    ".mp2": ("mp2", "mp2", 48_000, "MP3"),
}


@pytest.mark.parametrize("suffix", sorted(CODED))
def test_what_ffmpeg_decodes_is_shown_heard_and_learned_from(tmp_path: Path, suffix: str) -> None:
    container, codec, rate, kind = CODED[suffix]
    signal = tone(1.5, rate, pitch=600)
    path = written(tmp_path, coded(signal, rate, container, codec), "x" + suffix)
    facts = sounds.facts(path)
    assert (facts["rate"], facts["channels"], facts["format"]) == (rate, 1, kind)
    assert facts["seconds"] == pytest.approx(1.5, abs=0.15)
    assert refusal(read_to_the_end, path) is None
    place, media_type = sounds.playable(path, tmp_path / "copy.flac")
    assert media_type == ("audio/ogg" if suffix == ".opus" else MEDIA.get(suffix, "audio/flac"))
    if media_type == "audio/flac":
        heard, read_rate = soundfile.read(place)
        assert read_rate == rate and len(heard) / rate == pytest.approx(1.5, abs=0.15)
        assert pitch_of(heard, rate) == pytest.approx(600, abs=5)
    same = sounds.features(written(tmp_path, recorded(signal, rate, "WAV"), "same.wav"))
    other = sounds.features(
        written(tmp_path, recorded(tone(1.5, rate, pitch=2_500), rate, "WAV"), "other.wav")
    )
    vector = sounds.features(path)
    assert np.linalg.norm((vector - same)[:20]) < 0.5 * np.linalg.norm((vector - other)[:20])


MEDIA = {".mp2": "audio/mpeg"}


@pytest.mark.parametrize("suffix", [".m4a", ".aac", ".opus", ".wma", ".mka", ".wv", ".caf"])
def test_what_ffmpeg_decodes_is_refused_when_it_is_cut(tmp_path: Path, suffix: str) -> None:
    container, codec, rate, _ = CODED[suffix]
    noise = np.random.default_rng(0).normal(0, 0.1, (6 * rate, 1))
    content = coded(noise, rate, container, codec)
    path = written(tmp_path, content[: len(content) // 2 - 7], "x" + suffix)
    assert "ends early" in str(refusal(read_to_the_end, path))


def test_no_playlist_leads_ffmpeg_to_another_file(tmp_path: Path) -> None:
    secret = written(tmp_path, wave(1), "secret.wav")
    lists = {
        "hls.m4a": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "concat.mka": f"ffconcat version 1.0\nfile {secret}\n",
    }
    for name, text in lists.items():
        path = written(tmp_path, text.encode(), name)
        assert "no sound" in str(refusal(read_to_the_end, path))


def test_a_damaged_mp3_writes_nothing_into_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(recorded(tone(3), 16_000, "MP3"))
    content[600:] = bytes(255 - each for each in content[600:])
    path = written(tmp_path, bytes(content), "x.mp3")
    for use in (sounds.facts, read_to_the_end, lambda path: sounds.playable(path, tmp_path / "c")):
        refusal(use, path)
    wrong = written(tmp_path, recorded(tone(3), 16_000, "MP3")[:4000], "y.mp3")
    refusal(read_to_the_end, wrong)
    assert capfd.readouterr() == ("", "")


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
    expected["coding.wav"] = "in a coding that is not known"
    expected |= {f"cut.{kind}": "ends early" for kind in ("wav", "flac", "mp3", "aiff")}
    for name, part in expected.items():
        assert part in str(refusal(read_to_the_end, tmp_path / name)) or name == "cut.flac"


def ogg_noise(seconds: int = 30) -> bytes:
    noise = np.random.default_rng(0).normal(0, 0.1, seconds * 16_000)
    return recorded(noise, 16_000, "OGG")


def test_an_ogg_file_is_whole_when_its_last_page_is(tmp_path: Path) -> None:
    content = ogg_noise()
    last = content.rindex(b"OggS")
    unmarked = bytearray(content)
    unmarked[last + 5] &= 0xFB  # many programs set no mark at the end
    for whole in (bytes(unmarked), content[:last], content + b"TAG" + bytes(125)):
        assert refusal(read_to_the_end, written(tmp_path, whole, "x.ogg")) is None
    for cut in (content[:-1], content[: last + 20], content[: last + 2]):
        path = written(tmp_path, cut, "x.ogg")
        assert "ends early" in str(refusal(read_to_the_end, path))


def test_of_two_streams_in_one_file_both_are_heard(tmp_path: Path) -> None:
    low, high = tone(2, pitch=300), tone(3, pitch=2_000)
    for kind in ("OGG", "MP3"):
        content = recorded(low, 16_000, kind) + recorded(high, 16_000, kind)
        path = written(tmp_path, content, "x" + FORMATS[kind])
        assert refusal(read_to_the_end, path) is None
        assert sounds.facts(path)["seconds"] == pytest.approx(5, abs=0.3)
        copy, media_type = sounds.playable(path, tmp_path / f"{kind}.flac")
        assert media_type == "audio/flac"
        heard, rate = soundfile.read(copy)
        assert len(heard) / rate == pytest.approx(5, abs=0.3)
        assert pitch_of(heard[:rate], rate) == pytest.approx(300, abs=5)
        assert pitch_of(heard[-2 * rate : -rate], rate) == pytest.approx(2_000, abs=5)


def pitch_of(signal: np.ndarray, rate: int) -> float:
    """The strongest frequency in hertz."""
    signal = signal.ravel()
    strength = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float(strength.argmax() * rate / len(signal))


def test_an_mp3_whose_header_is_wrong_is_read_to_its_end(tmp_path: Path) -> None:
    content = recorded(tone(4), 16_000, "MP3")
    place = max(content.find(b"Xing"), content.find(b"Info")) + 8
    frames = int.from_bytes(content[place : place + 4], "big")
    for told in (frames // 2, frames * 2):
        wrong = content[:place] + told.to_bytes(4, "big") + content[place + 4 :]
        path = written(tmp_path, wrong, "x.mp3")
        assert refusal(read_to_the_end, path) is None
        assert sounds.facts(path)["seconds"] == pytest.approx(4, abs=0.2)
        assert sounds.playable(path, tmp_path / f"{told}.flac")[1] == "audio/flac"


def test_a_flac_that_does_not_say_its_length_is_whole_and_a_cut_one_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * 16_000)
    content = bytearray(recorded(noise, 16_000, "FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path = written(tmp_path, bytes(content), "x.flac")
    assert refusal(read_to_the_end, path) is None
    assert sounds.facts(path)["seconds"] == 3
    with sounds.opened(path) as sound:
        assert np.abs(sound.read() - noise).max() < 1e-4
    cut = written(tmp_path, bytes(content[: len(content) // 2]), "cut.flac")
    assert "ends early" in str(refusal(read_to_the_end, cut))


def test_a_wave_of_unknown_length_from_a_pipe_is_complete(tmp_path: Path) -> None:
    content = bytearray(wave(1))
    place = content.index(b"data") + 4
    # Unknown in three ways, and two that count the header of the file in.
    whole = len(content)
    for length in (0xFFFFFFFF, 0x7FFFFFFF - 36, 0, whole, whole - 8):
        content[place : place + 4] = length.to_bytes(4, "little")
        path = written(tmp_path, bytes(content))
        assert refusal(read_to_the_end, path) is None
        assert sounds.facts(path)["seconds"] == 1


def test_without_a_decoder_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, coded(tone(1), 48_000, "adts", "aac"), "x.aac")
    monkeypatch.setattr("labeling_core.modalities.sound_decoding.find_spec", lambda name: None)
    assert str(refusal(read_to_the_end, path)).endswith(": pip install av")


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


@pytest.mark.parametrize("rate", [16_000, 250_000])
def test_a_tenth_of_the_speed_is_a_tenth_of_the_pitch(tmp_path: Path, rate: int) -> None:
    pitch = rate / 5
    path = written(tmp_path, recorded(tone(0.2, rate, pitch), rate, "WAV"))
    copy, media_type = sounds.slowed(tmp_path / "cache", path)
    heard, slow_rate = soundfile.read(copy)
    assert media_type == "audio/flac" and slow_rate >= 8_000
    assert len(heard) / slow_rate == pytest.approx(2, abs=0.01)
    assert pitch_of(heard, slow_rate) == pytest.approx(pitch / 10, rel=0.01)
