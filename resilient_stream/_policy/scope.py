"""Policies for a block of code or for one call, and a pin for the calls of one conversation.

A client has one policy. The policy of a block or of a call reaches the middleware in two ways, neither of
which is sent: a context variable, and a request header whose value is the SDK's own `Omit`, which the SDK
leaves out of every request, with or without the library.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self, cast

from resilient_stream._core.record.ledger import Ledger
from resilient_stream.errors import PolicyError

from .model import RetryPolicy
from .switch import environment_override

if TYPE_CHECKING:
    from anthropic import Omit

HEADER: Final = "resilient-stream"
"""The header that `policy_option` sets; it is never sent."""

_SCOPE: ContextVar[RetryPolicy | None] = ContextVar("resilient_stream_policy", default=None)
_PINS: ContextVar[tuple[Pin, ...]] = ContextVar("resilient_stream_pins", default=())


class _Carrier:
    """A header that carries a policy to the middleware and is not sent."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy


@cache
def _carrier() -> type[Any]:
    """The class of such headers: a subclass of the SDK's `Omit`. It is made when it is first needed, so that
    only those who use it import the SDK."""
    from anthropic import Omit

    return type("PolicyHeader", (_Carrier, Omit), {})


def resolved(policy: RetryPolicy | str | None) -> RetryPolicy:
    """The policy after ``RESILIENT_STREAM`` in the environment was applied."""
    if isinstance(policy, str):
        policy = RetryPolicy.preset(policy)
    if not isinstance(cast("object", policy), RetryPolicy | None):
        raise PolicyError(f"a policy should be a RetryPolicy, the name of a preset, or None; not {policy!r}")
    return environment_override(policy or RetryPolicy(), os.environ)


@contextmanager
def policy_scope(policy: RetryPolicy | str | None) -> Generator[RetryPolicy]:
    """Use another policy for the streams that begin in a ``with`` block; yields the policy.

    It applies to resilient clients only, and to requests that are sent inside the block: for
    ``messages.stream``, the request is sent by the stream's own ``with``. Tasks that are started in the block
    use it too. Threads use it only if their context is copied, as `asyncio.to_thread` does. The innermost
    block counts. `policy_option` overrides it, and ``RESILIENT_STREAM`` in the environment overrides both. A
    client that was made with ``enabled=False`` can't be switched on.

    Args:
        policy: a `RetryPolicy`, the name of a preset, or None for the defaults.

    Raises:
        PolicyError: there is no such preset, or ``RESILIENT_STREAM`` has a value it can't have.
    """
    chosen = resolved(policy)
    token = _SCOPE.set(chosen)
    try:
        yield chosen
    finally:
        _SCOPE.reset(token)


def policy_option(policy: RetryPolicy | str | None) -> Mapping[str, Omit]:
    """Return ``extra_headers`` that set the policy of one call. No header is sent.

    ::

        client.messages.stream(..., extra_headers=policy_option("batch"))

    It can be combined with other headers: ``{**policy_option("batch"), "x-trace": "1"}``. Middleware that
    makes new headers, such as the SDK's refusal fallback, loses it. `policy_scope` works there.

    Args:
        policy: a `RetryPolicy`, the name of a preset, or None for the defaults.

    Raises:
        PolicyError: there is no such preset, or ``RESILIENT_STREAM`` has a value it can't have.
    """
    return {HEADER: _carrier()(resolved(policy))}


def chosen(option: object = None) -> RetryPolicy | None:
    """The policy that was chosen for a call; None if none was.

    Args:
        option: what the call's `HEADER` holds.
    """
    return option.policy if isinstance(option, _Carrier) else _SCOPE.get()


class Pin:
    """Keeps a conversation on the model that served its last turn.

    Once one of the policy's ``fallback_models`` has completed a stream, later streams inside ``with pin:``
    start with that model and its fields, instead of asking the overloaded model first. A stream that fails
    clears the pin. Use one pin for each conversation and enter it around every turn, from any task or thread,
    like the SDK's ``BetaFallbackState``.

    Args:
        model: where to start, for instance the ``pin.model`` of a conversation that was stored.
    """

    def __init__(self, model: str | None = None) -> None:
        self._model = model
        self._ledger: Ledger | None = None

    @property
    def model(self) -> str | None:
        """The model that served the last turn; None before the first and after a failure."""
        ledger = self._ledger
        if ledger is None or ledger.outcome in (None, "cancelled"):
            return self._model
        return None if ledger.outcome == "failed" else ledger.attempts[-1].model

    def follow(self, ledger: Ledger) -> None:
        """Begin the next turn."""
        self._model, self._ledger = self.model, ledger

    def __enter__(self) -> Self:
        _PINS.set((*_PINS.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        pins = list(_PINS.get())
        if self in pins:  # not if it was entered in another context
            del pins[len(pins) - 1 - pins[::-1].index(self)]
            _PINS.set(tuple(pins))

    def __repr__(self) -> str:
        return f"Pin({self.model!r})"


def pin() -> Pin | None:
    """The innermost pin, if there is one."""
    return next(reversed(_PINS.get()), None)
