"""A cut at every byte of a stream, in every way in which a stream can be cut.

The ordinary run cuts texts at every byte, with the ways taking turns from byte to byte, and turns with tools
and thinking at every seventh; a large run tries all ways at each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.loop.states import Send
from resilient_stream._core.plan.planner import Form, Plan
from resilient_stream._core.turn.salvage import salvage
from tests.support.consumer import sendable, whole
from tests.support.contents import (
    BARE_CALL,
    BOOKED,
    CALL,
    CITED,
    CODE,
    FOUND,
    MCP,
    OMITTED,
    OTHER_CALL,
    PROSE,
    RAN,
    REDACTED,
    SEARCH,
    THOUGHT,
    text,
    texts,
)
from tests.support.machines import REQUEST, RESET, Body, Patient, Reply, Run, Upstream, drive, machine
from tests.support.script import Script
from tests.support.sdk import by_the_sdk
from tests.support.streams import ERROR, MODERN, PREFILLED, Json

from .sizes import LARGE, STRIDE, thin

BARREN = "the continuation brought nothing"
UNAVAILABLE = Failure(Kind.OVERLOADED, Phase.HEADERS, status=529)

ENDINGS: list[Callable[[bytes], Body]] = [
    lambda head: Body([head]),
    lambda head: Body([head], RESET),
    lambda head: Body([head, ERROR]),
    lambda head: Body([head + ERROR, b"event: message_stop\n"], RESET),
    lambda head: Body([head[:-7], head[-7:]], Failure(Kind.SILENT, Phase.BODY)),
]
"""Ways to end a stream after its head: cleanly, by a failure, by an error event with and without a pause."""


def broken(rng: random.Random, send: Send) -> Callable[[bytes], Body]:
    """A way to end: on every other attempt one that is the network's. A reply that is broken twice in a row in the same
    way at the same place is not asked for again."""
    return rng.choice(ENDINGS if send.number % 2 else [ENDINGS[1], ENDINGS[4]])


LETTERS = "Zoë said “ok”.\n\n- 潮の記録  is a list of 👨‍👩‍👧 and more words. "
TEXTS: dict[str, Script] = {
    "letters": Script((text(LETTERS),), size=12),
    "pieces": Script((text(PROSE),), size=60),
    "short": Script((text("Yes, but no."),), size=5),
    "spaces": Script(
        (text("\n\n  One line of some length that ends here.   \n\n  And on it goes.  "),), size=14
    ),
    "blocks": Script(
        (text("The first block has some forty characters."), text(" The second goes on.")), size=25
    ),
    "blank": Script(
        (text("Before the blank block there were words."), text("  \n"), text("After it.")), size=50
    ),
    "stopped": Script((text("A reply that ended in a stop sequence, at last."),), "stop_sequence", size=25),
}

MIXED: dict[str, Script] = {
    "thought": Script((THOUGHT, text(PROSE[:60])), size=45),
    "omitted": Script((OMITTED, text(PROSE[:60])), size=45),
    "redacted": Script((REDACTED, THOUGHT, text(PROSE[:50])), size=45),
    "interleaved": Script((THOUGHT, text(PROSE[:50]), OMITTED, text(PROSE[50:100])), size=45),
    "call": Script((text(PROSE[:50]), CALL), "tool_use", size=45),
    "bare_call": Script((BARE_CALL,), "tool_use", size=45),
    "calls": Script((THOUGHT, text(PROSE[:50]), CALL, OTHER_CALL, text("Wait.")), "tool_use", size=45),
    "search": Script((text(PROSE[:50]), SEARCH, FOUND, text(PROSE[50:110])), size=45),
    "search_first": Script((SEARCH, FOUND, CITED, text(PROSE[:50])), size=45),
    "search_and_call": Script((SEARCH, FOUND, text(PROSE[:50]), CALL), "tool_use", size=45),
    "code": Script((text(PROSE[:50]), CODE, RAN, text(PROSE[50:100])), size=45),
    "mcp": Script((MCP, BOOKED, text(PROSE[:50])), size=45),
}


def request(form: str) -> Json:
    """A request that is continued in this form."""
    return REQUEST | {"model": PREFILLED if form == "prefill" else MODERN}


def cuts(data: bytes) -> Iterator[tuple[int, Body]]:
    """Every place to cut (in a small run every seventh), and a way to do it; all ways in a large run."""
    for at in range(0, len(data), STRIDE):
        for ends in ENDINGS if LARGE else ENDINGS[at % len(ENDINGS) :][:1]:
            yield at, ends(data[:at])


def barren(run: Run) -> int:
    """How many continuations had nothing to bring."""
    return sum(
        one.failure is not None and one.failure.detail == BARREN for one in run.machine.ledger.attempts
    )


def healed(run: Run, script: Script) -> None:
    """The consumer has one whole message with exactly the text that the model would have written."""
    heard = run.heard
    whole(heard)
    assert heard.text == texts(script.content)
    assert heard.id == (run.machine.turn.message or {})["id"]
    assert heard.stop_reason == script.stop_reason
    assert run.outcome == "completed"
    sendable(salvage(run.machine.turn).blocks)


@pytest.mark.parametrize("form", ["prefill", "user_turn"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_cut_anywhere_in_a_text_heals(name: str, form: str) -> None:
    """Cut at any byte and continued with an exact echo, a text comes out as if it had not been cut."""
    script = TEXTS[name]
    for at, first in cuts(script.stream()):
        run = drive(machine(request(form)), after(first, script, strips=at % 2 == 0), quick=at % 3 > 0)
        healed(run, script)
        assert len(run.sends) <= 2 + barren(run) <= 3
        assert set(run.forms[1:]) <= {"restart", form}
        if LARGE or at % 40 == 0:
            message = by_the_sdk(run.out)
            assert texts(message["content"]) == texts(script.content)
            assert message["id"] == run.heard.id and message["stop_reason"] == script.stop_reason


def after(first: Body, script: Script, **manner: Any) -> Upstream:
    """``first``, then what the script has to say to what is asked. A prefill that was given the white space
    loses it only where it may."""

    def reply(send: Send) -> Reply:
        if send.number == 1:
            return first
        lossy = manner.get("strips") and send.plan.asked is not None and send.plan.asked.space
        return script.answer(send.plan, **manner | {"strips": bool(lossy)})

    return reply


@pytest.mark.parametrize("form", ["prefill", "user_turn"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_continuation_cut_anywhere_heals(name: str, form: str) -> None:
    """A continuation that is cut itself, in its echo too, is continued in its turn."""
    script = TEXTS[name]
    stream = script.stream()
    for first in thin(range(len(stream) // 3, len(stream)), 173):
        plan = next_plan(form, stream[:first])
        if plan is not None:
            for second, body in thin(cuts(script.answer(plan)), 31):
                del second
                run = drive(machine(request(form)), cut_twice(script, stream[:first], body))
                healed(run, script)


def next_plan(form: str, head: bytes) -> Plan | None:
    """What is asked after a cut, if anything is."""
    run = drive(
        machine(request(form), judge=Patient(2)), lambda send: Body([head] if send.number == 1 else [])
    )
    return run.sends[1].plan if len(run.sends) > 1 else None


def cut_twice(script: Script, head: bytes, body: Body) -> Upstream:
    """The stream's head, then the head of a continuation, then whatever is asked for."""
    return lambda send: (
        (Body([head], RESET), body)[send.number - 1] if send.number < 3 else script.answer(send.plan)
    )


