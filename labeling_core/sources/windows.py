"""Windows of long recordings: samples that are parts of a file, called ``path#from-to``.

Names are made and read here alone. What is taken as a recording has letters in its ending, so that
no file's own name reads as that of a window.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BLOCK = 12  # windows' lengths that a block of time has, where recordings cannot be held out whole
_NAME = re.compile(r"(.+)#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", re.DOTALL)


class Span(NamedTuple):
    """Seconds of a recording, from its beginning, to the millisecond."""

    start: float
    end: float


class Window(NamedTuple):
    """A sample that is a file, or a ``span`` of it."""

    path: str
    span: Span | None


def name(path: str, span: Span) -> str:
    """The sample_id of a window."""
    return f"{path}#{_plain(span.start)}-{_plain(span.end)}"


def _plain(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def split(sample_id: str) -> Window:
    """The file of a sample and, if it is a window, what of it; read from the right."""
    found = _NAME.fullmatch(sample_id)
    if found is None:
        return Window(sample_id, None)
    return Window(found[1], Span(float(found[2]), float(found[3])))


def cut(length: float, seconds: float, overlap: float) -> list[Span]:
    """Windows of so many ``seconds`` that cover a recording of ``length``, each beginning
    ``overlap`` seconds before the end of the one before; the last one ends with the recording, and
    so may overlap more. A shorter recording is one window; an empty one none."""
    length = math.floor(1000 * length) / 1000
    if length <= seconds:
        return [Span(0.0, length)] if length else []
    step, last = seconds - overlap, length - seconds
    starts = [min(number * step, last) for number in range(math.ceil(last / step - 1e-6) + 1)]
    return [Span(round(start, 3), round(start + seconds, 3)) for start in starts]


def by_recording(sample_ids: Sequence[str]) -> list[str]:
    """The samples with the windows of each file together, in the order of time: reading on costs
    less than jumping. Files stay in their order."""
    first: dict[str, int] = {}
    keys = []
    for each in sample_ids:
        path, span = split(each)
        keys.append((first.setdefault(path, len(first)), span or Span(0.0, 0.0)))
    return [sample_ids[at] for at in sorted(range(len(keys)), key=keys.__getitem__)]


def groups(sample_ids: Sequence[str], most: int) -> list[str]:
    """What each window belongs to, so that neighbours, which are alike, are told apart from others:
    its recording or, if one recording has more than ``most`` of the windows, a block of time of it
    (by the window's middle)."""
    block = block_length(sample_ids, most)
    return [_group(split(each), block) for each in sample_ids]


def block_length(sample_ids: Sequence[str], most: int) -> float:
    """Seconds of the blocks of time that keep neighbouring windows together (BLOCK lengths of a
    window); 0 where whole recordings do, since none has more than ``most`` of the windows."""
    windows = [split(each) for each in sample_ids]
    if max(Counter(path for path, _ in windows).values(), default=0) <= most:
        return 0.0
    return BLOCK * max((span.end - span.start for _, span in windows if span), default=1.0)


def _group(window: Window, block: float) -> str:
    path, span = window
    if span is None or not block:
        return path
    return f"{path}#{int((span.start + span.end) / 2 // block)}"


def held_out(sample_ids: Sequence[str], wanted: int, seed: int) -> list[int]:
    """Whole groups (see :func:`groups`) drawn at random until ``wanted`` samples are held out, at
    most half of the groups and half of the samples.

    For each sample 0 if it is one to measure with, 1 if it lies within a window's length of what
    is not held out and does neither, 2 for all others.
    """
    windows = [split(each) for each in sample_ids]
    block = block_length(sample_ids, wanted)
    belongs = [_group(each, block) for each in windows]
    inner = _inner(windows, block)
    measuring: dict[str, int] = {}
    for group, is_inner in zip(belongs, inner, strict=True):
        measuring[group] = measuring.get(group, 0) + is_inner
    sizes, room = Counter(belongs), len(belongs) // 2
    drawn: set[str] = set()
    left = wanted
    names = sorted(measuring)
    for at in np.random.default_rng(seed).permutation(len(names))[: len(names) // 2].tolist():
        if left <= 0:
            break
        if sizes[names[at]] > room:
            continue
        room -= sizes[names[at]]
        drawn.add(names[at])
        left -= measuring[names[at]]
    return [
        (0 if is_inner else 1) if group in drawn else 2
        for group, is_inner in zip(belongs, inner, strict=True)
    ]


def set_apart(sample_ids: Sequence[str], drawn: Sequence[bool], block: float) -> list[bool]:
    """Whether each window neither trains nor measures: its recording or, with a ``block`` of so
    many seconds, its block of time is held out, as one of it is among the ``drawn``; but it is
    not, or lies within a window's length of what is trained on."""
    windows = [split(each) for each in sample_ids]
    belongs = [_group(each, block) for each in windows]
    held = {group for group, is_drawn in zip(belongs, drawn, strict=True) if is_drawn}
    return [
        group in held and not (is_drawn and is_inner)
        for group, is_drawn, is_inner in zip(belongs, drawn, _inner(windows, block), strict=True)
    ]


def _inner(windows: Sequence[Window], block: float) -> list[bool]:
    """Whether each window is a whole length away from the next block of its recording."""
    ends: dict[str, float] = {}
    for path, span in windows:
        if span:
            ends[path] = max(ends.get(path, 0.0), span.end)
    length = block / BLOCK
    found = []
    for path, span in windows:
        if span is None or not block:
            found.append(True)
            continue
        start = (span.start + span.end) / 2 // block * block
        after = not start or span.start >= start + length
        before = ends[path] <= start + block or span.end <= start + block - length
        found.append(after and before)
    return found
