"""Windows of recordings: their names, how recordings are cut, and which are held out together."""

from __future__ import annotations

from itertools import pairwise

import pytest

from labeling_core.modalities.registry import SUFFIXES
from labeling_core.sources import windows
from labeling_core.sources.windows import Span


@pytest.mark.parametrize("path", ["a.wav", "day 1/ä#b.flac", "a.wav#1-2.mp3", "x\ny.wav", "#.wav"])
@pytest.mark.parametrize("span", [Span(0, 5), Span(2.5, 7.5), Span(35_995.125, 36_000)])
def test_a_name_says_of_which_file_and_what(path: str, span: Span) -> None:
    assert windows.split(windows.name(path, span)) == (path, span)
    assert windows.split(path) == (path, None)


def test_names_are_short() -> None:
    assert windows.name("a.wav", Span(0, 5)) == "a.wav#0-5"
    assert windows.name("a.wav", Span(12.5, 17.5)) == "a.wav#12.5-17.5"


def test_no_file_that_is_taken_is_named_like_a_window() -> None:
    """Its ending would have to be of digits and dots alone."""
    for suffixes in SUFFIXES.values():
        for suffix in suffixes:
            assert windows.split(f"x#1-2{suffix}").span is None
            assert any(each.isalpha() for each in suffix)


@pytest.mark.parametrize("length", [0.4, 5, 5.001, 7.2, 12, 60, 61.37, 2_400])
@pytest.mark.parametrize(("seconds", "overlap"), [(5, 0), (5, 2.5), (3, 2.7), (0.1, 0.03)])
def test_windows_cover_a_recording_and_nothing_else(
    length: float, seconds: float, overlap: float
) -> None:
    found = windows.cut(length, seconds, overlap)
    assert found[0].start == 0 and found[-1].end == pytest.approx(length, abs=2e-3)
    assert len(set(found)) == len(found)
    for before, after in pairwise(found):
        assert after.start - before.start <= seconds - overlap + 2e-3
        assert before.end - after.start >= overlap - 2e-3
    if length >= seconds:
        assert {round(each.end - each.start, 3) for each in found} == {seconds}
    else:
        assert len(found) == 1


def test_what_has_no_length_has_no_windows() -> None:
    assert windows.cut(0, 5, 0) == windows.cut(0.0004, 5, 0) == []


def test_windows_are_read_recording_by_recording_in_the_order_of_time() -> None:
    mixed = ["b#5-10", "a#10-15", "b#0-5", "a#5-10"]
    assert windows.by_recording(mixed) == ["b#0-5", "b#5-10", "a#5-10", "a#10-15"]
    assert windows.by_recording(["b.wav", "a.wav", "c.wav"]) == ["b.wav", "a.wav", "c.wav"]


def cut_all(lengths: dict[str, float], seconds: float = 5, overlap: float = 2.5) -> list[str]:
    return [
        windows.name(path, span)
        for path, length in lengths.items()
        for span in windows.cut(length, seconds, overlap)
    ]


def test_whole_recordings_are_held_out_where_there_are_enough() -> None:
    found = cut_all({f"{n}.wav": 60 for n in range(20)})
    ranks = windows.held_out(found, len(found) // 10, seed=3)
    held = {windows.split(each).path for each, rank in zip(found, ranks, strict=True) if rank == 0}
    rest = {windows.split(each).path for each, rank in zip(found, ranks, strict=True) if rank == 2}
    assert len(held) == 2 and not held & rest and set(ranks) == {0, 2}
    assert ranks == windows.held_out(found, len(found) // 10, seed=3)


@pytest.mark.parametrize("lengths", [{"a.wav": 2_400}, {"a.wav": 900, "b.wav": 700}])
@pytest.mark.parametrize("overlap", [0, 2.5, 4.5])
def test_of_few_recordings_blocks_of_time_are_held_out_with_a_gap(
    lengths: dict[str, float], overlap: float
) -> None:
    found = cut_all(lengths, overlap=overlap)
    wanted = len(found) // 10
    ranks = windows.held_out(found, wanted, seed=1)
    assert wanted <= ranks.count(0) <= 2 * wanted and ranks.count(2) > 0.7 * len(found)
    spans = [windows.split(each) for each in found]
    measuring = [each for each, rank in zip(spans, ranks, strict=True) if rank == 0]
    training = [each for each, rank in zip(spans, ranks, strict=True) if rank == 2]
    for path, probe in measuring:
        for other, trained in training:
            apart = max(trained.start - probe.end, probe.start - trained.end)
            assert other != path or apart >= 2.5 - 1e-6


def test_something_is_left_to_train_on() -> None:
    assert windows.held_out(cut_all({"a.wav": 30}), 3, seed=0).count(2) == 11
    assert windows.held_out([], 0, seed=0) == []
    # One recording, and one of which nobody knows how long it is.
    for seed in range(5):
        ranks = windows.held_out([*cut_all({"a.wav": 60}, overlap=0), "b.wav"], 1, seed)
        assert ranks == [2] * 12 + ranks[-1:]


def apart(names: list[str], drawn: set[str], block: float) -> set[str]:
    found = windows.set_apart(names, [each in drawn for each in names], block)
    return {each for each, is_apart in zip(names, found, strict=True) if is_apart}


def test_later_windows_of_a_held_out_recording_are_set_apart() -> None:
    before, grown = cut_all({"a.wav": 60, "b.wav": 60}), cut_all({"a.wav": 90, "b.wav": 90})
    drawn = {each for each in before if each.startswith("a.wav")}
    assert apart(before, drawn, 0) == set()
    later = {each for each in grown if each.startswith("a.wav")} - drawn
    assert (
        len(later) == 12 and apart([*before, *sorted(set(grown) - set(before))], drawn, 0) == later
    )


@pytest.mark.parametrize("overlap", [0, 2.5, 4.5])
def test_of_a_block_that_grew_only_what_is_far_enough_trains_and_measures(overlap: float) -> None:
    """A recording that ended within a block that is held out goes on."""
    before = cut_all({"a.wav": 58}, overlap=overlap)
    grown = [*before, *(set(cut_all({"a.wav": 120}, overlap=overlap)) - set(before))]
    found = apart(grown, set(before), 60.0)
    spans = {each: windows.split(each).span for each in grown}
    measures = [spans[each] for each in before if each not in found]
    trains = [spans[each] for each in grown if each not in {*before, *found}]
    assert min(each.start for each in trains) - max(each.end for each in measures) >= 2.5 - 1e-6
    assert len(measures) > len(before) / 2 and len(trains) > len(grown) / 3
