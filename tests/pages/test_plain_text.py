"""What people wrote is sent as text; what our own pages need of Markdown stays."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.shell.plain_text import FIELDS, JOINER, harmless, make_harmless


@pytest.mark.parametrize(
    "ours",
    [
        "**Out of date**: decisions since then: 12. At 14:05, 95.1 % (0.7 to 0.9).",
        "In `data/labels.duckdb`, or below `https://example.org`.  \nAnother line.",
        "Kept for 14 days - or more; “Wine colour” is not",
    ],
)
def test_sentences_of_ours_stay_as_they_are(ours: str) -> None:
    assert harmless(ours) == ours


@pytest.mark.parametrize(
    ("hostile", "told"),
    [
        ("[text](x)", r"\[text](x)"),
        ("![picture](x)", r"!\[picture](x)"),
        ("<b>", r"\<b>"),
        ("$x$", r"\$x\$"),
        (":red[x]", rf"\:{JOINER}red\[x]"),
        (":material/home:", rf"\:{JOINER}material/home:"),
        ("https://else.org", rf"https\:{JOINER}//else.org".replace("\\", "")),
        (r"https\://else.org", rf"https\:{JOINER}//else.org"),
        ("www.else.org a@else.org", f"www{JOINER}.else.org a@{JOINER}else.org"),
        ("# a\n`\n\n[x](y)`", "\\# a\n\\`\n\n\\[x](y)\\`"),
        ("``[x](y)`", r"\`\`\[x](y)\`"),
        (r"\`[x](y)`", r"\`\[x](y)\`"),
        ("a&#58;b", r"a\&#58;b"),
    ],
)
def test_markup_of_others_is_only_text(hostile: str, told: str) -> None:
    assert harmless(hostile) == told


def test_every_kind_of_element_is_reached() -> None:
    """By construction: whatever has a body, a title, a label or a help, and is not known as plain,
    is among those whose texts are made harmless."""
    plain = {"Text", "Html", "Json", "Exception"}
    told = []
    for part in ("new_element", "add_block"):
        for field in getattr(ForwardMsg().delta, part).DESCRIPTOR.fields:
            kind = field.message_type
            names = {each.name for each in kind.fields} if kind else set()
            if names & {"body", "title"} and kind.name not in plain | FIELDS.keys():
                told.append(kind.name)
            for name in names & {"label", "help"}:
                message = ForwardMsg()
                element = getattr(getattr(message.delta, part), field.name)
                setattr(element, name, "[x](y)")
                make_harmless(message.delta)
                assert getattr(element, name) == r"\[x](y)", (kind.name, name)
    assert told == []
