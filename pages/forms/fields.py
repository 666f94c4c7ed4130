"""Widgets of the settings page that know their project and their mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from labeling_core.projects.validation import Problem


class Fields:
    """Widgets of one project's settings, each with a place for its mistakes below it."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._slots: dict[str, Any] = {}
        self._titles: dict[str, str] = {}
        self._told: set[str] = set()

    def key(self, name: str) -> str:
        """The widget key of a field."""
        return f"settings-{self._scope}-{name}"

    def slot(self, name: str, title: str) -> None:
        """Keep a place here for the mistakes of a field."""
        self._slots[name] = st.container()
        self._titles[name] = title

    def tell(self, name: str, sentence: str) -> None:
        """Name a mistake beside its field; once, though it be found again when it is saved."""
        if sentence not in self._told:
            self._slots.get(name, st).error(sentence, icon=":material/error:")
        self._told.add(sentence)

    def text(self, name: str, title: str, value: str, help: str, default: str = "") -> str:
        """A text; left empty, ``default`` holds (shown as a placeholder)."""
        entered = st.text_input(
            title, "" if value == default else value, key=self.key(name), help=help,
            placeholder=default,
        )  # fmt: skip
        self.slot(name, title)
        return entered.strip() or default

    def choice(
        self, name: str, title: str, options: Mapping[str, str], value: str, help: str
    ) -> str:
        """One of ``options`` (value → what is shown)."""
        listed = list(options)
        chosen = st.selectbox(
            title, listed, index=listed.index(value) if value in listed else 0,
            format_func=lambda each: options[each], key=self.key(name), help=help,
        )  # fmt: skip
        self.slot(name, title)
        return str(chosen)

    def several(
        self, name: str, title: str, options: Mapping[str, str], values: Sequence[str], help: str
    ) -> list[str]:
        """Some of ``options`` (value → what is shown)."""
        chosen = st.multiselect(
            title, list(options), list(values), format_func=lambda each: options[each],
            key=self.key(name), help=help,
        )  # fmt: skip
        self.slot(name, title)
        return [str(each) for each in chosen]

    def number(self, name: str, title: str, value: int, help: str) -> int:
        """A whole number. Bounds are for the validation to tell: the widget would hold on to the
        number before, in silence."""
        entered = st.number_input(title, value=value, step=1, key=self.key(name), help=help)
        self.slot(name, title)
        return int(entered)

    def seconds(self, name: str, title: str, value: float, help: str) -> float:
        """A number of seconds, as :meth:`number` takes it."""
        entered = st.number_input(
            title, value=float(value), step=0.5, format="%g", key=self.key(name), help=help
        )
        self.slot(name, title)
        return float(entered)

    def percent(self, name: str, title: str, value: int, most: int, help: str) -> int:
        """A share of 0 to ``most`` percent."""
        chosen = st.slider(
            title, 0, most, min(value, most), key=self.key(name), help=help, format="%d %%"
        )
        self.slot(name, title)
        return int(chosen)

    def show(self, found: Sequence[Problem]) -> None:
        """Name each mistake beside its field, and say at the end which fields these are."""
        for each in found:
            self.tell(each.field, each.sentence)
        marked = dict.fromkeys(
            self._titles[each.field] for each in found if each.field in self._titles
        )
        if marked:
            st.error(f"Not saved; each is marked above, beside its field: {', '.join(marked)}.",
                     icon=":material/error:")  # fmt: skip

    def forget(self) -> None:
        """Start the next project with empty fields."""
        for name in [each for each in st.session_state if str(each).startswith(self.key(""))]:
            del st.session_state[name]
