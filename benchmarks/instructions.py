"""Instructions per event, which do not depend on other work on the machine, against a stored baseline.

``python -m benchmarks.instructions`` reads a short and a longer stream under valgrind's callgrind, bare and
with the library: text, sync and async, and a tool call that is held. The difference between the two streams
is the cost of the additional events; importing and opening cancel out. ``--store`` writes the figures to
``benchmarks/baseline.json`` instead of comparing them with it.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import anthropic

from resilient_stream import resilient

from .overhead import async_reader, sync_reader
from .streams import Memory, async_client, client, events

BASELINE: Final = Path(__file__).with_name("baseline.json")
TOLERANCE: Final = 0.03
"""The largest growth of the library's instructions, as a share of the bare SDK's. Differences in the size of
dictionaries and the like cause a part of it. One more call for each event adds 0.02."""
STREAMS: Final = (200, 1_200)
"""Deltas of the two streams."""
CASES: Final = {
    "sync, text": ("sync", "text"),
    "async, text": ("async", "text"),
    "held tool": ("sync", "held tool"),
}
"""What is read: the world, and the kind of block."""
WHO: Final = ("bare", "resilient")
LONGEST: Final = 1800.0
"""Seconds that one run may take. It takes about a minute on an idle processor."""
AT_ONCE: Final = os.cpu_count() or 1
"""Runs at the same time. Other programs do not change what a run counts."""


def read(who: str, case: str, deltas: int) -> None:
    """Read one stream, without garbage collection, which would look at all objects of the SDK's import."""
    gc.disable()
    world, kind = CASES[case]
    made, reader = (client, sync_reader) if world == "sync" else (async_client, async_reader)
    bare: Any = made(Memory(events(kind, deltas)))
    reads = reader(resilient(bare) if who == "resilient" else bare)

    async def once() -> None:
        await reads()

    asyncio.run(once())


def run(who: str, case: str, deltas: int, *command: str) -> str:
    """Read one stream in a process of its own, which ``command`` runs. Return what is written of it."""
    line = (*command, sys.executable, "-m", "benchmarks.instructions", "--read", who, case, str(deltas))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONHASHSEED"] = "0"
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=True, timeout=LONGEST)
    return done.stderr


def instructions(valgrind: str, who: str, case: str, deltas: int) -> int:
    """The instructions of a process that reads one stream."""
    said = run(who, case, deltas, valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null")
    found = re.search(r"Collected : (\d+)", said)
    if found is None:
        raise RuntimeError(f"callgrind said nothing of instructions: {said[-300:]}")
    return int(found[1])


Counted = dict[str, dict[str, float]]
"""For each case, the instructions per event of the bare SDK, and the share of them that the library adds."""


def measure(valgrind: str) -> Counted:
    """Count them, in several processes at once."""
    (short, long), found = STREAMS, Counted()
    for case in CASES:
        run("resilient", case, short)  # compiles what is imported
    runs = [(who, case, deltas) for case in CASES for who in WHO for deltas in STREAMS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = dict(zip(runs, pool.map(lambda each: instructions(valgrind, *each), runs), strict=True))
    for case in CASES:
        bare, ours = ((counts[who, case, long] - counts[who, case, short]) / (long - short) for who in WHO)
        found[case] = {"bare": round(bare), "added": round(ours / bare - 1, 4)}
    return found


VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}, anthropic {anthropic.__version__}"
"""The version of the SDK that a baseline belongs to."""


def regression(found: Counted) -> str:
    """The cases in which the library's share has grown beyond the baseline; empty if there are none, or there
    is no baseline."""
    stored: Counted = json.loads(BASELINE.read_text()).get(VERSION, {}) if BASELINE.exists() else {}
    if missing := found.keys() - stored.keys():
        print(f"there is no baseline for {', '.join(sorted(missing))} on Python {VERSION}; --store makes one")
    grown = [
        f"{case}: {now['added']:+.1%} instructions, more than the baseline of {stored[case]['added']:+.1%} by "
        f"over {TOLERANCE:.0%}"
        for case, now in found.items()
        if case in stored and now["added"] > stored[case]["added"] + TOLERANCE
    ]
    return "\n".join(grown)


def main() -> int:
    """Measure, and compare or store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--store", action="store_true", help="make the figures the baseline")
    arguments = parser.parse_args()
    if arguments.read:
        who, case, deltas = arguments.read
        read(who, case, int(deltas))
        return 0
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("needs valgrind (apt-get install valgrind)")
        return 1
    found = measure(valgrind)
    print(f"Python {VERSION}: instructions per event")
    for case, counted in found.items():
        print(f"{case:12} {counted['bare']:9,.0f}, {counted['added']:+.1%} with the library")
    if arguments.store:
        stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
        BASELINE.write_text(json.dumps(stored | {VERSION: found}, indent=2, sort_keys=True) + "\n")
        return 0
    grown = regression(found)
    print(grown or "within the tolerance")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
