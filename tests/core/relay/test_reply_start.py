"""The head of a reply until it is known how it joins."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import Barren, Flaw, Kind
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.relay.reply_start import DIVERGED, UNFINISHED, UNVERIFIED, ReplyStart
from resilient_stream._core.seam.joined import Asked, Joined

QUOTE = "so far it had come"


def head(
    *, quote: str = QUOTE, accept: bool = True, again: tuple[str, ...] = (), asked: bool = True
) -> ReplyStart:
    """The head of a user-turn continuation."""
    plan = Plan(Form.USER_TURN, {}, Asked(quote, "") if asked else None)
    return ReplyStart(plan, accept_unverified=accept, asked_again=again)


def test_other_attempts_have_no_head() -> None:
    """A first attempt or a restart joins nothing and may well be empty."""
    for form in (Form.FIRST, Form.RESTART):
        one = ReplyStart(Plan(form), accept_unverified=False, asked_again=())
        assert not one.wanted
        one.grow("text that joins nothing")
        one.other()
        one.end("end_turn")
        assert one.joined is None
        assert one.rest == ""


def test_an_echo_is_decided_once_enough_follows() -> None:
    """What follows the cut is the rest; then no more is wanted."""
    one = head()
    one.grow(QUOTE[:3])
    assert not one.decide(final=False)
    one.grow(QUOTE[3:])
    assert not one.decide(final=False)
    one.grow(" and more")
    assert not one.decide(final=False)
    one.grow(" of it" * 10)
    assert one.decide(final=False)
    assert one.rest == " and more" + " of it" * 10
    assert not one.wanted
    assert one.joined is not None
    assert one.joined.how is Joined.ECHO
    assert not one.decide(final=True)
    one.end("end_turn")


def test_characters_in_halves_are_recognised() -> None:
    """A fragment whose character came in two halves is found; a half alone decides nothing."""
    one = head(quote="a fish 🐟 swims")
    for piece in ("a fish \ud83d", "\udc1f swims", "\ud83d"):
        one.grow(piece)
        assert not one.decide(final=False)
    assert one.decide_at_death()
    assert one.rest == "\ud83d"


@pytest.mark.parametrize("text", ["", "  ", QUOTE[:17]])
def test_a_block_without_news_is_as_good_as_none(text: str) -> None:
    """An empty text, or a part of the fragment: another may follow, else the reply brought nothing."""
    one = head()
    one.grow(text)
    assert not one.decide(final=True)
    assert one.wanted
    assert not one.decide_at_death()
    with pytest.raises(Barren) as caught:
        one.end("end_turn")
    assert caught.value.stop_reason == "end_turn"


def test_the_echo_alone_is_an_ending_where_the_text_can_end() -> None:
    """Only the ending had been lost: verified, and the report says that it was inferred."""
    one = head(quote=QUOTE + ".", accept=False)
    one.grow(QUOTE + ".")
    assert one.decide(final=True)
    assert one.joined is not None
    assert (one.joined.how, one.joined.verified) == (Joined.ECHO_ONLY, True)
    one.end("end_turn")
    assert one.inferred


def test_the_echo_alone_of_an_unfinished_text_is_barren() -> None:
    """It is asked once more; what comes then ends the reply, unverified, where the policy accepts that."""
    one = head()
    one.grow(QUOTE)
    assert not one.decide(final=True)
    assert one.joined is None
    with pytest.raises(Barren):
        one.end("end_turn")
    one = head(again=("end_turn",))
    one.grow(QUOTE)
    assert not one.decide(final=True)
    one.end("end_turn")
    assert one.joined is not None
    assert (one.joined.how, one.joined.verified, one.joined.cut) == (Joined.ECHO_ONLY, False, len(QUOTE))
    assert one.inferred
    one = head(again=("end_turn",), accept=False)
    one.grow(QUOTE)
    assert not one.decide(final=True)
    with pytest.raises(Flaw) as caught:
        one.end("end_turn")
    assert caught.value.failure.detail == UNFINISHED


def test_an_ending_behind_something_new_is_proved() -> None:
    """Text behind the echo, another block, or a reason that explains: nothing is inferred."""
    one = head()
    one.grow(QUOTE + ", and more")
    assert one.decide(final=True)
    one.end("end_turn")
    assert not one.inferred
    one = head(quote=QUOTE + ".")
    one.grow(QUOTE + ".")
    assert one.decide(final=True)
    one.other()
    one.end("end_turn")
    assert not one.inferred
    for reason in ("refusal", "max_tokens"):
        one = head(again=("max_tokens",))
        one.end(reason)
        assert not one.inferred


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "max_tokens"])
def test_nothing_is_asked_once_more(reason: str, *, asked: bool) -> None:
    """The first time it is barren; the second it is believed, unverified where text was to be joined."""
    with pytest.raises(Barren):
        head(asked=asked).end(reason)
    one = head(again=(reason,), asked=asked)
    one.end(reason)
    assert (one.joined is not None) is asked
    assert one.joined is None or not one.joined.verified


@pytest.mark.parametrize("reason", ["refusal", "pause_turn", "tool_use", "model_context_window_exceeded"])
def test_a_reason_that_explains_is_believed(reason: str) -> None:
    """A refusal is passed through, and never asked again."""
    one = head(accept=False)
    one.end(reason)
    assert one.joined is not None


def test_something_else_leaves_the_text_as_it_stands() -> None:
    """A tool call at once: joined as is, unverified; refused where the policy wants proof."""
    one = head()
    one.other()
    assert one.joined is not None
    assert (one.joined.how, one.joined.cut, one.joined.verified) == (Joined.AS_IS, 0, False)
    with pytest.raises(Flaw) as caught:
        head(accept=False).other()
    assert (caught.value.failure.kind, caught.value.failure.detail) == (Kind.PROTOCOL, UNVERIFIED)


def test_text_without_proof_is_the_policys_question() -> None:
    """Joined where it is accepted, a flaw where it is not; at death it is dropped there."""
    one = head()
    one.grow("surely, it will go on.")
    assert one.decide(final=False)
    assert one.rest == "surely, it will go on."
    one = head(accept=False)
    one.grow("surely, it will go on.")
    assert not one.decide_at_death()
    with pytest.raises(Flaw) as caught:
        one.decide(final=False)
    assert caught.value.failure.detail == UNVERIFIED


@pytest.mark.parametrize("text", ["Sure! Contin", "Perhaps a sentence", QUOTE[:9], "surely, it will go on."])
def test_what_died_without_proof_is_dropped(text: str) -> None:
    """It may be half an opening or half a fragment, and comes again."""
    one = head()
    one.grow(text)
    assert not one.decide_at_death()
    assert one.wanted


@pytest.mark.parametrize("accept", [True, False])
def test_another_answer_is_refused_by_every_policy(*, accept: bool) -> None:
    """A reply that begins like the text and leaves it is never handed over, dead or alive."""
    told = "The sea rises twice a day, and nobody has ever seen it rise in quite the same way before noon."
    plan = Plan(Form.USER_TURN, {}, Asked(told[-40:], "", text=told))
    one = ReplyStart(plan, accept_unverified=accept, asked_again=())
    one.grow(told[:60] + " knows why, said the old man.")
    assert not one.decide_at_death()
    with pytest.raises(Flaw) as caught:
        one.decide(final=False)
    assert (caught.value.failure.kind, caught.value.failure.detail) == (Kind.PROTOCOL, DIVERGED)
