"""The head of one reply on its way through the seam.

It is kept until its join is decided. A reply that tells a long text again is followed along it instead,
and what it repeats is dropped as it comes, so that little is kept of it and nothing is looked at twice.
"""

from __future__ import annotations

from dataclasses import replace

from resilient_stream._core.wire import events

from .join import Joiner
from .joined import Asked, Diverged, Follow, Join
from .restart import follow


class Splice:
    """Joins one reply.

    Args:
        asked: what it was asked to begin with.
    """

    def __init__(self, asked: Asked) -> None:
        self._seam = Joiner(asked)
        self._text = asked.text
        self._following: Follow | None = None
        self._left = ""
        self._half = ""
        self._dropped = 0
        self.head = ""
        """What is held, less half of a character at its end."""

    def grow(self, text: str) -> None:
        """More of the reply."""
        text = events.paired(self._half + text)
        self._half = text[-1:] if events.ends_in_half({"text": text}) else ""
        self.head += text[: len(text) - len(self._half)]

    def decide(self, *, final: bool) -> Join | Diverged | None:
        """The join, ``cut`` counted from the beginning of the reply; None if more of it is needed.

        Args:
            final: whether no more will come.
        """
        if final:
            self.head, self._half = self.head + self._half, ""
        decided = self._decide(final=final)
        return replace(decided, cut=decided.cut + self._dropped) if isinstance(decided, Join) else decided

    def rest(self, joined: Join) -> str:
        """What is handed over of what came so far."""
        return joined.supplied + self.head[joined.cut - self._dropped :] + self._half

    def _decide(self, *, final: bool) -> Join | Diverged | None:
        if self._following is None:
            decided = self._seam.join(self.head, final=final)
            if not isinstance(decided, Follow):
                return decided
            self._following = decided
            self._drop(decided.cut)
        return self._follow(self._following, final=final)

    def _follow(self, following: Follow, *, final: bool) -> Join | Diverged | None:
        told = follow(self._text, following.at, self.head)
        self._drop(told.cut)
        self._left = self._left or told.left
        self._following = replace(following, at=told.at)
        if told.diverged:
            return Diverged()
        if told.at == len(self._text):
            return self._seam.behind(self.head, following.how, final=final, left=self._left)
        return Diverged() if final else None

    def _drop(self, count: int) -> None:
        self._dropped += count
        self.head = self.head[count:]
