"""What is told of a stream, and its usage."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import (
    Attempt,
    Ledger,
    Seam,
    final_usage,
    tokens,
    weighted_input,
)
from resilient_stream._core.seam.joined import Joined
from resilient_stream._core.tokens import MOST, of_request
from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.verdict import QUEUE, Retry

OPENING: dict[str, Any] = {
    "id": "msg_1",
    "usage": {"input_tokens": 100, "cache_read_input_tokens": 7, "output_tokens": 1},
}

ASKED = {"messages": [{"role": "user", "content": "x" * 350}]}
"""About 107 tokens, with the names in it."""


def attempt(number: int = 1, **usage: Any) -> Attempt:
    """An attempt that told of this usage."""
    return Attempt(number, Form.FIRST, "m", status=200, usage=usage)


def test_reported_numbers_are_taken_as_they_are() -> None:
    """The last cumulative value wins; what is null there does not hide what was told at the start."""
    one = attempt()
    one.count(
        OPENING,
        {"output_tokens": 40, "input_tokens": None, "cache_read_input_tokens": 9},
        ended=True,
        request=ASKED,
    )
    assert one.usage == {"input_tokens": 100, "cache_read_input_tokens": 9, "output_tokens": 40}
    assert (one.usage_source, one.message_id) == ("reported", "msg_1")


def test_the_output_of_a_cut_attempt_is_estimated() -> None:
    """By what was handed over, and marked; never a zero that was not told."""
    one = attempt()
    one.characters = 350
    one.count(OPENING, {}, ended=False, request=ASKED)
    assert (one.usage["output_tokens"], one.usage_source) == (100, "estimated")
    one.characters = 0
    one.count(OPENING, {}, ended=False, request=ASKED)
    assert one.usage["output_tokens"] == 1
    one.count({"usage": {"input_tokens": 5}}, {}, ended=False, request=ASKED)
    assert one.usage == {"input_tokens": 5}


def test_a_count_on_the_way_is_no_final_one() -> None:
    """A cumulative number that came before the cut is a lower bound of the estimate."""
    one = attempt()
    one.count(OPENING, {"output_tokens": 30}, ended=False, request=ASKED)
    assert (one.usage["output_tokens"], one.usage_source) == (30, "estimated")


@pytest.mark.parametrize(
    "usage",
    [
        {},
        None,
        "many",
        [1],
        {"input_tokens": 0, "output_tokens": 1},
        {"input_tokens": None, "cache_read_input_tokens": 0},
        {"input_tokens": "9"},
        {"input_tokens": -3},
    ],
)
@pytest.mark.parametrize("closing", [{}, {"output_tokens": 40}, {"output_tokens": 40, "input_tokens": 0}])
def test_input_that_was_not_told_is_estimated(usage: Any, closing: dict[str, Any]) -> None:
    """From the request, and marked; no request is without any, so 0 tells nothing. The rest stays what it was."""
    one = attempt()
    one.count({"usage": usage}, closing, ended=True, request=ASKED)
    assert one.usage["input_tokens"] == of_request(ASKED) == 107
    assert one.usage_source == "estimated"
    assert ("output_tokens" in one.estimated) is False or not closing
    assert one.usage.get("output_tokens") in (None, 1, 40)


@pytest.mark.parametrize("name", ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"])
def test_input_that_was_told_is_no_estimate(name: str) -> None:
    """At the start or at the end, by any of its names."""
    for opening, closing in (({name: 9}, {}), ({}, {name: 9})):
        one = attempt()
        one.count({"usage": opening}, {"output_tokens": 4, **closing}, ended=True, request=ASKED)
        assert (one.usage[name], one.estimated, one.usage_source) == (9, (), "reported")


def test_an_attempt_without_a_head_is_unknown() -> None:
    """Nobody knows whether it was billed."""
    one = attempt()
    one.count(None, {}, ended=False, request=ASKED)
    assert (one.usage, one.usage_source) == ({}, "unknown")


def test_the_final_usage_is_the_serving_attempts() -> None:
    """Its own numbers, its input from its start; alone, it needs no iterations."""
    ledger = Ledger([attempt()])
    assert final_usage("serving", ledger, OPENING, {"output_tokens": 40}) == {
        "input_tokens": 100,
        "cache_read_input_tokens": 7,
        "output_tokens": 40,
    }


def test_iterations_list_every_attempt() -> None:
    """In the API's own shape; those that told of nothing are left out."""
    ledger = Ledger([attempt(1, input_tokens=50, output_tokens=20), attempt(2), attempt(3)])
    usage = final_usage("serving", ledger, OPENING, {"output_tokens": 40})
    assert usage["input_tokens"] == 100
    assert usage["output_tokens"] == 40
    first, serving = usage["iterations"]
    assert (first["type"], first["input_tokens"], first["output_tokens"]) == ("message", 50, 20)
    assert (serving["input_tokens"], serving["output_tokens"], serving["cache_creation"]) == (100, 40, None)


