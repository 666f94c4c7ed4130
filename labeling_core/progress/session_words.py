"""A session in words, for people who only look at it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from labeling_core.learning import classifiers, strategies
from labeling_core.learning.evaluation import CALIBRATED, ENOUGH
from labeling_core.learning.measures import MEASURES, title
from labeling_core.progress.learning_curve import Session

_PARTS = ("", ", from", ", to")  # a score and the ends of its interval, as names of columns
# The columns of session_row that hold shares.
SHARES = (
    "accuracy", "from", "to", "contradictions", "calibration error",
    *(f"{name}{part}" for name in MEASURES.values() for part in _PARTS),
)  # fmt: skip
VAGUE = 0.25  # width of a 95 % interval: 5 of 5 are 57 to 100 %, 30 of 40 are 60 to 86 %


def percent(share: float | None) -> str:
    """A share (0..1) as it is told everywhere, such as “93.3%”."""
    return "" if share is None else f"{share:.1%}"


def between(low: float | None, high: float | None) -> str:
    """An interval of shares (0..1), such as “87.1% – 97.0%”."""
    return f"{percent(low)} – {percent(high)}"


def vague(low: float | None, high: float | None) -> bool:
    """Whether so few samples stand behind a share that only its interval is worth telling."""
    return low is not None and high is not None and high - low > VAGUE


def told(share: float | None, low: float | None, high: float | None) -> str:
    """A share as it is told wherever there is room for one figure: the share, or in place of
    a vague one its 95 % interval in whole percent."""
    return f"{low:.0%} – {high:.0%}" if vague(low, high) else percent(share)


def measure(session: Session) -> str:
    """What the session's score is called, at the beginning of a line."""
    return title(session.measure)


def hits(session: Session) -> str:
    """What stands behind the session's accuracy, such as “5 of 5 probes”."""
    correct = round((session.accuracy or 0) * session.evaluated)
    return f"{correct:,} of {samples(session)}"


def samples(session: Session) -> str:
    """How many of what the session was measured on, such as “5 probes”."""
    one = {"probes": "probe", "test table": "row", "cross-validation": "label"}[session.kind]
    return f"{session.evaluated:,} {one}{'s' * (session.evaluated != 1)}"


def score(session: Session) -> str:
    """The session's score with its interval and what it was measured on, for a line of text."""
    low, high = session.score_low, session.score_high
    text = f"{MEASURES[session.measure]} {told(session.score, low, high)}"
    by = " by cross-validation" if session.kind == "cross-validation" else ""
    if vague(low, high) and session.measure == "accuracy":
        return f"{text} ({hits(session)} right){by}"
    if not vague(low, high):
        text = f"{text} ({between(low, high)})"
    return f"{text}{by}" if by else f"{text} on {samples(session)}"


def explain_score(session: Session) -> str:
    """Where a score comes from, in words for someone who never labels."""
    number = f"{session.evaluated:,}"
    words = {
        "test table": f"Measured on the {number} samples of the labeled test table, "
        "which the model never trains on.",
        "probes": f"Measured on {samples(session)}: samples drawn at random and kept from "
        "training, the same ones for every session.",
        "cross-validation": f"Estimated by cross-validation on the {number} labels themselves. "
        "Labels chosen by a strategy are no random draw, so this can be off; "
        "probes or a test table would be honest.",
    }
    return words[session.kind]


def explain_area(session: Session) -> str:
    """Which categories an AUC speaks of, or why there is none."""
    if session.auc is None:
        return (
            f"AUC is left out: it takes at least {ENOUGH} measured samples of a category, and as "
            "many of others."
        )
    return f"AUC speaks of the categories with at least {ENOUGH} measured samples."


def explain_calibration(session: Session) -> str:
    """How far the probabilities can be read as they are; empty where no probes measure."""
    if session.kind != "probes":
        return ""
    if session.calibration_error is None:
        return f"Whether probabilities hold true can be told from {CALIBRATED} measured samples on."
    return (
        f"Probabilities differ by {100 * session.calibration_error:.1f} points on average from how "
        "often they hold true (calibration error)."
    )


def session_row(each: Session) -> dict[str, Any]:
    """A session as a row for reading."""
    return {
        "session": each.session_id,
        "state": each.state.lower(),
        "labels": each.labels,
        "accuracy": _rounded(each.accuracy),
        "from": _rounded(each.low),
        "to": _rounded(each.high),
        **_by_measure(each),
        "AUC": each.auc,
        "calibration error": _rounded(each.calibration_error),
        "measured on": f"{each.evaluated} ({each.kind})" if each.kind else "",
        "contradictions": each.contradictions,
        "classifier": classifiers.title(each.classifier),
        "strategy": strategies.named(each.strategy).title,
        "started by": each.started_by,
        "reason": each.reason,
    }


def _by_measure(each: Session) -> dict[str, float | None]:
    """The score by a measure other than accuracy, with its interval, as columns of that name."""
    if each.measure == "accuracy":
        return {}
    name, found = MEASURES[each.measure], (each.score, each.score_low, each.score_high)
    return {f"{name}{part}": _rounded(share) for part, share in zip(_PARTS, found, strict=True)}


def run_row(each: Session, zone: tzinfo) -> dict[str, Any]:
    """A session as a run of the trigger: when by the clock of ``zone``, why, how long, and what
    came of it."""
    reasons = {"trigger": f"enough labels: {each.labels:,}", "hand": "started by hand"}
    outcome = f"failed: {each.reason}" if each.state == "FAILED" else each.state.lower()
    seconds = None if each.finished is None else round(each.finished - each.started, 1)
    return {
        "session": each.session_id,
        "started": datetime.fromtimestamp(each.started, zone).strftime("%Y-%m-%d %H:%M:%S"),
        "reason": reasons.get(each.started_by, each.started_by),
        # A clock that was set back meanwhile tells no duration.
        "duration (s)": None if seconds is None or seconds < 0 else seconds,
        "outcome": outcome,
    }


def _rounded(share: float | None) -> float | None:
    """As :func:`percent` rounds it."""
    return None if share is None else round(share, 3)
