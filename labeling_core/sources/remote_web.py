"""Folders on web servers, through fsspec: the links of the pages that list them, and their files.

Nothing is followed that leads elsewhere: links out of a folder are passed over, and an answer that
sends to another address is refused. A password for a server comes from ``.netrc`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from labeling_core.errors import LabelingError

INSTALL = "pip install fsspec aiohttp"
UNTOLD = -1  # the size of a file of which the server does not tell enough
_DEEPEST = 30  # folders within one another
_AT_ONCE = 8  # files that a server is asked about
Facts = tuple[int, int, str]  # see remote_storage.Entry


class _SentOnError(LabelingError):
    def __init__(self, url: str) -> None:
        super().__init__(f"The server sends {url} on to another address, which is not followed.")
        self.url = url


def listed(folder: str, connect: float, read: float) -> dict[str, Facts]:
    """The files below ``folder`` by their names; whoever runs the server has chosen them.

    ``connect`` and ``read`` are the seconds to wait for a connection, and for more of an answer.
    """
    storage, start = _storage(connect, read), _url(folder)
    urls: list[str] = []
    waiting, known = [start], {start}
    while waiting:
        for link in _links(storage, waiting.pop(), start):
            if not link.endswith("/"):
                urls.append(link)
            elif link not in known:
                if link.count("/") > start.count("/") + _DEEPEST:
                    raise LabelingError(f"More than {_DEEPEST} folders lie within one another.")
                known.add(link)
                waiting.append(link)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        facts = threads.map(lambda url: _asked(storage, url), urls)
        return {
            unquote(url.removeprefix(start)): each for url, each in zip(urls, facts, strict=True)
        }


@contextmanager
def opened(folder: str, name: str, size: int, connect: float, read: float) -> Iterator[Any]:
    """What the server says of a file now, and the file, to be read from its beginning."""
    storage = _storage(connect, read)
    # With a size it is not asked for first: what is said comes with the content.
    with storage.open(_url(folder) + quote(name), "rb", block_size=0, size=size or 1) as file:
        headers = file.r.headers
        size = int(headers.get("Content-Length", size))
        yield _facts(headers, size), file


def piece(
    folder: str, name: str, start: int, end: int, connect: float, read: float
) -> tuple[Facts, bytes | None]:
    """What the server says of a file now, and its bytes ``start`` to ``end``; None from a server
    that sends whole files only."""
    storage = _storage(connect, read)
    headers = storage.kwargs["headers"] | {"Range": f"bytes={start}-{end - 1}"}
    url = _url(folder) + quote(name)
    with storage.open(url, "rb", block_size=0, size=end, headers=headers) as file:
        total = file.r.headers.get("Content-Range", "").rpartition("/")[2]
        if file.r.status != 206 or not total.isdigit():
            return (UNTOLD, 0, ""), None
        found = bytearray()
        while len(found) < end - start and (more := file.read(end - start - len(found))):
            found += more
        return _facts(file.r.headers, int(total)), bytes(found)


def _url(folder: str) -> str:
    scheme, _, place = folder.partition("://")
    host, _, path = place.partition("/")
    return f"{scheme}://{host}/{quote(path)}" + ("/" if path else "")


def _links(storage: Any, url: str, start: str) -> list[str]:
    """Files and folders (with ``/`` behind them) that the page of a folder links to, each once;
    none for one that is not there, but the first."""
    try:
        found = storage.ls(url, detail=False)
    except FileNotFoundError:
        if url == start:
            raise
        return []
    except _SentOnError as error:
        if error.url != url.rstrip("/"):
            raise
        return []  # fsspec looks once more where it has found nothing
    links = set()
    for each in found:
        name = unquote(each.removeprefix(url).removesuffix("/"))
        is_plain = each.startswith(url) and not any(sign in each for sign in "?#")
        # One that has ``/`` in its name, however written, is none of this folder.
        if is_plain and "/" not in name and name not in ("", ".", ".."):
            links.add(url + quote(name) + ("/" if each.endswith("/") else ""))
    return sorted(links)


def _asked(storage: Any, url: str) -> Facts:
    try:
        found = storage.info(url)
    except FileNotFoundError as error:  # as which fsspec raises whatever went wrong
        cause = error.__cause__
        if cause is None or getattr(cause, "status", 0) == 404:
            return UNTOLD, 0, ""
        raise cause from None
    size = found.get("size")
    return _facts(found, UNTOLD if size is None else int(size))


def _facts(found: Any, size: int) -> Facts:
    tag, date = str(found.get("ETag", "")), str(found.get("Last-Modified", ""))
    try:
        changed = int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError):
        changed = 0
    return (size if tag or changed else UNTOLD), changed, tag


@lru_cache(4)
def _storage(connect: float, read: float) -> Any:
    import aiohttp
    import fsspec

    return fsspec.filesystem(
        "http", skip_instance_cache=True, encoded=True, allow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        client_kwargs={
            "timeout": aiohttp.ClientTimeout(None, sock_connect=connect, sock_read=read),
            "trust_env": True, "raise_for_status": _stay,
        },
    )  # fmt: skip


async def _stay(answer: Any) -> None:
    if 300 <= answer.status < 400:
        raise _SentOnError(str(answer.url))
