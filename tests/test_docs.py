"""The documentation says what the code does."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import resilient_stream.testing
from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Kind
from resilient_stream._core.loop.states import TABLE, Signal
from resilient_stream._session.layer import Layer
from resilient_stream.testing import ErrorEvent, StandIn, Status, cut_at

ROOT = Path(__file__).parent.parent
MODULES = ("anthropic", "cryptography", "fastapi", "pybreaker", "pytest", "resilient_stream", "tenacity")
SITE = sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)
PAGES = [*sorted(ROOT.glob("*.md")), *SITE]


def test_the_state_diagram_is_the_table() -> None:
    """The diagram has exactly the table's rows, ``CLOSE`` apart."""
    page = (ROOT / "docs" / "how-it-works.md").read_text()
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", page, re.MULTILINE)
    rows = [(a.name, b.name, signal.name) for (a, signal), b in TABLE.items() if signal is not Signal.CLOSE]
    assert drawn == rows


def test_every_kind_is_documented() -> None:
    """The table of failures has every kind, in order; each has a section that says what to do."""
    page = (ROOT / "docs" / "failures.md").read_text()
    kinds = [kind.value for kind in Kind]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == kinds
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    assert [section.partition("\n")[0] for section in sections] == kinds
    assert [section.partition("\n")[0] for section in sections if "**Do**: " not in section] == []


def test_the_page_that_errors_name_exists() -> None:
    """What exceptions and the log say of a kind leads to the section about it."""
    for kind in Kind:
        path, _, anchor = kind.page.partition("#")
        assert f"\n### {anchor}\n" in (ROOT / path).read_text("utf-8")


def test_every_field_of_a_policy_is_documented() -> None:
    """The table of fields has each of them, in order; where it gives one default, it is the field's."""
    page = (ROOT / "docs" / "policies.md").read_text()
    table = page.partition("## Every field")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]+) \|", table, re.MULTILINE)
    names = [re.findall(r"`(\w+)`", cell) for cell, _ in rows]
    assert [name for cell in names for name in cell] == list(RetryPolicy.model_fields)
    for (name, *others), (_, default) in zip(names, rows, strict=True):
        if others or default == "all retryable kinds":
            continue
        value = ast.literal_eval(default.strip("`"))
        assert getattr(RetryPolicy(), name) == value, name


def test_every_public_name_is_in_the_reference() -> None:
    """The page about the API shows what each public module exports. The stand-in's faults have a page of their own."""
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    shown = set(re.findall(r"^\.\. auto(?:function|class|exception):: ([\w.]+)$", page, re.MULTILINE))
    whole = set(re.findall(r"^\.\. automodule:: ([\w.]+)$", page, re.MULTILINE))
    for path in (ROOT / "resilient_stream").glob("[a-z]*.py"):
        module = importlib.import_module(f"resilient_stream.{path.stem}")
        for name in () if module.__name__ in whole else module.__all__:
            assert {f"resilient_stream.{name}", f"{module.__name__}.{name}"} & shown, f"{path.stem}.{name}"
    assert {f"resilient_stream.{name}" for name in resilient_stream.__all__} - shown == {
        "resilient_stream.PolicyError"
    }


def test_every_page_is_in_the_table_of_contents() -> None:
    """Each page of the site can be reached from its side bar, and every entry there is a page."""
    entries = re.findall(r"^([\w/*-]+)$", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    docs = ROOT / "docs"
    listed = {path.relative_to(docs).as_posix() for entry in entries for path in docs.glob(f"{entry}.md")}
    assert listed == {page.relative_to(docs).as_posix() for page in SITE} - {"index.md"}
    assert {entry for entry in entries if "*" not in entry and not (docs / f"{entry}.md").is_file()} == set()


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_what_the_examples_use_is_imported(page: Path) -> None:
    """Whoever copies the examples of a page has the modules and the names of this library that they use."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block))]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name for node in imports for alias in node.names}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    ours = {*resilient_stream.__all__, *resilient_stream.testing.__all__}
    assert not used & {*ours, *MODULES} - imported


def test_the_page_waits_beside_a_read_without_ending_it() -> None:
    """What stands there for a timeout around each event: every event comes, once, however often none was there; and
    what is left is closed."""
    page = (ROOT / "docs" / "limits.md").read_text()
    names: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[-1], names)  # noqa: S102 -- our own page
    closed: list[int] = []

    async def stream(gates: list[asyncio.Event]) -> AsyncIterator[int]:
        try:
            for number, gate in enumerate(gates):
                await gate.wait()
                yield number
        finally:
            closed.append(len(gates))

    async def read(events: AsyncIterator[int], gates: list[asyncio.Event]) -> list[int | None]:
        seen: list[int | None] = []
        async for event in names["or_nothing"](events, 0):
            seen.append(event)
            if event is None and seen.count(None) % 3 == 0:
                next(gate for gate in gates if not gate.is_set()).set()
        return seen

    async def law() -> None:
        gates = [asyncio.Event() for _ in range(3)]
        seen = await read(stream(gates), gates)
        assert [event for event in seen if event is not None] == [0, 1, 2]
        assert seen.count(None) >= 9
        left = names["or_nothing"](stream([asyncio.Event()]), 0)
        assert await anext(left) is None
        await left.aclose()
        await asyncio.sleep(0)
        assert closed == [3, 1]

    asyncio.run(law())


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page has a file at its end."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_adapter_on_its_page_works() -> None:
    """It goes on after a cut, an overload and an overload in the stream, and raises what it says after the last."""
    page = (ROOT / "docs" / "adapters.md").read_text()
    (code,) = re.findall(r"<!-- an adapter -->\n```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "adapters.md", "exec"), names)  # noqa: S102 -- our own page
    text = "The tide comes in twice a day, and goes out as often as it came in. " * 12
    policy = RetryPolicy(
        wait_initial=0, wait_max=0, overload_wait_initial=0, overload_wait_max=0, budget=None
    )
    body = {
        "model": "claude-sonnet-5",
        "max_tokens": 900,
        "messages": [{"role": "user", "content": "Tides?"}],
    }
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01", "content-type": "application/json"}

    def told(layer: Layer, server: StandIn) -> str:
        host = server.url.removeprefix("http://")
        events = b"".join(names["stream"](layer, host, headers, {**body, "stream": True}))
        deltas = re.findall(rb'"type":"text_delta","text":("(?:[^"\\\\]|\\\\.)*")', events)
        return "".join(json.loads(delta) for delta in deltas)

    overload = ErrorEvent(after=9, error="overloaded_error")
    for faults in ([], [cut_at(1500, "rst"), Status(529), overload, cut_at(1700, "fin")]):
        with StandIn(reply=text.rstrip(), faults=faults) as server:
            assert told(Layer(policy), server) == text.rstrip()
            assert len(server.requests) == len(faults) + 1
    with StandIn(faults=[Status(529)] * 3) as server, pytest.raises(ConnectionError, match="overloaded"):
        told(Layer(policy.replace(max_attempts=2)), server)
