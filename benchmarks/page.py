"""Writes ``docs/performance.md`` and its two plots from the results of the other modules.

``python -m benchmarks.page`` measures everything, which takes about half an hour. With names, such as
``python -m benchmarks.page imports crowd``, it measures these parts only, and keeps the other figures, which
are in ``benchmarks/results.json`` with the versions and the date of each. It fails if the instructions have
grown beyond the baseline's tolerance.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import importlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from . import crowd, imports, instructions, overhead, recovery, scaling, sockets, tables

RESULTS: Final = Path(__file__).with_name("results.json")
DOCS: Final = Path(__file__).parents[1] / "docs"
PACKAGES: Final = ("anthropic", "httpx", "httpx2", "pydantic", "tenacity", "opentelemetry-api")


def _rows(made: Any) -> list[dict[str, Any]]:
    return [asdict(row) for row in made]


def _instructions() -> dict[str, float]:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("needs valgrind (apt-get install valgrind)")
    return instructions.measure(valgrind)


PARTS: Final[dict[str, Callable[[], Any]]] = {
    "imports": imports.table,
    "overhead": lambda: _rows(asyncio.run(overhead.table(overhead.SIZES))),
    "sockets": lambda: _rows(asyncio.run(sockets.table())),
    "recovery": lambda: [_rows(rows) for rows in recovery.table()],
    "scaling": lambda: _rows(scaling.table()),
    "crowd": lambda: _rows(asyncio.run(crowd.table())),
    "instructions": _instructions,
}


def circumstances() -> dict[str, str]:
    """The date, the machine and the versions of a measurement."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": f"Python {platform.python_version()}, {packages}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def draw(results: dict[str, Any]) -> None:
    """Draw the two plots."""
    pyplot: Any = importlib.import_module("matplotlib.pyplot")  # only the session `bench` installs it
    short = [row for row in results["overhead"]["rows"] if row["deltas"] == min(overhead.SIZES)]
    names = [f"{row['world']}, {row['kind']},\n{row['wire']}" for row in short]
    figure, axis = pyplot.subplots(figsize=(8, 7), layout="constrained")
    places = range(len(short))
    axis.barh([at - 0.2 for at in places], [row["resilient"] for row in short], 0.4, label="resilient_stream")
    axis.barh(
        [at + 0.2 for at in places], [row["fallback"] for row in short], 0.4, label="the SDK's fallbacks"
    )
    axis.set(xlim=(0.95, None), xlabel="processor time, bare SDK = 1")
    axis.set_yticks(list(places), names, fontsize=7)
    axis.invert_yaxis()
    axis.legend()
    figure.savefig(DOCS / "overhead.png", dpi=110)

    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    for cuts in dict.fromkeys(row["cuts"] for row in results["scaling"]["rows"]):
        rows = [row for row in results["scaling"]["rows"] if row["cuts"] == cuts]
        lengths = [row["deltas"] for row in rows]
        time.plot(lengths, [row["microseconds"] for row in rows], "o-", label=f"{cuts} cuts")
        memory.plot(lengths, [row["memory"] for row in rows], "o-", label=f"{cuts} cuts")
    time.set(xscale="log", ylim=(0, None), xlabel="events", ylabel="microseconds an event")
    memory.set(xscale="log", yscale="log", xlabel="events", ylabel="bytes of memory for each of text")
    time.legend()
    figure.savefig(DOCS / "scaling.png", dpi=110)


def main() -> int:
    """Measure, store, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"what is measured anew, of {', '.join(PARTS)}; all if none")
    wanted = parser.parse_args().parts or list(PARTS)
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in wanted:
        print(f"measures {name}", flush=True)
        results[name] = circumstances() | {"rows": PARTS[name]()}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if results.keys() >= PARTS.keys() - {"instructions"}:  # which needs valgrind
        draw(results)
        (DOCS / "performance.md").write_text(tables.page(results), "utf-8")
    regressed = instructions.regression(results["instructions"]["rows"]) if "instructions" in wanted else ""
    print(regressed or "done")
    return 1 if regressed else 0


if __name__ == "__main__":
    sys.exit(main())
