"""When two names of categories are the same to whoever reads them."""

from __future__ import annotations

import unicodedata


def compared(name: str) -> str:
    """What of a name is compared: after Unicode's compatibility normalisation, without case, and
    without what cannot be seen (zero-width characters, marks of direction, variants of one sign).
    """
    text = unicodedata.normalize("NFKC", name)
    text = "".join(each for each in text if not _is_unseen(each))
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


def _is_unseen(character: str) -> bool:
    return (
        unicodedata.category(character) == "Cf"
        or character == "\u034f"
        or ("\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef")
    )
