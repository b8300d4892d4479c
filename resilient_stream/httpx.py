"""For clients of httpx and httpx2: transports that continue broken streams.

::

    client = httpx.Client(transport=ResilientTransport())

`resilient_stream.resilient(client)` wraps the transports that a client has, with its proxies and limits.
"""

from __future__ import annotations

from ._transport.transport import AsyncResilientTransport, ResilientTransport

__all__ = ["AsyncResilientTransport", "ResilientTransport"]
