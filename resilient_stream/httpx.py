"""For clients of httpx and httpx2: transports that continue broken streams.

::

    client = httpx.Client(transport=ResilientTransport())

`resilient_stream.resilient(client)` wraps the transports that a client has, with its proxies and limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._transport.transport import AsyncResilientTransport, ResilientTransport

__all__ = ["AsyncResilientTransport", "ResilientTransport"]


def __getattr__(name: str) -> object:
    """A public name. Its module, with the engine and pydantic, is imported when the name is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._transport import transport

    value = globals()[name] = getattr(transport, name)
    return value


def __dir__() -> list[str]:
    """The names, including those that are not imported yet."""
    return sorted({*globals(), *__all__})
