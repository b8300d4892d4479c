"""The limits and choices of a stream that outlive its process, as plain values.

The delivered frames say what the consumer has, and the attempts say what was tried. This is the rest: what
`revive` could not know otherwise, and what would begin anew each time a stream is taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resilient_stream._core.plan.planner import Step
from resilient_stream._core.turn.transcript import Block

from .machine import Machine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the limits of a stream's policy are used up. Durations are in seconds."""

    step: int = 0
    """The form of continuation that is in use."""
    hop: int = 0
    """How many models were given up for the next one."""
    overloads: int = 0
    containerless: bool = False
    grudging: bool = False
    first_event: float = 0.0
    """The timeouts: one that expired has doubled."""
    silence: float = 0.0
    stall: float = 0.0
    barren: int = 0
    kept: int = 0
    connected: bool = False
    barren_endings: tuple[str, ...] = ()
    asks: int = 0
    identity: bool = False
    abandoned: tuple[int, ...] = ()
    """The indices of blocks that were cut off and never completed."""
    unseen: tuple[dict[str, Any], ...] = ()
    """The start of each block that was not delivered and may have run: tools of the server."""


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
    """The server tools that have begun in the current attempt and are held. They may run."""
    relay = machine._relay
    return [] if relay is None or machine.attempt.ended is not None else relay.unseen_tools


def restore(machine: Machine, progress: Progress, *, again: bool) -> None:
    """Restore what was kept of another machine in one that has not begun.

    Args:
        machine: of the same request and policy; its record has the turn and the attempts.
        progress: what was kept.
        again: the stream had failed or was left, and this is another call: the limits of a call begin anew.
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
