"""The head of a reply on its way through the seam."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.join import MOST_HELD
from resilient_stream._core.seam.joined import Asked, Diverged, Join, Joined

TEXT = "".join(f"Sentence {number} tells of tide {number * 7}.\n" for number in range(400)).rstrip()
REST = "\nThe last one."


def splice(text: str = TEXT) -> Splice:
    """One that was asked for the end of a text."""
    return Splice(Asked(text[-80:].lstrip(), "", text=text))


def told(one: Splice, reply: str, piece: int = 10) -> tuple[Join | Diverged | None, str, int]:
    """The decision, what is handed over of all the reply, and how much was held at most."""
    held, decided, came = 0, None, 0
    while decided is None and came < len(reply):
        one.grow(reply[came : came + piece])
        came += piece
        decided = one.decide(final=came >= len(reply))
        held = max(held, len(one.head))
    rest = one.rest(decided) + reply[came:] if isinstance(decided, Join) else ""
    return decided, rest, held


def test_a_restart_is_dropped_as_it_streams() -> None:
    """However long it is, little of it is held, and what is new is not lost."""
    decided, rest, held = told(splice(), TEXT + REST)
    assert decided == Join(len(TEXT), Joined.RESTART, verified=True)
    assert rest == REST
    assert held < MOST_HELD / 2


def test_a_restart_in_other_letters_is_dropped_too() -> None:
    """By its keys."""
    decided, rest, held = told(splice(), TEXT.upper() + REST)
    assert decided == Join(len(TEXT), Joined.RESTART, verified=True)
    assert rest == REST
    assert held < MOST_HELD / 2


def test_a_restart_that_leaves_the_text_is_another_answer() -> None:
    """Even after ten thousand characters."""
    decided, rest, _ = told(splice(), TEXT[:10_000] + "Another sentence, of another tide, by another hand.")
    assert (decided, rest) == (Diverged(), "")


def test_another_answer_stays_one() -> None:
    """Whatever else comes."""
    one = splice()
    assert told(one, TEXT[:10_000] + "Another sentence, of another tide, by another hand.")[0] == Diverged()
    one.grow(TEXT[10_000:])
    assert one.decide(final=True) == Diverged()


def test_a_restart_that_ends_inside_the_text_is_another_answer() -> None:
    """Nothing of what was handed over is taken back."""
    assert told(splice(), TEXT[:5000])[0] == Diverged()


@pytest.mark.parametrize("piece", [1, 4, 100, 10_000])
@pytest.mark.parametrize("landmark", ["", "## The storm", "**The storm**", "At noon", "Here it is:", "```sh"])
@pytest.mark.parametrize("size", [300, 3000])
def test_a_text_is_followed_from_its_landmarks(landmark: str, size: int, piece: int) -> None:
    """Its beginning, its last heading, its last paragraph, the fence in which it ends and what leads to it:
    however far they are from the end, and however small the deltas."""
    filler = "".join(f"It was tide number {number * 7} of them all. " for number in range(size // 40))
    text = f"The sea was calm.\n\n## The calm\n\n{filler}\n\n{landmark or 'At one'}"
    if landmark == "```sh":
        text += f"\necho one\n\n{filler.replace('. ', chr(10))}echo tw"
    elif landmark == "Here it is:":
        text += f"\n\n```sh\necho one\n\n{filler.replace('. ', chr(10))}echo tw"
    else:
        text += f"{'' if landmark == 'At noon' else chr(10) * 2} the wind turned. {filler}The master lit tw"
    decided, rest, _ = told(
        splice(text), text[text.rindex(landmark) if landmark else 0 :] + "o lamps.", piece
    )
    assert isinstance(decided, Join)
    assert (rest, decided.verified) == ("o lamps.", True)


def test_a_restart_alone_is_an_ending() -> None:
    """The answer had been whole."""
    assert told(splice(), TEXT)[0] == Join(len(TEXT), Joined.ECHO_ONLY, verified=True)


def test_an_accent_at_the_end_of_a_restart_is_given_back() -> None:
    """Also where the piece ends right behind it."""
    text = TEXT + " At the cafe"
    for piece in (1, 10, len(text)):
        decided, rest, _ = told(splice(text), text[:-1] + "\u00e9 now", piece)
        assert decided == Join(len(text), Joined.RESTART, verified=True, supplied="\u0301")
        assert rest == "\u0301 now"


def test_half_a_character_decides_nothing() -> None:
    """Its other half is coming."""
    one = splice()
    one.grow(TEXT[-80:] + "\ud83d")
    assert one.decide(final=False) is None
    one.grow("\udc1f")
    assert one.decide(final=True) == Join(80, Joined.ECHO, verified=True)
    assert one.rest(Join(80, Joined.ECHO, verified=True)) == "\U0001f41f"


def test_halves_of_characters_do_not_hold_a_reply_for_ever() -> None:
    """Where another half comes in place of the one that belongs there, the first is as it is."""
    decided, rest, held = told(splice(), "\ud83d" * 2000, 1)
    assert decided == Join(0, Joined.AS_IS, verified=False)
    assert rest == "\ud83d" * 2000
    assert held <= MOST_HELD


@pytest.mark.parametrize("piece", [1, 7, 90])
@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("", Joined.AS_IS),
        (TEXT[-80:], Joined.ECHO),
        (TEXT[-80:].upper(), Joined.ECHO),
        (TEXT[-83:], Joined.OVERLAP),
        (TEXT, Joined.RESTART),
        ("Continuing from where I left off:", Joined.PREAMBLE),
    ],
)
def test_white_space_is_not_held_for_ever(said: str, how: Joined, piece: int) -> None:
    """What is held is bounded; what is not yet over is no ending, and nothing new is lost."""
    blanks = " " * 2000
    decided, rest, held = told(splice(), said + blanks + "more", piece)
    assert isinstance(decided, Join)
    assert decided.how is how
    assert held <= MOST_HELD + piece
    assert rest.endswith(" more")
    assert len(rest) > 1900


def test_a_blank_reply_costs_as_much_as_it_is_long() -> None:
    """Of a hundred thousand blanks the first four hundred are looked at."""
    one, looked, decided = splice(), 0, None
    while decided is None and looked < 100_000:
        one.grow(" ")
        looked += 1
        decided = one.decide(final=False)
    assert decided == Join(0, Joined.AS_IS, verified=False)
    assert looked == MOST_HELD
