"""What a join costs: ``python -m tests.seams.cost`` joins long answers and prints milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from resilient_stream._core.plan.quote import quote
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked
from resilient_stream.testing import MANNERS, markdown

SIZES = (25_000, 50_000, 100_000, 200_000)
TOLD = ("echo", "wide_echo", "partial_echo", "no_echo", "preamble", "blank_lines", "restart")
PIECE = 16
"""Characters of one delta."""


def cost(size: int, manner: str) -> float:
    """Seconds of processor time from the first piece of the reply to the decided join."""
    answer = markdown(size // 700 + 2)
    received = answer[:size].rstrip()
    fragment = quote(received)
    reply = MANNERS[manner](answer, received, fragment)
    splice = Splice(Asked(fragment, "", text=received))
    began = time.process_time()
    for at in range(0, len(reply), PIECE):
        splice.grow(reply[at : at + PIECE])
        if splice.decide(final=False):
            break
    return time.process_time() - began


def least(what: Callable[[], float], times: int = 5) -> float:
    """The least of several measurements: what it costs when nothing else runs."""
    return min(what() for _ in range(times))


def main() -> None:
    """Measure and print."""
    print("| manner | " + " | ".join(f"{size // 1000} kB" for size in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES))
    for manner in TOLD:
        cells = [f"{1000 * least(lambda: cost(size, manner)):.2f} ms" for size in SIZES]  # noqa: B023 -- called at once
        print(f"| {manner} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
