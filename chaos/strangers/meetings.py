"""Runs one program against one fault: the stand-in, perhaps with a gateway and nginx before it, and the
program.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, Final

from chaos.met import ALL, CLEAN_END, OVERLOADED, RESET, SILENCE, TEXT
from resilient_stream.testing import ANSWER, Fault, Stall, StandIn, Status, cut_at

from .clients import CHROMIUM, NGINX, PATH, PROGRAMS, Client, found

SPOKEN: Final = f"{ANSWER[:200].rstrip()}."
INPUT: Final = {"harbour": "Dover", "notes": ANSWER[:400].rstrip()}
CALL: Final[list[dict[str, Any]]] = [
    {"type": "text", "text": SPOKEN},
    {"type": "tool_use", "id": "toolu_01", "name": "tide", "input": INPUT},
]

TOOL: Final = "cut in a tool's input"

FAULTS: Final[dict[str, tuple[Fault, ...]]] = {
    "none": (),
    "529 twice": (Status(529), Status(529)),
    "429": (Status(429),),
    "cut": (RESET,),
    "clean end": (CLEAN_END,),
    "overloaded in the stream": (OVERLOADED,),
    "stall": (SILENCE,),
    TOOL: (cut_at(-1500, "rst"),),
    "all in a row": ALL,
}

PATIENCE: Final = 15.0
"""Seconds until a program counts as hanging. The SDKs wait some seconds between their own retries."""

POLICY: Final = """
wait_initial = 0.01
wait_max = 0.02
overload_wait_initial = 0.01
overload_wait_max = 0.02
silence_timeout = 1.0
first_event_timeout = 5.0
budget = "none"
"""


@contextlib.contextmanager
def gateway(upstream: str, policy: str) -> Generator[str]:
    """``resilient-stream serve`` in front of an API; its address."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.toml"
        file.write_text(policy, "utf-8")
        command = (
            *(sys.executable, "-m", "resilient_stream", "serve", "--port=0"),
            *(f"--upstream={upstream}", f"--policy={file}", "--drain-timeout=1"),
        )
        with running(command, stdout=subprocess.PIPE) as process:
            line = read_line(process.stdout)
            yield re.findall(r"on (http://\S+),", line)[0]


@contextlib.contextmanager
def nginx(lines: str, upstream: str) -> Generator[str]:
    """Run nginx in front of it, as configured; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    lines = lines.replace("http://127.0.0.1:8642", upstream)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        places = "".join(
            f"{name}_temp_path {folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
            f"http {{ access_log off; {places} server {{ listen 127.0.0.1:{port};\n{lines}\n}} }}\n",
            "utf-8",
        )
        command = (found(NGINX) or "nginx", "-c", str(file), "-e", f"{folder}/early.log")
        with running(command):
            until_open(port)
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running(command: tuple[str, ...], **options: Any) -> Generator[subprocess.Popen[bytes]]:
    """Run a process and its children until the block ends."""
    process: subprocess.Popen[Any] = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_line(stream: IO[bytes] | None) -> str:
    """The next line that a process prints."""
    assert stream is not None
    return stream.readline().decode()


def until_open(port: int) -> None:
    """Wait until somebody listens on the port."""
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError


@contextlib.contextmanager
def road(client: Client, upstream: str, policy: str | None) -> Generator[tuple[str, str]]:
    """Set up what is between a program and the API. Yields the address for the program's requests, and that
    of the gateway."""
    with contextlib.ExitStack() as stack:
        served = upstream if policy is None else stack.enter_context(gateway(upstream, policy))
        yield (stack.enter_context(nginx(client.nginx, served)) if client.nginx else served), served


def options(url: str) -> dict[str, Any]:
    """Where and how a program runs."""
    own = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "key", "CHROMIUM": found(CHROMIUM) or ""}
    return {"cwd": PROGRAMS, "env": {**os.environ, "PATH": PATH, **own}, "stdout": subprocess.PIPE}


def meet(client: Client, fault: str, policy: str | None) -> str:
    """The result for a user of the program: whole | error | cut, silent | doubled | hangs."""
    reply: Any = CALL if fault == TOOL else TEXT
    with (
        StandIn(reply=reply, faults=list(FAULTS[fault]), strict=False) as api,
        road(client, api.url, policy) as (url, _),
        running(client.command, stderr=subprocess.DEVNULL, **options(url)) as process,
    ):
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return "hangs"
    text, failed = read_events(out) if client.raw else (out.decode().rstrip("\n"), False)
    return judged(text, expected(client, fault), failed=failed or process.returncode != 0)


def expected(client: Client, fault: str) -> str:
    """What a program prints if it receives everything."""
    if fault != TOOL:
        return TEXT
    return f"{SPOKEN}\n{json.dumps(INPUT)}" if client.tools else SPOKEN


def read_events(out: bytes) -> tuple[str, bool]:
    """The text and the tool calls of the events, and whether one of them reports that the stream failed."""
    text, given, failed = "", "", False
    for line in out.decode().splitlines():
        if line.startswith("{"):  # an error before the head
            failed = True
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line[5:])
        except ValueError:  # the line was cut
            continue
        failed = failed or event["type"] == "error"
        delta = event.get("delta", {})
        text, given = text + delta.get("text", ""), given + delta.get("partial_json", "")
    return f"{text}\n{given}" if given else text, failed


def judged(text: str, wanted: str, *, failed: bool) -> str:
    """The result in a word."""
    if same(text, wanted):
        return "error" if failed else "whole"
    if text.count(wanted[:40]) > 1 or len(text) > len(wanted):
        return "doubled"
    return "error" if failed else "cut, silent"


def same(text: str, wanted: str) -> bool:
    """Whether it is the same text, and the same call if there is one, in any spelling."""
    (said, _, call), (to_say, _, to_call) = text.partition("\n{"), wanted.partition("\n{")
    if said.rstrip("\n") != to_say or bool(call) != bool(to_call):
        return False
    try:
        return not call or json.loads("{" + call) == json.loads("{" + to_call)
    except ValueError:
        return False


def leave(client: Client) -> str:
    """How long after a program has left its stream the request to the upstream is gone, through the
    gateway."""
    with (
        StandIn(reply=TEXT, always=Stall(after=9, seconds=120.0), strict=False) as api,
        road(client, api.url, "") as (url, own),
        running(client.leaves or client.command, stderr=subprocess.DEVNULL, **options(url)) as process,
    ):
        assert process.stdout is not None
        hanging = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
        hanging.start()
        try:
            if not process.stdout.read(1):
                return f"no text in {PATIENCE:.0f} s"
        finally:
            hanging.cancel()
        if client.leaves is None:
            os.killpg(process.pid, signal.SIGKILL)
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            with urllib.request.urlopen(f"{own}/resilient/streams") as page:  # noqa: S310 -- our own
                if json.load(page)["counts"]["left"] == 1 and api.open_connections == 0:
                    return f"{time.monotonic() - began:.1f} s, {len(api.requests)} request"
            time.sleep(0.02)
    return "kept"
