"""How a continuation joins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.seam.join import MOST_HELD, Joiner
from resilient_stream._core.seam.joined import Asked, Diverged, Join, Joined
from tests.support.joins import FRAGMENT, REST, TEXT, asked, decided, joined, told

QUOTE = "the last words of what was received so far"


# -- an exact echo, and none ---------------------------------------------------------------------


@given(
    space=st.text(" \n", max_size=3),
    lead=st.text(" \n", max_size=3),
    rest=st.text("ab \n", max_size=8),
    size=st.integers(1, 7),
)
def test_an_echo_is_found_and_cut(space: str, lead: str, rest: str, size: int) -> None:
    """With an exact echo the text comes out exactly, whatever white space there is, in any pieces,
    verified."""
    head = lead + QUOTE + space + rest
    found = joined(Asked(QUOTE, space), head, size)
    assert found.verified is bool(rest.strip())  # the text is unfinished
    assert found.supplied + head[found.cut :] == rest
    assert found.how is (Joined.ECHO if rest.strip() else Joined.ECHO_ONLY)


@given(
    space=st.text(" \n", max_size=4),
    rest=st.text("ab \n", min_size=1, max_size=6).filter(str.strip),
    strips=st.booleans(),
)
def test_a_prefill_repeats_no_white_space(space: str, rest: str, *, strips: bool) -> None:
    """What the consumer has of the white space behind a prefill is cut, where it comes again."""
    rest = rest.lstrip() if strips else rest
    head = rest if strips else space + rest
    assert Joiner(Asked("", space)).join(head, final=True) == Join(
        len(head) - len(rest), Joined.PREFILL, verified=True
    )


@pytest.mark.parametrize("head", ["", " ", QUOTE[:1], "\n" + QUOTE[:-1], QUOTE, QUOTE + "\n"])
def test_it_waits_while_more_could_change_the_answer(head: str) -> None:
    """Inside the fragment, and inside the white space behind it, nothing is decided."""
    assert Joiner(Asked(QUOTE, "\n\n")).join(head, final=False) is None


def test_a_part_of_the_fragment_proves_nothing() -> None:
    """A reply that ends inside the fragment has brought nothing, and no proof."""
    for size in range(len(QUOTE)):
        assert Joiner(Asked(QUOTE, "")).join(QUOTE[:size], final=True) == Join(
            size, Joined.AS_IS, verified=False
        )


def test_nothing_behind_a_prefill_waits() -> None:
    """An empty head decides nothing before it is final."""
    assert Joiner(Asked("", "")).join("", final=False) is None
    assert Joiner(Asked("", "")).join("", final=True) == Join(0, Joined.PREFILL, verified=False)
    assert Joiner(Asked("", "", text="It ends.")).join("", final=True) == Join(
        0, Joined.PREFILL, verified=True
    )
    assert Joiner(Asked("", " \n")).join(" ", final=False) is None


def test_text_without_the_fragment_is_joined_as_it_is() -> None:
    """Unverified, within a few characters, and without the white space that is there."""
    assert Joiner(asked()).join(REST[:10], final=False) == Join(0, Joined.AS_IS, verified=False)
    assert told(asked(space=" "), REST) == (REST[1:], Joined.AS_IS, False)


def test_an_echo_is_joined_with_the_first_character_behind_it() -> None:
    """Unless a passage of the text, a remark or an ellipsis may begin so."""
    assert Joiner(asked()).join(FRAGMENT, final=False) is None
    assert Joiner(asked()).join(FRAGMENT + " k", final=False) == Join(80, Joined.ECHO, verified=True)


def test_a_join_is_verified_when_the_text_has_not_come_again_soon() -> None:
    """64 characters are waited for, unless it is clear before. The rest decides nothing else."""
    joiner, found = Joiner(asked()), Join(80, Joined.ECHO, verified=True, behind=80)
    assert joiner.watch(FRAGMENT + " 7" * 31, found, final=False) is None
    assert joiner.watch(FRAGMENT + " 7" * 32, found, final=False) == found
    again = Joiner(asked()).watch(f"{FRAGMENT} so. {FRAGMENT}", found, final=False)
    assert again == replace(found, verified=False)
    unproved = Join(0, Joined.AS_IS, verified=False)
    assert joiner.watch("so", unproved, final=False) == unproved


# -- what models make of the fragment ------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        FRAGMENT.upper() + REST,
        " ".join(FRAGMENT.split()).replace(", ", ",  ") + REST,
        FRAGMENT.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}) + REST,
        f"\u201c\u2026{FRAGMENT}\u201d\n{REST}",
        f'"{FRAGMENT}"{REST}',
        f"<<<\n{FRAGMENT}\n>>>\n{REST}",
        f"<part-1>\n{FRAGMENT}\n</part-1>\n{REST}",
        f"```\n{FRAGMENT}\n```\n{REST}",
        f"**{FRAGMENT}**{REST}",
        f"> {FRAGMENT}{REST}",
        f"Sure!\n\n{FRAGMENT}{REST}",
        f"Continuing from where I left off:\n\n{FRAGMENT}{REST}",
        f"Oh dear. That was rude of it:\n\n{FRAGMENT}{REST}",
    ],
)
def test_the_fragment_is_known_in_other_clothes(reply: str) -> None:
    """Letters, white space, quotes, wrappers, openings: found, cut, verified."""
    assert told(asked(), reply) == (REST, Joined.ECHO, True)


@pytest.mark.parametrize("slip", [" big book ", " bok ", " notebook "])
def test_a_fragment_told_with_a_slip_is_cut_without_proof(slip: str) -> None:
    """It begins like the fragment and ends like it; what is between was not told before."""
    assert told(asked(), FRAGMENT.replace(" book ", slip) + REST) == (REST, Joined.ECHO, False)


def test_an_accent_that_the_echo_swallowed_is_given_back() -> None:
    """The text ended inside a character that the reply writes as one."""
    text = TEXT + " said at the cafe"
    found = joined(asked(text), text[-80:-1] + "\u00e9 on the pier")
    assert (found.supplied, found.verified) == ("\u0301", True)


def test_what_can_not_be_seen_is_not_doubled() -> None:
    """A variation selector at the text's end comes again with a folded echo."""
    text = TEXT + " loves \u2764\ufe0f"
    reply = text[-80:].upper() + " and more"
    assert told(asked(text), reply) == (" and more", Joined.ECHO, True)


