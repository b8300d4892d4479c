"""What the async loop does alone."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.support.stages import ASYNC, FOREVER, HEAD, Closed, Stage, in_worlds

from .test_sync_driver import BEGUN, REFUSED, RESET

PLACES: dict[str, tuple[list[Any], float]] = {
    "the first send": ([FOREVER], 0.0),
    "a wait before the head": ([REFUSED], 3600.0),
    "a read": ([HEAD, BEGUN, FOREVER], 0.0),
    "the first read": ([HEAD, FOREVER], 0.0),
    "a wait": ([HEAD, BEGUN, RESET], 3600.0),
    "a send": ([HEAD, BEGUN, RESET, FOREVER], 0.0),
}
"""Where a cancellation may strike: the script up to there, and the wait."""


@in_worlds(*ASYNC)
async def test_a_cancellation_passes_wherever_it_strikes(stage: Stage) -> None:
    """A cancelled consumer is out at once; nothing is sent after, and all is given back once."""
    for place, (steps, wait) in PLACES.items():
        stage.stream(*steps, waits=[wait])
        began = stage.now()
        with anyio.CancelScope() as scope:
            stage.later(5.0, scope.cancel)
            await stage.whole()
        assert scope.cancelled_caught, place
        assert stage.now() - began == pytest.approx(5.0)
        asked, responses = len(stage.upstream.log), steps.count(HEAD)
        with anyio.CancelScope() as again:
            again.cancel()
            await stage.close()
        assert len(stage.upstream.log) == asked, place
        assert not stage.upstream.held, place
        assert stage.upstream.released == responses, place
        assert stage.machine.ledger.outcome == "cancelled", place


@in_worlds(*ASYNC)
async def test_a_deadline_of_the_users_is_their_own(stage: Stage) -> None:
    """``fail_after`` around a stream raises `TimeoutError`, no failure of the stream's."""
    stage.stream(HEAD, BEGUN, FOREVER, waits=[0.0])
    with pytest.raises(TimeoutError), anyio.fail_after(5.0):
        await stage.whole()
    assert len(stage.upstream.sent) == 1


@in_worlds(*ASYNC)
async def test_cancelling_after_a_close_frees_the_connection(stage: Stage) -> None:
    """A close that left the freeing to the reader is kept even if the reader is cancelled first."""
    stage.stream(HEAD, BEGUN, Closed(FOREVER))
    await stage.open()
    await stage.next()
    with anyio.CancelScope() as scope:
        stage.later(5.0, scope.cancel)
        await stage.next()
    assert scope.cancelled_caught
    assert not stage.upstream.held
