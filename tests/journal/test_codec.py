"""What is stored, and what it is of."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._journal.codec import Codec, differences, digest, request_bytes
from resilient_stream.errors import JournalError


def test_without_encryption_a_payload_is_stored_as_it_is() -> None:
    """And read as it is."""
    assert Codec().store(b"x") == b"x" == Codec().load(b"x")


def test_what_was_encrypted_is_decrypted() -> None:
    """By the other function; under another key a sentence says so."""

    def flip(data: bytes) -> bytes:
        return bytes(byte ^ 0xFF for byte in data)

    def refuse(_: bytes) -> bytes:
        raise ValueError("another key")

    codec = Codec(flip, flip)
    stored = codec.store(b"the request")
    assert b"request" not in stored
    assert codec.load(stored) == b"the request"
    with pytest.raises(JournalError, match="encrypted with another key"):
        Codec(flip, refuse).load(stored)


@pytest.mark.parametrize("given", [{"encrypt": bytes}, {"decrypt": bytes}])
def test_one_alone_is_refused(given: Any) -> None:
    """What is encrypted for nobody is lost."""
    with pytest.raises(ValueError, match="together"):
        Codec(**given)


def test_a_request_keeps_its_order() -> None:
    """A prompt cache may know it by that, when it is sent again."""
    assert request_bytes({"b": 2, "a": 1}) == b'{"b":2,"a":1}'


def test_what_is_no_json_is_refused() -> None:
    """With a sentence."""
    with pytest.raises(JournalError, match="should be JSON"):
        request_bytes({"a": object()})


@pytest.mark.parametrize(
    ("now", "places"),
    [
        ({"model": "m", "messages": [1, 2]}, []),
        ({"model": "n", "messages": [1, 2]}, ["model"]),
        ({"model": "m", "messages": [1, 3]}, ["messages[1]"]),
        ({"model": "m", "messages": [1, 2, 3]}, ["messages[2]"]),
        ({"model": "m", "messages": []}, ["messages[0]", "messages[1]"]),
        ({"model": "m", "messages": "secret"}, ["messages"]),
        ({"model": "m"}, ["messages"]),
        ({"model": "m", "messages": [1, 2], "top_k": None}, ["top_k"]),
        ({"model": "m", "messages": list(range(10, 30))}, [f"messages[{at}]" for at in range(5)]),
    ],
)
def test_where_two_requests_differ(now: dict[str, Any], places: list[str]) -> None:
    """By the names of their fields, without what is in them."""
    assert differences({"model": "m", "messages": [1, 2]}, now) == places


def test_a_credential_can_be_known_again_and_not_read() -> None:
    """Under the same secret alone."""
    assert digest(b"s", "key") == digest(b"s", "key") != digest(b"t", "key")
    assert "key" not in digest(b"s", "key")
    assert digest(b"s", "half \ud800")
