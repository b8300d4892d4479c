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
        "RedisBudget",
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


IMPORTED = """
import sys
{first}
from resilient_stream import report
assert report.__name__ == "report" and callable(report), report
import resilient_stream
assert resilient_stream.report is report
from resilient_stream.report import StreamReport
assert StreamReport is resilient_stream.StreamReport
assert resilient_stream.report is report
"""


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import resilient_stream.report",
        "from resilient_stream.report import StreamReport",
        "import resilient_stream._report.model",
        "import resilient_stream.anthropic",
        "from resilient_stream import *",
    ],
)
def test_report_is_the_function_whatever_was_imported_before(first: str) -> None:
    """The module of that name does not take its place."""
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORTED.format(first=first)], check=True)


LIGHT = """
import sys
{first}
heavy = {{"anthropic", "httpx2", "httpx", "httpcore2", "httpcore", "pydantic"}} & sys.modules.keys()
assert heavy == {wanted!r}, heavy
"""


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        ("import resilient_stream", set[str]()),
        ("from resilient_stream import report, sendable, Limit, PolicyError, Observer", set[str]()),
        ("from resilient_stream import RetryPolicy, policy_scope, policy_option, Pin", {"pydantic"}),
        ("import resilient_stream.observe, resilient_stream.report, resilient_stream.errors", set[str]()),
        ("import resilient_stream.otel", set[str]()),
        ("import resilient_stream.httpx", set[str]()),
        ("from resilient_stream.httpx import ResilientTransport, AsyncResilientTransport", {"pydantic"}),
    ],
)
def test_a_name_costs_what_it_needs(first: str, wanted: set[str]) -> None:
    """Neither the SDK nor an HTTP package is imported by who does not use it."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", LIGHT.format(first=first, wanted=wanted)], check=True
    )


def test_every_public_name_can_be_seen_and_had() -> None:
    """The lazy names are among those that `dir` lists, and each is the object of its home."""
    assert set(resilient_stream.__all__) <= set(dir(resilient_stream))
    for name in resilient_stream.__all__:
        value = getattr(resilient_stream, name)
        assert getattr(importlib.import_module("resilient_stream"), name) is value
