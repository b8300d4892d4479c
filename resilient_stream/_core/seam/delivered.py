"""The text that the consumer has received, prepared for comparison with a reply.

Comparing is done on keys (`fold`). All of the text is never folded: only its end, where the join is, and
its beginning, which a reply may repeat.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import Final

from .ending import STOPS
from .fences import in_fence, opened_at
from .joined import Asked
from .normalize import Folded
from .overlap import Places

WINDOW: Final = 1000
"""Characters at the end and at the beginning of the text that are compared by their keys."""

ALIKE: Final = 3
"""Letters that stand before two places, and are no accident."""

MOST_TRIED: Final = 20
"""Lines that are looked at for a heading."""

_HEADING: Final = re.compile(r"#{1,6}[ \t]+\S")
_BOLD_LINE: Final = re.compile(r"\*\*[^*\n]{1,100}\*\*:?[ \t]*(?:\n|$)")
_CLOSERS: Final = "\"'\u201d\u2019\u00bb*_)"
"""What may stand behind the stop of a sentence."""
_BORDER: Final = re.compile(r"(?:\n|[.!?:]\s|[\u3002\uff01\uff1f])\s*$")


class Had:
    """The end and the beginning of what the consumer has.

    Args:
        asked: what the reply was asked to begin with.
        reach: characters before the fragment's beginning to which the last paragraph counts at least.
    """

    def __init__(self, asked: Asked, reach: int) -> None:
        self._asked, self._reach = asked, reach
        self.text = asked.text or asked.quote
        self.space = asked.space
        self.first = max(0, len(self.text) - max(WINDOW, 3 * len(asked.quote)))
        """Where the part of the text begins that is compared by its key: near the end, or all."""
        self._once: dict[tuple[str, str], bool] = {}

    @cached_property
    def fenced(self) -> bool:
        """Whether the text ends inside a code fence: the line that opens it is over."""
        last = self.text.rfind("\n") + 1
        return in_fence(self.text) and ("\n" in self.space or in_fence(self.text[:last]))

    @cached_property
    def opener(self) -> str:
        """The line that opens a code fence, where the text ends in it: its language may be incomplete."""
        last = self.text.rfind("\n") + 1
        return "" if self.fenced or not in_fence(self.text) else self.text[last:]

    @cached_property
    def line(self) -> str:
        """The last line."""
        return self.text[self.text.rfind("\n") + 1 :]

    @cached_property
    def is_over(self) -> bool:
        """Whether a line or a sentence ends with the text."""
        return "\n" in self.space or self.text.rstrip(_CLOSERS)[-1:] in STOPS

    @cached_property
    def tail(self) -> Folded:
        """The text's end."""
        return Folded(self.text[self.first :])

    @cached_property
    def landmarks(self) -> list[int]:
        """Where a model may begin the text again, however far from its end: the text's beginning, its last
        heading, the paragraph that leads to an open fence, the fence, what is in it, the last paragraph."""
        text, found = self.text, {0, self.text.rfind("\n\n") + 2}
        for mark, heading in (("\n#", _HEADING), ("\n**", _BOLD_LINE)):
            at = len(text)
            for _ in range(MOST_TRIED):
                at = text.rfind(mark, 0, at)
                if at >= 0 and heading.match(text, at + 1):
                    found.add(at + 1)
                    break
        if self.fenced:
            fence = opened_at(text)
            found |= {fence, text.find("\n", fence) + 1, text.rfind("\n\n", 0, max(0, fence - 2)) + 2}
        return sorted(at for at in found if at != 1)

    @cached_property
    def far(self) -> list[tuple[int, str]]:
        """The landmarks before the tail, each with the key of what stands there."""
        return [(at, Folded(self.text[at : at + WINDOW]).key) for at in self.landmarks if at < self.first]

    @cached_property
    def opening(self) -> str:
        """The key of the text's beginning, as far as that is not in the tail."""
        return Folded(self.text[: min(WINDOW, self.first)]).key

    @cached_property
    def quote(self) -> str:
        """The key of the fragment."""
        return Folded(self._asked.quote).key

    @cached_property
    def fragment(self) -> int:
        """Where in the tail's key the fragment begins."""
        return len(self.tail.key) - len(self.quote)

    @cached_property
    def trailing(self) -> str:
        """What ends the text and has no key."""
        return self.text[self.first + self.tail.at[-1] + 1 :]

    @cached_property
    def earliest(self) -> int:
        """Where the passages begin that may be repeated: the last paragraph, or twice the fragment.

        What stands before that comes again in refrains and in rows that are alike; models that begin
        again there, but at none of the `landmarks`, have not been seen.
        """
        near = len(self.text) - 2 * len(self._asked.quote) - self._reach
        return max(0, min(near, self.text.rfind("\n\n") + 2))

    @cached_property
    def places(self) -> Places:
        """Where in the tail's key each character is."""
        return Places(self.tail.key)

    @cached_property
    def beginnings(self) -> int:
        """The places in the tail's key where a repetition is likely to begin: those of the text and of the
        fragment."""
        begun = bisect_right(range(len(self.tail.key)), 0, key=self.place)
        return (1 << begun) - 1 | 1 << self.fragment

    @cached_property
    def near(self) -> int:
        """The places in the tail's key where a repetition may begin: the text's beginning, the landmarks, and
        all from `earliest` on."""
        count = range(len(self.tail.key))
        begun = bisect_right(count, 0, key=self.place)
        early = bisect_left(count, self.earliest, key=self.place)
        found = (1 << begun) - 1 | (1 << len(count)) - (1 << early)
        for landmark in self.landmarks:
            if landmark >= self.first and (at := bisect_left(count, landmark, key=self.place)) < len(count):
                found |= 1 << at
        return found

    @cached_property
    def habitual(self) -> int:
        """The places in the tail's key before which it is as at its end: what stands there may come again.
        Numbers change from row to row."""
        shape = re.sub(r"\d", "0", self.tail.key)
        end, found = shape[-ALIKE:], 0
        at = shape.find(end) if len(end) == ALIKE else -1
        while at >= 0:
            found |= 1 << at + ALIKE
            at = shape.find(end, at + 1)
        return found

    def place(self, at: int) -> int:
        """Where in the text a character of the tail's key is, or its end; 0 for the first not blank."""
        if at == len(self.tail.key):
            return len(self.text)
        place = self.first + self.tail.at[at]
        return place if place > self._leading else 0

    def begins(self, count: int) -> int:
        """Where in the text the last ``count`` characters of its key begin."""
        return self.place(len(self.tail.key) - count)

    def is_border(self, at: int) -> bool:
        """Whether a line or a sentence of the text begins at ``at``."""
        return at == 0 or _BORDER.search(self.text, max(0, at - 40), at) is not None

    def goes_on_as_at(self, at: int) -> bool:
        """Whether the tail's key ends as it does before ``at``."""
        return bool(self.habitual >> at & 1)

    def says_once(self, key: str, raw: str) -> bool:
        """Whether the text says only once what a reply begins with; rows of a table may begin alike."""
        if (known := self._once.get((key, raw))) is None:
            known = self.tail.key.count(key) + self.opening.count(key) < 2 and self.text.count(raw) < 2
            self._once[key, raw] = known
        return known

    @cached_property
    def _leading(self) -> int:
        """White space that the text begins with."""
        return len(self.text) - len(self.text.lstrip())
