"""How long the API has asked to wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple


class Asked(NamedTuple):
    """A wait that the API has asked for. Times are those of one clock."""

    until: float = -inf
    """The end of the wait."""
    said: float = -inf
    """When the API asked for it."""
    served: float = -inf
    """When the latest request was sent that was served. An earlier wait is over."""

    def shifted(self, by: float) -> Asked:
        """The same on a clock that is ``by`` seconds ahead."""
        return Asked(self.until + by, self.said + by, self.served + by)


NOTHING: Final = Asked()


@dataclass(slots=True)
class Hold:
    """How long the API has asked this process and others to wait. The first three fields are those of
    `Asked`."""

    until: float = -inf
    said: float = -inf
    served: float = -inf
    elsewhere: Asked = NOTHING
    """The waits that other processes were asked for."""

    @property
    def asked(self) -> Asked:
        """The wait that this process was asked for."""
        return Asked(self.until, self.said, self.served)

    @property
    def end(self) -> float:
        """When the wait is over."""
        other = self.elsewhere
        own = self.until if self.said >= other.served else -inf
        return max(own, other.until) if other.said >= self.served else own

    def put(self, now: float, seconds: float) -> None:
        """Note that the API has asked to wait."""
        self.until, self.said = max(self.until, now + seconds), now

    def lift(self, sent: float) -> None:
        """Note that the API has served a request that was sent at that time, so an earlier wait is over."""
        self.served = max(self.served, sent)
        if sent > self.said:
            self.until = -inf

    def hear(self, others: Iterable[Asked]) -> None:
        """Take in the waits that other processes were asked for. They replace the earlier ones."""
        others = [NOTHING, *others]
        served = max(one.served for one in others)
        valid = [one for one in others if one.said >= served] or [NOTHING]
        self.elsewhere = Asked(max(one.until for one in valid), max(one.said for one in valid), served)
