"""Every family of content blocks, cut anywhere: what the consumer has, what is asked, what may be sent back.

The stand-in's endpoint answers, without sockets, and refuses what the API refuses. The ordinary run cuts at a
sample of the bytes, with the ways to cut taking turns; a large run cuts at every byte, in every way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import pytest

from resilient_stream import sendable
from resilient_stream._core.turn.salvage import partial
from resilient_stream.testing.asked import Asked
from resilient_stream.testing.endpoint import AFTERTHOUGHT, Endpoint, Settings
from resilient_stream.testing.golden import GOLDEN, Golden
from resilient_stream.testing.requests import Received
from resilient_stream.testing.rules import check
from resilient_stream.testing.transcript import sign, sse_events
from tests.support.consumer import whole
from tests.support.machines import RESET, Body, Run, Upstream, drive, machine
from tests.support.streams import ERROR, MODERN, PREFILLED, Json

from .sizes import LARGE, thin

ASK: Json = {"role": "user", "content": "Tell me of tides."}
SIZE = 40
ENDINGS: list[Callable[[bytes], Body]] = [
    lambda head: Body([head]),
    lambda head: Body([head], RESET),
    lambda head: Body([head, ERROR]),
]


def asked(golden: Golden, form: str) -> Json:
    """The request, to a model that is continued in this form."""
    model = PREFILLED if form == "prefill" else MODERN
    return {"model": model, "max_tokens": 8192, "stream": True, "messages": [ASK], **golden.request}


@lru_cache(maxsize=8192)
def answered(name: str, number: int, body: str) -> tuple[bytes, tuple[str, ...], frozenset[str]]:
    """The stream that the ``number``-th request for a reply is answered with, what is wrong with the request,
    and the signatures in the stream."""
    author = GOLDEN[name].author()
    for _ in range(number - 1):
        author({"messages": []})
    endpoint = Endpoint(Settings(reply=author, delta_size=SIZE, rethink=True))
    endpoint.signatures |= {sign(block["thinking"]) for block in GOLDEN[name].content if "thinking" in block}
    record = Received(number, "POST", "/v1/messages", {"x-api-key": "key"}, b"", json=json.loads(body))
    answer, told = endpoint._messages(record)
    wrong = (*([told.rule] if told.rule else []), *([] if told.matched else ["what was never said"]))
    stream = b"".join(part for part in answer.body if isinstance(part, bytes))
    return stream, wrong, frozenset(endpoint.signatures)


class World:
    """An upstream that says one reply, and what it is asked."""

    def __init__(self, name: str, first: Body, form: str) -> None:
        self.name, self.first = name, first
        self.request = asked(GOLDEN[name], form)
        self.refused: list[str] = []
        self.signatures: set[str] = set()

    def answer(self, number: int, body: Mapping[str, Any]) -> bytes:
        """The stream that a request is answered with."""
        stream, wrong, signatures = answered(self.name, number, json.dumps(body))
        self.refused += wrong
        self.signatures |= signatures
        return stream

    def upstream(self) -> Upstream:
        """The cut stream first, then whatever is asked for."""
        self.answer(1, self.request)
        return lambda send: (
            self.first if send.number == 1 else self.answer(send.number, send.plan.body or self.request)
        )


def cuts(golden: Golden, name: str) -> Iterator[Body]:
    """Every place to cut, and a way to do it."""
    stream = b"".join(sse_events(golden.author()({"messages": []}), delta_size=SIZE))
    start = 0 if LARGE else sum(name.encode()) % 97
    for at in thin(range(start, len(stream)), 97):
        for ends in ENDINGS if LARGE else ENDINGS[at % len(ENDINGS) :][:1]:
            yield ends(stream[:at])


@pytest.mark.parametrize("hold", [{"tool_use"}, {"tool_use", "thinking", "server_tool_use"}])
@pytest.mark.parametrize("form", ["user_turn", "prefill"])
@pytest.mark.parametrize("name", GOLDEN)
def test_a_cut_anywhere_in_any_family(
    name: str, form: str, hold: set[str], record_property: Callable[[str, object], None]
) -> None:
    """Nothing is lost or doubled, no request is refused, and the message and the partial are good history."""
    golden = GOLDEN[name]
    fields: Json = {"hold": frozenset(hold)}
    if form == "prefill" and "thinking" not in golden.request:
        fields["continuation"] = "prefill"
    seen: set[tuple[bytes | str, ...]] = set()
    outcomes = Counter[str]()
    for first in islice(cuts(golden, name), 0, None, 3 if len(hold) > 1 else 1):
        world = World(name, first, form)
        run = drive(machine(world.request, **fields), world.upstream())
        assert world.refused == []
        assert len(run.sends) <= 3
        outcomes[str(run.outcome)] += 1
        if (run.out, *run.forms) not in seen:
            seen.add((run.out, *run.forms))
            lawful(run, golden)
            accepted(run, world)
    record_property(name, dict(outcomes))


def lawful(run: Run, golden: Golden) -> None:
    """The grammar, the text, the calls and the ending."""
    heard = run.heard
    calls = [block["id"] for block in golden.content if block["type"] == "tool_use"]
    told = [block["id"] for block in heard.of_type("tool_use")]
    assert AFTERTHOUGHT not in [block["thinking"] for block in heard.of_type("thinking")]
    match run.outcome:
        case "completed":
            whole(heard)
            assert (heard.text, told) == (golden.said, calls)
            assert heard.stop_reason == golden.reply.reason
        case "finished_with_tools":
            whole(heard)
            assert golden.said.startswith(heard.text) and told == calls[: len(told)]
            assert heard.stop_reason == "tool_use" and told
        case _:
            assert run.outcome == "failed"
            assert golden.stops and golden.stops in run.machine.ledger.reason
            assert golden.said.startswith(heard.text) and not heard.stopped


def accepted(run: Run, world: World) -> None:
    """What the consumer has, as far as it is whole, and the partial: the API takes them back."""
    ids = [block["id"] for block in run.heard.blocks if block["type"] in ("server_tool_use", "mcp_tool_use")]
    assert len(set(ids)) == len(ids), "a server's tool came twice under one id"
    messages = [ASK]
    if run.heard.stopped:
        paused = run.heard.stop_reason == "pause_turn"
        messages = history(run.heard.blocks, answered=not paused)
        taken(run, world, sendable(messages))
        taken(run, world, sendable(history(run.heard.blocks, answered=True)))
    if blocks := partial(run.machine.turn):
        taken(run, world, history(blocks, answered=True))


def history(blocks: list[Json], *, answered: bool) -> list[Json]:
    """A conversation with the turn, and what follows it."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "high"}
        for block in blocks
        if block["type"] == "tool_use"
    ]
    content = [
        {**block, "input": {}}
        if block["type"] == "tool_use" and not isinstance(block["input"], dict)
        else block
        for block in blocks
    ]
    turn = {"role": "assistant", "content": content}
    return [ASK, turn, *([{"role": "user", "content": [*results, text("And then?")]}] if answered else [])]


