"""What the tests of the core share: streams to cut, a model that continues them, a driver, a reader.

Nothing here sleeps, and nothing reads the clock: times are numbers. The reader (`consume`) is stricter
than the SDK: it refuses every break of the grammar of one message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import anthropic
import httpx2

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Action, Finish, Raise, Read, Send, Wait
from resilient_stream._core.plan.planner import Form, Plan, Planner, Step
from resilient_stream._core.record.ledger import Record
from resilient_stream._core.settings import Settings
from resilient_stream._core.verdict import GiveUp, History, Retry

Json = dict[str, Any]

# -- building streams ----------------------------------------------------------------------------

PREFILLED = "claude-sonnet-4-5-20250929"
"""A model that continues a trailing assistant turn."""
MODERN = "claude-opus-5"
"""One that does not."""


def frame(event: Mapping[str, Any], *, spaced: bool = True) -> bytes:
    """One event in bytes, spelled as the API does (or without spaces, as some hosts do)."""
    separators = (", ", ": ") if spaced else (",", ":")
    data = json.dumps(event, ensure_ascii=False, separators=separators)
    return f"event: {event['type']}\ndata: {data}\n\n".encode("utf-8", "backslashreplace")


def start(**message: Any) -> bytes:
    """A ``message_start``."""
    whole = {
        "id": "msg_first",
        "type": "message",
        "role": "assistant",
        "model": MODERN,
        "content": [],
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    return frame({"type": "message_start", "message": whole | message})


def ending(stop_reason: str | None = "end_turn", output: int = 40, **delta: Any) -> bytes:
    """A ``message_delta`` with a stop reason."""
    return frame(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None, **delta},
            "usage": {"output_tokens": output},
        }
    )


def block_start(index: int, block: Mapping[str, Any]) -> bytes:
    """A ``content_block_start``."""
    return frame({"type": "content_block_start", "index": index, "content_block": dict(block)})


def delta(index: int, **fields: Any) -> bytes:
    """A ``content_block_delta``."""
    return frame({"type": "content_block_delta", "index": index, "delta": fields})


def text_delta(index: int, text: str) -> bytes:
    """A delta of text."""
    return delta(index, type="text_delta", text=text)


def block_stop(index: int) -> bytes:
    """A ``content_block_stop``."""
    return frame({"type": "content_block_stop", "index": index})


STOP = frame({"type": "message_stop"})
PING = frame({"type": "ping"})
ERROR = frame({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def pieces(text: str, size: int) -> list[str]:
    """``text`` in pieces of ``size`` characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def block(index: int, content: Mapping[str, Any], size: int = 12) -> list[bytes]:
    """All frames of one block."""
    kind = content["type"]
    if kind == "text":
        bare: dict[str, Any] = {"type": "text", "text": ""} | (
            {"citations": []} if "citations" in content else {}
        )
        cited = [delta(index, type="citations_delta", citation=one) for one in content.get("citations") or ()]
        grown = [text_delta(index, piece) for piece in pieces(content["text"], size)]
        return [block_start(index, bare), *grown, *cited, block_stop(index)]
    if kind == "thinking":
        grown = [
            delta(index, type="thinking_delta", thinking=piece)
            for piece in pieces(content["thinking"], size) or [""]
        ]
        signed = delta(index, type="signature_delta", signature=content["signature"])
        bare = {"type": "thinking", "thinking": "", "signature": ""}
        return [block_start(index, bare), *grown, signed, block_stop(index)]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        written = json.dumps(content["input"]) if content["input"] else ""
        grown = [
            delta(index, type="input_json_delta", partial_json=piece)
            for piece in ["", *pieces(written, size)]
        ]
        return [block_start(index, {**content, "input": {}}), *grown, block_stop(index)]
    return [block_start(index, content), block_stop(index)]


