"""The public surface: what `__all__` says is what there is."""

import __future__

import importlib
import importlib.metadata
import subprocess
import sys
from types import ModuleType

import pytest

import resilient_stream

SHOP_WINDOWS = ["resilient_stream", "resilient_stream.testing"]

IMPORT_ALL = """
import pkgutil, sys, resilient_stream
sys.modules["httpx"] = None  # makes every attempt an ImportError
for module in pkgutil.walk_packages(resilient_stream.__path__, "resilient_stream."):
    __import__(module.name)
"""

IMPORT_BARE = """
import sys
sys.modules.update(dict.fromkeys(["httpx", "rich", "opentelemetry.sdk", "trio"]))
import resilient_stream, resilient_stream.testing
"""


@pytest.mark.parametrize("name", SHOP_WINDOWS)
def test_all_is_what_there_is(name: str) -> None:
    """`__all__` lists every public name of the module, and no other."""
    module = importlib.import_module(name)
    helpers = (ModuleType, __future__._Feature)
    names = {each for each in dir(module) if not each.startswith("_")} - {"TYPE_CHECKING"}
    public = {each for each in names if not isinstance(getattr(module, each), helpers)}
    assert set(module.__all__) - {"__version__"} == public


@pytest.mark.parametrize("name", SHOP_WINDOWS)
def test_all_is_sorted(name: str) -> None:
    """`__all__` is sorted and names nothing twice."""
    exported = importlib.import_module(name).__all__
    assert list(exported) == sorted(set(exported))


def test_the_promised_names_are_there() -> None:
    """What the documentation imports from the package can be imported from it."""
    promised = {
        "ResumeMiddleware",
        "RetryBudget",
        "RetryPolicy",
        "StreamReport",
        "report",
        "resilient",
        "sendable",
    }
    assert promised <= set(resilient_stream.__all__)


def test_version_is_that_of_the_distribution() -> None:
    """The version is written in one place; the package reads it from its metadata."""
    assert resilient_stream.__version__ == importlib.metadata.version("resilient-stream")


def test_unknown_names_are_refused() -> None:
    """The lazy version does not make every name look defined."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = importlib.import_module("resilient_stream").no_such_name


@pytest.mark.parametrize("program", [IMPORT_ALL, IMPORT_BARE], ids=["no httpx anywhere", "no extra needed"])
def test_imports_need_nothing_more(program: str) -> None:
    """No module imports httpx, and the package itself imports without its extras."""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
