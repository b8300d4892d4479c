"""What of a stream's limits and choices outlives its process: plain values, to be kept and put back.

What the consumer has is told by the frames that were handed over, and what was tried by the attempts. This is
the
rest: what `revive` could not know, and what a stream that was taken up again and again would otherwise begin
    anew
each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resilient_stream._core.plan.planner import Step
from resilient_stream._core.turn.transcript import Block

from .machine import Machine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream's policy has been used up. Times are seconds, lasting ones."""

    step: int = 0
    """The way to continue that was come to."""
    hop: int = 0
    """How many models were left behind."""
    overloads: int = 0
    containerless: bool = False
    grudging: bool = False
    first_event: float = 0.0
    """The clocks: one that fired has doubled."""
    silence: float = 0.0
    stall: float = 0.0
    barren: int = 0
    kept: int = 0
    connected: bool = False
    barren_endings: tuple[str, ...] = ()
    asks: int = 0
    identity: bool = False
    abandoned: tuple[int, ...] = ()
    """Blocks that were cut off and never completed, the index of each."""
    unseen: tuple[dict[str, Any], ...] = ()
    """What the blocks began with that were never handed over, and may have run: tools of the server's."""


def progress_of(machine: Machine) -> Progress:
    """What is to be kept of a machine as it is now."""
    # ruff: noqa: SLF001 -- the machine's other half, apart because only journals need it
    planner, recovery, clocks, turn = machine.planner, machine._recovery, machine._clocks, machine.turn
    unseen = [*turn.unseen, *unseen_tools(machine)]
    return Progress(
        step=planner.step,
        hop=planner.hop,
        overloads=planner.overloads,
        containerless=planner.containerless,
        grudging=planner.grudging,
        first_event=clocks.first_event,
        silence=clocks.silence,
        stall=clocks.stall,
        barren=recovery.tries.barren,
        kept=recovery.tries._kept,
        connected=recovery.tries._connected,
        barren_endings=tuple(sorted(recovery.barren_endings)),
        asks=recovery._asks,
        identity=machine._identity,
        abandoned=tuple(turn.abandoned),
        unseen=tuple(block.start for block in unseen),
    )


def unseen_tools(machine: Machine) -> list[Block]:
    """Tools of the server's that have begun in the attempt that runs, and are held: they may run."""
    relay = machine._relay
    return [] if relay is None or machine.attempt.ended is not None else relay.unseen_tools


def restore(machine: Machine, progress: Progress, *, again: bool) -> None:
    """Put back into a machine that has not begun what was kept of another one.

    Args:
        machine: of the same request and policy; its record has the turn and the attempts.
        progress: what was kept.
        again: the stream had ended, failed or left, and this is another call: what limits a call begins anew.
    """
    planner, recovery, clocks, turn = machine.planner, machine._recovery, machine._clocks, machine.turn
    planner.hop = min(progress.hop, len(machine.settings.fallback_models))
    planner.step, planner.containerless = Step(progress.step), progress.containerless
    machine._identity = progress.identity
    turn.abandoned[:] = progress.abandoned
    turn.unseen += [Block(dict(start)) for start in progress.unseen]
    if again:
        return
    planner.overloads, planner.grudging = progress.overloads, progress.grudging
    clocks.first_event = max(clocks.first_event, progress.first_event)
    clocks.silence = max(clocks.silence, progress.silence)
    clocks.stall = max(clocks.stall, progress.stall)
    tries = recovery.tries
    tries.barren, tries._kept, tries._connected = progress.barren, progress.kept, progress.connected
    recovery.barren_endings, recovery._asks = set(progress.barren_endings), progress.asks
