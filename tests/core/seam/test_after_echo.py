"""What stands behind a repetition."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.after_echo import is_signs
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.joined import Asked, Diverged, Join, Joined

PROSE = (
    "# The keeper\n\nThe keeper climbed the stairs every night, and nobody knew what he looked for.\n\n"
    "## The storm\n\nHe spent hours searching the island and the waters around it, but he never found the"
)
REST = " ship."
WORDINGS = ("I received this:\n\n{quote}\n\nPlease start your next message by repeating it.",)


def joined(text: str, reply: str, size: int = 40, space: str = "") -> tuple[str | None, bool | None]:
    """What is handed over of a reply, and whether it is verified, in whatever deltas; Nones if it is
    refused."""
    found: set[tuple[str | None, bool | None]] = set()
    for piece in (1, 4, 100, len(reply)):
        splice, came, decided = (
            Splice(Asked(text[-size:].lstrip(), space, text=text, wordings=WORDINGS)),
            0,
            None,
        )
        while decided is None:
            splice.grow(reply[came : came + piece])
            came += piece
            decided = splice.decide(final=came >= len(reply))
        if isinstance(decided, Diverged):
            found.add((None, None))
        else:
            found.add((splice.rest(decided) + reply[came:], decided.verified))
    assert len(found) == 1, found
    return found.pop()


# -- markers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        "{echo}\n>>>\n{rest}",
        "<<<\n{echo}\n>>>\n{rest}",
        "<<<\n{echo}\n>>>\n\n{rest}",
        "<<<\n{echo}\n>>>\n\nship.",
        "<<<\n{echo} ship.\n>>>",
        "<<<\n{echo} ship.\n>>>\n",
        ">>>{echo}{rest}",
        "<fragment>\n{echo}\n</fragment>\n{rest}",
        "<part-3>\n{echo}{rest}",
        "```\n{echo}\n```\n{rest}",
        "```\n{echo}\n```\n\nship.",
        "{echo}\n<<<\n{echo}\n>>>\n{rest}",
    ],
)
def test_markers_and_the_line_breaks_that_they_brought_are_cut(reply: str) -> None:
    """Opening or closing, on one side or on both, and an empty line in the middle of a sentence of prose."""
    handed, verified = joined(PROSE, reply.format(echo=PROSE[-40:].lstrip(), rest=REST))
    assert (handed and handed.rstrip("\n"), verified) == (REST, True)


def test_a_marker_may_be_closed_in_the_middle_of_the_text() -> None:
    """What stands before it and behind it belongs together."""
    text = PROSE[: -len("found the")] + "wrote a le"
    echo = text[-40:].lstrip()
    assert joined(text, f"<<<\n{echo}tter\n>>>\n\nto his sister.") == ("tter to his sister.", True)
    assert joined(text, f"<<<\n{echo}tter\n>>>\n\nTo his sister.")[1] is False
    assert joined(text, f"<<<\n{echo}tter.\n>>>\n\nI hope this helps!")[1] is False
    assert joined(text, f"<mine>\n{echo}tter.\n</mine>") == ("tter.", True)
    assert joined(text, f"```\n{echo}tter\n```\n\nto his sister.") == ("tter to his sister.", True)
    assert joined(text, f"<<<\n{echo}tter\n>>>\n\nPlease start your next message by") == (None, None)
    assert joined(text, f"<<<\n{echo}tter\n>>>\n\n{text[text.index('He spent') :]}tter.")[1] is False
    assert joined(text, f"<<<\n{echo}tter\n>>>\nto his sister.") == ("tter to his sister.", True)
    assert joined(text, f"<<<\n{echo}tter, and no marker.") == ("tter, and no marker.", True)
    assert joined(text, f"<<<\n{echo}\n tter\n>>>\nfor her", space="\n ")[0] == "tter\nfor her"


def test_markers_and_echoes_are_cut_a_few_times() -> None:
    """What comes still oftener is left as it came."""
    echo = PROSE[-40:].lstrip()
    assert joined(PROSE, f"{echo}\n>>>\n" * 2 + f"{echo}{REST}") == (REST, True)
    assert joined(PROSE, f"{echo}\n>>>\n" * 9 + echo + REST)[0] is not None


def test_a_short_text_is_told_once_more_behind_a_marker() -> None:
    """All of it was asked for."""
    splice = Splice(Asked("Sure,", "", True, "Sure,"))
    splice.grow("Sure,\n<<<\nSure,\n>>>\n here it is.")
    found = splice.decide(final=True)
    assert isinstance(found, Join)
    assert (splice.rest(found), found.verified) == (" here it is.", True)


def test_nothing_that_can_be_seen_is_nothing_told() -> None:
    """A zero-width space behind the echo."""
    assert joined(PROSE, PROSE[-40:].lstrip() + "\n\u200b\u200b")[0] == "\n\u200b\u200b"


def test_behind_half_a_line_of_markers_nothing_is_verified() -> None:
    """It may be half of something else."""
    assert joined(PROSE, f"{PROSE[-40:]}\n\n>>>openssl<<<") == ("openssl<<<", False)


def test_a_row_behind_a_marker_is_waited_for() -> None:
    """Its cells tell whether it is the next; where nothing tells it, the join is not verified."""
    text = "So:\n\n```csv\nid,name,port\n1,Gannet,North Pier\n2,Petrel,South Quay"
    echo = text[-40:].lstrip()
    assert joined(text, f"{echo}\n>>>\n3,Skua,East Pier\n") == ("\n3,Skua,East Pier\n", True)
    half = text[: -len("South Quay")]
    assert joined(half, f"{half[-40:].lstrip()}\n>>>\nEast\n3,Skua,Pier\n") == ("East\n3,Skua,Pier\n", True)
    assert joined(text, f"{echo}\n>>>\ns\n3,Skua,East Pier\n")[1] is False
    assert joined(text, f"{echo}\n>>>\nx,y\n")[1] is False


@pytest.mark.parametrize("mark", ["```\n", "```text\n"])
def test_a_fence_closed_at_an_unknown_place_is_unverified(mark: str) -> None:
    """It will be closed behind all that is held."""
    echo = PROSE[-40:].lstrip()
    assert joined(PROSE, f"{mark}{echo}{REST} And so he went home." * 40)[1] is False


def test_a_marker_that_the_text_has_is_the_texts() -> None:
    """A session of Python goes on with its prompt."""
    text = "Try it:\n\n>>> total = 0\n>>> for number in range(10):\n...     total += number\n..."
    assert joined(text, f"{text[-50:]}\n>>> total\n45") == ("\n>>> total\n45", True)


# -- words of the request ------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["\n\n", "\n>>>\n\n", "\n"])
def test_words_of_the_request_make_it_another_answer(between: str) -> None:
    """Nothing that follows them belongs to the text."""
    echo = PROSE[-40:].lstrip()
    assert joined(PROSE, f"{echo}{between}Please start your next message by repeating it.") == (None, None)
    assert joined(PROSE, f"{PROSE}{between}Please start your next message by repeating it.") == (None, None)
    assert joined(PROSE, f"{echo} Please start your next message by repeating it.")[0] is not None


# -- told once more ------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["\n\n", "\n", "\n>>>\n\n", "\n>>>\n"])
@pytest.mark.parametrize("begin", ["", "## The storm", "He spent", "hours searching the island"])
def test_what_is_repeated_once_more_is_cut(begin: str, between: str) -> None:
    """The whole text, its last section, its last sentence, the quote itself: behind a marker or a line
    break."""
    again = PROSE[PROSE.index(begin) :]
    size = len(PROSE) - PROSE.index("hours searching the island")
    assert joined(PROSE, f"{PROSE[-size:]}{between}{again}{REST}", size) == (REST, True)


def test_a_long_repetition_in_the_same_line_is_cut() -> None:
    """A sentence of prose that begins again in its middle."""
    again = PROSE[PROSE.index("He spent") :]
    assert joined(PROSE, f"{PROSE[-40:].lstrip()} {again}{REST}") == (REST, True)


def test_a_long_text_is_followed_behind_an_echo() -> None:
    """And dropped as it comes."""
    text = "The tide came. " + "".join(f"It was tide number {n} of them all. " for n in range(80)) + PROSE
    echo = text[-40:].lstrip()
    for between in ("\n\n", "\n>>>\n\n"):
        assert joined(text, f"{echo}{between}{text}{REST}") == (REST, True)


def test_a_long_text_behind_an_echo_is_kept() -> None:
    """A song may come back to its beginning. Behind a marker it is another answer, and so is one that ends
    there."""
    song = "The tide came in the morning light, and nobody had seen the like of it before. "
    text = song + "".join(f"It was tide number {n} of them all. " for n in range(80)) + PROSE
    echo, again = text[-40:].lstrip(), f"{song}It was the last of all, and then there was no more of it."
    assert joined(text, f"{echo}\n\n{again}") == (f"\n\n{again}", False)
    assert joined(text, f"{echo}\n\n{song}") == (f"\n\n{song}", False)
    assert joined(text, f"{echo}\n>>>\n\n{again}") == (None, None)
    assert joined(text, f"{text}\n\n{again}") == (f"\n\n{again}", False)


def test_a_fragment_behind_a_marker_and_words_is_cut() -> None:
    """`He` may have become `Jack`."""
    size = len("spent hours searching the island and the waters around it, but he never found the")
    echo = PROSE[-size:]
    assert joined(PROSE, f"<<<\n{echo}\n>>>\n\nJack {echo}{REST}", size) == (REST, True)
    assert joined(PROSE, f"<<<\n{echo}\n>>>\n\nJack spent hours.", size)[1] is False


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (
            PROSE[:-4] + "the ship.\n\nRow, brothers, row till the morning is here,",
            "\nRow, brothers, row till the morning is here.",
        ),
        ("x = 1\n    assert_eq!(longest(&mut words), abc);", "\n    assert_eq!(longest(&mut words), abcd);"),
        ("| 0 | 0 |\n| 0 | 0 |", "\n| 0 | 0 |\n| 1 | 0 |"),
        ("He waited. He", " waited."),
        ("A silent, silent sea,\nA silent, silent sea,", "\nA silent, silent sea,\nand so on."),
    ],
)
def test_text_that_repeats_itself_behind_an_echo_is_left_alone(text: str, rest: str) -> None:
    """Rows, refrains, lines of code: to the letter, with proof or without."""
    assert joined(text, text[-40:].lstrip() + rest)[0] == rest


def test_what_is_open_can_not_be_followed_by_its_line() -> None:
    """An item that is told again in the middle of its bold words."""
    text = PROSE + " ship.\n\n- **Check the road**: Look at it.\n- **Check the Bi"
    assert joined(text, f"{text[-40:].lstrip()}\n- **Check the Bicycle**: Look.") == ("cycle**: Look.", True)


def test_what_ends_inside_what_it_tells_again_is_not_verified() -> None:
    """Behind a marker it is another answer if it is long."""
    echo = PROSE[-40:].lstrip()
    assert joined(PROSE, f"{echo}\n>>>\n\nHe spent")[1] is False
    assert joined(PROSE, f"{echo}\n\nHe spent hours searching the island and the waters")[1] is False
    assert joined(PROSE, f"{echo}\n>>>\n\nHe spent hours searching the island and the waters") == (None, None)
    assert joined(PROSE, f"{echo}\n\nHe spent")[0] == "\n\nHe spent"


# -- doubt, and signs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rest", "verified"),
    [
        (PROSE, "\n\nHow can I help you?", False),
        (PROSE, "\n>>>\n\nI apologize.", False),
        (PROSE, "\n>>>\n Jack.", True),
        (PROSE, "\n\n## The end", False),
        (PROSE, "\n\n---\n\nship", False),
        (PROSE, "\n<|user|>\nGo on.", False),
        (PROSE, "\nI apologize for it.", False),
        (PROSE, "\nship.", True),
        (PROSE.replace("every night, and nobody", "every night, and\nnobody"), "\nLady of the Lake.", True),
        (PROSE + " ship.", "\n\n## The end", True),
        (PROSE + " ship.", "\n\nHow it got there nobody knew.", True),
        (PROSE.replace("\n\nHe", "\n\n# He"), "\n\nHow it got there nobody knew.", True),
        (PROSE.replace("\n\nHe", "\n\n**He") + "**", "\n\nHow it got there nobody knew.", True),
        ('```json\n{"name": "John Doe, the keeper of the light",\n"age":', "\n>>>\n\nI was able to.", False),
        ('```json\n{"name": "John Doe, the keeper of the light",\n"age":', "\n>>>\n 12", True),
    ],
)
def test_a_new_sentence_in_the_middle_of_one_is_not_verified(text: str, rest: str, *, verified: bool) -> None:
    """Behind an empty line or a marker: an apology, an offer. A title has no stop, and a name is no
    sentence."""
    assert joined(text, text[-40:].lstrip() + rest)[1] is verified


@pytest.mark.parametrize(
    ("text", "rest", "verified"),
    [
        (PROSE, ".", False),
        (PROSE, "\n```", False),
        (PROSE, "**", False),
        (PROSE + " ship.", "\u201d", True),
        (PROSE + " (and", ").", True),
        ('{"name": "the keeper of the light", "ages": [1, 2', "]}", True),
        ("<html><p>The keeper climbed the stairs.", "</p></html>", True),
        ("<html><p>The keeper climbed the stairs", "</p></html>", False),
        (PROSE, " \u2693", True),
    ],
)
def test_a_sign_alone_is_no_more_than_an_echo_alone(text: str, rest: str, *, verified: bool) -> None:
    """Unless it closes a bracket that was open; it is kept in any case."""
    assert joined(text, text[-40:].lstrip() + rest) == (rest, verified)


@pytest.mark.parametrize(
    ("rest", "signs"),
    [
        ("", True),
        (" \n", True),
        (".", True),
        ("\n```\n", True),
        ("a", False),
        ("7", False),
        ("-" * 13, False),
        ("</last_words>\n", True),
        ("<|end_of_turn|>", True),
        ("[END]", True),
        ("<b>a", False),
    ],
)
def test_signs_are_few_and_no_letters(rest: str, *, signs: bool) -> None:
    """A line of dashes is something."""
    assert is_signs(rest, final=True) is signs
    assert is_signs("</", final=False)
    assert is_signs("</last", final=False)
    assert not is_signs("</last", final=True)


def test_what_is_kept_before_a_marker_is_the_replys() -> None:
    """So it counts neither as trimmed nor as supplied."""
    splice = Splice(Asked(PROSE[-40:].lstrip(), "", text=PROSE))
    splice.grow(f"<<<\n{PROSE[-40:].lstrip()} ship.\n>>>\n")
    found = splice.decide(final=True)
    assert isinstance(found, Join)
    assert (found.supplied, found.kept, found.how) == (REST, len(REST), Joined.ECHO)
