"""How the columns of a table are used: what is shown, in which order, and what is learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from labeling_core.modalities import sentence_embedding
from labeling_core.projects.samples import Sample
from labeling_core.settings import COLUMN_KINDS, LABEL_USES, USES, Column, Settings


def arranged(sample: Sample, settings: Settings) -> Sample:
    """The sample with the fields that people see, in the order that was chosen, the main column
    first."""
    if not (settings.columns or settings.main_column):
        return sample
    fields = {each[0]: each for each in sample.fields}
    uses = {each.name: each for each in settings.columns}
    order = dict.fromkeys([settings.main_column, *uses, *fields])
    shown = [name for name in order if name in fields and (name not in uses or uses[name].shown)]
    return sample._replace(fields=[fields[name] for name in shown])


def as_stored(chosen: Sequence[Column], found: Sequence[str]) -> tuple[Column, ...]:
    """The shortest ``Settings.columns`` that say the same as ``chosen``, which has a record for
    each column in the order to show them; ``found`` are the names in the source's order.

    Columns that are used as usual and come last, as they do in the source, need no record.
    """
    place = {name: at for at, name in enumerate(found)}
    shown = [each for each in chosen if each.shown]
    after = len(found)
    # Without a record a column comes after all that have one, in the source's order.
    while shown and shown[-1] == Column(shown[-1].name) and place[shown[-1].name] < after:
        after = place[shown.pop().name]
    return tuple(shown) + tuple(each for each in chosen if not each.shown)


def in_order(settings: Settings, found: Iterable[str]) -> list[Column]:
    """A record for each of the columns ``found``, in the order in which they are shown."""
    names = dict.fromkeys(found)
    known = [each for each in settings.columns if each.name in names]
    listed = {each.name for each in known}
    shown = [each for each in known if each.shown]
    return (
        shown
        + [Column(name) for name in names if name not in listed]
        + [each for each in known if not each.shown]
    )


def free_name(name: str, taken: Iterable[str]) -> str:
    """``name``, or one made of it that is not among the columns ``taken``, whatever the case."""
    known = {each.lower() for each in taken}
    tries = [name, f"{name}_given", *(f"{name}_given_{n}" for n in range(2, len(known) + 3))]
    return next(each for each in tries if each.lower() not in known)


def mistakes(
    settings: Settings, found: Sequence[str], old: Settings | None
) -> list[tuple[str, str]]:
    """What is wrong with the columns: (field, sentence) each. ``found`` are those of the source."""
    listed = settings.columns
    wrong = [
        *(("columns", each) for each in _wrong_names(listed, found)),
        *(("columns", each) for each in _wrong_uses(listed)),
    ]
    if old is not None and _label_uses(settings) != _label_uses(old):
        wrong.append((
            "columns",
            "Labels are taken from a column when a project is made: leave which column holds "
            "labels, who labeled, when, or a remark as it was.",
        ))  # fmt: skip
    if main := settings.main_column:
        if main not in found:
            wrong.append(("main_column", f"There is no column “{main}”: choose another one."))
        elif not settings.column(main).shown:
            wrong.append((
                "main_column", f"“{main}” is not shown: choose another one, or have it shown above."
            ))  # fmt: skip
    uses = {each.name: each for each in listed}
    used = [uses.get(name, Column(name)) for name in found] if listed else []
    if used and not any(each.shown for each in used):
        wrong.append(("columns", "No column is shown: people need to see at least one."))
    if used and settings.queries_table and not any(each.learned for each in used):
        wrong.append((
            "columns",
            "No column is learned from: choose at least one, or turn active learning off.",
        ))  # fmt: skip
    return wrong


def _wrong_names(listed: Sequence[Column], found: Sequence[str]) -> list[str]:
    known = set(found)
    times = Counter(each.name for each in listed)
    unknown = [each for each in times if each not in known]
    twice = [each for each, number in times.items() if number > 1]
    wrong = (
        [f"There is no column “{unknown[0]}” to be used: name those of the table."]
        if unknown
        else []
    )
    return wrong + ([f"The column “{twice[0]}” is listed twice: leave one."] if twice else [])


def _wrong_uses(listed: Sequence[Column]) -> list[str]:
    wrong = [
        f"“{each.name}”: “{each.use}” is no use of a column; choose one of {', '.join(USES)}."
        for each in listed
        if each.use not in USES
    ][:1]
    wrong += [
        f"“{each.name}” cannot be taken for “{each.kind}”: choose one of "
        f"{', '.join(kind for kind in COLUMN_KINDS if kind)}, or as found."
        for each in listed
        if each.kind not in COLUMN_KINDS
    ][:1]
    meaning = [each.name for each in listed if each.kind == sentence_embedding.KIND]
    if meaning and not sentence_embedding.available():
        wrong.append(
            f"“{meaning[0]}” cannot be read by its meaning, as the embedding is not installed: run "
            f"{sentence_embedding.INSTALL_COMMAND}, or take it for a text."
        )
    for use in LABEL_USES:
        names = [f"“{each.name}”" for each in listed if each.use == use]
        if len(names) > 1:
            wrong.append(f"{' and '.join(names[:2])}: only one column can be “{USES[use]}”.")
    uses = {each.use: each.name for each in listed}
    loose = [use for use in LABEL_USES[1:] if use in uses]
    if loose and "labels" not in uses:
        wrong.append(
            f"“{uses[loose[0]]}” belongs to labels ({USES[loose[0]]}), but no column holds labels: "
            "choose the one that does."
        )
    return wrong


def _label_uses(settings: Settings) -> dict[str, str]:
    return {each.use: each.name for each in settings.columns if each.use in LABEL_USES}