def text(said: str) -> Json:
    """A text block."""
    return {"type": "text", "text": said}


def taken(run: Run, world: World, messages: Any) -> None:
    """The strict stand-in accepts a conversation."""
    container = (run.machine.turn.message or {}).get("container") or run.heard.delta.get("container")
    body = world.request | ({"container": container["id"]} if container else {}) | {"messages": messages}
    assert check(Asked(body, signatures=world.signatures)) is None, messages


@pytest.mark.parametrize(
    "name", ["call", "parallel_calls", "calls_alone", "eager_input", "thinking_interleaved"]
)
def test_a_cut_in_a_call_that_is_live_is_an_error(name: str) -> None:
    """With nothing held, a call that was cut ends in an exception; no call that looks whole is not."""
    golden = GOLDEN[name]
    calls = {block["id"]: block["input"] for block in golden.content if block["type"] == "tool_use"}
    seen = set()
    for first in cuts(golden, name):
        world = World(name, first, "user_turn")
        run = drive(machine(world.request, hold=frozenset()), world.upstream())
        assert world.refused == []
        seen.add(run.outcome)
        told = {block["id"]: block["input"] for block in run.heard.of_type("tool_use")}
        if run.outcome == "failed":
            assert "tool call was cut" in run.machine.ledger.reason
            assert run.heard.open or name == "eager_input"
            assert not any(block["type"] == "tool_use" for block in partial(run.machine.turn))
        else:
            assert all(calls[name] == given for name, given in told.items())
            lawful(run, golden)
        accepted(run, world)
    assert "failed" in seen


def test_calls_that_nobody_has_seen_are_made_again() -> None:
    """Where the policy asks to regenerate them; where it does not, they end the turn."""
    golden = GOLDEN["parallel_calls"]
    stream = b"".join(sse_events(golden.reply, delta_size=SIZE))
    at = stream.index(b'"index":2') - 40
    world = World("parallel_calls", Body([stream[:at]], RESET), "user_turn")
    for completed_tools, outcome, ids in (
        ("regenerate", "completed", ["toolu_01", "toolu_02"]),
        ("finish", "finished_with_tools", ["toolu_01"]),
    ):
        run = drive(machine(world.request, completed_tools=completed_tools), world.upstream())
        assert (run.outcome, len(run.sends)) == (outcome, len(ids))
        assert [block["id"] for block in run.heard.of_type("tool_use")] == ids
