"""Keeping what a stream hands over, before it is handed over; and a driver whose machine has begun."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.revival import revive
from resilient_stream._core.loop.states import Action, Raise
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import Attempt
from resilient_stream._core.record.lifecycle import Note, What
from resilient_stream._core.wire import events
from resilient_stream._core.wire.sse import Framer
from resilient_stream._telemetry.observers import Observer, Watch
from resilient_stream.testing import sse_events
from tests.support.stages import HEAD, Closed, Stage, everywhere

TEXT = "The tide comes in twice a day, and goes out as often as it came in. "
EVENTS = sse_events(TEXT * 3)
WHOLE = b"".join(EVENTS)
BEGUN = b"".join(EVENTS[:8])
REST = WHOLE[len(BEGUN) :]
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)


class Kept:
    """What was kept, and how often."""

    def __init__(self) -> None:
        self.out = b""
        self.notes: list[Note] = []
        self.calls: list[tuple[bytes, list[str]]] = []
        self.fails: Exception | None = None

    def __call__(self, out: bytes, notes: list[Note]) -> None:
        """Keep."""
        if self.fails is not None:
            raise self.fails
        self.out += out
        self.notes += notes
        self.calls.append((out, [str(what) for what, _ in notes]))

    @property
    def what(self) -> list[str]:
        """What the notes are about."""
        return [str(what) for what, _ in self.notes]


def kept_by(stage: Stage) -> Kept:
    """Who keeps what the stage's next stream hands over."""
    kept = Kept()
    stage.keep = kept
    return kept


@everywhere
async def test_all_is_kept_before_it_is_handed_over(stage: Stage) -> None:
    """The consumer never has a byte that was not kept, nor is one kept that it is not about to get."""
    kept = kept_by(stage)
    stage.stream(HEAD, BEGUN, RESET, DOWN, HEAD, WHOLE, None, waits=[0.0, 2.0])
    await stage.open()
    handed = b""
    while (chunk := await stage.next()) is not None:
        handed += chunk
        assert kept.out == handed
    assert handed.endswith(b'data: {"type":"message_stop"}\n\n')


@everywhere
async def test_each_event_of_a_healthy_stream_is_kept(stage: Stage) -> None:
    """Those that take the short way too."""
    kept = kept_by(stage)
    stage.stream(HEAD, *EVENTS, None)
    assert await stage.whole() == kept.out == WHOLE


@everywhere
async def test_what_happens_is_told_in_order(stage: Stage) -> None:
    """The same notes as observers get, each once: with the bytes they belong to, or before the next request."""
    kept, told = kept_by(stage), list[str]()

    class Listens(Observer):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_") and name != "on_stream":
                told.append(name.removeprefix("on_"))
            return super().__getattribute__(name)

    stage.watch = Watch((Listens(),))
    stage.stream(DOWN, HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[1.0, 2.0])
    await stage.whole()
    assert kept.what == told
    assert kept.what == [
        What.ATTEMPT,
        What.FAILURE,
        What.WAIT,
        What.WAITED,
        What.ATTEMPT,
        What.CONTENT,
        What.RESUME,
        What.FAILURE,
        What.WAIT,
        What.WAITED,
        What.ATTEMPT,
        What.CONTENT,
        What.RESUME,
        What.END,
    ]
    assert kept.calls[0] == (b"", [What.ATTEMPT])


@everywhere
async def test_the_attempt_is_kept_before_its_request_is_sent(stage: Stage) -> None:
    """Who takes the stream up in another process knows of every request there may have been."""
    kept = kept_by(stage)
    stage.stream(HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=[0.0])
    send, known = stage.upstream.send, list[int]()

    def sends(action: Any) -> Any:
        known.append(kept.what.count(What.ATTEMPT))
        return send(action)

    stage.upstream.send = sends
    await stage.whole()
    assert known == [1, 2]


@everywhere
async def test_the_end_is_kept_however_it_ends(stage: Stage) -> None:
    """Completed, given up, closed in the middle, or left because of an exception of the user's."""
    scripts: dict[str, list[Any]] = {
        "completed": [HEAD, WHOLE, None],
        "failed": [HEAD, BEGUN, RESET],
        "closed": [HEAD, BEGUN],
        "raised": [HEAD, BEGUN, KeyError("mine")],
        "refused": [DOWN],
        "raised at once": [KeyError("mine")],
    }
    for how, steps in scripts.items():
        kept = kept_by(stage)
        stage.stream(*steps)
        with contextlib.suppress(Exception):
            await stage.open()
            while how != "closed" and await stage.next() is not None:
                pass
        await stage.close()
        await stage.close()
        assert kept.what.count(What.END) == 1, how
        assert kept.what[-1] == What.END


