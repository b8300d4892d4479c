"""A busy upstream can't make the client busy: requests, and bytes that are thrown away, have bounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.draining import LONGEST_DRAINED
from resilient_stream._core.loop.states import Send
from resilient_stream._policy.judge import Judgement
from tests.support.contents import PROSE, SEARCH, text
from tests.support.machines import RESET, Body, Reply, Run, drive, machine, serve
from tests.support.streams import ERROR, PING, block, block_start, delta, message, start, text_delta

POLICY = RetryPolicy(budget=None)
THINKS = {"type": "thinking", "thinking": "", "signature": ""}
OVERLOADED = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="overloaded_error", status=529)


def tried(replies: Any) -> Run:
    """A stream under the default policy and its own judge."""
    judge = Judgement(POLICY, random.Random(7), None)
    return drive(machine(judge=judge), replies, strict=False)


def dying(kind: str) -> Reply:
    """A reply that dies and has brought nothing that is kept."""
    match kind:
        case "refused":
            return OVERLOADED
        case "an error in the stream":
            return Body([start(), ERROR])
        case "nothing":
            return Body([], RESET)
        case "a head":
            return Body([start(), PING], RESET)
        case "half a thought":
            return Body(
                [start(), block_start(0, THINKS), delta(0, type="thinking_delta", thinking="hm")], RESET
            )
        case _:
            return Body([start(), *block(0, SEARCH)[:-1]], RESET)


@pytest.mark.parametrize(
    "kind", ["refused", "an error in the stream", "nothing", "a head", "half a thought", "half a search"]
)
def test_without_progress_requests_are_few_and_wait(kind: str) -> None:
    """At most eight in a row, and none at once."""
    run = tried(serve(dying(kind)))
    assert run.outcome == "failed"
    assert 2 <= len(run.sends) <= POLICY.max_barren_attempts
    assert len(run.waits) == len(run.sends) - 1
    assert min(run.waits) > 0


def test_with_progress_there_are_so_many_requests_in_all() -> None:
    """An upstream that brings a few words each time, and dies, is asked sixteen times."""
    said = " ".join(f"Tide {number} rises." for number in range(100))

    def upstream(send: Send) -> Reply:
        quote = "" if send.plan.asked is None else send.plan.asked.quote
        at = said.index(quote) + len(quote)
        told = quote + said[at : at + 60]
        return Body([start(), block_start(0, text("")), text_delta(0, told)], RESET)

    run = tried(upstream)
    assert len(run.sends) == POLICY.max_attempts
    assert not any(run.waits)


@pytest.mark.parametrize("flaw", [b"event: message_delta\ndata: {\n\n", ERROR, start(id="other")])
def test_nothing_is_read_behind_a_failure(flaw: bytes) -> None:
    """What an upstream sends behind what is no stream any more stays unread."""
    read = 0

    def flood() -> Iterator[bytes]:
        nonlocal read
        yield from (start(), block_start(0, text("")), text_delta(0, "The tide "), flaw)
        while read < 100:
            read += 1
            yield PING * 1000

    drive(machine(), serve(Body(flood()), Body([message([text(PROSE)])])), strict=False)
    assert read == 0


def test_little_is_read_behind_the_end() -> None:
    """However much comes behind a whole message, however small its pieces are."""
    for piece in (PING, PING * 500):
        read = 0

        def flood(piece: bytes = piece) -> Iterator[bytes]:
            nonlocal read
            yield message([text(PROSE)])
            while read < 100 * LONGEST_DRAINED:
                read += len(piece)
                yield piece

        run = drive(machine(), serve(Body(flood())), strict=False)
        assert run.outcome == "completed"
        assert read <= LONGEST_DRAINED + 2 * len(piece)
