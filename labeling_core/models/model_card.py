"""The card of a model, for people."""

from __future__ import annotations

import re
from typing import Any

from labeling_core.learning.classifiers import title
from labeling_core.progress.session_words import percent, told


def to_markdown(card: dict[str, Any]) -> str:
    """The card for people."""
    accuracy = card["accuracy"]
    text = "Not known: no session has measured it."
    if accuracy:
        text = (
            f"{told(accuracy['share'], accuracy['low'], accuracy['high'])} (95 % interval "
            f"{percent(accuracy['low'])} to {percent(accuracy['high'])}) of "
            f"{accuracy['samples']} samples. {accuracy['note']} {accuracy.get('calibration', '')}"
        )
    counts = "\n".join(f"| {name} | {n} |" for name, n in card["labels_per_category"].items())
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    return (
        f"# {card['project']}: final model\n\nTrained {card['trained']} on all {card['labels']} "
        f"labels of “{card['source']}”, probes included. Classifier: {title(card['classifier'])}; "
        f"query strategy: {card['strategy']}.\n\n## Accuracy\n\n{text}\n\n## Labels\n\n"
        f"| category | labels |\n|---|---|\n{counts}\n\n{_columns(card['features'])}"
        f"## Loading\n\n```python\n{card['how_to_load']}```\n\n"
        f"Or let the labeling program do it, for many at once:\n\n"
        f"```\n{_command(card)}\n```\n\nMade with {versions}. What it learned from is in "
        "`model_card.json` under `features`; scaling is part of the model.\n"
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
    return (
        "## Columns\n\n| column | taken for | texts that stand for no value |\n|---|---|---|\n"
        f"{used}\n\n" + (f"Not learned from:\n\n{left_out}\n" if left_out else "")
    )


def _cell(text: str) -> str:
    """A text that a person chose, as a cell of a Markdown table."""
    return re.sub(r"([\\|`*_<\[\]])", r"\\\1", " ".join(text.split()))


def _command(card: dict[str, Any]) -> str:
    source = "--data FILE" if "columns" in card["features"] else "--folder FOLDER"
    if card.get("windows", {}).get("seconds"):  # models of before have none
        source += " --events events.csv"
    return f"python -m labeling_core predict --model THIS.zip {source} --out predictions.csv"
