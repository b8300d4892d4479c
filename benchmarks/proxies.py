"""An API that writes paced streams, and proxies in front of it, each in a separate process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from .streams import events

EVENTS: Final = 100
"""Deltas of each stream."""
PACE: Final = 0.05
"""Seconds between two deltas: twenty a second, about the speed of a model."""
FILES: Final = 20_000
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def more_files() -> None:
    """Allow a process as many connections as the system does."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


# -- the API -------------------------------------------------------------------------------------


def api(pipe: Connection) -> None:
    """Answer each request with a paced stream. If the request asks for much, the stream has no pauses and no
    end."""
    more_files()
    parts = events("text", EVENTS)
    before, delta, after = b"".join(parts[:2]), parts[2], b"".join(parts[2 + EVENTS :])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def write(piece: bytes) -> None:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))

        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.findall(rb"(?i)content-length: (\d+)", head)[0]
                asked = await reader.readexactly(int(length))
                writer.write(HEAD)
                write(before)
                if b"much" in asked:
                    while True:
                        write(delta * 100)
                        await writer.drain()
                for _ in range(EVENTS):
                    write(delta.replace(b'" word"', b'"%020d word"' % time.monotonic_ns()))
                    await asyncio.sleep(PACE)
                write(after)
                writer.write(b"0\r\n\r\n")

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


@contextlib.contextmanager
def apart(target: Callable[[Connection], None]) -> Generator[Any]:
    """Run a function in a separate process. Yields the first object that it sends."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


# -- the proxies ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """A way to the API: its port, and the process whose time is measured."""

    name: str
    port: int
    pid: int | None = None
    path: str = "/v1/messages"

    def seconds(self) -> float:
        """Processor time so far."""
        if self.pid is None:
            return 0.0
        told = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str = "VmRSS") -> float:
        """Its memory, in MB."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{what}:\s+(\d+)", told)[0]) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def process(command: Sequence[str], port: int, patience: float = 90, **options: Any) -> Generator[int]:
    """Run a server, and wait until it answers. Yields its process id."""
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(command, stdout=said, stderr=said, preexec_fn=more_files, **options)  # noqa: PLW1509
        try:
            end = time.monotonic() + patience
            while started.poll() is None and time.monotonic() < end:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.1)
            else:
                said.seek(0)
                raise RuntimeError(f"{command[0]} did not start: {said.read()[-500:].decode()}")
            yield started.pid
        finally:
            started.kill()
            started.wait()


@contextlib.contextmanager
def gateway(name: str, upstream: int, *more: str) -> Generator[Door]:
    """``resilient-stream serve``, one worker."""
    port = free_port()
    command = (sys.executable, "-m", "resilient_stream", "serve", f"--port={port}")
    with process((*command, f"--upstream=http://127.0.0.1:{upstream}", *more), port) as pid:
        yield Door(name, port, pid)


@contextlib.contextmanager
def nginx(upstream: int) -> Generator[Door]:
    """Run nginx with one process and without buffering."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        file.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\n"
            "events { worker_connections 8192; }\n"
            f"http {{ access_log off; {''.join(f'{kind}_temp_path {folder}/{kind}; ' for kind in kinds)}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream};\n"
            "proxy_http_version 1.1; proxy_buffering off; } } }\n"
        )
        where = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        with process((where, "-c", str(file), "-e", f"{folder}/early"), port) as pid:
            yield Door("nginx", port, pid)


@contextlib.contextmanager
def litellm(command: str, upstream: int) -> Generator[Door]:
    """The proxy of litellm, one worker, on its route for the Messages API."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        known = {
            "model": "anthropic/claude-sonnet-5",
            "api_base": f"http://127.0.0.1:{upstream}",
            "api_key": "k",
        }
        models = [{"model_name": "claude-sonnet-5", "litellm_params": known}]
        file.write_text(json.dumps({"model_list": models, "litellm_settings": {"telemetry": False}}))
        env = {
            **os.environ,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "NO_PROXY": "127.0.0.1",
        }
        args = (
            command,
            "--config",
            str(file),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
            "--num_workers",
            "1",
        )
        with process(args, port, env=env, cwd=folder) as pid:
            yield Door("litellm", port, pid)
