"""Several processes that share one listening socket: they are started, stopped, and replaced when they die.

Each runs this command again, with the socket. uvicorn's own supervisor forwards only one signal, but a second
one has a meaning for the gateway.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from .console import Console

SHORTEST: Final = 5.0
"""The least seconds that a worker runs if it can start at all."""

Child = subprocess.Popen[Any]


class Workers:
    """The processes.

    Args:
        start: starts one.
        count: how many there are.
        console: prints lines.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        start: Callable[[], Child],
        count: int,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start, self._count, self._console, self._clock = start, count, console, clock
        self._children: dict[Child, float] = {}
        self._ended: queue.SimpleQueue[Child] = queue.SimpleQueue()
        self._ending = False

    def run(self) -> int:
        """Keep them running until a signal comes and they have ended. Return the exit status."""
        before = {number: signal.signal(number, self.pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self.keep()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def keep(self) -> int:
        """As `run`, without the signals."""
        status = 0
        for _ in range(self._count):
            if not self._ending:
                self._add()
        while self._children:
            child = self._ended.get()
            lived = self._clock() - self._children.pop(child)
            if self._ending:
                continue
            self._console.say("worker", f"worker {child.pid} ended with status {child.returncode}")
            if lived < SHORTEST:
                status = 1
                self.pass_on()
            else:
                self._add()
        return status

    def pass_on(self, number: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        """Pass a signal on to all."""
        self._ending = True
        for child in list(self._children):
            child.send_signal(signal.SIGTERM)

    def _add(self) -> None:
        child = self._start()
        self._children[child] = self._clock()
        if self._ending:  # a signal came while it was started; a second one hurts nobody, it has no streams
            child.send_signal(signal.SIGTERM)
        threading.Thread(target=self._wait, args=(child,), daemon=True).start()

    def _wait(self, child: Child) -> None:
        child.wait()
        self._ended.put(child)


def starting(
    arguments: list[str], fd: int, environment: Mapping[str, str] | None = None
) -> Callable[[], Child]:
    """A function that starts a worker.

    The worker has a session of its own, so an interrupt at the terminal reaches it only once, from here.

    Args:
        arguments: of the command.
        fd: the socket's.
        environment: variables that it has beside those of this process.
    """
    command = [sys.executable, "-m", "resilient_stream", "serve", *arguments, f"--fd={fd}"]
    env = {**os.environ, **(environment or {})}
    return lambda: subprocess.Popen(command, pass_fds=(fd,), start_new_session=True, env=env)  # noqa: S603 -- itself
