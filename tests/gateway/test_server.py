import asyncio
import io
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from resilient_stream import PolicyError, RedisBudget
from resilient_stream._gateway.console import Console
from resilient_stream._gateway.options import Options, ServeError
from resilient_stream._gateway.server import FILES, Server, allow_connections, gateway, listen
from resilient_stream.testing import Stall, StandIn, cut_at
from tests.support.gateways import body_of, everything, post, until
from tests.support.worlds import TEXT

HASTY = """
wait_initial = 0.001
overload_wait_initial = 0.001
budget = "none"
"""


class Running:
    """A server in a thread, which is told of signals by hand."""

    def __init__(self, options: Options) -> None:
        self.out = io.StringIO()
        self.console = Console(self.out, now=lambda: "now")
        self.sock = listen(options)
        self.port: int = self.sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = Server(gateway(options, self.console), options, self.console)
        self.thread = threading.Thread(target=self.server.run, args=([self.sock],))
        self.thread.start()

    def connect(self) -> socket.socket:
        """A connection to it, once it is there."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def signal(self) -> None:
        """Tell it to end."""
        self.server.handle_exit(signal.SIGTERM, None)


@contextmanager
def running(**options: Any) -> Generator[Running]:
    """A server that is ended."""
    made = Running(Options(port=0, **options))
    try:
        yield made
    finally:
        made.signal()
        made.signal()
        made.thread.join(60)
        made.sock.close()  # as the command does; older servers leave it open
        assert not made.thread.is_alive()


def policy(folder: Path) -> str:
    """A policy's file."""
    file = folder / "hasty.toml"
    file.write_text(HASTY, "utf-8")
    return str(file)


def test_it_serves_and_tells(tmp_path: Path) -> None:
    """A stream that was resumed has a line; the head has no header of the server's own."""
    with StandIn(reply=TEXT, faults=[cut_at(900, "rst")]) as api:
        with running(upstream=api.url, policy=policy(tmp_path)) as made, made.connect() as sock:
            sock.sendall(post())
            got = everything(sock)
            assert b"message_stop" in got
            assert b"\r\nserver:" not in got
            assert (
                httpx2.get(f"{made.url}/resilient/health", headers={"host": "evil.test"}).status_code == 403
            )
        lines = made.out.getvalue().splitlines()
        assert lines[0].startswith("now resumed rs_")
        assert lines[-1] == "now ended"


def test_streams_end_before_it_does(tmp_path: Path) -> None:
    """They go on, and resume, while nobody new is let in."""
    gate = threading.Event()

    def slowly(number: int, _: Any) -> Any:
        if number == 2:
            gate.wait(60)
        return cut_at(900, "rst") if number == 1 else None

    with (
        StandIn(reply=TEXT, faults=slowly) as api,
        running(upstream=api.url, policy=policy(tmp_path)) as made,
    ):
        with made.connect() as sock:
            sock.sendall(post())
            got = until(sock, b"content_block_delta")
            made.signal()
            while made.server._gateway.pages.ready is not False:
                made.thread.join(0.01)
            with pytest.raises(ConnectionError):
                while True:
                    made.connect().close()
            gate.set()
            body, ended = body_of(got + everything(sock))
        assert b"message_stop" in body
        assert ended
        made.thread.join(60)
        assert "now 1 stream still running, with 600 s to end" in made.out.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such limit")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 4096), (4096, 4096)),
        ((1024, 1_000_000), (FILES, 1_000_000)),
        ((256, -1), (FILES, -1)),
        ((100_000, 1_000_000), None),
        ((-1, -1), None),
    ],
)
def test_a_low_limit_of_files_is_raised(
    before: tuple[int, int], after: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as a process may; a high one is left alone."""
    import resource

    limits = list[tuple[int, int]]()
    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda which: before)
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append(limit))
    allow_connections()
    assert limits == ([] if after is None else [after])


def test_a_system_without_such_limits_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has none, nor the module."""
    monkeypatch.setitem(sys.modules, "resource", None)
    allow_connections()


def test_the_drain_has_an_end() -> None:
    """Then streams end uncleanly, and the server ends."""
    with (
        StandIn(reply=TEXT, always=Stall(after=6)) as api,
        running(upstream=api.url, drain_timeout=1) as made,
    ):
        with made.connect() as sock:
            sock.sendall(post())
            got = until(sock, b"content_block_delta")
            made.signal()
            _, ended = body_of(got + everything(sock))
        assert not ended
        made.thread.join(60)
        made.sock.close()  # as the command does; older servers leave it open
        assert not made.thread.is_alive()
        assert api.wait_closed()


def test_a_second_signal_ends_it_now() -> None:
    """Whatever runs."""
    with StandIn(reply=TEXT, always=Stall(after=6)) as api, running(upstream=api.url) as made:
        with made.connect() as sock:
            sock.sendall(post())
            until(sock, b"content_block_delta")
            made.signal()
            made.signal()
            everything(sock)
        made.thread.join(60)
        made.sock.close()  # as the command does; older servers leave it open
        assert not made.thread.is_alive()
        assert api.wait_closed()


@pytest.mark.parametrize(("policy", "shares"), [(None, True), ("batch", True), ("observe", False)])
def test_a_budget_that_is_shared_takes_the_place_of_the_default(policy: str | None, *, shares: bool) -> None:
    """A policy that has another, or none, keeps it."""
    with RedisBudget("redis://127.0.0.1:1/0") as budget:
        made = gateway(Options(policy=policy), Console(io.StringIO()), None, budget)
        assert made._policies._own.policy.budget is (budget if shares else None)


def test_a_worker_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would tell it otherwise."""
    made = Options(fd=0)
    server = Server(gateway(made, Console(io.StringIO())), made, Console(io.StringIO()))
    assert asyncio.run(server.on_tick(0)) is False
    monkeypatch.setattr(os, "getppid", lambda: -1)
    assert asyncio.run(server.on_tick(1)) is True


def test_the_log_is_left_as_it_was() -> None:
    """Handlers are the program's."""
    logs = [logging.getLogger(name) for name in ("uvicorn.error", "resilient_stream")]
    before = [(list(log.handlers), log.propagate) for log in logs]
    with running() as made:
        made.connect().close()
    assert [(list(log.handlers), log.propagate) for log in logs] == before


def test_what_the_library_warns_of_is_a_line() -> None:
    """As that a journal can't be written: nobody else would hear of it."""
    with running() as made:
        httpx2.get(f"{made.url}/resilient/ready")
        logging.getLogger("resilient_stream").warning("the stream continues without its journal: away")
    assert "now the stream continues without its journal: away\n" in made.out.getvalue()


def test_it_listens_where_it_is_told() -> None:
    """By either version of IP; or on a socket that it was given; or says why it can't."""
    with listen(Options(port=0)) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ServeError, match="cannot listen on"):
            listen(Options(port=sock.getsockname()[1]))
        with listen(Options(fd=os.dup(sock.fileno()))) as same:
            assert same.getsockname() == sock.getsockname()
    with listen(Options(host="::1", port=0)) as sock:
        assert sock.family is socket.AF_INET6


def test_what_can_not_be_served_is_refused() -> None:
    """Before anything listens."""
    console = Console(io.StringIO())
    with pytest.raises(ServeError, match="--upstream 'nowhere'"):
        gateway(Options(upstream="nowhere"), console)
    with pytest.raises(PolicyError):
        gateway(Options(policy="nothing"), console)
