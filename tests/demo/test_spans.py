"""The trace of the demo's stream."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from resilient_stream.__main__ import main
from resilient_stream._demo.screen import Screen
from resilient_stream._demo.spans import LENGTH, Recorder, timeline
from resilient_stream._telemetry.observers import Watch
from tests.support.reports import Output
from tests.support.stages import HEAD, SyncStage
from tests.telemetry.test_tracing import BEGUN, DOWN, RESET, WHOLE


def trace(*steps: object, waits: tuple[float, ...] = ()) -> Recorder:
    """A recorder of one stream."""
    recorder, stage = Recorder(), SyncStage()
    stage.watch = Watch((recorder.telemetry,), "claude-sonnet-5")
    driver = stage.stream(*steps, waits=waits)
    driver.open()
    for _ in driver:
        pass
    return recorder


def drawn(recorder: Recorder, *, encoding: str = "utf-8") -> list[str]:
    """The rows of the timeline."""
    out = Output(encoding=encoding)
    timeline(Screen(out, {}), recorder.trace)
    return out.text.splitlines()[3:]


def test_each_span_has_its_row() -> None:
    """The stream, its attempts and its waits, in the order in which they began, with how each ended."""
    rows = drawn(trace(DOWN, HEAD, BEGUN, RESET, HEAD, WHOLE, None, waits=(1.0, 0.0)))
    assert [(row.split()[0], row.rpartition("s ")[2].strip()) for row in rows] == [
        ("chat", "resumed"),
        ("resilient_stream.attempt", "1 initial: overloaded in headers"),
        ("resilient_stream.backoff", "the law"),
        ("resilient_stream.attempt", "2 retry: reset in body"),
        ("resilient_stream.attempt", "3 continuation: complete"),
    ]


def test_bars_lie_within_the_stream() -> None:
    """The stream's own bar is the whole length, and no other sticks out on either side."""
    rows = drawn(trace(DOWN, HEAD, WHOLE, None, waits=(0.0,)), encoding="ascii")
    left = rows[0].index("=")
    assert rows[0].count("=") == LENGTH
    for row in rows:
        assert left <= row.index("=") <= row.rindex("=") < left + LENGTH


def test_a_narrow_terminal_has_the_numbers_instead_of_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """On 60 columns each span still says when it began, how long it took, and what became of it."""
    monkeypatch.setenv("COLUMNS", "60")
    out = Output(terminal=True)
    timeline(Screen(out, {"TERM": "dumb"}), trace(DOWN, HEAD, WHOLE, None, waits=(0.0,)).trace)
    rows = [row for row in out.text.splitlines() if "resilient_stream." in row or "chat " in row]
    assert [len(re.findall(r" \d+\.\d\ds", row)) for row in rows] == [2] * 3
    assert "overloaded" in out.text and "complete" in out.text
    assert max(map(len, out.text.splitlines())) <= 60


def test_only_the_last_stream_is_drawn() -> None:
    """Calls that were made before it have traces of their own."""
    recorder = trace(HEAD, WHOLE, None)
    stage = SyncStage()
    stage.watch = Watch((recorder.telemetry,), "the last")
    driver = stage.stream(HEAD, WHOLE, None)
    driver.open()
    list(driver)
    assert [span.name for span in recorder.trace] == ["chat the last", "resilient_stream.attempt"]


@pytest.fixture
def demo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[int, str]]:
    """Run the demo with its trace."""
    monkeypatch.delenv("RESILIENT_STREAM", raising=False)

    def run() -> tuple[int, str]:
        status = main(["demo", "--fast", "--spans", "--fault", "rst_mid_chunk"])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


def test_the_demo_draws_its_stream(demo: Callable[[], tuple[int, str]]) -> None:
    """--spans adds the trace of the demo's own stream."""
    status, text = demo()
    assert status == 0
    assert "\nchat claude-sonnet-5 " in text
    assert "2 continuation: complete\n" in text


def test_without_an_sdk_it_says_how_to_get_it(
    demo: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing extra is a sentence that can be pasted, before anything is streamed."""
    monkeypatch.delitem(sys.modules, "resilient_stream._demo.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    status, text = demo()
    assert status == 2
    assert "pip install 'resilient-stream[cli,telemetry]'" in text
    assert "tides" not in text
