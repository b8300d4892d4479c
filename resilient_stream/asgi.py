"""For ASGI applications: `Gateway`, a reverse proxy for the API that continues broken streams.

It needs the extra ``serve``.
"""

from __future__ import annotations

from ._gateway.app import Gateway, Limits

__all__ = ["Gateway", "Limits"]
