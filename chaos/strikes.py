"""The kinds of faults in a plan: each makes a fault of the stand-in with random details."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from resilient_stream.testing import (
    BadChunk,
    Bom,
    Cut,
    CutHead,
    ErrorEvent,
    Fault,
    Gzip,
    HugeHead,
    Informational,
    Insert,
    Labelled,
    Late,
    LineEndings,
    Mangle,
    Pings,
    Raw,
    Redirect,
    Remove,
    Repeat,
    RetryAfter,
    Slices,
    Stall,
    Status,
    Trickle,
    Unstreamed,
)

from .faults import Refused

Strike = Callable[[random.Random], Fault | Refused]

CUTS: Final = (
    "clean",
    "close_fin",
    "close_rst",
    "fin",
    "length_cut",
    "length_short",
    "mid_chunk_fin",
    "mid_chunk_rst",
    "rst",
)
RETRIED_ERRORS: Final = ("overloaded_error", "api_error", "rate_limit_error", "timeout_error", "odd_error")
SPELLINGS: Final = ("proper", "no_blank_line", "data_only", "not_json", "no_data")
# Damage to JSON can be noticed. Damage that leaves it valid (a lost range inside a text, a flipped bit)
# can't.
SPOILS: Final = (b"\xff", b"\n", b"\n\n", b"\r", b"\r\n", b"\x00", b"\xed\xa0\x80")
MANGLES: Final = ("bad_utf8", "json_cut", "no_event_line", "padded", "wrong_event_name")
PROXY: Final = b"upstream connect error or disconnect/reset before headers\n"


def at(rng: random.Random) -> int:
    """A byte offset, mostly early: continuations are short, and a place beyond the end is the end."""
    return int(6000 * rng.random() ** 2.5) if rng.random() < 0.9 else -rng.randrange(1, 600)


def after(rng: random.Random) -> int:
    """A number of events."""
    return int(40 * rng.random() ** 2)


def error(rng: random.Random) -> Fault:
    """An error inside a response with status 200."""
    spelling: Any = rng.choice(SPELLINGS) if rng.random() < 0.5 else "proper"
    then: Any = rng.choice(("clean", "fin", "rst", "stall", "go_on"))
    return ErrorEvent(after=after(rng), error=rng.choice(RETRIED_ERRORS), spelling=spelling, then=then)


def silence(rng: random.Random) -> Fault:
    """No bytes for a while: longer than any timeout, or shorter."""
    then: Any = rng.choice(("fin", "rst", "clean", "go_on"))
    seconds = rng.choice((0.5, 60.0, 250.0, 10_000.0))
    if rng.random() < 0.2:
        return Late(seconds)
    return Stall(at=at(rng), seconds=seconds, then=then)


def pings(rng: random.Random) -> Fault:
    """Nothing but pings and comments."""
    then: Any = rng.choice(("fin", "rst", "clean", "go_on"))
    what: Any = rng.choice(("ping", "comment"))
    return Pings(
        after=after(rng), every=rng.choice((1.0, 50.0)), count=rng.choice((3, 30)), what=what, then=then
    )


def status(rng: random.Random) -> Fault:
    """A temporary error status."""
    code = rng.choice((408, 409, 425, 429, 500, 502, 503, 504, 529))
    fate: Any = rng.choices(("whole", "cut", "stall"), (6, 1, 1))[0]
    return Status.html(code) if rng.random() < 0.2 else Status(code, fate=fate)


def retry_after(rng: random.Random) -> Fault:
    """A status with a waiting time."""
    code = rng.choice((429, 503, 529))
    spelling: dict[str, Any] = rng.choice(
        (
            {"seconds": 7.0},
            {"ms": 250.0},
            {"seconds": 0.0},
            {"text": "soon"},
            {"text": "Wed, 21 Oct 2015 07:28:00 GMT"},
        )
    )
    return RetryAfter(code, **spelling)


def head(rng: random.Random) -> Fault:
    """No headers, part of them, or nothing behind them."""
    how: Any = rng.choice(("fin", "rst", "stall"))
    sent: Any = rng.choice(("nothing", "half", "informational", "whole"))
    return CutHead(how, sent, 1000.0)


def nonsense(rng: random.Random) -> Fault:
    """An answer that is not an event stream."""
    pages: tuple[Fault, ...] = (Raw(), HugeHead(), Unstreamed(), Status(204), Status.html(200))
    return rng.choice(pages)


def spoilt(rng: random.Random) -> Fault:
    """Inserted bytes that do not belong there, anywhere."""
    return Insert(at=at(rng), data=rng.choice(SPOILS))


def mangled(rng: random.Random) -> Fault:
    """One event, or all from there on, in another spelling."""
    if rng.random() < 0.1:
        return Mangle(after=3, how="two_data_lines")
    return Mangle(after=after(rng), how=rng.choice(MANGLES), every=rng.random() < 0.3)


def disordered(rng: random.Random) -> Fault:
    """Events that do not form the stream of one message."""
    twice = rng.choice(("message_start", "content_block_start", "content_block_stop", "ping"))
    told: tuple[Fault, ...] = (
        Repeat(after=after(rng), what=twice),
        Remove(at=0),
        Remove(after="message_start"),
        Insert(after=after(rng), data=PROXY, then="clean"),
        Insert(after=after(rng)),
        Insert(after="message_stop", data=b'event: ping\ndata: {"type":"ping"}\n\n'),
    )
    return rng.choice(told)


def framing(rng: random.Random) -> Fault:
    """The bytes cut, ended, marked or compressed in another way, or broken framing."""
    wrong: Any = rng.choice(("nothing", "truncated", "truncated_fin", "corrupt", "bad_crc"))
    ending = rng.choice((b"\r\n", b"\r"))
    told: tuple[Fault, ...] = (
        Gzip(at=at(rng), wrong=wrong),
        LineEndings(ending, split=rng.random() < 0.5),
        Bom(),
        Labelled("x-tide"),
        BadChunk(at=at(rng)),
        Slices(at=at(rng), size=rng.choice((1, 3, 50))),
        Trickle(at=at(rng), every=0.1, size=10, count=rng.choice((None, 5)), then="fin"),
        Informational(),
        Redirect(rng.choice((307, 308))),
    )
    return rng.choice(told)


def cut(rng: random.Random) -> Fault:
    """The body ends at some byte."""
    how: Any = rng.choice(CUTS)
    return Cut(at=at(rng), how=how)


STRIKES: Final[Mapping[str, Strike]] = {
    "cut": cut,
    "disordered": disordered,
    "error": error,
    "framing": framing,
    "head": head,
    "mangled": mangled,
    "nonsense": nonsense,
    "pings": pings,
    "refused": lambda rng: Refused(),
    "retry_after": retry_after,
    "silence": silence,
    "spoilt": spoilt,
    "status": status,
}
"""The kinds by name."""

FINAL: Final[tuple[Fault, ...]] = (
    ErrorEvent(after=4, error="invalid_request_error"),
    Status(400),
    Status(401),
    Status(413),
    Status(529, headers=(("x-should-retry", "false"),)),
    RetryAfter(429, seconds=3600.0),
    Redirect(307, loop=True),
)
"""Faults after which giving up is right."""
