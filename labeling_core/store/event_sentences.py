"""An event of the log as a sentence that anyone can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labeling_core.settings import USES
from labeling_core.store.events import Entry

MOST = 200  # characters of a comment or a value


def sentence(entry: Entry) -> str:
    """What happened, such as “ana changed sample 17 from red to white.”"""
    tell = _TOLD.get(entry.kind, _anything)
    comment = entry.detail.get("comment")
    said = f" Comment: “{_cut(comment)}”" if comment else ""
    return f"{tell(entry)}.{said}"


def state(status: str | None, label: str | None) -> str:
    """A decision in a word: the category, or skipped."""
    return label if status == "LABELED" and label is not None else "skipped"


def _decision(entry: Entry) -> str:
    now = state(entry.detail.get("status"), entry.detail.get("label"))
    if now == "skipped":
        return f"{entry.annotator} skipped sample {entry.sample_id}{_by_import(entry)}"
    return f"{entry.annotator} labeled sample {entry.sample_id} {now}{_by_import(entry)}"


def _by_import(entry: Entry) -> str:
    """Which import it was that told so, if one was."""
    number = entry.detail.get("import")
    return f", as import {number} tells" if number else ""


def _correction(entry: Entry) -> str:
    now = state(entry.detail.get("status"), entry.detail.get("label"))
    before = _before(entry)
    if before == now:
        return f"{entry.annotator} kept sample {entry.sample_id} at {now} with another comment"
    return f"{entry.annotator} changed sample {entry.sample_id} from {before} to {now}"


def _review(entry: Entry) -> str:
    label = entry.detail.get("label")
    if entry.detail.get("reviewed"):
        return f"{entry.annotator} looked at sample {entry.sample_id} again and kept it at {label}"
    return f"{entry.annotator} took back a review of sample {entry.sample_id}, which is {label}"


def _adjudication(entry: Entry) -> str:
    now = state(entry.detail.get("status"), entry.detail.get("label"))
    return f"{entry.annotator} settled sample {entry.sample_id} as {now}"


def _undo(entry: Entry) -> str:
    number, whose = entry.detail.get("import"), entry.detail.get("of")
    by = f" of {whose}" if number else ""
    return (
        f"{entry.annotator} took back the decision{by} on sample {entry.sample_id}, "
        f"which was {_before(entry)}" + (f" (import {number})" if number else "")
    )


def _restore(entry: Entry) -> str:
    detail = entry.detail
    now = "undecided"
    if detail.get("status"):
        now = state(detail["status"], detail.get("label"))
    whose = detail.get("of")
    of = f", as {whose} had it" if whose != entry.annotator else ""
    return f"{entry.annotator} put sample {entry.sample_id} back from {_before(entry)} to {now}{of}"


def _refused(entry: Entry) -> str:
    asked = entry.detail.get("category") or entry.detail.get("action")
    reason = str(entry.detail.get("reason", "")).rstrip(".")
    return (
        f"What {entry.annotator} decided on sample {entry.sample_id} ({asked}) was not stored: "
        f"{reason}"
    )


def _before(entry: Entry) -> str:
    was = entry.detail.get("was")
    return state(was[0], was[1]) if was else "undecided"


def _created(entry: Entry) -> str:
    return f"{entry.annotator} made the project “{entry.detail.get('title', entry.project_id)}”"


def _deleted(entry: Entry) -> str:
    return f"{entry.annotator} deleted the project “{entry.detail.get('title', entry.project_id)}”"


def _dropped(entry: Entry) -> str:
    detail = entry.detail
    what = [*detail.get("tables", []), *filter(None, [detail.get("source")])]
    return (
        f"{entry.annotator} dropped {', '.join(what)} of the deleted project "
        f"“{detail.get('title', entry.project_id)}” (backup {detail.get('backup')})"
    )


def _settings(entry: Entry) -> str:
    words = [_changed(name, *both) for name, both in entry.detail.get("changed", {}).items()]
    return f"{entry.annotator} changed the settings: {'; '.join(words) or 'nothing'}"


def _changed(field: str, old: Any, new: Any) -> str:
    if field == "columns":
        return _changed_columns(old or [], new or [])
    if field != "categories":
        return f"{field.replace('_', ' ')} from {_value(old)} to {_value(new)}"
    before, after = ([each["name"] for each in side] for side in (old, new))
    added = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    parts = [f"added {', '.join(added)}"] if added else []
    parts += [f"removed {', '.join(gone)}"] if gone else []
    return f"categories ({'; '.join(parts) or 'order, keys, colours or descriptions'})"


def _changed_columns(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> str:
    """Of each column how it was used and is now, the first five of them."""
    before, after = ({each["name"]: each for each in side} for side in (old, new))
    uses = {
        name: [USES.get(use, use) for use in (side.get(name, {}).get("use", "both")
                                              for side in (before, after))]
        for name in dict.fromkeys([*after, *before])
    }  # fmt: skip
    words = [f"“{name}” {now}, was {was}" for name, (was, now) in uses.items() if was != now]
    more = [f"{len(words) - 5:,} more"] if len(words) > 5 else []
    return f"columns ({'; '.join(words[:5] + more) or 'order, kinds or missing markers'})"


def _category(entry: Entry) -> str:
    detail, who = entry.detail, entry.annotator
    old, new = detail.get("old"), detail.get("new")
    number = detail.get("labels", 0)
    followed = f" ({number:,} {'label' if number == 1 else 'labels'} followed)" if number else ""
    words = {
        "rename": f"{who} renamed the category {old} to {new}{followed}",
        "merge": f"{who} merged the category {old} into {new}{followed}",
        "retire": f"{who} retired the category {old}, "
        + ("its labels still train the model" if detail.get("learned") else "nothing learns of it"),
        "offer": f"{who} offers the category {old} again",
    }
    return words.get(str(detail.get("change")), f"{who} changed the category {old}")


def _refreshed(entry: Entry) -> str:
    added, gone = entry.detail.get("added", 0), entry.detail.get("vanished", 0)
    return f"{entry.annotator} took over the source: {added:,} new samples, {gone:,} gone"


def _added_rows(entry: Entry) -> str:
    detail = entry.detail
    gone = f"; {detail['vanished']:,} others were gone" if detail.get("vanished") else ""
    return (
        f"{entry.annotator} added {detail.get('rows', 0):,} rows of “{_cut(detail.get('file'))}”: "
        f"{detail.get('added', 0):,} new samples{gone}"
    )


def _session(entry: Entry) -> str:
    detail = entry.detail
    used = ", ".join(str(detail[name]) for name in ("classifier", "strategy") if detail.get(name))
    return f"{entry.annotator} started a session by hand" + (f" ({used})" if used else "")


def _import(entry: Entry) -> str:
    detail = entry.detail
    left = sum(detail.get("left_out", {}).values())
    text = (
        f"{entry.annotator} brought in {detail.get('stored', 0):,} labels of "
        f"{detail.get('file') or 'the source'} (import {detail.get('number')}"
    )
    return text + (f"; {left:,} annotations were left out)" if left else ")")


def _import_undone(entry: Entry) -> str:
    detail = entry.detail
    stay = detail.get("stay", 0)
    text = f"{entry.annotator} took import {detail.get('number')} back: "
    text += f"{detail.get('gone', 0):,} labels are gone"
    text += f", {detail['back']:,} decisions are back" if detail.get("back") else ""
    return text + (f", {stay:,} that people have changed since stay" if stay else "")


def _backup(entry: Entry) -> str:
    return f"{entry.annotator} made the backup {entry.detail.get('file')}"


def _put_back(entry: Entry) -> str:
    return (
        f"{entry.annotator} put the backup {entry.detail.get('file')} in the place of the "
        "database: what had been decided between the two is in the replaced file"
    )


def _mended(entry: Entry) -> str:
    found = f"{entry.detail.get('check')}, {entry.detail.get('number', 0):,} of them"
    return f"{entry.annotator} mended what the check of the database had found: {found}"


def _cleared(entry: Entry) -> str:
    size = entry.detail.get("bytes", 0) / 1e6
    return f"{entry.annotator} made room: {entry.detail.get('what')} of {size:,.1f} MB went"


def _anything(entry: Entry) -> str:
    about = f" sample {entry.sample_id}" if entry.sample_id else ""
    words = ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in entry.detail.items()
        if name != "comment"
    )
    return f"{entry.annotator}: {entry.kind}{about}" + (f" ({words})" if words else "")


def _value(value: Any) -> str:
    return f"“{_cut(value)}”" if isinstance(value, str) and value else _cut(value or "nothing")


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MOST else text[:MOST] + " …"


_TOLD: dict[str, Callable[[Entry], str]] = {
    "decision": _decision,
    "correction": _correction,
    "undo": _undo,
    "review": _review,
    "adjudication": _adjudication,
    "restore": _restore,
    "refused": _refused,
    "created": _created,
    "deleted": _deleted,
    "dropped": _dropped,
    "settings": _settings,
    "category": _category,
    "refreshed": _refreshed,
    "added rows": _added_rows,
    "session": _session,
    "import": _import,
    "import undone": _import_undone,
    "backup": _backup,
    "put back": _put_back,
    "mended": _mended,
    "cleared": _cleared,
}
