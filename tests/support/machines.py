"""Machines, and a driver for them: no clock, no socket, no sleep; times are numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, Wait
from resilient_stream._core.plan.planner import Planner, Step
from resilient_stream._core.record.ledger import Record
from resilient_stream._core.relay.fast_path import HELD
from resilient_stream._core.settings import Settings
from resilient_stream._core.verdict import GiveUp, History, Retry

from .consumer import Heard, consume
from .script import Script
from .settings import settings_with
from .streams import MODERN, Json

RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")


@dataclass
class Body:
    """A reply: chunks, then a clean end (None) or a failure."""

    chunks: Iterable[bytes]
    ends: Failure | None = None


Reply = Body | bytes | Failure
Upstream = Callable[[Send], Reply]


class Alone:
    """What a judge does whose stream shares nothing with others."""

    def began(self, now: float, sent: float, model: str) -> None:
        """It is of no consequence."""

    def turn(self, now: float) -> Retry | GiveUp | None:
        """It is always the stream's turn."""

    def leave(self) -> None:
        """There is no place to give up."""


class Patient(Alone):
    """A judge that retries so often, and always waits as long."""

    def __init__(self, attempts: int = 16, wait: float = 0.0) -> None:
        self.attempts, self.wait = attempts, wait
        self.asked: list[tuple[Failure, History]] = []

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """Go on until the attempts are used up."""
        self.asked.append((failure, history))
        tries = max(history.attempts, history.unreachable)
        if tries >= self.attempts or history.overspent or failure.kind is Kind.REJECTED:
            return GiveUp("enough")
        return Retry(self.wait, "test")


class Crowded(Patient):
    """A judge with whom the stream waits for its turn: what it says when it is asked for one, in order, and then that
    it is the stream's."""

    def __init__(self, *turns: Retry | GiveUp, wait: float = 0.0) -> None:
        super().__init__(wait=wait)
        self.turns: list[Retry | GiveUp] = list(turns)
        self.left = False
        self.heard: list[tuple[float, float, str]] = []

    def began(self, now: float, sent: float, model: str) -> None:
        """Keep it."""
        self.heard.append((now, sent, model))

    def turn(self, now: float) -> Retry | GiveUp | None:
        """The next answer."""
        return self.turns.pop(0) if self.turns else None

    def leave(self) -> None:
        """Note it."""
        self.left = True


class Broken(Exception):
    """What giving up raises here."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.kind))
        self.failure = failure


REQUEST: Json = {
    "model": MODERN,
    "max_tokens": 4096,
    "stream": True,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "Tell me of tides."}],
}


@dataclass
class Run:
    """What came of driving a machine."""

    machine: Machine
    out: bytes = b""
    last: Action | None = None
    sends: list[Send] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def forms(self) -> list[str]:
        """What the attempts were."""
        return [str(send.plan.form) for send in self.sends]

    @property
    def outcome(self) -> str | None:
        """How it ended."""
        return self.machine.ledger.outcome

    @property
    def heard(self) -> Heard:
        """What the consumer makes of it."""
        return consume(self.out)


def machine(
    request: Mapping[str, Any] = REQUEST,
    settings: Settings | None = None,
    judge: Any = None,
    refused: set[tuple[str, Step]] | None = None,
    **fields: Any,
) -> Machine:
    """A machine for a request."""
    settings = settings or settings_with(**fields)
    planner = Planner(request, settings, set() if refused is None else refused)
    return Machine(planner, settings, judge or Patient(), Broken, Record())


def drive(made: Machine, upstream: Upstream, *, quick: bool = True, strict: bool = True) -> Run:
    """Act as an adapter does until the stream is over, and hold the machine to what always holds.

    Args:
        made: the machine.
        upstream: what each request is answered with.
        quick: take the short way where it is open.
        strict: read what is handed over, and compare it with the turn.
    """
    run = Run(made)
    before = json.dumps(made.planner.request)
    body: Iterator[bytes] = iter(())
    ends: Failure | None = None
    out = bytearray()
    action = made.start(0.0)
    while not isinstance(action, Finish | Raise):
        if isinstance(action, Send):
            run.sends.append(action)
            assert len(run.sends) < 200, "it goes on for ever"
            reply = upstream(action)
            if isinstance(reply, Failure):
                action = made.fault(0.0, reply)
            else:
                told = Body([reply]) if isinstance(reply, bytes) else reply
                body, ends = iter(told.chunks), told.ends
                action = made.head(0.0, 200, f"req_{action.number}")
        elif isinstance(action, Wait):
            run.waits.append(action.seconds)
            out += made.take()
            action = made.waited(0.0)
        else:
            assert isinstance(action, Read)
            chunk = next(body, None)
            if chunk is None:
                action = made.end(0.0) if ends is None else made.fault(0.0, ends)
            elif quick and action.slack >= 0 and (passed := made.quick(chunk)) is not None:
                out += passed
                action = action if passed or passed is HELD else made.data(0.0, b"", 0.0)
            else:
                action = made.data(0.0, chunk, 0.0)
        out += made.take()
    run.out, run.last = bytes(out), action
    assert before == json.dumps(made.planner.request), "the user's request was changed"
    if strict:
        agrees(made, consume(run.out))
    return run


def serve(*replies: Reply) -> Upstream:
    """These replies, one after the other; the last again and again."""
    left = list(replies)
    return lambda send: left.pop(0) if len(left) > 1 else left[0]


def once_cut(script: Script, first: Body, **manner: Any) -> Upstream:
    """``first``, then what ``script`` answers."""
    return lambda send: first if send.number == 1 else script.answer(send.plan, **manner)


def agrees(made: Machine, heard: Heard) -> None:
    """What the machine believes the consumer has is what the consumer has."""
    turn = made.turn
    assert (turn.message or {}).get("id") == heard.id
    assert [one.type for one in turn.blocks] == [str(one["type"]) for one in heard.blocks]
    for mine, theirs in zip(turn.blocks, heard.blocks, strict=True):
        if mine.type == "text":
            assert mine.text == str(theirs.get("text") or ""), "the turn and the consumer disagree"
    assert turn.stop_reason == heard.stop_reason
    assert turn.stopped == heard.stopped
    assert (turn.open_block is not None) == heard.open
    untouched = len(made.ledger.attempts) == 1
    assert untouched or not (heard.open and heard.stop_reason), "only the API leaves a block open"
