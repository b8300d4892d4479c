"""The retry policy: what a stream may do to survive, as one frozen value.

A policy holds no state and may be shared between clients, threads and processes; what happens to one
stream is kept by a ``Judgement``. It says when to ask again, how long to wait, how to continue and
what to hold back. ``docs/policies.md`` tells which preset is meant for whom.
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
"""The fields that may hold objects of the caller's."""


class RetryPolicy(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """When to ask again, how long to wait, how to continue. Frozen; all times are seconds.

    Raises:
        PolicyError: a field is unknown, has an impossible value, or contradicts another. Where pydantic makes
            the policy, by ``model_validate`` or as a field of another model, it is pydantic's
            ``ValidationError``, with the same sentence.
    """

    enabled: Switch = True
    """Whether the library does anything. False hands everything through untouched, the SDK's own
    retries included. Default True."""

    max_attempts: Count = 16
    """Requests per stream in all, the first included. Default 16: a ten-minute answer behind a proxy
    that cuts every 60 s needs ten; the failures in a row are what ``max_barren_attempts`` limits.
    (gRPC caps at 5 per call, but its calls are short and cannot be resumed.)"""

    max_barren_attempts: Count = 8
    """Attempts in a row that brought nothing new; progress resets the count, and what was cut and is asked
    for again (a thought, a search without its result) is none. Default 8: with full jitter about a minute and
    a half of overload at most, about half a minute of broken connections. (stamina: 10 attempts; AWS and the
    SDK: 3.)"""

    deadline: Deadline = None
    """Seconds from the call, over all attempts and waits; past it nothing new starts, and no wait is
    begun that would pass it. A stream that still brings events is not cut, and a silent read ends by its
    own clock, up to one ``silence_timeout`` or ``first_event_timeout`` later. Default None, as in the SDK:
    only the caller knows. (gRPC: one deadline over all attempts.)"""

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
    one of ``fallback_models`` is left to ask. Default 60, as long as the retry budget remembers. (The SDK
    sleeps as long as it is told: an hour, if it is an hour.)"""

    connect_timeout: Clock = 5.0
    """Seconds to get a connection. Default 5, the SDK's."""

    unreachable_timeout: Clock = 60.0
    """Seconds for which a stream that was connected before tries to connect again: the network is away, as
    it is when a machine wakes up. What can't connect sends nothing, so within this time it counts neither
    for ``max_attempts`` nor for ``max_barren_attempts`` (but eight such failures weigh as one barren attempt
    where the waits are very short). Default 60: a network that is away for up to 45 s is always survived,
    with ``wait_max`` and ``connect_timeout`` to spare. A stream that never had a connection gives up after
    ``max_barren_attempts``: its address may be wrong."""

    first_event_timeout: Clock = 300.0
    """Seconds from the request to the first event that is not a ping. Default 300: first bytes after
    239 s have been seen on healthy streams. (The SDK: 600, reset by every byte.) Once this clock or one of
    the two below has fired, it is twice as long in the next attempt, at most four times as long in all."""

    silence_timeout: Clock = 300.0
    """Seconds without a single byte. Default 300: healthy silences of 180 s have been seen.
    (The SDK: 600.)"""

    stall_timeout: Clock = 600.0
    """Seconds with nothing but pings. Default 600, the SDK's read timeout, which pings reset for ever."""

    retry_on: Kinds = RETRYABLE_KINDS
    """The kinds of failure that are retried, as ``Kind`` or as strings. Default: all that can be. A
    server's ``x-should-retry`` outranks it."""

    continuation: Continuation = "auto"
    """How a cut message is continued: "auto" picks by model and request, "prefill" only by an assistant
    turn, "user_turn" only by asking, "restart_only" not at all once content was handed over, "never"
    sends nothing again once a reply has begun, nor finishes a turn by its complete tool calls. Default
    "auto"."""

    continuation_template: Template = None
    """The words of that user turn; ``{quote}`` is replaced by the last characters received, other braces
    stay. Or the name of a built-in wording: "continue", or "repeat" for the longer one of the first releases.
    After a reply that could not be joined it is asked once more, in other words. Default None: "continue"."""

    quote_length: QuoteLength = 80
    """Characters of that fragment, about: it begins with a word, up to 40 sooner or later, and is never
    shorter than 40. Default 80: long enough to stand in one place of nearly every text, short enough to be
    repeated without a slip; what a model takes to repeat it is the time that nothing streams. 40 to 400."""

    unverified: Unverified = "accept"
    """What a seam without proof means: "accept" and report it, "ask" once more and then refuse, or
    "refuse": raise, with the partial message. Default "accept": a whole answer is what was asked for."""

    hold: Hold = frozenset({"tool_use"})
    """Block types handed over only when complete: "tool_use", "thinking", "server_tool_use" (and those of
    MCP servers). Held blocks that are cut leave no trace. Default {"tool_use"}: half a call is of no use.
    () for live input_json."""

    completed_tools: CompletedTools = "finish"
    """After a cut that follows a complete tool call: "finish" the turn with the calls there are, or
    "regenerate" it while they are still held. Default "finish": nothing is billed or run twice."""

    rerun_server_tools: Switch = False
    """Whether a cut server-side call with side effects (MCP, code execution, unknown) may run again.
    Default False: only the caller knows what it does."""

    max_tokens: MaxTokens = "reduce"
    """For continuations: "reduce" ``max_tokens`` by what was already written and by what the input has grown,
    or "keep" it. Text that has reached it by estimate ends with that stop reason, without another request.
    Default "reduce": the caller's limit is for the whole message."""

    usage: UsageRule = "serving"
    """The final message's usage: the "serving" attempt's own numbers, or the "total" over attempts.
    Default "serving", as the API does for its own fallbacks; totals are in the report either way."""

    heal_history: Switch = True
    """Whether what would make the API refuse a history (unsigned thinking, blank text, a tool use without
    result) is taken out of requests. Default True: an abandoned block must not poison later calls."""

    fallback_models: Fallbacks = ()
    """Models to continue on, in order, when the first stays overloaded or limits the rate, or does so once
    and asks for more patience than ``retry_after_max``: ids, or mappings of request fields with a "model"
    among them. Default (): another model is the caller's choice."""

    max_input_multiple: Multiple = 5.0
    """Stop when the attempts together have billed more input than this many times the first request's
    input plus the output so far (cache reads count 0.1, writes 1.25 or 2; never below 50,000 tokens; what
    is not told is estimated from the request). None for no cap. Default 5; there is no precedent, because
    RPC retries do not bill."""

    budget: Budget = "shared"
    """The retry budget: "shared" per process, base URL and credential, a ``RetryBudget``, or None.
    Default "shared": 60 units and 0.2 per started stream over 60 s, after Finagle."""

    stop: Stop = None
    """A tenacity stop strategy; the stream also stops where it says so. Default None."""

    wait: Wait = None
    """A tenacity wait strategy in place of the four waits above; ``retry-after`` still is the least.
    Default None."""

    retry: RetryIf = None
    """A tenacity retry strategy; a failure is retried only if it agrees. Default None."""

    observers: Observers = ()
    """`Observer` objects that are told what happens to streams, in this order. Default (): none besides
    the library's own."""

    telemetry: Switch = True
    """Whether spans and metrics go to OpenTelemetry's global providers. Default True, as in the SDK: until
    the program configures a provider, that is nowhere."""

    def __init__(self, **fields: Unpack[PolicyFields]) -> None:
        """Check the fields; those not given keep their defaults."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise PolicyError(complaint(error, type(self).model_fields)) from None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """No two fields may contradict each other."""
        for low, high in (("wait_initial", "wait_max"), ("overload_wait_initial", "overload_wait_max")):
            first, last = getattr(self, low), getattr(self, high)
            if first > last:
                raise ValueError(f"{low} = {first:g} should not exceed {high} = {last:g} (seconds)")
        if self.completed_tools == "regenerate" and "tool_use" not in self.hold:
            raise ValueError(
                'completed_tools = "regenerate" should come with "tool_use" in hold: '
                "a call that was handed over cannot be taken back"
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
        """Equal policies hash alike, mappings among their fields included. Objects that the caller put in do
        not count: they need not hash."""
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
