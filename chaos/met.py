"""The faults and the prompts for foreign programs: the same for frameworks and for clients of the gateway."""

from __future__ import annotations

from typing import Final

from resilient_stream.testing import ANSWER, ErrorEvent, Fault, Stall, Status, cut_at

TEXT: Final = f"{ANSWER[:600].rstrip()}."

RESET: Final = cut_at(1500, "rst")
CLEAN_END: Final = cut_at(1500, "clean")
OVERLOADED: Final = ErrorEvent("overloaded_error", after=9)
SILENCE: Final = Stall(after=9)
ALL: Final[tuple[Fault, ...]] = (Status(529), RESET, CLEAN_END, OVERLOADED, SILENCE)
"""All faults, one after the other."""
