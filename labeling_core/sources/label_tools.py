"""The tools whose exports are read: what each writes of its classification tasks.

Every tool is one record of :data:`FORMATS`. Which one a file is from is told by its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labeling_core.sources import label_tables
from labeling_core.sources.json_entries import Entry
from labeling_core.sources.label_records import LabelFile, as_fields, as_text


class Format(NamedTuple):
    """How the export of one tool is known (by one of its entries) and read."""

    title: str
    is_like: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Sequence[Entry], LabelFile, str], None]


# Label Studio


def _read_label_studio(entries: Sequence[Entry], made: LabelFile, label: str) -> None:
    others = 0
    for line, task, _ in entries:
        fields = as_fields(task.get("data") or {}) | {"id": as_text(task.get("id"))}
        annotations = [each for each in task.get("annotations") or task.get("completions") or []
                       if isinstance(each, dict)]  # fmt: skip
        if not annotations:
            made.unlabeled.append(fields)
        for each in annotations:
            who = each.get("completed_by")
            who = (who.get("email") or who.get("id")) if isinstance(who, dict) else who
            who = who or each.get("created_username")  # our own export: Label Studio knows nobody
            when = each.get("created_at") or each.get("updated_at")
            if each.get("was_cancelled") or each.get("skipped"):
                made.skip(line, fields, who, when)
                continue
            results = [r for r in each.get("result") or [] if isinstance(r, dict)]
            chosen = [r for r in results if "choices" in (r.get("value") or {})]
            if label:
                chosen = [r for r in chosen if r.get("from_name") == label]
            others += len(results) - len(chosen)
            if len({r.get("from_name") for r in chosen}) > 1:
                names = sorted({str(r.get("from_name")) for r in chosen})
                made.refuse(line, f"There are several questions ({', '.join(names)}): name one.")
                continue
            values = [as_text(v) for r in chosen for v in r["value"]["choices"]]
            made.add(line, fields, values, who, when)
    if others:
        made.notes.append(f"{others:,} results that are no choice of a category are left out.")


def _like_label_studio(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("data"), dict) and ("annotations" in entry or
                                                    "completions" in entry)  # fmt: skip


_MIN_KEYS = {"annotator", "annotation_id", "lead_time", "created_at", "updated_at"}


def _like_label_studio_min(entry: Mapping[str, Any]) -> bool:
    return len(_MIN_KEYS & set(entry)) >= 4


def _read_label_studio_min(entries: Sequence[Entry], made: LabelFile, label: str) -> None:
    rows = [(each.line, each.value) for each in entries]
    label_tables.read_label_studio(rows, made, label)


# doccano


def _like_doccano(entry: Mapping[str, Any]) -> bool:
    has_labels = isinstance(entry.get("label", entry.get("labels")), list) or isinstance(
        entry.get("cats"), (list, dict)
    )
    sample = {"text", "data", "filename", "upload_name"} & set(entry)
    return has_labels and bool(sample) and "answer" not in entry


def _read_doccano(entries: Sequence[Entry], made: LabelFile, label: str) -> None:
    for line, entry, file in entries:
        fields = as_fields(entry)
        values = entry.get(label) if label else entry.get(
            "label", entry.get("labels", entry.get("cats"))
        )  # fmt: skip
        if isinstance(values, dict):  # spaCy's cats: category → 1 or 0
            values = [name for name, share in values.items() if share]
        comments = entry.get("Comments", entry.get("comments")) or []
        said = "; ".join(as_text(each) for each in comments) if isinstance(comments, list) else (
            as_text(comments)
        )  # fmt: skip
        if any(isinstance(each, (list, dict)) for each in values or []):
            made.refuse(line, "The labels mark parts of the text, not the sample as a whole.")
        elif not values:
            made.unlabeled.append(fields)
        else:
            who = entry.get("annotator") or ("" if file in ("all", "unknown") else file)
            made.add(line, fields, [as_text(each) for each in values], who, None, said)


# Prodigy


def _like_prodigy(entry: Mapping[str, Any]) -> bool:
    return entry.get("answer") in ("accept", "reject", "ignore")


def _read_prodigy(entries: Sequence[Entry], made: LabelFile, label: str) -> None:
    for line, entry, _ in entries:
        fields = as_fields({k: v for k, v in entry.items() if k not in ("answer", "label")})
        fields |= as_fields(entry.get("meta") or {})
        who = entry.get("_annotator_id") or entry.get("_session_id")
        when, answer = entry.get("_timestamp"), entry.get("answer")
        said = entry.get("comment")
        if answer == "ignore":
            made.skip(line, fields, who, when, said)
        elif answer == "reject":
            suggested = entry.get("label") or ", ".join(map(as_text, entry.get("accept") or []))
            made.refuse(line, f"“{suggested}” was rejected, which does not tell the right label.")
        elif "spans" in entry and "label" not in entry and "accept" not in entry:
            made.refuse(line, "Spans mark parts of the sample, not the sample as a whole.")
        else:
            chosen = entry["accept"] if "accept" in entry else [entry.get("label")]
            texts = {as_text(each.get("id")): as_text(each.get("text") or each.get("id"))
                     for each in entry.get("options") or [] if isinstance(each, dict)}  # fmt: skip
            values = [texts.get(as_text(each), as_text(each)) for each in chosen or []]
            made.add(line, fields, values, who, when, said)


# Argilla


def _like_argilla(entry: Mapping[str, Any]) -> bool:
    keys = set(entry)
    return "responses" in keys or "annotation_agent" in keys or any(
        key.endswith(".responses") for key in keys
    )  # fmt: skip


def _read_argilla(entries: Sequence[Entry], made: LabelFile, label: str) -> None:
    for line, entry, _ in entries:
        fields = as_fields(entry) | as_fields(entry.get("fields") or entry.get("inputs") or {})
        fields |= as_fields(entry.get("metadata") or {})
        if "annotation_agent" in entry or "annotation" in entry:
            _read_argilla_1(line, entry, fields, made)
            continue
        answers = list(_responses(entry))
        questions = sorted({question for question, *_ in answers if question})
        if label:
            answers = [each for each in answers if each[0] in (label, "")]
        elif len(questions) > 1:
            made.refuse(line, f"There are several questions ({', '.join(questions)}): name one.")
            continue
        if not answers:
            made.unlabeled.append(fields)
        for _, value, who, status, when in answers:
            if status == "discarded":
                made.skip(line, fields, who, when)
            elif status == "draft":
                made.refuse(line, "The response is a draft that nobody has submitted.")
            else:
                values = value if isinstance(value, list) else [value]
                made.add(line, fields, [as_text(each) for each in values], who, when)


def _read_argilla_1(
    line: int, entry: Mapping[str, Any], fields: Mapping[str, str], made: LabelFile
) -> None:
    when, who = entry.get("event_timestamp"), entry.get("annotation_agent")
    if entry.get("status") == "Discarded":
        made.skip(line, fields, who, when)
    elif entry.get("annotation") in (None, []):
        made.unlabeled.append(fields)
    else:
        value = entry["annotation"]
        made.add(line, fields, list(map(as_text, value if isinstance(value, list) else [value])),
                 who, when)  # fmt: skip


def _responses(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, str, Any]]:
    """(question, value, who, status, when) of each response to an entry."""
    given = entry.get("responses")
    if isinstance(given, dict):  # question → responses
        for question, each in given.items():
            for one in each if isinstance(each, list) else [each]:
                if isinstance(one, dict):
                    yield (question, one.get("value"), one.get("user_id"),
                           one.get("status") or "submitted", one.get("updated_at"))  # fmt: skip
    elif isinstance(given, list):  # one of each user: values by question
        for one in given:
            if not isinstance(one, dict):
                continue
            who, status = one.get("user_id"), one.get("status") or "submitted"
            when = one.get("updated_at") or one.get("inserted_at")
            values = one.get("values")
            if not values:
                yield "", None, who, status, when
            for question, value in (values or {}).items():
                value = value.get("value") if isinstance(value, dict) else value
                yield question, value, who, status, when
    for key, values in entry.items():
        if key.endswith(".responses") and isinstance(values, list):
            users = entry.get(f"{key}.users") or [None] * len(values)
            states = entry.get(f"{key}.status") or ["submitted"] * len(values)
            for value, who, status in zip(values, users, states, strict=False):
                yield key.removesuffix(".responses"), value, who, status, None


FORMATS = {
    "label-studio": Format("Label Studio (JSON)", _like_label_studio, _read_label_studio),
    "label-studio-min": Format(
        "Label Studio (JSON-MIN, CSV)", _like_label_studio_min, _read_label_studio_min
    ),
    "prodigy": Format("Prodigy (JSON lines)", _like_prodigy, _read_prodigy),
    "argilla": Format("Argilla (records)", _like_argilla, _read_argilla),
    "doccano": Format("doccano (JSON lines)", _like_doccano, _read_doccano),
}
