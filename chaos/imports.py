"""What the imports cost: ``python -m chaos.imports``.

Each import runs in a process of its own, some times in turns; the best processor time counts. It also looks at
which packages were imported that should not be.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import subprocess
import sys
from typing import Final

ROUNDS: Final = 5
IMPORTS: Final = {
    "resilient_stream": ("import resilient_stream", ("anthropic", "httpx", "httpx2")),
    "resilient_stream.httpx": ("import resilient_stream.httpx", ("anthropic", "httpx", "httpx2")),
    "anthropic": ("import anthropic", ()),
    "anthropic, then resilient_stream": ("import anthropic, resilient_stream", ()),
    "anthropic, then resilient": ("import anthropic; from resilient_stream import resilient", ()),
    "all that a resilient client needs": (
        "import anthropic; from resilient_stream import resilient; resilient(anthropic.Anthropic(api_key='k'))",
        (),
    ),
    "a bare client": ("import anthropic; anthropic.Anthropic(api_key='k')", ()),
}
"""What is imported, and what that must not import."""

MEASURE: Final = """
import sys, time
began = time.process_time()
{code}
took = time.process_time() - began
print(took * 1000, *sorted(name for name in {absent!r} if name in sys.modules))
"""


def once(code: str, absent: tuple[str, ...]) -> tuple[float, list[str]]:
    """Milliseconds of processor time, and what was imported that should not be."""
    source = MEASURE.format(code=code, absent=absent)
    run = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)
    took, *found = run.stdout.split()
    return float(took), found


def main() -> None:
    """Measure and print."""
    best = dict.fromkeys(IMPORTS, float("inf"))
    wrong = dict[str, list[str]]()
    for _ in range(ROUNDS):
        for name, (code, absent) in IMPORTS.items():
            took, found = once(code, absent)
            best[name] = min(best[name], took)
            wrong[name] = found
    for name, took in best.items():
        print(f"{name:34} {took:7.1f} ms{'; imports ' + ', '.join(wrong[name]) if wrong[name] else ''}")


if __name__ == "__main__":
    main()
