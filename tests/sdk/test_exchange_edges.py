"""An exchange that never meets a server."""

from __future__ import annotations

from typing import Any

from anthropic import APIRequest, not_given
from anthropic._models import FinalRequestOptions

from resilient_stream import RetryPolicy
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._http.exchange import SyncExchange
from resilient_stream._sdk.door import SyncSdkDoor
from resilient_stream._session.layer import Layer


def door(request: APIRequest) -> SyncSdkDoor:
    """A door that never meets a server."""
    call_next: Any = None
    return SyncSdkDoor(call_next, request, RetryPolicy(), not_given)


def bare_request() -> APIRequest:
    """A request without headers of its own."""
    options = FinalRequestOptions.construct(method="post", url="/v1/messages", json_data={"model": "m"})
    return APIRequest(options=options, cast_to=object, stream=True)


def test_a_continuation_of_a_request_without_headers() -> None:
    """Where the user gave no headers there are none to look through."""
    sent = door(bare_request()).derive(Send(Plan(Form.USER_TURN, {"model": "n"}), 2, 1.0, 1.0))
    assert sent.json == {"model": "n"}
    assert sent.retries_taken == 1


def test_interrupting_what_does_not_read() -> None:
    """An interruption before any response interrupts nothing."""
    SyncExchange(door(bare_request()), Layer(RetryPolicy()).begin({"model": "m"})).interrupt()
