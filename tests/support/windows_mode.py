"""A Windows without Windows: this process, and those it starts, meet what they would meet there.

- What the modules of the program import lacks what Windows has not (``os.nice``, ``fcntl`` …).
- A file that any process of this user has open or mapped is neither removed nor replaced nor
  renamed, nor is a folder with such a file renamed.
- Names of devices, names with ``:`` or ``?``, and such as end in a dot or a blank are refused.
- Names that differ in case only are one and the same.

Files are looked at as Python touches them, below the folder of temporary files; what DuckDB and
other libraries open by themselves counts as open, and is not refused.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

VARIABLE = "TESTS_LIKE_WINDOWS"
OURS = ("labeling_core", "pages", "app")
NO_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
_OS = """
    chown chroot ctermid fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg
    getpgid getpgrp getpriority getsid getuid initgroups killpg lchown lockf major minor mkfifo
    mknod nice openpty O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK pread preadv pwrite pwritev
    posix_fadvise posix_fallocate posix_spawn readv register_at_fork sched_getaffinity
    sched_setaffinity sched_yield sendfile setegid seteuid setgid setpgid setpriority setsid setuid
    statvfs sync sysconf tcgetpgrp ttyname uname wait wait3 wait4 WNOHANG writev"""
_SIGNAL = """
    SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE SIGSTOP SIGCONT alarm setitimer pause
    pthread_kill sigwait"""
LACKING: dict[types.ModuleType, set[str]] = {
    os: set(_OS.split()),
    signal: set(_SIGNAL.split()),
    time: {"tzset", "clock_gettime", "pthread_getcpuclockid"},
}
_DEVICE = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])\s*(\..*)?", re.IGNORECASE)
_ROOT = os.path.realpath(tempfile.gettempdir())
_real: dict[str, Callable[..., Any]] = {}


class InUseError(PermissionError):
    """As Windows says that a file is in use."""

    winerror = 32


def install() -> None:
    """Be like Windows from now on, in this process and in those it starts."""
    if _real:
        return
    os.environ[VARIABLE] = "1"
    _real.update({"import": builtins.__import__, "open": io.open})
    for name in ("replace", "rename", "unlink", "remove", "mkdir", "open", "stat", "lstat"):
        _real[f"os.{name}"] = getattr(os, name)
    lacking = {each.__name__: _Lacking(each, names) for each, names in LACKING.items()}
    builtins.__import__ = _importing(lacking)
    for module in [each for name, each in sys.modules.items() if _is_ours(name)]:
        for name, value in list(vars(module).items()):
            if isinstance(value, types.ModuleType) and value.__name__ in lacking:
                setattr(module, name, lacking[value.__name__])
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # paths, not handles
    os.replace, os.rename = _moving("os.replace", True), _moving("os.rename", False)
    os.unlink, os.remove = _removing("os.unlink"), _removing("os.remove")
    os.mkdir, os.open = _making("os.mkdir"), _making("os.open")
    builtins.open = io.open = _making("open")
    os.stat, os.lstat = _looking("os.stat"), _looking("os.lstat")


def uninstall() -> None:
    """Be as before; processes that were started stay as they are."""
    os.environ.pop(VARIABLE, None)
    for module in [each for name, each in sys.modules.items() if _is_ours(name)]:
        for name, value in list(vars(module).items()):
            if isinstance(value, _Lacking):
                setattr(module, name, value.of)
    builtins.__import__ = _real.pop("import")
    builtins.open = io.open = _real.pop("open")
    shutil._use_fd_functions = True  # type: ignore[attr-defined]
    for name in list(_real):
        setattr(os, name.removeprefix("os."), _real.pop(name))


def installed() -> bool:
    """Whether this process is like Windows."""
    return bool(_real)


@contextmanager
def windows() -> Iterator[None]:
    """Be like Windows in a block."""
    already = installed()
    install()
    try:
        yield
    finally:
        if not already:
            uninstall()


def holders(path: str) -> Iterator[str]:
    """Files at ``path``, or below it, that a process of this user has open or mapped."""
    top = os.path.realpath(path)
    for each in os.listdir("/proc"):
        if not each.isdigit():
            continue
        try:
            if _real["os.stat"](f"/proc/{each}").st_uid != os.getuid():
                continue
            handles = os.listdir(f"/proc/{each}/fd")
            found = [_link(f"/proc/{each}/fd/{handle}") for handle in handles]
            with _real["open"](f"/proc/{each}/maps", encoding="utf-8", errors="replace") as maps:
                found += [words[5] for line in maps if len(words := line.split(None, 5)) > 5]
        except OSError:  # it has ended
            continue
        for name in {name.rstrip("\n") for name in found}:
            if name == top or name.startswith(f"{top}/"):
                yield name


class _Lacking(types.ModuleType):
    """A module without what Windows has not."""

    def __init__(self, of: types.ModuleType, names: set[str]) -> None:
        super().__init__(of.__name__)
        self.of, self.names = of, names

    def __getattr__(self, name: str) -> Any:
        if name in self.names:
            raise AttributeError(f"module {self.of.__name__!r} has no attribute {name!r}")
        return getattr(self.of, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("of", "names") or name.startswith("__"):
            super().__setattr__(name, value)
        else:  # a test that puts something in the place of a function
            setattr(self.of, name, value)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def _importing(lacking: dict[str, _Lacking]) -> Callable[..., Any]:
    def importing(name: str, scope: Any = None, *more: Any, **named: Any) -> Any:
        if name == "uvloop" or (scope and _is_ours(scope.get("__name__", ""))):
            if name in NO_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in lacking:
                return lacking[name]
        return _real["import"](name, scope, *more, **named)

    return importing


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _watched(path: Any) -> str | None:
    """``path`` in full where it lies below the temporary files; None where it is of no concern."""
    if isinstance(path, int):
        return None
    text = os.path.abspath(os.fsdecode(path))
    return text if text.startswith(f"{_ROOT}/") else None


def _require_unused(path: Any) -> None:
    full = _watched(path)
    if full is not None and _there(full):
        for held in holders(full):
            raise InUseError(errno.EACCES, f"in use: {held}", full)


def _require_possible(path: Any) -> None:
    full = _watched(path)
    if full is None:
        return
    for part in full[len(_ROOT) + 1 :].split("/"):
        if _DEVICE.fullmatch(part) or part[-1:] in (".", " ") or re.search(r'[<>:"|?*\\]', part):
            raise OSError(errno.EINVAL, f"no name for a file on Windows: {part!r}", full)


def _as_spelled(path: Any) -> Any:
    """``path`` as the file is called that there is, whatever the case of its letters."""
    full = _watched(path)
    if full is None:
        return path
    found = _ROOT
    for part in full[len(_ROOT) + 1 :].split("/"):
        there = f"{found}/{part}"
        if not _there(there):
            folded = part.casefold()
            try:
                named = [each for each in os.listdir(found) if each.casefold() == folded]
            except OSError:
                return path
            if not named:
                return path
            there = f"{found}/{named[0]}"
        found = there
    return found


def _there(path: str) -> bool:
    try:
        _real["os.lstat"](path)
        return True
    except (OSError, ValueError):
        return False


def _moving(name: str, over: bool) -> Callable[..., None]:
    def moving(source: Any, target: Any, **named: Any) -> None:
        _require_possible(target)
        _require_unused(source)
        if _watched(target) and _there(str(_as_spelled(target))):
            if not over:
                raise FileExistsError(errno.EEXIST, "there already", os.fsdecode(target))
            _require_unused(target)
            target = _as_spelled(target)
        _real[name](source, target, **named)

    return moving


def _removing(name: str) -> Callable[..., None]:
    def removing(path: Any, *, dir_fd: int | None = None) -> None:
        if dir_fd is None:
            _require_unused(path)
            _real[name](_as_spelled(path))
        else:
            _real[name](path, dir_fd=dir_fd)

    return removing


def _making(name: str) -> Callable[..., Any]:
    def making(path: Any, *more: Any, **named: Any) -> Any:
        if _watched(path) and "dir_fd" not in named:
            _require_possible(path)
            path = _as_spelled(path)
        return _real[name](path, *more, **named)

    return making


def _looking(name: str) -> Callable[..., Any]:
    def looking(path: Any, **named: Any) -> Any:
        try:
            return _real[name](path, **named)
        except FileNotFoundError:
            spelled = _as_spelled(path) if named.get("dir_fd") is None else path
            if spelled is path:
                raise
            return _real[name](spelled, **named)

    return looking
