"""What happened on a stream, attempt by attempt: the source of reports and telemetry.

The ledger holds lengths and names, never text. Token numbers are those that the API reported; estimates and
unknown numbers are marked. An attempt that was cut never reports its output, so a zero would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, NamedTuple

from resilient_stream._core.failures import Failure, Kind
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.seam.joined import Join, Joined
from resilient_stream._core.tokens import INPUT_FIELDS, is_count, of_characters, of_request
from resilient_stream._core.turn.salvage import partial
from resilient_stream._core.turn.transcript import Turn
from resilient_stream._core.verdict import QUEUE, Limit, Retry
from resilient_stream._core.wire.safe_json import identifier
from resilient_stream._core.wire.usage import bounded

RECORD_KEY: Final = "resilient_stream"
"""The name under which a stream's record is in the extensions of its HTTP requests."""

SMALLEST_INPUT_CAP: Final = 50_000
"""Input tokens that are always allowed, so that small requests may be repeated often."""

COUNTS: Final = (*INPUT_FIELDS, "output_tokens")
BREAKDOWNS: Final = ("cache_creation", "output_tokens_details", "server_tool_use")
"""Objects of numbers within a usage object."""


@dataclass(slots=True)
class Attempt:
    """One request of a stream."""

    number: int
    form: Form
    model: str
    wait: float = 0.0
    """Seconds waited before it."""
    queued: float = 0.0
    """The part of ``wait`` in which the stream waited for its turn."""
    started: float = 0.0
    at: int = 0
    """Characters of visible text before it."""
    ended: float | None = None
    status: int | None = None
    request_id: str | None = None
    message_id: str | None = None
    failure: Failure | None = None
    said: str = ""
    """The API's own words about a rejection. They go into reports and notes, not into logs and spans."""
    events: int = 0
    """Events received, pings apart."""
    characters: int = 0
    """Characters of visible text that were delivered."""
    gap: float = 0.0
    """Seconds of its longest read, or of a stall."""
    inferred: bool = False
    """The attempt ended the message without content, which is the only evidence that the text is whole."""
    usage: dict[str, Any] = field(default_factory=dict)
    estimated: tuple[str, ...] = ()
    """The numbers of `usage` that the API did not report."""

    @property
    def usage_source(self) -> str:
        """Where the numbers come from: reported | estimated (some of them) | unknown."""
        return "estimated" if self.estimated else "reported" if self.usage else "unknown"

    def end(self, now: float, failure: Failure | None, events: int, *, inferred: bool) -> None:
        """Note the end of the attempt: when, with which failure, after how many events; ``inferred`` as the
        field."""
        self.ended, self.failure, self.events, self.inferred = now, failure, events, inferred

    def count(
        self,
        opening: Mapping[str, Any] | None,
        closing: Mapping[str, Any],
        *,
        ended: bool,
        request: Mapping[str, Any],
    ) -> None:
        """Take the token numbers from what the attempt reported, and estimate the others.

        Args:
            opening: the message of its ``message_start``.
            closing: the last cumulative usage of its ``message_delta`` events.
            ended: whether its stop reason was received; only then is its output known.
            request: what was sent. There is no request without input, so 0 counts as not reported.
        """
        told = {name: value for name, value in closing.items() if value is not None}
        self.usage = usage = {**_begun(opening), **told}
        if opening is None and not told:
            return
        self.message_id = identifier((opening or {}).get("id"))
        if not any(tokens(usage, name) > 0 for name in INPUT_FIELDS):
            self.estimate(input_tokens=of_request(request))
        if not (ended and "output_tokens" in told):
            output = max(tokens(usage, "output_tokens"), of_characters(self.characters))
            self.estimate(output_tokens=output)

    def estimate(self, **numbers: int) -> None:
        """Add estimates of numbers that were not reported. 0 counts as not reported."""
        numbers = {name: value for name, value in numbers.items() if value}
        self.usage = self.usage | numbers
        self.estimated = (*self.estimated, *numbers)

    def iteration(self, kind: str = "message") -> dict[str, Any]:
        """The attempt as an entry of ``usage.iterations``, in the API's own format, with the numbers that
        were reported."""
        told = {name: self.usage[name] for name in COUNTS if is_count(self.usage.get(name))}
        return {
            "type": kind,
            "model": self.model,
            **told,
            "cache_creation": self.usage.get("cache_creation"),
        }


