"""What both loops do, and the sync one alone."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any
from unittest.mock import patch

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Raise
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._driver.upstream import LastWords
from resilient_stream._telemetry.observers import Observer, Watch
from resilient_stream.testing import sse_events
from tests.support.stages import (
    FOREVER,
    HEAD,
    PROMPTLY,
    SYNC,
    Broken,
    Closed,
    Interrupted,
    Stage,
    Takes,
    closing,
    everywhere,
    in_worlds,
)
from tests.support.streams import message

TEXT = "The tide comes in twice a day, and goes out as often."
EVENTS = sse_events(TEXT)
WHOLE = b"".join(EVENTS)
BEGUN = b"".join(EVENTS[:5])
"""Some content has been handed over."""

ANSWER = WHOLE.partition(b"event: message_delta")[0]
"""All but the ending, which tells of the attempts where there were several."""

PING = b'event: ping\ndata: {"type":"ping"}\n\n'

REFUSED = Failure(Kind.CONNECT, Phase.CONNECT, detail="ConnectError")
OVERLOADED = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)
RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")


# -- handing over ----------------------------------------------------------------------------------


@everywhere
async def test_bytes_are_handed_on_in_order(stage: Stage) -> None:
    """A healthy stream's bytes are what the consumer gets, however they were cut into chunks."""
    for size in (7, 100, len(WHOLE), None):
        chunks = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)] if size else EVENTS
        stage.stream(HEAD, *chunks, None)
        assert await stage.open() is None
        assert await stage.rest() == WHOLE
        (attempt,) = stage.machine.ledger.attempts
        assert stage.machine.ledger.outcome == "completed"
        assert (attempt.characters, attempt.events) == (len(TEXT), len(EVENTS) - 1)


@everywhere
async def test_a_held_call_comes_whole_at_its_end(stage: Stage) -> None:
    """Its pieces are read one by one, and none is handed over before the last, though its beginning came in one chunk
    with what is handed over."""
    call = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "tides",
        "input": {"where": "Cuxhaven, at the old lock"},
    }
    whole = message([{"type": "text", "text": TEXT}, call], "tool_use", ping=False)
    frames = [frame + b"\n\n" for frame in whole.split(b"\n\n") if frame]
    at = next(number for number, frame in enumerate(frames) if b"toolu_1" in frame)
    frames[at - 1 : at + 3] = [b"".join(frames[at - 1 : at + 3])]
    stage.stream(HEAD, *frames, None, hold=frozenset({"tool_use"}))
    assert await stage.open() is None
    got = list[bytes]()
    while (piece := await stage.next()) is not None:
        got.append(piece)
    assert b"".join(got) == whole
    assert len(got) < len(frames) - 3


