"""The grammar of one message's stream.

``message_start``, then blocks one after the other, each with ``content_block_start``, deltas and
``content_block_stop`` under the next index, then ``message_delta`` between blocks, then
``message_stop``; no block after the stop reason [platform docs, "Streaming"]. A stop reason may come while
a block is open: ``max_tokens`` inside a tool call looks so (SDK's tests). What breaks the grammar would make
the SDK above fail in its own ways, or worse, accept two messages as one. Events that are not named here
may come anywhere.
"""

from __future__ import annotations

from typing import Any

from resilient_stream._core.failures import Flaw, Kind

from .events import Event


class Grammar:
    """Checks the events of one attempt, in order."""

    def __init__(self) -> None:
        self.opening: dict[str, Any] | None = None
        """The message of ``message_start``."""
        self.open: dict[str, Any] | None = None
        """The content block that is open."""
        self.index = -1
        """The index of the block that is open, or was last."""
        self.stop_reason: str | None = None

    def check(self, event: Event) -> None:
        """Take the next event.

        Raises:
            Flaw: it can't come here (`Kind.PROTOCOL`), or ends a message that has no stop reason
                (`Kind.TRUNCATED`).
        """
        match event.type:
            case "message_start":
                self._message_start(event.data.get("message"))
            case "content_block_start":
                self._block_start(event.data.get("index"), event.data.get("content_block"))
            case "content_block_delta":
                self._in_block(event, isinstance(event.data.get("delta"), dict))
            case "content_block_stop":
                self._in_block(event, well_formed=True)
                self.open = None
            case "message_delta":
                self._message_delta(event.data.get("delta"), event.data.get("usage"))
            case "message_stop" if self.stop_reason is None:
                raise Flaw(Kind.TRUNCATED, "message_stop without a stop reason")
            case _:
                pass

    def _message_start(self, message: Any) -> None:
        if self.opening is not None or not isinstance(message, dict):
            raise Flaw(Kind.PROTOCOL, "a second message_start" if self.opening else "a broken message_start")
        self.opening = message

    def _block_start(self, index: Any, block: Any) -> None:
        if (
            self.opening is None
            or self.open is not None
            or self.stop_reason is not None
            or not _is(index, self.index + 1)
            or not isinstance(block, dict)
            or not isinstance(block.get("type"), str)
        ):
            raise Flaw(Kind.PROTOCOL, "a content_block_start out of place")
        self.index += 1
        self.open = block

    def _in_block(self, event: Event, well_formed: bool) -> None:  # noqa: FBT001 -- private, called by position once
        if self.open is None or not _is(event.data.get("index"), self.index) or not well_formed:
            raise Flaw(Kind.PROTOCOL, f"a {event.type} out of place")

    def _message_delta(self, delta: Any, usage: Any) -> None:
        ending = isinstance(delta, dict) and delta.get("stop_reason") is not None
        if self.opening is None or not isinstance(delta, dict) or (self.open is not None and not ending):
            raise Flaw(Kind.PROTOCOL, "a message_delta out of place")
        if usage is not None and not isinstance(usage, dict):
            raise Flaw(Kind.PROTOCOL, "a message_delta with broken usage")
        self.stop_reason = delta.get("stop_reason") or self.stop_reason


def _is(index: Any, number: int) -> bool:
    """Whether a JSON value is this number; true and 1.0 are not 1."""
    return type(index) is int and index == number
