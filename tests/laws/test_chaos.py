"""Whatever arrives, in whatever order: the machine ends, in time, and raises nothing of its own."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.loop.states import Finish, Raise, Read, Send, State, Wait
from resilient_stream._core.turn.salvage import salvage
from tests.support.consumer import sendable
from tests.support.contents import CALL, CITED, FOUND, MCP, OMITTED, REDACTED, SEARCH, THOUGHT, text
from tests.support.golden import GOLDEN
from tests.support.machines import REQUEST, RESET, Body, Patient, Run, drive, machine
from tests.support.streams import (
    ERROR,
    MODERN,
    PING,
    PREFILLED,
    STOP,
    block_start,
    block_stop,
    delta,
    ending,
    start,
    text_delta,
)

from .sizes import LARGE

SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
        "ping",
        "novel",
        "a\nb",
        "\ud800",
    ]
)
PARTS = st.sampled_from(
    [
        "text",
        "thinking",
        "tool_use",
        "text_delta",
        "thinking_delta",
        "input_json_delta",
        "signature_delta",
        "citations_delta",
        "compaction_delta",
        "server_tool_use",
        "x_tool_result",
    ]
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": PARTS | JSON,
        "text": SCALARS,
        "thinking": SCALARS,
        "partial_json": SCALARS,
        "signature": SCALARS,
        "citation": JSON,
        "citations": JSON,
        "id": JSON,
        "tool_use_id": JSON,
        "name": JSON,
        "caller": JSON,
        "usage": JSON
        | st.dictionaries(
            st.sampled_from(["input_tokens", "output_tokens", "cache_creation", "iterations"]), JSON
        ),
        "container": JSON,
        "stop_reason": st.sampled_from(["end_turn", "tool_use", "max_tokens", ""]) | JSON,
    },
)
WEIRD = st.builds(
    lambda kind, name, fields: f"event: {name}\ndata: {json.dumps(fields | {'type': kind})}\n\n".encode(
        "utf-8", "replace"
    ),
    TYPES,
    st.sampled_from(["content_block_delta", "message_start", "ping", "error", "novel"]),
    st.fixed_dictionaries(
        {},
        optional={
            "index": st.integers(-1, 3) | JSON,
            "message": FIELDS | JSON,
            "content_block": FIELDS | JSON,
            "delta": FIELDS | JSON,
            "usage": st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), JSON) | JSON,
            "error": JSON,
        },
    ),
)
LIKELY = st.sampled_from(
    [
        start(),
        *(
            block_start(at, one)
            for at in range(3)
            for one in (
                text(""),
                text("Hi"),
                THOUGHT | {"signature": ""},
                OMITTED,
                REDACTED,
                CALL | {"input": {}},
                SEARCH | {"input": {}},
                FOUND,
                MCP | {"input": {}},
                CITED,
            )
        ),
        *(
            text_delta(at, one)
            for at in range(3)
            for one in (
                "A",
                " ",
                "\ud83d",
                "\ude00",
                "words that follow one another in a row, more than forty",
            )
        ),
        *(delta(at, type="thinking_delta", thinking="Hm") for at in range(3)),
        *(delta(at, type="signature_delta", signature="c2ln") for at in range(3)),
        *(
            delta(at, type="input_json_delta", partial_json=one)
            for at in range(3)
            for one in ("{}", '{"a', "[]")
        ),
        *(delta(at, type="citations_delta", citation={}) for at in range(3)),
        *(block_stop(at) for at in range(3)),
        ending(),
        ending(None),
        ending("max_tokens"),
        STOP,
        PING,
        ERROR,
        b"event: ping\n\n",
        b"data: [[[\n\n",
        b"event: x\ndata: {\n\n",
        b"\xff\xfe\n\n",
        b": comment\n\n",
    ]
)
CHUNK = st.binary(max_size=40) | LIKELY | WEIRD | st.sampled_from(sorted(GOLDEN.values()))
FAILURES = st.builds(
    Failure,
    st.sampled_from(
        [kind for kind in Kind if kind is not Kind.CANCELLED]
    ),  # that is `close`, no failure to retry
    st.sampled_from(list(Phase)),
    status=st.sampled_from([None, 400, 429, 529]),
    in_band=st.booleans(),
)
BODY = st.builds(Body, st.lists(CHUNK, max_size=12), st.none() | FAILURES)
LIKELY_BODY = st.builds(
    Body,
    st.lists(LIKELY | WEIRD, max_size=30).map(lambda some: [start(), block_start(0, text("")), *some]),
    st.none() | FAILURES,
)
SETTINGS = st.fixed_dictionaries(
    {
        "max_attempts": st.just(6),
        "continuation": st.sampled_from(["auto", "prefill", "user_turn", "restart_only", "never"]),
        "unverified": st.sampled_from(["accept", "ask", "refuse"]),
        "hold": st.sampled_from(
            [frozenset(), frozenset({"tool_use"}), frozenset({"tool_use", "thinking", "server_tool_use"})]
        ),
        "completed_tools": st.sampled_from(
            ["finish", "regenerate"]
        ),  # no policy regenerates what is not held
        "rerun_server_tools": st.booleans(),
        "max_tokens": st.sampled_from(["reduce", "keep"]),
        "usage": st.sampled_from(["serving", "total"]),
    }
).map(lambda drawn: drawn if drawn["hold"] else drawn | {"completed_tools": "finish"})


def survive(
    bodies: Iterable[Body | Failure], settings: dict[str, Any], model: str, *, strict: bool = True
) -> Run:
    """Drive a machine through these replies, the last of them for ever, and hold it to the laws."""
    left = list(bodies)
    made = machine(REQUEST | {"model": model}, judge=Patient(6), **settings)
    run = drive(made, lambda send: left.pop(0) if len(left) > 1 else left[0], strict=strict)
    assert made.state in (State.DONE, State.FAILED)
    kinds = [one.failure and one.failure.kind for one in made.ledger.attempts]
    rows = [
        len(list(row)) for away, row in itertools.groupby(kinds, lambda kind: kind is Kind.CONNECT) if away
    ]
    assert len(kinds) - sum(rows) <= 6
    assert max(rows, default=0) <= 6  # behind a cut, failures to connect are counted by themselves
    assert isinstance(run.last, Raise) == (made.state is State.FAILED)
    for rerun in (True, False):
        kept = salvage(made.turn, rerun_server_tools=rerun)
        if kept.blocked is None:
            valid(kept.blocks)
    return run


def valid(blocks: list[dict[str, Any]]) -> None:
    """As `sendable`; and the whole can be written as JSON in UTF-8."""
    sendable(blocks)
    json.dumps(blocks)


@given(
    st.lists(BODY | LIKELY_BODY | FAILURES, min_size=1, max_size=5),
    SETTINGS,
    st.sampled_from([MODERN, PREFILLED]),
)
def test_random_bytes_and_frames_end(
    bodies: list[Body | Failure], settings: dict[str, Any], model: str
) -> None:
    """Random bytes, random frames and random failures end every stream within its attempts, without a crash."""
    survive(bodies, settings, model, strict=False)


@given(st.lists(LIKELY_BODY, min_size=1, max_size=4), SETTINGS, st.sampled_from([MODERN, PREFILLED]))
def test_the_consumer_never_sees_broken_grammar(
    bodies: list[Body], settings: dict[str, Any], model: str
) -> None:
    """Frames in any order, broken ones among them: what is handed over is always one legal message, and is
    what the turn says."""
    survive(bodies, settings, model)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_mutated_streams_end(name: str) -> None:
    """Golden streams with bytes changed, dropped, doubled and frames swapped crash nothing."""
    for seed in range(1500 if LARGE else 30):
        rng = random.Random(f"{name} {seed}")
        bodies = [Body(mutated(GOLDEN[name], rng), rng.choice([None, RESET])) for _ in range(3)]
        survive(
            bodies,
            {"unverified": rng.choice(["accept", "ask"])},
            rng.choice([MODERN, PREFILLED]),
            strict=False,
        )


def mutated(data: bytes, rng: random.Random) -> list[bytes]:
    """The stream in chunks, with a few faults in it."""
    frames = [one + b"\n\n" for one in data.split(b"\n\n")[:-1]]
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(frames))
        match rng.randrange(5):
            case 0:
                frames.insert(at, frames[rng.randrange(len(frames))])
            case 1 if len(frames) > 1:
                del frames[at]
            case 2:
                other = rng.randrange(len(frames))
                frames[at], frames[other] = frames[other], frames[at]
            case 3:
                broken = bytearray(frames[at])
                broken[rng.randrange(len(broken))] = rng.randrange(256)
                frames[at] = bytes(broken)
            case _:
                frames[at] = frames[at][: rng.randrange(len(frames[at]))]
    return frames


@given(st.data())
def test_any_allowed_input_is_answered(data: st.DataObject) -> None:
    """In every state, every input that may come there is answered with an action that fits the new state."""
    made = machine(judge=Patient(5, wait=data.draw(st.sampled_from([0.0, 2.0]))), max_attempts=5)
    now, action = 0.0, made.start(0.0)
    for _ in range(40):
        made.take()
        fits(made, action)
        if isinstance(action, Finish | Raise):
            break
        now += data.draw(st.sampled_from([0.0, 1.0, 400.0]))
        if data.draw(st.integers(0, 30)) == 0:
            action = made.close(now)
        elif isinstance(action, Send):
            failure = data.draw(st.none() | FAILURES)
            action = made.head(now, 200, None) if failure is None else made.fault(now, failure)
        elif isinstance(action, Wait):
            action = made.waited(now)
        else:
            chunk = data.draw(st.none() | LIKELY | FAILURES)
            if isinstance(chunk, bytes):
                action = made.data(now, chunk, data.draw(st.sampled_from([0.0, 200.0, 700.0])))
            else:
                action = made.end(now) if chunk is None else made.fault(now, chunk)
    made.close(now)
    assert made.state is State.DONE
    assert made.ledger.outcome is not None or made.state is State.DONE


def fits(made: Machine, action: object) -> None:
    """The action is what the state asks for."""
    kinds = {
        State.OPENING: Send,
        State.READING: Read,
        State.WAITING: Wait,
        State.DRAINING: Read,
        State.DONE: Finish,
        State.FAILED: Raise,
    }
    assert type(action) is kinds[made.state] or (made.state is State.DRAINING and isinstance(action, Read))
    if isinstance(action, Read):
        assert action.patience >= 0


@given(st.integers(1, 2500), st.booleans())
def test_deep_nesting_crashes_nothing(depth: int, known: bool) -> None:
    """JSON of any depth, in a known event or without an event line, is passed on or is a fault."""
    nested = "[" * depth + "]" * depth
    kind = "content_block_start" if known else "novel"
    event = f'data: {{"type": "{kind}", "index": 0, "content_block": {{"type": "text", "text": "", "x": {nested}}}}}\n\n'
    name = "event: content_block_start\n" if known else ""
    first = Body([start(), (name + event).encode(), text_delta(0, "words"), ERROR])
    later = Body([start(), (name + event).encode()], RESET)
    cut = Body([start()], RESET)  # or the event would break two attempts in a row, and end the stream
    run = survive([first, cut, later, Body([GOLDEN["text"]])], {}, MODERN)
    assert run.out
