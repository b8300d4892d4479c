"""The part of the library that all streams of one client, transport or gateway share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from resilient_stream._core.plan.models import named
from resilient_stream._core.plan.planner import Planner, Step
from resilient_stream._core.turn.history import has_signed_thinking, healed, thinking_of
from resilient_stream._driver.runtime import Runtime
from resilient_stream._policy import scope
from resilient_stream._policy.budget import RetryBudget
from resilient_stream._policy.judge import Judgement
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._policy.settings import settings_of
from resilient_stream._report.record import ReportedRecord
from resilient_stream._telemetry.attributes import Url, of_server
from resilient_stream._telemetry.guard import guarded
from resilient_stream._telemetry.logs import watchers
from resilient_stream._telemetry.observers import Watch

from .abandoned import remember, remembered
from .context import StreamContext

log: Final = logging.getLogger("resilient_stream")

MESSAGES: Final = "/v1/messages"
HEALED: Final = (MESSAGES, f"{MESSAGES}/count_tokens")
"""The endpoints whose requests carry a history."""

MOST_REFUSALS: Final = 256
"""The most pairs of a model and a refused form that are kept for one tenant. A client has a handful."""

MOST_TENANTS: Final = 1024
"""The most tenants whose refusals are kept: as many as there are shared retry budgets."""


class Refusals(set[tuple[str, Step]]):
    """The forms of continuation that models have refused. If it is full, each new pair replaces another. A
    pair that was forgotten costs one rejected request."""

    def add(self, pair: tuple[str, Step], /) -> None:
        """Remember a pair."""
        if len(self) >= MOST_REFUSALS and pair not in self:
            self.pop()
        super().add(pair)


class Layer:
    """Begins streams under one policy, and remembers which forms of continuation models have refused.

    Args:
        policy: the policy of its streams, unless another is chosen for a call.
        runtime: clocks and randomness; None for the real ones.
    """

    def __init__(self, policy: RetryPolicy, runtime: Runtime | None = None) -> None:
        self.policy = policy
        self.runtime = runtime or Runtime()
        self._settings = settings_of(policy)
        self._refused: dict[str, Refusals] = {}

    def chosen(self, option: object = None) -> Layer:
        """The layer for one call: this one, or one with the policy that was chosen for the call.

        Args:
            option: the value of the call's `scope.HEADER`; None if it has no such header.
        """
        policy = scope.chosen(option)
        if policy is None or policy is self.policy:
            return self
        other = Layer(policy, self.runtime)
        other._refused = self._refused
        return other

    def why_not(self, *, method: str, path: str, streams: bool, body: object) -> str | None:
        """Why a call is not protected, in a few words; None if it is.

        Args:
            method: of the HTTP request, in any case.
            path: of the HTTP request, without a query, as the API itself has it.
            streams: whether the reply is asked for as a stream.
            body: the request's JSON; an object if it is a `Mapping`.
        """
        if not self.policy.enabled:
            return "the policy is switched off"
        if method.lower() != "post" or not path.endswith(MESSAGES):
            return "not a request for a message"
        if not streams:
            return "not a stream"
        return None if isinstance(body, Mapping) else "the body is not a JSON object"

    def healed(self, path: str, body: object) -> Mapping[str, Any] | None:
        """The request body with a history that the API will accept; None if nothing needs to change.

        Args:
            path: as in `why_not`.
            body: as in `why_not`. It is not changed.
        """
        if not (self.policy.enabled and self.policy.heal_history and isinstance(body, Mapping)):
            return None
        messages = body.get("messages")
        if not (path.endswith(HEALED) and isinstance(messages, list)):
            return None
        claude = "claude" in named(body) or has_signed_thinking(messages)
        kept = healed(messages, lambda thought: not (claude or remembered(thinking_of(thought))))
        if kept is messages:
            return None
        guarded(
            log.debug,
            "removed blocks of an interrupted turn from the history, because the API would refuse them",
        )
        return {**body, "messages": kept}

    def begin(
        self,
        body: Mapping[str, Any],
        *,
        url: Url | None = None,
        provider: str | None = None,
        tenant: str = "",
    ) -> StreamContext:
        """The context of a stream that begins now.

        Args:
            body: the request's JSON, all that will be sent. It is not changed, and read only for the model
                until something fails.
            url: where it goes, if that is known before the request is made.
            provider: by OpenTelemetry's names, if it is known; None to derive it from the host.
            tenant: whose stream it is, where one layer serves several that must not learn from each other.
        """
        record, pin = ReportedRecord(), scope.pin()
        record.turn.on_lost_thought = remember
        refused = self._refusals_of(tenant)
        planner = Planner(body, self._settings, refused, pin.model if pin is not None else None)
        if pin is not None:
            pin.follow(record.ledger)
        policy, runtime = self.policy, self.runtime
        observers = watchers(policy.observers, telemetry_on=policy.telemetry)
        server = {} if url is None else of_server(url, provider)
        budget = policy.budget if isinstance(policy.budget, RetryBudget) else None
        return StreamContext(
            policy=policy,
            settings=self._settings,
            planner=planner,
            judge=Judgement(policy, runtime.rng, budget, runtime.wall),
            record=record,
            watch=Watch(observers, planner.model, **server),
            runtime=runtime,
            provider=provider,
        )

    def _refusals_of(self, tenant: str) -> Refusals:
        found = self._refused.get(tenant)
        if found is None:
            if len(self._refused) >= MOST_TENANTS:
                self._refused.pop(next(iter(self._refused)), None)
            found = self._refused.setdefault(tenant, Refusals())
        return found
