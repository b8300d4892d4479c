"""``python -m chaos.strangers.table``: runs each program against each fault, bare and through the gateway,
and makes the table.

It reports what is missing, and leaves out the programs that need it. Arguments choose programs by a part of
their names, and print their table. Without arguments the table is written into docs/strangers.md, between the
marks.
"""

# ruff: noqa: T201 -- progress goes to stdout

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from chaos.pages import put

from .clients import CLIENTS, HERE, Client, build, versions
from .meetings import FAULTS, POLICY, leave, meet

PAGE: Final = HERE.parents[1] / "docs" / "strangers.md"
SIDES: Final = {"bare": None, "through the gateway": POLICY}


@dataclass
class Row:
    """The results of one program."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    """By side and fault."""
    left: str = ""


def met(client: Client) -> Row:
    """Run a program against all faults."""
    cells = {side: {fault: meet(client, fault, policy) for fault in FAULTS} for side, policy in SIDES.items()}
    return Row(cells, leave(client))


def packages() -> str:
    """The versions of the SDKs."""
    pinned: dict[str, str] = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    told = [f"{name} {number}" for name, number in pinned.items()] if shutil.which("node") else []
    return ", ".join([*told, f"anthropic {version('anthropic')} on Python {platform.python_version()}"])


def table(rows: dict[str, Row], skipped: dict[str, list[str]]) -> str:
    """The part of the page between the marks."""
    first, second = SIDES
    lines = [
        f"Run on {dt.datetime.now(dt.UTC):%Y-%m-%d} with `nox -s strangers` (`python -m chaos.strangers.table`),",
        f"against the [stand-in](testing.md). {versions()}; {packages()}.",
        "",
        f"Each cell: {first} → {second}; one word where both are the same.",
        "",
        f"| program | {' | '.join(FAULTS)} | leaves |",
        f"|---|{'---|' * (len(FAULTS) + 1)}",
    ]
    for name, row in rows.items():
        cells = [
            bare if bare == row.cells[second][fault] else f"{bare} → {row.cells[second][fault]}"
            for fault, bare in row.cells[first].items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {row.left} |")
    lines += ["", f"| of {len(rows) * len(FAULTS)} runs | {first} | {second} |", "|---|---:|---:|"]
    counts = {
        side: Counter(cell for row in rows.values() for cell in row.cells[side].values()) for side in SIDES
    }
    for word in ("whole", "error", "cut, silent", "doubled", "hangs"):
        lines.append(f"| {word} | {counts[first][word]} | {counts[second][word]} |")
    if skipped:
        lines.append("")
    lines += [f"- {name}: not run, for want of {', '.join(missing)}" for name, missing in skipped.items()]
    return "\n".join(lines) + "\n"


def prepare() -> None:
    """Install and compile what the programs need."""
    if shutil.which("npm") and not (HERE / "node_modules").exists():
        npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        subprocess.run(npm, cwd=HERE, check=True)
    build()


def main() -> None:
    """Make the table, and write it if all programs were run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    os.environ.pop("ANTHROPIC_AUTH_TOKEN", None)
    prepare()
    rows, skipped = dict[str, Row](), dict[str, list[str]]()
    for client in CLIENTS:
        if asked.names and not any(name.lower() in client.name.lower() for name in asked.names):
            continue
        if client.missing:
            skipped[client.name] = client.missing
            print(f"{client.name}: skipped, it needs {', '.join(client.missing)}", flush=True)
            continue
        rows[client.name] = met(client)
        print(client.name, rows[client.name], flush=True)
    part = table(rows, skipped)
    print(part)
    if not asked.names:
        put(PAGE, "strangers", part)


if __name__ == "__main__":
    main()
