"""The options of the chaos tests: how many seeds, which one, how long; and the command that repeats a
failure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import cast

import pytest

OUTCOMES: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""How the cuts of each family ended."""

BLOCK = 100
"""Seeds per test, so that a long run shows its progress."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of chaos."""
    group = parser.getgroup("chaos")
    group.addoption("--seeds", type=int, default=2000, help="how many seeded plans are played (2000)")
    group.addoption("--first", type=int, default=0, help="the first seed (0)")
    group.addoption("--seed", type=int, default=None, help="play only this seed, by every consumer")
    group.addoption("--step", type=int, default=7, help="of the byte offsets, cut at every n-th (7)")
    group.addoption("--minutes", type=float, default=0.0, help="how long the soak lasts (0: none)")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "slow: only with --minutes")


def pytest_report_header(config: pytest.Config) -> str:
    """What is run."""
    if config.option.seed is not None:
        return f"chaos: seed {config.option.seed}"
    first, seeds, step = config.option.first, config.option.seeds, config.option.step
    return f"chaos: seeds {first} to {first + seeds - 1}, every {step}. byte cut"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each block of seeds."""
    if "seeds" not in metafunc.fixturenames:
        return
    option = metafunc.config.option
    first, last = option.first, option.first + option.seeds
    if option.seed is not None:
        first, last = option.seed, option.seed + 1
    blocks = [range(at, min(at + BLOCK, last)) for at in range(first, last, BLOCK)]
    metafunc.parametrize("seeds", blocks, ids=[f"{block.start}-{block.stop - 1}" for block in blocks])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the soak test unless its length is given."""
    if not config.option.minutes:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="give it --minutes"))


@pytest.fixture
def step(request: pytest.FixtureRequest) -> int:
    """Of how many byte offsets one is cut at."""
    return int(request.config.option.step)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the cuts that the tests report, from all processes."""
    for name, counted in report.user_properties if report.when == "call" else ():
        OUTCOMES[name].update(cast("dict[str, int]", counted))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cuts of each family ended in which way."""
    if OUTCOMES:
        terminalreporter.section("cuts")
    for name, counted in OUTCOMES.items():
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
        terminalreporter.write_line(f"{name}: {counted.total()} cuts: {told}")
