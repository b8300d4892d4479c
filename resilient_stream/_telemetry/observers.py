"""Observers: objects whose methods are called when something happens on a stream.

An `Observer` is part of a policy, ``RetryPolicy(observers=(...))``, because every way to make a client
resilient takes a policy, and copies, presets and overrides keep its observers. Its methods are called in
the thread or task that reads the stream, in the order of events, so they must be quick and must not
block. Many streams in many threads may use one observer; `StreamRecord.id` identifies the stream.

The arguments are frozen records of plain values: lengths, names, ids, token numbers. They never have a key
or the text of a request or a reply.

If an observer raises, the stream continues. The exception is logged once for each observer, and the
observer is still called afterwards.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from resilient_stream._core.interruption import interrupts
from resilient_stream._core.record.lifecycle import (
    AttemptRecord,
    EndRecord,
    FailureRecord,
    GiveUpRecord,
    Note,
    ResumeRecord,
    WaitRecord,
)

__all__ = [
    "AttemptRecord",
    "EndRecord",
    "FailureRecord",
    "GiveUpRecord",
    "Observer",
    "ResumeRecord",
    "StreamRecord",
    "WaitRecord",
]

from .guard import guarded

log: Final = logging.getLogger("resilient_stream")

_IDS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """Identifies a stream. Two records with the same id are equal."""

    id: int
    """A number that no other stream of the process has."""
    model: str = field(default="", compare=False)
    """The model in the request."""
    provider: str = field(default="anthropic", compare=False)
    """The provider, by OpenTelemetry's names: ``anthropic``, ``aws.bedrock``, ``gcp.vertex_ai``."""
    server_address: str | None = field(default=None, compare=False)
    """The host that answers; None if it is not known before a request was made."""
    server_port: int | None = field(default=None, compare=False)


class Observer:
    """Base class for observers. Override the methods that you need; the others do nothing.

    The order for one stream: `on_stream`; then, for each attempt, `on_attempt`, `on_content` once it
    brings something, and `on_failure` if it fails; between two attempts `on_wait` and `on_waited` if
    there is a wait; `on_resume` after the `on_content` of an attempt that replaced a failed one;
    `on_give_up` before the end of a stream that failed. `on_end` is always the last, also for a stream that
    is dropped without being closed.
    """

    def on_stream(self, stream: StreamRecord) -> None:
        """A call was made."""

    def on_attempt(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """A request is about to be sent."""

    def around_request(self, stream: StreamRecord) -> AbstractContextManager[object] | None:
        """Return a context manager to be active while a request is sent, until its response begins; or None.

        Tracing uses it. It is left before anything is delivered.
        """
        return None

    def on_content(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """An attempt has brought its first content, or the end of the message."""

    def on_failure(self, stream: StreamRecord, attempt: AttemptRecord) -> None:
        """An attempt has failed; ``attempt.failure`` says how. The next call says what follows."""

    def on_wait(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """A wait begins."""

    def on_waited(self, stream: StreamRecord, wait: WaitRecord) -> None:
        """The wait is over."""

    def on_resume(self, stream: StreamRecord, resumed: ResumeRecord) -> None:
        """After a failure, content flows again."""

    def on_give_up(self, stream: StreamRecord, gave_up: GiveUpRecord) -> None:
        """Nothing more will be tried; the failure is about to be raised."""

    def on_end(self, stream: StreamRecord, end: EndRecord) -> None:
        """The stream is over. The last call for this stream."""


class Watch:
    """One stream's observers. Made when the call is made."""

    def __init__(self, observers: tuple[Observer, ...] = (), model: str = "", **server: Any) -> None:
        self.stream = StreamRecord(next(_IDS), model, **server)
        self._observers = observers
        for observer in observers:
            _tell(observer, "on_stream", self.stream)

    def answered_by(self, **server: Any) -> None:
        """Note what is known about the server by now: the fields of `StreamRecord`."""
        self.stream = replace(self.stream, **server)

    def tell(self, notes: list[Note]) -> None:
        """Pass the notes on to the observers."""
        for what, record in notes:
            for observer in self._observers:
                _tell(observer, f"on_{what}", self.stream, record)

    @contextmanager
    def around_request(self) -> Generator[None]:
        """Activate the observers' contexts around a request. They can't swallow exceptions."""
        with ExitStack() as stack:
            for observer in self._observers:
                _safely(observer, self._enter, observer, stack)
            yield

    def _enter(self, observer: Observer, stack: ExitStack) -> None:
        context = observer.around_request(self.stream)
        if context is not None:
            context.__enter__()
            stack.callback(_safely, observer, context.__exit__, None, None, None)


def _tell(observer: Observer, method: str, *record: object) -> None:
    _safely(observer, lambda: getattr(observer, method)(*record))


def _safely(observer: Observer, tell: Callable[..., Any], *record: object) -> None:
    """Call an observer. If it raises, log that once."""
    try:
        tell(*record)
    except Exception as error:
        if interrupts(error):
            raise
        guarded(_complain, observer, error)


def _complain(observer: Observer, error: Exception) -> None:
    """Log an exception, if it is the first that this observer has raised."""
    told = vars(observer)
    if "_complained" not in told:
        told["_complained"] = True
        name = type(observer).__name__
        log.error("the observer %s raised; the stream is not affected", name, exc_info=error)
