"""Load this model: ``load_model("the.zip").predict(frame)`` tells the category of each row.

``frame`` is a pandas DataFrame with the columns of the source, however pandas has read them. It
needs scikit-learn, skops, pandas. Cells are read as the labeling program reads them; texts such as
007 that pandas has made into another value are found again among what the model knows.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
import zipfile
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Whatever else a file holds is not loaded: the card's own list comes with the file.
TRUSTED = ["numpy.dtype", "sklearn.tree._tree.Tree",
           "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]  # fmt: skip
GROUPED = {  # a number whose thousands are parted beyond doubt → the mark that does so
    re.compile(r"-?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})", re.ASCII): ".",
    re.compile(r"-?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,})", re.ASCII): ",",
}
NUMBER = re.compile(r"-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?", re.ASCII)
CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<part>\.\d{1,9})?)?"
TIME = re.compile(CLOCK, re.ASCII)
DATE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    rf"(?:[ T]{CLOCK} ?(?P<zone>Z|[+-]\d{{2}}(?::?\d{{2}})?)?)?",
    re.ASCII,
)
FIRST_DAY, NEVER = -62_135_596_800.0, 253_370_764_800.0  # 0001-01-01 and 9999-01-01: no dates
HUGE, CHARACTERS = 1e30, 5_000
# What pandas reads as missing unless it is told otherwise.
PANDAS_MISSING = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip


def load_model(path: str | Path) -> TableModel:
    """The model in the downloaded zip, or in the folder into which it was unpacked."""
    import skops.io

    root = Path(path) if Path(path).is_dir() else zipfile.Path(path)
    card, model = (root / name for name in ("model_card.json", "model.skops"))
    pipeline = skops.io.loads(model.read_bytes(), trusted=TRUSTED)
    return TableModel(json.loads(card.read_text(encoding="utf-8")), pipeline)


class TableModel:
    """A model with its card. ``classes_`` are the categories, in the order of predict_proba."""

    def __init__(self, card: dict[str, Any], pipeline: Any) -> None:
        self.card, self.pipeline, self.classes_ = card, pipeline, pipeline.classes_
        self._known = _known_categories(pipeline)

    def predict(self, frame: pd.DataFrame) -> Any:
        """An array of each row's category: the likeliest, or by the card's ``decision_weights``."""
        by = [(self.card.get("decision_weights") or {}).get(name, 1.0) for name in self.classes_]
        return self.classes_[(self.predict_proba(frame) * by).argmax(axis=1)]

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """The probability (0..1) of each category: an array [rows, categories]."""
        import numpy as np

        if not len(frame):
            return np.empty((0, len(self.classes_)))
        return np.asarray(self.pipeline.predict_proba(self.prepare(frame)))

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns that the model needs, as numbers and texts. Raises KeyError without one."""
        import pandas as pd

        features, made = self.card["features"], dict[str, Any]()
        for name, kind in features["columns"].items():
            if name not in frame.columns:
                raise KeyError(f"The table has no column {name!r}, which the model needs.")
            column, (word, _, width) = frame[name], kind.partition(" ")
            markers = frozenset(features.get("missing", {}).get(name, ()))
            if word == "sentence":
                from sentence_embedding import embed  # beside this file, where a model needs it

                column = embed(_convert(column, "text", markers, ()).tolist())
            if width:
                made |= _vectors(name, column, int(width))
            else:
                made[name] = _convert(column, kind, markers, self._known.get(name, ()))
        return pd.DataFrame(made, columns=pd.Index(list(made), dtype=object))


def _known_categories(pipeline: Any) -> dict[str, list[str]]:
    """Name → the texts that the model has met, of the columns that it takes for categories."""
    known: dict[str, list[str]] = {}
    for name, encoder, columns in pipeline.steps[0][1].transformers_:
        if name == "categories":
            known |= zip(columns, [[*map(str, each)] for each in encoder.categories_], strict=True)
    return known


def _vectors(name: str, column: Any, width: int) -> dict[str, np.ndarray]:
    """A column of lists of ``width`` numbers as so many columns; NaN where a cell is none."""
    import numpy as np

    found = np.full((len(column), width), np.nan)
    for row, cell in zip(found, column, strict=True):
        numbers = _listed(cell) if isinstance(cell, str) else cell
        if isinstance(numbers, list | tuple | np.ndarray) and len(numbers) == width:
            with suppress(OverflowError):
                row[:] = numbers
    found = np.where(np.isfinite(found), found.clip(-HUGE, HUGE), np.nan)
    return {f"{name}\x1f{at}": found[:, at] for at in range(width)}


def _listed(text: str) -> list[Any]:
    found: list[Any] = []
    with suppress(ValueError, RecursionError):
        found = json.loads(text) if text.lstrip()[:1] == "[" else []
    return found if all(type(each) in (int, float, type(None)) for each in found) else []


def _convert(column: pd.Series, kind: str, markers: frozenset[str], known: Any) -> np.ndarray:
    """A column as float64 or as texts; each different cell is read once."""
    import numpy as np
    import pandas as pd

    cells = np.empty(len(column), dtype=object)
    cells[:] = [_plain(each) for each in column.astype(object)]
    # True, 1 and 1.0 are equal, and not the same text.
    codes, different = pd.factorize(pd.Series([(type(each), each) for each in cells], dtype=object))
    if kind in ("number", "date"):
        numeric = {_number(each) for each in markers} - {None}
        read = [_as_number(value, kind, markers, numeric) for _, value in different]
        return np.array(read, dtype=np.float64)[codes]
    texts = _Texts(known, markers) if kind == "category" else _Texts((), markers)
    return np.array([texts.of(value) for _, value in different], dtype=object)[codes]


