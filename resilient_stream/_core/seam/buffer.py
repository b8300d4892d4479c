"""Holds the head of one reply until its join is decided.

A reply that repeats a long text is followed along it instead,
and what it repeats is dropped as it comes, so that little is kept of it and nothing is looked at twice.

The decision is taken on the shortest beginning of the reply that allows one. So it depends on the reply
alone, and not on the deltas in which it comes.
"""

from __future__ import annotations

from dataclasses import replace

from resilient_stream._core.wire import events

from .join import Joiner
from .joined import Asked, Decision, Diverged, Follow, Join
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
        self._followed: Follow | None = None
        self._joined: Join | None = None
        self._taken: list[str] | None = None
        self._diverged = False
        self._left = ""
        self._half = ""
        self._dropped = 0
        self._looked = 0
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
        if self._diverged:
            return Diverged()
        if final:
            self.head, self._half = self.head + self._half, ""
        decided = self._decide(final=final)
        return replace(decided, cut=decided.cut + self._dropped) if isinstance(decided, Join) else decided

    def rest(self, joined: Join) -> str:
        """What is delivered of what came so far."""
        return joined.supplied + self.head[joined.cut - self._dropped :] + self._half

    def _decide(self, *, final: bool) -> Join | Diverged | None:
        while True:
            if self._following is not None and not self._follow(self._following, final=final):
                return Diverged() if self._diverged else None
            decided = self._look(final=final)
            if not isinstance(decided, Follow):
                return decided
            self._following, self._taken = decided, [] if decided.again else None
            self._drop(decided.cut)

    def _look(self, *, final: bool) -> Decision:
        """The decision on the shortest beginning of the head that allows one."""
        for end in range(self._looked + 1, len(self.head) + 1):
            if decided := self._ask(self.head[:end], final=False):
                return decided
        self._looked = len(self.head)
        return self._ask(self.head, final=True) if final else None

    def _ask(self, head: str, *, final: bool) -> Decision:
        decided = self._joined or self._join(head, final=final)
        if not isinstance(decided, Join):
            return decided
        if not final:  # a block may end, and the next one go on with the text
            self._joined = decided
        return self._seam.watch(head, decided, final=final)

    def _join(self, head: str, *, final: bool) -> Decision:
        if self._followed is None:
            return self._seam.join(head, final=final)
        return self._seam.behind(head, self._followed, final=final, left=self._left)

    def _follow(self, following: Follow, *, final: bool) -> bool:
        """Follow the text as far as the head goes; whether that is over, and the join may be decided."""
        followed = follow(self._text, following.at, self.head)
        if followed.diverged or (final and followed.at < len(self._text)):
            self._diverged = self._taken is None
            return self._take_back()
        self._drop(followed.cut)
        self._left = self._left or followed.left
        self._following = replace(following, at=followed.at)
        if followed.at < len(self._text):
            return False
        self._following, self._followed = None, following
        return True

    def _take_back(self) -> bool:
        """What was repeated behind a repetition is the text's own: it is joined as it came. Whether that is
        so."""
        if self._taken is None:
            return False
        taken = "".join(self._taken)
        self.head, self._dropped, self._looked = taken + self.head, self._dropped - len(taken), 0
        self._seam, self._following, self._taken = replace(self._seam, looks=False), None, None
        return True

    def _drop(self, count: int) -> None:
        if self._taken is not None:
            self._taken.append(self.head[:count])
        self._dropped += count
        self.head = self.head[count:]
        self._looked = 0
