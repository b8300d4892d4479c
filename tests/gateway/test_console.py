import io
import json
import logging
import sys
from typing import Any

import pytest

from resilient_stream._gateway.console import ABOUT_A_STREAM, CLEAR, Console, Lines
from resilient_stream._gateway.streams import Counts, Ended


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def ended(what: str, **more: Any) -> Ended:
    """The end of a stream."""
    told = {
        "id": "rs_1",
        "model": "claude-opus-5",
        "seconds": 3.25,
        "attempts": 3,
        "failures": ["reset", "overloaded"],
        "seams": 1,
        "unverified": 0,
        "characters": 900,
        **more,
    }
    return Ended(what, "enough", told)


def printed(act: Any, out: io.StringIO | None = None, **options: Any) -> str:
    """What a console prints."""
    out = out or io.StringIO()
    act(Console(out, now=lambda: "12:00:00", **options))
    return out.getvalue()


def test_streams_that_needed_help_have_a_line() -> None:
    """What it took, and why it was not enough."""
    assert printed(lambda console: console.ended(ended("resumed"))) == (
        "12:00:00 resumed rs_1 claude-opus-5: 3 requests (reset, overloaded), 1 seam (0 unverified), "
        "900 characters, 3.2 s\n"
    )
    assert printed(lambda console: console.ended(ended("lost", seams=0, model=""))) == (
        "12:00:00 lost rs_1 a model: 3 requests (reset, overloaded), 900 characters, 3.2 s - enough\n"
    )


def test_one_of_several_processes_is_named() -> None:
    """In each of its lines, which stand among those of the others."""
    assert printed(lambda console: console.say("ended", "ended"), process=41) == "12:00:00 [41] ended\n"
    line = json.loads(printed(lambda console: console.say("ended", "ended"), process=41, as_json=True))
    assert line == {"time": "12:00:00", "process": 41, "event": "ended", "message": "ended"}


@pytest.mark.parametrize("what", ["completed", "left"])
def test_other_streams_have_none(what: str) -> None:
    """There are too many."""
    assert printed(lambda console: console.ended(ended(what))) == ""


def test_programs_get_json() -> None:
    """With all that is known."""
    line = json.loads(printed(lambda console: console.ended(ended("lost")), as_json=True))
    assert {"time": "12:00:00", "event": "lost", "reason": "enough", "attempts": 3}.items() <= line.items()
    assert line["message"].startswith("lost rs_1 claude-opus-5: 3 requests")


def test_a_terminal_has_a_live_line() -> None:
    """Written over when it changes, out of the way of other lines, and left standing at the end."""

    def act(console: Console) -> None:
        console.live(2, Counts(completed=1))
        console.live(2, Counts(completed=1))
        console.say("x", "hello")
        console.close()
        console.close()

    line = "2 running · 1 completed · 0 retried · 0 resumed · 0 lost · 0 left"
    assert printed(act, Terminal()) == f"{CLEAR}{line}{CLEAR}12:00:00 hello\n{line}\n"


def test_others_have_none() -> None:
    """No file, and no program."""
    assert printed(lambda console: console.live(2, Counts())) == ""
    assert printed(lambda console: console.live(2, Counts()), Terminal(), as_json=True) == ""


def test_the_time_is_that_of_day() -> None:
    """With its date and zone, for programs."""
    out = io.StringIO()
    Console(out).say("x", "hello")
    assert len(out.getvalue()) == len("12:00:00 hello\n")
    Console(out, as_json=True).say("x", "hello")
    assert "T" in json.loads(out.getvalue().splitlines()[1])["time"]
    assert Console()._out is sys.stdout


def test_a_reader_that_left_stops_nothing() -> None:
    """The streams matter more."""

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            """Nobody reads it."""
            raise BrokenPipeError

    printed(lambda console: console.say("x", "hello"), Closed())


def record(
    message: str, error: BaseException | None = None, level: int = logging.WARNING
) -> logging.LogRecord:
    """A record of the server's."""
    info = None if error is None else (type(error), error, None)
    return logging.LogRecord("uvicorn.error", level, "", 0, message, None, info)


def test_the_servers_warnings_are_lines() -> None:
    """With their traces."""

    def act(console: Console) -> None:
        Lines(console).handle(record("Invalid HTTP request received."))
        Lines(console).handle(record("Exception in ASGI application\n", ZeroDivisionError("x")))

    assert printed(act) == (
        "12:00:00 Invalid HTTP request received.\n"
        "12:00:00 Exception in ASGI application ZeroDivisionError: x\n"
    )


def test_what_is_meant_to_happen_is_no_warning() -> None:
    """A lost stream has no end, and one that the drain timeout ends is cancelled; each has a line of its own."""

    def act(console: Console) -> None:
        Lines(console).handle(record("ASGI callable returned without completing response."))
        Lines(console).handle(record("Exception in ASGI application\n", KeyboardInterrupt()))
        ending = record("gave up after 3 attempts")
        setattr(ending, ABOUT_A_STREAM, "rs_1")
        Lines(console).handle(ending)

    assert printed(act) == ""
