"""Instructions per event, which do not depend on other work on the machine, against a stored baseline.

``python -m benchmarks.instructions`` reads a short and a longer stream under valgrind's callgrind, bare and
with the library. The difference between the two streams is the cost of the additional events; importing and
opening cancel out. ``--store`` writes the figures to ``benchmarks/baseline.json`` instead of comparing them
with it.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import anthropic

from resilient_stream import resilient

from .overhead import ASKED
from .streams import Memory, client, events

BASELINE: Final = Path(__file__).with_name("baseline.json")
TOLERANCE: Final = 0.03
"""The largest growth of the library's instructions, as a share of the bare SDK's. Differences in the size of
dictionaries and the like cause a part of it. One more call for each event adds 0.02."""
STREAMS: Final = (200, 1_200)
"""Deltas of the two streams."""
WHO: Final = ("bare", "resilient")
LONGEST: Final = 1800.0
"""Seconds that one run may take. It takes about a minute on an idle processor."""


def read(who: str, deltas: int) -> None:
    """Read one stream, without garbage collection, which would look at all objects of the SDK's import."""
    gc.disable()
    made = client(Memory(events("text", deltas)))
    with (resilient(made) if who == "resilient" else made).messages.stream(**ASKED) as stream:
        for _ in stream:
            pass


def instructions(valgrind: str, who: str, deltas: int) -> int:
    """The instructions of a process that reads one stream."""
    command = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable)
    run = (*command, "-m", "benchmarks.instructions", "--read", who, "--deltas", str(deltas))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONHASHSEED"] = "0"
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=True, timeout=LONGEST)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"callgrind said nothing of instructions: {done.stderr[-300:]}")
    return int(found[1])


def measure(valgrind: str) -> dict[str, float]:
    """Instructions per event of the bare SDK, and the share of them that the library adds."""
    short, long = STREAMS
    bare, ours = (
        (instructions(valgrind, who, long) - instructions(valgrind, who, short)) / (long - short)
        for who in WHO
    )
    return {"bare": round(bare), "added": round(ours / bare - 1, 4)}


VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}, anthropic {anthropic.__version__}"
"""The version of the SDK that a baseline belongs to."""


def regression(found: dict[str, float]) -> str:
    """How far the library's share has grown beyond the baseline; empty if it has not, or there is no
    baseline."""
    stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if VERSION not in stored:
        print(f"there is no baseline for Python {VERSION}; --store makes one")
        return ""
    before: float = stored[VERSION]["added"]
    if found["added"] <= before + TOLERANCE:
        return ""
    return (
        f"{found['added']:+.1%} instructions: more than the baseline of {before:+.1%} by over {TOLERANCE:.0%}"
    )


def main() -> int:
    """Measure, and compare or store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", choices=WHO, help=argparse.SUPPRESS)
    parser.add_argument("--deltas", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--store", action="store_true", help="make the figures the baseline")
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read, arguments.deltas)
        return 0
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("needs valgrind (apt-get install valgrind)")
        return 1
    found = measure(valgrind)
    print(
        f"Python {VERSION}: {found['bare']:,.0f} instructions an event, {found['added']:+.1%} with the library"
    )
    if arguments.store:
        stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
        BASELINE.write_text(json.dumps(stored | {VERSION: found}, indent=2, sort_keys=True) + "\n")
        return 0
    grown = regression(found)
    print(grown or "within the tolerance")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
