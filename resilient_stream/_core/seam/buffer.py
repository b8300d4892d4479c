"""Holds the head of one reply until its join is decided.

If a reply repeats a long text, it is compared with the text as it arrives instead, and the repetition is
dropped piece by piece. So little of the reply is kept, and nothing is compared twice.

The decision is made on the shortest beginning of the reply that allows one. So it depends on the reply alone,
and not on how the reply is divided into deltas.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from resilient_stream._core.wire import events

from .joined import Asked, Decision, Diverged, Follow, Join
from .restart import follow

if TYPE_CHECKING:
    from .join import Joiner


class Splice:
    """Joins one reply.

    Args:
        asked: what the reply was asked to begin with.
    """

    def __init__(self, asked: Asked) -> None:
        self._seam = _joiner(asked)
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
        """What is held, without half a surrogate pair at its end."""

    def grow(self, text: str) -> None:
        """Add text of the reply to the head."""
        text = events.paired(self._half + text)
        self._half = text[-1:] if events.ends_in_half({"text": text}) else ""
        self.head += text[: len(text) - len(self._half)]

    def decide(self, *, final: bool) -> Join | Diverged | None:
        """The join, with ``cut`` counted from the beginning of the reply; None if more of it is needed.

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
        """The text to deliver from what has arrived so far."""
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
        """The decision that the shortest sufficient beginning of the head allows; None if there is none."""
        end = self._looked
        while end < len(self.head):
            end = end + 1 if self._joined is None else len(self.head)  # `watch` needs no single letters
            if decided := self._ask(self.head[:end], final=False):
                return decided
        self._looked = len(self.head)
        return self._ask(self.head, final=True) if final else None

    def _ask(self, head: str, *, final: bool) -> Decision:
        decided = self._joined or self._join(head, final=final)
        if not isinstance(decided, Join):
            return decided
        if not final:  # kept, because this block may end and the next one continue the text
            self._joined = decided
        return self._seam.watch(head, decided, final=final)

    def _join(self, head: str, *, final: bool) -> Decision:
        if self._followed is None:
            return self._seam.join(head, final=final)
        return self._seam.behind(head, self._followed, final=final, left=self._left)

    def _follow(self, following: Follow, *, final: bool) -> bool:
        """Compare the head with the text; True if the repetition is over and the join can be decided."""
        followed = follow(self._text, following.at, self.head)
        if followed.diverged or (final and followed.at < len(self._text)):
            self._diverged = self._taken is None
            return self._take_back()
        self._drop(followed.cut)
        self._left = self._left or followed.left
        self._following = following._replace(at=followed.at)
        if followed.at < len(self._text):
            return False
        self._following, self._followed = None, following
        return True

    def _take_back(self) -> bool:
        """Put back what was dropped behind an earlier repetition, because it turned out to be the text's own;
        False if nothing was dropped there."""
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


def _joiner(asked: Asked) -> Joiner:
    """What decides the join. Its modules, most of them patterns, are imported with the first continuation of
    a process: they are a sixth of the library's import, and most programs see few failures."""
    from .join import Joiner

    return Joiner(asked)
