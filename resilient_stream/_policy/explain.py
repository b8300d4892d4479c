"""A policy in plain words, for readers who decide whether to trust it: what follows each kind of failure,
and the limits."""

from __future__ import annotations

from typing import Protocol

from resilient_stream._core.failures import CONNECTION_KINDS, FINAL_KINDS, OVERLOAD_KINDS, Kind

from .fields import Fallback, Holdable

__all__ = ["explain"]


class Explained(Protocol):
    """The fields of a policy that the text uses."""

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
    """The text: a table of what the policy does after each kind of failure, then its limits."""
    met = [kind for kind in Kind if kind is not Kind.BUDGET]  # which no attempt ever fails with
    rows = [("after", "class", "retried", "limit", "wait"), *(_row(policy, kind) for kind in met)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*_headline(policy), *table, "", *_limits(policy)])


def _headline(policy: Explained) -> list[str]:
    return (
        []
        if policy.enabled
        else [
            "The policy is switched off: requests pass through unchanged. Switched on, it would do this:",
            "",
        ]
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
        return "decided by the policy's own strategy"
    if kind in CONNECTION_KINDS:
        ceiling = _ceiling(policy.wait_initial, policy.wait_max)
        return f"none after progress, else {ceiling}"
    return _ceiling(policy.overload_wait_initial, policy.overload_wait_max)


def _ceiling(initial: float, maximum: float) -> str:
    return f"up to {initial:g} s, doubling to {maximum:g} s"


def _limits(policy: Explained) -> list[str]:
    """What else the policy does: one sentence on each line."""
    own = [name for name in ("stop", "retry") if getattr(policy, name) is not None]
    one = policy.max_attempts == 1
    timeouts = (
        f"Timeouts: {policy.connect_timeout:g} s to connect, "
        f"{policy.first_event_timeout:g} s until the first event, "
        f"{policy.silence_timeout:g} s without a byte, {policy.stall_timeout:g} s with nothing but pings."
    )
    doubling = "If one of the last three fires, it doubles for the next attempt, up to four times its value."
    return [
        *(["Requests: one, and never another."] if one else _requests(policy)),
        timeouts,
        *([] if one else [doubling]),
        f"Continuation: {policy.continuation}. A seam that can't be verified: {policy.unverified}.",
        f"Blocks held until complete: {', '.join(sorted(policy.hold)) or 'none'}.",
        *([f"The policy's own strategies also decide: {', '.join(own)}."] if own and not one else []),
    ]


def _turns(policy: Explained) -> list[str]:
    """What happens to a retry that the budget does not cover."""
    return [
        f"Retry budget: {policy.budget}. A retry that it does not cover waits for its turn.",
        "Waits for a turn count toward the limits above as failed attempts would.",
    ]


def _requests(policy: Explained) -> list[str]:
    """What limits the requests, if there may be more than one."""
    cap = policy.max_input_multiple
    billed = f"at most {cap or 0:g} times the first request's input plus the output so far"
    models = [model if isinstance(model, str) else model["model"] for model in policy.fallback_models]
    instead = " or, after an overload or a rate limit, goes on with the next model" if models else ""
    fallback = (
        f"After two overloads or rate limits in a row, it asks the next of these models: {', '.join(models)}."
    )
    return [
        f"Requests: at most {policy.max_attempts}, {policy.max_barren_attempts} in a row without progress.",
        "Deadline: none."
        if policy.deadline is None
        else f"Deadline: no request is sent later than {policy.deadline:g} s after the call.",
        "An x-should-retry header from the server overrides the table.",
        f"Retry-After: obeyed up to {policy.retry_after_max:g} s; above that, the stream gives up{instead}.",
        *([fallback] if models else []),
        f"No network: a stream that was cut tries to connect again for {policy.unreachable_timeout:g} s.",
        "Billed input: no limit."
        if cap is None
        else f"Billed input: {billed}; 50,000 tokens are always allowed.",
        *(["Retry budget: none."] if policy.budget is None else _turns(policy)),
    ]
