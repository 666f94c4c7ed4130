"""What a share of probes costs and buys."""

from __future__ import annotations

from labeling_core.progress.probe_cost import describe


def test_the_cost_is_told_in_numbers():
    text = describe(0.1, 3_000, 300, 20, 0.95)
    assert text == (
        "10 %: of the next 200 samples 20 only measure, 180 train. After them accuracy is known "
        "to about ± 8 points, from 40 probes."
    )


def test_more_probes_know_more():
    def half(share):
        text = describe(share, 3_000, 1_500, 0, None)
        return int(text.split("±")[1].split()[0])

    assert half(0.05) > half(0.1) > half(0.3) > half(0.5)
    assert "(if it is about 90 %)" in describe(0.1, 3_000, 300, 0, None)


def test_the_ends_of_the_scale_and_of_the_pool():
    assert describe(0.0, 3_000, 0, 0, None).startswith("0 %: every sample trains, none measures")
    assert "of the 8 undecided samples 1 only measures, 7 train" in describe(0.1, 8, 5, 40, 1.0)
    assert "none measures" in describe(0.1, 3_000, 0, 300, 0.9)
    assert "no sample is left undecided" in describe(0.5, 0, 0, 300, 0.9)
