"""The timeouts of a body: for its first event, for silence, and for a stall.

A ping ends a silence, because it is a byte, but not a stall, because it is not an event. Only the time spent
reading counts, so a consumer may take as long as it likes. A timeout that expired is twice as long in the
next attempt, because a silent model may be thinking. It grows up to four times its own length.

After the stop reason only the end of the message is missing. It follows within milliseconds or not at all, so
these timeouts don't apply to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from resilient_stream._core.failures import Failure, Kind, Phase

ENDING_PATIENCE: Final = 1.0
"""Seconds of reading that the end of a message may take after its stop reason."""

LONGEST: Final = 4.0
"""How many times its own length a timeout grows to at most. Without a limit, sixteen attempts that fall
silent would take most of a year. (Four times the default is twenty minutes, twice the SDK's read timeout.)"""


@dataclass(slots=True)
class Clocks:
    """The three timeouts of a body. One that expired is twice as long in the next attempt."""

    first_event: float
    silence: float
    stall: float
    waited: float = 0.0
    """Seconds spent reading since the last event. The consumer's own time does not count."""
    before: float = 0.0
    """The part of `waited` before the headers arrived."""
    events: int = 0
    """The number of events received in this attempt."""
    ending: bool = False
    """The stop reason was received."""
    _longest: dict[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._longest = {name: LONGEST * getattr(self, name) for name in ("first_event", "silence", "stall")}

    def restart(self) -> None:
        """Begin a new attempt."""
        self.waited, self.before, self.events, self.ending = 0.0, 0.0, 0, False

    def headed(self, seconds: float) -> None:
        """Note that the headers took this many seconds: the timeout of the first event counts from the
        request."""
        self.waited = self.before = seconds

    @property
    def slack(self) -> float:
        """Seconds of reading without an event after which `patience` changes. Negative before the first
        event, which changes it, and after the stop reason."""
        if self.ending or self.events == 0:
            return -1.0
        slack = self.limit - self.silence - self.waited
        return max(0.0, slack) if self.waited == 0.0 else slack

    def count(self, events: int) -> None:
        """Count events. Those that took the fast path are counted later."""
        if events != self.events and not self.ending:
            self.waited, self.before, self.events = 0.0, 0.0, events

    def end(self) -> None:
        """Note the stop reason: from now on only the end of the message is waited for."""
        if not self.ending:
            self.waited, self.before, self.ending = 0.0, 0.0, True

    def read(self, waited: float, events: int) -> None:
        """Note that a read took ``waited`` seconds and brought this many events."""
        self.waited += waited
        self.count(events)

    @property
    def patience(self) -> float:
        """Seconds that the next read may take."""
        left = self.limit - self.waited
        return self.silence if self.silence <= left else max(0.0, left)

    @property
    def limit(self) -> float:
        """Seconds that may pass without an event, or until the end of a message whose stop reason was
        received."""
        if self.ending:
            return ENDING_PATIENCE
        return self.stall if self.events else self.first_event

    @property
    def _name(self) -> str:
        """The field of the policy that `limit` comes from."""
        return "stall_timeout" if self.events else "first_event_timeout"

    def fired(self, failure: Failure) -> Failure:
        """Return the failure with the timeout that caused it, and double that timeout.

        If two timeouts expired at once, both are doubled: the other one would expire again.
        """
        if failure.phase is not Phase.BODY:
            detail = f"no response for {self.first_event:g} s (first_event_timeout)"
            self._double("first_event")
            return replace(failure, detail=detail)
        left = self.limit - self.waited
        if failure.kind is Kind.SILENT and (self.waited == self.before or self.silence < left):
            name = "silence_timeout" if self.silence <= left else self._name
            detail = f"no byte for {self.patience:g} s ({name})"
        else:
            failure = replace(failure, kind=Kind.STALLED)
            detail = f"no event for {self.limit:g} s ({self._name})"
        silence_fired = failure.kind is Kind.SILENT and self.silence <= left
        if not silence_fired or self.silence == left:
            self._double("stall" if self.events else "first_event")
        if silence_fired:
            self._double("silence")
        return replace(failure, detail=detail)

    def _double(self, clock: str) -> None:
        """Double a timeout for the next attempt, up to its limit."""
        setattr(self, clock, min(2 * getattr(self, clock), self._longest[clock]))
