"""Clients whose transports are wrapped."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream import RetryPolicy
from resilient_stream._transport.client import MOUNTS, TRANSPORT, is_client, resilient
from resilient_stream.httpx import AsyncResilientTransport, ResilientTransport

KINDS = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]


class Own(httpx.Client):
    """A user's class."""


@pytest.mark.parametrize("kind", [*KINDS, Own])
def test_clients_are_known(kind: Any) -> None:
    """Those of both packages, and classes made of them; nothing else."""
    assert is_client(kind())
    assert not is_client(kind)
    assert not is_client(object())


@pytest.mark.parametrize("kind", KINDS)
def test_the_transport_and_the_mounts_are_wrapped(kind: Any) -> None:
    """Each once, however often; a mount that means the default stays one; the client itself is left alone."""
    client = kind(mounts={"http://a.test": None, "http://b.test": kind()._transport}, trust_env=False)
    made = resilient(resilient(client, "batch"), RetryPolicy(max_attempts=3))
    ours = AsyncResilientTransport if hasattr(client, "aclose") else ResilientTransport
    assert (type(made), type(getattr(made, TRANSPORT))) == (kind, ours)
    assert getattr(made, TRANSPORT).wrapped is getattr(client, TRANSPORT)
    below = [None if one is None else one.wrapped for one in getattr(made, MOUNTS).values()]
    assert below == list(getattr(client, MOUNTS).values())
    assert getattr(made, TRANSPORT).policy.max_attempts == 3
    assert not isinstance(getattr(client, TRANSPORT), ours)


def test_a_client_without_them_is_refused() -> None:
    """With what to do instead."""
    client = httpx.Client()
    vars(client)["_renamed"] = vars(client).pop("_mounts")
    with pytest.raises(TypeError, match=r"ResilientTransport by hand"):
        resilient(client, None)
