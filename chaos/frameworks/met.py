"""Runs a framework's program against the faults: ``python -m chaos.frameworks.met NAME``.

It runs in the framework's own environment and prints one line of JSON.
"""

# ruff: noqa: T201 -- what is asked for goes to stdout

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any, Final

from chaos.met import ALL, CLEAN_END, OVERLOADED, RESET, SILENCE, TEXT
from resilient_stream import RetryPolicy
from resilient_stream.testing import Fault, StandIn, Status

from . import programs

CALL: Final[list[dict[str, Any]]] = [
    {"type": "tool_use", "id": "toolu_01", "name": "Told", "input": {"said": TEXT}}
]
"""The answer for a framework that asks for structured output."""

FAULTS: Final[dict[str, tuple[Fault, ...]]] = {
    "none": (),
    "529": (Status(529),),
    "reset": (RESET,),
    "clean end": (CLEAN_END,),
    "error event": (OVERLOADED,),
    "silence": (SILENCE,),
    "all in a row": ALL,
}

PATIENCE: Final = 8.0
"""Seconds until a program counts as hanging."""

FIRST: Final = 120.0
"""The same for the first run, in which a framework is imported."""

POLICY: Final = RetryPolicy(
    wait_initial=0.01,
    wait_max=0.02,
    overload_wait_initial=0.01,
    overload_wait_max=0.02,
    silence_timeout=0.8,
    first_event_timeout=2.0,
    budget=None,
)


async def read(name: str, url: str, policy: RetryPolicy | None, got: list[str]) -> None:
    """Run a program to its end."""
    async for piece in getattr(programs, name)(url, policy):
        got.append(piece)  # noqa: PERF401 -- what came before a failure is kept


def outcome(name: str, faults: tuple[Fault, ...], policy: RetryPolicy | None, patience: float) -> str:
    """The result for a user of the framework."""
    got: list[str] = []
    ended = "whole"
    with StandIn(reply=CALL if name == "instructor" else TEXT, faults=list(faults), strict=False) as server:
        began = time.monotonic()
        try:
            asyncio.run(asyncio.wait_for(read(name, server.url, policy, got), patience))
        except TimeoutError:
            ended = "hangs"
        except Exception as error:  # noqa: BLE001 -- whatever a framework raises
            ended = f"error ({type(error).__name__})"
        if time.monotonic() - began > patience:  # a sync program, which can't be cancelled
            ended = "hangs"
    text = "".join(got)
    if text.count(TEXT[:40]) > 1 or len(text) > len(TEXT):
        return "doubled" if ended == "whole" else f"doubled, {ended}"
    return "cut, silent" if ended == "whole" and text != TEXT else ended


def main() -> None:
    """Run each fault, bare and protected."""
    os.environ.update(ANTHROPIC_API_KEY="key", LITELLM_LOCAL_MODEL_COST_MAP="True", OTEL_SDK_DISABLED="true")
    name = sys.argv[1]
    wanted = sys.argv[2:] or list(FAULTS)
    outcome(name, (), POLICY, FIRST)
    rows = {
        side: {fault: outcome(name, FAULTS[fault], policy, PATIENCE) for fault in wanted}
        for side, policy in (("bare", None), ("protected", POLICY))
    }
    print(json.dumps(rows))
    sys.stdout.flush()
    os._exit(0)  # some leave threads behind that wait for the stand-in


if __name__ == "__main__":
    main()
