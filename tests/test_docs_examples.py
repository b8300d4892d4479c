"""The examples of the documentation, run as they stand there against the stand-in."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from anthropic.resources.beta.messages import Messages

from resilient_stream.journal import Journal
from tests.support.gateways import gateway

THREADS = "thread" in inspect.signature(Messages.tool_runner).parameters
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
MAIN = runpy.run_path(str(EXAMPLES / "__main__.py"), run_name="examples")
TEXT: str = MAIN["TEXT"]
ONCE = ["fresh", "user_turn"]
TWICE = [*ONCE, *ONCE]

PRINTED: dict[str, tuple[list[str], str]] = {
    "text": (ONCE, f"^{re.escape(TEXT)}$"),
    "text_async": (ONCE, f"^{re.escape(TEXT)}$"),
    "events": (
        ONCE,
        rf"^\[claude-opus-5\]\n{re.escape(TEXT)}\n\[text block 0 complete\]\n\[stop reason: end_turn\]$",
    ),
    "final_message": (
        ONCE,
        r"^end_turn, \d+ .*\ncompleted, resumed: True, attempts: 2\n.*verified: True\n",
    ),
    "tools": (
        TWICE,
        rf"^tide\(\{{'harbour': 'Dover'\}}\)\nThe water in Dover is at 177 cm. {re.escape(TEXT)}$",
    ),
    "tool_runner": (
        TWICE,
        rf"^I shall read the gauge. {re.escape(TEXT)}\ntide\('Dover'\)\nThe water .*{re.escape(TEXT)}$",
    ),
    "thinking": (ONCE, rf"{re.escape(TEXT)}\nblocks: \['thinking', 'text'\]\nabandoned: \[\]$"),
    "web_search": (
        ONCE,
        r"\[searches for .*\n.*\nblocks: \['text', 'server_tool_use', 'web_search_tool_result', 'text'",
    ),
    "errors": (
        [*ONCE, "user_turn"],
        r"\nAPIConnectionError, 3 attempts: max_attempts = 3 .*\nfailures: \[",
    ),
    "timeouts": (
        ONCE,
        rf"\nDeadline: no request is sent later than 180 s after the call\.\n(.*\n)*{re.escape(TEXT)}$",
    ),
    "chat": ([*ONCE, "fresh"], rf"^{re.escape(TEXT)}\n{re.escape(TEXT)}$"),
    "agent": (
        ["fresh", "fresh", "fresh", "fresh", "user_turn"],
        rf"(toolu_1: .*\n){{2}}(The water.*{re.escape(TEXT)}\n?){{2}}$",
    ),
    "stand_in": ([], r"^2 passed$"),
    "moving_before": (["fresh", "fresh"], rf"^.+{re.escape(TEXT)}$"),
    "moving_after": (ONCE, f"^{re.escape(TEXT)}$"),
    "fastapi_chat": (ONCE, rf"^<!doctype html>.*\n{re.escape(TEXT)}\n\['done'\]$"),
    "durable_chat": (ONCE, rf"^<!doctype html>.*\n{re.escape(TEXT)}\n\['message_stop'\]$"),
    "curl": (ONCE, r"^event: message_start\n(.*\n)+event: message_stop\n.*$"),
}
"""For each example, the requests that it takes and what it prints. `spans` stands below."""

FRAMEWORKS = re.findall(r'example="(\w+)"', (ROOT / "chaos" / "frameworks" / "table.py").read_text("utf-8"))
"""Examples that the session `frameworks` runs, each where its framework is installed."""


def browse(app: Any) -> None:
    """Be the browser of an application: print the first line of its page, what it answers, and its other events."""
    names = app.routes[-1].endpoint.__globals__
    journal: Journal | None = names.get("journal")

    async def browsed() -> tuple[str, str]:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://app") as browser:
            page = await browser.get("/")
            if journal is None:
                answer = await browser.get("/answer", params={"question": "Tides?"})
            else:
                await browser.post("/answers/7", params={"question": "Tides?"})
                answer = await browser.get("/answers/7")
        await names["client"].close()
        return page.text, answer.text

    page, answer = asyncio.run(browsed())
    told = [json.loads(data) for data in re.findall(r"^data: (.*)$", answer, re.MULTILINE)]
    if journal is None:
        text, others = "".join(told), re.findall(r"^event: (.*)$", answer, re.MULTILINE)
    else:
        journal.close()
        text = "".join(
            each["delta"].get("text", "") for each in told if each["type"] == "content_block_delta"
        )
        others = [told[-1]["type"]]
    sys.stdout.write(f"{page.splitlines()[0]}\n{text}\n{others}\n")


@contextmanager
def in_this_process(upstream: str) -> Generator[str]:
    """A gateway without the second that a process of its own takes to start."""
    with gateway(upstream) as served:
        yield served.url


@pytest.mark.parametrize("name", PRINTED)
def test_the_example_does_what_its_page_says(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its stream is broken once, it takes the requests that are expected, and prints what is expected."""
    if name == "tool_runner" and not THREADS:
        pytest.skip("this SDK has no message threads")
    if name in ("fastapi_chat", "durable_chat"):
        pytest.importorskip("fastapi")
    if name == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(uvicorn, "run", browse)
    monkeypatch.setitem(MAIN["run"].__globals__, "gateway", in_this_process)
    monkeypatch.setattr(sys, "stdin", io.StringIO("How do tides work?\nAgain?\n"))
    forms: list[str] = MAIN["run"](name)
    requests, printed = PRINTED[name]
    assert sorted(forms) == sorted(requests)
    assert re.search(printed, capfd.readouterr().out.strip())


def test_the_spans_are_those_of_two_attempts() -> None:
    """In a process of its own, because the program sets a provider for the whole process."""
    run: Any = subprocess.run(
        [sys.executable, str(EXAMPLES), "spans"], capture_output=True, text=True, check=True
    )
    assert (
        "resilient_stream.attempt: ERROR\nresilient_stream.attempt: UNSET\nchat claude-opus-5: UNSET"
        in run.stdout
    )


def test_an_example_names_the_packages_that_it_needs() -> None:
    """The list says what pip has to install, for those examples that import more than the library brings."""
    brought = {"anthropic", "httpx2", "resilient_stream", *sys.stdlib_module_names}
    for path in EXAMPLES.glob("[a-z]*.py"):
        imported = set(re.findall(r"^(?:from|import) (\w+)", path.read_text("utf-8"), re.MULTILINE))
        assert (path.stem in MAIN["NEEDS"]) == bool(imported - brought), path.stem


def test_every_example_is_run_and_shown() -> None:
    """Each file begins with a sentence about it, has a scene, is run above, and is included in a page."""
    files = {path.stem for path in EXAMPLES.glob("*.*") if path.suffix in (".py", ".sh")} - {"__main__"}
    shown = {
        name
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
        for name in re.findall(r"\{literalinclude\} .*examples/(\w+)\.(?:py|sh)", page.read_text("utf-8"))
    }
    assert [name for name in files if not re.fullmatch(r"[^\n]+\.", MAIN["about"](name))] == []
    assert files == set(MAIN["SCENES"]) == {*PRINTED, *FRAMEWORKS, "spans"} == shown
