"""Writes ``docs/performance.md`` and its two plots from the results of the other modules.

``python -m benchmarks.page`` measures everything, which takes about forty minutes. With names, such as
``python -m benchmarks.page imports crowd``, it measures these parts only, and keeps the other figures, which
are in ``benchmarks/results.json`` with the versions and the date of each. A part that fails keeps its earlier
figures, and the others are measured all the same. Instructions are left out where there is no valgrind.
It fails if a part has failed, if the stored figures of a part lack what the page shows now, or if the instructions
have grown beyond the baseline's tolerance.
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
import traceback
from collections.abc import Callable, Iterable
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


def _instructions() -> instructions.Counted | None:
    valgrind = shutil.which("valgrind")
    return None if valgrind is None else instructions.measure(valgrind)


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


def measure(wanted: Iterable[str], results: dict[str, Any]) -> list[str]:
    """Measure these parts, and store each as soon as it is known. Return the names of those that failed."""
    failed = list[str]()
    for name in wanted:
        print(f"measures {name}", flush=True)
        try:
            rows = PARTS[name]()
        except Exception:  # noqa: BLE001 -- the other parts are not affected
            traceback.print_exc()
            failed.append(name)
            continue
        if rows is None:
            print(f"{name} are left out: they need valgrind (apt-get install valgrind)")
            continue
        results[name] = circumstances() | {"rows": rows}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    return failed


def write(results: dict[str, Any]) -> list[str]:
    """Write the page and draw the plots. Return why that is not possible, if a part has to be measured first."""
    try:
        text = tables.page(results)
    except tables.OutdatedFigures as outdated:
        return [str(outdated)]
    draw(results)
    (DOCS / "performance.md").write_text(text, "utf-8")
    return []


def main() -> int:
    """Measure, store, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"what is measured anew, of {', '.join(PARTS)}; all if none")
    wanted = parser.parse_args().parts or list(PARTS)
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    problems = [f"{name} could not be measured" for name in measure(wanted, results)]
    problems += write(results)
    if "instructions" in wanted and "instructions" in results:
        problems += filter(None, [instructions.regression(results["instructions"]["rows"])])
    print("\n".join(problems) or "done")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
