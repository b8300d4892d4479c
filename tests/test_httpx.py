"""The public module of the transports: its names come with their first use, and with little else."""

from __future__ import annotations

import subprocess
import sys

import pytest

import resilient_stream.httpx as public
from resilient_stream._transport import transport

NEEDED = """
import sys
before = {name.partition(".")[0] for name in sys.modules}  # an installation may import what it likes
from resilient_stream.httpx import ResilientTransport
ResilientTransport()
loaded = {name.partition(".")[0] for name in sys.modules} - before - sys.stdlib_module_names
print(*(name for name in loaded if "_sysconfigdata" not in name))
unneeded = {
    "asyncio", "tomllib", "difflib", "sqlite3", "ssl", "http.client",
    "resilient_stream._core.seam.join", "resilient_stream._telemetry.tracing",
}
assert not unneeded & sys.modules.keys(), unneeded & sys.modules.keys()
packages = {name.split(".")[1] for name in sys.modules if name.startswith("resilient_stream.")}
adapters = {"_clients", "_sdk", "_gateway", "_check", "_demo", "testing"}
assert not packages & adapters, packages & adapters
journal = {name for name in sys.modules if name.startswith("resilient_stream._journal.")}
assert journal <= {"resilient_stream._journal.scope"}, journal
"""


def test_a_transport_is_made_without_what_few_programs_need() -> None:
    """A sync transport with the default policy needs neither asyncio, nor what joins two texts, nor what
    reads presets or journals. Of other packages it needs only tenacity, anyio, and pydantic with its
    parts: not the SDK, not a client of HTTP, not OpenTelemetry."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", NEEDED], check=True, capture_output=True, text=True
    )
    own = {"resilient_stream", "tenacity", "anyio", "pydantic"}
    parts = {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
    assert own <= set(run.stdout.split()) <= own | parts


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
