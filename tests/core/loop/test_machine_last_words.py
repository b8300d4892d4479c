"""A continuation whose very last, unfinished event says that nothing came."""

from __future__ import annotations

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Planner
from resilient_stream._core.verdict import History, Retry
from resilient_stream._core.wire.sse import encode
from tests.support.machines import Alone
from tests.support.settings import settings_with

REQUEST = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
BEGUN = encode("message_start", {"type": "message_start", "message": {"id": "m", "content": [], "usage": {}}})
BLOCK = encode(
    "content_block_start",
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
)
WORDS = encode(
    "content_block_delta",
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "The moon pulls. "}},
)
ENDING = encode("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}})


class Willing(Alone):
    """Always goes on, at once."""

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry:
        """Go on."""
        del failure, history, error
        return Retry(0.0, "willing")


def test_an_unfinished_ending_of_nothing_is_asked_once_more() -> None:
    """The ending lacks its blank line, and nothing came before it: barren, and the next is an ending."""
    settings = settings_with()
    machine = Machine(
        Planner(REQUEST, settings), settings, Willing(), lambda failure: RuntimeError(failure.kind)
    )
    machine.start(0.0)
    machine.head(0.0, 200, None)
    machine.data(0.0, BEGUN + BLOCK + WORDS, 0.0)
    again = machine.fault(0.0, Failure(Kind.RESET, Phase.BODY))
    for _ in range(2):
        assert isinstance(again, Send)
        assert again.plan.form is Form.USER_TURN
        machine.head(0.0, 200, None)
        machine.data(0.0, BEGUN + ENDING.rstrip(b"\n") + b"\n", 0.0)
        again = machine.end(0.0)
    assert machine.ledger.outcome == "completed"
    assert [attempt.failure and attempt.failure.kind for attempt in machine.ledger.attempts] == [
        Kind.RESET,
        Kind.PROTOCOL,
        None,
    ]
