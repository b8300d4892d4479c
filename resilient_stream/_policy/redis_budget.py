"""A retry budget that processes share through a Redis server.

Each process decides from its own observations, and from those that the others have last reported (the core's
``news`` has the rules). One thread exchanges them a few times a second. So no stream waits for Redis, and a
process that can't reach it decides alone, as with ``budget="shared"``.

Redis stores, under a keyed digest of the base URL and the credential: for each model the number of waiting
streams and a few times, and how long the API asked to wait.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Final, NoReturn, Self
from urllib.parse import urlsplit
from weakref import finalize

from resilient_stream._core.health.news import News
from resilient_stream._telemetry.guard import guarded

from .accounts import Registry
from .blackboard import LIFE, AwayError, Blackboard, RedisBoard
from .budget import RetryBudget, renewed_after_fork

__all__ = ["RedisBudget"]

log: Final = logging.getLogger("resilient_stream")

INTERVAL: Final = 0.25
"""Seconds between two exchanges."""

LARGEST_PART: Final = 0.05
"""The largest share of a processor that the thread uses. With very many accounts exchanges become less
frequent."""

LONGEST_PAUSE: Final = 4.0
"""The most seconds between two attempts to reach a server that is unreachable. They begin with `INTERVAL`."""

FORGET: Final = 60.0
"""Seconds after the start of a stream for which the account is included in exchanges, whatever happens on the
stream."""


class Exchange:
    """Exchanges the news of one process's budgets with those of the others.

    Args:
        connect: makes the connection to where it is written.
        clock: the monotonic clock of the streams, in seconds.
    """

    def __init__(self, connect: Callable[[], Blackboard], clock: Callable[[], float]) -> None:
        self._connect, self._clock = connect, clock
        self._closed = False
        self._registry = Registry(
            secret=b""
        )  # digests of processes have to match, so they are keyed when they are sent
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Start again, because this is a forked child: its parent's thread and connection are not its own."""
        self._me = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._woken, self._end = threading.Event(), threading.Event()
        self._begun: dict[bytes, float] = {}
        """When the last stream of each account began."""
        self._reported: dict[bytes, RetryBudget] = {}
        """The accounts that were reported to others."""
        self._board: Blackboard | None = None
        self._secret = b""
        self._ahead = 0.0
        """Seconds by which the server's clock is ahead of this process's."""
        self._heard = self._clock()
        self._failures = 0
        """Attempts in a row that did not reach the server."""

    def budget(self, base_url: str, credential: str | None) -> RetryBudget:
        """The budget of an account, for a stream that begins."""
        key = self._registry.key(base_url, credential)
        with self._lock:
            self._begun[key] = self._clock()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="resilient-stream budget", daemon=True)
                self._thread.start()
            if key not in self._reported:
                self._woken.set()
        return self._registry.of(key)

    # -- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._woken.clear()
                began = time.thread_time()  # on a busy machine it must not exchange less often
                pause = self.step()
                took = time.thread_time() - began
                self._end.wait(min(took / LARGEST_PART, LIFE / 2))
                self._woken.wait(pause)
        finally:
            self.leave()

    def step(self) -> float:
        """Exchange news once, or try to. Return the seconds until the next exchange."""
        try:
            self._exchange()
        except AwayError as error:
            return self._is_away(error)
        if self._failures:
            guarded(log.info, "the retry budget is shared again: its Redis server is back")
        self._failures, self._heard = 0, self._clock()
        return INTERVAL

    def _exchange(self) -> None:
        board = self._board
        if board is None:
            board = self._board = self._connect()
        secret = board.secret()
        if secret != self._secret:  # the first time, or the server was emptied
            self._secret = secret
            self._ahead = board.exchange(self._me, {})[0] - self._clock()
        now = self._clock()
        reported, quiet = self._news(now)
        texts = {self._name(key): news.shifted(self._ahead).text() for key, (_, news) in reported.items()}
        board_time, heard = board.exchange(self._me, texts | {self._name(key): "" for key in quiet})
        self._ahead = board_time - (now + self._clock()) / 2
        for key, (budget, _) in reported.items():
            self._hear(budget, heard[self._name(key)])
        for budget in quiet.values():
            budget.hear([], [])
        with self._lock:
            self._reported = {key: budget for key, (budget, _) in reported.items()}

    def _hear(self, budget: RetryBudget, texts: Mapping[str, bytes]) -> None:
        sides: tuple[list[News], list[News]] = ([], [])
        for name, text in texts.items():
            if (news := News.of(text)) is not None:
                sides[name > self._me].append(news.shifted(-self._ahead))
        budget.hear(*sides)

    def _news(self, now: float) -> tuple[dict[bytes, tuple[RetryBudget, News]], dict[bytes, RetryBudget]]:
        """What to report, by account, and the accounts about which there is nothing to report any more."""
        with self._lock:
            self._begun = {key: at for key, at in self._begun.items() if now - at < FORGET}
            begun = set(self._begun)
        reported = dict[bytes, tuple[RetryBudget, News]]()
        for key, budget in self._registry.all():
            news = budget.news(now)
            if news.lanes or key in begun:
                reported[key] = budget, news
        return reported, {key: budget for key, budget in self._reported.items() if key not in reported}

    def _name(self, key: bytes) -> str:
        return blake2b(key, digest_size=16, key=self._secret).hexdigest()

    def _is_away(self, error: AwayError) -> float:
        """Handle a server that can't be reached. Return the seconds until the next attempt."""
        self._failures += 1
        if self._failures == 1:
            guarded(
                log.warning,
                f"the retry budget is this process's own until its Redis server can be reached: {error}",
            )
        pause = min(INTERVAL * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE)
        if self._clock() + pause > self._heard + LIFE:
            self._forget()
        return pause

    def _forget(self) -> None:
        """Forget what others have reported, and decide alone."""
        for _, budget in self._registry.all():
            budget.hear([], [])

    def leave(self) -> None:
        """Report that this process is gone, if the server can be reached, and close the connection."""
        self._forget()
        board, self._board = self._board, None
        if board is not None:
            with contextlib.suppress(AwayError):  # then it is forgotten after `LIFE`
                board.exchange(self._me, {self._name(key): "" for key in self._reported})
            board.close()

    def close(self) -> None:
        """End the thread soon. The budgets continue, each for itself."""
        self._closed = True
        self._end.set()
        self._woken.set()

    def join(self) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join()


