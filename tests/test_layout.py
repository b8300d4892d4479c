"""The tests follow the tree, and every test says what it checks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "resilient_stream"
TESTS = ROOT / "tests"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FILES = sorted(TESTS.rglob("test_*.py"))
APART = ("contract", "laws", "seams")
"""Folders that follow no module: `CONTRIBUTING.md` says what is in them."""
TOPICS = frozenset({"driver/test_twins.py"})
"""Files about several modules at once."""


def place(path: Path) -> str:
    """Where a module's tests are, without the ending: `core/wire/test_sse` for `_core/wire/sse.py`."""
    *folders, name = (part.strip("_") for part in path.relative_to(PACKAGE).with_suffix("").parts)
    return "/".join([*folders, f"test_{name}"])


def subjects(file: str) -> Iterator[str]:
    """The places that a test file may be of: `a/test_b_c_d.py` is of `a/test_b_c_d`, `a/test_b_c` or `a/test_b`."""
    head, *words = file.removesuffix(".py").rpartition("/test_")[2].split("_")
    folder = file.rpartition("/test_")[0]
    for count in range(len(words), -1, -1):
        yield f"{folder}/test_{'_'.join([head, *words[:count]])}"


def defines_something(path: Path) -> bool:
    """Whether a module has a function or a class of its own, and does not only hand on names."""
    body = ast.parse(path.read_text("utf-8")).body
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in body)


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file, methods included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def test_every_module_has_a_test_file_at_the_same_place() -> None:
    """`_core/wire/sse.py` has `core/wire/test_sse.py`, or `test_sse_*.py`."""
    tested = {subject for file in FILES for subject in subjects(f"/{file.relative_to(TESTS).as_posix()}")}
    missing = [
        module.relative_to(PACKAGE).as_posix()
        for module in MODULES
        if f"/{place(module)}" not in tested and (module.parent != PACKAGE or defines_something(module))
    ]
    assert missing == []


def test_every_test_file_is_about_a_module_at_the_same_place() -> None:
    """Or about a package, or is kept apart: whoever moves a module moves its tests."""
    packages = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    places = {place(path) for path in (*MODULES, *packages)}
    strays = [
        file
        for file in (path.relative_to(TESTS).as_posix() for path in FILES)
        if "/" in file
        and not file.startswith(APART)
        and file not in TOPICS
        and places.isdisjoint(subjects(file))
    ]
    assert strays == []


def test_every_test_states_its_law() -> None:
    """In a docstring."""
    silent = [
        f"{path.name}::{test.name}"
        for path in FILES
        for test in functions_of(path)
        if not ast.get_docstring(test)
    ]
    assert silent == []


def test_the_guide_names_every_harness_and_folder() -> None:
    """Each module of `support` is in the table of `CONTRIBUTING.md`, and what the table names is there; so are the
    folders that are kept apart."""
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = guide.partition("What `support` has:")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"\w+", row)}
    assert named == {path.stem for path in (TESTS / "support").glob("*.py")} - {"__init__"}
    assert {name for name in APART if f"| `{name}` |" not in guide} == set()
