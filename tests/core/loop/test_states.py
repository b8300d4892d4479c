"""The table: what follows what, and that all of it happens."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.revival import revive
from resilient_stream._core.loop.states import TABLE, Finish, Signal, State
from resilient_stream._core.verdict import QUEUE, GiveUp, Retry
from tests.support.contents import CALL, text
from tests.support.machines import RESET, Body, Crowded, Patient, drive, machine
from tests.support.streams import block, ending, message, start, text_delta

WHOLE = message([text("Hello.")])
DOWN = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)


def test_every_row_is_driven_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs that occur when every kind of thing happens are exactly those of the table."""
    seen: set[tuple[State, Signal]] = set()
    real = Machine._go

    def spy(made: Machine, signal: Signal) -> object:
        seen.add((made.state, signal))
        return real(made, signal)

    monkeypatch.setattr(Machine, "_go", spy)
    drive(machine(), lambda send: Body([WHOLE, b"more"]))
    drive(machine(judge=Patient(3, wait=1.0)), lambda send: DOWN)
    drive(machine(judge=Patient(3)), lambda send: Body([start()], RESET))
    drive(machine(), lambda send: Body([start(), ending()], RESET))
    drive(machine(), lambda send: Body([start(), *block(0, CALL)], RESET))
    for judge in (Crowded(Retry(1.0, QUEUE), GiveUp("enough")), Crowded(Retry(1.0, QUEUE))):
        drive(machine(judge=judge), lambda send: DOWN if send.number < 3 else WHOLE)
    crowded = Crowded(GiveUp("enough"))
    drive(machine(judge=crowded), lambda send: start() + ending(output=0))
    dead = machine()
    dead.start(0.0)
    revive(Machine(dead.planner, dead.settings, dead.judge, dead.error_for, dead.record), 1.0, 0.0)
    for made in closed():
        assert isinstance(made.close(1.0), Finish)
        assert made.state is State.DONE
    assert seen == set(TABLE)


def closed() -> list[Machine]:
    """A machine in each state, to be closed."""
    idle, opening, reading, waiting, draining, done, failed = (
        machine(judge=Patient(2, wait=1.0)) for _ in State
    )
    for made in (opening, reading, waiting, draining, done, failed):
        made.start(0.0)
    for made in (reading, draining, done):
        made.head(0.0, 200, None)
    waiting.fault(0.0, DOWN)
    draining.data(0.0, WHOLE, 0.0)
    done.data(0.0, WHOLE, 0.0)
    done.end(0.0)
    failed.fault(0.0, DOWN)
    failed.waited(0.0)
    failed.fault(0.0, DOWN)
    all_of_them = [idle, opening, reading, waiting, draining, done, failed]
    assert [one.state for one in all_of_them] == list(State)
    return all_of_them


def test_an_input_that_cannot_come_is_no_pair_of_the_table() -> None:
    """The machine does not guess."""
    made = machine()
    with pytest.raises(RuntimeError):
        made.data(0.0, text_delta(0, "a"), 0.0)
    with pytest.raises(KeyError):
        made.waited(0.0)


@pytest.mark.parametrize("state", list(State))
def test_closing_ends_every_state(state: State) -> None:
    """From anywhere."""
    assert TABLE[state, Signal.CLOSE] is State.DONE
