"""The deck's JavaScript modules as one text, which is what Streamlit takes.

The modules are put one after the other, each behind those that it imports, without their imports
and the word ``export``: they share one scope. So no two may have the same name at the top, and the
few forms of import and export that are known here are the only ones allowed; whatever else is met
ends with a :class:`BundleError`, when the server starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_IMPORT = re.compile(r'^import \{([\w\s,$]*)\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) )", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (?=function )", re.MULTILINE)
_DECLARED = re.compile(
    r"^(export |export default |)"
    r"(?:async function\*?|function\*?|class|const|let|var)\b[ ]*([\w$]*)",
    re.MULTILINE,
)
# Anything that is still there once the known forms are gone: `export *`, `import(…)`, `as` …
_UNKNOWN = re.compile(r"^[ \t]*(?:import|export)\b.*|\bimport\s*[(.].*", re.MULTILINE)


class BundleError(Exception):
    """The modules cannot be joined; the message names the file and what is wrong."""


class Module(NamedTuple):
    """A JavaScript module: what it imports (file → names), declares at the top, and exports."""

    name: str
    imports: dict[str, list[str]]
    declared: list[str]
    exported: set[str]
    body: str


def join(folder: Path, entry: str) -> str:
    """Join all modules of a folder, behind one another as they need each other, ``entry`` last.

    The default export of ``entry`` is the one export that is left.
    """
    modules = {
        path.name: _parse(path.name, path.read_text(encoding="utf-8"), path.name == entry)
        for path in sorted(folder.glob("*.js"))
    }
    ordered = list(_in_order(modules, entry, ()))
    if left := sorted(modules.keys() - {each.name for each in ordered}):
        raise BundleError(f"{', '.join(left)}: imported by no module.")
    _check_names(ordered)
    return "\n".join(each.body for each in ordered)


def _parse(name: str, text: str, is_entry: bool) -> Module:
    imports: dict[str, list[str]] = {}
    for names, other in _IMPORT.findall(text):
        wanted = [each.strip() for each in names.split(",") if each.strip()]
        if any(" " in each for each in wanted):
            raise BundleError(f"{name}: a name from {other} is renamed, which is not known here.")
        imports.setdefault(other, []).extend(wanted)
    rest = _IMPORT.sub("", text)
    if is_entry and len(_DEFAULT.findall(rest)) != 1:
        raise BundleError(f"{name}: the first module needs one `export default function`.")
    declared = [(export, each) for export, each in _DECLARED.findall(rest)]
    if not all(each for _, each in declared):
        raise BundleError(f"{name}: a declaration at the top takes things apart.")
    body = _EXPORT.sub("", rest)
    if found := _UNKNOWN.search(_DEFAULT.sub("", body) if is_entry else body):
        raise BundleError(f"{name}: not known here: {found[0].strip()}")
    names = [each for _, each in declared]
    exported = {each for export, each in declared if export == "export "}
    return Module(name, imports, names, exported, body)


def _in_order(
    modules: dict[str, Module], name: str, above: tuple[str, ...], done: set[str] | None = None
) -> Iterator[Module]:
    """A module behind all that it imports, each of them once; ``above`` are those that want it."""
    done = set() if done is None else done
    if name in above:
        raise BundleError(f"In a circle: {' → '.join([*above[above.index(name) :], name])}.")
    if name not in modules:
        raise BundleError(f"{above[-1] if above else name}: there is no {name}.")
    if name in done:
        return
    module = modules[name]
    for other, names in module.imports.items():
        yield from _in_order(modules, other, (*above, name), done)
        if missing := set(names) - modules[other].exported:
            raise BundleError(f"{name}: {other} exports no {', '.join(sorted(missing))}.")
    done.add(name)
    yield module


def _check_names(modules: list[Module]) -> None:
    """BundleError where two modules would hide each other's names in the one scope."""
    owner: dict[str, str] = {}
    for module in modules:
        for name in module.declared:
            if name in owner:
                raise BundleError(f"{owner[name]} and {module.name} both declare {name}.")
            owner[name] = module.name
