"""The policies of a gateway's streams: its own, and the presets that a request may name instead."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final

from resilient_stream._driver.runtime import Runtime
from resilient_stream._policy import scope
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._policy.presets import preset_names
from resilient_stream._policy.redis_budget import RedisBudget
from resilient_stream._session.layer import Layer
from resilient_stream._telemetry.observers import Observer

from .errors import Refused
from .request import Incoming

HEADER: Final = "resilient-policy"

_SECRET: Final = secrets.token_bytes(32)


class Policies:
    """One layer for each policy. They share what was learnt about models, separately for each credential.

    Args:
        policy: of streams whose requests name none: a `RetryPolicy`, the name of a preset, or None for the
            defaults.
        observer: watches all streams.
        runtime: clocks and randomness; None for the real ones.
    """

    def __init__(
        self, policy: RetryPolicy | str | None, observer: Observer, runtime: Runtime | None = None
    ) -> None:
        self._observer = observer
        self._own = Layer(self._watched(scope.resolved(policy)), runtime)
        self._named: dict[str, Layer] = {}

    def of(self, incoming: Incoming) -> Layer:
        """The layer of a request.

        Raises:
            Refused: it names a policy that does not exist. Only presets can be named.
        """
        name = incoming.value(HEADER)
        if not name:
            return self._own
        if name not in self._named:
            if name not in preset_names():
                raise Refused(400, f"{HEADER} should be one of: {', '.join(preset_names())}")
            with scope.policy_scope(self._watched(self._sharing(scope.resolved(name)))):
                self._named[name] = self._own.chosen()
        return self._named[name]

    def _sharing(self, policy: RetryPolicy) -> RetryPolicy:
        """The preset with the budget that processes share, if the gateway's own policy has one."""
        own = self._own.policy.budget
        shares = isinstance(own, RedisBudget) and policy.budget == "shared"
        return policy.replace(budget=own) if shares else policy

    def _watched(self, policy: RetryPolicy) -> RetryPolicy:
        return policy.replace(observers=(*policy.observers, self._observer))


def credential(incoming: Incoming) -> str:
    """The credential by which the API knows whose request it is."""
    return repr((incoming.value("x-api-key"), incoming.value("authorization")))


def tenant(incoming: Incoming) -> str:
    """Whose request it is: a digest of its credential, under a secret of this process."""
    return blake2b(credential(incoming).encode(), digest_size=16, key=_SECRET).hexdigest()
