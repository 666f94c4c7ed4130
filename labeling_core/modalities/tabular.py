"""Features of tables: every sample becomes one row of a float32 matrix on disk.

For the worker process and the command line: scikit-learn, pandas and pyarrow are imported inside
the functions. The transformer holds scikit-learn's own types only, so that a downloaded model
loads without this package; what happens before it is said in ``features.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeling_core.errors import LabelingError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from sklearn.compose import ColumnTransformer

VERSION = 1
FIT_ROWS = 200_000
FIT_CELLS = 8_000_000  # fewer rows are fitted on a table with many columns
FIT_BYTES = 150_000_000
BATCH_BYTES = 16_000_000
CELL_CHARS = 5_000  # the rest of a longer text is not read
MAX_COLUMNS = 400
MAX_WIDTH = 1_024
LIMIT = 10.0  # scaled values lie in ±LIMIT
HUGE = 1e30  # larger numbers are taken as this, so that sums of squares stay finite
FILES = ("features.npy", "transformer.skops", "features.json")
TRUSTED = ["numpy.dtype"]  # besides what skops trusts by itself: scikit-learn and numpy arrays
CONVERSIONS = {
    "number": "as it is; text is read as a number; NaN and infinity are missing",
    "date": "dates and timestamps: seconds since 1970-01-01 UTC; times: seconds since midnight",
    "category": "text; missing is the empty text",
    "text": f"the first {CELL_CHARS} characters; missing is the empty text",
}
NUMBER = r"^-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?$"
ISO_DATE = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?$"

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class FeatureSet:
    """The features of a table: ``rows`` × ``width`` numbers in ``folder``.

    ``columns`` are name → kind of what is used, ``left_out`` name → reason of what is not.
    """

    folder: Path
    rows: int
    width: int
    columns: dict[str, str]
    left_out: dict[str, str]

    @property
    def matrix(self) -> np.ndarray:
        """The float32 matrix, memory-mapped and read-only; row = position."""
        import numpy as np

        return np.load(self.folder / FILES[0], mmap_mode="r")


def fit_features(
    table: Path,
    folder: Path,
    exclude: Sequence[str] = (),
    progress: Progress = lambda doing, share: None,
) -> FeatureSet:
    """Fit on the first rows of the Parquet file ``table`` and write the features of all of it.

    Rows are in position order, which is already random. Columns in ``exclude`` are no features.
    ``progress`` is told what is done and the share done (0..1). The files in ``folder`` take
    their names at the end, ``features.json`` last, so a kill leaves no half cache.
    Raises LabelingError if no column can be used.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[2]).unlink(missing_ok=True)
    progress("Reading the columns", 0.0)
    kinds, left_out, sample = _find_kinds(table, exclude)
    if not kinds:
        reasons = "; ".join(f"“{name}” {reason}" for name, reason in list(left_out.items())[:5])
        raise LabelingError(
            f"No column of the table can be used for learning ({reasons or 'it has none'}): "
            "choose a table with columns that differ between samples.",
            field="source",
        )
    progress("Fitting the features", 0.1)
    frame = _prepare(sample, kinds)
    del sample
    transformer, failed = _fit(frame, kinds)
    del frame
    kinds = {name: kind for name, kind in kinds.items() if name not in failed}
    parts = [folder / f"{name}.partial" for name in FILES]
    rows, width = _write_matrix(table, parts[0], transformer, kinds, progress)
    skops.io.dump(transformer, parts[1])
    features = FeatureSet(folder, rows, width, kinds, left_out | failed)
    told = asdict(features) | {"version": VERSION, "conversions": CONVERSIONS}
    del told["folder"]
    parts[2].write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    for part, name in zip(parts, FILES, strict=True):
        part.replace(folder / name)
    progress("Features are ready", 1.0)
    return features


def read_features(folder: Path) -> FeatureSet | None:
    """The features that :func:`fit_features` left in ``folder``; None if they are not whole."""
    try:
        told = json.loads((folder / FILES[2]).read_text(encoding="utf-8"))
        if told["version"] != VERSION or not (folder / FILES[1]).is_file():
            return None
        features = FeatureSet(
            folder, told["rows"], told["width"], told["columns"], told["left_out"]
        )
        whole = features.matrix.shape == (features.rows, features.width)
    except (OSError, ValueError, KeyError):
        return None
    return features if whole else None


def load_transformer(folder: Path) -> ColumnTransformer:
    """The fitted transformer; nothing but scikit-learn's and numpy's types is trusted."""
    import skops.io

    return skops.io.load(folder / FILES[1], trusted=TRUSTED)


