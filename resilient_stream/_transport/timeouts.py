"""The timeouts of a request of httpx or httpx2, and which of them the user has set.

Both packages give each request four timeouts of 5 s by default, and do not say whether the user has set them.
A model that thinks is silent for longer than that. So exactly this default counts as not set, and only the
policy's timeouts apply. Any other value counts as set, and applies if it is shorter. To get 5 s, set it in
the policy, or set 4.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT: Final = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}
"""The timeouts of a request whose user has set none [httpx 0.28 and httpx2, ``_config.py``]."""


def wished(extensions: Mapping[str, Any]) -> dict[str, float | None]:
    """The timeouts that the user has set, by httpx's names; all None if the user has set none.

    Args:
        extensions: the request's.
    """
    given = extensions.get("timeout")
    known = given if isinstance(given, Mapping) and dict(given) != DEFAULT else {}
    return {name: known.get(name) for name in DEFAULT}


def of_attempt(
    wish: Mapping[str, float | None], connect: float | None, first_event: float
) -> dict[str, float | None]:
    """The timeouts of one attempt up to its headers: the shorter of the policy's and the user's.

    Args:
        wish: what `wished` returns.
        connect: the policy's ``connect_timeout``, in seconds.
        first_event: seconds that the first byte of the reply may take.
    """
    return {
        **wish,
        "connect": _shorter(wish["connect"], connect),
        "read": _shorter(wish["read"], first_event),
    }


def _shorter(wish: float | None, policy: float | None) -> float | None:
    known = [seconds for seconds in (wish, policy) if seconds is not None]
    return min(known) if known else None
