"""The sample folders can be read, are small, and can be learned."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from labeling_core.modalities import images, sounds
from labeling_core.modalities.extraction import extract
from labeling_core.modalities.feature_matrix import matrix
from labeling_core.sources.folders import DATA, list_files

SAMPLES = {
    "digits": ("images", images.SUFFIXES, 1797),
    "spoken_words": ("sounds", sounds.SUFFIXES, 400),
}


def answers(name: str) -> dict[str, str]:
    with (DATA / name / "answers.csv").open(encoding="utf-8") as file:
        return {row["path"]: row["label"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_file_has_an_answer_and_every_answer_a_file(name: str) -> None:
    _, suffixes, count = SAMPLES[name]
    files = list_files(DATA / name, suffixes).files
    assert len(files) == count and set(files) == set(answers(name))


def test_the_spoken_words_are_small_and_balanced() -> None:
    paths = list((DATA / "spoken_words").glob("*.ogg"))
    assert sum(path.stat().st_size for path in paths) < 3_000_000
    words = list(answers("spoken_words").values())
    assert len(set(words)) == 10 and {words.count(word) for word in words} == {40}
    for path in paths:
        with sounds.opened(path) as sound:
            sounds.require_complete(sound, path)


@pytest.mark.parametrize(("name", "labels"), [("digits", 200), ("spoken_words", 100)])
def test_a_few_labels_are_enough_to_learn_it(name: str, labels: int, tmp_path: Path) -> None:
    features, suffixes, _ = SAMPLES[name]
    files = list_files(DATA / name, suffixes).files
    assert not extract(files, DATA / name, tmp_path, features).broken
    matrix(files, DATA / name, tmp_path, features, tmp_path / "features.npy")
    rows, known = np.load(tmp_path / "features.npy"), answers(name)
    classes = np.array([known[path] for path in files])
    order = np.random.default_rng(0).permutation(len(files))
    model = LogisticRegression(max_iter=1000).fit(rows[order[:labels]], classes[order[:labels]])
    assert model.score(rows[order[labels:]], classes[order[labels:]]) > 0.85