@everywhere
async def test_the_pieces_of_a_held_call_are_read_by_the_iterator(stage: Stage) -> None:
    """Although none is delivered: the fast path takes over at the second piece, also of pieces that are cut."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"text": "x" * 900}}
    events = sse_events([call], ping=False)
    for size in (None, 80):
        last = b"".join(events)
        cut = events if size is None else [last[at : at + size] for at in range(0, len(last), size)]
        stage.stream(HEAD, *cut, None, hold=frozenset({"tool_use"}))
        assert await stage.whole() == last
        assert stage.upstream.iterated > 0.8 * len(cut)


@everywhere
async def test_iterating_goes_on_where_another_iteration_stopped(stage: Stage) -> None:
    """As with a socket: nothing is lost between the two, and nothing comes twice."""
    driver = stage.stream(HEAD, *EVENTS, None)
    await stage.open()
    came = b""
    while piece := next(iter(driver), b"") if stage.world == "sync" else await anext(aiter(driver), b""):
        came += piece
    assert came == WHOLE


@everywhere
async def test_nothing_is_handed_over_empty(stage: Stage) -> None:
    """No empty bytes reach the consumer, who might take them for the end."""
    stage.stream(HEAD, b"", EVENTS[0], b"", *EVENTS[1:], None)
    await stage.open()
    while (chunk := await stage.next()) is not None:
        assert chunk


@everywhere
async def test_a_whole_stream_sends_once_and_gives_back_once(stage: Stage) -> None:
    """A stream without a fault makes one request and gives its connection back at the end."""
    stage.stream(HEAD, WHOLE, None)
    await stage.whole()
    await stage.close()
    assert len(stage.upstream.sent) == 1
    assert (stage.upstream.released, stage.upstream.held) == (1, False)


@everywhere
async def test_after_the_end_it_stays_ended(stage: Stage) -> None:
    """Asking a stream that is over gets the end again, and asks nothing of anybody."""
    stage.stream(HEAD, WHOLE, None)
    await stage.whole()
    asked = len(stage.upstream.log)
    assert [await stage.next() for _ in range(3)] == [None, None, None]
    assert len(stage.upstream.log) == asked


@everywhere
async def test_what_follows_the_message_is_of_no_consequence(stage: Stage) -> None:
    """However the body of a complete message ends, the stream ends well."""
    for ending in (None, RESET, Failure(Kind.SILENT, Phase.BODY), b"rubbish"):
        stage.stream(HEAD, WHOLE, *([ending, None] if ending == b"rubbish" else [ending]))
        await stage.open()
        assert await stage.rest() == WHOLE
        assert (stage.machine.ledger.outcome, len(stage.upstream.sent)) == ("completed", 1)


@everywhere
async def test_a_dead_connection_is_given_back_before_the_wait(stage: Stage) -> None:
    """Whether the transport noticed the fault or the core: nothing is held through a wait."""
    for death in (RESET, b"event: x\ndata: {\n\n"):
        stage.stream(HEAD, EVENTS[0], death, HEAD, WHOLE, None, waits=[3.0])
        await stage.whole()
        began, again = stage.upstream.times("send")
        assert stage.upstream.given_back[0] == began
        assert again == began + 3.0


@everywhere
async def test_a_dead_connection_is_released_first(stage: Stage) -> None:
    """Both may be large; however it died."""
    for death in (RESET, None):
        stage.stream(HEAD, BEGUN, death, HEAD, WHOLE, None, waits=[0.0])
        upstream, plan, held = stage.upstream, stage.machine.planner.plan, list[bool]()

        def planned(turn: Turn) -> object:
            held.append(upstream.held)  # noqa: B023 -- called before the next round
            return plan(turn)  # noqa: B023

        with patch.object(Planner, "plan", lambda _, turn: planned(turn)):
            await stage.whole()
        assert held == [False]


# -- opening ---------------------------------------------------------------------------------------


@everywhere
async def test_open_stops_at_the_first_head(stage: Stage) -> None:
    """Opening reads nothing of the body: the caller gets the response at its head."""
    stage.stream(HEAD, WHOLE, None)
    assert await stage.open() is None
    assert [what for what, _ in stage.upstream.log] == ["send"]


@everywhere
async def test_after_a_failure_before_the_head_comes_a_request(stage: Stage) -> None:
    """What fails before the head is tried again inside `open`, and never shows."""
    stage.stream(REFUSED, OVERLOADED, HEAD, WHOLE, None, waits=[0.5, 3.0])
    assert await stage.open() is None
    assert [send.number for send in stage.upstream.sent] == [1, 2, 3]
    assert (await stage.rest()).startswith(ANSWER)


@everywhere
async def test_what_open_gives_up_on_is_returned(stage: Stage) -> None:
    """Where no head will come, `open` says what to raise, and raises nothing itself."""
    stage.stream(REFUSED, OVERLOADED, waits=[0.5])
    failed = await stage.open()
    assert isinstance(failed, Raise)
    assert failed.failure is OVERLOADED
    assert isinstance(failed.error, Broken)
    assert failed.error.failure is OVERLOADED
    assert stage.machine.ledger.outcome == "failed"


# -- waiting and clocks ----------------------------------------------------------------------------


@everywhere
async def test_waits_are_exactly_what_the_machine_asks(stage: Stage) -> None:
    """Between two requests pass just the seconds that the verdict named, before the head and after."""
    began = stage.now()
    stage.stream(REFUSED, HEAD, RESET, OVERLOADED, HEAD, WHOLE, None, waits=[0.25, 7.0, 0.0])
    await stage.whole()
    sent = [when - began for when in stage.upstream.times("send")]
    assert sent == pytest.approx([0.0, 0.25, 7.25, 7.25])
    assert [attempt.wait for attempt in stage.machine.ledger.attempts] == [0.0, 0.25, 7.0, 0.0]


@in_worlds(*SYNC)
async def test_no_thread_is_begun(stage: Stage) -> None:
    """A stream waits, reads and watches its clocks in the consumer's own thread."""
    stage.stream(REFUSED, HEAD, Takes(100.0, PING), RESET, HEAD, WHOLE, None, waits=[0.25, 7.0])
    with patch.object(threading.Thread, "start", side_effect=AssertionError("a thread was begun")):
        await stage.whole()
    assert len(stage.machine.ledger.attempts) == 3


