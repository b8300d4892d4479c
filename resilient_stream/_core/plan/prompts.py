"""All text that is sent to a model: what the user turn says that asks for the rest of a reply.

A wording is short, in the user's voice (some models take a "system notice" for an injection), and asks for
one thing: to begin with the last words received and to continue. A clause that allows the model to stop
invites it to stop. Whether a reply had ended is decided from the text (`seam.ending`). Markers around the
quote look like syntax that has to be closed, and are repeated in the reply. ``docs/seams-evidence.md`` has
the measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .quote import marked

PLACE: Final = "{quote}"
"""The place of the quoted fragment in a template."""


class Wording(NamedTuple):
    """One way to ask. Each text except ``unquoted`` contains `PLACE`."""

    continued: str
    """For a reply of which enough was received to quote its last words."""
    whole: str
    """For a reply of which too little was received for a quote to mark a place: all of it is asked for
    again."""
    again: str
    """After a reply that could not be joined or brought nothing: the same wording may bring the same
    again."""
    unquoted: str
    """For a reply that does not end in text."""
    markers: bool
    """Whether the fragment stands between markers."""


_AGAIN: Final = (
    "Your reply was cut off. Its last words were:\n\n{quote}\n\n"
    "Write the rest of the reply now. Start with those last words, copied exactly, then go on. "
    "No introduction."
)

CONTINUE: Final = Wording(
    continued=(
        "Continue your last reply. It stops at:\n\n{quote}\n\n"
        "Begin with exactly this text and then continue it."
    ),
    whole=(
        "Your last reply was cut off behind its beginning:\n\n{quote}\n\n"
        "Write the whole reply again. Begin with exactly this text and then continue it."
    ),
    again=_AGAIN,
    unquoted="Continue your last reply from where it stops.",
    markers=False,
)
"""The built-in wording."""

REPEAT: Final = Wording(
    continued=(
        "My connection dropped while you were writing that reply, so I only received it up to this point:\n\n"
        "{quote}\n\n"
        "Please start your next message by repeating exactly that fragment, word for word and without the "
        "markers around it, and then carry on from there as if nothing had happened, without a comment about "
        "the interruption. If your reply was already complete, just repeat the fragment and stop."
    ),
    whole=(
        "My connection dropped while you were writing that reply, and all I received is this beginning:\n\n"
        "{quote}\n\n"
        "Please write your reply again from the start, beginning with exactly that text, word for word and "
        "without the markers around it, and without a comment about the interruption."
    ),
    again=_AGAIN,
    unquoted="My connection dropped while you were replying. Please go on from where your reply stops.",
    markers=True,
)
"""The wording of the first releases."""

WORDINGS: Final[Mapping[str, Wording]] = {"continue": CONTINUE, "repeat": REPEAT}
"""The wordings that a policy may name."""


def wording(template: str | None) -> Wording:
    """The wording that a policy names: None for the built-in one, a name, or a text with `PLACE` in it.

    The user's text replaces ``continued`` and ``whole``. It has the quote between markers.
    """
    if template is None:
        return CONTINUE
    named = WORDINGS.get(template)
    return named or Wording(template, template, _AGAIN, CONTINUE.unquoted, markers=True)


def all_words(asked: Wording) -> tuple[str, ...]:
    """All sentences of this wording and of the built-in ones that contain a quote. A model may repeat
    them."""
    known = (asked, *WORDINGS.values())
    return tuple(dict.fromkeys(text for each in known for text in (each.continued, each.whole, each.again)))


def prompt(asked: Wording, fragment: str, *, whole: bool, again: bool) -> str:
    """The text of the user turn.

    Args:
        asked: the wording.
        fragment: the text that is quoted; empty if there is none.
        whole: whether the fragment is all that was received.
        again: whether the last reply to the same request could not be joined or brought nothing.
    """
    if not fragment:
        return asked.unquoted
    text = asked.again if again else asked.whole if whole else asked.continued
    return text.replace(PLACE, marked(fragment) if asked.markers and not again else fragment)
