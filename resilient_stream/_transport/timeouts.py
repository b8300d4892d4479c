"""The timeouts of a request of httpx's or httpx2's, and which of them are the user's wish.

Both packages give each request a timeout of 5 s in all four places unless told otherwise, and do not say
whether they were told. A model that thinks is silent for longer than that, so exactly this default is taken
for no wish: then the policy's clocks hold alone. Any other value is a wish, and wins where it is shorter.
Who wants 5 s says so in the policy, or asks for 4.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT: Final = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}
"""What a request has whose user said nothing [httpx 0.28 and httpx2, ``_config.py``]."""


def wished(extensions: Mapping[str, Any]) -> dict[str, float | None]:
    """The timeouts that the user asked for, by httpx's names; all None where the user said nothing.

    Args:
        extensions: the request's.
    """
    given = extensions.get("timeout")
    known = given if isinstance(given, Mapping) and dict(given) != DEFAULT else {}
    return {name: known.get(name) for name in DEFAULT}


def of_attempt(
    wish: Mapping[str, float | None], connect: float | None, first_event: float
) -> dict[str, float | None]:
    """The timeouts of one attempt, up to its head: the shorter of the policy's and the user's.

    Args:
        wish: as `wished` answers.
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
