"""Faults of the stream, met by the bare SDK."""

from __future__ import annotations

import pytest

from resilient_stream.testing import CATALOGUE
from resilient_stream.testing.catalogue import stream
from tests.support.stand_ins import CONSUMERS

from .laws import as_measured, sdk_does_what_the_entry_says, sdk_retries_what_the_entry_says

GROUPS = (
    stream.contents,
    stream.events,
    stream.errors,
    stream.encodings,
)
NAMES = [entry.name for group in GROUPS for entry in group()]


@as_measured
@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_bare_sdk_does_what_the_entry_says(name: str, consumer: str) -> None:
    """Sync and async, the SDK raises, ends silently or passes as the catalogue has it."""
    sdk_does_what_the_entry_says(CATALOGUE[name], consumer)


@as_measured
@pytest.mark.parametrize("name", [name for name in NAMES if CATALOGUE[name].raises])
def test_the_bare_sdk_retries_what_the_entry_says(name: str) -> None:
    """The SDK's own retries help where the catalogue says so, and nowhere else."""
    sdk_retries_what_the_entry_says(CATALOGUE[name])
