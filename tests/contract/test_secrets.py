"""What is said never shows in what our objects say of themselves."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

import anthropic
import pytest

from resilient_stream import resilient
from resilient_stream.testing import cut_at
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


@pytest.mark.parametrize("model", [USER_TURN_MODEL, PREFILL_MODEL])
def test_no_object_of_ours_shows_what_is_said(model: str) -> None:
    """Neither prompt, reply nor key is in any ``repr``, whatever a debugger or a tracker of errors looks at."""
    ask: Any = {"model": model, "max_tokens": 900, "messages": [{"role": "user", "content": PROMPT}]}
    policy = HASTY.replace(max_attempts=3)
    shown: set[type] = set()
    with (
        stand_in(always=cut_at(1100, "rst"), reply=REPLY) as server,
        resilient(anthropic.Anthropic(base_url=server.url, api_key=KEY), policy) as client,
    ):
        with client.messages.create(**ask, stream=True) as stream, pytest.raises(anthropic.APIError) as error:
            for number, _ in enumerate(stream):
                if number % 20 == 5:
                    shown |= {type(thing) for thing in ours() if "UNSPOKEN" in repr(thing)}
        assert "UNSPOKEN" not in repr(stream.response.request.extensions)
    shown |= {type(thing) for thing in ours() if "UNSPOKEN" in repr(thing)}
    assert not shown
    told = {
        (frame.f_code.co_qualname, name)
        for frame, name, value in locals_of(error.tb)
        if "UNSPOKEN" in repr(value)
    }
    assert not told
