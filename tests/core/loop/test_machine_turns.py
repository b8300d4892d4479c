"""A retry that waits for its turn."""

from __future__ import annotations

from collections.abc import Iterator

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Finish, Raise, Send, State, Wait
from resilient_stream._core.record.lifecycle import What
from resilient_stream._core.verdict import QUEUE, GiveUp, Limit, Retry
from tests.support.contents import text
from tests.support.machines import RESET, Body, Crowded, Patient, Run, drive, machine
from tests.support.streams import MODERN, block_start, ending, message, start, text_delta

NOTHING = ending(output=0)
WHOLE = message([text("Hello.")])
HALF = start() + block_start(0, text("")) + text_delta(0, "Hel")
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)
BAD = Failure(Kind.REJECTED, Phase.HEADERS, status=400)
REPLIES: list[Body | bytes | Failure] = [DOWN, WHOLE]


def queued(*seconds: float) -> list[Retry]:
    """Answers that it is not the stream's turn."""
    return [Retry(each, QUEUE, 0.0) for each in seconds]


def notes(run: Run) -> list[tuple[str, float, str]]:
    """The waits that observers are told of, their lengths and rules."""
    told = run.machine.lifecycle.take()
    return [(str(what), note.seconds, note.source) for what, note in told if what in (What.WAIT, What.WAITED)]  # type: ignore[union-attr]


def test_a_stream_waits_until_it_is_its_turn() -> None:
    """The machine asks for the same wait again, sends nothing meanwhile, and books the two kinds of wait apart."""
    judge = Crowded(*queued(0.5, 0.25), wait=2.0)
    replies = iter(REPLIES)
    run = drive(machine(judge=judge), lambda send: next(replies))
    assert (run.waits, len(run.sends), run.outcome) == ([2.0, 0.5, 0.25], 2, "completed")
    last = run.machine.ledger.attempts[-1]
    assert (last.wait, last.queued) == (2.75, 0.75)
    assert notes(run) == [
        ("wait", 2.0, "test"),
        ("waited", 2.0, "test"),
        ("wait", 0.5, "queue"),
        ("waited", 0.75, "queue"),
    ]


def test_an_immediate_retry_waits_for_its_turn_too() -> None:
    """There is no wait but that for the turn."""
    replies = iter(REPLIES)
    run = drive(machine(judge=Crowded(*queued(0.5))), lambda send: next(replies))
    assert (run.waits, run.outcome) == ([0.5], "completed")
    assert run.machine.ledger.attempts[-1].wait == 0.5


def test_patience_may_end_in_the_queue() -> None:
    """The failure that the retry would have answered is raised, with the reason and the limit; the wait is over for
    observers before the stream is."""
    judge = Crowded(*queued(0.5), GiveUp("it takes too long", Limit.BUDGET))
    run = drive(machine(judge=judge), lambda send: DOWN)
    assert isinstance(run.last, Raise)
    assert (run.last.failure, len(run.sends)) == (DOWN, 1)
    ledger = run.machine.ledger
    assert (ledger.reason, ledger.limit, ledger.outcome) == ("it takes too long", Limit.BUDGET, "failed")
    told = [str(what) for what, _ in run.machine.lifecycle.take()]
    assert told[-4:] == ["wait", "waited", "give_up", "end"]
    assert judge.left


def test_an_answer_of_nothing_is_handed_over_when_patience_ends() -> None:
    """It is better than none, in the queue as elsewhere."""
    judge = Crowded(*queued(0.5), GiveUp("it takes too long", Limit.BUDGET))
    run = drive(machine(judge=judge), lambda send: start() + NOTHING)
    assert run.outcome == "completed"
    assert run.machine.record.turn.stop_reason == "end_turn"


def test_a_form_that_was_refused_is_left_without_waiting() -> None:
    """A 400 is no load: the next form follows at once, whoever else waits."""
    judge = Crowded(wait=1.0)
    replies: Iterator[Body | bytes | Failure] = iter([Body([HALF], RESET), BAD, Body([HALF], RESET)])

    def answer(send: Send) -> Body | bytes | Failure:
        if send.number == 2:
            judge.turns = [*queued(99.0)]
        elif send.number == 3:
            judge.turns = []
        return next(replies, WHOLE)

    run = drive(machine(judge=judge), answer)
    assert [(form, wait) for form, wait in zip(run.forms, ["-", *run.waits], strict=False)][:2] == [
        ("first", "-"),
        (run.forms[1], 1.0),
    ]
    assert 99.0 not in run.waits


def test_the_judge_is_told_when_a_reply_begins() -> None:
    """Once for each, when it was sent and to whom; an overload behind the start of a message is no beginning."""
    judge = Crowded()
    made = machine(judge=judge)
    made.start(3.0)
    made.head(4.0, 200, None)
    made.data(4.0, start(), 0.0)
    assert judge.heard == []
    made.fault(5.0, DOWN)
    made.head(6.0, 200, None)
    made.data(6.0, HALF, 0.0)
    made.data(7.0, text_delta(0, "lo"), 0.0)
    made.data(8.0, WHOLE[len(HALF) :], 0.0)
    assert judge.heard == [(6.0, 5.0, MODERN)]


def test_a_stream_that_is_closed_in_the_queue_gives_up_its_place() -> None:
    """At once, and sends nothing more."""
    judge = Crowded(*queued(60.0))
    made = machine(judge=judge)
    made.start(0.0)
    assert made.fault(1.0, DOWN) == Wait(60.0)
    assert not judge.left
    assert isinstance(made.close(2.0), Finish)
    assert (judge.left, made.state) == (True, State.DONE)


def test_a_judge_of_one_stream_alone_never_has_it_wait() -> None:
    """Without a budget there are no turns."""
    replies = iter(REPLIES)
    assert drive(machine(judge=Patient()), lambda send: next(replies)).waits == []
