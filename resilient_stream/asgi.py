"""The way in for ASGI applications: `Gateway`, a reverse proxy for the API whose streams survive.

It needs the extra ``serve``.
"""

from __future__ import annotations

from ._gateway.app import Gateway, Limits

__all__ = ["Gateway", "Limits"]