@everywhere
async def test_each_call_is_as_patient_as_the_machine_asks(stage: Stage) -> None:
    """The first event, silence and the end of a complete body have each their own patience."""
    stage.stream(
        HEAD,
        BEGUN,
        WHOLE[len(BEGUN) :],
        None,
        first_event_timeout=7.0,
        silence_timeout=5.0,
        stall_timeout=60.0,
    )
    await stage.whole()
    send, first, later, end = stage.upstream.patience
    assert (send, first, later) == (7.0, 5.0, 5.0)
    assert end < 5.0


@everywhere
async def test_only_reading_counts_for_a_stall(stage: Stage) -> None:
    """A consumer that takes its time is not taken for an upstream that stalls."""
    stage.stream(HEAD, BEGUN, PING, Takes(50.0, PING), WHOLE[len(BEGUN) :], None, stall_timeout=60.0)
    await stage.open()
    got = b""
    while (chunk := await stage.next()) is not None:
        got += chunk
        stage.pass_time(1000.0)
    assert got == BEGUN + PING + PING + WHOLE[len(BEGUN) :]
    assert len(stage.upstream.sent) == 1


@everywhere
async def test_the_longest_read_is_of_its_attempt(stage: Stage) -> None:
    """However the deltas were passed on: what one attempt waited for is not told of the next."""
    began, after = EVENTS[:5], [Takes(7.0, EVENTS[5]), EVENTS[6], RESET]
    stage.stream(HEAD, b"".join(began), *after, HEAD, Takes(2.0, WHOLE), None, waits=[0.0])
    await stage.whole()
    assert [attempt.gap for attempt in stage.machine.ledger.attempts] == [7.0, 2.0]


CALL = [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"text": "x" * 90}}]


@everywhere
async def test_a_piece_of_a_held_call_shows_that_the_model_is_at_work(stage: Stage) -> None:
    """Nothing is delivered for minutes, and the stream goes on."""
    events = sse_events(CALL, ping=False)
    chunks = [b"".join(events[:4]), *(Takes(25.0, event) for event in events[4:9]), b"".join(events[9:])]
    stage.stream(HEAD, *chunks, None, silence_timeout=30.0, stall_timeout=60.0)
    assert await stage.whole() == b"".join(events)
    (attempt,) = stage.machine.ledger.attempts
    assert (attempt.failure, attempt.gap, attempt.events) == (None, 25.0, len(events))


@everywhere
async def test_a_part_of_a_piece_does_not(stage: Stage) -> None:
    """Reads that end no event add up, also behind pieces that are held."""
    events = sse_events(CALL, ping=False)
    parts = [Takes(25.0, events[5][at : at + 5]) for at in range(0, 15, 5)]
    begun = [b"".join(events[:4]), Takes(25.0, events[4]), *parts]
    stage.stream(HEAD, *begun, HEAD, WHOLE, None, waits=[0.0], silence_timeout=30.0, stall_timeout=60.0)
    await stage.whole()
    attempt = stage.machine.ledger.attempts[0]
    assert attempt.failure is not None
    assert (attempt.failure.kind, attempt.events) == (Kind.STALLED, 5)


@everywhere
async def test_nothing_but_pings_is_a_stall(stage: Stage) -> None:
    """Reads that bring only signs of life add up, until the attempt is given up for another."""
    pings = [Takes(25.0, PING)] * 3
    stage.stream(HEAD, *pings, HEAD, WHOLE, None, waits=[0.0], first_event_timeout=60.0)
    assert (await stage.whole()).startswith(PING * 3 + ANSWER)
    failure = stage.machine.ledger.attempts[0].failure
    assert failure is not None
    assert failure.kind is Kind.STALLED


# -- giving up -------------------------------------------------------------------------------------