def message(
    contents: Iterable[Mapping[str, Any]],
    stop_reason: str = "end_turn",
    *,
    size: int = 12,
    ping: bool = True,
    output: int = 40,
    **opening: Any,
) -> bytes:
    """The whole stream of one message."""
    frames = [start(**opening)]
    for index, content in enumerate(contents):
        told = block(index, content, size)
        frames += [told[0], PING, *told[1:]] if ping and index == 0 else told
    return b"".join([*frames, ending(stop_reason, output), STOP])


# -- golden content ------------------------------------------------------------------------------

PROSE = (
    "# Tides\n\nThe sea rises  twice a day, café to café — never alike.\n\n"
    '- “one”\n- two\n\n```python\nx = {1: "a\\\\b"}\n```\n\n潮の記録は続く。海面上昇 👨‍👩‍👧 fin.'
)
"""Text with all that makes a seam hard: headings, double spaces, code, CJK, joined emoji."""

THOUGHT: Json = {
    "type": "thinking",
    "thinking": "First I look at the moon, then at the sea.",
    "signature": "c2lnMQ==",
}
OMITTED: Json = {"type": "thinking", "thinking": "", "signature": "c2lnMg=="}
REDACTED: Json = {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}
CALL: Json = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "gauge",
    "input": {"place": "north pier", "hour": 7},
}
OTHER_CALL: Json = {"type": "tool_use", "id": "toolu_2", "name": "gauge", "input": {"place": "old lock"}}
BARE_CALL: Json = {"type": "tool_use", "id": "toolu_3", "name": "now", "input": {}}
SEARCH: Json = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "tide table"},
}
FOUND: Json = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {"type": "web_search_result", "url": "https://tides.example", "title": "T", "encrypted_content": "xx"}
    ],
}
CODE: Json = {
    "type": "server_tool_use",
    "id": "srvtoolu_2",
    "name": "bash_code_execution",
    "input": {"command": "ls"},
}
RAN: Json = {
    "type": "bash_code_execution_tool_result",
    "tool_use_id": "srvtoolu_2",
    "content": {"type": "bash_code_execution_tool_result_error", "error_code": "unavailable"},
}
MCP: Json = {
    "type": "mcp_tool_use",
    "id": "mcptoolu_1",
    "name": "book",
    "server_name": "s",
    "input": {"seat": 4},
}
BOOKED: Json = {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []}
CITED: Json = {
    "type": "text",
    "text": "High water is at seven.",
    "citations": [{"type": "char_location", "cited_text": "seven", "document_index": 0}],
}


def text(content: str) -> Json:
    """A text block."""
    return {"type": "text", "text": content}


def texts(contents: Iterable[Mapping[str, Any]]) -> str:
    """All visible text of blocks."""
    return "".join(one["text"] for one in contents if one["type"] == "text")


# -- a model that continues ----------------------------------------------------------------------


@dataclass(frozen=True)
class Script:
    """What the model would say, and how it is told."""

    content: tuple[Json, ...]
    stop_reason: str = "end_turn"
    size: int = 12

    def stream(self) -> bytes:
        """The whole stream, as the first request is answered."""
        return message(self.content, self.stop_reason, size=self.size)

    def answer(self, plan: Plan, *, thinks: bool = False, strips: bool = False) -> bytes:
        """The stream that a request is answered with: the whole, or the rest of it after an exact echo.

        Args:
            plan: what is asked.
            thinks: a user-turn continuation thinks before it goes on.
            strips: a prefill continuation leaves out the white space it was not given.
        """
        if plan.body is None:
            return self.stream()
        messages = plan.body["messages"]
        said = messages[-1]["content"] if plan.form is Form.USER_TURN else ""
        received = messages[-1 - (plan.form is Form.USER_TURN)]["content"]
        rest = list(self.rest(received))
        echo = ""
        if plan.form is Form.USER_TURN and received[-1]["type"] == "text":
            tail = received[-1]["text"]
            echo = next(tail[at:] for at in range(len(tail)) if tail[at:] in said)
        if rest and rest[0]["type"] == "text":
            missing = rest[0]["text"].lstrip() if strips and not echo else rest[0]["text"]
            rest[0] = {**rest[0], "text": echo + missing}
        elif echo:
            rest.insert(0, text(echo))
        if thinks and plan.form is Form.USER_TURN:
            rest.insert(0, {"type": "thinking", "thinking": "Where was I?", "signature": "b3RoZXI="})
        return message(rest, self.stop_reason, size=self.size, id="msg_later", output=20)

    def rest(self, received: Iterable[Mapping[str, Any]]) -> Iterator[Json]:
        """What follows the blocks that were received, which may lack thinking, cut calls and blank ends."""
        blocks = list(received)
        told = texts(blocks)
        if blocks[-1]["type"] != "text":
            at = next(i for i, one in enumerate(self.content) if _same(one, blocks[-1]))
            yield from self.content[at + 1 :]
            return
        left = sum(not character.isspace() for character in told)
        assert "".join(texts(self.content).split()).startswith("".join(told.split())), "not what was said"
        for number, one in enumerate(self.content):
            if one["type"] != "text":
                continue
            size = sum(not character.isspace() for character in one["text"])
            if left <= size:
                end = _after(one["text"], left)
                if end < len(one["text"]):
                    yield {**one, "text": one["text"][end:]}
                yield from self.content[number + 1 :]
                return
            left -= size


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    keys = ("type", "id", "tool_use_id", "signature", "data")
    return all(one.get(key) == other.get(key) for key in keys)


