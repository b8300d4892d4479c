"""The examples of the documentation, run as they stand there against the stand-in."""

from __future__ import annotations

import inspect
import io
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from anthropic.resources.beta.messages import Messages

THREADS = "thread" in inspect.signature(Messages.tool_runner).parameters
DOCS = Path(__file__).parents[1] / "docs"
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
    "timeouts": (ONCE, rf"Starts nothing after 180 s\.\n(.*\n)*{re.escape(TEXT)}$"),
    "chat": ([*ONCE, "fresh"], rf"^{re.escape(TEXT)}\n{re.escape(TEXT)}$"),
    "agent": (
        ["fresh", "fresh", "fresh", "fresh", "user_turn"],
        rf"(toolu_1: .*\n){{2}}(The water.*{re.escape(TEXT)}\n?){{2}}$",
    ),
    "stand_in": ([], r"^2 passed$"),
    "moving_before": (["fresh", "fresh"], rf"^.+{re.escape(TEXT)}$"),
    "moving_after": (ONCE, f"^{re.escape(TEXT)}$"),
}
"""For each example, the requests that it takes and what it prints. `spans` stands below."""


@pytest.mark.parametrize("name", PRINTED)
def test_the_example_does_what_its_page_says(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stream is broken once, it takes the requests that are expected, and prints what is expected."""
    if name == "tool_runner" and not THREADS:
        pytest.skip("this SDK has no message threads")
    monkeypatch.setattr(sys, "stdin", io.StringIO("How do tides work?\nAgain?\n"))
    forms: list[str] = MAIN["run"](name)
    requests, printed = PRINTED[name]
    assert sorted(forms) == sorted(requests)
    assert re.search(printed, capsys.readouterr().out.strip())


def test_the_spans_are_those_of_two_attempts() -> None:
    """In a process of its own, because the program sets a provider for the whole process."""
    run: Any = subprocess.run(
        [sys.executable, str(EXAMPLES), "spans"], capture_output=True, text=True, check=True
    )
    assert (
        "resilient_stream.attempt: ERROR\nresilient_stream.attempt: UNSET\nchat claude-opus-5: UNSET"
        in run.stdout
    )


def test_every_example_is_run_and_shown() -> None:
    """Each file has a scene, is run above, and is included in a page."""
    files = {path.stem for path in EXAMPLES.glob("*.py")} - {"__main__"}
    shown = {
        name
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"\{literalinclude\} .*examples/(\w+)\.py", page.read_text("utf-8"))
    }
    assert files == set(MAIN["SCENES"]) == {*PRINTED, "spans"} == shown
