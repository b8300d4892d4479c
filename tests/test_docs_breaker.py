"""The circuit breaker of the documentation, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anthropic
import pytest

from resilient_stream import resilient
from resilient_stream.testing import StandIn, Status

pybreaker: Any = pytest.importorskip("pybreaker")

PAGE = Path(__file__).parents[1] / "docs" / "observers.md"
ASK: Any = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Tides?"}]}


def example() -> dict[str, Any]:
    """What the page's code defines."""
    (code,) = re.findall(r"```python\n(import contextlib\n.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 -- our own page
    return names


def test_the_breaker_opens_stays_open_and_closes() -> None:
    """It ends the stream that retries, lets no call pass while it is open, and is closed by one that succeeds."""
    names = example()
    breaker, policy = names["breaker"], names["policy"].replace(overload_wait_initial=0.0, budget=None)
    with (
        StandIn(reply="Twice a day.", faults=[Status(529)] * 6) as server,
        anthropic.Anthropic(base_url=server.url, api_key="key") as bare,
    ):
        client = resilient(bare, policy)
        with pytest.raises(anthropic.OverloadedError), client.messages.stream(**ASK):
            pass
        assert len(server.requests) == breaker.fail_max + 1 == 6  # the sixth was decided by then
        assert breaker.current_state == pybreaker.STATE_OPEN

        with pytest.raises(pybreaker.CircuitBreakerError), breaker.calling():
            raise AssertionError("no call may be made")
        assert len(server.requests) == 6

        breaker.reset_timeout = 0
        with breaker.calling(), client.messages.stream(**ASK) as stream:
            assert stream.get_final_text() == "Twice a day."
        assert breaker.current_state == pybreaker.STATE_CLOSED


def test_other_failures_leave_it_closed() -> None:
    """A request that is refused for what it says tells nothing of the API's health."""
    names = example()
    with (
        StandIn(always=Status(400)) as server,
        anthropic.Anthropic(base_url=server.url, api_key="key") as bare,
    ):
        client = resilient(bare, names["policy"])
        for _ in range(6):
            with pytest.raises(anthropic.BadRequestError), client.messages.stream(**ASK):
                pass
    assert names["breaker"].current_state == pybreaker.STATE_CLOSED
