"""Whether the text comes again soon behind a repetition."""

from __future__ import annotations

import random

import pytest

from resilient_stream._core.seam.delivered import Had
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.seam.recurrence import AHEAD, Recurrence
from resilient_stream._core.seam.repeated_again import Sign

PROSE = (
    "The keeper climbed the stairs every night, and nobody knew what he looked for.\n\n"
    "He spent hours searching the island and the waters around it, but he never found the"
)
SENTENCE = PROSE[PROSE.index("He spent") :]
CODE = "total = 0\nfor level in levels:\n    total += level\nprint(total / len(levels))"
NEW = " ship, for it had gone down long before his time, with all of its men."
HELD = 400


def look(behind: str, *, text: str = PROSE, final: bool = True, size: int = 40) -> Sign:
    """What is said of a reply that has repeated the end of ``text`` and goes on with ``behind``."""
    quote = text[-size:].lstrip()
    found = Recurrence(Had(Asked(quote, "", text=text), HELD), HELD)
    return found.look(quote + behind, len(quote), final=final)


@pytest.mark.parametrize(
    "words", ["", " ", ". ", "...\n\n", "\n- ", "\n> **", ":\n", " so.\n\n", " \u200bship. "]
)
@pytest.mark.parametrize("begin", ["The keeper", "He spent", "hours searching", "searching the island"])
def test_prose_that_comes_again_is_doubted(begin: str, words: str) -> None:
    """All of it, its last sentence, its end: behind signs or a few words."""
    again = PROSE[PROSE.index(begin) :]
    assert look(f"{words}{again}{NEW}") is Sign.DOUBT


def test_new_text_is_not_doubted() -> None:
    """Nor a word that comes again, nor a line of code that begins like another one."""
    assert look(NEW) is Sign.NOTHING
    assert look(
        " ship that he had never found. He spent the rest of his days at home, and nobody knew why."
    ) is (Sign.NOTHING)
    assert look("\ntotal += 1\nprint(total)\n", text=CODE) is Sign.NOTHING


def test_directly_behind_a_repetition_a_short_line_is_enough() -> None:
    """Behind new words it must be longer, and half a line of code comes again by itself."""
    text = "levels = read()\nprint(levels)\nstop()"
    assert look("\nstop()", text=text, size=8) is Sign.DOUBT
    assert look("\nstop_it()\nstop()", text=text, size=8) is Sign.NOTHING
    text = CODE.replace("print", "print(round") + ", 2)"
    assert look(f"\nprint(1)\n{text[text.index('print(') :]}", text=text) is Sign.DOUBT
    half = text[: -len("(levels), 2)")]
    assert look(f"(x), 2)\nx(round(total / len{NEW}", text=half) is Sign.NOTHING


def test_what_the_text_is_in_the_habit_of_saying_is_not_doubted() -> None:
    """A row that it says twice, a line that ends as others do."""
    row = "| North Pier | 240 | 12 |\n"
    assert look(f"\n{row}", text=(row * 2).rstrip()) is Sign.NOTHING
    rows = "stop(1)\nread()\nstop()\nread()\nread(1)\nstop()"
    assert look("\nstop()\nread()\n", text=rows, size=8) is Sign.NOTHING
    assert look("\nread(2)\nread(1)\nstop()\n", text=rows, size=8) is Sign.NOTHING


@pytest.mark.parametrize("rounds", [2.0, 2.6, 3.4, 8.2])
def test_a_text_in_a_loop_is_not_doubted(rounds: float) -> None:
    """It says all of it twice, wherever in the loop it stops; what goes on with it is all there can be."""
    once = "The moon pulls at the water, and the earth turns beneath it. That makes two tides a day. "
    loop = once * 12
    at = int(len(once) * rounds)
    assert look(loop[at:], text=loop[:at].rstrip(), size=60) is Sign.NOTHING


def test_while_the_text_may_come_again_more_is_needed() -> None:
    """Until enough characters have come, or all that came has left the text."""
    assert look(NEW[:20], final=False) is Sign.MORE
    assert look(f"{NEW} {NEW}", final=False) is Sign.NOTHING
    assert look(f"{NEW[: AHEAD - 10]}. He spent hours searching", final=False) is Sign.MORE
    assert look(f"{NEW[: AHEAD - 10]}. He spent hours sleeping", final=False) is Sign.NOTHING


def test_a_reply_that_ends_inside_what_it_says_again_is_doubted() -> None:
    """If that is long; not where a head is as long as one is held, for its text may only be alike."""
    assert look(" ship.\n\nHe spent hours searching the island and") is Sign.DOUBT
    assert look(" ship.\n\nHe spent hours") is Sign.NOTHING
    verse = "".join(f"The tide came in the {n}th morning of it. " for n in range(20))
    assert look(f" {verse}", text=f"{verse}{verse}{NEW}") is Sign.NOTHING


@pytest.mark.parametrize("begin", ["# The tides", "The tide came in", "1. The first"])
def test_a_long_passage_is_doubted_from_where_a_model_begins(begin: str) -> None:
    """The beginning, a heading, an item: before it has come to the text's end."""
    verse = "".join(f"It was tide number {n} of them all. " for n in range(40))
    text = f"The tide came in. {verse}\n\n# The tides\n\n{verse[9:]}\n\n1. The first {verse[5:]}and the"
    again = text[text.index(begin) :]
    assert look(f" last.\n\n{again[:120]}", text=text) is Sign.DOUBT


def test_a_text_that_says_little_is_followed_from_few_places() -> None:
    """It agrees from everywhere."""
    assert look("\u62b1\u85aa\u6551\u706b" * 90, text="\u62b1\u85aa\u6551\u706b" * 200) is Sign.NOTHING


LOOPING = "na na na na na hey " * 6 + "hey hey hey"
WORDS = (
    "He spent",
    " hours",
    ".\n\n",
    "The keeper",
    " na",
    " hey",
    "\n",
    "- ",
    "total += ",
    "\ufb01",
    " ship",
)


def in_pieces(behind: str, size: int, text: str) -> Sign:
    """What is said of a reply that goes on with ``behind``, which arrives in pieces of this many letters."""
    quote = text[-9:]
    found = Recurrence(Had(Asked(quote, "", text=text), HELD), HELD)
    ends = [*range(size, len(behind), size), len(behind)]
    came = (found.look(quote + behind[:end], len(quote), final=False) for end in ends)
    return next((sign for sign in came if sign is not Sign.MORE), Sign.MORE)


@pytest.mark.parametrize(
    "text", [PROSE, CODE, LOOPING, f"{CODE}\n{LOOPING}", "ab" * 60 + "c d e f g h i j k"]
)
def test_the_pieces_in_which_a_reply_arrives_make_no_difference(text: str) -> None:
    """However many places of it agree with the text: all at once, in pieces, and letter by letter."""
    rng, signs = random.Random(1), set[Sign]()
    for _ in range(150):
        behind = "".join(rng.choice([*WORDS, text[rng.randrange(len(text)) :][:90]]) for _ in range(6))
        told = [in_pieces(behind, size, text) for size in (1, 7, len(behind))]
        assert told[0] is told[1] is told[2], behind
        signs.add(told[0])
    assert len(signs) > 1