@everywhere
async def test_giving_up_raises_after_what_was_received(stage: Stage) -> None:
    """Everything that came is handed over first; then the very exception the machine made is raised."""
    stage.stream(HEAD, BEGUN, RESET)
    await stage.open()
    got = await stage.next()
    with pytest.raises(Broken) as raised:
        await stage.rest()
    assert got == BEGUN
    assert raised.value.failure is RESET
    assert (stage.upstream.released, stage.upstream.held) == (1, False)


@everywhere
async def test_last_words_are_read_in_place_of_an_exception(stage: Stage) -> None:
    """Behind all that came, once; then the stream is over."""
    stage.error_for = lambda _: LastWords(b"event: error\n\n")
    stage.stream(HEAD, BEGUN, RESET)
    await stage.open()
    assert await stage.rest() == BEGUN + b"event: error\n\n"
    assert await stage.next() is None


@everywhere
async def test_a_stream_that_raised_is_over(stage: Stage) -> None:
    """After the error comes the end, not the error again and not another request."""
    stage.stream(HEAD, BEGUN, RESET)
    await stage.open()
    with pytest.raises(Broken):
        await stage.rest()
    assert await stage.next() is None
    assert len(stage.upstream.sent) == 1


@everywhere
async def test_an_error_that_was_raised_is_not_kept(stage: Stage) -> None:
    """A stream that somebody still holds does not keep the error, and all its frames, alive."""
    stage.stream(HEAD, BEGUN, RESET)
    await stage.open()
    errors: list[weakref.ref[Broken]] = []
    try:
        await stage.rest()
    except Broken as error:
        errors.append(weakref.ref(error))
    gc.collect()
    assert [error() for error in errors] == [None]


@everywhere
async def test_what_is_no_failure_is_raised_unchanged(stage: Stage) -> None:
    """An exception that the upstream does not know is the user's: it passes, and the connection is freed."""
    for where in ("open", "read", "send again"):
        own = KeyError(where)
        script: dict[str, list[Any]] = {
            "open": [own],
            "read": [HEAD, own],
            "send again": [HEAD, RESET, own],
        }
        stage.stream(*script[where], waits=[0.0])
        with pytest.raises(KeyError) as raised:
            await stage.whole()
        assert raised.value is own
        await stage.close()
        assert not stage.upstream.held
        assert not stage.upstream.steps


# -- closing ---------------------------------------------------------------------------------------


async def is_closed(stage: Stage) -> None:
    """A stream that was closed: told so, counted so, and nothing more is asked of the upstream."""
    asked = len(stage.upstream.log)
    with pytest.raises(Broken) as raised:
        await stage.next()
    assert raised.value.failure.kind is Kind.CANCELLED
    assert len(stage.upstream.log) == asked
    await stage.close()
    assert not stage.upstream.held
    assert stage.machine.ledger.outcome == "cancelled"


@everywhere
async def test_a_stream_closed_before_its_first_read_is_given_back(stage: Stage) -> None:
    """Who wants only the head may close; no byte of the body is read."""
    stage.stream(HEAD)
    await stage.open()
    await stage.close()
    assert (stage.upstream.released, stage.upstream.held) == (1, False)
    await is_closed(stage)
    assert stage.upstream.released == 1


@everywhere
async def test_a_stream_closed_between_two_deltas_reads_no_more(stage: Stage) -> None:
    """A reader that comes back for the next delta is told that the stream is closed."""
    stage.stream(HEAD, BEGUN, EVENTS[5], FOREVER)
    await stage.open()
    assert await stage.next() == BEGUN
    assert await stage.next() == EVENTS[5]
    await stage.close()
    await is_closed(stage)
    assert len(stage.upstream.steps) == 1


@in_worlds(*SYNC)
async def test_a_stream_closed_as_its_fast_path_begins_reads_no_more(stage: Stage) -> None:
    """A close that finds nobody reading has ended the stream: a reader that begins then must not read."""
    stage.stream(HEAD, BEGUN, FOREVER)
    await stage.open()
    assert await stage.next() == BEGUN
    body = stage.upstream.chunks

    def closed_elsewhere(patience: float) -> Any:
        closer = threading.Thread(target=stage.driver.close)
        closer.start()
        closer.join(PROMPTLY)
        return body(patience)

    with patch.object(stage.upstream, "chunks", closed_elsewhere):
        await is_closed(stage)
    assert len(stage.upstream.steps) == 1


