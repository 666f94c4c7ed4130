"""What figures draw, bar by bar."""

from __future__ import annotations

import numpy as np

from labeling_core.progress import figures
from labeling_core.settings import Category


def bars(counts):
    return figures.labels_by_category(
        counts, [Category(name, color="#112233") for name, _ in counts]
    )


def test_each_of_26_bars_is_named_and_has_room():
    figure = bars([(chr(65 + at), at) for at in range(26)])
    assert list(figure.data[0].y) == [chr(65 + at) for at in range(26)]
    assert figure.layout.yaxis.dtick == 1
    assert figure.layout.height / 26 > 20


def test_before_the_first_label_the_axis_begins_at_zero():
    figure = bars([("red", 0), ("white", 0)])
    assert figure.layout.xaxis.range == (0, 1.15)


def test_of_very_many_categories_those_with_most_labels_are_drawn_and_the_rest_is_said():
    figure = bars([(f"species {at}", at) for at in range(1_000)])
    assert list(figure.data[0].x) == list(range(999, 939, -1))
    assert figure.layout.xaxis.title.text == "labels (940 categories with fewer are not drawn)"


def test_the_axis_of_uncertainty_says_what_its_ends_are_and_nothing_of_the_order():
    title = figures.uncertainty(np.linspace(0, 1, 21), [1] * 20).layout.xaxis.title.text
    assert title == "uncertainty (0: the model is sure, 1: it cannot tell)"
