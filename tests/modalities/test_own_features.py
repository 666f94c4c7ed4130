"""Models and vectors that people bring along: found, described, asked, refused with a reason."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import own_model
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import own_features, own_vectors
from labeling_core.modalities.extraction import extract
from labeling_core.modalities.feature_matrix import Extracted, matrix, scaling
from labeling_core.modalities.registry import MODALITIES, fits, offered, version_of
from labeling_core.sources.windows import Span


def picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 20)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def read(key: str, path: Path, span: Span | None = None) -> np.ndarray:
    found: np.ndarray = own_features.reader(key).features(path, span)
    return found


def test_a_model_of_pictures_is_given_what_its_description_says(
    models: Path, tmp_path: Path
) -> None:
    own_model.write(models / "mean.onnx", [1, 3, 8, 8], [2, 3])
    said = (
        'modality = "images"\ntitle = "Mean"\nmean = [0.5, 0, 0.25]\ndeviation = [0.5, 1, 0.25]\n'
    )
    (models / "mean.toml").write_text(said, "utf-8")
    assert own_features.found() == ([("own_mean", "Mean", "images")], {})
    found = read("own_mean", picture(tmp_path / "a.png", (255, 51, 0)))
    assert found.dtype == np.float32
    assert found == pytest.approx([1.0, 0.2, -1.0], abs=1e-6)


def test_a_model_that_wants_colours_last_gets_them_last(models: Path, tmp_path: Path) -> None:
    own_model.write(models / "last.onnx", ["n", 4, 6, 3], [1, 2])
    (models / "last.toml").write_text('modality = "images"\n', "utf-8")
    found = read("own_last", picture(tmp_path / "a.png", (255, 51, 0)))
    assert found == pytest.approx([1.0, 0.2, 0.0], abs=1e-6)


def test_of_a_picture_the_middle_may_be_cut_out(models: Path, tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), (0, 0, 0))
    image.paste((255, 255, 255), (10, 0, 30, 20))  # the middle square
    image.save(tmp_path / "a.png")
    own_model.write(models / "cut.onnx", [1, 3, 10, 10], [2, 3])
    shares = {}
    for fit in ("stretch", "crop"):
        (models / "cut.toml").write_text(f'modality = "images"\nfit = "{fit}"\n', "utf-8")
        shares[fit] = float(read("own_cut", tmp_path / "a.png").mean())
    assert shares["crop"] == pytest.approx(1.0) and shares["stretch"] == pytest.approx(
        0.5, abs=0.02
    )


def test_what_comes_first_is_not_the_mean(models: Path, tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 1, 8))  # the first column alone
    image.save(tmp_path / "a.png")
    own_model.write(models / "map.onnx", [1, 3, 8, 8], [2], keep=True)
    found = {}
    for pool in ("mean", "first"):
        (models / "map.toml").write_text(f'modality = "images"\npool = "{pool}"\n', "utf-8")
        found[pool] = read("own_map", tmp_path / "a.png")
    assert found["first"] == pytest.approx([1, 1, 1]) and found["mean"] == pytest.approx(
        [1 / 8] * 3
    )


def tone(path: Path, seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    wave: np.ndarray = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    soundfile.write(path, np.stack([wave, wave], 1), rate, subtype="FLOAT")
    return wave


def test_a_waveform_comes_in_pieces_and_counts_by_its_length(models: Path, tmp_path: Path) -> None:
    own_model.write(models / "loud.onnx", [1, "n"], [1], absolute=True, keep=True)
    said = 'modality = "sounds"\nrate = 8000\nseconds = 1.0\n'
    (models / "loud.toml").write_text(said, "utf-8")
    wave = np.concatenate([np.full(8000, 0.5), np.full(4000, 0.25)]).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", wave, 8000, subtype="FLOAT")
    # The second piece is half a second of sound, filled up: half as loud, and counts half.
    expected = (0.5 * 1 + 0.125 * 0.5) / 1.5
    assert read("own_loud", tmp_path / "a.wav") == pytest.approx([expected], abs=1e-6)
    assert read("own_loud", tmp_path / "a.wav", Span(1.0, 1.5)) == pytest.approx([0.125], abs=1e-6)
    with pytest.raises(LabelingError, match="ends within this window"):
        read("own_loud", tmp_path / "a.wav", Span(1.0, 9.0))


@pytest.mark.parametrize("shape", [[1, 1, 32, "t"], [1, "t", 32], ["t", 32]])
def test_a_log_mel_spectrogram_is_librosas_whichever_way_round(
    models: Path, tmp_path: Path, shape: list[int | str]
) -> None:
    upright = shape[-1] == "t"
    moments = len(shape) - 1 if upright else len(shape) - 2
    own_model.write(models / "mel.onnx", shape, [moments])
    said = (
        'modality = "sounds"\ninput = "log-mel"\nrate = 16000\nseconds = 1\nmels = 32\n'
        "window = 0.032\nhop = 0.016\nlowest = 50\nhighest = 7000\n"
    )
    (models / "mel.toml").write_text(said, "utf-8")
    wave = tone(tmp_path / "a.wav", 1.0, 16_000)
    mel = librosa.feature.melspectrogram(
        y=wave, sr=16_000, n_fft=512, hop_length=256, n_mels=32, fmin=50, fmax=7000
    )
    expected = np.log(np.maximum(mel, 1e-10)).mean(axis=1)
    assert read("own_mel", tmp_path / "a.wav") == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", 'say modality = "images"'),
        ('modality = "smells"', 'say modality = "images"'),
        ('modality = "images"\nheigth = 3', "there is no “heigth”; there are modality"),
        ('modality = "images"\nwidth = "wide"', "“width” should be a whole number"),
        ('modality = "images"\nwidth = -1', "“width” should be at least 0"),
        ('modality = "images"\nmean = [1, 2]', "“mean” should be three numbers"),
        ('modality = "images"\ndeviation = [1, 0, 1]', "three numbers that are not 0"),
        ('modality = "sounds"\ninput = "mel"', "“input” should be waveform or log-mel"),
        ("modality = ", "it cannot be read"),
    ],
)
def test_a_description_that_is_wrong_says_so(models: Path, said: str, reason: str) -> None:
    own_model.write(models / "a.onnx", [1, 3, 8, 8], [2, 3])
    (models / "a.toml").write_text(said, "utf-8")
    usable, faults = own_features.found()
    assert not usable and reason in faults["a.toml"]


def test_what_is_incomplete_or_cannot_be_named_is_left_out_with_its_reason(models: Path) -> None:
    own_model.write(models / "alone.onnx", [1, 3, 8, 8], [2, 3])
    (models / "empty.toml").write_text('modality = "images"\n', "utf-8")
    (models / "a+b.npz").write_bytes(b"")
    (models / "README.md").write_text("nothing", "utf-8")
    usable, faults = own_features.found()
    assert not usable
    assert "alone.toml, which describes it, is not beside it" in faults["alone.onnx"]
    assert "its model empty.onnx is not beside it" in faults["empty.toml"]
    assert "call it by letters" in faults["a+b.npz"]
    assert set(faults) == {"alone.onnx", "empty.toml", "a+b.npz"}


def test_a_model_that_takes_something_else_is_told_before_any_file_is_blamed(models: Path) -> None:
    own_model.write(models / "odd.onnx", [1, 5], [1])
    (models / "odd.toml").write_text('modality = "images"\n', "utf-8")
    with pytest.raises(LabelingError, match=r"odd\.onnx does not take it"):
        own_features.reader("own_odd").try_out()
    (models / "odd.onnx").write_bytes(b"no model")
    with pytest.raises(LabelingError, match=r"odd\.onnx is no model in ONNX"):
        own_features.reader("own_odd").try_out()


def save_vectors(path: Path, names: list[str], rows: np.ndarray) -> None:
    if path.suffix == ".npz":
        np.savez(path, names=np.array(names), vectors=rows)
    else:
        pq.write_table(pa.table({"path": names, "vector": rows.tolist()}), path)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_vectors_are_found_by_path(models: Path, tmp_path: Path, suffix: str) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    rows[2, 1] = np.nan
    save_vectors(models / f"dino{suffix}", ["./a.png", "b\\c.png", "d.png"], rows)
    assert own_features.found().usable == [("vectors_dino", f"Vectors of dino{suffix}", "")]
    found = dict(
        own_vectors.of_files(
            own_features.file("vectors_dino"), ["b/c.png", "a.png", "d.png", "e.png"]
        )
    )
    assert found["a.png"].tolist() == [0, 1] and found["b/c.png"].tolist() == [2, 3]
    assert "holds values that are no numbers" in str(found["d.png"])
    assert "have none of e.png" in str(found["e.png"])


def test_vectors_of_other_files_set_none_aside(models: Path) -> None:
    save_vectors(models / "other.npz", ["x.png"], np.ones((1, 2)))
    with pytest.raises(LabelingError, match=r"begins with “x\.png”, the files with “a\.png”"):
        list(own_vectors.of_files(models / "other.npz", ["a.png", "b.png"]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"names": np.array(["a"])}, "one array of texts"),
        ({"names": np.array(["a", "b"]), "rows": np.ones((1, 2))}, "a path and a vector a row"),
        ({"names": np.array(["a", "./a"]), "rows": np.ones((2, 2))}, "two vectors of a"),
        ({"names": np.array(["a"], object), "rows": np.ones((1, 2))}, "cannot be read as arrays"),
    ],
)
def test_files_that_are_no_vectors_say_why(
    models: Path, content: dict[str, np.ndarray], reason: str
) -> None:
    np.savez(models / "a.npz", **content)  # type: ignore[arg-type]
    with pytest.raises(LabelingError, match=reason):
        own_vectors.read(models / "a.npz")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"path": ["a"], "size": [1]}, "one column of lists of numbers; it has path, size"),
        ({"name": ["a"], "vector": [[1.0]]}, "a column path or sample_id"),
    ],
)
def test_tables_that_hold_no_vectors_say_why(
    models: Path, table: dict[str, list[object]], reason: str
) -> None:
    pq.write_table(pa.table(table), models / "a.parquet")
    with pytest.raises(LabelingError, match=reason):
        own_vectors.read(models / "a.parquet")
    (models / "a.parquet").write_bytes(b"no table")
    with pytest.raises(LabelingError, match="cannot be read as Parquet"):
        own_vectors.read(models / "a.parquet")


def test_each_kind_is_offered_what_is_for_it(models: Path) -> None:
    own_model.write(models / "a.onnx", [1, "n"], [1])
    (models / "a.toml").write_text('modality = "sounds"\n', "utf-8")
    save_vectors(models / "b.npz", ["x"], np.ones((1, 2)))
    assert list(offered(MODALITIES["images"])) == ["classical", "embedding", "vectors_b"]
    assert list(offered(MODALITIES["sounds"])) == ["classical", "own_a", "vectors_b"]


def test_another_model_of_the_name_is_another_version_and_other_vectors_fit(
    models: Path,
) -> None:
    own_model.write(models / "a.onnx", [1, 3, 8, 8], [2, 3])
    (models / "a.toml").write_text('modality = "images"\n', "utf-8")
    save_vectors(models / "b.npz", ["x"], np.ones((1, 2)))
    before = version_of("images+own_a+vectors_b")
    assert before is not None and fits("images+own_a+vectors_b", before)
    save_vectors(models / "b.npz", ["y"], np.ones((1, 2)))
    assert version_of("images+own_a+vectors_b") != before
    assert fits("images+own_a+vectors_b", before)
    (models / "a.toml").write_text('modality = "images"\nfit = "crop"\n', "utf-8")
    assert not fits("images+own_a+vectors_b", before)
    (models / "a.onnx").unlink()
    assert version_of("images+own_a") is None


def test_several_features_stand_side_by_side_and_none_drowns_another(
    models: Path, tmp_path: Path
) -> None:
    media, kept = tmp_path / "media", tmp_path / "kept"
    media.mkdir()
    rng, names = np.random.default_rng(0), [f"{n}.png" for n in range(30)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(media / name)
    own_model.write(models / "mean.onnx", [1, 3, 8, 8], [2, 3])
    (models / "mean.toml").write_text('modality = "images"\n', "utf-8")
    rows = rng.normal(size=(30, 50)).astype(np.float32)
    save_vectors(models / "far.npz", names[:-1], rows[:-1])
    features = "images+own_mean+vectors_far"
    found = extract(names, media, kept, features)
    assert found.done == found.total == 90 and list(found.broken) == [names[-1]]
    read = Extracted(names, media, kept, features)
    assert read.usable() == list(range(29))
    assert read.widths(names[0])[1:] == [3, 50]
    assert read.row(names[4])[-50:] == pytest.approx(rows[4])
    usable, scaled = matrix(names, media, kept, features, tmp_path / "all.npy")
    found_rows = np.load(tmp_path / "all.npy")
    assert usable.sum() == 29 and not found_rows[-1].any()
    # Each counts as much as the three numbers of the model.
    blocks = np.split(found_rows[:29], [found_rows.shape[1] - 53, found_rows.shape[1] - 50], axis=1)
    weights = [float((each**2).sum()) / 29 for each in blocks]
    assert weights[1:] == pytest.approx([3, 3], rel=1e-3) and weights[0] <= 3.001
    alone = scaling(np.array([read.row(name)[-50:] for name in names[:29]]), 0)
    assert scaled.factor[-50:] == pytest.approx(alone.factor * np.sqrt(3 / 50), rel=1e-5)
