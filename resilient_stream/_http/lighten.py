"""Releases what an exception refers to, so that an exception that is kept during the next attempt keeps
nothing large.
"""

from __future__ import annotations

import contextlib
import gc
import traceback
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from .dialect import CORE, HTTP, classes

if TYPE_CHECKING:
    from httpx2 import Request

_TRANSPORT: Final = frozenset({"resilient_stream", *HTTP, *CORE, "h11", "h2", "anyio"})
"""The packages whose frames have ended when a body has failed."""


def lighten(links: Iterable[BaseException], request: Request) -> None:
    """Release what exceptions of a transport refer to.

    The frames in their tracebacks refer to the connection, and to the body of a request, which may be a large
    continuation. Only frames of the transport are cleared, and only those that have ended: streams that share
    a connection of HTTP/2 may share its exception, and another task may still be in a frame of its traceback.

    Args:
        links: the exception and those it was made from.
        request: the one that the user wrote; a transport's exception names it in place of ours.
    """
    named = classes(HTTP, "RequestError")
    for link in links:
        if isinstance(link, named):
            raised: Any = link
            raised.request = request
        for frame, _ in traceback.walk_tb(link.__traceback__):
            # Before Python 3.13, clearing a suspended frame ends its coroutine. The collector finds nothing
            # in a frame that has not ended, but a debugger: its generator or thread has what it refers to.
            if _is_transports(frame) and any(each is not frame.f_trace for each in gc.get_referents(frame)):
                with contextlib.suppress(RuntimeError):  # it is still running
                    frame.clear()


def _is_transports(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _TRANSPORT
