"""A stand-in for the Messages API, for tests and demonstrations: real sockets, real failures.

``StandIn`` is a server on the loopback interface. It streams the answer of an *author* in the API's own
format, continues an answer that was cut when a request asks for that, refuses what the API refuses, and
fails exactly as you configure it. It does not depend on the rest of this library.
"""

from __future__ import annotations

from .author import ANSWER, Author, markdown
from .catalogue import CATALOGUE, Entry
from .faults import (
    BadChunk,
    Bom,
    Chain,
    Cut,
    CutHead,
    ErrorEvent,
    Fault,
    Gzip,
    Healthy,
    HugeHead,
    IdleClose,
    Informational,
    Insert,
    Labelled,
    Late,
    LineEndings,
    Mangle,
    Pings,
    Place,
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
    cut_at,
    text_delta,
)
from .hosts import aws_event, aws_exception, aws_message
from .manners import MANNERS, Manner
from .models import accepts_prefill
from .requests import Received
from .server import StandIn, refusing
from .transcript import Reply, sign, sse_event, sse_events
from .wire import Answer, Close, Reset, Script, Send, Wait, frame

__all__ = [  # noqa: RUF022 - plainly sorted
    "ANSWER",
    "Answer",
    "Author",
    "BadChunk",
    "Bom",
    "CATALOGUE",
    "Chain",
    "Close",
    "Cut",
    "CutHead",
    "Entry",
    "ErrorEvent",
    "Fault",
    "Gzip",
    "Healthy",
    "HugeHead",
    "IdleClose",
    "Informational",
    "Insert",
    "Labelled",
    "Late",
    "LineEndings",
    "MANNERS",
    "Mangle",
    "Manner",
    "Pings",
    "Place",
    "Raw",
    "Received",
    "Redirect",
    "Remove",
    "Repeat",
    "Reply",
    "Reset",
    "RetryAfter",
    "Script",
    "Send",
    "Slices",
    "Stall",
    "StandIn",
    "Status",
    "Trickle",
    "Unstreamed",
    "Wait",
    "accepts_prefill",
    "aws_event",
    "aws_exception",
    "aws_message",
    "cut_at",
    "frame",
    "markdown",
    "refusing",
    "sign",
    "sse_event",
    "sse_events",
    "text_delta",
]
