"""The scikit-learn transformer that makes features of prepared columns.

It holds scikit-learn's own types only, so that a downloaded model loads without this package.
For the worker process and the command line: scikit-learn is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labeling_core.errors import LabelingError
from labeling_core.modalities import vectors

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer

MAX_WIDTH = 1_024
LIMIT = 10.0  # scaled values lie in ±LIMIT
BLOCK = 64  # components of a text; a text or a vector varies as much as so many scaled numbers


def fit_transformer(
    frame: pd.DataFrame, kinds: dict[str, str]
) -> tuple[ColumnTransformer, dict[str, str]]:
    """Fit on prepared columns; return the transformer and name → reason of texts it cannot use.

    ``kinds`` are name → kind of all columns of ``frame``, whose numbers are clipped in place.
    The features lie in ±LIMIT and are at most MAX_WIDTH in number.
    Raises LabelingError if no column is left.
    """
    import pandas as pd
    from sklearn.compose import ColumnTransformer

    numbers = [name for name, kind in kinds.items() if kind in ("number", "date")]
    categories = [name for name, kind in kinds.items() if kind == "category"]
    texts = [name for name, kind in kinds.items() if kind == "text"]
    widths = {name: width for name, kind in kinds.items() if (width := vectors.width_of(kind))}
    share = (MAX_WIDTH - 2 * len(numbers)) // max(len(categories) + len(texts) + len(widths), 1)
    parts: list[tuple[str, Any, Any]] = []
    if numbers:
        parts.append(("numbers", _number_pipeline(), numbers))
    if categories:
        parts.append(("categories", _category_encoder(len(frame), share), categories))
    failed, weights = {}, {}
    for at, name in enumerate(texts):
        pipeline, width = _text_pipeline(frame[name], share)
        if pipeline is None:
            failed[name] = "has no words that occur twice"
            continue
        parts.append((f"text {at}", pipeline, name))
        # Rows of TF-IDF have length 1; this brings a component to the size of a scaled number.
        weights[f"text {at}"] = width**0.5
    for at, (name, width) in enumerate(widths.items()):
        columns = vectors.columns_of(name, width)
        parts.append((f"vector {at}", _vector_pipeline(width, max(share, 2)), columns))
        weights[f"vector {at}"] = (min(width, BLOCK) / width) ** 0.5
    if not parts:
        raise LabelingError(
            "No column of the table can be used for learning: its texts share no words.", "source"
        )
    rows = pd.concat([_clip(frame, kinds), frame], ignore_index=True)
    transformer = ColumnTransformer(parts, sparse_threshold=0.0, transformer_weights=weights)
    return transformer.fit(rows), failed


def _clip(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Clip the numbers in place; return two more rows, by which the scaler learns the limits."""
    ends = frame.head(2).copy()
    for name, kind in kinds.items():
        if width := vectors.width_of(kind):
            block = frame.loc[:, vectors.columns_of(name, width)]
            ends[block.columns] = low_high = _limits_of_vectors(block.to_numpy())
            frame[block.columns] = block.clip(*low_high, axis=1)
        elif kind in ("number", "date"):
            values = frame[name].to_numpy()
            ends[name] = low, high = _limits(_near_dates(values) if kind == "date" else values)
            frame[name] = frame[name].clip(low, high)
    return ends


def _near_dates(values: np.ndarray) -> np.ndarray:
    """Dates without those that lie far away from most: 1900-01-01 and the like stand for no date,
    and may be many."""
    import numpy as np

    present = values[~np.isnan(values)]
    first, third = np.quantile(present, (0.25, 0.75))
    near = np.abs(present - (first + third) / 2) <= 5 * (third - first)
    return present[near] if third > first else present


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Mean ± LIMIT standard deviations of the values cut to their middle 98 %.

    Cutting first keeps a few huge values from flattening all others; quartiles would find no
    spread at all in a column that is mostly zero.
    """
    import numpy as np

    present = values[~np.isnan(values)]
    middle = np.clip(present, *np.quantile(present, (0.01, 0.99)))
    spread = middle.std() or present.std() or 1.0
    return middle.mean() - LIMIT * spread, middle.mean() + LIMIT * spread


def _limits_of_vectors(values: np.ndarray) -> np.ndarray:
    """Mean ± LIMIT standard deviations of each number of the vectors: [2, width]. One that hardly
    differs between samples is not made as large as the others."""
    import numpy as np

    present = np.ma.masked_invalid(values)
    centre, spread = (each.filled(0.0) for each in (present.mean(axis=0), present.std(axis=0)))
    usual = float(np.sqrt(np.mean(spread**2))) or 1.0
    away = LIMIT * np.maximum(spread, 0.1 * usual)
    return np.stack([centre - away, centre + away])


def _vector_pipeline(width: int, room: int) -> Any:
    """Standardised and clipped, what is missing at the mean; more than ``room`` numbers are
    projected to so many, which leaves the distances between vectors nearly what they are
    (Johnson and Lindenstrauss)."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.random_projection import SparseRandomProjection

    return make_pipeline(
        MinMaxScaler((-LIMIT, LIMIT), clip=True, copy=False),
        SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True, copy=False),
        *([SparseRandomProjection(room, random_state=0)] if width > room else []),
    )


def _number_pipeline() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    # Between limits that lie LIMIT deviations from the mean this is standardising and clipping.
    return make_pipeline(
        MinMaxScaler((-LIMIT, LIMIT), clip=True, copy=False),
        SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True, copy=False),
    )


def _category_encoder(rows: int, share: int) -> Any:
    import numpy as np
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        min_frequency=max(2, rows // 2_000),
        max_categories=min(max(share, 2), 64),
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        dtype=np.float32,
    )


def _text_pipeline(texts: pd.Series, share: int) -> tuple[Any, int]:
    """TF-IDF reduced to at most BLOCK components, and their number; None and 0 without words."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    some = texts.head(5_000)
    spaced = some.str.count(r"\s").sum() * 15 > some.str.len().sum()
    vectorizer = TfidfVectorizer(
        analyzer="word" if spaced else "char_wb",
        ngram_range=(1, 1) if spaced else (1, 2),
        min_df=2,
        max_df=1.0,
        max_features=20_000,
        sublinear_tf=True,
        strip_accents="unicode",
    )
    try:
        words = len(vectorizer.fit(some).vocabulary_)
    except ValueError:  # scikit-learn's word for an empty vocabulary
        return None, 0
    width = min(max(share, 2), BLOCK, words)
    return make_pipeline(vectorizer, TruncatedSVD(width, random_state=0)), width