def transform(table: Path, folder: Path) -> np.ndarray:
    """The features (rows × width, float32) of another Parquet table with the same columns.

    Further columns do no harm. Raises LabelingError if one that is needed is missing.
    """
    import numpy as np
    import pyarrow.parquet as pq

    features = read_features(folder)
    if features is None:
        raise LabelingError("The features of this project are not computed yet: run a session.")
    missing = [name for name in features.columns if name not in pq.read_schema(table).names]
    if missing:
        raise LabelingError(
            f"The table lacks the column “{missing[0]}”, which the model uses: add it, or choose "
            "another table."
        )
    transformer = load_transformer(folder)
    parts = [
        transformer.transform(_prepare(batch, features.columns)).astype(np.float32)
        for batch in _batches(table, list(features.columns))
    ]
    return np.concatenate(parts) if parts else np.empty((0, features.width), np.float32)


# --- reading ---------------------------------------------------------------------------------


def _batches(table: Path, names: Sequence[str]) -> Iterator[pa.Table]:
    """The named columns in pieces of about BATCH_BYTES, long texts cut."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(table, pre_buffer=False) as file:
        meta = file.metadata
        size = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
        # Encoded size understates repeated values, so no column counts less than 8 bytes a row.
        row = max(size / max(meta.num_rows, 1), 8 * len(names), 1)
        rows = int(min(max(BATCH_BYTES / row, 64), 65_536))
        for batch in file.iter_batches(rows, columns=list(names)):
            cut = {name: _cut(batch.column(name)) for name in names}
            yield pa.table(cut)


def _cut(values: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return pc.utf8_slice_codeunits(values, 0, CELL_CHARS)
    return values


def _find_kinds(
    table: Path, exclude: Sequence[str]
) -> tuple[dict[str, str], dict[str, str], pa.Table]:
    """Name → kind, name → reason for being left out, and the first rows to fit on."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, total = pq.read_schema(table), pq.read_metadata(table).num_rows
    left_out = {name: "is not a feature by choice" for name in schema.names if name in exclude}
    usable = []
    for field in schema:
        if field.name in exclude:
            continue
        if reason := _unusable(field.type):
            left_out[field.name] = reason
        else:
            usable.append(field.name)
    limit = max(1_000, min(FIT_ROWS, FIT_CELLS // max(len(usable), 1)))
    parts: list[pa.Table] = []
    rows = size = 0
    for batch in _batches(table, usable) if usable else ():
        parts.append(batch.slice(0, limit - rows))
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= limit or size >= FIT_BYTES:
            break
    kinds: dict[str, str] = {}
    sample = pa.concat_tables(parts) if parts else pa.table({})
    for name in sample.column_names:
        kind, reason = _kind(sample.column(name), total)
        if kind and len(kinds) == MAX_COLUMNS:
            kind, reason = "", f"comes after the first {MAX_COLUMNS} usable columns"
        if kind:
            kinds[name] = kind
        else:
            left_out[name] = reason
    return kinds, left_out, sample


def _unusable(kind: pa.DataType) -> str:
    """Why values of this type are no feature, or nothing."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_nested(kind):
        return "holds nested values"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "holds binary values"
    if pa.types.is_fixed_size_binary(kind):
        return "holds ids"
    return ""


def _kind(values: pa.ChunkedArray, total: int) -> tuple[str, str]:
    """The kind of a column by its first values, or "" and the reason for leaving it out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _kind_of_text(values)
    date = pa.types.is_temporal(values.type)
    numbers = _numbers(values)
    present = pc.drop_null(numbers)
    if not len(present):
        return "", "has no values"
    span = pc.max(present).as_py() - pc.min(present).as_py()
    if not span and len(present) == len(values):
        return "", "has the same value everywhere"
    # All different within a range no wider than the table: a count of the rows, and where the
    # source was sorted by class it would tell the class.
    dense = pa.types.is_integer(values.type) and span < 1.05 * max(total, 20)
    if dense and pc.count_distinct(present).as_py() == len(values) >= 20:
        return "", "only numbers the rows"
    return ("date" if date else "number"), ""


def _kind_of_text(values: pa.ChunkedArray) -> tuple[str, str]:
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(values)
    present = stripped.filter(pc.fill_null(pc.not_equal(stripped, ""), False))
    count, different = len(present), pc.count_distinct(present).as_py()
    if not count:
        return "", "has no values"
    if different + (count < len(values)) < 2:
        return "", "has the same value everywhere"
    # A few words among numbers ("n/a", "unknown") are missing values.
    for kind, numbers in (("number", _text_numbers(present)), ("date", _text_dates(present))):
        read = len(numbers) - numbers.null_count
        if read >= 0.9 * count and pc.count_distinct(pc.drop_null(numbers)).as_py() > 1:
            return kind, ""
    if different <= 32 and different <= count / 2:
        return "category", ""
    words = pc.mean(pc.add(pc.count_substring_regex(present, r"\s+"), 1)).as_py()
    foreign = pc.mean(pc.cast(pc.invert(pc.string_is_ascii(present)), "int8")).as_py()
    length = pc.mean(pc.utf8_length(present)).as_py()
    # Some scripts put no spaces between words.
    if words >= 3 or (foreign > 0.5 and length >= 15):
        return "text", ""
    if different >= 0.95 * count:
        return "", "has another value in nearly every row, like an id"
    return "category", ""


# --- preparing: plain numbers and texts ------------------------------------------------------


def _prepare(batch: pa.Table, kinds: dict[str, str]) -> pd.DataFrame:
    """The used columns as float64 (missing is NaN) or text (missing is ""), in their order."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        values = batch.column(name)
        if kind in ("number", "date"):
            numbers = _numbers(values).to_numpy().astype(np.float64, copy=False)
            made[name] = np.where(np.isfinite(numbers), np.clip(numbers, -HUGE, HUGE), np.nan)
        else:
            texts = pc.fill_null(pc.utf8_trim_whitespace(pc.cast(values, pa.string())), "")
            made[name] = np.asarray(texts.to_pylist(), dtype=object)
    return pd.DataFrame(made, columns=pd.Index(list(kinds), dtype=object), copy=False)


def _numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as float64; NaN, infinity and what is no number are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        stripped = pc.utf8_trim_whitespace(values)
        numbers = pc.coalesce(_text_numbers(stripped), _text_dates(stripped))
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        numbers = _seconds(values)
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = pa.int32() if kind.bit_width == 32 else pa.int64()
        numbers = pc.divide(pc.cast(pc.cast(values, whole), pa.float64()), unit)
    elif _unusable(kind) or pa.types.is_interval(kind):
        numbers = pa.chunked_array([pa.nulls(len(values), pa.float64())])
    elif pa.types.is_boolean(kind):
        numbers = pc.cast(pc.cast(values, pa.int8()), pa.float64())
    else:
        numbers = pc.cast(values, pa.float64(), safe=False)
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _seconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = pc.cast(values, pa.timestamp("us"), safe=False)
    return pc.divide(pc.cast(pc.cast(moments, pa.int64()), pa.float64()), 1e6)


def _text_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as float64, null where they are no number; a single comma is a decimal mark."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(values, r"^\+", "")
    plain = pc.replace_substring(plain, ",", ".")
    # With leading zeros it is an id; a lone point or sign has no digit.
    number = pc.and_(
        pc.match_substring_regex(plain, NUMBER), pc.match_substring_regex(plain, r"^-?\.?\d")
    )
    return pc.cast(pc.if_else(number, plain, pa.scalar(None, plain.type)), pa.float64())


def _text_dates(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO dates in texts as seconds since 1970, null where they are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    none = pa.scalar(None, values.type)
    dates = pc.if_else(pc.match_substring_regex(values, ISO_DATE), values, none)
    try:
        return _seconds(pc.cast(dates, pa.timestamp("s")))
    except pa.ArrowInvalid:  # such as a thirteenth month
        return pa.chunked_array([pa.nulls(len(values), pa.float64())])


# --- fitting and writing ---------------------------------------------------------------------


def _fit(frame: pd.DataFrame, kinds: dict[str, str]) -> tuple[ColumnTransformer, dict[str, str]]:
    """The fitted transformer of prepared columns, and name → reason of texts it cannot use."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer

    numbers = [name for name, kind in kinds.items() if kind in ("number", "date")]
    categories = [name for name, kind in kinds.items() if kind == "category"]
    texts = [name for name, kind in kinds.items() if kind == "text"]
    share = (MAX_WIDTH - 2 * len(numbers)) // max(len(categories) + len(texts), 1)
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
    if not parts:
        raise LabelingError(
            "No column of the table can be used for learning: its texts share no words.", "source"
        )
    ends = frame.head(2).copy()  # two rows, so that the scaler learns the limits set here
    for name in numbers:
        ends[name] = low, high = _limits(frame[name].to_numpy())
        frame[name] = frame[name].clip(low, high)
    transformer = ColumnTransformer(parts, sparse_threshold=0.0, transformer_weights=weights)
    return transformer.fit(pd.concat([ends, frame], ignore_index=True)), failed


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
    """TF-IDF reduced to at most 64 components, and their number; None and 0 without words."""
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
    width = min(max(share, 2), 64, words)
    return make_pipeline(vectorizer, TruncatedSVD(width, random_state=0)), width


def _write_matrix(
    table: Path,
    file: Path,
    transformer: ColumnTransformer,
    kinds: dict[str, str],
    progress: Progress,
) -> tuple[int, int]:
    """Transform the table piece by piece into ``file``; return its rows and width."""
    import numpy as np
    import pyarrow.parquet as pq

    rows, at, width = pq.read_metadata(table).num_rows, 0, 0
    for batch in _batches(table, list(kinds)):
        values = transformer.transform(_prepare(batch, kinds))
        width = values.shape[1]
        # Opened for each piece anew: pages of a mapping count as memory while it is open.
        matrix = np.lib.format.open_memmap(
            file, mode="r+" if at else "w+", dtype=np.float32, shape=(rows, width)
        )
        matrix[at : at + len(values)] = values
        del matrix
        at += len(values)
        progress("Computing the features", 0.2 + 0.8 * at / rows)
    return rows, width