@pytest.mark.parametrize("dress", ["{}", "{}\n", "<<<\n{}\n>>>", "```\n{}\n```\n"])
@pytest.mark.parametrize("size", [80, 58, len(TEXT) + 1])
def test_a_repetition_alone_is_an_ending_where_the_text_can_end(size: int, dress: str) -> None:
    """Behind a stop nothing was missing but the stop reason; in the middle of a sentence nobody can know."""
    for end, verified in ((".", True), ("", False)):
        text = TEXT + end
        rest, *found = told(asked(text), dress.format(text[-size:]))
        assert (rest.strip(), *found) == ("", Joined.ECHO_ONLY, verified)
    assert told(asked(), FRAGMENT.upper()) == ("", Joined.ECHO_ONLY, False)


@pytest.mark.parametrize("dress", ["**{}**", "\u201c{}\u201d", "<<<\n{}\n>>>", "{}"])
def test_an_indent_behind_a_dressed_fragment_is_not_doubled(dress: str) -> None:
    """The consumer has a line break and half of the indent; the reply brings a line break and all of it."""
    text = TEXT + ":\n\n    with open(path) as file:"
    reply = dress.format(text[-80:]) + "\n        return file"
    assert told(asked(text, "\n    "), reply) == ("    return file", Joined.ECHO, True)


def test_a_part_of_the_fragment_is_known_in_a_wrapper() -> None:
    """The wrapper is cut with it."""
    assert told(asked(), f"**{FRAGMENT[30:].lstrip()}**{REST}") == (REST, Joined.OVERLAP, True)


def test_a_wrapper_that_is_not_closed_is_cut_all_the_same() -> None:
    """Nothing behind the fragment is taken for its end. It may be closed far behind, so nothing is
    verified."""
    assert told(asked(), f"**{FRAGMENT}{REST}") == (REST, Joined.ECHO, False)
    assert told(asked(), f"\u201c{FRAGMENT}{REST}\u201d") == (f"{REST}\u201d", Joined.ECHO, False)


def test_an_indent_behind_an_announcement_is_not_doubled() -> None:
    """The same, where nothing is repeated."""
    text = TEXT + ":\n\n    with open(path) as file:"
    reply = "Continuing from where I left off:\n\n        return file"
    assert told(asked(text, "\n    "), reply) == ("    return file", Joined.PREAMBLE, False)


# -- openings without an echo --------------------------------------------------------------------


@pytest.mark.parametrize(
    "opening",
    [
        "Continuing from where I left off:\n\n",
        "Sure! Here's the rest of the answer:\n\n",
        "Sorry about that. Let me pick up where I left off:\n\n",
        "Ich mache dort weiter, wo ich unterbrochen wurde:\n\n",
        "\u597d\u7684\uff0c\u6211\u4ece\u521a\u624d\u4e2d\u65ad\u7684\u5730\u65b9\u7ee7\u7eed\uff1a\n\n",
    ],
)
def test_an_announcement_is_cut_without_proof(opening: str) -> None:
    """It is no part of the answer; where the rest belongs is not proved by it."""
    assert told(asked(), opening + REST) == (REST, Joined.PREAMBLE, False)


