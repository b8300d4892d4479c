"""What is said never shows in what our objects say of themselves."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

import pytest

from resilient_stream.testing import Fault, Mangle, cut_at
from tests.support.doors import BREAKS, Door, entered, every_door
from tests.support.worlds import HASTY, PREFILL_MODEL, USER_TURN_MODEL, stand_in

PROMPT, KEY = "UNSPOKEN-PROMPT", "UNSPOKEN-KEY"
REPLY: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "UNSPOKEN-THOUGHT", "signature": "c2ln"},
    {"type": "text", "text": "UNSPOKEN-REPLY goes on and on, until it is cut. " * 9},
    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "UNSPOKEN-INPUT"}},
]


def ours() -> Iterator[object]:
    """Every object there is of a class of the library's."""
    for thing in gc.get_objects():
        module = str(getattr(type(thing), "__module__", ""))  # some of other packages have none
        if module.startswith("resilient_stream.") and not module.startswith("resilient_stream.testing"):
            yield thing


def locals_of(trace: TracebackType | None) -> Iterator[tuple[FrameType, str, object]]:
    """What an error tracker would record of the library's frames."""
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).startswith("resilient_stream."):
            for name, value in trace.tb_frame.f_locals.items():
                yield trace.tb_frame, name, value
        trace = trace.tb_next


@every_door
@pytest.mark.parametrize("model", [USER_TURN_MODEL, PREFILL_MODEL])
@pytest.mark.parametrize("fault", [cut_at(1100, "rst"), Mangle(at=1100)], ids=["cut", "corrupt"])
def test_no_object_of_ours_shows_what_is_said(door: Door, model: str, fault: Fault) -> None:
    """Neither prompt, reply nor key is in any ``repr``, whatever a debugger or a tracker of errors looks at."""
    ask: Any = {"model": model, "max_tokens": 900, "messages": [{"role": "user", "content": PROMPT}]}
    shown: set[type] = set()
    told: set[tuple[str, str]] = set()

    def look() -> set[type]:
        return {type(thing) for thing in ours() if "UNSPOKEN" in repr(thing)}

    async def law(url: str) -> None:
        options = {"api_key": KEY} if door.package == "sdk" else {}
        async with entered(door.client(url, HASTY.replace(max_attempts=3), **options)) as client:
            stream, number = await door.open(client, **ask), 0
            try:
                async for _ in door.pieces(stream):
                    shown.update(look() if (number := number + 1) % 20 == 5 else ())
            except BREAKS as error:
                for frame, name, value in locals_of(error.__traceback__):
                    if "UNSPOKEN" in repr(value):
                        told.add((frame.f_code.co_qualname, name))
            else:
                raise AssertionError("it should have failed")
            response = stream.response if door.package == "sdk" else stream
            assert "UNSPOKEN" not in repr(response.request.extensions)

    with stand_in(always=fault, reply=REPLY) as server:
        door.run(lambda: law(server.url))
    assert not shown | look()
    assert not told
