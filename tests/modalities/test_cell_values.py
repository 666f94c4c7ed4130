"""Texts as numbers, cell by cell: the same in the features and in what comes with a final model."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labeling_core.modalities.cell_values import text_numbers
from labeling_core.models import load_model


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("989,21", 989.21),
        ("1.715,62", 1715.62),
        ("+1.234.567,5", 1234567.5),
        ("-1,715.62", -1715.62),
        ("1.234.567", 1234567.0),
        ("1,234,567", 1234567.0),
        ("1.715", 1.715),  # a decimal point: one mark alone leaves a doubt
        ("1,715", 1.715),
        ("12.34,5", None),
        ("1.2345,6", None),
        ("0.123,4", None),
        ("1.234,567.8", None),
        ("192.168.1.1", None),
        ("007", None),
        ("1e5", 1e5),
        ("", None),
        ("-", None),
    ],
)
def test_a_text_is_the_same_number_here_and_in_a_final_model(text, number):
    assert text_numbers(pa.chunked_array([[text]])).to_pylist() == [number]
    assert load_model._number(text) == number