def _after(written: str, count: int) -> int:
    """The place behind so many characters that are not blank."""
    for at, character in enumerate(written):
        if count == 0:
            return at
        count -= not character.isspace()
    return len(written)


# -- driving a machine ---------------------------------------------------------------------------

RESET = Failure(Kind.RESET, Phase.BODY, detail="ReadError")


@dataclass
class Body:
    """A reply: chunks, then a clean end (None) or a failure."""

    chunks: Iterable[bytes]
    ends: Failure | None = None


Reply = Body | bytes | Failure
Upstream = Callable[[Send], Reply]


class Patient:
    """A judge that retries so often, and always waits as long."""

    def __init__(self, attempts: int = 16, wait: float = 0.0) -> None:
        self.attempts, self.wait = attempts, wait
        self.asked: list[tuple[Failure, History]] = []

    def served(self) -> None:
        """Nothing is counted."""

    def verdict(self, failure: Failure, history: History, error: BaseException) -> Retry | GiveUp:
        """Go on until the attempts are used up."""
        self.asked.append((failure, history))
        if history.attempts >= self.attempts or history.overspent or failure.kind is Kind.REJECTED:
            return GiveUp("enough")
        return Retry(self.wait, "test")


class Broken(Exception):
    """What giving up raises here."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.kind))
        self.failure = failure


REQUEST: Json = {
    "model": MODERN,
    "max_tokens": 4096,
    "stream": True,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "Tell me of tides."}],
}


@dataclass
class Run:
    """What came of driving a machine."""

    machine: Machine
    out: bytes = b""
    last: Action | None = None
    sends: list[Send] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def forms(self) -> list[str]:
        """What the attempts were."""
        return [str(send.plan.form) for send in self.sends]

    @property
    def outcome(self) -> str | None:
        """How it ended."""
        return self.machine.ledger.outcome

    @property
    def heard(self) -> Heard:
        """What the consumer makes of it."""
        return consume(self.out)


def machine(
    request: Mapping[str, Any] = REQUEST,
    settings: Settings | None = None,
    judge: Any = None,
    refused: set[tuple[str, Step]] | None = None,
    **fields: Any,
) -> Machine:
    """A machine for a request."""
    settings = settings or Settings(**fields)
    planner = Planner(request, settings, set() if refused is None else refused)
    return Machine(planner, settings, judge or Patient(), Broken, Record())


def drive(made: Machine, upstream: Upstream, *, quick: bool = True, strict: bool = True) -> Run:
    """Act as an adapter does until the stream is over, and hold the machine to what always holds.

    Args:
        made: the machine.
        upstream: what each request is answered with.
        quick: take the short way where it is open.
        strict: read what is handed over, and compare it with the turn.
    """
    run = Run(made)
    before = json.dumps(made.planner.request)
    body: Iterator[bytes] = iter(())
    ends: Failure | None = None
    action = made.start(0.0)
    while not isinstance(action, Finish | Raise):
        if isinstance(action, Send):
            run.sends.append(action)
            assert len(run.sends) < 200, "it goes on for ever"
            reply = upstream(action)
            if isinstance(reply, Failure):
                action = made.fault(0.0, reply)
            else:
                told = Body([reply]) if isinstance(reply, bytes) else reply
                body, ends = iter(told.chunks), told.ends
                action = made.head(0.0, 200, f"req_{action.number}")
        elif isinstance(action, Wait):
            run.waits.append(action.seconds)
            run.out += made.take()
            action = made.waited(0.0)
        else:
            assert isinstance(action, Read)
            chunk = next(body, None)
            if chunk is None:
                action = made.end(0.0) if ends is None else made.fault(0.0, ends)
            elif quick and action.quick is not None and (passed := action.quick(chunk)) is not None:
                run.out += passed
                action = action if passed else made.data(0.0, b"", 0.0)
            else:
                action = made.data(0.0, chunk, 0.0)
        run.out += made.take()
    run.last = action
    assert before == json.dumps(made.planner.request), "the user's request was changed"
    if strict:
        agrees(made, consume(run.out))
    return run


def serve(*replies: Reply) -> Upstream:
    """These replies, one after the other; the last again and again."""
    left = list(replies)
    return lambda send: left.pop(0) if len(left) > 1 else left[0]


def once_cut(script: Script, first: Body, **manner: Any) -> Upstream:
    """``first``, then what ``script`` answers."""
    return lambda send: first if send.number == 1 else script.answer(send.plan, **manner)


# -- the consumer --------------------------------------------------------------------------------


@dataclass
class Heard:
    """A message as a strict consumer puts it together."""

    id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    open: bool = False
    stop_reason: str | None = None
    delta: Json = field(default_factory=dict)
    usage: Json = field(default_factory=dict)
    stopped: bool = False
    types: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All visible text."""
        return texts(self.blocks)

    def of_type(self, kind: str) -> list[Json]:
        """The blocks of one type."""
        return [one for one in self.blocks if one["type"] == kind]


