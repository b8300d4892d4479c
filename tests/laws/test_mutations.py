"""Healthy streams with one thing changed: nothing that is handed over breaks the SDK, and nothing that the bare SDK
reads to its end is worse with the library."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.laws.sizes import LARGE, thin
from tests.support.machines import Patient, drive, machine, serve
from tests.support.mutations import BETA, STREAMS, fields_changed, spoilt
from tests.support.sdk import heard_by_the_sdk

NAMES = sorted(STREAMS)

FAULTS = {
    "a content_block_start out of place": "another block is open: frames were lost, or come in another order",
    "a content_block_delta out of place": "no block is open under its index: text is missing, or comes late",
    "a content_block_stop out of place": "no block has begun under its index: one was lost",
    "a message_delta out of place": "it comes before the message",
    "an event without a type": "it is no object",
    "a delta without a type": "the SDK skips it, and what it says is missing without a word",
    "without a block": "as above",
    "broken content": "what stands in the place of the blocks would be lost",
    "is not a string": "the SDK adds something else to what it has",
    "not JSON": "the SDK takes half an input for a whole one, or the beginning of two",
    "without a stop reason": "the message may go on; where it is evidently whole, it is believed",
    "an empty answer": "it is asked for once more",
}
"""What a first attempt may fail of that the bare SDK reads to its end, and why that is no loss."""

LATE = {
    "a content_block_delta out of place": "it comes behind the stop of its block, which is handed over",
    "a message_delta out of place": "it comes before the message",
    "a delta without a type": "it happens to say nothing",
    "is not a string": "the SDK does not look at the last piece of an input that is whole without it",
    "not JSON": "as above",
    "an empty answer": "it is asked for once more, and believed",
}
"""What it may fail of though the bare SDK has the very message that was sent, and why it can't be read."""


def said(message: dict[str, Any]) -> dict[str, Any]:
    """A message without its usage, of which the library knows more than the SDK."""
    return {name: value for name, value in message.items() if name != "usage"}


def before_its_end(stream: bytes) -> bytes:
    """A stream up to its ``message_stop``: what follows is none of the message."""
    head, stop, _ = stream.partition(b"event: message_stop\n")
    return head + stop + b'data: {"type": "message_stop"}\n\n' if stop else head


@pytest.mark.parametrize("name", NAMES)
def test_no_field_that_is_wrong_breaks_the_sdk(name: str) -> None:
    """Each field of each event null, absent or of another type: what is handed over, the SDK reads."""
    for what, stream in thin(fields_changed(STREAMS[name]), 61):
        run = drive(machine(judge=Patient(2)), serve(stream), strict=False)
        assert heard_by_the_sdk(run.out, beta=name in BETA).error == "", what


@pytest.mark.parametrize("seed", range(6000 if LARGE else 300))
def test_what_the_bare_sdk_reads_is_read(seed: int) -> None:
    """The same message, or the one that was sent before anything was changed; or a failure that is told with a
    reason."""
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
    beta, sent = name in BETA, heard_by_the_sdk(STREAMS[name], beta=name in BETA).message
    assert sent is not None
    if failure is not None:
        reasons = LATE if said(bare.message) == said(sent) else FAULTS
        assert any(reason in failure.detail for reason in reasons), what
    else:
        assert run.outcome == "completed"
        ended = heard_by_the_sdk(before_its_end(stream), beta=beta).message
        assert mine.message is not None
        assert said(mine.message) in [said(each) for each in (sent, bare.message, ended) if each], what