def test_a_fence_that_is_open_is_not_opened_again() -> None:
    """With a language it can't be the fence's end."""
    text = TEXT + ":\n\n```python\ndef tide(hour):\n    return"
    assert told(asked(text), "```python\n hour % 12\n```") == (" hour % 12\n```", Joined.PREAMBLE, False)
    assert told(asked(text), f"```python\n{text[-80:]} hour") == (" hour", Joined.ECHO, True)


@pytest.mark.parametrize("rest", ["Continuing north, one sees a light.", "Sure! he said.\n\nAnd left."])
def test_a_sentence_of_the_answer_is_no_opening(rest: str) -> None:
    """Courtesies and journeys are left in place."""
    text = TEXT + " thinks.\n\n"
    assert told(asked(text.rstrip(), "\n\n"), rest) == (rest, Joined.AS_IS, False)


@pytest.mark.parametrize("language", ["", "py", "python"])
def test_a_fence_whose_opening_was_cut_is_not_opened_twice(language: str) -> None:
    """All of its line comes again, and only the rest of it is new."""
    text = TEXT + ":\n\n```" + language
    rest = "python"[len(language) :] + "\nx = 1\n"
    assert told(asked(text), f"```{language}{rest}") == (rest, Joined.OVERLAP, True)
    assert told(asked(text), rest) == (rest, Joined.AS_IS, False)


def test_code_behind_a_reopened_fence_is_no_wrapper() -> None:
    """What looks like one is code."""
    text = TEXT + ":\n\n```python\nself"
    assert told(asked(text), "```python\n_kept.add(1)\n```") == ("_kept.add(1)\n```", Joined.PREAMBLE, False)


@pytest.mark.parametrize(("rest", "left"), [("x = 2\ny = 3", ""), ("\n\nProse.", "\n```")])
def test_a_wrapping_fence_in_a_fence_is_closed(rest: str, left: str) -> None:
    """Where no empty line follows: one says that it is the end of the text's own."""
    text = TEXT + ":\n\n```python\nfor each in self.kept: x = 1; y = 2; print(x, y); x ="
    reply = f"```\n{text[-80:]}\n```\n{rest}" if not left else f"```\n{text[-80:]}\n```{rest}"
    assert told(asked(text), reply)[0] == left + rest


@pytest.mark.parametrize("line", ["Oh dear, that was rude of it:\n\n", "Here we go again!\n\n"])
def test_behind_any_line_the_whole_is_repeated(line: str) -> None:
    """Where all of it was asked for; a line that may go on with the text is no opening."""
    of = asked("Those who look for long", whole=True)
    assert told(of, f"{line}Those who look for long enough learn.") == (" enough learn.", Joined.ECHO, True)
    rest = f" enough\n\n{line}Those who look for long enough learn."
    assert told(of, rest) == (rest, Joined.AS_IS, False)


def test_what_somebody_says_is_no_announcement() -> None:
    """It is a part of a tale."""
    rest = 'Here is the rest," he read, "of what the keeper wrote:\n\nNothing.'
    assert told(asked(TEXT + ' wrote. "'), rest) == (rest, Joined.AS_IS, False)


def test_a_refrain_from_mid_line_is_an_echo() -> None:
    """Behind a line that is set apart; from its beginning on it may be sung again."""
    line = "Row, brothers, row till the morning is here, and the boats come home\n"
    text, opening = f"{TEXT}.\n\n{line * 2}{line[:30]}", "Oh dear, that was rude of it:\n\n"
    of = Asked(text[-60:], "", text=text)
    assert told(of, f"{opening}{text[-60:]} is here")[0] == " is here"
    text = f"{TEXT}.\n\n{line * 3}".rstrip()
    of = Asked(line.rstrip(), "\n", text=text)
    again, _, verified = told(of, f"{opening}{line}")
    assert again.startswith(opening)
    assert not verified


# -- bounds --------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("abc |\n.:T"), min_size=1, max_size=900))
def test_no_more_is_held_than_said(reply: str) -> None:
    """Whatever is said, the decision has come when 400 characters have."""
    if len(reply) > MOST_HELD:
        assert Joiner(asked()).join(reply[:MOST_HELD], final=False) is not None


@pytest.mark.parametrize(
    ("text", "whole"),
    [("\u200b", True), ("\u200b" * 90, True), ("\u200b" * 90, False), ("A tide. " + "\u200b" * 90, False)],
    ids=["one", "many", "quoted", "behind text"],
)
@pytest.mark.parametrize(
    "reply", ["\0" * 500, "Sure! And so on, and so on.\n\n", "Sure! A tide. And more of it.", "A tide"]
)
def test_a_fragment_that_can_not_be_seen_is_no_fragment(text: str, reply: str, *, whole: bool) -> None:
    """Nothing can be told of it, so nothing is found."""
    found = decided(asked(text, whole=whole), reply)
    assert found == Diverged() or (isinstance(found, Join) and found.how is not Joined.ECHO)
