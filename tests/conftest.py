"""What holds for every test."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from resilient_stream._driver import finalizer as _finalizer
from resilient_stream._policy import accounts as _accounts

sys.path.append(str(Path(__file__).parents[1]))
"""For tests of what is not installed, such as the benchmarks. It comes last: the package is what is installed."""

settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")
"""No example has to be quick, which a busy machine is not, and every run has the same: so it covers the same."""

_made: list[str] = []
"""The sockets that the running test has made, as names of events."""


def _hear_of_sockets(event: str, _args: tuple[object, ...]) -> None:
    """Note each socket that is made. Audit hooks cannot be taken away: there is one for the whole run."""
    if event == "socket.__new__":
        _made.append(event)


sys.addaudithook(_hear_of_sockets)


@pytest.fixture(autouse=True)
def each_test_for_itself() -> Iterator[None]:
    """No test spends another's budget: two servers of one process may get the same port in turn. And a socket that
    a test leaves open fails this test, and not the one in which the collector happens to find it.

    What is alive after the collection is kept out of later ones, which would otherwise take longer and longer.
    """
    pytest.MonkeyPatch().setattr(_accounts, "_REGISTRY", _accounts.Registry())
    yield
    if _made:
        _made.clear()
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def dropped_streams_have_ended() -> None:
    """A stream that a test drops has ended when the test goes on, however late a busy machine runs its thread."""
    pytest.MonkeyPatch().setattr(_finalizer, "PATIENCE", 60.0)


@pytest.fixture(autouse=True, scope="session")
def nothing_leaves_the_machine() -> Iterator[None]:
    """Clients use no proxy, and trust one authority instead of the system's many: loading those takes each client
    20 ms. Both hold for clients that heed the environment: a test's should, unless that is what it is about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(Path(__file__).parent / "support" / "authority.pem"))
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "*")
        yield


def pytest_collection_finish() -> None:
    """Keep what was imported out of the collector's sight: a test that collects what it dropped would look through it
    for a sixth of a second each time."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Show it again: what is imported at the end looks for referrers."""
    gc.unfreeze()