UNENDED = re.compile(rb'event: message_stop\ndata: \{"type": ?"message_stop"\}\n?$')
"""How a body may end cleanly: its message_stop lacks the blank line."""


def payloads(out: bytes) -> Iterator[Json]:
    """The events of a stream, pings and comments left out."""
    out = out.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert not out or out.endswith(b"\n\n") or UNENDED.search(out), "half an event was handed over"
    for one in out.split(b"\n\n"):
        lines = one.split(b"\n")
        data = [line[6:] for line in lines if line.startswith(b"data: ")]
        names = [line for line in lines if line.startswith(b"event: ")]
        if data and names and names[-1] != b"event: ping":  # as the SDK skips what has no event line
            yield json.loads(b"\n".join(data))


@lru_cache(maxsize=4096)
def consume(out: bytes) -> Heard:  # noqa: C901 -- one case for each event
    """Put a message together, and refuse what breaks the grammar. Not to be changed: it may be shared."""
    heard = Heard()
    for event in payloads(out):
        kind = event["type"]
        heard.types.append(kind)
        assert not heard.stopped, f"{kind} after message_stop"
        match kind:
            case "message_start":
                assert heard.types.count(kind) == 1, "two message_starts"
                heard.id = event["message"]["id"]
            case "content_block_start":
                assert heard.id is not None, "a block before message_start"
                assert not heard.open, "two blocks open at once"
                assert event["index"] == len(heard.blocks), "indices must rise by one"
                assert heard.stop_reason is None, "a block after the stop reason"
                heard.blocks.append(event["content_block"])
                heard.open = True
            case "content_block_delta":
                assert heard.open and event["index"] == len(heard.blocks) - 1, "a delta out of place"
                _grow(heard.blocks[-1], event["delta"])
            case "content_block_stop":
                assert heard.open and event["index"] == len(heard.blocks) - 1, "a stop out of place"
                heard.open = False
            case "message_delta":
                ending = bool(event["delta"].get("stop_reason"))
                assert heard.id is not None and (ending or not heard.open), "a message_delta out of place"
                heard.delta |= event["delta"]
                heard.usage |= event.get("usage") or {}
                heard.stop_reason = event["delta"].get("stop_reason") or heard.stop_reason
            case "message_stop":
                assert heard.stop_reason is not None, "a message_stop without a stop reason"
                heard.stopped = True
            case _:
                pass
    for one in heard.blocks:
        for name in ("text", "thinking"):
            if isinstance(one.get(name), str):
                one[name] = one[name].encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if "written" in one:
            one["input"] = _parsed(one.pop("written"))
    return heard