@in_worlds(*SYNC)
async def test_an_exception_thrown_into_the_body_is_no_failure_of_it(stage: Stage) -> None:
    """It is the consumer's own, whatever the upstream would make of its class, and nothing is sent again."""
    stage.stream(HEAD, BEGUN, EVENTS[5], FOREVER)
    await stage.open()
    assert [await stage.next(), await stage.next()] == [BEGUN, EVENTS[5]]
    own = Broken(RESET)
    with pytest.raises(Broken) as raised:
        stage.pieces.throw(own)
    assert raised.value is own
    assert len(stage.upstream.sent) == 1
    await stage.close()


@everywhere
async def test_closing_twice_is_closing_once(stage: Stage) -> None:
    """A second close finds nothing to do."""
    stage.stream(HEAD, BEGUN)
    await stage.open()
    await stage.next()
    await stage.close()
    await stage.close()
    assert stage.upstream.released == 1
    assert [attempt.failure for attempt in stage.machine.ledger.attempts] == [
        Failure(Kind.CANCELLED, Phase.BODY)
    ]
    await is_closed(stage)


@everywhere
async def test_closing_after_the_end_changes_nothing(stage: Stage) -> None:
    """A stream that ended well stays so, for the report as well."""
    stage.stream(HEAD, WHOLE, None)
    await stage.whole()
    await stage.close()
    assert stage.machine.ledger.outcome == "completed"
    assert stage.upstream.released == 1


@everywhere
async def test_closing_ends_a_wait_at_once(stage: Stage) -> None:
    """Another thread or task that closes the stream wakes it from its wait; nothing is sent after."""
    stage.stream(HEAD, BEGUN, RESET, waits=[3600.0])
    await stage.open()
    await stage.next()
    began = stage.now()
    stage.later(5.0, closing(stage))
    with pytest.raises(Broken) as raised:
        await stage.next()
    assert raised.value.failure.kind is Kind.CANCELLED
    assert stage.now() - began == pytest.approx(5.0)
    assert len(stage.upstream.sent) == 1
    await is_closed(stage)


@everywhere
async def test_closing_interrupts_a_read(stage: Stage) -> None:
    """A read that blocks is broken by a close from elsewhere, whatever it then brings."""
    for brings in (RESET, None, b"", EVENTS[5], b"rubbish\n\n"):
        stage.stream(HEAD, BEGUN, Interrupted(brings), waits=[0.0])
        await stage.open()
        await stage.next()
        with pytest.raises(Broken) as raised:
            await stage.next()
        assert raised.value.failure.kind is Kind.CANCELLED
        assert (len(stage.upstream.sent), stage.upstream.released) == (1, 1)
        await is_closed(stage)


@everywhere
async def test_a_closed_stream_tells_of_no_attempt_that_never_was(stage: Stage) -> None:
    """A read that a close cut short is no failure: it asks no verdict and begins no attempt."""
    for brings in (RESET, None):
        stage.stream(HEAD, BEGUN, Interrupted(brings), waits=[5.0])
        await stage.open()
        await stage.next()
        with pytest.raises(Broken):
            await stage.next()
        assert [attempt.failure for attempt in stage.machine.ledger.attempts] == [
            Failure(Kind.CANCELLED, Phase.BODY)
        ]
        assert stage.machine.judge.seconds == [5.0]  # type: ignore[attr-defined]  # the stage's own


@everywhere
async def test_closing_while_a_request_is_sent_ends_with_its_answer(stage: Stage) -> None:
    """A close during a send returns at once, breaks it off where that can be done, and whatever comes of it is no
    failure: the answer, if one came, is given back unread; nobody is asked for a verdict."""
    for comes in (HEAD, REFUSED, Interrupted(HEAD), Interrupted(REFUSED)):
        stage.stream(
            HEAD, BEGUN, RESET, comes if isinstance(comes, Interrupted) else Closed(comes), waits=[0.0]
        )
        await stage.open()
        await stage.next()
        with pytest.raises(Broken) as raised:
            await stage.next()
        assert raised.value.failure.kind is Kind.CANCELLED
        assert [what for what, _ in stage.upstream.log] == ["send", "read", "read", "send"]
        assert [attempt.failure.kind for attempt in stage.machine.ledger.attempts if attempt.failure] == [
            Kind.RESET,
            Kind.CANCELLED,
        ]
        await is_closed(stage)


