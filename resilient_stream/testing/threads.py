"""Message threads: a request contains what is new, and the stand-in remembers the rest.

``thread: {"type": "create"}`` makes the stand-in remember an answer under its id. ``{"type": "continue",
"previous_message_id": ...}`` continues from there. As with the API, an answer that broke off is not kept: a
request that continues it is told that there is no such thread, and the SDK sends the whole conversation
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rules import Refusal
from .transcript import listing, mapping

NOT_FOUND = Refusal(
    "thread", 404, "not_found_error", "thread: not found", details={"error_code": "thread_not_found"}
)
"""The code is the one that the SDK looks for; the message is the stand-in's own."""


class Threads:
    """The conversations that are remembered."""

    def __init__(self) -> None:
        """Begin without conversations."""
        self._held: dict[str, Mapping[str, Any]] = {}

    def recall(self, request: Any) -> Any:
        """The request with the conversation before it.

        Raises:
            KeyError: that is not held.
        """
        thread = mapping(mapping(request).get("thread"))
        if thread.get("type") != "continue":
            return request
        before = self._held[str(thread.get("previous_message_id"))]
        return {**before, **request, "messages": [*before["messages"], *listing(request.get("messages"))]}

    def hold(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Remember an answer and the conversation before it, if the request asks for that."""
        if mapping(request.get("thread")):
            turn = {"role": "assistant", "content": answer["content"]}
            self._held[answer["id"]] = {**request, "messages": [*request["messages"], turn]}
