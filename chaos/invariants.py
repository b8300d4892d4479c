"""The laws that must always hold. ``docs/chaos.md`` lists them.

Each law checks one run and yields what is wrong. `check` runs all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import anthropic
from jiter import from_json

from resilient_stream import StreamReport, sendable
from resilient_stream.testing import Cut
from resilient_stream.testing.asked import Asked
from resilient_stream.testing.rules import check as refusal
from resilient_stream.testing.transcript import Block

from .simulation import Run

FINAL_OUTCOMES: Final = ("completed", "finished_with_tools")
TIMEOUTS: Final = ("silent", "stalled")
BROKEN: Final = ("connect", "closed", "reset", "truncated", "corrupt", "protocol")


def check(run: Run) -> None:
    """Check every law.

    Raises:
        AssertionError: with all that is wrong, and the plan.
    """
    wrong = [f"{law.__name__}: {found}" for law in LAWS for found in law(run)]
    assert not wrong, "\n".join([*wrong, "", f"error: {run.seen.error!r}", f"plan: {run.plan!r}"])


def text_of(blocks: Sequence[Any]) -> str:
    """The text of blocks, of the SDK's or plain ones."""
    plain = (block if isinstance(block, dict) else block.model_dump() for block in blocks)
    return "".join(block["text"] for block in plain if block["type"] == "text")


def text(run: Run) -> Iterator[str]:
    """The delivered text is the author's text or, if the stream failed, the beginning of it."""
    seen, said = run.seen, run.plan.reply.said
    if not said.startswith(seen.text):
        yield f"handed over {seen.text!r}, which does not begin {said!r}"
    elif seen.message is not None and seen.text != said and not _cut_short(run):
        yield f"ended well, {len(said) - len(seen.text)} characters short"
    if seen.message is not None and text_of(seen.message.content) != seen.text:
        yield f"the message says {text_of(seen.message.content)!r}, not {seen.text!r}"


def _cut_short(run: Run) -> bool:
    return run.seen.report.outcome == "finished_with_tools"


def blocks(run: Run) -> Iterator[str]:
    """A message that ended normally has the author's tool calls, complete and in order, and a fitting stop
    reason."""
    seen, message = run.seen, run.seen.message
    if message is None:
        return
    wanted = [block for block in run.plan.reply.content if block["type"] == "tool_use"]
    calls = [(block.id, block.input) for block in message.content if block.type == "tool_use"]
    whole = [(block["id"], _input(block["input"])) for block in wanted]
    if calls != whole and not (_cut_short(run) and calls and calls == whole[: len(calls)]):
        yield f"calls {calls}"
    if message.stop_reason != ("tool_use" if _cut_short(run) else run.plan.reply.reply.reason):
        yield f"stop reason {message.stop_reason}"
    if seen.report.outcome not in FINAL_OUTCOMES:
        yield f"a good end, reported as {seen.report.outcome}"


def _input(given: Any) -> Any:
    """What the SDK makes of a tool's input. Input that is no JSON was cut at a limit."""
    return from_json(given.encode(), partial_mode=True) if isinstance(given, str) else given


def grammar(run: Run) -> Iterator[str]:
    """The events are those of one message: one start, one stop, blocks one after the other."""
    opened, expected, reason, stopped = -1, 0, False, False
    for number, event in enumerate(run.seen.events):
        legal = not stopped
        match event.type:
            case "message_start":
                legal = legal and number == 0
            case "content_block_start":
                legal = legal and number > 0 and opened < 0 and event.index == expected and not reason
                opened, expected = event.index, expected + 1
            case "content_block_delta":
                legal = legal and event.index == opened
            case "content_block_stop":
                legal = legal and event.index == opened
                opened = -1
            case "message_delta":
                legal, reason = legal and number > 0 and opened < 0, True
            case _:
                legal, stopped = legal and reason, True
        if not legal:
            yield f"event {number}, {event.type}, is out of place"
    if run.seen.message is not None and not stopped and not _lacks_a_blank_line(run):
        yield "a good end without message_stop"


def _lacks_a_blank_line(run: Run) -> bool:
    """Whether the only attempt may have lacked only its last blank line: a clean end is delivered unchanged,
    and the SDK skips such an event."""
    (*others, first) = (*run.plan.faults[1:], *run.plan.faults[:1])
    clean = isinstance(first, Cut) and first.how == "clean" and not others
    return clean and len(run.seen.report.attempts) == 1


def ending(run: Run) -> Iterator[str]:
    """A stream ends in one way: with a message, with an exception of the SDK, or because the consumer
    left."""
    seen = run.seen
    if (seen.message is None) == (seen.error is None and not seen.left):
        yield "neither a message nor an exception, or both"
    if seen.left and seen.error is None and seen.report.outcome not in ("cancelled", *FINAL_OUTCOMES):
        yield f"left, reported as {seen.report.outcome}"
    if seen.error is not None:
        yield from _error(run, seen.error, seen.report)


