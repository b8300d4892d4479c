"""Joins a reply in which no repetition of the text was found.

An announcement is cut. So are signs that only a model's opening can have: a marker that does not occur in the
text, a fence that is open already, an ellipsis in the middle of a sentence. If the reply begins with none of
these, it is joined as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import lines, markers
from .delivered import Had
from .joined import Asked, Join, Joined
from .lead_ins import Lead, Start
from .lines import Line
from .thresholds import PAUSES
from .whitespace import Mend, indent, is_settled, mend

NEAR: Final = 4000
"""Characters at the end of the text that are searched for an ellipsis, to see whether the text uses them."""


@dataclass(frozen=True)
class Unproved:
    """Joins a reply in which no repetition of the text was found.

    Args:
        asked: what the reply was asked to begin with.
        had: what was delivered.
    """

    asked: Asked
    had: Had

    def join(self, head: str, cut: int, how: Joined, *, final: bool) -> Join | None:
        """Join what follows ``cut``, or None if more of it is needed.

        Args:
            head: the beginning of the reply.
            cut: how many characters of it are left out.
            how: as in `Join`.
            final: whether to decide on this much of the head.
        """
        rest, space = head[cut:], self.asked.space
        if not final and not is_settled(space, rest, proved=False):
            return None
        blanks = rest[: len(rest) - len(rest.lstrip())]
        if head[:cut].endswith("\n") and "\n" in space and "\n" not in blanks:
            mended = Mend(indent(space, blanks))
        else:
            mended = self._mend(rest)
        return Join(cut + mended.drop, how, verified=False, supplied=mended.supply)

    def is_opening(self, head: str, start: Start) -> bool:
        """Whether what precedes ``start`` may be cut although nothing is repeated behind it."""
        if start.kind is Lead.UNKNOWN:
            return False
        if start.kind is Lead.REOPENED or not start.wrapped:
            return start.kind is not Lead.BARE
        if start.sign == "fence":  # a fence cannot follow the text's last character without a line break
            return self.had.fenced and not self.asked.space and not head[0].isspace()
        if start.sign == "marker":
            return not markers.is_own(start.wrapper.strip(), self.had.text)
        if start.sign == "tag":
            alone = head.startswith("\n", start.behind)
            return alone and self._is_inside and "<" not in self.had.text[-NEAR:]
        return start.sign == "dots" and self._is_left_out(head[start.at : start.at + 1])

    def behind(self, head: str, start: Start, *, final: bool) -> Join | None:
        """Join what follows an opening, or None if more of it is needed.

        Args:
            head: as in `join`.
            start: where the opening ends.
            final: as in `join`.
        """
        if not start.wrapped:
            return self.join(head, start.at, Joined.PREAMBLE, final=final)
        if start.sign == "fence" or (start.sign == "marker" and self.had.fenced):
            return self._behind_line(head, start, final=final)
        return self._behind_sign(head, start, final=final)

    def _behind_line(self, head: str, start: Start, *, final: bool) -> Join | None:
        """Join what follows a line that is cut, in code or table rows."""
        cut = start.behind + (start.sign == "marker" and head.startswith("\n", start.behind))
        if "\n" in self.asked.space or head.startswith("\n", cut):
            return self.join(head, cut, Joined.PREAMBLE, final=final)
        reopened = start.kind is Lead.REOPENED or start.sign == "marker"
        begins = lines.begins if reopened else lines.by_shape
        line = begins(self.had.text, head[cut:], fenced=True, final=final)
        if line is Line.NEXT:
            return Join(cut, Joined.PREAMBLE, verified=False, supplied="\n")
        if line is None:
            return None
        if line is Line.UNKNOWN and not reopened:
            return self.join(head, 0, Joined.AS_IS, final=final)
        return self.join(head, cut, Joined.PREAMBLE, final=final)

    def _behind_sign(self, head: str, start: Start, *, final: bool) -> Join | None:
        """Join what follows a marker or an ellipsis.

        The line break behind a marker is not part of the text. Neither is one in the middle of a sentence.
        """
        rest = head[start.behind :]
        if not final and not is_settled(self.asked.space, rest, proved=False):
            return None
        mended = self._mend(rest)
        if rest.startswith("\n") and not mended.drop and start.sign != "dots":
            return self.join(head, start.behind + 1, Joined.PREAMBLE, final=final)
        return Join(start.behind + mended.drop, Joined.PREAMBLE, verified=False, supplied=mended.supply)

    def _mend(self, rest: str) -> Mend:
        return mend(self.had.text, self.asked.space, rest, fenced=lambda: self.had.fenced, proved=False)

    def _is_left_out(self, first: str) -> bool:
        """Whether an ellipsis before ``first`` stands for what is left out: it is in the middle of a
        sentence, and the text has no ellipsis."""
        near = self.had.text[-NEAR:]
        own = "..." in near or "\u2026" in near
        return self._is_inside and not own and first.isalpha() and not first.isupper()

    @property
    def _is_inside(self) -> bool:
        """Whether the text ends in the middle of a sentence."""
        last = self.had.text[-1]
        return (last.isalnum() or last in PAUSES) and not self.had.fenced
