"""Texts that are read by their meaning: the embedding itself, and columns of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from labeling_core.errors import LabelingError
from labeling_core.modalities import column_kinds, sentence_embedding
from labeling_core.modalities.sentence_embedding import TOKENS, WIDTH, embed
from labeling_core.modalities.tabular import FeatureSet, fit_features, transform
from labeling_core.projects import column_uses
from labeling_core.settings import Column, Settings

pytestmark = pytest.mark.usefixtures("weights")
WEATHER = [
    "It rained all afternoon.", "The sun came out at noon.", "Heavy snow is expected tonight.",
    "A storm blew over the coast.", "Fog covered the valley.", "Hail damaged our garden.",
    "What a warm and bright day!", "Thunder woke me up.", "The wind is icy this morning.",
    "Clouds gather over the hills.", "Frost bit the early blossoms.", "Drizzle fell for hours.",
]  # fmt: skip
MONEY = [
    "Shares fell by a third.", "My bank raised its fees.", "They refused me the loan.",
    "Inflation ate his savings.", "Pay the invoice by Friday.", "She invests in bonds.",
    "Taxes are due in April.", "Our rent went up again.", "The dollar lost ground.",
    "He could not afford the ticket.", "Your refund was transferred.", "Profits doubled last year.",
]  # fmt: skip
TEXTS = [each for both in zip(WEATHER, MONEY, strict=True) for each in both]


def fitted(folder: Path, texts: list[str | None], kind: str) -> FeatureSet:
    numbers = np.random.default_rng(0).random(len(texts))
    pq.write_table(pa.table({"remark": texts, "noise": numbers}), folder / "table.parquet")
    said = {"remark": {"kind": kind, "missing": None}}
    return fit_features(folder / "table.parquet", folder / kind, chosen=said)


def test_texts_are_as_alike_as_whoever_trained_the_model_says() -> None:
    texts = [
        "The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.",
    ]  # fmt: skip
    vectors = embed(texts)
    # From the model's page at sbert.net.
    expected = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=1e-4)


def test_a_vector_depends_on_its_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [" ".join(["word"] * length) + "." for length in (1, 40, 3, 400, 2, 120)]
    together = embed([*texts, texts[0], " ", ""])
    monkeypatch.setattr(sentence_embedding, "_kept", {})
    alone = np.concatenate([embed([each]) for each in texts])
    np.testing.assert_allclose(together[:6], alone, atol=1e-5)
    assert np.array_equal(together[6], together[0]) and np.isnan(together[7:]).all()
    longest = " ".join(["word"] * (TOKENS - 2))  # two tokens begin and end every text
    np.testing.assert_allclose(*embed([longest, longest + " and whatever follows"]), atol=1e-5)
    assert embed([]).shape == (0, WIDTH)


def test_no_more_vectors_are_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_embedding, "_kept", {})
    monkeypatch.setattr(sentence_embedding, "_MOST_KEPT", 3)
    first = embed(TEXTS[:4])
    assert list(sentence_embedding._kept) == TEXTS[:3]
    assert np.array_equal(embed(TEXTS[:4])[:3], first[:3])


def test_what_two_labels_tell_holds_for_texts_without_a_common_word(tmp_path: Path) -> None:
    right = np.tile([0, 1], len(WEATHER))
    shares = {}
    for kind in ("sentence", "text"):
        rows = fitted(tmp_path, TEXTS * 2, kind).matrix[: len(TEXTS)]
        model = LogisticRegression().fit(rows[:8], right[:8])
        shares[kind] = model.score(rows[8:], right[8:])
    assert shares["sentence"] == 1.0 and shares["text"] < 0.8


def test_a_column_read_by_its_meaning_is_so_many_columns_and_drowns_no_other(
    tmp_path: Path,
) -> None:
    features = fitted(tmp_path, [*TEXTS, None, "  "], "sentence")
    assert features.columns == {"remark": f"sentence {WIDTH}", "noise": "number"}
    assert features.width == WIDTH + 1
    matrix = np.asarray(features.matrix)
    assert np.isfinite(matrix).all() and not matrix[-2:, 1:].any()  # missing: the mean
    weight = (matrix[:, 1:] ** 2).sum(axis=1).mean() / (matrix[:, 0] ** 2).mean()
    assert 30 < weight < 65  # as much as 64 numbers at most
    again = transform(tmp_path / "table.parquet", tmp_path / "sentence")
    np.testing.assert_allclose(again, matrix, atol=1e-4)


def test_rows_to_fit_on_are_few_where_texts_take_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_kinds, "FIT_TEXTS", 5)
    told: list[str] = []
    pq.write_table(pa.table({"remark": TEXTS}), tmp_path / "table.parquet")
    features = fit_features(
        tmp_path / "table.parquet", tmp_path / "features",
        progress=lambda text, _: told.append(text),
        chosen={"remark": {"kind": "sentence", "missing": None}},
    )  # fmt: skip
    assert features.matrix.shape == (len(TEXTS), WIDTH)
    assert "Reading the first texts by their meaning" in told


def test_without_the_packages_a_sentence_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(source="wine", columns=(Column("remark", kind="sentence"),))
    assert not column_uses.mistakes(settings, ["remark"], None)
    features = fitted(tmp_path, list(TEXTS), "sentence")
    monkeypatch.setattr(sentence_embedding, "PACKAGES", ("a_package_that_is_not_there",))
    command = sentence_embedding.INSTALL_COMMAND
    assert command in str(column_uses.mistakes(settings, ["remark"], None))
    with pytest.raises(LabelingError, match=command):
        transform(tmp_path / "table.parquet", features.folder)