@everywhere
async def test_closing_from_elsewhere_is_kept(stage: Stage) -> None:
    """By whoever reads, once it has left."""
    kept = kept_by(stage)
    stage.stream(HEAD, BEGUN, Closed(PING))
    await stage.open()
    await stage.next()
    with pytest.raises(Exception, match="cancelled"):
        await stage.next()
    assert kept.what[-1] == What.END
    assert kept.out == BEGUN


@everywhere
async def test_what_cannot_be_kept_is_not_handed_over(stage: Stage) -> None:
    """What keeping raises ends the stream and is raised; nothing is asked for again, and all is released."""
    for after in (0, 1):
        kept, full = kept_by(stage), OSError("no space left")
        stage.stream(HEAD, BEGUN, REST, None)
        await stage.open()
        for _ in range(after):
            assert await stage.next() == BEGUN
        kept.fails = full
        with pytest.raises(OSError, match="no space") as raised:
            await stage.next()
        assert raised.value is full
        assert len(stage.upstream.sent) == 1
        kept.fails = None
        await stage.close()
        assert not stage.upstream.held
        assert kept.what.count(What.END) == 1
        assert kept.what[-1] == What.END


@everywhere
async def test_what_cannot_be_kept_at_the_start_is_not_begun(stage: Stage) -> None:
    """No request is sent of which nobody would know."""
    kept = kept_by(stage)
    stage.stream()
    kept.fails = OSError("no space left")
    with pytest.raises(OSError, match="no space"):
        await stage.open()
    assert stage.upstream.sent == []


@everywhere
async def test_the_collector_keeps_nothing(stage: Stage) -> None:
    """It comes at any moment, into any lock: the end of a stream that was dropped is for observers alone."""
    kept = kept_by(stage)
    stage.stream(HEAD, BEGUN)
    await stage.open()
    await stage.next()
    stage.drop()
    gc.collect()
    assert What.END not in kept.what


def dead(handed: bytes) -> Callable[[Machine], Action]:
    """Have a machine take up a stream whose process has handed this over, and is gone."""

    def begin(machine: Machine) -> Action:
        for frame in Framer().feed(handed):
            machine.turn.apply(events.read(frame))
        machine.ledger.attempts.append(Attempt(1, Form.FIRST, "claude-opus-5"))
        return revive(machine, 1.0, 0.0)

    return begin


@everywhere
async def test_a_driver_begins_with_a_machine_that_has_begun(stage: Stage) -> None:
    """What another process had handed over is not handed over again; the rest is, and the end."""
    kept = kept_by(stage)
    stage.stream(HEAD, WHOLE, None, waits=[0.0], begin=dead(BEGUN))
    assert await stage.open() is None
    handed = await stage.rest()
    assert [send.number for send in stage.upstream.sent] == [2]
    assert handed == kept.out
    assert b"message_start" not in handed
    assert stage.machine.ledger.outcome == "completed"
    assert kept.what[:2] == [What.FAILURE, What.ATTEMPT]


@everywhere
async def test_a_machine_that_has_ended_hands_over_its_end(stage: Stage) -> None:
    """A turn that lacks its last event alone is finished without a request."""
    kept = kept_by(stage)
    stage.stream(begin=dead(WHOLE.partition(b"event: message_stop")[0]))
    assert await stage.open() is None
    last = await stage.rest()
    assert last.startswith(b"event: message_stop")
    assert kept.calls == [(last, [What.END])]


@everywhere
async def test_an_end_that_nobody_reads_is_kept_whole(stage: Stage) -> None:
    """What belongs to it is not left out because its consumer leaves."""
    kept = kept_by(stage)
    stage.stream(begin=dead(WHOLE.partition(b"event: message_stop")[0]))
    await stage.open()
    await stage.close()
    assert [what for _, what in kept.calls] == [[What.END]]
    assert kept.out.startswith(b"event: message_stop")


@everywhere
async def test_a_stream_that_may_not_be_continued_is_given_up_at_once(stage: Stage) -> None:
    """As after any cut: what opening gives is what is to be raised."""
    stage.stream(begin=dead(BEGUN))
    failed = await stage.open()
    assert isinstance(failed, Raise)
    assert failed.failure.kind is Kind.RESET