def _error(run: Run, error: Exception, told: StreamReport) -> Iterator[str]:
    if told.outcome != "failed":
        yield f"an exception, reported as {told.outcome}"
    if not told.reason:
        yield "gave up without a reason"
    kinds = {attempt.failure.kind.value for attempt in told.attempts if attempt.failure is not None}
    if isinstance(error, anthropic.APITimeoutError):
        fits = bool(kinds.intersection(TIMEOUTS) or "connect" in kinds)
    elif isinstance(error, anthropic.APIConnectionError):
        fits = bool(kinds.intersection(BROKEN) or "rejected" in kinds)
    else:
        fits = isinstance(error, anthropic.APIStatusError) and bool(kinds - {*TIMEOUTS, *BROKEN})
    if not fits:
        yield f"{type(error).__name__} after {sorted(kinds)}"
    ended = run.plan.reply.stops and run.plan.reply.stops in told.reason
    if run.plan.survivable and not ended and not _is_repeated(run):
        yield f"gave up where it should not have: {told.reason}"


def _is_repeated(run: Run) -> bool:
    """Whether the last two attempts broke in the same way: such a reply is not asked for a third time."""
    last = [each.failure for each in run.seen.report.attempts[-2:]]
    return "broken twice in the same way" in run.seen.report.reason and len(last) == 2 and last[0] == last[1]


def attempts(run: Run) -> Iterator[str]:
    """The report has as many attempts as the upstream received requests, and no more than the policy
    allows."""
    told = run.seen.report.attempts
    sent = sum(received.path == "/v1/messages" for received in run.received)
    if len(told) != sent + run.refused:
        yield f"{len(told)} attempts reported; {sent} requests came, {run.refused} connections were refused"
    away = sum(each.failure is not None and each.failure.kind.value == "connect" for each in told)
    if (
        len(told) - away > run.plan.rules.max_attempts
    ):  # behind a cut, failures to connect are limited by time
        yield f"{len(told)} attempts, {away} of them without a connection"
    if [attempt.number for attempt in told] != list(range(1, len(told) + 1)):
        yield "attempts are not numbered"
    if sum(attempt.characters for attempt in told) < len(run.seen.text):
        yield "attempts brought fewer characters than were handed over"


def requests(run: Run) -> Iterator[str]:
    """The API refuses no request, each continuation continues the delivered text, and the first request is
    the user's."""
    for received in run.received:
        if received.rule not in (None, "path"):
            yield f"request {received.number} was refused: {received.rule}"
        if not received.matched:
            yield f"request {received.number} continues what was never said"
    first = run.received[:1]
    if any(received.json != run.plan.request | {"stream": True} for received in first if received.json):
        yield "the first request is not the user's"


def leaks(run: Run) -> Iterator[str]:
    """Nothing is left: every connection is idle after the stream, and closed with the client."""
    if run.busy:
        yield f"{run.busy} connections are still in use"
    if run.left_open:
        yield f"{run.left_open} connections are still open"
    if run.tasks:
        yield f"{run.tasks} tasks are still running"


def history(run: Run) -> Iterator[str]:
    """The message and the report's partial message can be sent back."""
    seen = run.seen
    if seen.message is not None:
        content = [block.to_dict() for block in seen.message.content]
        yield from _accepted(run, content, "the message", heal=True)
    partial = seen.report.partial
    if partial is not None:
        yield from _accepted(run, partial["content"], "the partial", heal=False)
        if text_of(partial["content"]) != seen.text and not seen.left and seen.text.strip():
            yield f"the partial says {text_of(partial['content'])!r}, the consumer has {seen.text!r}"
    elif seen.text.strip():
        yield "there is no partial"


def _accepted(run: Run, content: list[Block], what: str, *, heal: bool) -> Iterator[str]:
    calls = [block["id"] for block in content if block["type"] == "tool_use"]
    container = getattr(run.seen.message, "container", None)
    named = {"container": container.id} if container is not None else {}
    names = [block["id"] for block in content if block["type"].endswith("tool_use")]
    if len(set(names)) < len(names):
        yield f"{what} has two uses of a tool under one id"
    results = [{"type": "tool_result", "tool_use_id": name, "content": "high"} for name in calls]
    turn: dict[str, Any] = {"role": "assistant", "content": content}
    answer = {"role": "user", "content": [*results, {"type": "text", "text": "And then?"}]}
    paused = heal and run.seen.message.stop_reason == "pause_turn"
    for said in ([turn, answer], *([[turn]] if paused else [])):
        messages = [*run.plan.request["messages"], *said]
        body = run.plan.request | named | {"messages": sendable(messages) if heal else messages}
        refused = refusal(Asked(body, signatures=run.signatures))
        if refused is not None:
            yield f"{what} is refused as history: {refused.rule}: {refused.message}"


Law = Callable[[Run], Iterator[str]]

LAWS: Final[tuple[Law, ...]] = (text, blocks, grammar, ending, attempts, requests, leaks, history)
"""All laws."""
