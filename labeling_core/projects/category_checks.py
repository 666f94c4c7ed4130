"""What can be wrong with the categories of a project."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from labeling_core.projects.categories import assign_keys
from labeling_core.settings import Category

LONGEST_NAME = 100  # characters; what a deck sends may hold 1,000


def mistakes(categories: Sequence[Category], known: Collection[str]) -> list[str]:
    """A sentence for everything that is wrong with the categories.

    ``known`` are the names that the project had before: those may be longer than LONGEST_NAME.
    """
    found = []
    names = [each.name.strip() for each in categories]
    if sum(not each.retired for each in categories) < 2:
        found.append("At least two categories are needed.")
    if any(not name for name in names):
        found.append("A category has no name: fill it in or remove the row.")
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        found.append(f"The category “{name}” stands there twice: remove one.")
    for name in sorted({name for name in names if len(name) > LONGEST_NAME} - set(known)):
        found.append(
            f"The name “{name[:30]} …” has {len(name):,} characters: take at most {LONGEST_NAME}, "
            "and let the description say the rest."
        )
    return found + _mistakes_in_keys(categories)


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
