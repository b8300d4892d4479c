"""Healthy streams with one thing changed: nothing that is handed over breaks the SDK, and nothing that the bare SDK
reads to its end is worse with the library."""

from __future__ import annotations

import random

import pytest

from tests.laws.sizes import LARGE, thin
from tests.support.machines import Patient, drive, machine, serve
from tests.support.mutations import BETA, STREAMS, fields_changed, spoilt
from tests.support.sdk import heard_by_the_sdk

NAMES = sorted(STREAMS)

FAULTS = {
    "out of place": "frames were lost, sent twice or swapped: the text would have a hole, or be doubled",
    "an event without a type": "the SDK skips the event, and what it says is missing without a word",
    "a delta without a type": "as above",
    "without a block": "as above",
    "is no string": "the SDK adds something else to what it has",
    "no JSON": "the SDK takes half an input for a whole one",
    "without a stop reason": "the message may go on; where it is evidently whole, it is believed",
    "an answer of nothing": "it is asked for once more",
}
"""What a first attempt may fail of that the bare SDK reads to its end, and why that is no loss."""


@pytest.mark.parametrize("name", NAMES)
def test_no_field_that_is_wrong_breaks_the_sdk(name: str) -> None:
    """Each field of each event null, absent or of another type: what is handed over, the SDK reads."""
    for what, stream in thin(fields_changed(STREAMS[name]), 61):
        run = drive(machine(judge=Patient(2)), serve(stream), strict=False)
        assert heard_by_the_sdk(run.out, beta=name in BETA).error == "", what


@pytest.mark.parametrize("seed", range(6000 if LARGE else 300))
def test_what_the_bare_sdk_reads_is_read(seed: int) -> None:
    """The same message, or a failure that is told with a reason; and where neither failed, no less content."""
    rng = random.Random(seed)
    name = NAMES[seed % len(NAMES)]
    what, stream = spoilt(STREAMS[name], rng)
    bare = heard_by_the_sdk(stream, beta=name in BETA)
    run = drive(machine(judge=Patient(3)), serve(stream), strict=False)
    mine = heard_by_the_sdk(run.out, beta=name in BETA)
    assert mine.error == "", what
    failure = run.machine.ledger.attempts[0].failure
    if bare.error or bare.message is None or mine.message == bare.message:
        return
    if failure is not None:
        assert any(reason in failure.detail for reason in FAULTS), what
    else:
        assert run.outcome == "completed"
        assert mine.message is not None
        assert len(str(mine.message["content"])) >= len(str(bare.message["content"])), what
