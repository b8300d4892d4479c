"""Copies clients of httpx and httpx2 with wrapped transports.

A client that is given a transport by hand ignores its own ``proxy``, ``verify``, ``http2`` and ``limits``. So
the transports that the client has made from them are wrapped. Neither package has a public way to a client's
transports. The two private attributes are named only here (seen in httpx 0.28 and httpx2 2.16); if they are
missing, the client is refused.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from resilient_stream._http.dialect import HTTP

if TYPE_CHECKING:
    from resilient_stream._journal.journal import Journal
    from resilient_stream._policy.model import RetryPolicy

TRANSPORT: Final = "_transport"
MOUNTS: Final = "_mounts"


def is_client(client: object) -> bool:
    """Whether this is a client of httpx or httpx2."""
    return any(
        kind.__name__ in ("Client", "AsyncClient") and kind.__module__.partition(".")[0] in HTTP
        for kind in type(client).__mro__
    )


def resilient(client: Any, policy: RetryPolicy | str | None, journal: Journal | None = None) -> Any:
    """A copy of a client with wrapped transports. It shares the connections, and closing one closes both.

    Raises:
        TypeError: the client does not have the attributes in which its transports are expected.
    """
    missing = [name for name in (TRANSPORT, MOUNTS) if name not in vars(client)]
    if missing:
        raise TypeError(
            f"the transports of this {type(client).__name__} are not found ({', '.join(missing)}); give it a "
            "resilient_stream.httpx.ResilientTransport by hand"
        )
    from .transport import AsyncResilientTransport, ResilientTransport  # for clients of these packages only

    kind = AsyncResilientTransport if hasattr(client, "aclose") else ResilientTransport
    made = copy.copy(client)

    def wrapped(transport: Any) -> Any:
        below = transport.wrapped if isinstance(transport, kind) else transport
        return None if transport is None else kind(below, policy, auth=lambda: made.auth, journal=journal)

    setattr(made, TRANSPORT, wrapped(getattr(client, TRANSPORT)))
    setattr(made, MOUNTS, {pattern: wrapped(one) for pattern, one in getattr(client, MOUNTS).items()})
    return made
