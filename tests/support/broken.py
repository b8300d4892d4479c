"""One stream that was cut, what may answer its continuations, and failures to answer with instead."""

from __future__ import annotations

from typing import Any

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Raise

from .contents import PROSE, text
from .machines import REQUEST, RESET, Body, Broken, Run
from .script import Script
from .streams import PREFILLED, STOP, Json, block_start, ending, message, start, text_delta

SCRIPT = Script((text(PROSE),))
HEAD = b"".join([start(), block_start(0, text("")), text_delta(0, PROSE[:70])])
CUT = Body([HEAD], RESET)
PREFILL = REQUEST | {"model": PREFILLED}
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529, request_id="req_down")
BAD = Failure(Kind.REJECTED, Phase.HEADERS, status=400)
DENIED = Failure(Kind.REJECTED, Phase.HEADERS, status=403)
DONE = b"".join([ending(), STOP])


def answer(*contents: Json, reason: str = "end_turn", **opening: Any) -> bytes:
    """A later message."""
    return message(contents, reason, ping=False, id="msg_later", **opening)


def raised(run: Run) -> Failure:
    """The failure that was raised."""
    assert isinstance(run.last, Raise)
    assert isinstance(run.last.error, Broken)
    assert run.last.error.failure == run.last.failure
    return run.last.failure
