"""The text that the consumer has received, prepared for comparison with a reply.

Texts are compared by their keys (`normalize`). The key of the whole text is never made: only that of its end,
where the join is, and that of its beginning, which a reply may repeat.
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
"""Characters at each end of the text that are compared by their keys."""

ALIKE: Final = 3
"""Letters before two places that must agree for the places to count as alike."""

MOST_TRIED: Final = 20
"""The largest number of lines that are examined for a heading."""

_HEADING: Final = re.compile(r"#{1,6}[ \t]+\S")
_BOLD_LINE: Final = re.compile(r"\*\*[^*\n]{1,100}\*\*:?[ \t]*(?:\n|$)")
_CLOSERS: Final = "\"'\u201d\u2019\u00bb*_)"
"""Signs that may follow the full stop of a sentence."""
_STOPS: Final = "\u3002\uff01\uff1f"
"""Full stops that no white space has to follow."""
_BORDERS: Final = re.compile(rf"(?:\n|[.!?:]\s|[{_STOPS}])\s*")
_BORDER: Final = re.compile(_BORDERS.pattern + "$")
LONGEST_BORDER: Final = 40
"""Characters between two sentences that are looked at."""


class Had:
    """The end and the beginning of what the consumer has.

    Args:
        asked: what the reply was asked to begin with.
        reach: a passage that is repeated may begin at least this many characters, and another length of the
            fragment, before the fragment. It may begin further back if the last paragraph does.
    """

    def __init__(self, asked: Asked, reach: int) -> None:
        self._asked, self._reach = asked, reach
        self.text = asked.text or asked.quote
        self.space = asked.space
        self.first = max(0, len(self.text) - max(WINDOW, 3 * len(asked.quote)))
        """Where the part of the text begins that is compared by its key (the *tail*)."""
        self._once: dict[tuple[str, str], bool] = {}

    @cached_property
    def fenced(self) -> bool:
        """Whether the text ends inside a code fence, behind the line that opens it."""
        last = self.text.rfind("\n") + 1
        return self._fence >= 0 and ("\n" in self.space or in_fence(self.text[:last]))

    @cached_property
    def _fence(self) -> int:
        """As `opened_at` of the text."""
        return opened_at(self.text)

    @cached_property
    def opener(self) -> str:
        """The line that opens a code fence, if the text ends in that line. Its language may be incomplete."""
        last = self.text.rfind("\n") + 1
        return "" if self.fenced or self._fence < 0 else self.text[last:]

    @cached_property
    def line(self) -> str:
        """The last line."""
        return self.text[self.text.rfind("\n") + 1 :]

    @cached_property
    def is_over(self) -> bool:
        """Whether the text ends with the end of a line or sentence."""
        return "\n" in self.space or self.text.rstrip(_CLOSERS)[-1:] in STOPS

    @cached_property
    def tail(self) -> Folded:
        """The text's end."""
        return Folded(self.text[self.first :])

    @cached_property
    def landmarks(self) -> list[int]:
        """Places where a model may begin the text again, however far they are from its end.

        They are the beginnings of the text, of its last heading, of the last paragraph, of an open fence, of
        the fence's content, and of the paragraph before the fence.
        """
        text, found = self.text, {0, self.text.rfind("\n\n") + 2}
        for mark, heading in (("\n#", _HEADING), ("\n**", _BOLD_LINE)):
            at = len(text)
            for _ in range(MOST_TRIED):
                at = text.rfind(mark, 0, at)
                if at >= 0 and heading.match(text, at + 1):
                    found.add(at + 1)
                    break
        if self.fenced:
            fence = self._fence
            found |= {fence, text.find("\n", fence) + 1, text.rfind("\n\n", 0, max(0, fence - 2)) + 2}
        return sorted(at for at in found if at != 1)

    @cached_property
    def far(self) -> list[tuple[int, str]]:
        """The landmarks before the tail, each with the key of the text from there on."""
        return [(at, Folded(self.text[at : at + WINDOW]).key) for at in self.landmarks if at < self.first]

    @cached_property
    def opening(self) -> str:
        """The key of the text's beginning, without what is in the tail."""
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
        """The end of the text that has no key, such as invisible characters."""
        return self.text[self.first + self.tail.at[-1] + 1 :]

    @cached_property
    def earliest(self) -> int:
        """Where the earliest passage begins that counts as repeated, beside the `landmarks`.

        Earlier passages come again in refrains and in table rows that are alike. No model has been seen that
        begins again there and not at a landmark.
        """
        near = len(self.text) - 2 * len(self._asked.quote) - self._reach
        return max(0, min(near, self.text.rfind("\n\n") + 2))

    @cached_property
    def places(self) -> Places:
        """The places of each character in the tail's key."""
        return Places(self.tail.key)

    @cached_property
    def borders(self) -> list[int]:
        """The places in the tail's key where the text, or a line or a sentence of it begins."""
        tail, before = self.tail.at, max(0, self.first - LONGEST_BORDER)
        found = [0] if tail and self.place(0) == 0 else []
        for border in _BORDERS.finditer(self.text, before):
            place = border.end() - self.first
            at = bisect_left(tail, place)
            if at < len(tail) and tail[at] == place:
                found.append(at)
        return found

    @cached_property
    def beginnings(self) -> int:
        """The places in the tail's key where a repetition is likely to begin: the beginnings of the text and
        of the fragment. A set of bits (`overlap`)."""
        begun = bisect_right(range(len(self.tail.key)), 0, key=self.place)
        return (1 << begun) - 1 | 1 << self.fragment

    @cached_property
    def near(self) -> int:
        """The places in the tail's key where a repetition may begin: the text's beginning, the landmarks, and
        every place from `earliest` on. A set of bits."""
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
        """The places in the tail's key behind the same letters as those at its end. A set of bits.

        What followed those letters before may follow them again, as in a table. Digits count as equal,
        because numbers change from row to row.
        """
        shape = re.sub(r"\d", "0", self.tail.key)
        end, found = shape[-ALIKE:], 0
        at = shape.find(end) if len(end) == ALIKE else -1
        while at >= 0:
            found |= 1 << at + ALIKE
            at = shape.find(end, at + 1)
        return found

    def place(self, at: int) -> int:
        """Where in the text a character of the tail's key is; the text's length for the key's end, and 0 for
        the first character that is not blank."""
        if at == len(self.tail.key):
            return len(self.text)
        place = self.first + self.tail.at[at]
        return place if place > self._leading else 0

    def begins(self, count: int) -> int:
        """Where in the text the passage begins whose key is the last ``count`` characters of the text's
        key."""
        return self.place(len(self.tail.key) - count)

    def is_border(self, at: int) -> bool:
        """Whether a line or a sentence of the text begins at ``at``."""
        if at == 0:
            return True
        before = self.text[at - 1]  # looked at first, because the pattern takes ten times as long
        may_be = before.isspace() or before in _STOPS
        return may_be and _BORDER.search(self.text, max(0, at - LONGEST_BORDER), at) is not None

    def goes_on_as_at(self, at: int) -> bool:
        """Whether the tail's key has the same letters before ``at`` as at its end."""
        return bool(self.habitual >> at & 1)

    def says_once(self, key: str, raw: str) -> bool:
        """Whether the beginning of a reply occurs only once in the text. Table rows may all begin alike.

        Args:
            key: the key of that beginning.
            raw: that beginning itself.
        """
        if (known := self._once.get((key, raw))) is None:
            known = self.tail.key.count(key) + self.opening.count(key) < 2 and self.text.count(raw) < 2
            self._once[key, raw] = known
        return known

    @cached_property
    def _leading(self) -> int:
        """Length of the white space at the text's beginning."""
        return len(self.text) - len(self.text.lstrip())
