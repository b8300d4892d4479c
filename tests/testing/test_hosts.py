"""What other hosts ask for in their paths, and how Bedrock answers."""

from __future__ import annotations

import json

import pytest

from resilient_stream.testing import aws_event
from resilient_stream.testing.endpoint import Endpoint, Settings
from resilient_stream.testing.requests import Incoming
from resilient_stream.testing.wire import Send

BODY = {"anthropic_version": "v", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
PATHS = {
    "/model/eu.anthropic.claude-opus-5-v1%3A0/invoke-with-response-stream": (
        "eu.anthropic.claude-opus-5-v1:0",
        True,
    ),
    "/model/eu.anthropic.claude-opus-5-v1%3A0/invoke": ("eu.anthropic.claude-opus-5-v1:0", False),
    "/v1/projects/p/locations/r/publishers/anthropic/models/claude-opus-5:streamRawPredict": (
        "claude-opus-5",
        True,
    ),
    "/projects/p/locations/r/publishers/anthropic/models/claude-opus-5@1:rawPredict": (
        "claude-opus-5@1",
        False,
    ),
}


def said(path: str, method: str = "POST") -> tuple[Endpoint, bytes]:
    """An endpoint that was asked, and what it said."""
    endpoint = Endpoint(Settings(reply="Hello."))
    script = endpoint.take(Incoming(method, path, {"authorization": "x"}, json.dumps(BODY).encode()))
    return endpoint, b"".join(step.data for step in script if isinstance(step, Send))


@pytest.mark.parametrize("path", PATHS)
def test_the_path_tells_the_model_and_whether_to_stream(path: str) -> None:
    """The record holds the request as the API itself would have it."""
    endpoint, answer = said(path)
    (received,) = endpoint.received
    assert (received.json["model"], received.json["stream"], received.status) == (*PATHS[path], 200)
    assert (b"message_start" in answer or b"eventstream" in answer) is PATHS[path][1]


def test_bedrock_streams_in_messages_of_aws() -> None:
    """Each event is a message of its own; a refusal is plain JSON."""
    endpoint, answer = said(next(iter(PATHS)))
    assert b"content-type: application/vnd.amazon.eventstream" in answer
    assert aws_event(b'event: message_stop\ndata: {"type":"message_stop"}\n\n') in answer.replace(
        b"\r\n", b""
    )
    refused = endpoint.take(Incoming("POST", next(iter(PATHS)), {"authorization": "x"}, b"{}"))
    head = b"".join(step.data for step in refused if isinstance(step, Send))
    assert head.startswith(b"HTTP/1.1 400") and b"application/json" in head


def test_other_paths_and_methods_are_nobodys() -> None:
    """They are not found."""
    for path, method in (("/model/a/b/invoke", "POST"), (next(iter(PATHS)), "GET")):
        endpoint, _ = said(path, method)
        assert endpoint.received[0].rule == "path"
