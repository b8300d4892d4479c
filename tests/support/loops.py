"""Event loops in real time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import anyio

LOOPS: Final = ("asyncio", "trio", "uvloop")

Result = TypeVar("Result")


def on_loop(name: str, law: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine function on an event loop."""
    if name == "uvloop":
        return anyio.run(law, backend="asyncio", backend_options={"use_uvloop": True})
    return anyio.run(law, backend=name)
