"""Whatever an upstream sends: error pages, headers, events, usage.

The outcome is a stream or a failure of a kind, in the SDK's own exceptions; what is told of it can be written, and
what was kept can be sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream import Observer, RetryPolicy, report, resilient, sendable
from resilient_stream._core.wire.safe_json import is_encodable
from tests.laws.sizes import EXAMPLES
from tests.support.contents import PROSE, text
from tests.support.golden import GOLDEN
from tests.support.hostile import Answer, answers
from tests.support.streams import MODERN, message
from tests.support.traces import Traces

ASK: Any = {
    "model": MODERN,
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "Tell me of the tides."}],
    "stream": True,
}
TRACES = Traces()
POLICY = RetryPolicy(
    max_attempts=5,
    max_barren_attempts=3,
    wait_initial=0,
    wait_max=0,
    overload_wait_initial=0,
    overload_wait_max=0,
    retry_after_max=0,
    budget=None,
    observers=(TRACES.telemetry,),
)
POLICIES = [
    POLICY,
    POLICY.replace(hold=(), unverified="refuse", usage="total"),
    POLICY.replace(hold=("tool_use", "thinking", "server_tool_use"), completed_tools="regenerate"),
    POLICY.replace(rerun_server_tools=True, max_tokens="keep", max_input_multiple=1.0),
    POLICY.replace(fallback_models=("claude-haiku-4-5",)),
]
HEALTHY = Answer(200, [(b"content-type", b"text/event-stream")], message([text(PROSE)]))


class Complaints(logging.Handler):
    """What is logged as an error: that an observer raised."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self.heard.append(f"{record.getMessage()}: {record.exc_info}")


@contextmanager
def listening() -> Generator[list[str]]:
    """What observers have raised meanwhile."""
    handler, log = Complaints(), logging.getLogger("resilient_stream")
    log.addHandler(handler)
    try:
        yield handler.heard
    finally:
        log.removeHandler(handler)
        vars(TRACES.telemetry).pop("_complained", None)


def served(script: list[Answer], policy: RetryPolicy) -> tuple[list[Any], Any]:
    """The events of one stream, and what `report` may be asked of; raises what the law does not allow."""
    waiting = [*script]

    def answer(request: httpx2.Request) -> httpx2.Response:
        json.loads(request.read())  # what was sent is JSON
        return (waiting.pop(0) if waiting else HEALTHY).response()

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = resilient(anthropic.Anthropic(api_key="k", http_client=http, max_retries=0), policy)
        events: list[Any] = []
        try:
            with client.messages.create(**ASK) as stream:
                events += stream
        except anthropic.APIError as error:
            return events, error
        return events, stream


def check(source: Any) -> None:
    """The report is there, can be written, and what was kept can be sent."""
    told = report(source)
    json.loads(told.model_dump_json())
    assert str(told)
    assert repr(told)
    for attempt in told.attempts:
        if attempt.failure is not None:
            assert len(attempt.failure.detail) <= 200
    if told.partial is not None:
        assert is_encodable(told.partial)
        json.dumps(told.partial, ensure_ascii=False, allow_nan=False).encode()
        history = [*ASK["messages"], dict(told.partial), {"role": "user", "content": "Go on."}]
        assert sendable(history) is history


@settings(max_examples=4 * EXAMPLES)
@given(st.lists(answers(), min_size=1, max_size=3), st.sampled_from(POLICIES))
def test_whatever_comes_is_a_stream_or_a_failure_of_a_kind(script: list[Answer], policy: RetryPolicy) -> None:
    """No exception of a parser, an encoder or of arithmetic leaves; no observer is told what it can't take."""
    with listening() as complaints:
        _, source = served(script, policy)
        check(source)
    assert complaints == []
    assert TRACES.open == 0
    TRACES.clear()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_what_is_spoilt_was_whole(name: str) -> None:
    """The streams that the law spoils are healthy before: it would find little in streams that fail at once."""
    whole = Answer(200, [(b"content-type", b"text/event-stream")], GOLDEN[name])
    _, source = served([whole], POLICY)
    assert report(source).outcome == "completed"
    assert isinstance(TRACES.telemetry, Observer)
