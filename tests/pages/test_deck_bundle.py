"""The deck's modules are joined into one text; what would not work then is not let through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labeling_core.modalities.registry import MODALITIES
from pages.deck import bundle
from pages.deck.bundle import BundleError
from pages.shell import mounting

DECK = Path(bundle.__file__).parent


def joined(folder: Path, **modules: str) -> str:
    """The text that these modules (name → text) are joined to; `main` is the first."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return bundle.join(folder, "main.js")


def refused(folder: Path, **modules: str) -> str:
    with pytest.raises(BundleError) as caught:
        joined(folder, **modules)
    return str(caught.value)


MAIN = "export default function main() {}\n"


def test_a_module_stands_behind_all_that_it_imports_and_once(tmp_path: Path):
    text = joined(
        tmp_path,
        main='import { a } from "./one.js";\nimport { b } from "./two.js";\n' + MAIN,
        one='import { b } from "./two.js";\nexport const a = b + 1;\n',
        two="export const b = 1;\n",
    )
    assert text == ("const b = 1;\n\nconst a = b + 1;\n\nexport default function main() {}\n")


def test_all_that_can_be_exported_loses_the_word_and_nothing_else(tmp_path: Path):
    text = joined(
        tmp_path,
        main='import {\n  A,\n  a,\n  b,\n  c,\n  d,\n} from "./one.js";\n' + MAIN,
        one="// @ts-check\nexport class A {\n  static export = 1;\n}\nexport const a = 1;\n"
        "export let b;\nexport function c() {}\nexport async function d() {}\n"
        'const told = "export const";\n',
    )
    assert text == (
        "// @ts-check\nclass A {\n  static export = 1;\n}\nconst a = 1;\n"
        "let b;\nfunction c() {}\nasync function d() {}\n"
        'const told = "export const";\n\n' + MAIN
    )


def test_a_name_at_the_top_of_two_modules_is_refused(tmp_path: Path):
    said = refused(
        tmp_path,
        main='import { a } from "./one.js";\nfunction b() {}\n' + MAIN,
        one="export const a = 1;\nclass b {}\n",
    )
    assert said == "one.js and main.js both declare b."


def test_the_same_name_below_the_top_is_no_matter(tmp_path: Path):
    inner = "  const b = 1;\n  return b;\n}\n"
    joined(
        tmp_path,
        main='import { a } from "./one.js";\nfunction c() {\n' + inner + MAIN,
        one="export function a() {\n" + inner,
    )


def test_an_import_of_what_is_not_there_is_refused(tmp_path: Path):
    wanted = 'import { a, b } from "./one.js";\n' + MAIN
    assert refused(tmp_path, main=wanted) == "main.js: there is no one.js."
    said = refused(tmp_path, main=wanted, one="export const a = 1;\nconst b = 2;\n")
    assert said == "main.js: one.js exports no b."


def test_a_circle_is_refused_and_named(tmp_path: Path):
    said = refused(
        tmp_path,
        main='import { a } from "./one.js";\n' + MAIN,
        one='import { b } from "./two.js";\nexport const a = 1;\n',
        two='import { a } from "./one.js";\nexport const b = 1;\n',
    )
    assert said == "In a circle: one.js → two.js → one.js."


def test_a_module_that_nobody_imports_is_refused(tmp_path: Path):
    assert refused(tmp_path, main=MAIN, left="const a = 1;\n") == "left.js: imported by no module."


@pytest.mark.parametrize(
    "form",
    [
        'export * from "./one.js";',
        'export { a } from "./one.js";',
        "export { a };",
        "export default 1;",
        "export const { b } = a;",
        "export const [b] = a;",
        "const { b } = a;",
        "let [b] = a;",
        'import a from "./one.js";',
        'import * as all from "./one.js";',
        'import "./one.js";',
        'import { a as b } from "./one.js";',
        "import { a } from './one.js';",
        'import { a } from "one";',
        'import { a } from "../one.js";',
        '  import { a } from "./one.js";',
        'const one = await import("./one.js");',
        "const here = import.meta.url;",
        "export default function () {}",
        "export default class A {}",
    ],
)
def test_a_form_that_is_not_known_is_refused(tmp_path: Path, form: str):
    one = "export const a = 1;\n"
    known = 'import { a } from "./one.js";\n'
    assert "both declare" not in refused(tmp_path, main=known + form + "\n" + MAIN, one=one)
    assert "both declare" not in refused(
        tmp_path, main='import { c } from "./two.js";\n' + MAIN, one=one,
        two=known + "export const c = 1;\n" + form + "\n",
    )  # fmt: skip


def test_the_first_module_has_one_default_export(tmp_path: Path):
    assert "export default function" in refused(tmp_path, main="const a = 1;\n")
    other = "export default function two() {}\nexport const a = 1;\n"
    assert refused(tmp_path, main='import { a } from "./one.js";\n' + MAIN, one=other)


def test_the_deck_is_one_module_with_all_of_its_files():
    text = bundle.join(DECK, "mount.js")
    assert re.findall(r"^[ \t]*(?:import|export)\b.*", text, re.MULTILINE) == [
        "export default function mount(/** @type {Component} */ "
        "{ data, parentElement, setStateValue }) {"
    ]
    for path in DECK.glob("*.js"):
        first = next(
            line
            for line in path.read_text(encoding="utf-8").splitlines()
            if re.match(r"(export )?(const|class|function) ", line)
        )
        assert text.count(first.removeprefix("export ") + "\n") == 1, path.name


def test_every_module_of_the_deck_has_its_types_checked():
    for path in DECK.glob("*.js"):
        assert path.read_text(encoding="utf-8").startswith("// @ts-check\n"), path.name


def test_the_views_and_modes_that_pages_name_are_those_of_the_deck():
    views = (DECK / "views.js").read_text(encoding="utf-8")
    assert set(re.findall(r"(\w+): \w+View\b", views)) == {
        each.deck_view for each in MODALITIES.values()
    }
    modes = (DECK / "modes.js").read_text(encoding="utf-8")
    named = {mounting.LABEL.name, mounting.REVIEW.name, mounting.ADJUDICATE.name}
    assert set(re.findall(r"(\w+): \w+ing\b", modes)) == named
