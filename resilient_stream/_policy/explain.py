"""A policy in plain words, for who has to trust it: what follows each kind of failure, and the limits."""

from __future__ import annotations

from typing import Protocol

from resilient_stream._core.failures import CONNECTION_KINDS, FINAL_KINDS, OVERLOAD_KINDS, Kind

from .fields import Fallback, Holdable

__all__ = ["explain"]


class Explained(Protocol):
    """What is said of a policy."""

    @property
    def enabled(self) -> bool: ...
    @property
    def max_attempts(self) -> int: ...
    @property
    def max_barren_attempts(self) -> int: ...
    @property
    def deadline(self) -> float | None: ...
    @property
    def unreachable_timeout(self) -> float: ...
    @property
    def wait_initial(self) -> float: ...
    @property
    def wait_max(self) -> float: ...
    @property
    def overload_wait_initial(self) -> float: ...
    @property
    def overload_wait_max(self) -> float: ...
    @property
    def retry_after_max(self) -> float: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def first_event_timeout(self) -> float: ...
    @property
    def silence_timeout(self) -> float: ...
    @property
    def stall_timeout(self) -> float: ...
    @property
    def retry_on(self) -> frozenset[Kind]: ...
    @property
    def continuation(self) -> str: ...
    @property
    def unverified(self) -> str: ...
    @property
    def hold(self) -> frozenset[Holdable]: ...
    @property
    def fallback_models(self) -> tuple[Fallback, ...]: ...
    @property
    def max_input_multiple(self) -> float | None: ...
    @property
    def budget(self) -> object: ...
    @property
    def stop(self) -> object: ...
    @property
    def wait(self) -> object: ...
    @property
    def retry(self) -> object: ...


def explain(policy: Explained) -> str:
    """What a policy does after each kind of failure, as a table, and its limits below."""
    met = [kind for kind in Kind if kind is not Kind.BUDGET]  # which no attempt ever has
    rows = [("after", "class", "retried", "limit", "wait"), *(_row(policy, kind) for kind in met)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*_headline(policy), *table, "", *_limits(policy)])


def _headline(policy: Explained) -> list[str]:
    return (
        [] if policy.enabled else ["Switched off: everything passes untouched. Switched on, it would be:", ""]
    )


def _row(policy: Explained, kind: Kind) -> tuple[str, ...]:
    if kind in FINAL_KINDS - {Kind.REJECTED}:
        return kind, "final", "never", "-", "-"
    family = "connection" if kind in CONNECTION_KINDS else "overload" if kind in OVERLOAD_KINDS else "final"
    if policy.max_attempts == 1:
        return kind, family, "never", "one request", "-"
    retried = "yes" if kind in policy.retry_on else "only if x-should-retry: true"
    return kind, family, retried, f"{policy.max_barren_attempts} in a row", _wait_range(policy, kind)


def _wait_range(policy: Explained, kind: Kind) -> str:
    if policy.wait is not None:
        return "as the policy's own strategy says"
    if kind in CONNECTION_KINDS:
        ceiling = _ceiling(policy.wait_initial, policy.wait_max)
        return f"none after progress, else {ceiling}"
    return _ceiling(policy.overload_wait_initial, policy.overload_wait_max)


def _ceiling(initial: float, maximum: float) -> str:
    return f"up to {initial:g} s, doubling to {maximum:g} s"


def _limits(policy: Explained) -> list[str]:
    """What else the policy does, a sentence a line."""
    own = [name for name in ("stop", "retry") if getattr(policy, name) is not None]
    one = policy.max_attempts == 1
    clocks = (
        f"Clocks: {policy.connect_timeout:g} s to connect, "
        f"{policy.first_event_timeout:g} s to the first event, "
        f"{policy.silence_timeout:g} s of silence, {policy.stall_timeout:g} s of pings"
    )
    return [
        *(["One request, and never another."] if one else _requests(policy)),
        f"{clocks}." if one else f"{clocks}; one that fired is twice as long in the next attempt.",
        f"Continuation: {policy.continuation}. A seam without proof: {policy.unverified}.",
        f"Held until complete: {', '.join(sorted(policy.hold)) or 'nothing'}.",
        *([f"The policy's own strategies also decide: {', '.join(own)}."] if own and not one else []),
    ]


def _turns(policy: Explained) -> list[str]:
    """What a budget does to a retry that it does not cover."""
    return [
        f"Retry budget: {policy.budget}. A retry that it does not cover waits for its turn.",
        "Waiting for a turn spends the stream's own patience as attempts would: the limits above end it.",
    ]


def _requests(policy: Explained) -> list[str]:
    """What limits the requests, where there may be more than one."""
    cap = policy.max_input_multiple
    billed = f"at most {cap or 0:g} times the first request's input and the output so far, or 50,000 tokens"
    models = [model if isinstance(model, str) else model["model"] for model in policy.fallback_models]
    instead = ", unless overload or a rate limit lets it ask the next model" if models else ""
    fallback = f"After two overloads or rate limits in a row it goes to the next of: {', '.join(models)}."
    return [
        f"Requests: at most {policy.max_attempts}, {policy.max_barren_attempts} in a row without progress.",
        "No deadline." if policy.deadline is None else f"Starts nothing after {policy.deadline:g} s.",
        "A server's x-should-retry outranks the table.",
        f"Obeys a retry-after up to {policy.retry_after_max:g} s; above that it gives up at once{instead}.",
        *([fallback] if models else []),
        f"A stream that was cut tries to connect again for {policy.unreachable_timeout:g} s.",
        "No cap on repeated input." if cap is None else f"Bills {billed}.",
        *(["No retry budget."] if policy.budget is None else _turns(policy)),
    ]