@everywhere
async def test_closing_while_it_opens_ends_the_opening(stage: Stage) -> None:
    """A stream that is closed before its head came waits no longer and sends nothing more."""
    stage.stream(REFUSED, waits=[3600.0])
    stage.later(5.0, closing(stage))
    began = stage.now()
    await stage.open()
    assert stage.now() - began == pytest.approx(5.0)
    await is_closed(stage)
    stage.stream(Closed(HEAD))
    await stage.open()
    await is_closed(stage)


@everywhere
async def test_an_exception_while_a_close_waits_frees_the_connection(stage: Stage) -> None:
    """A read that dies of something else, after a close from elsewhere has left it the freeing, frees."""
    own = KeyError("own")
    stage.stream(HEAD, BEGUN, Interrupted(own))
    await stage.open()
    await stage.next()
    with pytest.raises((KeyError, Broken)):
        await stage.next()
    assert not stage.upstream.held


@in_worlds(*SYNC)
async def test_a_dropped_stream_gives_its_connection_back(stage: Stage) -> None:
    """A sync stream that nobody holds any more is closed as soon as that is noticed."""
    driver = weakref.ref(stage.stream(HEAD, BEGUN))
    await stage.open()
    await stage.next()
    upstream = stage.upstream
    stage.drop()
    gc.collect()
    assert driver() is None
    assert (upstream.released, upstream.held) == (1, False)
    assert stage.machine.ledger.outcome == "cancelled"


@in_worlds(*SYNC)
async def test_a_stream_that_was_closed_is_dropped_quietly(stage: Stage) -> None:
    """What was closed is not closed again by the collector."""
    stage.stream(HEAD, BEGUN)
    await stage.open()
    await stage.close()
    upstream = stage.upstream
    stage.drop()
    upstream.released = 0
    gc.collect()
    assert upstream.released == 0


@in_worlds(*SYNC)
async def test_a_real_wait_ends_the_moment_it_is_closed(stage: Stage) -> None:
    """A thread that waits an hour is back at once when another closes its stream."""
    driver = stage.stream(HEAD, BEGUN, RESET, waits=[3600.0])
    waiting = threading.Event()

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.set()
            return super().wait(timeout)

    driver._closing = Watched()
    await stage.open()
    await stage.next()
    ended: list[BaseException] = []

    def consume() -> None:
        try:
            next(iter(driver))
        except Broken as error:
            ended.append(error)

    thread = threading.Thread(target=consume, daemon=True)
    thread.start()
    assert waiting.wait(PROMPTLY)
    driver.close()
    thread.join(PROMPTLY)
    assert not thread.is_alive()
    assert len(ended) == 1
    await is_closed(stage)


# -- forked processes ------------------------------------------------------------------------------


@everywhere
async def test_a_copy_in_a_forked_child_is_left_alone(stage: Stage) -> None:
    """Closing it there, or having it collected, ends nothing of the parent's, and nobody is told of an end."""
    told: list[str] = []

    class Listens(Observer):
        def on_end(self, stream: object, end: object) -> None:
            told.append("end")

    stage.watch = Watch((Listens(),))
    for ends in (True, False):
        driver = stage.stream(HEAD, BEGUN)
        await stage.open()
        await stage.next()
        with patch("resilient_stream._driver.shared.os.getpid", lambda: -1):
            if ends:
                await stage.close()
                await stage.close()
            else:
                driver = None
                stage.drop()
                gc.collect()
        assert (stage.upstream.released, stage.upstream.held) == (0, True)
        assert not stage.upstream.interrupted.is_set()
        assert stage.machine.ledger.outcome is None
        assert told == []
        if driver is not None:
            driver._closed = False  # the parent's own was never closed
            await stage.close()
            assert told == ["end"]
            told.clear()


@in_worlds(*SYNC)
async def test_closing_while_the_parent_reads_interrupts_nothing(stage: Stage) -> None:
    """The fork has copied a lock that somebody holds, and nobody in the child will ever give back."""
    driver = stage.stream(HEAD, BEGUN)
    await stage.open()
    with driver._busy, patch("resilient_stream._driver.shared.os.getpid", lambda: -1):
        await stage.close()
    assert not stage.upstream.interrupted.is_set()
