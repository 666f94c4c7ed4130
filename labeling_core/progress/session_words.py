"""A session in words, for people who only look at it."""

from __future__ import annotations

from typing import Any

from labeling_core.learning import classifiers, strategies
from labeling_core.progress.learning_curve import Session


def percent(share: float | None) -> str:
    """A share (0..1) as it is told everywhere, such as “93.3%”."""
    return "" if share is None else f"{share:.1%}"


def interval(session: Session) -> str:
    """The 95 % interval of the session's accuracy."""
    return f"{percent(session.low)} – {percent(session.high)}"


def accuracy(session: Session) -> str:
    """The session's accuracy with its interval and what it was measured on, for a line of text."""
    text = f"accuracy {percent(session.accuracy)} ({interval(session)})"
    if session.kind == "cross-validation":
        return f"{text} by cross-validation"
    one = {"probes": "probe", "test table": "row"}[session.kind]
    return f"{text} on {session.evaluated:,} {one}{'s' * (session.evaluated != 1)}"


def explain_accuracy(session: Session) -> str:
    """Where an accuracy comes from, in words for someone who never labels."""
    number = f"{session.evaluated:,}"
    probes = "1 probe" if session.evaluated == 1 else f"{number} probes"
    words = {
        "test table": f"Measured on the {number} samples of the labeled test table, "
        "which the model never trains on.",
        "probes": f"Measured on {probes}: samples drawn at random and kept from training, the same "
        "ones for every session.",
        "cross-validation": f"Estimated by cross-validation on the {number} labels themselves. "
        "Labels chosen by a strategy are no random draw, so this can be off; "
        "probes or a test table would be honest.",
    }
    return words[session.kind]


def session_row(each: Session) -> dict[str, Any]:
    """A session as a row for reading."""
    return {
        "session": each.session_id,
        "state": each.state.lower(),
        "labels": each.labels,
        "accuracy": _rounded(each.accuracy),
        "from": _rounded(each.low),
        "to": _rounded(each.high),
        "AUC": each.auc,
        "measured on": f"{each.evaluated} ({each.kind})" if each.kind else "",
        "contradictions": each.contradictions,
        "classifier": classifiers.title(each.classifier),
        "strategy": strategies.named(each.strategy).title,
        "started by": each.started_by,
        "reason": each.reason,
    }


def _rounded(share: float | None) -> float | None:
    """As :func:`percent` rounds it."""
    return None if share is None else round(share, 3)