def _parsed(written: str) -> Any:
    try:
        return json.loads(written or "{}")
    except ValueError:
        return written


def _grow(grown: Json, change: Mapping[str, Any]) -> None:
    match change.get("type"):
        case "text_delta" if grown["type"] == "text" and isinstance(change.get("text"), str):
            grown["text"] = str(grown.get("text") or "") + change["text"]
        case "thinking_delta" if grown["type"] == "thinking" and isinstance(change.get("thinking"), str):
            grown["thinking"] = str(grown.get("thinking") or "") + change["thinking"]
        case "signature_delta":
            grown["signature"] = change.get("signature")
        case "input_json_delta" if isinstance(change.get("partial_json"), str):
            grown["written"] = grown.get("written", "") + change["partial_json"]
        case "citations_delta":
            begun = grown.get("citations")
            grown["citations"] = [*(begun if isinstance(begun, list) else ()), change.get("citation")]
        case _:
            pass


def agrees(made: Machine, heard: Heard) -> None:
    """What the machine believes the consumer has is what the consumer has."""
    turn = made.turn
    assert (turn.message or {}).get("id") == heard.id
    assert [one.type for one in turn.blocks] == [str(one["type"]) for one in heard.blocks]
    for mine, theirs in zip(turn.blocks, heard.blocks, strict=True):
        if mine.type == "text":
            assert mine.text == str(theirs.get("text") or ""), "the turn and the consumer disagree"
    assert turn.stop_reason == heard.stop_reason
    assert turn.stopped == heard.stopped
    assert (turn.open_block is not None) == heard.open
    untouched = len(made.ledger.attempts) == 1
    assert untouched or not (heard.open and heard.stop_reason), "only the API leaves a block open"


def whole(heard: Heard) -> None:
    """A message that ended as it should."""
    assert heard.stopped and heard.stop_reason is not None and not heard.open
    assert heard.types[0] == "message_start"


def sendable(blocks: list[Json]) -> None:
    """Blocks that the API accepts as the content of an assistant turn."""
    answered = {one.get("tool_use_id") for one in blocks}
    for one in blocks:
        match one["type"]:
            case "thinking":
                assert one["signature"], "thinking without a signature"
            case "text":
                assert one["text"].strip(), "a blank text block"
                one["text"].encode()
            case "server_tool_use" | "mcp_tool_use":
                assert one["id"] in answered, "a server tool use without its result"
                assert isinstance(one["input"], dict)
            case "tool_use":
                assert isinstance(one["input"], dict)
            case _:
                pass
    if blocks:
        assert blocks[-1]["type"] not in ("thinking", "redacted_thinking"), "thinking in last place"


_SAID: list[bytes] = []
_SDK = anthropic.Anthropic(
    api_key="none",
    http_client=httpx2.Client(
        transport=httpx2.MockTransport(
            lambda request: httpx2.Response(
                200, headers={"content-type": "text/event-stream"}, content=_SAID[-1]
            )
        )
    ),
)


def by_the_sdk(out: bytes) -> Json:
    """The message that the SDK puts together from these bytes."""
    _SAID[:] = [out]
    with _SDK.messages.stream(model=MODERN, max_tokens=1, messages=[]) as stream:
        return stream.get_final_message().to_dict(mode="json", warnings=False)