def test_an_iteration_has_no_false_zero() -> None:
    """What an attempt was not told of is not in its entry, nor in any sum."""
    ledger = Ledger([attempt(1, input_tokens=50, output_tokens=0), attempt(2)])
    usage = final_usage("total", ledger, {"usage": {"input_tokens": 60}}, {"output_tokens": 40})
    assert usage.pop("iterations") == [
        {"type": "message", "model": "m", "input_tokens": 50, "output_tokens": 0, "cache_creation": None},
        {"type": "message", "model": "m", "input_tokens": 60, "output_tokens": 40, "cache_creation": None},
    ]
    assert usage == {"input_tokens": 110, "output_tokens": 40}


def test_another_model_is_a_fallback() -> None:
    """As the API names the attempt of a model that stepped in."""
    other = Attempt(2, Form.USER_TURN, "n", status=200)
    ledger = Ledger([attempt(1, input_tokens=50), other])
    usage = final_usage("serving", ledger, OPENING, {"output_tokens": 40})
    assert [(one["type"], one["model"]) for one in usage["iterations"]] == [
        ("message", "m"),
        ("fallback_message", "n"),
    ]


def test_an_attempt_that_told_of_nothing_is_no_iteration() -> None:
    """Not even the serving one."""
    ledger = Ledger([attempt(1, input_tokens=50), attempt(2)])
    assert [one["input_tokens"] for one in final_usage("serving", ledger, None, {})["iterations"]] == [50]


def test_the_servers_own_iterations_stay() -> None:
    """A compaction or a fallback of the serving attempt is told where it was told."""
    own = [{"type": "compaction"}, {"type": "message"}]
    ledger = Ledger([attempt(1, input_tokens=50), attempt(2)])
    usage = final_usage("serving", ledger, OPENING, {"output_tokens": 40, "iterations": own})
    assert usage["iterations"][1:] == own
    usage = final_usage("serving", ledger, OPENING, {"output_tokens": 40, "iterations": None})
    assert len(usage["iterations"]) == 2


def test_total_usage_is_the_sum() -> None:
    """Over all attempts, estimates in it."""
    ledger = Ledger([attempt(1, input_tokens=50, output_tokens=20), attempt(2)])
    usage = final_usage("total", ledger, OPENING, {"output_tokens": 40})
    assert (usage["input_tokens"], usage["output_tokens"], usage["cache_read_input_tokens"]) == (150, 60, 7)


@pytest.mark.parametrize("mode", ["serving", "total"])
def test_asking_for_the_final_usage_changes_no_books(mode: str) -> None:
    """Whatever is asked for, and however often, the attempts tell what they told."""
    ledger = Ledger([attempt(1, input_tokens=50, output_tokens=20), attempt(2)])
    closing = {"output_tokens": 40}
    first = final_usage(mode, ledger, OPENING, closing)
    assert final_usage(mode, ledger, OPENING, closing) == first
    assert [one.usage for one in ledger.attempts] == [{"input_tokens": 50, "output_tokens": 20}, {}]
    assert closing == {"output_tokens": 40}


