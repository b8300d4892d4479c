import io
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from resilient_stream._gateway.console import Console
from resilient_stream._gateway.workers import Workers, starting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are not passed on there")

WAITS = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); print('here', flush=True); signal.sigwait([signal.SIGTERM])"
"""Ends well at the signal, however soon it comes: one that came just before ``signal.pause`` would not end that."""

ENDS = "print('here', flush=True); raise SystemExit(3)"


class Started:
    """Starts small programs in place of gateways, one after the other."""

    def __init__(self, *programs: str) -> None:
        self.waiting, self.children = list(programs), list[Any]()

    def __call__(self) -> Any:
        """Start the next."""
        child = subprocess.Popen([sys.executable, "-c", self.waiting.pop(0)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.close()
        self.children.append(child)
        return child


def test_a_signal_ends_all() -> None:
    """And the status is good."""
    started = Started(WAITS, WAITS)
    workers = Workers(started, 2, Console(io.StringIO()))
    running = threading.Thread(target=lambda: statuses.append(workers.keep()))
    statuses = list[int]()
    running.start()
    while len(workers._children) < 2:
        running.join(0.01)
    workers.pass_on()
    running.join(60)
    assert statuses == [0]
    assert [child.returncode for child in started.children] == [0, 0]


def test_one_that_dies_is_replaced() -> None:
    """Once it has lived; what is started in its place lives as the others do."""
    times = iter([0.0, 10.0, 10.0, 11.0])
    started, out = Started(ENDS, ENDS), io.StringIO()
    workers = Workers(started, 1, Console(out), lambda: next(times))
    assert workers.keep() == 1
    assert len(started.children) == 2
    assert out.getvalue().count("ended with status 3") == 2


def test_one_that_can_not_start_ends_all() -> None:
    """In place of being started again and again."""
    started = Started(WAITS, ENDS)
    assert Workers(started, 2, Console(io.StringIO())).keep() == 1
    assert started.children[0].returncode == 0


def test_a_signal_while_one_is_started_ends_that_one_too() -> None:
    """And the others are not started."""
    started = Started(WAITS, WAITS)

    def start() -> Any:
        child = started()
        workers.pass_on()
        return child

    workers = Workers(start, 2, Console(io.StringIO()))
    assert workers.keep() == 0
    assert [child.returncode for child in started.children] == [0]


def test_signals_are_ours_for_so_long() -> None:
    """And somebody else's before and after."""
    before = signal.getsignal(signal.SIGTERM)
    seen = list[Any]()

    def start() -> Any:
        seen.append(signal.getsignal(signal.SIGTERM))
        return Started(ENDS)()

    workers = Workers(start, 1, Console(io.StringIO()))
    assert workers.run() == 1
    assert seen == [workers.pass_on]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_worker_is_the_command_again() -> None:
    """With the socket that its parent listens on, and a session of its own."""
    read, write = os.pipe()
    child = starting(["--help"], write)()
    os.close(write)
    try:
        assert child.wait(60) == 0
        arguments: Any = child.args
        assert arguments[1:] == ["-m", "resilient_stream", "serve", "--help", f"--fd={write}"]
    finally:
        os.close(read)
