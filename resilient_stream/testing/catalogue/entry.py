"""One entry of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resilient_stream.testing.faults import Fault

HERE = 5
"""Events before the second text delta's end: message start, block start, ping, two deltas."""

Outcome = Literal["passes", "silent", "raises"]
Text = Literal["whole", "part", "changed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One known fault.

    ``faults`` go to one request each, ``calls`` of them. ``raises`` is the exception class of the bare SDK,
    empty if there is none. ``silent`` means that the bare SDK reports no error although the message has no
    stop reason. ``text`` is the text that was delivered by then. ``retried`` means that the SDK's own
    ``max_retries`` would have sent the request again.
    """

    name: str
    about: str
    faults: tuple[Fault | None, ...]
    raises: str = ""
    silent: bool = False
    text: Text = "whole"
    retried: bool = False

    @property
    def fault(self) -> Fault:
        """The fault itself."""
        return next(fault for fault in self.faults if fault is not None)

    @property
    def calls(self) -> int:
        """How many calls it takes until the fault occurs."""
        return len(self.faults)

    @property
    def outcome(self) -> Outcome:
        """What the bare SDK does."""
        if self.raises:
            return "raises"
        return "silent" if self.silent else "passes"


RESET = "httpx2.ReadError"
CLOSED = "httpx2.RemoteProtocolError"
SILENCE = "httpx2.ReadTimeout"
UNREADABLE = "httpx2.DecodingError"
CONNECTION = "anthropic.APIConnectionError"
TIMEOUT = "anthropic.APITimeoutError"
STATUS = "anthropic.APIStatusError"
LIMITED = "anthropic.RateLimitError"
SERVER = "anthropic.InternalServerError"
NOTHING = "AssertionError"


def entry(
    name: str,
    about: str,
    *faults: Fault | None,
    raises: str = "",
    silent: bool = False,
    text: Text | None = None,
    retried: bool = False,
) -> Entry:
    """An entry; ``text`` is ``part`` by default for faults that raise or end silently."""
    told: Text = text or ("part" if raises or silent else "whole")
    return Entry(name, about, faults, raises, silent, told, retried)
