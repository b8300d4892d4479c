"""The statements about the API that the library relies on, and whether the check confirmed them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from resilient_stream import StreamReport
from resilient_stream._core.plan.models import accepts_prefill
from resilient_stream._core.wire.events import CANONICAL_HEAD, MESSAGE_EVENTS

from .wire import Answered

KNOWN_EVENTS: Final = MESSAGE_EVENTS | {"ping", "error"}
KNOWN_BLOCKS: Final = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
"""The blocks that the prompts can produce."""


class Verdict(StrEnum):
    """Whether a statement was confirmed, contradicted or not seen."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that the check observed."""

    model: str
    answers: Sequence[Answered]
    reports: Sequence[StreamReport]
    prefill: int | None
    """The status of the answer to a prefilled turn; None if none was tried."""
    gap: float
    """Seconds of the longest read."""

    @property
    def streams(self) -> list[Answered]:
        """The answers that are event streams."""
        return [one for one in self.answers if one.status == 200]

    @property
    def continued(self) -> list[Answered]:
        """The answers to continuations."""
        return [one for one in self.answers if one.continues]

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """All events of one type."""
        return [event for one in self.streams for event in one.events() if event.get("type") == kind]


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement, its verdict, and a detail in figures."""

    statement: str
    verdict: Verdict
    detail: str = ""


def findings(seen: Seen) -> list[Finding]:
    """Each statement with its verdict."""
    return [Finding(statement, *look(seen)) for statement, look in STATEMENTS]


Looked = tuple[Verdict, str]


def _all(facts: Iterable[bool], what: str) -> Looked:
    """Confirmed if all are true, contradicted if one is not, not seen if there is none."""
    told = list(facts)
    if not told:
        return Verdict.NOT_SEEN, ""
    verdict = Verdict.CONFIRMED if all(told) else Verdict.CONTRADICTED
    return verdict, f"{sum(told)} of {len(told)} {what}"


def _continuations(seen: Seen) -> Looked:
    return _all((one.status == 200 for one in seen.continued), "continuations")


def _prefill(seen: Seen) -> Looked:
    if seen.prefill not in (200, 400):
        return Verdict.NOT_SEEN, "" if seen.prefill is None else f"status {seen.prefill}"
    accepted = seen.prefill == 200
    verdict = Verdict.CONFIRMED if accepted == accepts_prefill(seen.model) else Verdict.CONTRADICTED
    return verdict, "accepted" if accepted else "refused with 400"


def _echoes(seen: Seen) -> Looked:
    seams = [seam for report in seen.reports for seam in report.seams if seam.joined != "prefill"]
    return _all((seam.verified for seam in seams), "seams")


def _whole(seen: Seen) -> Looked:
    return _all(
        (report.outcome in ("completed", "finished_with_tools") for report in seen.reports), "replies"
    )


def _request_ids(seen: Seen) -> Looked:
    return _all(("request-id" in one.headers for one in seen.answers), "answers")


def _rate_limits(seen: Seen) -> Looked:
    named = [any(name.startswith("anthropic-ratelimit-") for name in one.headers) for one in seen.answers]
    return Verdict.CONFIRMED if any(named) else Verdict.NOT_SEEN, f"{sum(named)} of {len(named)} answers"


def _input_told(seen: Seen) -> Looked:
    usages = [(event.get("message") or {}).get("usage") or {} for event in seen.events("message_start")]
    return _all((isinstance(usage.get("input_tokens"), int) for usage in usages), "streams")


def _stop_reasons(seen: Seen) -> Looked:
    whole = [list(one.events()) for one in seen.streams if not one.cut]
    ended = [events for events in whole if any(event.get("type") == "message_stop" for event in events)]
    return _all(
        (any((event.get("delta") or {}).get("stop_reason") for event in events) for events in ended),
        "streams",
    )


def _canonical(seen: Seen) -> Looked:
    frames = [frame for one in seen.streams for frame in one.frames() if b"content_block_delta" in frame]
    return _all((CANONICAL_HEAD.match(frame) is not None for frame in frames), "deltas")


def _known(seen: Seen) -> Looked:
    events = [event for one in seen.streams for event in one.events()]
    strange = {str(event.get("type")) for event in events} - KNOWN_EVENTS
    blocks = [
        event.get("content_block") or {} for event in events if event.get("type") == "content_block_start"
    ]
    strange |= {str(block.get("type")) for block in blocks} - KNOWN_BLOCKS
    if not events:
        return Verdict.NOT_SEEN, ""
    return Verdict.CONTRADICTED if strange else Verdict.CONFIRMED, ", ".join(sorted(strange))


def _reduced(seen: Seen) -> Looked:
    caps = [one.asked.get("max_tokens") for one in seen.answers if not one.continues]
    highest = max((cap for cap in caps if isinstance(cap, int)), default=0)
    reduced = [one for one in seen.continued if (one.asked.get("max_tokens") or 0) < highest]
    return _all((one.status == 200 for one in reduced), "continuations")


def _thinking_back(seen: Seen) -> Looked:
    def thinks(one: Answered) -> bool:
        blocks = [
            block
            for message in one.asked.get("messages", ())
            if isinstance(message.get("content"), list)
            for block in message["content"]
        ]
        return any(block.get("type") == "thinking" for block in blocks)

    return _all((one.status == 200 for one in seen.continued if thinks(one)), "continuations")


def _silence(seen: Seen) -> Looked:
    if not seen.streams:
        return Verdict.NOT_SEEN, ""
    return Verdict.CONFIRMED if seen.gap < 60 else Verdict.CONTRADICTED, f"longest {seen.gap:.1f} s"


STATEMENTS: Final[Sequence[tuple[str, Callable[[Seen], Looked]]]] = (
    ("every cut reply came to its end", _whole),
    ("a continuation is accepted: the partial answer, then a user turn", _continuations),
    ("a continuation begins with the words that it is asked to begin with", _echoes),
    ("the table of models that accept a prefilled turn is right about this model", _prefill),
    ("a continuation may have a smaller max_tokens", _reduced),
    ("signed thinking is accepted back in a continuation", _thinking_back),
    ("each answer names its request id in a header", _request_ids),
    ("answers carry rate limit headers", _rate_limits),
    ("input tokens are reported when a stream begins", _input_told),
    ("a stop reason precedes the end of each message", _stop_reasons),
    ("each delta has the form that is passed on without being parsed", _canonical),
    ("there are no events or blocks of a type that the library does not know", _known),
    ("no read took longer than a minute", _silence),
)
