"""The retry policy: what is tried when a stream fails, as one frozen value.

A policy says when to send another request, how long to wait, how to continue and what to hold. It has no
state, so clients, threads and processes may share it; a ``Judgement`` keeps the state of one stream.
``docs/policies.md`` says which preset is meant for which use.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self, Unpack, cast

from pydantic import BaseModel, ValidationError, model_validator

from resilient_stream._core.failures import RETRYABLE_KINDS
from resilient_stream.errors import PolicyError

from . import presets as _presets
from .explain import explain
from .fields import (
    Budget,
    Clock,
    CompletedTools,
    Continuation,
    Count,
    Deadline,
    Fallbacks,
    Hold,
    JournalFailure,
    Kinds,
    MaxTokens,
    Multiple,
    Observers,
    PolicyFields,
    QuoteLength,
    RetryIf,
    Seconds,
    Stop,
    Switch,
    Template,
    Unverified,
    UsageRule,
    Wait,
    complaint,
    shown,
)

__all__ = ["RetryPolicy"]

OBJECTS: Final = frozenset({"budget", "stop", "wait", "retry", "observers"})
"""The fields that may hold objects of the caller."""


class RetryPolicy(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True):
    """When to send another request, how long to wait, and how to continue. Frozen; all times are in seconds.

    Raises:
        PolicyError: a field is unknown, has an impossible value, or contradicts another. Where pydantic makes
            the policy, by ``model_validate`` or as a field of another model, it is pydantic's
            ``ValidationError``, with the same sentence.
    """

    enabled: Switch = True
    """Whether the library does anything. If False, everything passes through unchanged and the SDK retries
    as usual. Default True."""

    max_attempts: Count = 16
    """Requests per stream in all, the first included. Default 16: a ten-minute answer behind a proxy
    that cuts every 60 s needs ten; the failures in a row are what ``max_barren_attempts`` limits.
    (gRPC caps at 5 per call, but its calls are short and cannot be resumed.)"""

    max_barren_attempts: Count = 8
    """Attempts in a row that brought nothing new. Progress resets the count; a block that was cut and begins
    again (a thought, a search without its result) is not progress. Default 8: with full jitter about a
    minute and a half of overload at most, about half a minute of broken connections. (stamina: 10 attempts;
    AWS and the
    SDK: 3.)"""

    deadline: Deadline = None
    """Seconds from the call, over all attempts and waits. After it no request is sent, and no wait begins
    that would pass it. A stream that still brings events is not cut, and a silent read ends with its own
    timeout, up to one ``silence_timeout`` or ``first_event_timeout`` later. Default None, as in the SDK,
    because only the caller knows how long an answer is useful. (gRPC: one deadline over all attempts.)"""

    wait_initial: Seconds = 0.5
    """Seconds: the first backoff after a broken connection lies between 0 and this, and the ceiling
    doubles with each barren attempt ("full jitter"). The first attempt after progress does not wait.
    Default 0.5, the SDK's ``INITIAL_RETRY_DELAY``."""

    wait_max: Seconds = 8.0
    """Seconds: the ceiling of that backoff. Default 8, the SDK's ``MAX_RETRY_DELAY``."""

    overload_wait_initial: Seconds = 1.0
    """Seconds: as ``wait_initial``, for a server that is overloaded, limits the rate, timed out or has
    an error of its own. Default 1, the AWS SDKs' base for throttling."""

    overload_wait_max: Seconds = 30.0
    """Seconds: the ceiling of that backoff. Default 30; the AWS SDKs had 20, and an overload outlasts a
    dropped connection."""

    retry_after_max: Seconds = 60.0
    """Seconds: a ``retry-after`` up to this is obeyed (and lengthened by up to 10 %, never shortened);
    above it the stream gives up at once and says until when, unless it was an overload or a rate limit and
    one of ``fallback_models`` is left to ask. Default 60. (The SDK
    waits for as long as the server asks, even for an hour.)"""

    connect_timeout: Clock = 5.0
    """Seconds to get a connection. Default 5, the SDK's."""

    unreachable_timeout: Clock = 60.0
    """Seconds for which a stream that was connected before tries to connect again while there is no
    network, for instance when a machine wakes up. A failure to connect sends nothing, so within this time
    it counts neither toward ``max_attempts`` nor toward ``max_barren_attempts`` (but if the waits are very
    short, eight such failures count as one barren attempt). Default 60: a stream always survives 45 s
    without a network, with ``wait_max`` and ``connect_timeout`` to spare. A stream that never had a
    connection gives up after ``max_barren_attempts``, because its address may be wrong."""

    first_event_timeout: Clock = 300.0
    """Seconds from the request to the first event that is not a ping. Default 300: first bytes after
    239 s have been seen on healthy streams. (The SDK: 600, reset by every byte.) If this timeout or one of
    the two below fires, it doubles for the next attempt, up to four times its length."""

    silence_timeout: Clock = 300.0
    """Seconds without a single byte. Default 300: healthy silences of 180 s have been seen.
    (The SDK: 600.)"""

    stall_timeout: Clock = 600.0
    """Seconds with nothing but pings. Default 600, the SDK's read timeout, which pings reset for ever."""

    retry_on: Kinds = RETRYABLE_KINDS
    """The kinds of failure that are retried, as ``Kind`` or as strings. Default: all retryable kinds. A
    server's ``x-should-retry`` overrides it."""

    continuation: Continuation = "auto"
    """How a message that was cut is continued: "auto" chooses by model and request; "prefill" uses only an
    assistant turn; "user_turn" uses only a user turn that asks to go on; "restart_only" does not continue
    once content was delivered; "never" sends no further request once a reply has begun, and does not finish a
    turn by its complete tool calls either. Default "auto"."""

    continuation_template: Template = None
    """The text of that user turn, in which ``{quote}`` is replaced by the last characters received and other
    braces stay; or the name of a built-in wording: "continue", or "repeat", the longer one of the first
    releases. If a reply can't be joined, the model is asked once more in other words. Default None:
    "continue"."""

    quote_length: QuoteLength = 80
    """About how many characters are quoted, 40 to 400. The quote begins with a word, so it may be up to 40
    characters longer or shorter, but never shorter than 40. Default 80: long enough to occur once in nearly
    every text, and short enough to be repeated without an error. Nothing streams while the model repeats
    it."""

    unverified: Unverified = "accept"
    """What happens at a seam without proof: "accept" joins and reports it; "ask" asks the model once more and
    then refuses; "refuse" raises with the partial message. Default "accept": a whole answer is more useful
    than an error."""

    hold: Hold = frozenset({"tool_use"})
    """Block types that are delivered only when complete: "tool_use", "thinking", "server_tool_use" (MCP's
    included). A held block that is cut leaves no trace. Default {"tool_use"}: half a call is of no use. Use
    () for live input_json events."""

    completed_tools: CompletedTools = "finish"
    """What happens if a stream is cut after a complete tool call: "finish" ends the turn with the calls that
    are complete; "regenerate" has the model make them again, if they were not delivered yet. Default
    "finish": nothing is billed or run twice."""

    rerun_server_tools: Switch = False
    """Whether a server-side call with side effects (MCP, code execution, unknown) that was cut may run again.
    Default False: only the caller knows what the call does."""

    max_tokens: MaxTokens = "reduce"
    """For continuations: "reduce" ``max_tokens`` by what was already written and by what the input has grown,
    or "keep" it. Text that has reached it by estimate ends with that stop reason, without another request.
    Default "reduce": the caller's limit is for the whole message."""

    usage: UsageRule = "serving"
    """The final message's usage: the "serving" attempt's own numbers, or the "total" over attempts.
    Default "serving", as the API does for its own fallbacks; totals are in the report either way."""

    heal_history: Switch = True
    """Whether the library removes from requests what the API would refuse: unsigned thinking, blank text, a
    tool use without a result. Default True: a block that was cut must not make later calls fail."""

    fallback_models: Fallbacks = ()
    """Models to continue on, in this order, if the first one stays overloaded or rate limited, or asks once
    to wait for longer than ``retry_after_max``. Each is an id, or a mapping of request fields with a "model".
    Default (): another model is the caller's choice."""

    max_input_multiple: Multiple = 5.0
    """Stop when the attempts together have billed more input than this many times the first request's
    input plus the output so far (cache reads count 0.1, writes 1.25 or 2; never below 50,000 tokens; input
    that is not reported is estimated from the request). None for no limit. Default 5; there is no
    precedent, because RPC retries do not bill."""

    budget: Budget = "shared"
    """The retry budget: "shared" per process, base URL and credential, a ``RedisBudget`` that processes
    share, a ``RetryBudget``, or None. A retry that it does not cover waits for its turn, as long as the other
    fields allow. Default "shared": 30 retries at first; replies pay for more, as with gRPC and the AWS
    SDKs."""

    journal_failure: JournalFailure = "continue"
    """What to do if the journal of a stream can't be written: "continue" without it and say so in the log,
    once; or "stop" and raise `JournalUnavailable`. Default "continue": the answer is worth more than its
    copy. If a stream continues without its journal, another process may continue it differently from what
    was written."""

    stop: Stop = None
    """A tenacity stop strategy. The stream stops if it or one of the limits above says so. Default None."""

    wait: Wait = None
    """A tenacity wait strategy that replaces the four waits above. The wait is never shorter than
    ``retry-after``. Default None."""

    retry: RetryIf = None
    """A tenacity retry strategy; a failure is retried only if it agrees. Default None."""

    observers: Observers = ()
    """`Observer` objects whose methods are called when something happens on a stream, in this order. Default
    (): only the library's own."""

    telemetry: Switch = True
    """Whether spans and metrics go to OpenTelemetry's global providers. Default True, as in the SDK. If the
    program has not configured a provider, nothing is recorded."""

    def __init__(self, **fields: Unpack[PolicyFields]) -> None:
        """Create a policy, and check its fields; fields that are not given have their defaults."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise PolicyError(complaint(error, type(self).model_fields)) from None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check that no two fields contradict each other."""
        for low, high in (("wait_initial", "wait_max"), ("overload_wait_initial", "overload_wait_max")):
            first, last = getattr(self, low), getattr(self, high)
            if first > last:
                raise ValueError(f"{low} = {first:g} should not exceed {high} = {last:g} (seconds)")
        if self.completed_tools == "regenerate" and "tool_use" not in self.hold:
            raise ValueError(
                'completed_tools = "regenerate" should come with "tool_use" in hold: '
                "a call that was delivered cannot be taken back"
            )
        return self

    @classmethod
    def preset(cls, name: str) -> RetryPolicy:
        """The preset of that name: "interactive", "batch", "agent", "observe" or "off".

        Raises:
            PolicyError: there is no such preset; the text lists those there are.
        """
        return cls(**_presets.preset_fields(name))

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> RetryPolicy:
        """A policy from a TOML file or text: one field a line, "none" for None.

        ``extends = "batch"``, or the name of another file beside it, gives the fields that are not set.

        Args:
            source: a path; or text, which is a ``str`` with a line break or an equals sign.

        Raises:
            PolicyError: it cannot be read, or a field is wrong; the text names the file.
        """
        found = _presets.document(source)
        fields = _presets.fields_of(found)
        try:
            return cls(**fields)
        except PolicyError as error:
            raise PolicyError(f"{found.label}: {error}") from None

    def to_toml(self) -> str:
        """Every field as TOML, one a line; ``from_toml`` makes an equal policy of it.

        Raises:
            PolicyError: a field holds an object (a strategy, a budget), which has no spelling.
        """
        return _presets.toml(self._values())

    def replace(self, **changes: Unpack[PolicyFields]) -> Self:
        """A changed copy, checked as a new policy is.

        Raises:
            PolicyError: as for a new policy.
        """
        fields: dict[str, Any] = {**self._values(), **changes}
        return type(self)(**fields)

    def explain(self) -> str:
        """What this policy does after each kind of failure, and its limits, as plain text to read."""
        return explain(self)

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def __hash__(self) -> int:
        """Equal policies have equal hashes, also with mappings in their fields. Objects of the caller are
        left out, because they need not be hashable."""
        return hash(tuple(_hashable(value) for name, value in self._values().items() if name not in OBJECTS))

    def __copy__(self) -> Self:
        """The same policy: it can't be changed, and its observers and its budget are meant to be shared."""
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """As a plain copy."""
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same policy, or as ``replace`` has it: pydantic's own would change a copy unchecked."""
        return self.replace(**cast("PolicyFields", update)) if update else self

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """What differs from the defaults, spelt so that it can be pasted into a program.

        The words of ``continuation_template``, and in ``fallback_models`` what is neither a model nor a
        number, are left out: they may be a prompt or a secret, and a ``repr`` goes into logs.
        """
        for name, value in self._values().items():
            if value != type(self).model_fields[name].default:
                yield name, _Spelt(shown(name, value))

    def __str__(self) -> str:
        """As ``repr``: a log line shows what was changed."""
        return repr(self)


class _Spelt(str):
    """A text that is its own ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _hashable(value: object) -> object:
    """An equal value for equal values that can be hashed: JSON's mappings and lists can't."""
    match value:
        case Mapping():
            return frozenset((key, _hashable(each)) for key, each in cast("Mapping[str, Any]", value).items())
        case list() | tuple():
            return tuple(map(_hashable, cast("Iterable[Any]", value)))
        case _:
            return value
