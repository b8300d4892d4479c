"""How long imports take, each in its own process, next to those of the packages that they need.

``python -m benchmarks.imports``. Other work on the machine makes all of them slower, so compare the rows of
one run: the library's with ``import httpx`` and ``import pydantic``. Bytecode is compiled before, as an
installer does.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Final

ROUNDS: Final = 7
SDK_CLIENT: Final = "import anthropic; client = anthropic.Anthropic(api_key='any')"
RESILIENT: Final = "import resilient_stream; resilient_stream.resilient(client)"
UNCOLLECTED: Final = "import gc; gc.disable()"
"""Without Python's garbage collector: a single run of it over what the SDK has imported takes 60 ms or more, and
whether one falls into an import depends on how many objects were made before."""
STATEMENTS: Final = {
    "import anyio, pydantic": "import anyio; from pydantic import BaseModel",
    "import httpx": "import httpx",
    "import resilient_stream.httpx": "import resilient_stream.httpx",
    "from resilient_stream.httpx import ResilientTransport": (
        "from resilient_stream.httpx import ResilientTransport"
    ),
    "import httpx, ResilientTransport": "import httpx; from resilient_stream.httpx import ResilientTransport",
    "a ResilientTransport": "import resilient_stream.httpx; resilient_stream.httpx.ResilientTransport()",
    "a ResilientTransport that has joined": (
        "import resilient_stream.httpx; resilient_stream.httpx.ResilientTransport(); "
        "import resilient_stream._core.seam.join"
    ),
    "import resilient_stream": "import resilient_stream",
    "import anthropic": "import anthropic",
    "import anthropic, resilient_stream": "import anthropic, resilient_stream",
    "a client of the SDK": SDK_CLIENT,
    "a resilient client of the SDK": f"{SDK_CLIENT}; {RESILIENT}",
    "a client of the SDK, no garbage collection": f"{UNCOLLECTED}; {SDK_CLIENT}",
    "a resilient client of the SDK, no garbage collection": f"{UNCOLLECTED}; {SDK_CLIENT}; {RESILIENT}",
}


def milliseconds(statement: str, compiled: str) -> float:
    """Processor time of a process that runs this statement only.

    Args:
        statement: what is run.
        compiled: the folder of the bytecode.
    """
    timed = (
        f"import time; began = time.process_time()\n{statement}\nprint((time.process_time() - began) * 1000)"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = compiled
    run = subprocess.run((sys.executable, "-c", timed), env=env, capture_output=True, text=True, check=True)
    return float(run.stdout)


def table(rounds: int = ROUNDS) -> dict[str, float]:
    """The median for each statement; the rounds are interleaved."""
    with tempfile.TemporaryDirectory() as compiled:
        for code in STATEMENTS.values():
            milliseconds(code, compiled)
        times = [
            {name: milliseconds(code, compiled) for name, code in STATEMENTS.items()} for _ in range(rounds)
        ]
    return {name: statistics.median(each[name] for each in times) for name in STATEMENTS}


def main() -> None:
    """Measure and print."""
    for name, took in table().items():
        print(f"{name:36} {took:7.1f} ms")


if __name__ == "__main__":
    main()
