"""Seams as a user's program sees them: real clients, real sockets, a model with manners."""

from __future__ import annotations

import pytest

from resilient_stream.testing import cut_at
from tests.support.doors import Door, every_door, through
from tests.support.worlds import HASTY, TEXT, USER_TURN_MODEL, stand_in

JOINED = {
    "echo": ("echo", True),
    "wide_echo": ("echo", True),
    "quoted_echo": ("echo", True),
    "fenced_echo": ("echo", True),
    "partial_echo": ("overlap", True),
    "repeated_sentence": ("overlap", True),
    "restart": ("restart", True),
    "preamble_de": ("echo", True),
    "preamble_ja_no_echo": ("preamble", False),
    "no_echo": ("as_is", False),
}
"""Manner to how it is joined, and whether that is proved."""

CUT = 1500


@through(list(JOINED))
def test_each_manner_is_joined(name: str, door: Door) -> None:
    """The text is the author's, the message holds what was streamed, and the report says how."""
    with stand_in(cut_at(CUT, "rst"), manner=name) as server:
        seen = door.stream(server.url, model=USER_TURN_MODEL)
    assert (seen.ending, seen.text) == ("whole", TEXT)
    assert seen.message["content"][0]["text"] == TEXT
    (seam,) = seen.report.seams
    assert (seam.joined.value, seam.verified) == JOINED[name]
    assert seam.at == seen.report.attempts[0].characters
    assert 0 < seam.at < len(TEXT)
    assert seam.supplied == 0


@every_door
def test_two_cuts_two_seams(door: Door) -> None:
    """A reply that is cut itself is continued from where the consumer is."""
    with stand_in(cut_at(CUT, "rst"), cut_at(CUT, "rst"), manner="repeated_sentence") as server:
        seen = door.stream(server.url, model=USER_TURN_MODEL)
    assert seen.text == TEXT
    assert len(seen.report.seams) == len(seen.report.attempts) - 1


@every_door
def test_another_answer_is_raised_with_the_partial(door: Door) -> None:
    """After it was asked for once more; nothing of it was handed over."""
    with stand_in(cut_at(CUT, "rst"), manner="diverging_restart") as server:
        seen = door.stream(server.url, model=USER_TURN_MODEL)
    assert seen.ending == "broken"
    assert TEXT.startswith(seen.text)
    assert seen.kinds == ["reset", "protocol", "protocol"]
    partial = seen.report.partial
    assert partial is not None
    assert partial["content"][0]["text"] == seen.text


@every_door
def test_words_and_length_of_the_request_are_the_users(door: Door) -> None:
    """In another language, with a longer fragment; nothing is said in ``system``."""
    words = "Die Verbindung riss ab. Wiederhole bitte genau dies und schreibe dann weiter:\n\n{quote}"
    policy = HASTY.replace(continuation_template=words, quote_length=160)
    with stand_in(cut_at(2500, "rst")) as server:
        seen = door.stream(server.url, policy, model=USER_TURN_MODEL)
        asked = server.requests[-1]
    assert seen.text == TEXT
    assert 120 <= len(asked.quote) <= 200
    assert asked.json["messages"][-1]["content"].startswith("Die Verbindung riss ab.")
    assert "system" not in asked.json


@pytest.mark.parametrize(("unverified", "sends"), [("refuse", 2), ("ask", 3)])
@every_door
def test_a_policy_may_want_proof(door: Door, unverified: str, sends: int) -> None:
    """Then text without it is not handed over."""
    with stand_in(cut_at(CUT, "rst"), manner="no_echo") as server:
        seen = door.stream(server.url, HASTY.replace(unverified=unverified), model=USER_TURN_MODEL)  # type: ignore[arg-type]
    assert seen.ending == "broken"
    assert TEXT.startswith(seen.text)
    assert len(seen.report.attempts) == sends
