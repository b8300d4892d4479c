"""The clocks of a body: for its first event, for silence, and for a stall.

A ping is a byte but no event: it ends a silence and not a stall. Only the time spent reading counts,
so a consumer may take as long as it likes. A clock that fired is twice as patient in the next attempt,
because a silent model may be thinking, up to four times its own length.

After the stop reason only the end of the message is missing, which follows within milliseconds where it
comes at all. It is not waited for by these clocks, whatever else comes meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from resilient_stream._core.failures import Failure, Kind, Phase

ENDING_PATIENCE: Final = 1.0
"""Seconds of reading that the end of a message may take after its stop reason."""

LONGEST: Final = 4.0
"""How many times its own length a clock grows to at most. Without a limit, sixteen attempts that fall silent
would take most of a year. (Four times the default is twenty minutes, twice the SDK's read timeout.)"""


@dataclass(slots=True)
class Clocks:
    """The three clocks of a body. One that fired is twice as long in the next attempt."""

    first_event: float
    silence: float
    stall: float
    waited: float = 0.0
    """Seconds spent reading since the last event; the consumer's own time does not count."""
    before: float = 0.0
    """The part of `waited` that passed before the head."""
    events: int = 0
    """Events that came in this attempt."""
    ending: bool = False
    """The stop reason has come."""
    _longest: dict[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._longest = {name: LONGEST * getattr(self, name) for name in ("first_event", "silence", "stall")}

    def restart(self) -> None:
        """A new attempt begins."""
        self.waited, self.before, self.events, self.ending = 0.0, 0.0, 0, False

    def headed(self, seconds: float) -> None:
        """The head took so long: the first event is waited for since the request."""
        self.waited = self.before = seconds

    @property
    def slack(self) -> float:
        """Seconds of reading that may bring no event before `patience` changes; negative before the first
        event, where the next one changes it, and in the ending."""
        if self.ending or self.events == 0:
            return -1.0
        slack = self.limit - self.silence - self.waited
        return max(0.0, slack) if self.waited == 0.0 else slack

    def count(self, events: int) -> None:
        """So many events have come; those that took the short way are told of later."""
        if events != self.events and not self.ending:
            self.waited, self.before, self.events = 0.0, 0.0, events

    def end(self) -> None:
        """The stop reason has come: from now on only the end of the message is waited for."""
        if not self.ending:
            self.waited, self.before, self.ending = 0.0, 0.0, True

    def read(self, waited: float, events: int) -> None:
        """A read took ``waited`` seconds, and so many events have come with it."""
        self.waited += waited
        self.count(events)

    @property
    def patience(self) -> float:
        """Seconds the next read may take."""
        left = self.limit - self.waited
        return self.silence if self.silence <= left else max(0.0, left)

    @property
    def limit(self) -> float:
        """Seconds that may pass without an event, or until the end of a message whose stop reason has
        come."""
        if self.ending:
            return ENDING_PATIENCE
        return self.stall if self.events else self.first_event

    @property
    def _name(self) -> str:
        """The policy's field that `limit` comes from."""
        return "stall_timeout" if self.events else "first_event_timeout"

    def fired(self, failure: Failure) -> Failure:
        """Say which clock a failure stands for, and have it be twice as patient the next time.

        Where both ran out at once, both are: the one that is not would fire again.
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
        """Have a clock wait twice as long in the next attempt, up to its limit."""
        setattr(self, clock, min(2 * getattr(self, clock), self._longest[clock]))
