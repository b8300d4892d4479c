"""A request as it came."""

from __future__ import annotations

import pytest

from resilient_stream.testing.requests import Incoming


@pytest.mark.parametrize(
    ("version", "option", "persistent"),
    [
        ("1.1", None, True),
        ("1.1", "keep-alive", True),
        ("1.1", "close", False),
        ("1.1", "x-closed", True),
        ("1.1", "X-a , Close", False),
        ("1.0", None, False),
        ("1.0", "keep-alive", False),
    ],
)
def test_a_connection_persists_unless_one_side_cannot(
    version: str, option: str | None, persistent: bool
) -> None:
    """HTTP/1.1 keeps it unless told ``close``; an older client gets one answer."""
    headers = {} if option is None else {"connection": option}
    assert Incoming("GET", "/", headers, http_version=version).persistent is persistent
