from __future__ import annotations

import json
from typing import Any

import pytest

from resilient_stream import StreamReport
from resilient_stream._check.findings import STATEMENTS, Seen, Verdict, findings
from resilient_stream._check.wire import Answered
from resilient_stream.testing import sse_event, sse_events

MODEL = "claude-sonnet-5"
ASK = {"role": "user", "content": "?"}
BODY = b"".join(sse_events("The tide comes in."))
HEADERS = {"request-id": "req_1", "anthropic-ratelimit-requests-remaining": "9"}


def answered(
    *messages: Any, status: int = 200, body: bytes = BODY, headers: Any = HEADERS, **more: Any
) -> Answered:
    """An answer to a request with these messages."""
    request = json.dumps({"max_tokens": 100, "messages": [ASK, *messages], **more}).encode()
    return Answered(request, status, headers, body, cut=False)


def report(*, verified: bool = True, outcome: str = "completed") -> StreamReport:
    """A report with one seam."""
    seam = {
        "attempt": 2,
        "at": 10,
        "joined": "echo" if verified else "as_is",
        "trimmed": 5,
        "supplied": 0,
        "verified": verified,
    }
    blank: dict[str, Any] = {
        "reason": "",
        "attempts": [],
        "serving_model": None,
        "abandoned": [],
        "usage": {},
    }
    return StreamReport.model_validate({"outcome": outcome, "resumed": True, "seams": [seam], **blank})


def verdicts(
    *answers: Answered, reports: Any = (), prefill: int | None = None, gap: float = 0.1
) -> dict[str, Any]:
    """The verdict of each statement, by the name of the function that looks."""
    found = findings(Seen(MODEL, answers, reports, prefill, gap))
    names = [look.__name__ for _, look in STATEMENTS]
    return {name: one.verdict for name, one in zip(names, found, strict=True)}


def test_nothing_seen_confirms_nothing() -> None:
    """Without an answer, no statement is confirmed or contradicted."""
    assert set(verdicts().values()) == {Verdict.NOT_SEEN}


def test_what_the_library_relies_on_is_confirmed() -> None:
    """Sound answers confirm each statement."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    turn = {"role": "assistant", "content": [thought, {"type": "text", "text": "The"}]}
    told = verdicts(answered(), answered(turn, ASK, max_tokens=90), reports=[report()], prefill=400)
    assert set(told.values()) == {Verdict.CONFIRMED}


TURN = {"role": "assistant", "content": "The tide"}
STRANGE = BODY + sse_event({"type": "novelty"})
STRANGE_BLOCK = BODY + sse_event(
    {"type": "content_block_start", "index": 1, "content_block": {"type": "hologram"}}
)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("_whole", {"reports": [report(outcome="failed")]}),
        ("_continuations", {"answers": [answered(TURN, status=400)]}),
        ("_reduced", {"answers": [answered(), answered(TURN, status=400, max_tokens=50)]}),
        (
            "_thinking_back",
            {"answers": [answered({"role": "assistant", "content": [{"type": "thinking"}]}, status=400)]},
        ),
        ("_echoes", {"reports": [report(verified=False)]}),
        ("_prefill", {"prefill": 200}),
        ("_request_ids", {"answers": [answered(headers={})]}),
        ("_input_told", {"answers": [answered(body=sse_event({"type": "message_start"}))]}),
        ("_stop_reasons", {"answers": [answered(body=sse_event({"type": "message_stop"}))]}),
        ("_canonical", {"answers": [answered(body=sse_event({"index": 0, "type": "content_block_delta"}))]}),
        ("_known", {"answers": [answered(body=STRANGE)]}),
        ("_known", {"answers": [answered(body=STRANGE_BLOCK)]}),
        ("_silence", {"answers": [answered()], "gap": 61.0}),
    ],
)
def test_each_statement_can_be_contradicted(name: str, seen: dict[str, Any]) -> None:
    """One answer that says otherwise is enough."""
    assert verdicts(*seen.pop("answers", ()), **seen)[name] is Verdict.CONTRADICTED


def test_what_is_only_seen_is_never_contradicted() -> None:
    """Missing rate limit headers, and a prefill that met another error, say nothing."""
    told = verdicts(answered(headers={"request-id": "r"}), prefill=529)
    assert (told["_rate_limits"], told["_prefill"]) == (Verdict.NOT_SEEN, Verdict.NOT_SEEN)
