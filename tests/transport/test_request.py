"""What a request asks for, and whether it can be sent again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream._transport.request import JsonBody, content_of, encoded, json_of, obstacle, path_of

PACKAGES = pytest.mark.parametrize("package", [httpx, httpx2])
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "é"}]}


def test_a_body_is_kept_as_bytes_and_parsed_when_asked() -> None:
    """The model costs nothing; everything else is what the bytes say."""
    body = JsonBody(json.dumps(BODY).encode(), "m")
    assert dict(body) == BODY
    assert (body.get("model"), body.get("messages"), body.get("none", 3)) == ("m", BODY["messages"], 3)
    assert (body["model"], len(body), list(body)) == ("m", 2, list(BODY))
    assert JsonBody(b"nonsense", "m").get("model") == "m"


@pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b"\xff", b"[" * 100_000, b"3"])
def test_what_is_no_object_is_none(content: bytes) -> None:
    """Whatever else the bytes hold, nothing is raised."""
    assert json_of(content) is None


def test_a_body_is_written_as_httpx_writes_it() -> None:
    """Byte for byte; half a surrogate pair, which UTF-8 has not, is escaped."""
    assert (
        encoded(BODY)
        == encoded(JsonBody(json.dumps(BODY).encode(), "m"))
        == httpx2.Request("POST", "http://x", json=BODY).content
    )
    assert json.loads(encoded({"a": "\ud83d"})) == {"a": "\ud83d"}


@PACKAGES
def test_which_bodies_can_be_sent_again(package: Any) -> None:
    """Bytes can, those of a redirected request too, which has only its stream; a generator can't."""
    made = package.Request("POST", "http://x", content=b"abc")
    assert content_of(made) == b"abc"
    assert content_of(package.Request("POST", "http://x", stream=made.stream)) == b"abc"
    assert content_of(package.Request("POST", "http://x", content=iter([b"abc"]))) is None


@PACKAGES
@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({}, None),
        ({"authorization": "Bearer x", "content-encoding": "identity"}, None),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, "signed"),
        ({"content-encoding": "gzip"}, "compressed"),
    ],
)
def test_what_stands_in_the_way(package: Any, headers: Any, word: str | None) -> None:
    """A signature over the body, and a compressed body."""
    found = obstacle(package.Request("POST", "http://x", headers=headers))
    assert found is word or (word is not None and found is not None and word in found)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://x/v1/messages?beta=true", "/v1/messages"),
        ("http://x/a/v1/messages/", "/a/v1/messages"),
        ("http://x", "/"),
    ],
)
def test_the_path_has_no_query(url: str, path: str) -> None:
    """Nor a slash at its end."""
    assert path_of(httpx2.Request("POST", url)) == path
