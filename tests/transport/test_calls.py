"""Which calls are protected."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from resilient_stream import RetryPolicy
from resilient_stream._session.layer import Layer
from resilient_stream._transport.calls import Protected, read
from tests.support.doors import asking
from tests.support.worlds import CUT_HISTORY


def call(path: str, body: Any, method: str = "POST") -> tuple[Any, Any]:
    """A request, and what is done with it."""
    request: Any = httpx.Request(method, f"http://api.test{path}", json=body)
    return request, read(Layer(RetryPolicy()), request)


@pytest.mark.parametrize("path", ["/v1/messages", "/any/prefix/v1/messages?beta=true", "/v1/messages/"])
def test_a_stream_of_a_message_is_protected(path: str) -> None:
    """On any host, behind any prefix; its body is sent as it is."""
    request, found = call(path, asking())
    assert isinstance(found, Protected)
    assert (found.content, found.healed) == (request.content, False)
    assert found.context.planner.request["messages"] == asking()["messages"]


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("/v1/messages", asking(), "PUT"),
        ("/v1/messages", asking(stream=False), "POST"),
        ("/v1/messages", asking(stream="true"), "POST"),
        ("/v1/messages", [], "POST"),
        ("/v1/complete", asking(), "POST"),
        ("/v1/messages/count_tokens", asking(), "POST"),
    ],
)
def test_what_is_no_stream_passes_as_it_is(path: str, body: Any, method: str) -> None:
    """The very request."""
    request, found = call(path, body, method)
    assert found is request


def test_a_healed_stream_begins_with_another_body() -> None:
    """Which planning goes on from."""
    _, found = call("/v1/messages", asking(messages=CUT_HISTORY))
    assert isinstance(found, Protected)
    assert found.healed
    assert json.loads(found.content)["messages"] == found.context.planner.request["messages"] != CUT_HISTORY
