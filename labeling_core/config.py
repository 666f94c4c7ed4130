"""Where the program lies, and every environment variable that it heeds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from starlette.config import Config

from labeling_core.errors import LabelingError

PACKAGES = Path(__file__).resolve().parent.parent  # from where this package is imported
_INSTALLED = PACKAGES / "labeling_core" / "app"  # where a wheel has what lies beside it here
IS_INSTALLED = _INSTALLED.is_dir()
ROOT = _INSTALLED if IS_INSTALLED else PACKAGES
DATA = ROOT / "data"
# Where databases and folders of samples lie unless a path is named: an installed program has none
# of its own, and takes that of the folder it was started in.
HOME = Path.cwd() / "data" if IS_INSTALLED else DATA
T = TypeVar("T")
_config = Config(environ=os.environ)


@dataclass(frozen=True)
class Variable(Generic[T]):
    """One environment variable: what it is, what it is without being set, how it is read.

    ``wanted`` ends the sentence about a value that ``cast`` refuses with a ValueError;
    ``shown`` is the default in words where ``default`` does not say it.
    """

    name: str
    description: str
    default: T
    cast: Callable[[str], T]
    wanted: str
    shown: str = ""

    def get(self) -> T:
        """The value of this moment; LabelingError, with name and value, for one that cannot be."""
        try:
            return _config(self.name, cast=self._read, default="")
        except ValueError as error:
            raise LabelingError(
                f"{self.name} is “{_config(self.name).strip()}”: set it to {self.wanted}, or "
                "leave it out."
            ) from error

    def put(self, text: str) -> None:
        """Set it for this process and those that it starts."""
        os.environ[self.name] = text

    def _read(self, text: str) -> T:
        return self.cast(text.strip()) if text.strip() else self.default


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(each.strip()).resolve() for each in text.split(os.pathsep) if each.strip())


_REMOTE = re.compile(
    r"(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?)"
    r"(/[^/\\?#*%\[\]\x00-\x1f\x7f]+)*"
)


def is_remote_folder(text: str) -> bool:
    """Whether ``text`` is the address of a folder on S3 or a web server, without anything that
    would be read as more than a name."""
    return bool(_REMOTE.fullmatch(text)) and not {".", ".."} & set(text.split("/"))


def _remote_roots(text: str) -> tuple[str, ...]:
    roots = tuple(each.rstrip("/") for each in _names(text))
    if not all(map(is_remote_folder, roots)):
        raise ValueError(text)
    return roots


def _names(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _days(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _unconfirmed(text: str) -> str:
    if text not in ("refuse", "accept"):
        raise ValueError(text)
    return text


def _log(text: str) -> str:
    if text not in ("json", "text"):
        raise ValueError(text)
    return text


def _sql_address(text: str) -> str:
    found = re.fullmatch(r"quack:(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})", text)
    if not found or not 0 < int(found[1]) < 65535:
        raise ValueError(text)
    return text


def _cluster(text: str) -> str:
    if not re.fullmatch(r"dask://(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}", text):
        raise ValueError(text)
    return text


DATABASE = Variable(
    "LABELING_DATABASE", "the database file",
    HOME / "labeling.duckdb", _path, "the path of a file", "`data/labeling.duckdb`",
)  # fmt: skip
DATA_ROOTS: Variable[tuple[Path, ...]] = Variable(
    "LABELING_DATA_ROOTS",
    "folders below which images and sounds may lie, besides `data/`; separated like `PATH`",
    (), _paths, "paths of folders", "none",
)  # fmt: skip
REMOTE_ROOTS: Variable[tuple[str, ...]] = Variable(
    "LABELING_REMOTE_ROOTS",
    "folders on S3 and web servers below which images, sounds and Parquet files may lie, such as "
    "`s3://bucket/photos`; separated by commas. See [scale.md](scale.md#files-on-s3)",
    (), _remote_roots, "addresses such as “s3://bucket/photos”", "none",
)  # fmt: skip
REMOTE_CACHE = Variable(
    "LABELING_REMOTE_CACHE",
    "megabytes that files fetched from there may take on the disk; what was not used for longest "
    "goes first, and is fetched again when it is needed",
    10_000.0, _above_zero, "a number above 0", "10000",
)  # fmt: skip
ADMINS: Variable[tuple[str, ...]] = Variable(
    "LABELING_ADMINS",
    "e-mails of the first admins, separated by commas; with a login only. They stay admins "
    "whatever the People page says",
    (), _names, "e-mails", "none",
)  # fmt: skip
BACKUPS: Variable[Path | None] = Variable(
    "LABELING_BACKUPS", "folder of the backups; databases may share one",
    None, _path, "the path of a folder", "`<database>.files/backups`",
)  # fmt: skip
BACKUPS_KEEP = Variable(
    "LABELING_BACKUPS_KEEP", "for how many days a backup is kept", 14, _days, "a number of days"
)
TRAINING_SECONDS = Variable(
    "LABELING_TRAINING_SECONDS", "seconds that a session may take at most",
    3600.0, _above_zero, "a number above 0",
)  # fmt: skip
TRAINING_MEMORY = Variable(
    "LABELING_TRAINING_MEMORY", "megabytes that a session may take at most (Linux)",
    0.0, _above_zero, "a number above 0", "no limit",
)  # fmt: skip
WORKER_MEMORY = Variable(
    "LABELING_WORKER_MEMORY",
    "megabytes that the process which trains may keep between two sessions; one that holds more is "
    "replaced by a fresh one (Linux)",
    1000.0, _above_zero, "a number above 0",
)  # fmt: skip
UPLOAD_MEMORY = Variable(
    "LABELING_UPLOAD_MEMORY",
    "megabytes that files may take in memory, of all people together, until they are saved",
    4096.0, _above_zero, "a number above 0",
)  # fmt: skip
UNCONFIRMED = Variable(
    "LABELING_UNCONFIRMED_EMAILS",
    "`accept`: take a login whose provider does not say whether its e-mail is confirmed",
    "refuse", _unconfirmed, "“refuse” or “accept”", "`refuse`",
)  # fmt: skip
RENDITIONS = Variable(
    "LABELING_RENDITIONS",
    "megabytes that pictures and audio made for browsers may take on the disk; what was not shown "
    "for longest goes first, and is made again when it is shown",
    10_000.0, _above_zero, "a number above 0", "10000",
)  # fmt: skip
MODELS = Variable(
    "LABELING_MODELS",
    "folder of your own models (ONNX) and of vectors computed elsewhere: see [media.md](media.md)",
    HOME / "models", _path, "the path of a folder", "`data/models`",
)  # fmt: skip
LOG = Variable(
    "LABELING_LOG",
    "`json`: one JSON object a line on standard error, requests included, without anything that "
    "people wrote; `text`: as libraries write it, without requests",
    "text", _log, "“json” or “text”", "`text`",
)  # fmt: skip
METRICS_TOKEN = Variable(
    "LABELING_METRICS_TOKEN",
    "what Prometheus has to know to be told `/labeling/metrics`; without one nobody is",
    "", str, "a long random text", "none",
)  # fmt: skip
SQL = Variable(
    "LABELING_SQL",
    "where DuckDB clients can `ATTACH` the tables while people label, for readers; admins at the "
    "next port. See [tables.md](tables.md)",
    "", _sql_address, "an address such as “quack:localhost:9494”", "nowhere",
)  # fmt: skip
SQL_TOKEN = Variable(
    "LABELING_SQL_TOKEN",
    "what a reader of live SQL has to know: a long random text; without one there are none",
    "", str, "a long random text", "none",
)  # fmt: skip
SQL_ADMIN_TOKEN = Variable(
    "LABELING_SQL_ADMIN_TOKEN",
    "the same for admins, who see the internal tables as well",
    "", str, "a long random text", "none",
)  # fmt: skip
CLUSTER = Variable(
    "LABELING_CLUSTER",
    "the Dask cluster that reads files and replays simulations. See [scale.md](scale.md)",
    "", _cluster, "an address such as “dask://host:8786”", "this machine",
)  # fmt: skip
VARIABLES: tuple[Variable[Any], ...] = (
    DATABASE, DATA_ROOTS, REMOTE_ROOTS, REMOTE_CACHE, ADMINS, BACKUPS, BACKUPS_KEEP,
    TRAINING_SECONDS, TRAINING_MEMORY, WORKER_MEMORY, UPLOAD_MEMORY, CLUSTER, RENDITIONS, MODELS,
    UNCONFIRMED, LOG, METRICS_TOKEN, SQL, SQL_TOKEN, SQL_ADMIN_TOKEN,
)  # fmt: skip


def child_environment(**more: str) -> dict[str, str]:
    """The environment of a child program, which finds this package wherever it is started."""
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | more


def markdown() -> str:
    """The table of all variables as it stands in the documents."""
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for each in VARIABLES:
        default = each.shown or f"{each.default:g}"
        lines.append(f"| `{each.name}` | {default} | {each.description} |")
    return "\n".join(lines)
