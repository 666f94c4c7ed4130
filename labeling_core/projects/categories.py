"""Categories as people enter them, and the keys and colours that they get."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import east_asian_width

from labeling_core.settings import Category

# What a category may get when its own letters are taken; space, / and ? are the deck's.
KEYS = "abcdefghijklmnopqrstuvwxyz0123456789,.;:!'\"#$%&()*+-=<>@[]^_{|}~"
# Okabe and Ito's palette (black left out), then Tol's muted one: for colour-blind eyes as well.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F",
    "#332288", "#882255", "#44AA99", "#999933", "#DDCC77", "#117733", "#AA4499",
)  # fmt: skip


def read_categories(rows: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Categories from the rows of an editor: order, name, description, colour, key.

    Rows without an order come last, in their own sequence; cells may be missing (None or NaN).
    """

    def text(value: Any) -> str:
        return value.strip() if isinstance(value, str) else ""

    def place(row: Mapping[str, Any]) -> float:
        try:
            order = float(row["order"])
        except (TypeError, ValueError):
            return math.inf
        return math.inf if math.isnan(order) else order

    return tuple(
        Category(text(row["name"]), text(row["description"]), text(row["colour"]), text(row["key"]))
        for row in sorted(rows, key=place)
    )


def assign_keys(categories: Sequence[Category]) -> tuple[Category, ...]:
    """Give every category a key and a colour that it lacks.

    A key set by hand stays. Otherwise it is the first letter of the name where free, then
    the name's next free letter or digit, then any free one; where none is left, the category is
    found by typing. Letters that a keyboard writes only by way of several keys (Chinese, Japanese,
    Korean) are none: there it is the digit of its place, the tenth being 0. Retired ones need
    none; they come last, and of them those that nothing learns of. A colour is that of its place
    in the palette, or where another category has it the first free one.
    """
    categories = sorted(categories, key=lambda each: (each.retired, not each.learned))
    taken = {each.key.lower() for each in categories if each.key}
    used = {each.color.lower() for each in categories if each.color}
    done = []
    for number, each in enumerate(categories):
        key = each.key.lower()
        if not key and not each.retired:
            letters = [c for c in each.name.lower() if c.isalnum() and len(c) == 1]
            wanted = [c for c in letters if east_asian_width(c) not in "WF"]
            if letters and not wanted and number < 10:
                wanted = [str((number + 1) % 10)]
            wanted += KEYS
            key = next((c for c in wanted if c not in taken), "")
            taken.add(key)
        usual = COLOURS[number % len(COLOURS)]
        free = (color for color in (usual, *COLOURS) if color.lower() not in used)
        color = each.color or next(free, usual)
        used.add(color.lower())
        done.append(replace(each, name=each.name.strip(), key=key, color=color))
    return tuple(done)
