"""Other heads, lost heads, other statuses."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from resilient_stream.testing import (
    Close,
    CutHead,
    HugeHead,
    Informational,
    Late,
    Raw,
    Redirect,
    Reset,
    RetryAfter,
    Send,
    Status,
    Unstreamed,
    Wait,
)
from resilient_stream.testing.faults import ERROR_TYPES, HTML, SWITCHING
from resilient_stream.testing.wire import Answer, frame, head
from tests.support.stand_ins import ANSWER, heard


@pytest.mark.parametrize("code", [*ERROR_TYPES, 503, 418])
def test_a_status_is_told_in_the_apis_shape(code: int) -> None:
    """The error object, its type by the status, the request id in body and header."""
    got = heard(Status(code, message="No.").script(ANSWER))
    assert (got.status, got.headers["content-type"], got.headers["request-id"]) == (
        code,
        "application/json",
        "req_0001",
    )
    assert json.loads(got.body) == {
        "type": "error",
        "error": {"type": ERROR_TYPES.get(code, "api_error"), "message": "No."},
        "request_id": "req_0001",
    }


def test_a_status_may_say_anything() -> None:
    """Type, headers and body of your own."""
    assert (
        json.loads(heard(Status(500, "overloaded_error").script(ANSWER)).body)["error"]["type"]
        == "overloaded_error"
    )
    got = heard(
        Status(429, headers=(("X-Should-Retry", "false"),), body=b"no", content_type="text/plain").script(
            ANSWER
        )
    )
    assert (got.body, got.headers["x-should-retry"], got.headers["content-type"]) == (
        b"no",
        "false",
        "text/plain",
    )
    page = heard(Status.html(503).script(ANSWER))
    assert (page.status, page.body, page.headers["content-type"]) == (503, HTML, "text/html")


def test_no_content_has_no_body() -> None:
    """204 is a head and nothing else."""
    assert frame(Status(204).edit(ANSWER))[0] == Status(204).script(ANSWER)[-1]
    assert heard(Status(204).script(ANSWER)).body == b""


@pytest.mark.parametrize(("fate", "ends"), [("cut", (Close(),)), ("stall", (Wait(60), Close()))])
def test_an_error_body_may_be_lost(fate: Any, ends: tuple[object, ...]) -> None:
    """Half of what its length announces, then a FIN or silence."""
    script = Status(500, body=b"abcdef", fate=fate).script(ANSWER)
    got = heard(script)
    assert (got.headers["content-length"], got.body, got.whole) == ("6", b"abc", False)
    assert script[-len(ends) :] == ends


@pytest.mark.parametrize(
    ("fault", "headers"),
    [
        (RetryAfter(), {}),
        (RetryAfter(seconds=1), {"retry-after": "1"}),
        (RetryAfter(seconds=0.5, ms=250), {"retry-after": "0.5", "retry-after-ms": "250"}),
        (RetryAfter(text="soon"), {"retry-after": "soon"}),
        (RetryAfter(date=2, clock=lambda: 0.0), {"retry-after": "Thu, 01 Jan 1970 00:00:02 GMT"}),
    ],
)
def test_waiting_is_asked_for_in_every_spelling(fault: RetryAfter, headers: dict[str, str]) -> None:
    """Seconds, milliseconds, a date, nonsense, or nothing."""
    got = heard(fault.script(ANSWER))
    assert got.status == 429
    assert {name: value for name, value in got.headers.items() if name.startswith("retry")} == headers


def test_a_date_counts_from_now() -> None:
    """Taken when the answer is made, not when the fault is."""
    told = [heard(RetryAfter(529, date=after).script(ANSWER)).headers["retry-after"] for after in (-60, 60)]
    past, future = map(parsedate_to_datetime, told)
    assert abs((future - past).total_seconds() - 120) <= 2


@pytest.mark.parametrize(
    ("how", "ends"), [("fin", (Close(),)), ("rst", (Reset(),)), ("stall", (Wait(9), Close()))]
)
@pytest.mark.parametrize("sent", ["nothing", "half", "informational", "whole"])
def test_a_head_is_lost_at_four_points(how: Any, ends: tuple[object, ...], sent: Any) -> None:
    """Nothing, half of it, only informational ones, or all of it and no body."""
    said, *rest = (*CutHead(how, sent, 9).script(ANSWER),)
    if sent == "nothing":
        assert (said, *rest) == ends
        return
    assert isinstance(said, Send)
    assert tuple(rest) == ends
    assert {
        "half": head(ANSWER).startswith(said.data) and 0 < len(said.data) < len(head(ANSWER)),
        "informational": said.data.startswith(b"HTTP/1.1 103"),
        "whole": said.data == head(ANSWER),
    }[sent]


def test_another_protocol_is_just_bytes() -> None:
    """Bytes and a FIN."""
    assert Raw(b"x").script(ANSWER) == (Send(b"x"), Close())
    assert SWITCHING.data.startswith(b"HTTP/1.1 101 ")


def test_informational_heads_come_first() -> None:
    """Then the answer, unchanged."""
    script = Informational().script(ANSWER)
    assert script[1:] == frame(ANSWER)
    assert heard(script).body == heard(frame(ANSWER)).body


def test_a_late_answer_is_the_answer() -> None:
    """After a silence."""
    assert Late(3).script(ANSWER) == (Wait(3), *frame(ANSWER))


def test_a_huge_head_is_huge() -> None:
    """More than any client takes."""
    assert len(head(HugeHead(1000).edit(ANSWER))) > 1000


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_names_its_target(code: int) -> None:
    """The same request's answer, or itself."""
    got = heard(Redirect(code).script(Answer(number=4)))
    assert (got.status, got.headers["location"], got.body) == (code, "/redirected/4", b"")
    assert heard(Redirect(code, loop=True).script(ANSWER)).headers["location"] == f"/loop/{code}"


def test_an_unstreamed_message_is_json() -> None:
    """The whole message where events were asked for."""
    got = heard(Unstreamed().script(Answer(message={"id": "m"})))
    assert (got.status, json.loads(got.body)) == (200, {"id": "m"})
