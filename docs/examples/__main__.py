"""Run an example without a key: `python docs/examples text`.

A stand-in plays the API and breaks the stream.

Without a name, list what there is. The tests run each example the same way.
"""

import contextlib
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest import mock

import anthropic
from resilient_stream.testing import Reply, StandIn, cut_at
from resilient_stream.testing.golden import GOLDEN

HERE = Path(__file__).parent
SENTENCES = (
    "The moon pulls at the water, and the earth turns beneath it.",
    "That makes two tides a day.",
)
TEXT = " ".join(SENTENCES * 12)


def after_a_tool(request: dict[str, Any]) -> list[dict[str, Any]] | str:
    """A call first; once a result is there, words."""
    if any(
        turn["role"] == "user" and not isinstance(turn["content"], str)
        for turn in request["messages"]
    ):
        return "The water in Dover is at 177 cm. " + TEXT
    call = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "tide",
        "input": {"harbour": "Dover"},
    }
    return [{"type": "text", "text": "I shall read the gauge. " + TEXT}, call]


THOUGHT = [
    {"type": "thinking", "thinking": "Two tides a day. " * 40},
    {"type": "text", "text": TEXT},
]

SCENES: dict[str, dict[str, Any]] = {
    "text": {},
    "text_async": {},
    "events": {},
    "final_message": {},
    "tools": {
        "reply": after_a_tool,
        "faults": [cut_at(3000, "rst"), None, cut_at(3000, "fin")],
    },
    "tool_runner": {
        "reply": after_a_tool,
        "faults": [cut_at(3000, "rst"), None, cut_at(3000, "fin")],
    },
    "thinking": {"reply": Reply(THOUGHT), "faults": [cut_at(8500, "rst")]},
    "web_search": {
        "reply": GOLDEN["web_search"].author(),
        "faults": [cut_at(-900, "rst")],
    },
    "errors": {"faults": (), "always": cut_at(2000, "rst")},
    "timeouts": {},
    "chat": {},
    "agent": {"reply": after_a_tool},
    "spans": {},
    "stand_in": {},
    "moving_before": {},
    "moving_after": {},
    "fastapi_chat": {},
    "durable_chat": {},
    "curl": {},
    "pydantic_ai_agent": {},
    "langchain_chat": {},
}
"""What the stand-in does for each example, if not this: it says `TEXT` and
resets the first connection."""

NEEDS = {
    "spans": "'.[telemetry]'",
    "fastapi_chat": "fastapi uvicorn",
    "durable_chat": "fastapi uvicorn",
    "curl": "'.[serve]'",
    "pydantic_ai_agent": "'pydantic-ai-slim[anthropic]'",
    "langchain_chat": "langchain-anthropic",
}
"""What pip has to install for an example, beside the library."""


@contextlib.contextmanager
def scene(name: str) -> Generator[StandIn]:
    """The stand-in of an example, where the SDK looks for the API."""
    settings: dict[str, Any] = {
        "reply": TEXT,
        "faults": [cut_at(3000, "rst")],
        **SCENES[name],
    }
    with StandIn(**settings) as server:
        place = {
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "any",
            "NO_PROXY": "127.0.0.1",
        }
        with (
            mock.patch.dict(os.environ, place),
            mock.patch("time.sleep"),
        ):  # a hand-written loop would wait
            yield server


@contextlib.contextmanager
def gateway(upstream: str) -> Generator[str]:
    """The address of a gateway to the stand-in, in a process of its own."""
    serve = [sys.executable, "-m", "resilient_stream", "serve", "--port", "0"]
    with subprocess.Popen(
        [*serve, "--upstream", upstream], stdout=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline() if process.stdout else ""
        address = re.search(r"http://[\w.:]+", first)
        if address is None:
            sys.exit("the gateway did not start")
        try:
            yield address[0]
        finally:
            process.terminate()


def about(name: str) -> str:
    """The sentence with which an example begins."""
    script = HERE / f"{name}.sh"
    if script.is_file():
        return script.read_text("utf-8").splitlines()[1].removeprefix("# ")
    return (HERE / f"{name}.py").read_text("utf-8").split('"""')[1]


def run(name: str) -> list[str]:
    """Run an example; the forms of the requests that it took.

    A script of the shell runs against a gateway, a program in this process.
    """
    with scene(name) as server:
        script = HERE / f"{name}.sh"
        if script.is_file():
            with gateway(server.url) as url:
                place = {**os.environ, "ANTHROPIC_BASE_URL": url}
                subprocess.run(["sh", str(script)], env=place, check=True)
        else:
            names = runpy.run_path(str(HERE / f"{name}.py"), run_name="__main__")
            client = names.get("client")
            if isinstance(client, anthropic.Anthropic):
                client.close()  # as the end of a program does
        return [request.form for request in server.requests]


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in SCENES:
        try:
            forms = run(sys.argv[1])
            print("\nrequests:", ", ".join(forms) or "none to this stand-in")
        except ModuleNotFoundError as error:
            sys.exit(f"{error}. Try: pip install {NEEDS.get(sys.argv[1], '.')}")
    else:
        print("python docs/examples NAME, where NAME is one of:\n")
        for name in SCENES:
            print(f"  {name:18} {about(name)}")
            if name in NEEDS:
                print(f"  {'':18} (pip install {NEEDS[name]})")