@pytest.mark.parametrize("form", ["prefill", "user_turn"])
@pytest.mark.parametrize("name", TEXTS)
def test_many_cuts_heal(name: str, form: str) -> None:
    """Attempts that are cut again and again, anywhere, some of them before their head, add up to the text."""
    script = TEXTS[name]
    for seed in range(0, 400 if LARGE else 25, STRIDE):
        rng = random.Random(seed)

        def reply(send: Send, rng: random.Random = rng) -> Reply:
            if rng.random() < 0.2:
                return UNAVAILABLE
            data = script.answer(send.plan, thinks=rng.random() < 0.5)
            if send.number > 11:
                return data
            return broken(rng, send)(data[: rng.randrange(len(data))])

        run = drive(machine(request(form), judge=Patient(40, wait=rng.choice((0.0, 1.0)))), reply)
        healed(run, script)


@pytest.mark.parametrize("hold", [{"tool_use"}, {"tool_use", "thinking", "server_tool_use"}])
@pytest.mark.parametrize("name", MIXED)
def test_a_cut_anywhere_keeps_what_may_be_kept(name: str, hold: set[str]) -> None:
    """Cut at any byte, a turn with thinking and tools obeys the table of what may be kept of it."""
    script = MIXED[name]
    seen = set()
    for at, first in thin(cuts(script.stream()), 7 if len(hold) == 1 else 13):
        run = drive(
            machine(request("user_turn"), hold=frozenset(hold)), after(first, script, thinks=at % 2 == 0)
        )
        if (run.out, *run.forms) not in seen:
            seen.add((run.out, *run.forms))
            lawful(run, script)
        if run.heard.stopped and (LARGE or at % 40 == 0):
            assert texts(by_the_sdk(run.out)["content"]) == run.heard.text


