"""Recognising continuations, and answering them."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream.testing import ANSWER, Reply
from resilient_stream.testing.continuations import (
    Reading,
    blocks_of,
    longest_quote,
    place,
    read,
    resume,
    turns,
)
from resilient_stream.testing.manners.echoes import echo, no_echo
from tests.support.stand_ins import ASK, request

FIRST = {"type": "text", "text": "The first text, some words long."}
SECOND = {"type": "text", "text": "Then a second text, no shorter."}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s1"}
SEARCH = {"type": "server_tool_use", "id": "srv1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv1", "content": []}
TOOL = {"type": "tool_use", "id": "t1", "name": "n", "input": {}}
SCRIPT: list[dict[str, Any]] = [THOUGHT, FIRST, SEARCH, FOUND, SECOND, TOOL]
WHOLE = [{"type": "text", "text": ANSWER}]


def said(text: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": text}


def user_turn(content: Any, words: str) -> dict[str, Any]:
    """A request that goes on in a user turn."""
    turn = [{"role": "assistant", "content": content}, {"role": "user", "content": words}]
    return request([*ASK, *turn])


def prefill(content: Any) -> dict[str, Any]:
    """A request that goes on from an assistant turn."""
    return request([*ASK, {"role": "assistant", "content": content}])


def text(reply: Reply) -> str:
    """The text of a reply of one text block or none."""
    return "".join(block["text"] for block in reply.content)


@pytest.mark.parametrize("manner", [echo, no_echo])
def test_a_user_turn_joins_to_the_exact_text_at_every_offset(manner: Any) -> None:
    """Whatever was received and however it is quoted, the rest follows."""
    reply = Reply(WHOLE)
    for cut in range(1, len(ANSWER) + 1):
        received = ANSWER[:cut].rstrip()
        reading = read(user_turn(ANSWER[:cut], f"It broke off after <<{received[-60:]}>>."), WHOLE)
        assert reading.form == "user_turn"
        assert received.endswith(reading.quote)
        repeated = reading.quote if manner is echo else ""
        assert text(resume(reply, reading, manner)) == repeated + ANSWER[len(received) :]


def test_a_prefill_joins_to_the_exact_text_at_every_offset() -> None:
    """The response holds only the rest."""
    reply = Reply(WHOLE)
    for cut in range(1, len(ANSWER) + 1):
        received = ANSWER[:cut].rstrip()
        reading = read(prefill(received), WHOLE)
        assert (reading.form, reading.quote) == ("prefill", "")
        assert received + text(resume(reply, reading, no_echo)) == ANSWER


def test_nothing_is_left_of_a_complete_answer() -> None:
    """All was received: the echo alone, or no block at all."""
    reading = read(user_turn(ANSWER, f"after: {ANSWER[-50:]}"), WHOLE)
    assert text(resume(Reply(WHOLE), reading, echo)) == reading.quote
    assert resume(Reply(WHOLE), reading, no_echo).content == ()


@pytest.mark.parametrize("words", ["Thanks!", "Go on.", "first te? xt, so?", ""])
def test_without_a_quote_it_is_a_new_question(words: str) -> None:
    """A user turn that does not quote the end of the answer is no continuation."""
    assert read(user_turn("The first text, so", words), [FIRST]) == Reading()


def test_eight_characters_are_a_quote() -> None:
    """Less is none, unless it is the whole text."""
    assert read(user_turn("The first text", "rst text"), [FIRST]).quote == "rst text"
    assert read(user_turn("The first text", "st text"), [FIRST]) == Reading()
    assert read(user_turn("The", "The"), [FIRST]).quote == "The"
    assert read(user_turn("Tho", "Tho"), [FIRST]) == Reading()


def test_a_text_that_was_never_said_does_not_match() -> None:
    """It is taken for a continuation, and answered from the beginning."""
    reading = read(user_turn("Something else altogether", "else altogether"), [FIRST])
    assert (reading.form, reading.place) == ("user_turn", None)
    assert resume(Reply([FIRST]), reading, echo) == Reply([FIRST])
    assert read(prefill("Something else"), [FIRST]).place is None


def test_the_quote_may_be_anywhere_in_the_final_turn() -> None:
    """In any block of any of the user's last messages."""
    asked = user_turn("The first text", "first")
    asked["messages"].append({"role": "user", "content": [said("second: «first text»"), {"type": "image"}]})
    assert read(asked, [FIRST]).quote == "first text"


