"""Whatever the model answers: what is cut is what the consumer has, and what is new is handed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.plan.quote import enough, quote
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked, Diverged, Join, Joined
from resilient_stream._core.seam.normalize import Folded

WORDS = st.sampled_from(
    [
        "the",
        "tide",
        "rises",
        "at",
        "noon",
        "and",
        "falls",
        "again",
        "by",
        "night",
        "Harbour",
        "gulls",
        "12",
        "3.5",
        "潮",
        "記録",
        "קו",
        "مد",
        "é",
        "é",
        "🌊",
        "|",
        "-",
        "#",
        "```",
        "```",
        "**",
        "“",
        "”",
        ".",
        ",",
        ":",
        ";",
        "ha",
        "ha",
        "ha",
        "(",
        ")",
        "{",
        "}",
        "x=1",
        "https://a.example",
    ]
)
SPACES = st.sampled_from([" ", " ", " ", "", "\n", "\n\n", "  "])
TEXT = st.lists(st.tuples(WORDS, SPACES), max_size=120).map(lambda pairs: "".join(a + b for a, b in pairs))
CUT = st.floats(0, 1)
PIECE = st.integers(1, 40)


PREFIXES = st.sampled_from(
    ["", "", "<<<\n", "```\n", "**", "Sure! ", "\n\n", "Continuing from where I left off:\n\n"]
)
"""What may stand before a repetition."""


def ask(text: str, cut: float) -> tuple[Asked, str, str] | None:
    """What is asked when a text is cut, what the consumer has, and the rest; None if there is nothing yet."""
    at = round(cut * len(text))
    had = text[:at]
    received = had.rstrip()
    if not received:
        return None
    return (
        Asked(quote(received), had[len(received) :], not enough(received), received),
        had,
        text[len(received) :],
    )


def joined(asked: Asked, reply: str, piece: int) -> tuple[Join | Diverged | None, str]:
    """The decision, and what is handed over of the reply."""
    splice = Splice(asked)
    for came in range(0, len(reply), piece):
        splice.grow(reply[came : came + piece])
        decided = splice.decide(final=came + piece >= len(reply))
        if isinstance(decided, Join):
            return decided, splice.rest(decided) + reply[came + piece :]
        if decided is not None:
            return decided, ""
    return None, ""


def letters(text: str) -> str:
    """A text without its white space."""
    return "".join(text.split())


@given(TEXT, CUT, PIECE)
def test_after_an_echo_nothing_is_repeated_and_nothing_lost(text: str, cut: float, piece: int) -> None:
    """The consumer has the text as it was written."""
    if (asked := ask(text, cut)) is None:
        return
    of, had, rest = asked
    decided, handed = joined(of, of.quote + rest, piece)
    assert isinstance(decided, Join)
    assert letters(had + handed) == letters(text)


@given(
    TEXT,
    CUT,
    st.sampled_from(["\u201c{}\u201d", "<<<\n{}\n>>>\n", "**{}**", "Sure! Here is the rest:\n\n{}"]),
    PIECE,
)
def test_a_dressed_echo_is_found(text: str, cut: float, dress: str, piece: int) -> None:
    """Where the fragment is long enough to be one, what follows it is handed over and it itself is not; unless
    it comes once more behind markers, which is taken for a repetition."""
    if (asked := ask(text, cut)) is None or asked[0].whole or "``" in asked[0].quote:
        return
    of, _, rest = asked
    decided, handed = joined(of, dress.format(of.quote) + rest, piece)
    assert isinstance(decided, Join)
    gone = letters(rest)[: len(letters(rest)) - len(letters(handed))]
    assert letters(rest) == gone + letters(handed)
    assert not gone or (dress.startswith("<<<") and len(gone) >= 12 and letters(of.text).endswith(gone))


@given(TEXT, CUT, PIECE)
def test_what_is_cut_is_what_the_consumer_has(text: str, cut: float, piece: int) -> None:
    """Of an exact continuation without an echo: nothing, or what agrees with the end of the text and is proof.

    A reply that is a part of the fragment and no more has brought nothing, and is asked for again. One that begins
    with a fence and a whole text, which is short, is taken for that text in a wrapper.
    """
    asked = ask(text, cut)
    if asked is None or asked[0].quote.startswith(asked[2].strip()):
        return
    of, _, rest = asked
    fence, quoted = letters(rest).startswith("``"), letters(rest).lstrip("`").startswith(letters(of.quote))
    if of.whole and fence and quoted:
        return
    decided, handed = joined(of, rest, piece)
    if not isinstance(decided, Join):
        return
    gone = letters(rest)[: len(letters(rest)) - len(letters(handed))]
    assert letters(rest) == gone + letters(handed)
    assert not gone or decided.verified or decided.how is Joined.ECHO_ONLY  # and no more than a sign
    assert Folded(of.text).key.endswith(Folded(gone).key)


@given(TEXT, CUT, TEXT, PIECE)
def test_any_answer_ends_as_it_ended(text: str, cut: float, reply: str, piece: int) -> None:
    """Whatever is said: what is handed over is the reply's end, and what was cut of it is a repetition."""
    if (asked := ask(text, cut)) is None:
        return
    of = asked[0]
    decided, handed = joined(of, reply, piece)
    if not isinstance(decided, Join) or decided.how is Joined.PREAMBLE:
        return
    if decided.how is Joined.ECHO and not decided.verified:
        return  # told with a slip
    assert letters(reply).endswith(letters(handed[len(decided.supplied) :]))
    echoed = decided.how in (Joined.ECHO, Joined.ECHO_ONLY, Joined.OVERLAP, Joined.RESTART)
    assert echoed or letters(reply) == letters(handed) or of.quote.startswith(reply.strip())


@given(TEXT, CUT, PREFIXES, st.floats(0, 1), TEXT, PIECE, st.just(10_000) | PIECE)
def test_pieces_do_not_matter(
    text: str, cut: float, prefix: str, begun: float, reply: str, piece: int, other: int
) -> None:
    """The same reply joins the same way, to the letter, however it comes: also where it tells the text again."""
    if (asked := ask(text, cut)) is None:
        return
    said = asked[0].text
    reply = prefix + said[round(begun * len(said)) :] + reply
    assert joined(asked[0], reply, piece) == joined(asked[0], reply, other)
