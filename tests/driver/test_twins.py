"""The async classes are the sync ones with other words.

Each is turned into its twin word by word, method by method. What must differ is listed, with the
reason; an entry of either list that is not needed fails too.
"""

from __future__ import annotations

import ast
import inspect
import re
from types import ModuleType

import pytest

from resilient_stream._driver import async_driver as _async_driver
from resilient_stream._driver import sync_driver as _sync_driver
from resilient_stream._driver import upstream as _upstream
from resilient_stream._http import async_exchange as _async_exchange
from resilient_stream._http import body as _body
from resilient_stream._http import door as _http_door
from resilient_stream._http import exchange as _exchange
from resilient_stream._sdk import door as _door

TWINS: dict[str, tuple[ModuleType, str, ModuleType]] = {
    "AsyncUpstream": (_upstream, "Upstream", _upstream),
    "AsyncIterated": (_upstream, "Iterated", _upstream),
    "AsyncDriver": (_async_driver, "Driver", _sync_driver),
    "AsyncBody": (_body, "SyncBody", _body),
    "AsyncDoor": (_http_door, "SyncDoor", _http_door),
    "AsyncExchange": (_async_exchange, "SyncExchange", _exchange),
    "AsyncSdkDoor": (_door, "SyncSdkDoor", _door),
}
"""The async class, its module, the sync class, its module."""

WORDS: dict[str, str] = {
    r"\basync def ": "def ",
    r"\bawait ": "",
    r"\bAsyncByteStream\b": "SyncByteStream",
    r"\bAsyncBody\b": "SyncBody",
    r"\bAsyncCallNext\b": "CallNext",
    r"\bAsyncDriver\b": "Driver",
    r"\bAsyncIterator\b": "Iterator",
    r"\bAsyncUpstream\b": "Upstream",
    r"\b__anext__\b": "__next__",
    r"\b__aiter__\b": "__iter__",
    r"\banext\(": "next(",
    r"\baiter\(": "iter(",
    r"\baclose\b": "close",
    r"\baread_page\b": "read_page",
    r"\baiter_bytes\b": "iter_bytes",
}
"""Async words to sync words."""

DIFFERENT: dict[tuple[str, str], str] = {
    ("Driver", "__init__"): "threads need a lock where tasks need a flag",
    ("Driver", "open"): "no other task has the driver yet; another thread's close is looked for",
    (
        "Driver",
        "__iter__",
    ): "a sync generator delegates to another; an async one would be left to the collector",
    ("Driver", "__next__"): "as above",
    ("Driver", "_next"): "as above; a lock is held",
    ("Driver", "_pass_on"): "as above",
    ("Driver", "_step"): "an event of threads knows timeouts, one of tasks needs a scope",
    ("Driver", "close"): "a lock is tried, a flag is looked at",
    ("Driver", "__del__"): "only what is sync can be closed by the collector",
    ("Driver", "_end_unread"): "as above: what the collector ends unread is told of, not closed",
    ("SyncBody", "__init__"): "an async body is kept twice, decoded and raw, to be wound down",
    ("SyncBody", "close"): "an async generator must be closed by hand",
    ("SyncExchange", "__init__"): "what a task is in can be broken off by a scope",
    ("SyncExchange", "send"): "as above",
    ("SyncExchange", "_open"): "as above",
    ("SyncExchange", "_read_error"): "as above",
    ("SyncExchange", "read"): "as above",
    ("SyncExchange", "chunks"): "a body that needs a scope around each read is not iterated",
    ("SyncExchange", "interrupt"): "as above",
    ("SyncExchange", "_breakable"): "as above",
}
"""Methods that differ by more than words, and why."""


def methods(module: ModuleType, name: str) -> dict[str, ast.stmt]:
    """A class's methods as they are written, by name."""
    tree = ast.parse(inspect.getsource(module))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in found.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]  # it may refer to the other's
    return {
        node.name: node for node in found.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def in_sync_words(source: str) -> str:
    """Async source as it would be written sync."""
    for word, other in WORDS.items():
        source = re.sub(word, other, source)
    return source


def translated(name: str) -> dict[str, str]:
    """An async class's methods in sync words."""
    module, _, _ = TWINS[name]
    sources = [ast.unparse(node) for node in methods(module, name).values()]
    return {source.partition("def ")[2].partition("(")[0]: source for source in map(in_sync_words, sources)}


def sync(name: str) -> dict[str, str]:
    """The methods of an async class's sync twin."""
    _, twin, module = TWINS[name]
    return {method: ast.unparse(node) for method, node in methods(module, twin).items()}


@pytest.mark.parametrize("name", TWINS)
def test_the_async_class_is_the_sync_one_with_other_words(name: str) -> None:
    """What was changed on one side only fails here, unless it is known to differ."""
    ours, theirs, twin = sync(name), translated(name), TWINS[name][1]
    known = {method for owner, method in DIFFERENT if owner == twin}
    for method in (ours.keys() | theirs.keys()) - known:
        assert theirs.get(method) == ours.get(method), f"{twin}.{method}"


@pytest.mark.parametrize(("twin", "method"), DIFFERENT)
def test_what_is_known_to_differ_does(twin: str, method: str) -> None:
    """An exception that is no longer needed is taken off the list."""
    (name,) = (name for name, (_, other, _) in TWINS.items() if other == twin)
    assert method in sync(name) or method in translated(name)
    assert translated(name).get(method) != sync(name).get(method)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_used(word: str) -> None:
    """The vocabulary holds no word that the code does not have."""
    sources = [
        ast.unparse(node) for name, (module, _, _) in TWINS.items() for node in methods(module, name).values()
    ]
    assert any(re.search(word, source) for source in sources)
