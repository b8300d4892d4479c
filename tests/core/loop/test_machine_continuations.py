"""What a continuation may bring: nothing, an unproved seam, another answer."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Kind
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.quote import quote
from resilient_stream._core.seam.joined import Joined
from tests.support.broken import CUT, DOWN, PREFILL, SCRIPT, answer, raised
from tests.support.consumer import whole
from tests.support.contents import PROSE, SEARCH, THOUGHT, text
from tests.support.machines import REQUEST, RESET, Body, Patient, drive, machine, serve
from tests.support.streams import (
    Json,
    block,
    block_start,
    ending,
    start,
    text_delta,
)

# -- barren continuations ---------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence"])
@pytest.mark.parametrize(
    "nothing",
    [[], [THOUGHT], [text("")], [text(" \n")], [text(quote(PROSE[:70])[:10])]],
    ids=["none", "thought", "empty", "blank", "part"],
)
def test_nothing_is_asked_once_more_then_believed(nothing: list[Json], reason: str) -> None:
    """A continuation without news is barren; the second ends the message, unverified."""
    judge = Patient()
    run = drive(
        machine(judge=judge), lambda send: CUT if send.number == 1 else answer(*nothing, reason=reason)
    )
    whole(run.heard)
    assert (run.heard.text, run.heard.stop_reason, len(run.sends)) == (PROSE[:70], reason, 3)
    assert [history.barren for _, history in judge.asked] == [0, 1]
    assert judge.asked[1][0].detail == "the continuation brought nothing"
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.AS_IS, False)]


ECHO = text(quote(PROSE[:70]))
"""The quote alone; the text is cut in the middle of a sentence."""


def wording(send: Send) -> str:
    """The words of a user turn."""
    assert send.plan.body is not None
    return str(send.plan.body["messages"][-1]["content"])


def test_an_echo_alone_is_asked_again_in_other_words() -> None:
    """It proves the place and not the end. The second time it ends the message, and says that nothing proves it."""
    run = drive(machine(), lambda send: CUT if send.number == 1 else answer(ECHO))
    whole(run.heard)
    assert (run.heard.text, run.heard.stop_reason, len(run.sends)) == (PROSE[:70], "end_turn", 3)
    first, second = map(wording, run.sends[1:])
    assert first != second
    assert all(quote(PROSE[:70]) in words for words in (first, second))
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.ECHO_ONLY, False)]
    assert run.machine.attempt.inferred


def test_after_an_echo_alone_the_rest_is_joined() -> None:
    """The other words bring it; the words of the policy's own were asked first."""
    run = drive(
        machine(continuation_template="Again: {quote}"),
        lambda send: (CUT, answer(ECHO))[send.number - 1] if send.number < 3 else SCRIPT.answer(send.plan),
    )
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE, 3)
    assert wording(run.sends[1]).startswith("Again: ")
    assert not wording(run.sends[2]).startswith("Again: ")
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.ECHO, True)]
    assert not run.machine.attempt.inferred


@pytest.mark.parametrize("unverified", ["ask", "refuse"])
@pytest.mark.parametrize("nothing", [[ECHO], []], ids=["echo", "nothing"])
def test_a_policy_may_refuse_an_unproved_ending(unverified: str, nothing: list[Json]) -> None:
    """After it was asked once more, and no oftener."""
    run = drive(machine(unverified=unverified), lambda send: CUT if send.number == 1 else answer(*nothing))
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, 3, PROSE[:70])
    assert "ending" in run.machine.ledger.reason


def test_an_echo_alone_of_a_text_that_can_end_is_its_ending() -> None:
    """At once, for every policy; the report says that the ending is inferred."""
    said = PROSE[: PROSE.index(".") + 1]
    cut = Body([b"".join([start(), block_start(0, text("")), text_delta(0, said)])], RESET)
    run = drive(machine(unverified="refuse"), serve(cut, answer(text(quote(said)))))
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", said, 2)
    assert [(one.joined, one.verified) for one in run.machine.ledger.seams] == [(Joined.ECHO_ONLY, True)]
    assert run.machine.attempt.inferred


def test_other_words_are_for_the_seam_that_needed_them() -> None:
    """A later seam is asked for in the first words again."""

    def often(send: Send) -> Any:
        if send.number == 2:
            return answer(ECHO)
        told = SCRIPT.answer(send.plan)
        return Body([told[:1500]], RESET) if send.number == 3 else told

    run = drive(machine(), lambda send: CUT if send.number == 1 else often(send))
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE, 4)
    words = [wording(send).partition("\n")[0] for send in run.sends[1:]]
    assert words[0] == words[2] != words[1]


