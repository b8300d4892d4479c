"""The programs: how each is run, which part of its output is text, and what it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PROGRAMS: Final = HERE / "programs"
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Client:
    """One program.

    Args:
        name: in the table.
        command: what runs it, in the folder of the programs.
        needs: the programs that it needs, each by one of its names.
        raw: it prints the events of the stream, not its text.
        tools: it prints the input of tool calls behind the text.
        nginx: the lines of nginx' configuration, where it goes through one.
        leaves: the command with which it leaves by itself; None: it is killed.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    raw: bool = False
    tools: bool = True
    nginx: str = ""
    leaves: tuple[str, ...] | None = None

    @property
    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        missing = [names[0] for names in self.needs if found(names) is None]
        if ("node",) in self.needs and not (HERE / "node_modules").exists():
            missing.append("the packages of package.json (npm ci)")
        return missing


def found(names: tuple[str, ...]) -> str | None:
    """A program on this machine, by one of its names."""
    return next((path for name in names if (path := shutil.which(name, path=PATH)) is not None), None)


PATH: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))

NODE: Final = ("node",)
NGINX: Final = ("nginx",)
BUFFERED: Final = "location / { proxy_pass http://127.0.0.1:8642; }"
"""nginx with its default settings: HTTP/1.0 to the upstream, and buffers."""


def node(*arguments: str) -> tuple[str, ...]:
    """The command of a program for Node.js."""
    return ("node", *arguments)


CLIENTS: Final = (
    Client("curl", ("sh", "curl.sh"), (("curl",),), raw=True),
    Client("curl, HTTP/1.0", ("sh", "curl.sh", "--http1.0"), (("curl",),), raw=True),
    Client("TypeScript SDK, on('text')", node("stream.mjs"), (NODE,), leaves=node("forms.mjs", "abort")),
    Client("TypeScript SDK, finalMessage()", node("forms.mjs", "final"), (NODE,)),
    Client("TypeScript SDK, create()", node("forms.mjs", "create"), (NODE,)),
    Client("Vercel AI SDK, fullStream", node("vercel.mjs"), (NODE,)),
    Client("Vercel AI SDK, textStream", node("vercel-text.mjs"), (NODE,), tools=False),
    Client("LangChain.js", node("langchain.mjs"), (NODE,)),
    Client(
        "route handler, React in Chromium",
        node("browser.mjs"),
        (NODE, CHROMIUM),
        tools=False,
        leaves=node("browser.mjs", "leave"),
    ),
    Client("Python SDK", (sys.executable, "bare.py")),
    Client("Go", ("build/main",), (("go",),), tools=False),
    Client("Java", ("java", "-cp", "build", "Tides"), (("javac",),), raw=True),
    Client(
        "nginx, curl",
        ("sh", "curl.sh"),
        (NGINX, ("curl",)),
        raw=True,
        nginx=(PROGRAMS / "nginx.conf").read_text("utf-8"),
    ),
    Client("nginx as it comes, curl", ("sh", "curl.sh"), (NGINX, ("curl",)), raw=True, nginx=BUFFERED),
)


def build() -> None:
    """Compile the programs whose compiler is installed."""
    (PROGRAMS / "build").mkdir(exist_ok=True)
    for name, *arguments in (
        ("go", "build", "-o", "build/main", "main.go"),
        ("javac", "-d", "build", "Tides.java"),
    ):
        if (compiler := found((name,))) is not None:
            subprocess.run((compiler, *arguments), cwd=PROGRAMS, check=True)


def versions() -> str:
    """The versions of the installed tools, in one line."""
    asked = {
        "curl": ("curl", "--version"),
        "Node.js": ("node", "--version"),
        "Chromium": (found(CHROMIUM) or "", "--version"),
        "Go": ("go", "version"),
        "Java": ("javac", "--version"),
        "nginx": (found(NGINX) or "", "-v"),
    }
    told = list[str]()
    for name, command in asked.items():
        if command[0] and shutil.which(command[0]):
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            words = (run.stdout + run.stderr).replace("/", " ").replace("go1", "1").split()
            told.append(f"{name} {next(word for word in words if word.lstrip('v')[:1].isdigit())}")
    return ", ".join(told)
