"""Message threads: a request says what is new, the rest is remembered.

``thread: {"type": "create"}`` has an answer remembered under its id; ``{"type": "continue",
"previous_message_id": ...}`` goes on from there. As with the API an answer that broke off is not held: who
continues it is told that there is no such thread, and the SDK says everything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rules import Refusal
from .transcript import listing, mapping

NOT_FOUND = Refusal(
    "thread", 404, "not_found_error", "thread: not found", details={"error_code": "thread_not_found"}
)
"""The code is the one that the SDK looks for; the words are the stand-in's own."""


class Threads:
    """The conversations that are held."""

    def __init__(self) -> None:
        """None yet."""
        self._held: dict[str, Mapping[str, Any]] = {}

    def recall(self, request: Any) -> Any:
        """The request with all that was said before it.

        Raises:
            KeyError: that is not held.
        """
        thread = mapping(mapping(request).get("thread"))
        if thread.get("type") != "continue":
            return request
        before = self._held[str(thread.get("previous_message_id"))]
        return {**before, **request, "messages": [*before["messages"], *listing(request.get("messages"))]}

    def hold(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Remember an answer, and all that led to it, where the request wants it."""
        if mapping(request.get("thread")):
            turn = {"role": "assistant", "content": answer["content"]}
            self._held[answer["id"]] = {**request, "messages": [*request["messages"], turn]}
