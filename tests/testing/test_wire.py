"""Answers, framing and scripts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resilient_stream.testing.wire import (
    Answer,
    Close,
    Framing,
    Part,
    Reset,
    Script,
    Send,
    Wait,
    frame,
    head,
    split,
    status_of,
    without_body,
)
from tests.support.stand_ins import ANSWER, heard


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_client_reads_back_what_was_framed(framing: Framing) -> None:
    """Every framing carries the same status, headers and body, and is whole."""
    got = heard(frame(replace(ANSWER, framing=framing)))
    assert (got.status, got.body, got.whole) == (200, b"one\n\ntwo\n\nthree\n\n", True)
    assert got.headers["request-id"] == "req_0001"


def test_each_part_is_a_chunk() -> None:
    """In a chunked body one event is one chunk."""
    assert heard(frame(ANSWER)).chunks == list(ANSWER.body)


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("last", [Close(), Reset()])
def test_a_body_that_ends_the_connection_gets_no_other_ending(framing: Framing, last: Close | Reset) -> None:
    """After a reset or a close nothing is sent."""
    script = frame(replace(ANSWER, framing=framing, body=(*ANSWER.body, last)))
    assert script[-1] == last
    assert not any(isinstance(step, Reset | Close) for step in script[:-1])


def test_no_body_is_nothing_but_a_head() -> None:
    """Framing ``none`` is for statuses that have no body."""
    assert frame(Answer(204, framing="none")) == (Send(b"HTTP/1.1 204 No Content\r\n\r\n"),)


def test_a_length_may_lie() -> None:
    """The announced length is the true one unless another is given."""
    assert b"content-length: 17\r\n" in head(replace(ANSWER, framing="length"))
    assert b"content-length: 99\r\n" in head(replace(ANSWER, framing="length", length=99))


def test_unknown_statuses_have_a_phrase_too() -> None:
    """529 is no registered status."""
    assert head(Answer(529)).startswith(b"HTTP/1.1 529 Unnamed\r\n")


def test_pace_is_a_pause_before_each_part() -> None:
    """One pause per event; other steps are not slowed down."""
    script = frame(replace(ANSWER, pace=0.5, body=(b"a", Wait(9), b"b")))
    assert [step for step in script if isinstance(step, Wait)] == [Wait(0.5), Wait(9), Wait(0.5)]


BODY: tuple[Part, ...] = (b"ab", Wait(1), b"cde", Close())


@pytest.mark.parametrize(
    ("offset", "before", "after"),
    [
        (0, (), BODY),
        (-3, (), BODY),
        (1, (b"a",), (b"b", *BODY[1:])),
        (2, (b"ab", Wait(1)), (b"cde", Close())),
        (3, (b"ab", Wait(1), b"c"), (b"de", Close())),
        (5, BODY, ()),
        (99, BODY, ()),
    ],
)
def test_a_body_is_split_at_a_byte(offset: int, before: tuple[Part, ...], after: tuple[Part, ...]) -> None:
    """Bytes count, steps do not; nothing is lost."""
    assert split(BODY, offset) == (before, after)


def test_headers_are_replaced_by_name() -> None:
    """A header given twice is there once, in lower case."""
    answer = ANSWER.with_headers({"Content-Type": "x/y"}).with_headers([("a", "b")])
    assert answer.headers == (("request-id", "req_0001"), ("content-type", "x/y"), ("a", "b"))


def test_another_answer_keeps_the_request_id() -> None:
    """What replaces an answer is still the answer to the same request."""
    answer = replace(ANSWER, pace=1.0).instead(500, "text/plain", b"no")
    assert answer.headers == (("content-type", "text/plain"), ("request-id", "req_0001"))
    assert (answer.status, answer.body, answer.framing, answer.pace) == (500, (b"no",), "length", 0.0)
    assert ANSWER.instead(307, None, b"").body == ()


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ((), None),
        ((Close(),), None),
        ((Send(b"HTTP/1.1 200 OK\r\n"),), None),
        ((Send(b"HTTP/1.1 200 OK\r\n\r\nbody"),), 200),
        ((Send(b"HTTP/1.1 2"), Wait(1), Send(b"04 No\r\n\r\n")), 204),
        ((Send(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 Go\r\n\r\n"), Send(b"HTTP/1.1 200 OK\r\n\r\n")), 200),
        ((Send(b"HTTP/1.1 103 Early\r\n\r\n"), Close()), None),
        ((Send(b"HTTP/1.1 101 Switch\r\n\r\n"),), 101),
        ((Send(b"SSH-2.0"),), None),
    ],
)
def test_the_status_is_the_final_one_that_was_said(script: Script, status: int | None) -> None:
    """Informational heads are passed over; half a head says nothing."""
    assert status_of(script) == status


EARLY = Send(b"HTTP/1.1 103 Early\r\n\r\n")
HEAD = Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "left"),
    [
        ((HEAD, Send(b"body")), (HEAD,)),
        ((Send(HEAD.data + b"body"), Wait(1), Send(b"more")), (HEAD,)),
        (
            (Send(HEAD.data[:9]), Wait(1), Send(HEAD.data[9:] + b"b")),
            (Send(HEAD.data[:9]), Wait(1), Send(HEAD.data[9:])),
        ),
        ((EARLY, HEAD, Wait(9), Send(b"body"), Reset()), (EARLY, HEAD, Reset())),
        ((HEAD, Send(b"body"), Close()), (HEAD, Close())),
        ((EARLY, Close()), (EARLY, Close())),
        ((Send(b"SSH-2.0"), Close()), (Send(b"SSH-2.0"), Close())),
        ((), ()),
    ],
)
def test_an_answer_to_a_head_stops_behind_its_head(script: Script, left: Script) -> None:
    """Nothing of the body is sent and nothing is waited for; how the connection ends stays."""
    assert without_body(script) == left