class RedisBudget:
    """A retry budget that processes share through a Redis or Valkey server: one for each API and credential.

    It decides as the default, ``budget="shared"``: 30 retries at first and so on, but for all processes
    together. All processes obey a ``Retry-After`` that one of them received within a quarter of a second. No
    stream waits for the server: a thread exchanges news four times a second. While the server can't be
    reached, each process has a budget of its own, and the log says so once.

    ::

        client = resilient(client, RetryPolicy(budget=RedisBudget("redis://localhost:6379/0")))

    It needs the extra ``redis``. The server receives a keyed digest of base URL and credential, the names of
    models, counts and times; no credential and no content. A forked child counts as a process of its own.

    Args:
        url: of the server, as for a journal: ``redis://``, ``rediss://`` or ``unix://``, with
            ``?prefix=name`` for another beginning of all keys.

    Raises:
        ImportError: the ``redis`` package is not installed.
        ValueError: the URL is not valid.
    """

    def __init__(self, url: str) -> None:
        connect = partial(RedisBoard, url)
        connect().close()  # raises if the URL is not valid
        self._where = urlsplit(url).hostname or urlsplit(url).path
        self._exchange = Exchange(connect, time.monotonic)
        finalize(self, self._exchange.close)

    def budget(self, base_url: str, credential: str | None) -> RetryBudget:
        """This process's part of the budget of an account.

        Args:
            base_url: where requests go; a trailing slash makes no difference.
            credential: the API key or token, or None. Only digests of it are kept.
        """
        return self._exchange.budget(base_url, credential)

    def close(self) -> None:
        """End the thread. Streams continue, and each process then has a budget of its own."""
        self._exchange.close()
        self._exchange.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RedisBudget at {self._where}>"

    def __copy__(self) -> RedisBudget:
        """The same budget: a copied policy still draws on it."""
        return self

    def __deepcopy__(self, memo: object) -> RedisBudget:
        """As ``__copy__``."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: it has a thread and a connection."""
        raise TypeError(
            "a RedisBudget can't be pickled: make one in each process, with the same URL; they share it"
        )
