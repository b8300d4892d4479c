"""One function for every client."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import anthropic
import httpx
import httpx2
import pytest

from resilient_stream import resilient


@pytest.mark.parametrize(
    "client",
    [
        anthropic.Anthropic(api_key="k"),
        anthropic.AsyncAnthropic(api_key="k"),
        httpx.Client(),
        httpx2.AsyncClient(),
    ],
)
def test_the_same_type_comes_back(client: Any) -> None:
    """Whichever client it is, and it is another object."""
    made = resilient(client)
    assert type(made) is type(client)
    assert made is not client


@pytest.mark.parametrize("wrong", [httpx.Client, anthropic.Anthropic, object(), None])
def test_anything_else_is_refused(wrong: Any) -> None:
    """A class, or what is no client."""
    with pytest.raises(TypeError, match="should be a client"):
        resilient(wrong)


def test_a_client_of_httpx_does_not_import_the_sdk() -> None:
    """Nor the other package."""
    program = "import httpx, sys; from resilient_stream import resilient; resilient(httpx.Client()); assert not {'anthropic', 'httpx2'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_client_of_the_sdk_does_not_import_the_transports() -> None:
    """Nor a package that it does not use itself."""
    program = "import anthropic, sys; from resilient_stream import resilient; resilient(anthropic.Anthropic(api_key='k')); assert not {'httpx', 'sqlite3', 'resilient_stream._transport.transport', 'resilient_stream._core.seam.join'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
