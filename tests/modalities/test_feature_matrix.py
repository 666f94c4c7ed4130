from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from broken_media import encoded, photo, write_all

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import extract
from labeling_core.modalities.feature_matrix import PIXEL_COMPONENTS, matrix, scaling


@pytest.fixture
def media(tmp_path: Path) -> Path:
    good = {f"{n}.png": encoded(photo(seed=n), "PNG") for n in range(8)}
    return write_all(tmp_path / "media", good | {"broken.png": b"no"})


def test_rows_stand_in_the_order_asked_for_and_broken_ones_are_flagged(
    media: Path, tmp_path: Path
) -> None:
    files = ["3.png", "broken.png", *(f"{n}.png" for n in (0, 7, 1, 5)), "missing.png"]
    extract(sorted(files), media, tmp_path / "out", "images")
    target = tmp_path / "out" / "features.npy"
    usable, _ = matrix(files, media, tmp_path / "out", "images", target)
    assert usable.tolist() == [True, False, True, True, True, True, False]
    written = np.load(target, mmap_mode="r")
    assert written.dtype == np.float32 and written.shape == (7, PIXEL_COMPONENTS + 576 + 112)
    assert np.isfinite(written).all() and not written[~usable].any()
    assert np.abs(written[usable]).max() <= 10
    # The same sample has the same row, whatever the order of the others.
    matrix(sorted(files), media, tmp_path / "out", "images", tmp_path / "other.npy")
    other = np.load(tmp_path / "other.npy")
    for at, name in enumerate(files):
        assert np.allclose(written[at], other[sorted(files).index(name)], atol=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media", "other.npy", "out"]


def test_without_any_file_that_was_read_there_is_a_sentence(media: Path, tmp_path: Path) -> None:
    extract(["broken.png"], media, tmp_path / "out", "images")
    with pytest.raises(LabelingError, match="None of the files"):
        matrix(["broken.png", "0.png"], media, tmp_path / "out", "images", tmp_path / "x.npy")


def test_what_was_not_read_yet_or_has_changed_is_not_usable(media: Path, tmp_path: Path) -> None:
    extract(["0.png", "1.png"], media, tmp_path / "out", "images")
    (media / "1.png").write_bytes(encoded(photo(40, 40), "PNG"))
    files = ["0.png", "1.png", "2.png"]
    usable, _ = matrix(files, media, tmp_path / "out", "images", tmp_path / "x.npy")
    assert usable.tolist() == [True, False, False]


def test_scaled_columns_have_mean_zero_and_deviation_one() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(5, 3, (500, 60)).astype(np.float32)
    rows[:, 50] = 7.0
    scaled = scaling(rows, 40)(rows)
    assert scaled.shape == (500, 32 + 20)
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-4)
    deviations = np.delete(scaled.std(axis=0), 32 + 10)
    assert np.allclose(deviations, 1, atol=1e-3)
    assert not scaled[:, 32 + 10].any()


def test_principal_components_keep_what_varies_most() -> None:
    random = np.random.default_rng(0)
    hidden = random.normal(size=(300, 3)) * [9, 5, 2]
    rows = (hidden @ random.normal(size=(3, 100))).astype(np.float32)
    scaled = scaling(rows, 100)(rows)
    assert (scaled.std(axis=0) > 0.5).sum() >= 3
    first = np.linalg.lstsq(scaled[:, :3], hidden - hidden.mean(axis=0), rcond=None)
    assert np.allclose(first[1], 0, atol=1e-3 * np.square(hidden).sum())
