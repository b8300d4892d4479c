"""The two laws that each entry of the catalogue keeps, for each group's own test file."""

from __future__ import annotations

import anthropic
import pytest

from resilient_stream.testing import CATALOGUE, Entry, StandIn
from resilient_stream.testing.catalogue.entry import SILENCE, TIMEOUT
from tests.support.stand_ins import HASTY, PATIENT, TEXT, Got, client, consume, meet

SILENT = {name for name, entry in CATALOGUE.items() if entry.raises in (SILENCE, TIMEOUT)}
"""Those that only a read timeout ends."""


as_measured = pytest.mark.skipif(
    anthropic.__version__.startswith("1."), reason="the catalogue tells what the SDK's 2.x does"
)


def judged(got: Got) -> tuple[str, bool, str]:
    """What a call got, in the catalogue's words."""
    text = "whole" if got.text == TEXT else "part" if TEXT.startswith(got.text) else "changed"
    return got.raised, not got.raised and got.stop is None, text


def sdk_does_what_the_entry_says(entry: Entry, consumer: str) -> None:
    """The bare SDK raises, ends silently or passes, with as much text as the entry says."""
    got = meet(entry.faults, consumer, HASTY if entry.name in SILENT else PATIENT)
    assert judged(got) == (entry.raises, entry.silent, entry.text)


def sdk_retries_what_the_entry_says(entry: Entry) -> None:
    """With one retry allowed, the SDK asks again where the entry says so, and nowhere else."""
    with (
        StandIn(reply=TEXT, faults=entry.faults, delta_size=5) as server,
        client(server, timeout=HASTY if entry.name in SILENT else PATIENT, max_retries=1) as bare,
    ):
        got = [consume(bare) for _ in range(entry.calls)][-1]
    assert judged(got) == (
        ("", False, "whole") if entry.retried else (entry.raises, entry.silent, entry.text)
    )
