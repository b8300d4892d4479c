"""What an adapter gives to a driver."""

from __future__ import annotations

import inspect

import pytest

from resilient_stream._driver.upstream import AsyncUpstream, Upstream
from resilient_stream._http.async_exchange import AsyncExchange
from resilient_stream._http.exchange import SyncExchange
from tests.support.stages import AsyncScripted, SyncScripted


def methods(kind: type) -> dict[str, inspect.Signature]:
    """The public methods of a class and what they take."""
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        (SyncExchange, Upstream),
        (SyncScripted, Upstream),
        (AsyncExchange, AsyncUpstream),
        (AsyncScripted, AsyncUpstream),
    ],
)
def test_every_upstream_has_all_that_a_driver_calls(kind: type, protocol: type) -> None:
    """With the same parameters, and awaitable where the protocol is."""
    wanted, found = methods(protocol), methods(kind)
    for name, signature in wanted.items():
        assert list(found[name].parameters) == list(signature.parameters), name
        both = (getattr(kind, name), getattr(protocol, name))
        assert len({inspect.iscoroutinefunction(method) for method in both}) == 1, name