def test_the_sum_has_its_breakdowns() -> None:
    """Cache writes by age, thinking tokens and searches, too; of those that were told."""
    first = attempt(1, server_tool_use={"web_search_requests": 2}, cache_creation=None)
    ledger = Ledger([first, attempt(2)])
    own = {"web_search_requests": 1, "web_fetch_requests": 3}
    told = {"output_tokens": 40, "server_tool_use": own, "output_tokens_details": {"thinking_tokens": 9}}
    usage = final_usage("total", ledger, OPENING, told)
    assert usage["server_tool_use"] == {"web_search_requests": 3, "web_fetch_requests": 3}
    assert usage["output_tokens_details"] == {"thinking_tokens": 9}
    assert "cache_creation" not in usage
    assert final_usage("serving", ledger, OPENING, told)["server_tool_use"] == own


def test_what_is_no_number_counts_nothing() -> None:
    """Whatever an upstream writes there."""
    values: list[Any] = ["12", None, [1], {}, 1.5, float("nan")]
    for value in values:
        assert tokens({"a": value}, "a") == 0
    assert tokens({"a": 3}, "a") == 3
    assert Ledger([attempt(input_tokens="x")]).totals() == {}


@pytest.mark.parametrize(
    ("usage", "weight"),
    [
        ({"input_tokens": 10}, 10),
        ({"input_tokens": 10, "cache_read_input_tokens": 100}, 20),
        ({"cache_creation_input_tokens": 100}, 125),
        ({"cache_creation_input_tokens": 100, "cache_creation": {"ephemeral_1h_input_tokens": 40}}, 155),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 40}}, 80),
        ({"cache_creation": None}, 0),
    ],
)
def test_input_is_weighed_by_its_price(usage: dict[str, Any], weight: float) -> None:
    """Cache reads 0.1, writes 1.25 or 2."""
    assert weighted_input(usage) == pytest.approx(weight)


def test_input_has_a_cap() -> None:
    """So many times the first request's input and the output so far, and never below 50,000 tokens."""
    small = Ledger([attempt(number, input_tokens=1000) for number in range(50)])
    assert not small.overspent(5.0, 0, ASKED)
    large = Ledger([attempt(number, input_tokens=20_000) for number in range(6)])
    assert large.overspent(5.0, 0, ASKED)
    assert not large.overspent(5.0, 100_000, ASKED)
    assert not large.overspent(None, 0, ASKED)
    unknown = Ledger([attempt(input_tokens=20_000), *(attempt(number) for number in range(2, 8))])
    assert unknown.overspent(5.0, 0, ASKED)
    refused = Ledger(
        [
            attempt(input_tokens=20_000),
            *(Attempt(number, Form.RESTART, "m", status=529) for number in range(2, 8)),
        ]
    )
    assert not refused.overspent(5.0, 0, ASKED)


def test_input_has_a_cap_where_nobody_tells_of_any() -> None:
    """It is what the request is estimated to have, once for each attempt that was answered."""
    asked = {"messages": [{"role": "user", "content": "word " * 20_000}]}
    for count, spent in ((5, False), (6, True)):
        silent = Ledger([attempt(number) for number in range(count)])
        assert silent.overspent(5.0, 0, asked) is spent
        for one in silent.attempts:
            one.count({"usage": {}}, {}, ended=False, request=asked)
        assert silent.overspent(5.0, 0, asked) is spent
        for one in silent.attempts:
            one.status, one.usage = 529, {}
        assert not silent.overspent(5.0, 0, asked)


def test_a_stream_is_resumed_when_a_seam_or_an_ending_is_ours() -> None:
    """A restart that nobody saw is none."""
    ledger = Ledger([attempt(), attempt(2)], outcome="completed")
    assert not ledger.resumed
    ledger.seams.append(Seam(2, 10, Joined.ECHO, 5, verified=True))
    assert ledger.resumed
    assert Ledger(outcome="finished_with_tools").resumed


def note(of: Turn, *attempts: Attempt) -> list[str]:
    """What an exception is given to say."""
    error = RuntimeError("the SDK's own text")
    Ledger(list(attempts), reason="so").tell(error, of)
    assert str(error) == "the SDK's own text"
    return getattr(error, "__notes__", [])


