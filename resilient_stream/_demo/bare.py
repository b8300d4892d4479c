"""Runs the same faults without the library: what the SDK alone delivers, and what it raises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from resilient_stream.testing import ANSWER, StandIn

from .run import Call, Told, listen
from .schedule import Strike, faults

Saw = Literal["whole", "changed", "truncated", "raised"]


@dataclass(frozen=True, slots=True)
class Bare:
    """What a program received from the bare SDK under one fault.

    ``saw`` is ``truncated`` if the text ended early without an exception, and ``changed`` if the message
    ended normally but the text is not the author's.
    """

    fault: str
    about: str
    characters: int
    of: int
    saw: Saw
    error: str
    """The exception's class; empty if there was none."""
    requests: int
    """The number of requests: the SDK retries by itself as long as no answer has begun."""


def meet(strikes: Sequence[Strike], model: str, patience: float) -> Iterator[Bare]:
    """Run each fault in a separate call with the SDK's defaults.

    Args:
        strikes: the faults.
        model: the model to name.
        patience: the read timeout in seconds; by default the SDK would wait ten minutes.
    """
    for strike in strikes:
        with StandIn(faults=faults([strike])) as server:
            told = listen(Call(server.url, model=model, timeout=patience, before=strike.pauses(server)))
            yield Bare(
                fault=strike.entry.name,
                about=strike.entry.about,
                characters=len(told.text),
                of=len(ANSWER),
                saw=_saw(told),
                error=told.error,
                requests=len(server.requests) - len(strike.before),
            )


def _saw(told: Told) -> Saw:
    if told.error:
        return "raised"
    if told.stop_reason is None:
        return "truncated"
    return "whole" if told.is_whole(ANSWER) else "changed"
