"""Which streams share a retry budget: those of one process that use one API with one account."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from .budget import RetryBudget, renewed_after_fork

__all__ = ["account", "shared_budget"]

LARGEST_REGISTRY: Final = 1024
"""The most shared budgets of a process. Then the one that was not used for the longest time is dropped."""


class Registry:
    """The shared budgets of a process, by base URL and credential.

    The key is a digest under a secret, so a dump of the process's memory does not show the credential here.

    Args:
        largest: how many are kept.
        secret: None for one of this process's own, so that digests of two processes can't be compared.
    """

    def __init__(self, largest: int = LARGEST_REGISTRY, secret: bytes | None = None) -> None:
        self._largest = largest
        self._secret = secrets.token_bytes(32) if secret is None else secret
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Drop all budgets, because this is a forked child."""
        self._lock = threading.Lock()
        self._budgets: OrderedDict[bytes, RetryBudget] = OrderedDict()

    def budget(self, base_url: str, credential: str | None) -> RetryBudget:
        """The budget of this API and credential, created with the first call. A trailing slash makes no
        difference."""
        return self.of(self.key(base_url, credential))

    def of(self, key: bytes) -> RetryBudget:
        """The budget with this key, created with the first call."""
        with self._lock:
            found = self._budgets.get(key)
            if found is None:
                found = self._budgets[key] = RetryBudget()
            self._budgets.move_to_end(key)
            if len(self._budgets) > self._largest:
                self._budgets.popitem(last=False)
        return found

    def all(self) -> list[tuple[bytes, RetryBudget]]:
        """All budgets with their keys."""
        with self._lock:
            return list(self._budgets.items())

    def key(self, base_url: str, credential: str | None) -> bytes:
        """The digest of that pair."""
        return self._key(base_url.rstrip("/"), credential)

    def _key(self, *parts: str | None) -> bytes:
        # repr keeps ("a", "bc") and ("ab", "c"), and None and "None", apart.
        return blake2b(repr(parts).encode(), key=self._secret).digest()


_REGISTRY: Final = Registry()


def account(url: str, headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The base URL and the credential of a request.

    Args:
        url: the request's. What follows ``/v1/`` is not part of the base.
        headers: the request's, names in any case or in lower case. Of an AWS signature, which
            differs for every request, only the key's id counts.
    """
    base, versioned, _ = url.partition("/v1/")
    if not versioned:  # the older Bedrock paths contain the model
        base = "/".join(url.split("/", 3)[:3])
    credential = headers.get("x-api-key") or headers.get("authorization")
    if credential is not None and "Credential=" in credential:
        credential = credential.partition("Credential=")[2].partition("/")[0]
    return base, credential


def shared_budget(base_url: str, credential: str | None) -> RetryBudget:
    """The budget of this process for an API and a credential.

    Args:
        base_url: where requests go; a trailing slash makes no difference.
        credential: the API key or token, or None. Only a keyed digest of it is kept.
    """
    return _REGISTRY.budget(base_url, credential)
