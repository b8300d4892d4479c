"""``python -m chaos.frameworks.table``: runs each framework against the faults in its own environment, and
writes the table.

Each framework has its own virtual environment, because no set of versions suits them all, with the newest
versions that pip finds and this library from the checkout. The result is written into docs/frameworks.md,
between the marks. Arguments choose frameworks. `--home=DIR` keeps the environments there, and uses existing
ones.
"""

# ruff: noqa: T201 -- progress goes to stdout

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.pages import put

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "frameworks.md"
TOLD: Final = 300
"""Characters of an error that are shown."""


@dataclass(frozen=True)
class Framework:
    """One framework.

    Args:
        name: of the distribution whose version counts.
        program: its function in `programs`.
        line: what switches the library on.
        needs: what is installed.
        example: of the documentation, which is run as well.
    """

    name: str
    program: str
    line: str
    needs: tuple[str, ...] = ()
    example: str = ""


@dataclass
class Result:
    """The result for one framework."""

    versions: str = ""
    failed: str = ""
    """Why there is no result."""
    rows: dict[str, dict[str, str]] = field(default_factory=dict)


FRAMEWORKS: Final = (
    Framework(
        "pydantic-ai-slim",
        "pydantic_ai",
        "AnthropicProvider(anthropic_client=resilient(AsyncAnthropic()))",
        ("pydantic-ai-slim[anthropic]",),
        example="pydantic_ai_agent",
    ),
    Framework(
        "langchain-anthropic",
        "langchain_anthropic",
        'model.__dict__["_async_client"] = resilient(model._async_client)',
        example="langchain_chat",
    ),
    Framework(
        "litellm", "litellm", "acompletion(..., client=AsyncHTTPHandler(transport=AsyncResilientTransport()))"
    ),
    Framework(
        "instructor",
        "instructor",
        "instructor.from_anthropic(resilient(AsyncAnthropic()))",
        ("instructor>=1",),
    ),
    Framework("agno", "agno", "Claude(async_client=resilient(AsyncAnthropic()))"),
    Framework("anthropic-haystack", "haystack", "generator.async_client = resilient(generator.async_client)"),
    Framework(
        "llama-index-llms-anthropic",
        "llama_index",
        "llm._aclient = resilient(llm._aclient)",
        ("llama-index-llms-anthropic", "anthropic<2"),
    ),
    Framework("crewai", "crewai", "llm.client = resilient(llm.client)", ("crewai[anthropic]",)),
    Framework(
        "smolagents",
        "smolagents",
        'model.kwargs["client"] = HTTPHandler(client=resilient(httpx.Client()))',
        ("smolagents[litellm]",),
    ),
    Framework(
        "openai-agents",
        "openai_agents",
        'ModelSettings(extra_args={"client": handler}); below',
        ("openai-agents[litellm]",),
    ),
    Framework(
        "autogen-ext",
        "autogen",
        "client._client = resilient(client._client)",
        ("autogen-ext[anthropic]", "tiktoken"),
    ),
    Framework("ag2", "ag2", "client._client = resilient(client._client)", ("ag2[anthropic]",)),
)


def requirements() -> list[str]:
    """What the library needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed: list[str] = project["dependencies"]
    return [*needed, "httpx"]


def environment(framework: Framework, home: Path) -> tuple[Path, str]:
    """The Python of the framework's environment, and pip's output if the environment could not be created."""
    where = home / framework.program
    python = where / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        made = subprocess.run(
            [*pip, *(framework.needs or (framework.name,)), *requirements()],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            errors = [line for line in made.stderr.splitlines() if line.startswith("ERROR")]
            return python, " ".join(errors)[:TOLD] or "pip failed"
    return python, ""


def versions(python: Path, framework: Framework) -> str:
    """The versions of the framework and of the SDK that it uses."""
    ask = (
        "import importlib.metadata as m, sys; "
        "print(m.version(sys.argv[1]) + ', SDK ' + m.version('anthropic'))"
    )
    asked = subprocess.run(
        [str(python), "-c", ask, framework.name], check=True, capture_output=True, text=True
    )
    return asked.stdout.strip()


def ran(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a framework's environment, with this library from the checkout."""
    return subprocess.run(
        [str(python), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=600,
    )


def met(framework: Framework, home: Path) -> Result:
    """Install a framework, and run its program against the faults, and its example."""
    python, failed = environment(framework, home)
    if failed:
        return Result(failed=f"not installed: {failed}")
    told = versions(python, framework)
    run = ran(python, "-m", "chaos.frameworks.met", framework.program)
    line = run.stdout[run.stdout.rfind('{"bare"') :].strip()
    if run.returncode or not line:
        return Result(told, f"did not run: {run.stderr.strip()[-TOLD:]}")
    if framework.example:
        shown = ran(python, "docs/examples", framework.example)
        if "requests: fresh, user_turn" not in shown.stdout:
            return Result(told, f"its example failed: {(shown.stderr or shown.stdout).strip()[-TOLD:]}")
    return Result(told, rows=json.loads(line))


def table(results: dict[str, Result]) -> str:
    """The part of the page between the marks."""
    shown = {name: result for name, result in results.items() if result.rows}
    faults = list(next(iter(shown.values())).rows["bare"]) if shown else []
    works = {name: result for name, result in shown.items() if result.rows["bare"]["none"] == "whole"}
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    lines = [
        f"Run on {today} with `python -m chaos.frameworks.table` (`nox -s frameworks`), Python",
        f"{platform.python_version()}, against the [stand-in](testing.md). Each cell: bare → protected; one word where both are the same.",
        "",
        f"| framework | {' | '.join(faults)} |",
        f"|---|{'---|' * len(faults)}",
    ]
    for name, result in works.items():
        cells = [
            bare if bare == result.rows["protected"][fault] else f"{bare} → {result.rows['protected'][fault]}"
            for fault, bare in result.rows["bare"].items()
        ]
        lines.append(f"| {name} {result.versions} | {' | '.join(cells)} |")
    lines += ["", "| framework | what switches it on |", "|---|---|"]
    lines += [f"| {one.name} | `{one.line}` |" for one in FRAMEWORKS if one.name in works]
    lines.append("")
    for name, result in results.items():
        if name not in works:
            why = result.failed or (
                f"streams nothing with this SDK, with or without the library: {result.rows['bare']['none']}"
            )
            lines.append(f"- {name} {result.versions}: {why}")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Make the table, and write it if all frameworks were run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "resilient-frameworks")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    asked.home.mkdir(exist_ok=True)
    results = dict[str, Result]()
    for framework in FRAMEWORKS:
        if not asked.names or framework.name in asked.names:
            results[framework.name] = met(framework, asked.home)
            print(framework.name, results[framework.name], flush=True)
    part = table(results)
    if asked.names:
        print(part)
    else:
        put(PAGE, "frameworks", part)


if __name__ == "__main__":
    main()
