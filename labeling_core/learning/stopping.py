"""Advice when to stop labeling, in words, with its reasons and a forecast.

Two witnesses. The measured curve (probes or test table) says how good the model is, but a few
dozen probes cannot see a single point. The model's predictions can: between two models accuracy
cannot change by more than the share of predictions that changed. Their coming to rest is the
stopping rule of Bloodgood and Vijay-Shanker (CoNLL 2009); here the share that changed since there
were half as many labels says what twice as many can bring. Both forecasts are averaged, each
weighted by its precision.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.evaluation import Interval, wilson
from labeling_core.learning.power_law import Curve, Floats, Law, fit, gained, resampled

POINT = 0.01  # what is worth labeling on for
FEWEST_SESSIONS, FEWEST_PROBES = 4, 8
RECENT = 3  # sessions that "lately" means
# What the next doubling of the labels gains, as a share of the predictions that the last one
# changed: mean, and standard error as a share and a constant. Measured on 78 replays of 13 data
# sets, none of which is among those that tests/benchmarks/stopping.py reports on.
FOLLOWS, SPREAD, LEAST = 0.22, 0.15, 0.003
DOUBT = 0.8416212335729143  # of the standard normal: stop when 4 in 5 such projects gain less
_Z = 1.959963984540054
KINDS = {"probes": "probes", "test table": "rows of the test table"}


class Evidence(NamedTuple):
    """What is known of the finished sessions of one classifier, first to last.

    ``kind``: what accuracy was measured on; ``curve`` is None where it was not. ``changed`` [S]:
    the share of ``compared`` predictions in which each session's model differs from the last
    one's. ``halting`` is a key of halting.WORDS, or "". ``left``: samples without a decision.
    ``probe_share`` 0..1 and ``every`` are the project's settings. ``missing`` says why the
    curve is not by the measure of the project, "" where it is. By another measure than accuracy
    ``moved`` [S] is as ``changed``, with categories counted as the measure does.
    """

    kind: str
    labels: NDArray[np.int64]
    curve: Curve | None
    changed: Floats
    compared: int
    halting: str
    left: int
    every: int
    probe_share: float
    missing: str = ""
    moved: Floats | None = None


class Forecast(NamedTuple):
    """What twice the labels would gain, and 95 % ``low`` to ``high``, 0..1; ``at_most`` with 80 %.
    ``power`` is the c of the fitted curve.

    ``point``: how many more labels one point costs, the likely number, the least and the most
    (infinite: out of sight). To be drawn: the score (0..1) and its band at ``labels`` [m], the
    first ``past`` of them up to now.
    """

    doubled: Interval
    at_most: float
    power: float
    point: tuple[float, float, float]
    labels: Floats
    score: Floats
    low: Floats
    high: Floats
    past: int


class Advice(NamedTuple):
    """``verdict``: ``go on``, ``stop`` or ``unknown``; the rest is for people."""

    verdict: str
    title: str
    reasons: list[str]
    forecast: Forecast | None


TITLES = {
    "go on": "Go on labeling",
    "stop": "You may stop labeling",
    "unknown": "It cannot be told yet when to stop",
}


def advise(evidence: Evidence) -> Advice:
    """Whether twice the labels would still gain a point, from everything that is known."""
    missing = lacking(evidence)
    if missing or evidence.curve is None:
        return Advice("unknown", TITLES["unknown"], [missing, *_calm(evidence)], None)
    found = forecast(evidence.curve.thinned(), from_predictions(evidence), evidence.left)
    recent = gained(evidence.curve, RECENT)
    still = found.at_most * _reachable(found, evidence) > POINT or recent.low > POINT
    verdict = "go on" if still and evidence.left else "stop"
    reasons = [_promise(found, evidence), _recent(recent, evidence), *_calm(evidence)]
    return Advice(verdict, TITLES[verdict], reasons, found)


def lacking(evidence: Evidence) -> str:
    """What is still needed for any advice, in a sentence; "" if nothing is."""
    sessions, evaluated = len(evidence.labels), evidence.curve.evaluated if evidence.curve else 0
    if sessions < FEWEST_SESSIONS:
        more = FEWEST_SESSIONS - sessions
        labels = more * evidence.every
        few = f", and only {evidence.left:,} samples are left" if labels > evidence.left else ""
        return (
            f"A curve needs at least {FEWEST_SESSIONS} sessions of the same classifier: {more} "
            f"more, about {labels} labels{few}."
        )
    if evidence.kind not in KINDS:
        return (
            "Accuracy is not measured: on labels chosen by a strategy it cannot be. Set a share "
            "of probes in the settings, or name a labeled test table."
        )
    if evaluated < FEWEST_PROBES:
        return _too_few(evidence, evaluated)
    if evidence.missing:
        return evidence.missing
    if evidence.halting == "early":
        return "The model has seen too few labels of each category."
    return ""


def _too_few(evidence: Evidence, evaluated: int) -> str:
    more, kind = FEWEST_PROBES - evaluated, KINDS[evidence.kind]
    sentence = "1 sample measures" if evaluated == 1 else f"{evaluated} {kind} measure"
    text = f"{sentence} too little: {more} more are needed"
    if evidence.probe_share <= 0:
        return f"{text}."
    labels = round(more / evidence.probe_share)
    if labels > evidence.left:
        return f"{text}, more than the pool will bring: raise their share, or name a test table."
    return f"{text}, about {labels:,} labels."


def from_predictions(evidence: Evidence) -> tuple[float, float]:
    """The gain of twice the labels and its standard error (0..1), by how many predictions changed
    since there were half as many; where no session is that old, since the first one."""
    since = _half(evidence.labels)
    growth = evidence.labels[-1] / evidence.labels[since]
    moved = evidence.changed if evidence.moved is None else evidence.moved
    changed = float(moved[since]) * max(1.0, 1 / max(growth - 1, 1e-3))
    return FOLLOWS * changed, SPREAD * changed + LEAST


def _half(labels: NDArray[np.integer]) -> int:
    """The last session that had at most half the labels of now, else the first."""
    return max(int(np.searchsorted(labels, labels[-1] / 2, side="right")) - 1, 0)


def forecast(curve: Curve, predicted: tuple[float, float], left: int) -> Forecast:
    """Average the fitted curve's forecast and that of the predictions (gain of twice the labels,
    standard error), each weighted by one over its variance; drawn for the samples that are
    ``left``, at most as many as there are labels."""
    now = int(curve.labels[-1])
    central = fit(curve.labels, curve.errors[None], curve.worth)
    fits = fit(curve.labels, resampled(curve), curve.worth)
    gains = fits.gain(now)
    # What none of n samples showed may be one in n all the same: never quite without a doubt.
    weights = np.array([1 / (gains.var() + curve.worth**-2), 1 / predicted[1] ** 2])
    gain = float(np.dot(weights, [gains.mean(), predicted[0]]) / weights.sum())
    error = float(weights.sum() ** -0.5)
    doubled = Interval(gain, max(0.0, gain - _Z * error), gain + _Z * error)
    power = float(central.c[0])
    costs = [_labels_for(POINT / max(each, 1e-9), now, power) for each in (gain, *doubled[:0:-1])]
    return Forecast(
        doubled,
        gain + DOUBT * error,
        power,
        (costs[0], costs[1], costs[2]),
        *_band(curve, central, fits, doubled, min(1.0, left / now)),
    )


def _shape(more: Floats, power: float) -> Floats:
    """Share of the gain of twice the labels that ``more`` (in multiples of now) bring."""
    return np.asarray((1 - (1 + more) ** -power) / (1 - 2**-power))


def _labels_for(share: float, now: int, power: float) -> float:
    """How many more labels bring ``share`` of what twice the labels would."""
    left = 1 - share * (1 - 2**-power)
    return float(now * (left ** (-1 / power) - 1)) if left > 0 else float("inf")


def _band(
    curve: Curve, central: Law, fits: Law, doubled: Interval, reach: float
) -> tuple[Floats, Floats, Floats, Floats, int]:
    """The fitted past with its band, and from its end on what is forecast for ``reach`` times the
    labels.

    The band is the wider of the bootstrap's and Wilson's around the curve: samples that every
    session got right leave the bootstrap without any doubt.
    """
    past = np.linspace(curve.labels[0], curve.labels[-1], 40)
    ahead = np.linspace(0, reach, 41)[1:]
    shape = _shape(ahead, float(central.c[0]))
    middle = np.clip(1 - central.error(past)[0], 0.0, 1.0)
    low, high = np.quantile(1 - fits.error(past), [0.025, 0.975], axis=0)
    around = np.array([wilson(each * curve.worth, curve.worth) for each in middle])
    low, high = np.minimum(low, around[:, 1]), np.maximum(high, around[:, 2])
    drawn = (
        np.concatenate([line, np.minimum(line[-1] + gain * shape, 1.0)])
        for line, gain in zip((middle, low, high), doubled, strict=True)
    )
    labels = np.concatenate([past, curve.labels[-1] * (1 + ahead)])
    return (labels, *drawn, len(past))  # type: ignore[return-value]  # three lines


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _reachable(found: Forecast, evidence: Evidence) -> float:
    """Share of the gain of twice the labels that the samples left can bring."""
    share = evidence.left / evidence.labels[-1]
    return float(_shape(np.asarray(share), found.power)) if share < 1 else 1.0


def _promise(found: Forecast, evidence: Evidence) -> str:
    now, part = int(evidence.labels[-1]), _reachable(found, evidence)
    if not evidence.left:
        return "Everything is decided."
    middle, low, high = (_points(part * each) for each in found.doubled)
    what = f"Twice the labels ({2 * now:,})"
    if evidence.left < now:
        what = f"All {evidence.left:,} samples left"
    double = f"{what} would gain about {middle} points ({low} to {high})."
    if part * found.at_most <= POINT:
        return f"{double} Another whole point is unlikely."
    likely, least, most = found.point
    if likely > min(now, evidence.left):
        return f"{double} A whole point would cost more than {min(now, evidence.left):,} labels."
    longest = f"{_round(most):,}" if most <= 10 * now else "very many"
    more = f"About {_round(likely):,} more labels for +1 point ({_round(least):,} to {longest})."
    return f"{more} {double}"


def _round(labels: float) -> int:
    """Two digits: more would pretend."""
    return int(float(f"{labels:.1e}")) if labels >= 10 else round(labels)


def _recent(recent: Interval, evidence: Evidence) -> str:
    assert evidence.curve is not None
    half = (recent.high - recent.low) / 2
    measured = f"{evidence.curve.evaluated:,} {KINDS[evidence.kind]}"
    text = f"The last {RECENT} sessions gained {_points(recent.share)} ± {_points(half)} points"
    if abs(recent.share) < half:
        return f"{text}: measured on {measured}, that cannot be told from nothing."
    return f"{text}, measured on {measured}."


def _calm(evidence: Evidence) -> list[str]:
    """What the predictions and the halting indicator say."""
    text = []
    if evidence.compared and len(evidence.labels) > 1:
        since = _half(evidence.labels)
        text.append(
            f"Since there were {int(evidence.labels[since]):,} labels, "
            f"{evidence.changed[since]:.1%} of {evidence.compared:,} predictions changed."
        )
    if evidence.halting == "certain":
        text.append("The model is certain even of the samples it asks for.")
    elif evidence.halting == "doubtful":
        text.append("What it asks for is no more uncertain than a random draw.")
    return text
