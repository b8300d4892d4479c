from __future__ import annotations

from resilient_stream import StreamReport
from resilient_stream._demo.live import PROMPT, SNIPS, live
from resilient_stream._demo.run import MODEL
from resilient_stream.testing import ANSWER, StandIn


def test_the_real_thing_is_cut_and_comes_out_whole() -> None:
    """The model's answer passes through every snip of the proxy and is whole at the end."""
    heard: list[str] = []

    def hear(text: str, _report: StreamReport | None) -> None:
        heard.append(text)

    with StandIn() as api:
        told = live({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": api.url}, MODEL, hear)
        first, *others = api.requests
    assert told.is_whole(None)
    assert "".join(heard) == told.text == ANSWER
    assert len(others) == len(SNIPS)
    assert first.json["messages"] == [{"role": "user", "content": PROMPT}]
    assert told.report is not None
    kinds = [attempt.failure and attempt.failure.kind.value for attempt in told.report.attempts]
    assert kinds == ["reset", "truncated", "closed", None]
