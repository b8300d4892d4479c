"""Decodes the server-sent events of a stream that consists of whole frames, for the SDK.

The SDK's decoder divides a chunk into lines twice, because the network may cut a frame anywhere and lines may
end in three ways. The library delivers whole frames, nearly all of an ``event`` line and a ``data`` line, so
one split of the decoded text is enough. With the events of `whole_frame` it takes less than half the time.
That saves a little more than the library needs for a delta itself.

The first frame of any other form, and everything behind it, is left to the SDK's own decoder. It begins in
the state that it would be in by then, because the frames before that have no field that outlasts its frame.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any, Protocol

from .whole_frame import DATA, EVENT


class SseDecoder(Protocol):
    """The interface of the SDK's decoder."""

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]: ...
    def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[Any]: ...


class WholeFrames:
    """A decoder with the interface and the events of the SDK's, for one stream.

    Args:
        sdk: the SDK's decoder, which gets what is left to it.
        event: makes an event of the SDK of the values of two lines.
    """

    def __init__(self, sdk: SseDecoder, event: Callable[[str, str], Any]) -> None:
        self._sdk = sdk
        self._event = event

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]:
        """The events in these chunks.

        What was delivered is forgotten before the next chunk is read, because this frame is in the traceback
        of the error that reading may end in.
        """
        for chunk in iterator:
            event = self._one(chunk)
            if event is not None:
                yield event
                del chunk, event
                continue
            events, rest = self._several(chunk)
            del chunk
            yield from events
            del events
            if rest:
                behind = self._sdk.iter_bytes(chain([rest], iterator))
                del rest
                yield from behind
                return

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """As `iter_bytes`."""
        async for chunk in iterator:
            event = self._one(chunk)
            if event is not None:
                yield event
                del chunk, event
                continue
            events, rest = self._several(chunk)
            del chunk
            for event in events:
                yield event
            del events, event
            if rest:
                behind = self._sdk.aiter_bytes(_followed(rest, iterator))
                del rest
                async for event in behind:
                    yield event
                    del event
                return

    def _one(self, chunk: bytes) -> Any:
        """The event of a chunk that is one frame, as nearly all are. None if it is not."""
        try:
            text = chunk.decode()
            name, data, end, behind = text.split("\n")
        except ValueError:
            return None
        return None if behind or "\r" in text else self._of(name, data, end)

    def _several(self, chunk: bytes) -> tuple[list[Any], bytes]:
        """The events of the frames before the first one that is left to the SDK, and the bytes from that one
        on."""
        try:
            lines = chunk.decode().split("\n")
        except UnicodeDecodeError:
            return [], chunk
        events, at = list[Any](), 0
        if b"\r" not in chunk:
            while len(lines) - at > 3 and (event := self._of(*lines[at : at + 3])) is not None:
                events.append(event)
                at += 3
        return events, "\n".join(lines[at:]).encode()

    def _of(self, name: str, data: str, end: str) -> Any:
        """The event of three lines; None if they are another kind of frame."""
        if end or not (name.startswith(EVENT) and data.startswith(DATA)):
            return None
        return self._event(name[len(EVENT) :], data[len(DATA) :])


async def _followed(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    del first
    async for chunk in others:
        yield chunk
        del chunk
