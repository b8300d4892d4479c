"""The public module of the transports: its names come with their first use, and with little else."""

from __future__ import annotations

import subprocess
import sys

import pytest

import resilient_stream.httpx as public
from resilient_stream._transport import transport

UNNEEDED = """
import sys
from resilient_stream.httpx import ResilientTransport
ResilientTransport()
unneeded = {"asyncio", "tomllib", "difflib", "resilient_stream._core.seam.join"} & sys.modules.keys()
assert not unneeded, unneeded
"""


def test_what_only_a_failure_or_an_async_program_needs_is_imported_then() -> None:
    """A sync transport with the default policy is made without asyncio, and without what joins two texts."""
    subprocess.run([sys.executable, "-W", "error", "-c", UNNEEDED], check=True)


@pytest.mark.parametrize("name", public.__all__)
def test_each_name_is_the_object_of_its_home(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first time, when it is not in the module yet, and `dir` lists it before that."""
    getattr(public, name)
    monkeypatch.delattr(public, name)
    assert name in dir(public)
    assert [getattr(public, name), getattr(public, name)] == [getattr(transport, name)] * 2


def test_unknown_names_are_refused() -> None:
    """The lazy names do not make every name look defined."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = public.no_such_name
