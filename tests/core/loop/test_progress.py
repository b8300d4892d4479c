"""What of a stream's limits and choices outlives its process."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.progress import Progress, progress_of, restore, unseen_tools
from resilient_stream._core.loop.revival import revive
from resilient_stream._core.loop.states import Raise, Send
from resilient_stream._core.plan.planner import Planner, Step
from resilient_stream._core.record.ledger import Attempt, Record
from resilient_stream._core.turn.transcript import Block
from tests.support.machines import REQUEST, Broken, Patient
from tests.support.settings import settings_with
from tests.support.streams import block_start, start

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {}}


def machine(record: Record | None = None, judge: Any = None, **fields: Any) -> Machine:
    """A machine that has not begun."""
    settings = settings_with(**fields)
    return Machine(Planner(REQUEST, settings), settings, judge or Patient(), Broken, record or Record())


def used() -> Machine:
    """A machine that much has happened to."""
    made = machine(fallback_models=("claude-sonnet-5",))
    made.start(0.0)
    made.planner.step, made.planner.hop = Step.USER_TURN_WITHOUT_THINKING, 1
    made.planner.overloads, made.planner.containerless, made.planner.grudging = 1, True, True
    made._clocks.first_event, made._clocks.silence, made._clocks.stall = 600.0, 700.0, 1200.0
    tries = made._recovery.tries
    tries.barren, tries._kept, tries._connected = 3, 120, True
    made._recovery.barren_endings, made._recovery._asks, made._identity = {"end_turn"}, 1, True
    made.turn.abandoned += [0]
    made.turn.unseen += [Block(dict(SEARCH))]
    return made


def test_what_is_put_back_is_what_was_kept() -> None:
    """All of it, where the same call goes on."""
    kept = progress_of(used())
    made = machine(fallback_models=("claude-sonnet-5",))
    restore(made, kept, again=False)
    assert progress_of(made) == kept
    assert made.planner.model == "claude-sonnet-5"


def test_another_call_has_its_limits_anew() -> None:
    """It keeps what is known of the turn and of the model."""
    made = machine(fallback_models=("claude-sonnet-5",))
    fresh = progress_of(made)
    restore(made, progress_of(used()), again=True)
    now = progress_of(made)
    for name in (
        "overloads",
        "grudging",
        "first_event",
        "silence",
        "stall",
        "barren",
        "barren_endings",
        "asks",
    ):
        assert getattr(now, name) == getattr(fresh, name), name
    assert (now.hop, now.step, now.containerless, now.identity) == (1, 2, True, True)
    assert (now.abandoned, now.unseen) == ((0,), (SEARCH,))


def test_a_policy_that_lacks_the_model_has_its_last_one() -> None:
    """It may have been changed since."""
    made = machine()
    restore(made, Progress(hop=3), again=False)
    assert made.planner.model == REQUEST["model"]


def test_a_clock_of_the_policy_that_is_longer_stays() -> None:
    """A clock that fired has doubled; no kept one makes another shorter."""
    made = machine(silence_timeout=900.0)
    restore(made, progress_of(used()), again=False)
    assert made._clocks.silence == 900.0


def test_a_tool_that_is_held_is_noted_while_it_may_run() -> None:
    """Once the attempt is over the turn has it."""
    made = machine(hold=("server_tool_use",))
    assert unseen_tools(made) == []
    made.start(0.0)
    assert unseen_tools(made) == []
    made.head(0.0, 200, None)
    made.data(0.0, start() + block_start(0, SEARCH), 0.0)
    assert made.take() == b""
    noted = {"type": "server_tool_use", "name": "code_execution"}
    assert progress_of(made).unseen == (noted,)
    other = machine()
    restore(other, progress_of(made), again=False)
    assert [block.start for block in other.turn.unseen] == [noted]
    made.fault(1.0, Failure(Kind.RESET, Phase.BODY))
    assert unseen_tools(made) == []
    assert progress_of(made).unseen == (noted,)


def test_a_tool_that_may_have_run_is_not_run_again_after_a_crash() -> None:
    """Though nobody has seen it: the stream is given up, unless the policy allows it."""
    made = machine(hold=("server_tool_use",))
    made.start(0.0)
    made.head(0.0, 200, None)
    made.data(0.0, start() + block_start(0, SEARCH), 0.0)
    for allowed in (False, True):
        record = Record()
        record.ledger.attempts += [Attempt(1, made.attempt.form, "claude-opus-5")]
        other = machine(record, hold=("server_tool_use",), rerun_server_tools=allowed)
        action = revive(other, 9.0, 0.0, progress_of(made))
        assert isinstance(action, Send if allowed else Raise)


@pytest.mark.parametrize("again", [False, True])
def test_barren_attempts_of_both_processes_count_together(again: bool) -> None:
    """Else a stream that is taken up again and again would never be given up; another call begins anew."""
    record, judge = Record(), Patient()
    record.ledger.attempts += [
        Attempt(number, "first", "claude-opus-5", ended=1.0, failure=Failure(Kind.RESET, Phase.HEADERS))  # type: ignore[arg-type]  # a form's value
        for number in (1, 2)
    ]
    made = machine(record, judge)
    revive(made, 9.0, 0.0, Progress(barren=2, connected=True), again=again)
    ((_, history),) = judge.asked
    assert (history.barren, history.attempts, history.started) == ((0, 0, 9.0) if again else (2, 1, 0.0))
