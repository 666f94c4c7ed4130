"""The card of a model, for people."""

from __future__ import annotations

import re
from typing import Any

from labeling_core.learning.classifiers import title
from labeling_core.learning.measures import MEASURES
from labeling_core.progress.session_words import percent, told


def to_markdown(card: dict[str, Any]) -> str:
    """The card for people."""
    accuracy = card["accuracy"]
    text = "Not known: no session has measured it."
    if accuracy:
        text = (
            f"{told(accuracy['share'], accuracy['low'], accuracy['high'])} (95 % interval "
            f"{percent(accuracy['low'])} to {percent(accuracy['high'])}) of "
            f"{accuracy['samples']} samples. {_by_measure(accuracy)}{accuracy['note']} "
            f"{accuracy.get('calibration', '')}"
        )
    counts = "\n".join(f"| {name} | {n} |" for name, n in card["labels_per_category"].items())
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    return (
        f"# {card['project']}: final model\n\nTrained {card['trained']} on all {card['labels']} "
        f"labels of “{card['source']}”, probes included. Classifier: {title(card['classifier'])}; "
        f"query strategy: {card['strategy']}.\n\n## Accuracy\n\n{text}\n\n{_decisions(card)}"
        f"## Labels\n\n| category | labels |\n|---|---|\n{counts}\n\n{_columns(card['features'])}"
        f"## Loading\n\n```python\n{card['how_to_load']}```\n\n"
        f"Or let the labeling program do it, for many at once:\n\n"
        f"```\n{_command(card)}\n```\n\nMade with {versions}. What it learned from is in "
        "`model_card.json` under `features`; scaling is part of the model.\n"
    )


def _by_measure(accuracy: dict[str, Any]) -> str:
    """The score by the project's measure, unless that is accuracy; none of older models."""
    name = accuracy.get("measure", "accuracy")
    if name == "accuracy":
        return ""
    share, low, high = accuracy["score"]
    return (
        f"The measure of the project, {MEASURES.get(name, name)}: {told(share, low, high)} (95 % "
        f"interval {percent(low)} to {percent(high)}). "
    )


def _decisions(card: dict[str, Any]) -> str:
    """How a category is decided on where that is not the likeliest one."""
    weights = card.get("decision_weights")
    if not weights:
        return ""
    listed = ", ".join(f"{_cell(name)} × {weight:.3g}" for name, weight in weights.items())
    return (
        "## Decisions\n\nThe project's measure counts categories alike, so a rare one is "
        "taken before it is the likeliest: the largest of the probabilities decides after each is "
        f"multiplied by its weight ({listed}; `decision_weights` in `model_card.json`).\n\n"
    )


def _columns(features: dict[str, Any]) -> str:
    """What a model of tables has learned from, and from which columns not, for which reason."""
    if "columns" not in features:
        return ""
    missing = features.get("missing", {})
    used = "\n".join(
        f"| {_cell(name)} | {kind} | {_cell(', '.join(missing.get(name, ())))} |"
        for name, kind in features["columns"].items()
    )
    left_out = "".join(
        f"- {_cell(name)}: {reason}\n" for name, reason in features.get("left_out", {}).items()
    )
    joined = "".join(
        f"In prediction a table without the column “{_cell(name)}” is given that of "
        f"{_cell(each['file'])} in the folder of models, by "
        f"{_cell(' and '.join(each['keys']))}.\n\n"
        for name, each in features.get("joined", {}).items()
    )
    return (
        "## Columns\n\n| column | taken for | texts that stand for no value |\n|---|---|---|\n"
        f"{used}\n\n{joined}" + (f"Not learned from:\n\n{left_out}\n" if left_out else "")
    )


def _cell(text: str) -> str:
    """A text that a person chose, as a cell of a Markdown table."""
    return re.sub(r"([\\|`*_<\[\]])", r"\\\1", " ".join(text.split()))


def _command(card: dict[str, Any]) -> str:
    source = "--data FILE" if "columns" in card["features"] else "--folder FOLDER"
    if card.get("windows", {}).get("seconds"):  # models of before have none
        source += " --events events.csv"
    return f"python -m labeling_core predict --model THIS.zip {source} --out predictions.csv"