class Seam(NamedTuple):
    """Where two attempts were joined. Lengths, never text."""

    attempt: int
    """The number of the attempt that continued."""
    at: int
    """Characters of visible text before the seam."""
    joined: Joined
    trimmed: int
    """Characters of the continuation that were cut."""
    verified: bool
    supplied: int = 0
    """Characters, nearly always white space, that were inserted instead."""


@dataclass(slots=True)
class Ledger:
    """Everything that reports and telemetry say about one stream."""

    attempts: list[Attempt] = field(default_factory=list)
    seams: list[Seam] = field(default_factory=list)
    outcome: str | None = None
    """completed | finished_with_tools | failed | cancelled; None while it runs."""
    reason: str = ""
    """Why nothing more was tried."""
    limit: Limit | None = None
    """The limit of the policy that ended the stream; None if it ended for another reason."""
    raised: Kind | None = None
    """The kind of the failure that is raised; None if none is."""
    _wait: float = 0.0
    _queued: float = 0.0
    """Seconds waited since the last attempt."""

    @property
    def resumed(self) -> bool:
        """Whether a continuation was delivered, or the library finished the turn."""
        return bool(self.seams) or self.outcome == "finished_with_tools"

    def waits(self, retry: Retry) -> None:
        """Note a wait before the next attempt."""
        self._wait += retry.wait
        self._queued += retry.wait * (retry.source == QUEUE)

    def begin(self, form: Form, model: str, now: float, at: int) -> None:
        """Note a new request. Large parts of the failure before it are dropped."""
        if self.attempts and (before := self.attempts[-1]).failure is not None:
            before.failure = replace(before.failure, body=None, frame=b"")
        number = len(self.attempts) + 1
        self.attempts.append(Attempt(number, form, model, self._wait, self._queued, now, at))
        self._wait = self._queued = 0.0

    def join(self, attempt: Attempt, at: int, joined: Join | None) -> None:
        """Note, once, how an attempt's text was joined behind ``at`` characters, if it was."""
        if joined is not None and all(seam.attempt != attempt.number for seam in self.seams):
            supplied, cut = len(joined.supplied) - joined.kept, joined.cut - joined.kept
            self.seams.append(
                Seam(attempt.number, at, joined.how, cut, verified=joined.verified, supplied=supplied)
            )

    def overspent(self, multiple: float | None, characters: int, request: Mapping[str, Any]) -> bool:
        """Whether all attempts together have billed more input than the policy allows.

        Args:
            multiple: of the first request's input and the output so far; None for no limit.
            characters: the output so far.
            request: the user's, from which the input is estimated if no attempt reported any.
        """
        sizes = [sum(tokens(attempt.usage, name) for name in INPUT_FIELDS) for attempt in self.attempts]
        served = any(attempt.status == 200 for attempt in self.attempts)
        first = next((size for size in sizes if size), 0) or (served and of_request(request))
        billed = sum(
            weighted_input(attempt.usage) if size else first * (attempt.status == 200)
            for attempt, size in zip(self.attempts, sizes, strict=True)
        )
        allowed = max(SMALLEST_INPUT_CAP, (multiple or 0) * (first + of_characters(characters)))
        return multiple is not None and billed > allowed

    def tell(self, error: BaseException, turn: Turn) -> None:
        """Add a note to the exception: what was tried, what was kept, and where to find it. The note has no
        content. If the API rejected the last request, the note has its words, because the exception may be
        that of an earlier failure.

        A rejection of the first request gets no note, because the API's message says everything.
        """
        count, failure, blocks = len(self.attempts), self.attempts[-1].failure, partial(turn)
        if count == 1 and not blocks and failure is not None and failure.kind is Kind.REJECTED:
            return
        where = (
            "resilient_stream.report(error).partial is the message so far, valid as history, and the report "
            "lists the attempts."
            if blocks
            else "resilient_stream.report(error) lists the attempts."
        )
        error.add_note(f"resilient_stream {self.summary(turn)} {where}")

    def summary(self, turn: Turn) -> str:
        """What was tried and what was received, for any reader: "gave up after 3 attempts in 2.5 s: ...".

        It does not mention exceptions, so a server can send it to a client in another language. If a failure
        is raised, the last sentence names the page about its kind.
        """
        count, last = len(self.attempts), self.attempts[-1]
        seconds = (last.ended or last.started) - self.attempts[0].started
        said = f" The API said of the last request: {last.said!r}." if last.said else ""
        kept = (
            f"{turn.characters} characters of text were received."
            if partial(turn)
            else "Nothing that can be kept was received."
        )
        tried = f"after {count} attempt{'s' * (count != 1)} in {seconds:.1f} s: {self.reason}"
        advice = f" What to do: {self.raised.page}." if self.raised else ""
        return f"gave up {tried}.{said} {kept}{advice}"

    def totals(self) -> dict[str, int]:
        """Token numbers summed over all attempts, estimates included. A number that no attempt reported is
        left out."""
        return summed([attempt.usage for attempt in self.attempts], COUNTS)

    def iterations(self, attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
        """The attempts that reported usage, as entries of ``usage.iterations``. One on another model than the
        first is a fallback's."""
        first = self.attempts[0].model
        return [
            attempt.iteration("message" if attempt.model == first else "fallback_message")
            for attempt in attempts
            if attempt.usage
        ]


@dataclass(slots=True, repr=False)
class Record:
    """The record of a stream: what the consumer has received, and how."""

    turn: Turn = field(default_factory=Turn)
    ledger: Ledger = field(default_factory=Ledger)


def weighted_input(usage: Mapping[str, Any]) -> float:
    """Input tokens by what they cost: cache reads 0.1, cache writes 1.25, or 2 for an hour
    [platform docs, "Prompt caching", pricing]."""
    creation = usage.get("cache_creation")
    hour = tokens(creation, "ephemeral_1h_input_tokens") if isinstance(creation, Mapping) else 0
    written = max(hour, tokens(usage, "cache_creation_input_tokens"))
    read = tokens(usage, "cache_read_input_tokens")
    return tokens(usage, "input_tokens") + 0.1 * read + 1.25 * (written - hour) + 2 * hour


def summed(usages: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, int]:
    """The sums of the numbers with these names; a name that no object has is left out."""
    told = list(usages)
    present = [name for name in names if any(is_count(usage.get(name)) for usage in told)]
    return {name: sum(tokens(usage, name) for usage in told) for name in present}


def tokens(usage: Mapping[str, Any], name: str) -> int:
    """One number of a usage object; 0 if it is missing."""
    value = usage.get(name)
    return value if is_count(value) else 0


def _begun(opening: Mapping[str, Any] | None) -> dict[str, Any]:
    """The usage in a ``message_start``."""
    usage = (opening or {}).get("usage")
    return bounded(usage, {}) if isinstance(usage, Mapping) else {}


def final_usage(
    mode: str, ledger: Ledger, opening: Mapping[str, Any] | None, closing: Mapping[str, Any]
) -> dict[str, Any]:
    """The usage for the consumer's last ``message_delta``. Changes nothing.

    Args:
        mode: "serving": the serving attempt's own numbers; "total": sums over all attempts.
        ledger: all attempts; the last is the serving one, whose books may still be open.
        opening: the message of the serving attempt's ``message_start``.
        closing: the usage of its ``message_delta``.
    """
    begun = _begun(opening)
    inputs = {name: begun[name] for name in (*INPUT_FIELDS, "cache_creation") if begun.get(name) is not None}
    told = {name: value for name, value in closing.items() if value is not None or name not in begun}
    usage = {**inputs, **told}
    *earlier, last = ledger.attempts
    serving = replace(last, usage={**begun, **told})
    if mode == "total":
        whole = [attempt.usage for attempt in (*earlier, serving)]
        usage |= summed(whole, COUNTS) | _breakdowns(whole)
    if earlier:
        own = closing.get("iterations")
        own = own if isinstance(own, list) and own else ledger.iterations([serving])
        usage["iterations"] = [*ledger.iterations(earlier), *own]
    return usage


def _breakdowns(usages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums of the objects of numbers."""
    told = {
        name: [each for usage in usages if isinstance(each := usage.get(name), Mapping)]
        for name in BREAKDOWNS
    }
    return {name: summed(each, dict.fromkeys(chain(*each))) for name, each in told.items() if each}
