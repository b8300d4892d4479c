"""Continues a stream whose process is gone with a machine of this process."""

from __future__ import annotations

from typing import Final

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.tokens import of_characters, of_request

from .machine import Machine
from .progress import Progress, restore
from .states import Action, Signal

LOST: Final = Failure(Kind.RESET, Phase.BODY, detail="its process ended")
"""The failure of the attempt that ran in the process that is gone."""


def revive(
    machine: Machine,
    now: float,
    began: float,
    progress: Progress | None = None,
    *,
    again: bool = False,
) -> Action:
    """Return the first action of a stream that began in another process, in place of `Machine.start`.

    Args:
        machine: one that was not started. Its record has the turn as far as it was delivered, and the
            attempts so far; the last of them, if it had not ended, failed as if its connection had been
            reset. Its planner is pinned to the model that the last attempt went to.
        now: seconds, by the clock of this process.
        began: when the call was made, by the same clock.
        progress: what was kept of its limits and choices.
        again: the stream had ended, given up or left by its program, and this is another call: it goes on
            with what there is, whatever it failed of, and its limits begin anew.
    """
    # ruff: noqa: SLF001 -- another way to begin, apart because it is seldom taken
    attempts, turn = machine.ledger.attempts, machine.turn
    if progress is not None:
        restore(machine, progress, again=again)
    if not attempts:
        return machine.start(now)
    machine._recovery.started = now if again else began
    machine.lifecycle.began = began
    machine._recovery.tries.requests = 0 if again else len(attempts) - 1
    machine._begin_relay()
    machine._go(Signal.REVIVE)
    if turn.stop_reason is not None:
        machine._out.stop()  # supplies what is missing of the ending
        machine._end(now, "completed")
        return machine._go(Signal.END)
    attempt = machine.attempt
    if attempt.ended is None:
        attempt.end(now, LOST, attempt.events, inferred=False)
        attempt.characters = turn.characters - attempt.at
        if not attempt.usage:
            output = of_characters(attempt.characters)
            attempt.estimate(input_tokens=of_request(machine.planner.request), output_tokens=output)
        machine._recovery.count(attempt, LOST, 0)
        machine.lifecycle.fails(now, attempt)
    return machine._after(now, LOST if again else attempt.failure or LOST)
