from __future__ import annotations

import httpx2
import pytest

from resilient_stream import StreamReport
from resilient_stream._demo.run import Call, Told, name_of, report_of, run
from resilient_stream._demo.schedule import FAST
from resilient_stream.testing import ANSWER, StandIn, Status, cut_at

BOTH = pytest.mark.parametrize("in_async", [False, True], ids=["sync", "async"])


def ignore(_text: str, _report: StreamReport | None) -> None:
    """Hear nothing."""


@BOTH
def test_each_piece_is_heard_as_it_comes(in_async: bool) -> None:
    """What is heard piece by piece is the whole text, with a report each time that knows of the cut."""
    heard: list[tuple[str, int]] = []

    def hear(text: str, report: StreamReport | None) -> None:
        heard.append((text, len(report.attempts) if report else 0))

    with StandIn(faults=[cut_at(2000, "rst")]) as server:
        told = run(Call(server.url, FAST.policy()), hear, in_async=in_async)
    assert "".join(text for text, _ in heard) == told.text == told.final == ANSWER
    assert {attempts for _, attempts in heard} == {1, 2}
    assert told.is_whole(ANSWER)
    assert (told.stop_reason, told.error) == ("end_turn", "")
    assert told.usage["output_tokens"] > 0 < told.seconds


@BOTH
def test_an_error_is_told_not_raised(in_async: bool) -> None:
    """The exception that ends a call is named, with what it says and the report on it."""
    with StandIn(always=Status(401, message="who?")) as server:
        told = run(Call(server.url, FAST.policy()), ignore, in_async=in_async)
    assert told.error == "anthropic.AuthenticationError"
    assert "who?" in told.complaint
    assert told.report is not None
    assert not told.is_whole(ANSWER)


@BOTH
def test_the_bare_sdk_has_no_report(in_async: bool) -> None:
    """Without a policy the client is the SDK's own, and a clean cut ends the text without a word."""
    with StandIn(faults=[cut_at(2000, "clean")]) as server:
        told = run(Call(server.url, timeout=5), ignore, in_async=in_async)
    assert (told.error, told.stop_reason, told.report) == ("", None, None)
    assert ANSWER.startswith(told.text)


@BOTH
def test_calls_before_are_not_heard(in_async: bool) -> None:
    """The calls before are made over the same client, each followed by what it is to be followed by."""
    done: list[int] = []
    with StandIn() as server:
        call = Call(server.url, FAST.policy(), before=[lambda: done.append(1), lambda: done.append(2)])
        told = run(call, ignore, in_async=in_async)
        assert len(server.requests) == 3
    assert done == [1, 2]
    assert told.text == ANSWER


@BOTH
def test_who_stops_hearing_stops_the_call(in_async: bool) -> None:
    """A reader that has left is not taken for a failure of the stream."""

    def leave(_text: str, _report: StreamReport | None) -> None:
        raise BrokenPipeError

    with StandIn() as server, pytest.raises(BrokenPipeError):
        run(Call(server.url, FAST.policy()), leave, in_async=in_async)


def test_whole_means_equal_or_ended() -> None:
    """With the author's text, whole is equal to it; without, it is a stop reason and the same text twice."""
    assert Told(text="a", final="a").is_whole("a")
    assert not Told(text="a", final="ab").is_whole("a")
    assert Told(text="a", final="a", stop_reason="end_turn").is_whole(None)
    assert not Told(text="a", final="a").is_whole(None)
    assert not Told(text="a", final="b", stop_reason="end_turn").is_whole(None)


def test_exceptions_are_named_with_their_package() -> None:
    """A class of Python's own goes without."""
    assert name_of(ValueError()) == "ValueError"
    assert name_of(httpx2.ReadError("")) == "httpx2.ReadError"


def test_no_report_is_no_error() -> None:
    """What has no report gives None."""
    assert report_of(ValueError()) is None