def _plain(value: Any) -> Any:
    """A cell as one of Python's own types; None where there is no value."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind not in "mM" else pd.Timestamp(value)
    endless = isinstance(value, decimal.Decimal) and not value.is_finite()
    unset = pd.api.types.is_scalar(value) and pd.isna(value)
    listed = isinstance(value, tuple) or not isinstance(value, Hashable)  # no feature
    return None if endless or unset or listed else value


def _as_number(value: Any, kind: str, markers: frozenset[str], numeric: set[Any]) -> float:
    found: float | None = None
    if isinstance(value, str):
        text = value[:CHARACTERS].strip()
        if text not in markers:
            found = _date(text) if kind == "date" else _number(text)
            if found is None and kind == "number":
                found = {"true": 1.0, "false": 0.0}.get(text.lower())
    elif isinstance(value, datetime.timedelta):
        found = value.total_seconds()
    elif kind == "date":
        found = _seconds(value)
    elif isinstance(value, bool | int | float | decimal.Decimal):
        found = _float(value)
        found = None if found in numeric else found
    if found is None or not math.isfinite(found):
        return math.nan
    if kind == "date" and (found >= NEVER or FIRST_DAY <= found < FIRST_DAY + 86_400):
        return math.nan
    return min(max(found, -HUGE), HUGE)


def _float(value: Any) -> float:
    with suppress(OverflowError):
        return float(value)
    return math.inf


def _number(text: str) -> float | None:
    """A text as a number; one comma is a decimal mark, leading zeros make it an id."""
    plain = text[1:] if text.startswith("+") else text
    for pattern, mark in GROUPED.items():
        if pattern.fullmatch(plain):
            plain = plain.replace(mark, "")
    plain = plain.replace(",", ".")
    if not NUMBER.fullmatch(plain) or not re.match(r"-?\.?\d", plain, re.ASCII):
        return None
    return float(plain)


def _date(text: str) -> float | None:
    """An ISO date as seconds since 1970-01-01 UTC, a time of day as seconds since midnight."""
    found = DATE.fullmatch(text) or TIME.fullmatch(text)
    if found is None:
        return None
    parts = {"zone": None, **found.groupdict()}
    try:
        hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
        clock = datetime.time(hour, minute, second)
        seconds = 3_600 * clock.hour + 60 * clock.minute + clock.second + float(parts["part"] or 0)
        if "year" not in parts:
            return seconds
        day = datetime.date(*(int(parts[name] or 0) for name in ("year", "month", "day")))
    except ValueError:  # no such day, or no such time
        return None
    zone = parts["zone"] or "Z"
    digits = "0000" if zone == "Z" else zone[1:].replace(":", "").ljust(4, "0")
    ahead = (3_600 * int(digits[:2]) + 60 * int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    whole = 86_400.0 * (day.toordinal() - 719_163)
    return None if abs(ahead) > 86_400 else whole + seconds - ahead


def _seconds(value: Any) -> float | None:
    """A date, moment or time of day as :func:`_date` has it; None for anything else."""
    seconds = 0.0
    if isinstance(value, datetime.datetime | datetime.time):
        value = _in_utc(value)
        seconds = 3_600 * value.hour + 60 * value.minute + value.second + value.microsecond / 1e6
    if isinstance(value, datetime.date):
        return 86_400.0 * (value.toordinal() - 719_163) + seconds
    return seconds if isinstance(value, datetime.time) else None


def _in_utc(value: Any) -> Any:
    moment = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return value.astimezone(datetime.UTC).replace(tzinfo=None) if moment else value


class _Texts:
    """Texts of cells, as the labeling program has them; ``known`` are those of a category."""

    def __init__(self, known: Any, markers: frozenset[str]) -> None:
        self.known, self.markers = set(known), markers
        self.alike: dict[Any, list[str]] = {}
        for text in known:
            for key in _keys(text):
                self.alike.setdefault(key, []).append(text)
        lost = [each for each in PANDAS_MISSING if each in self.known]
        # pandas has made NaN of it, where the model never met a missing value.
        self.missing = lost[0] if len(lost) == 1 and "" not in self.known else ""

    def of(self, value: Any) -> str:
        """The text of a cell; the empty text where it is missing."""
        if value is None:
            return self.missing
        text = _text(value)
        if not isinstance(value, str) and text not in self.known:
            alike = self.alike.get(_key(value), [])
            text = alike[0] if len(alike) == 1 else text
        return "" if text in self.markers else text


def _keys(text: str) -> list[Any]:
    """Whatever other value than a text this text may stand for."""
    # With leading zeros too: 007 is 7 to pandas.
    number, date = _number(re.sub(r"^([-+]?)0+(?=\d)", r"\1", text)), _date(text)
    truth = {"true": True, "false": False}.get(text.lower())
    found = (("date", date), ("number", number), ("truth", truth))
    return [each for each in found if each[1] is not None]


def _key(value: Any) -> Any:
    if isinstance(value, bool):
        return "truth", value
    if isinstance(value, int | float | decimal.Decimal):
        return "number", _float(value)
    return "date", _seconds(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value[:CHARACTERS].strip()
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if isinstance(value, int):  # True is one, too
        return str(value).lower()
    if isinstance(value, decimal.Decimal):
        return _without_zeros(format(value, "f"))
    if isinstance(value, float):
        if abs(value) < 1e15 and value.is_integer():
            return str(int(value))
        return re.sub(r"e([-+])0(\d)$", r"e\1\2", str(float(value)))
    if isinstance(value, datetime.datetime):
        return _without_zeros(_in_utc(value).isoformat(" ").removesuffix(" 00:00:00"))
    if isinstance(value, datetime.date | datetime.time):
        return _without_zeros(value.isoformat())
    return str(value)


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