def test_thinking_that_ate_the_limit_gets_the_original_one() -> None:
    """Thinking only and max_tokens: the next try is not reduced; the one after an end_turn is again."""
    long = "word " * 2000
    head = Body([start(), block_start(0, text("")), text_delta(0, long + "end")], RESET)
    request = REQUEST | {"max_tokens": 20_000}
    replies: list[Any] = [
        head,
        answer(THOUGHT, reason="max_tokens"),
        answer(THOUGHT),
        answer(reason="max_tokens"),
    ]
    run = drive(machine(request), serve(*replies))
    tokens = [send.plan.body["max_tokens"] for send in run.sends[1:] if send.plan.body]
    reduced, whole, again = tokens
    assert reduced < 20_000 == whole
    assert abs(again - reduced) < 100, "only the words that ask for more differ"
    assert (run.outcome, run.heard.stop_reason) == ("completed", "max_tokens")


def test_a_prefill_that_ends_at_once_is_asked_again() -> None:
    """It may be complete, but nothing proves it."""
    run = drive(machine(PREFILL), lambda send: CUT if send.number == 1 else answer())
    assert (run.forms, run.outcome) == (["first", "prefill", "prefill"], "completed")


def test_a_barren_ending_without_its_blank_line_is_barren_once() -> None:
    """What was cut behind the ending is read once, and asked again like any other."""
    cut = Body([b"".join([start(id="x"), ending()])[:-1]], RESET)
    run = drive(machine(), serve(CUT, cut, answer(text(quote(PROSE[:70]) + "!"))))
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE[:70] + "!", 3)


def test_a_continuation_behind_a_result_may_be_barren_too() -> None:
    """Where no text is joined, nothing is nothing all the same."""
    found = {"type": "web_search_tool_result", "tool_use_id": SEARCH["id"], "content": []}
    head = b"".join([start(), *block(0, SEARCH), *block(1, found)])
    run = drive(machine(), lambda send: Body([head], RESET) if send.number == 1 else answer())
    assert len(run.sends) == 3
    assert run.machine.ledger.seams == []
    whole(run.heard)


def test_a_restart_may_be_empty() -> None:
    """It is the user's own request, and an empty answer is one; on another model too."""
    assert drive(machine(), serve(Body([start()], RESET), answer())).forms == ["first", "restart"]
    fallen = drive(machine(fallback_models=({"model": "b"},)), serve(DOWN, DOWN, answer()))
    assert (fallen.forms, fallen.outcome) == (["first", "restart", "restart"], "completed")


# -- unverified -------------------------------------------------------------------------------------


def stubborn(send: Send) -> Any:
    """A model that goes on without the fragment."""
    return CUT if send.number == 1 else answer(text(" and then."))


def test_an_unverified_seam_is_accepted_and_reported() -> None:
    """By default."""
    run = drive(machine(), stubborn)
    assert run.heard.text == PROSE[:70] + " and then."
    (seam,) = run.machine.ledger.seams
    assert (seam.attempt, seam.at, seam.joined, seam.trimmed, seam.verified) == (
        2,
        70,
        Joined.AS_IS,
        0,
        False,
    )


def test_an_unverified_seam_is_refused() -> None:
    """At once, with the partial, and nothing of it handed over."""
    judge = Patient()
    run = drive(machine(judge=judge, unverified="refuse"), stubborn)
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, 2, PROSE[:70])
    assert "refuses" in run.machine.ledger.reason
    assert len(judge.asked) == 1


def test_an_unverified_seam_is_asked_for_once_more() -> None:
    """Then refused; or verified by then."""
    run = drive(machine(unverified="ask"), stubborn)
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, 3, PROSE[:70])
    run = drive(
        machine(unverified="ask"),
        lambda send: stubborn(send) if send.number < 3 else SCRIPT.answer(send.plan),
    )
    assert (run.outcome, run.heard.text) == ("completed", PROSE)


@pytest.mark.parametrize(("unverified", "sends"), [("accept", 3), ("ask", 3), ("refuse", 2)])
def test_another_answer_is_asked_for_once_more_and_never_joined(unverified: str, sends: int) -> None:
    """Whatever the policy accepts without proof: here it is proved that the text belongs elsewhere."""
    other = PROSE[:60] + "or so it was said by those who had never looked."
    run = drive(machine(unverified=unverified), lambda send: CUT if send.number == 1 else answer(text(other)))
    assert (raised(run).kind, len(run.sends), run.heard.text) == (Kind.PROTOCOL, sends, PROSE[:70])
    assert "another answer" in run.machine.ledger.reason
    run = drive(
        machine(unverified="accept"),
        lambda send: (
            (CUT, answer(text(other)))[send.number - 1] if send.number < 3 else SCRIPT.answer(send.plan)
        ),
    )
    assert (run.outcome, run.heard.text) == ("completed", PROSE)


@pytest.mark.parametrize("poor", [answer(), answer(text(" and then."))], ids=["nothing", "unproved"])
def test_each_seam_is_asked_for_once_more(poor: bytes) -> None:
    """What one seam has cost is forgotten once it is joined."""

    def often(send: Send) -> Any:
        if send.number % 2 == 0:
            return poor
        whole_ = SCRIPT.answer(send.plan)
        return Body([whole_[: 100 * send.number + 500]], RESET) if send.number < 5 else whole_

    run = drive(machine(unverified="ask"), often)
    assert (run.outcome, run.heard.text, len(run.sends)) == ("completed", PROSE, 5)