def test_an_exception_tells_what_was_tried_and_what_is_kept() -> None:
    """How many attempts, how long, why, how much is there and where it is; one note, without content."""
    first, second = attempt(), attempt()
    first.started, second.started, second.ended = 1.0, 3.0, 3.45
    (said,) = note(Turn(message={}, blocks=[Block({"type": "text", "text": "Tides"})]), first, second)
    assert said == (
        "resilient_stream gave up after 2 attempts in 2.5 s: so. 5 characters of text were received. "
        "resilient_stream.report(error).partial is the message so far, valid as history, and the report lists "
        "the attempts."
    )
    (said,) = note(Turn(), first)
    assert said == (
        "resilient_stream gave up after 1 attempt in 0.0 s: so. Nothing that can be kept was received. "
        "resilient_stream.report(error) lists the attempts."
    )


def test_what_was_tried_can_be_told_in_any_language() -> None:
    """Without a word that means something in a program alone; why, and what the API said, are in it."""
    last = attempt()
    last.said = "no such model"
    told = Ledger([last], reason="so").summary(Turn())
    assert told == (
        "gave up after 1 attempt in 0.0 s: so. The API said of the last request: 'no such model'. Nothing "
        "that can be kept was received."
    )


def test_a_rejection_of_the_users_own_request_says_all_there_is() -> None:
    """There is nothing to add to the API's own words, unless something was tried or received."""
    rejected = attempt()
    rejected.failure = Failure(Kind.REJECTED, Phase.HEADERS, status=400)
    assert note(Turn(), rejected) == []
    assert len(note(Turn(message={}, blocks=[Block({"type": "text", "text": "Tides"})]), rejected)) == 1
    assert len(note(Turn(), attempt(), rejected)) == 1


def test_only_the_last_failure_keeps_what_the_api_said() -> None:
    """Sixteen error pages would be a megabyte; the exception has the last."""
    ledger = Ledger()
    for number in (1, 2, 3):
        ledger.begin(Form.RESTART, "m", float(number), 7)
        last = ledger.attempts[-1]
        assert (last.number, last.started, last.at) == (number, number, 7)
        last.failure = Failure(Kind.OVERLOADED, Phase.HEADERS, detail="x", body="page", frame=b"frame")
    assert [one.failure and one.failure.frame for one in ledger.attempts] == [b"", b"", b"frame"]
    assert [one.failure and one.failure.body for one in ledger.attempts] == [None, None, "page"]
    assert all(one.failure and one.failure.detail == "x" for one in ledger.attempts)


def test_the_waits_before_an_attempt_add_up() -> None:
    """Backoff and waits for a turn together are its wait, and the second are told apart; the next begins with none."""
    ledger = Ledger()
    for retry in (Retry(2.0, "backoff"), Retry(0.5, QUEUE), Retry(0.25, QUEUE)):
        ledger.waits(retry)
    ledger.begin(Form.RESTART, "m", 9.0, 0)
    ledger.begin(Form.RESTART, "m", 9.0, 0)
    assert [(one.wait, one.queued) for one in ledger.attempts] == [(2.75, 0.75), (0, 0)]


@pytest.mark.parametrize("wrong", [10**400, -5, True, 1.5, float("nan"), "12", None, {}, [1], MOST + 1])
def test_a_number_that_can_be_none_is_none(wrong: object) -> None:
    """What a strange host tells for a number of tokens breaks no sum and no cap."""
    one, other = attempt(input_tokens=wrong, output_tokens=7), attempt(2, input_tokens=100)
    one.message_id = "msg_1"
    assert tokens(one.usage, "input_tokens") == 0
    assert (
        weighted_input({"input_tokens": wrong, "cache_read_input_tokens": wrong, "cache_creation": wrong})
        == 0
    )
    ledger = Ledger([one, other])
    assert ledger.totals() == {"input_tokens": 100, "output_tokens": 7}
    assert not ledger.overspent(5.0, 100, {})
    assert "input_tokens" not in one.iteration()
