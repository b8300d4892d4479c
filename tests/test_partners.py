"""Every module has its test file, and every test says what it checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "resilient_stream"
TESTS = ROOT / "tests"
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
)
FILES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py"))


def laws_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file, methods included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_test_file(module: str) -> None:
    """`_core/wire/sse.py` has `core/wire/test_sse.py`, or `test_sse_*.py`; a public module that only hands on names
    has none."""
    *folders, name = (part.strip("_") for part in Path(module).with_suffix("").parts)
    place = TESTS.joinpath(*folders)
    found = [*place.glob(f"test_{name}.py"), *place.glob(f"test_{name}_*.py")]
    assert found or (not folders and only_hands_on(PACKAGE / module)), f"no test file for {module}"


def only_hands_on(path: Path) -> bool:
    """Whether a module defines nothing."""
    body = ast.parse(path.read_text("utf-8")).body
    return not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in body)


@pytest.mark.parametrize("file", FILES)
def test_every_test_states_its_law(file: str) -> None:
    """Each test function has a docstring."""
    silent = [test.name for test in laws_of(TESTS / file) if not ast.get_docstring(test)]
    assert not silent, f"without a docstring: {silent}"