@pytest.mark.parametrize("name", MIXED)
def test_many_cuts_keep_what_may_be_kept(name: str) -> None:
    """The same of turns that are cut again and again."""
    script = MIXED[name]
    for seed in range(0, 400 if LARGE else 25, STRIDE):
        rng = random.Random(seed)

        def reply(send: Send, rng: random.Random = rng) -> Reply:
            data = script.answer(send.plan, thinks=rng.random() < 0.5)
            return data if send.number > 9 else broken(rng, send)(data[: rng.randrange(len(data))])

        settings: dict[str, Any] = {
            "rerun_server_tools": bool(seed % 2),
            "hold": frozenset({"tool_use", "thinking"} if seed % 3 else {"tool_use"}),
        }
        lawful(drive(machine(request("user_turn"), **settings), reply), script)


def lawful(run: Run, script: Script) -> None:
    """The rules of the table, the grammar, and of what is sent."""
    heard, turn = run.heard, run.machine.turn
    partial = salvage(turn, rerun_server_tools=True).blocks
    sendable(partial)
    for send in run.sends[1:]:
        asks_lawfully(send.plan)
    calls = {one["id"]: one for one in script.content if one["type"] == "tool_use"}
    told = heard.of_type("tool_use")
    assert all(one["input"] == calls[one["id"]]["input"] for one in told), "a call that is not complete"
    assert len({one["id"] for one in told}) == len(told), "a call came twice"
    match run.outcome:
        case "completed":
            whole(heard)
            assert heard.text == texts(script.content)
            assert len(told) == len(calls)
            assert heard.stop_reason == script.stop_reason
        case "finished_with_tools":
            whole(heard)
            assert told and heard.stop_reason == "tool_use"
            assert texts(script.content).startswith(heard.text)
            assert run.machine.attempt.usage_source == "estimated"
        case _:
            assert run.outcome == "failed"
            assert {"code", "mcp"} & {name for name, one in MIXED.items() if one is script}
            assert "side effects" in run.machine.ledger.reason
            assert texts(script.content).startswith(heard.text)
    lost_is_marked(run)


def asks_lawfully(plan: Plan) -> None:
    """Only appended to, and only with what the API accepts."""
    if plan.body is None:
        assert plan.form is Form.RESTART
        return
    assert {**plan.body, "messages": None, "max_tokens": None} == {
        **REQUEST,
        "messages": None,
        "max_tokens": None,
    }
    assert plan.body["messages"][:1] == REQUEST["messages"]
    _, partial, question = plan.body["messages"]
    assert (partial["role"], question["role"]) == ("assistant", "user")
    sendable(partial["content"])
    assert not any(one["type"] == "tool_use" for one in partial["content"])
    last = partial["content"][-1]
    assert last["type"] != "text" or last["text"] == last["text"].rstrip()


def lost_is_marked(run: Run) -> None:
    """Blocks that were cut off and not completed are marked abandoned, and no others."""
    answered = [one.get("tool_use_id") for one in run.heard.blocks]
    lost = {
        at
        for at, one in enumerate(run.heard.blocks)
        if (one["type"] == "thinking" and not one["signature"])
        or (one["type"] in ("server_tool_use", "mcp_tool_use") and one["id"] not in answered)
    }
    abandoned = set(run.machine.turn.abandoned)
    uses = {
        at for at, one in enumerate(run.heard.blocks) if one["type"] in ("server_tool_use", "mcp_tool_use")
    }
    assert abandoned - uses <= lost
    if run.outcome != "finished_with_tools":
        assert lost <= abandoned
