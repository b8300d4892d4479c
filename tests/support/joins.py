"""A text that was cut, and how a reply to its continuation joins."""

from __future__ import annotations

from resilient_stream._core.seam.join import Joiner
from resilient_stream._core.seam.joined import Asked, Diverged, Follow, Join, Joined

TEXT = (
    "# Tides\n\nThe sea rises twice a day, and no two tides are alike. Those who look for long enough learn "
    "to read the wind from the colour of the water, and the hour from the gulls.\n\n"
    "The harbour master keeps a book of it. He writes down what he sees, and never what he"
)
FRAGMENT = TEXT[-80:]
REST = " thinks of it.\n\nThe book is blue."


def asked(text: str = TEXT, space: str = "", *, whole: bool = False) -> Asked:
    """A fragment of the end of a text, or all of it."""
    return Asked(text if whole else text[-80:], space, whole, text)


def decided(of: Asked, reply: str, piece: int = 6) -> Join | Diverged | Follow:
    """The decision on a reply that comes in pieces; it must come, and no later than the whole reply."""
    for end in range(piece, len(reply) + piece, piece):
        found = Joiner(of).join(reply[:end], final=end >= len(reply))
        if found is not None:
            return found
    raise AssertionError("nothing was decided")


def joined(of: Asked, reply: str, piece: int = 6) -> Join:
    """The join of a reply that joins."""
    found = decided(of, reply, piece)
    assert isinstance(found, Join)
    return found


def told(of: Asked, reply: str) -> tuple[str, Joined, bool]:
    """What follows the text for the consumer, how, and whether it is proved."""
    found = joined(of, reply)
    return found.supplied + reply[found.cut :], found.how, found.verified
