"""How long importing takes, in a process of its own, less what it takes without the library.

``python -m benchmarks.imports``
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Final

ROUNDS: Final = 7
STATEMENTS: Final = {
    "nothing": "pass",
    "import anthropic": "import anthropic",
    "import resilient_stream": "import resilient_stream",
    "import anthropic, and a resilient client": (
        "import anthropic, resilient_stream; resilient_stream.resilient(anthropic.Anthropic(api_key='any'))"
    ),
    "import anthropic, and a client": "import anthropic; anthropic.Anthropic(api_key='any')",
    "import resilient_stream.httpx": "import resilient_stream.httpx",
}


def milliseconds(statement: str) -> float:
    """Processor time of a process that runs it, and no more."""
    timed = (
        f"import time; began = time.process_time()\n{statement}\nprint((time.process_time() - began) * 1000)"
    )
    done = subprocess.run((sys.executable, "-c", timed), capture_output=True, text=True, check=True)
    return float(done.stdout)


def table() -> dict[str, float]:
    """The median for each statement; the rounds are interleaved."""
    rounds = [{name: milliseconds(code) for name, code in STATEMENTS.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in STATEMENTS}


def main() -> None:
    """Measure and print."""
    for name, took in table().items():
        print(f"{name:42} {took:7.1f} ms")


if __name__ == "__main__":
    main()
