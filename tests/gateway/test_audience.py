"""Who reads which stream."""

import asyncio

from resilient_stream._gateway.audience import Audience


async def _ready(waiting: "asyncio.Task[None]") -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()


def test_a_reader_is_waited_for() -> None:
    """Its stream is deserted when the last has left, and others do not count."""

    async def run() -> None:
        audience = Audience()
        with audience.one("other"):
            with audience.one("a"):
                waiting = asyncio.ensure_future(audience.gone("a", 0.0))
                with audience.one("a"):
                    await _ready(waiting)
                await _ready(waiting)
            await waiting
            await audience.gone("never read", 0.0)

    asyncio.run(run())


def test_who_comes_back_in_time_is_not_missed() -> None:
    """Until he leaves the time does not run."""

    async def run() -> None:
        audience = Audience()
        waiting = asyncio.ensure_future(audience.gone("a", 600.0))
        await _ready(waiting)
        with audience.one("a"):
            await _ready(waiting)
        await _ready(waiting)
        waiting.cancel()

    asyncio.run(run())
