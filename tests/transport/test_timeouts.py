"""Which timeouts are a wish."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream._transport.timeouts import DEFAULT, of_attempt, wished

NONE = dict.fromkeys(DEFAULT)


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_the_default_is_that_of_the_package(package: Any) -> None:
    """Who says nothing gets exactly these numbers; who says something keeps them."""

    def of(client: Any) -> Any:
        with client:
            return client.build_request("GET", "http://x").extensions

    assert wished(of(package.Client())) == NONE
    assert wished(of(package.Client(timeout=30))) == dict.fromkeys(DEFAULT, 30)
    assert wished(of(package.Client(timeout=package.Timeout(5, read=60)))) == {**DEFAULT, "read": 60}
    assert wished(of(package.Client(timeout=None))) == NONE


@pytest.mark.parametrize("extensions", [{}, {"timeout": None}, {"timeout": 3}])
def test_no_timeout_is_no_wish(extensions: Any) -> None:
    """Nor is something else in its place."""
    assert wished(extensions) == NONE


def test_the_shorter_counts() -> None:
    """Of the wish and the policy, to connect and to read; to write and for the pool there is only the wish."""
    wish = {"connect": 2.0, "read": 900.0, "write": 7.0, "pool": None}
    assert of_attempt(wish, 5.0, 300.0) == {"connect": 2.0, "read": 300.0, "write": 7.0, "pool": None}
    assert of_attempt(NONE, None, 300.0) == {**NONE, "read": 300.0}
