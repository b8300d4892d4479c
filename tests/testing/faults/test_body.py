"""Cuts and silences, without sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resilient_stream.testing import (
    Answer,
    BadChunk,
    Close,
    Cut,
    IdleClose,
    Pings,
    Reset,
    Send,
    Slices,
    Stall,
    Trickle,
    Wait,
    cut_at,
)
from resilient_stream.testing.wire import frame
from tests.support.stand_ins import ANSWER, heard

BODY = b"one\n\ntwo\n\nthree\n\n"
FIN = {"fin", "mid_chunk_fin", "length_short", "close_fin"}
RST = {"rst", "mid_chunk_rst", "close_rst"}
WHOLE = {"clean", "length_cut", "close_fin"}
HOW: list[Any] = sorted(FIN | RST | WHOLE)
PLAIN = replace(ANSWER, framing="length", body=(BODY,))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("offset", range(len(BODY) + 1))
def test_a_cut_lets_through_exactly_so_many_bytes(how: Any, offset: int) -> None:
    """Every way, at every byte: these bytes, and the end that it says."""
    script = cut_at(offset, how).script(ANSWER)
    got = heard(script)
    assert got.body == BODY[:offset]
    assert got.whole is (how in WHOLE)
    assert isinstance(script[-1], Close) == (how in FIN)
    assert isinstance(script[-1], Reset) == (how in RST)


@pytest.mark.parametrize("how", HOW)
def test_a_body_that_is_no_stream_can_be_cut_too(how: Any) -> None:
    """A JSON body has a length; it is broken unless the cut is clean."""
    got = heard(Cut(at=4, how=how).script(PLAIN))
    assert got.body == BODY[:4]
    assert got.whole is (how in WHOLE)


def test_a_cut_inside_a_chunk_announces_more_than_comes() -> None:
    """One byte is missing from the last chunk."""
    assert Send(b"5\r\none\n") in cut_at(4, "mid_chunk_fin").script(ANSWER)
    assert Send(b"1\r\n") in cut_at(0, "mid_chunk_fin").script(ANSWER)
    paused = replace(ANSWER, body=(b"one", Wait(1), b"two"))
    assert Send(b"4\r\none") in cut_at(3, "mid_chunk_rst").script(paused)


@pytest.mark.parametrize(
    ("then", "end", "body"),
    [
        ("fin", Close(), BODY[:5]),
        ("rst", Reset(), BODY[:5]),
        ("clean", Send(b"0\r\n\r\n"), BODY[:5]),
        ("go_on", Send(b"0\r\n\r\n"), BODY),
    ],
)
def test_a_stall_is_a_pause_at_its_place(then: Any, end: object, body: bytes) -> None:
    """Then the body ends, or goes on as if nothing had been."""
    script = Stall(after=1, seconds=7, then=then).script(ANSWER)
    assert [step for step in script if isinstance(step, Wait)] == [Wait(7)]
    assert (heard(script).body, script[-1]) == (body, end)


@pytest.mark.parametrize(
    ("what", "beat"), [("ping", b'event: ping\ndata: {"type":"ping"}\n\n'), ("comment", b":\n\n")]
)
@pytest.mark.parametrize(("then", "rest"), [("clean", b""), ("go_on", BODY[5:])])
def test_pings_are_signs_of_life_and_nothing_else(what: Any, beat: bytes, then: Any, rest: bytes) -> None:
    """So many, so far apart."""
    script = Pings(after=1, every=2, count=3, what=what, then=then).script(ANSWER)
    assert heard(script).body == BODY[:5] + beat * 3 + rest
    assert [step for step in script if isinstance(step, Wait)] == [Wait(2)] * 3


def test_a_trickle_comes_in_small_pieces() -> None:
    """A pause before each; to the end, or to a cut after some."""
    whole = heard(Trickle(after=1, size=3).script(ANSWER))
    assert whole.chunks == [b"one\n\n", b"two", b"\n\nt", b"hre", b"e\n\n"]
    script = Trickle(after=1, size=3, count=2, every=4, then="rst").script(
        replace(ANSWER, body=(*ANSWER.body, Wait(1)))
    )
    assert heard(script).body == BODY[:11]
    assert script[-3:] == (Wait(4), Send(b"3\r\n\n\nt\r\n"), Reset())


def test_slices_cut_the_chunks_and_not_the_body() -> None:
    """The same bytes in chunks of another size."""
    got = heard(Slices(at=2, size=4).script(ANSWER))
    assert got.chunks == [b"on", b"e\n\nt", b"wo\n\n", b"thre", b"e\n\n"]


def test_a_bad_chunk_breaks_the_framing() -> None:
    """What came before is read, what follows is not."""
    got = heard(BadChunk(after=1).script(ANSWER))
    assert (got.body, got.whole) == (BODY[:5], False)


def test_an_idle_connection_is_closed_after_its_answer() -> None:
    """The answer is whole and keeps the connection alive; the FIN comes after it."""
    assert IdleClose().script(ANSWER) == (*frame(ANSWER), Close())


def test_an_empty_body_can_be_cut() -> None:
    """There is nothing to cut and nothing fails."""
    assert heard(Cut(how="fin").script(Answer())).body == b""