def test_neighbours_of_the_same_role_are_one_turn() -> None:
    """As the API does; a system message in between is passed over."""
    asked = prefill("The first ")
    asked["messages"] += [{"role": "system", "content": "hm"}, {"role": "assistant", "content": "text"}]
    assert read(asked, [FIRST]).place == (0, len("The first text"))
    assert turns([{"role": "a", "content": "x"}, {"role": "a", "content": "y"}]) == [
        ("a", [said("x"), said("y")])
    ]


def test_content_is_text_or_blocks() -> None:
    """Both spellings are blocks; what is neither is nothing."""
    assert blocks_of({"content": "x"}) == [said("x")]
    assert blocks_of({"content": [FIRST, "junk"]}) == [FIRST]
    assert blocks_of({"content": ""}) == blocks_of({}) == []


@pytest.mark.parametrize(
    ("messages", "reading"),
    [
        (ASK, Reading()),
        ([{"role": "system", "content": "x"}], Reading()),
        ([*ASK, {"role": "assistant", "content": []}, *ASK], Reading()),
    ],
)
def test_a_plain_request_is_fresh(messages: list[Any], reading: Reading) -> None:
    """No assistant turn, nothing to go on from."""
    assert read(request(messages), [FIRST]) == reading


def test_a_tool_result_is_no_continuation() -> None:
    """The user answers a tool call, whatever the result says."""
    asked = user_turn([FIRST, TOOL], "")
    asked["messages"][-1]["content"] = [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]
    assert read(asked, SCRIPT) == Reading()


@pytest.mark.parametrize(
    ("received", "where"),
    [
        ([said("The first")], (1, 9)),
        ([THOUGHT, said("The first")], (1, 9)),
        ([THOUGHT], (1, 0)),
        ([FIRST], (1, 32)),
        ([said("The "), said("first")], (1, 9)),
        ([THOUGHT, FIRST, SEARCH], (3, 0)),
        ([FIRST, SEARCH, FOUND], (4, 0)),
        ([FIRST, SEARCH, FOUND, said("Then")], (4, 4)),
        ([FIRST, said("Then")], (4, 4)),
        ([FIRST, SECOND, TOOL], (6, 0)),
        ([{"type": "thinking", "thinking": "new", "signature": "s2"}, said("The")], (1, 3)),
        ([], (0, 0)),
        ([said("Then"), said("The first")], None),
        ([said("else")], None),
        ([FOUND, SEARCH], None),
    ],
)
def test_a_place_in_the_script_is_found(received: list[Any], where: tuple[int, int] | None) -> None:
    """Blocks may be missing in between; what is not in the script, or out of its order, does not match."""
    assert place(SCRIPT, received) == where


def test_the_blocks_after_the_text_follow() -> None:
    """The text is finished, then the rest of the script comes."""
    reading = read(user_turn([said("The first text")], "<The first text>"), SCRIPT)
    first, *rest = resume(Reply(SCRIPT), reading, echo).content
    assert first["text"] == FIRST["text"]
    assert rest == SCRIPT[2:]


def test_a_complete_text_is_followed_by_what_comes_next() -> None:
    """Nothing is left of the text: no empty block."""
    reading = read(prefill([FIRST]), SCRIPT)
    assert resume(Reply(SCRIPT), reading, no_echo).content == tuple(SCRIPT[2:])


def test_between_two_blocks_there_is_nothing_to_quote() -> None:
    """A partial answer that ends in a finished pair is gone on from without a quote."""
    reading = read(user_turn([FIRST, SEARCH, FOUND], "Go on."), SCRIPT)
    assert reading == Reading("user_turn", "", (4, 0))
    assert resume(Reply(SCRIPT), reading, echo).content == tuple(SCRIPT[4:])


def test_a_finished_answer_without_text_is_not_partial() -> None:
    """The next question after it is a new question."""
    assert read(user_turn([FIRST, SEARCH, FOUND], "And now?"), SCRIPT[:4]) == Reading()


def test_the_longest_quote_is_found() -> None:
    """A suffix of the one that occurs in the other."""
    assert longest_quote("abcdef", "xx cdef def") == "cdef"
    assert longest_quote("abc", "abc") == "abc"
    assert longest_quote("abc", "x") == ""
    assert longest_quote("", "x") == ""
