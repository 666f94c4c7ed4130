"""What can be wrong with the categories of a project."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from labeling_core.projects.categories import assign_keys
from labeling_core.projects.category_names import compared
from labeling_core.settings import Category

LONGEST_NAME = 100  # characters; what a deck sends may hold 1,000
# What nobody sees: soft hyphen, joiners, zero widths, marks of direction and of variants.
_BREAKS = re.compile("[\x00-\x1f\x7f\u2028\u2029]")


def mistakes(categories: Sequence[Category], known: Collection[str]) -> list[str]:
    """A sentence for everything that is wrong with the categories.

    ``known`` are the names that the project had before: those may be longer than LONGEST_NAME.
    """
    found = []
    names = [each.name.strip() for each in categories]
    named = [name for name in names if compared(name)]
    if sum(not each.retired for each in categories) < 2:
        found.append("At least two categories are needed.")
    if len(named) < len(names):
        found.append("A category has no name: fill it in or remove the row.")
    for name in sorted({name for name in named if names.count(name) > 1}):
        found.append(f"The category “{name}” stands there twice: remove one.")
    found += _look_alikes(named, known)
    for name in sorted({name for name in named if _BREAKS.search(name)} - set(known)):
        start = " ".join(name.split())[:30]
        found.append(f"The name “{start} …” has line breaks: enter a list under “Add several”.")
    for name in sorted({name for name in names if len(name) > LONGEST_NAME} - set(known)):
        found.append(
            f"The name “{name[:30]} …” has {len(name):,} characters: take at most {LONGEST_NAME}, "
            "and let the description say the rest."
        )
    return found + _mistakes_in_keys(categories)


def _look_alikes(names: Sequence[str], known: Collection[str]) -> list[str]:
    """A sentence for each name that looks like another; those that a project had may stay."""
    found, first = [], dict[str, str]()
    for name in dict.fromkeys(names):
        other = first.setdefault(compared(name), name)
        if other != name and not {name, other} <= set(known):
            found.append(f"“{name}” looks like the category “{other}”: change or remove one.")
    return found


def _mistakes_in_keys(categories: Sequence[Category]) -> list[str]:
    """The same for the keys and colours of those that are offered."""
    found = []
    by_key: dict[str, str] = {}
    for each in assign_keys(categories):
        if each.retired:
            continue
        if each.key and (len(each.key) != 1 or not each.key.isprintable() or each.key in " /?"):
            found.append(
                f"The key “{each.key}” of “{each.name}” cannot be used: take one letter or digit."
            )
        elif each.key in by_key:
            found.append(
                f"“{by_key[each.key]}” and “{each.name}” share the key “{each.key}”: change one."
            )
        if each.key:
            by_key.setdefault(each.key, each.name)
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", each.color):
            found.append(f"The colour of “{each.name}” is not of the form #1a2b3c.")
    return found
