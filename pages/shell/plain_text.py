"""What people wrote stays text: nobody makes a link, a picture or a colour of the app's own words.

Titles, categories, comments, columns, files, addresses: their texts reach browsers as parts of
sentences that Streamlit reads as Markdown. ``outgoing`` sends every such sentence through
:func:`harmless`, wherever a page has made it. Where a text of somebody's data should look exactly
as it was written, a page puts it through :func:`escaped` as well.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.message import Message

JOINER = "\u2060"  # not to be seen; what is found in the finished text is not found across it
_ESCAPED = r"\\[!-/:-@\[-`{-~]"
_CODE = r"(?<!`)`(?!`)[^`|\n]+(?<!`)`(?!`)"
# What stays as it is (pairs of stars, code, what is escaped already), and what is escaped.
_TOKENS = re.compile(rf"({_ESCAPED}|{_CODE}|\*\*)|([\\`*_~\[<$&]|^\s*#|:(?=[A-Za-z:\\]))", re.M)
# Addresses and short names of pictures are looked for after Markdown is read: :// @host. www. :x:
_FOUND_LATER = re.compile(
    r":(?=\\?/)|@(?=[-\w\\]+\.)|www(?=\\?\.)|:(?=[\w+\-/\\]*[A-Za-z+][\w+\-/\\]*[:\[])"
    r"|:(?=100\\?:|1234\\?:)",
    re.I,
)
# The fields of Streamlit's elements that browsers read as Markdown. Not the options of a radio or
# of segments: browsers answer with them; pages escape those.
FIELDS: dict[str, tuple[str, ...]] = {
    "Markdown": ("body",), "Heading": ("body",), "Alert": ("body", "title"), "Toast": ("body",),
    "Progress": ("text",), "Spinner": ("text",), "Dialog": ("title",),
    "Expandable": ("label",), "Popover": ("label",), "Tab": ("label",), "PageLink": ("label",),
    "Metric": ("label", "body", "delta", "delta_description"), "Radio": ("captions",),
}  # fmt: skip
EVERYWHERE = ("label", "help", "caption")


def escaped(text: str) -> str:
    """A text of somebody's data so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", text)


def harmless(markdown: str) -> str:
    """The sentence without links, pictures, colours, formulas and markup; bold and code stay."""
    plain = _TOKENS.sub(lambda found: found[1] or _with_backslash(found[2]), markdown)
    parts = re.split(rf"((?<!\\){_CODE})", plain)  # nothing is looked for in code
    parts[::2] = [_FOUND_LATER.sub(lambda found: found[0] + JOINER, each) for each in parts[::2]]
    return "".join(parts)


def _with_backslash(sign: str) -> str:
    return f"{sign[:-1]}\\{sign[-1]}"


def make_harmless(element: Message) -> None:
    """Do so with all that ``element``, or a block, has for Markdown, and what lies within."""
    markdown = (*FIELDS.get(element.DESCRIPTOR.name, ()), *EVERYWHERE)
    for field, value in element.ListFields():
        if field.name == "label" and _label_is_hidden(element):
            continue
        if field.name in markdown and field.type == field.TYPE_STRING:
            if isinstance(value, str):
                setattr(element, field.name, harmless(value))
            else:
                value[:] = [harmless(each) for each in value]
        elif field.type != field.TYPE_MESSAGE:
            continue
        elif isinstance(value, Message):
            make_harmless(value)
        elif not field.message_type.GetOptions().map_entry:
            for each in value:
                make_harmless(each)


def _label_is_hidden(element: Any) -> bool:
    """It is read aloud then, letter by letter as it stands."""
    return "label_visibility" in element.DESCRIPTOR.fields_by_name and bool(
        element.label_visibility.value
    )
