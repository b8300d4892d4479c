"""What of a broken turn may be sent back: the table of the kept, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._core.turn.salvage import harmless, kept_size, partial, pending, salvage
from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire.events import Event
from tests.support.consumer import sendable
from tests.support.contents import (
    BOOKED,
    CALL,
    CITED,
    CODE,
    FOUND,
    MCP,
    OMITTED,
    OTHER_CALL,
    RAN,
    REDACTED,
    SEARCH,
    THOUGHT,
    text,
)
from tests.support.machines import REQUEST
from tests.support.streams import Json

LISTING: Json = {"type": "mcp_tool_listing", "mcp_server_name": "s", "tools": [{"name": "book"}]}
FALLBACK: Json = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}, "trigger": {}}
ADVISED: Json = {"type": "server_tool_use", "id": "srvtoolu_9", "name": "advisor", "input": {}}
ADVICE: Json = {
    "type": "advisor_tool_result",
    "tool_use_id": "srvtoolu_9",
    "content": {"type": "advisor_result"},
}
UNSIGNED = THOUGHT | {"signature": ""}


def turn(*blocks: Json, cut: Json | None = None) -> Turn:
    """Complete blocks, and one that was cut."""
    made = [Block(one, closed=True) for one in blocks]
    return Turn(blocks=[*made, *([Block(cut)] if cut else [])])


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (turn(text("a"), cut=text("b")), [text("a"), text("b")]),
        (turn(text(" \n"), text("a"), cut=text(" ")), [text("a")]),
        (turn(text("\ud83d "), cut=text("a\ud83d")), [text("a")]),
        (turn(CITED, cut=text("a")), [CITED, text("a")]),
        (turn(THOUGHT, cut=text("a")), [THOUGHT, text("a")]),
        (turn(OMITTED, REDACTED, text("a")), [OMITTED, REDACTED, text("a")]),
        (turn(text("a"), THOUGHT, cut=REDACTED), [text("a")]),
        (turn(text("a"), cut=THOUGHT), [text("a")]),
        (turn(UNSIGNED, text("a")), [text("a")]),
        (turn(THOUGHT), []),
        (turn(SEARCH, FOUND, cut=text("a")), [SEARCH, FOUND, text("a")]),
        (turn(SEARCH, cut=FOUND), [SEARCH, FOUND]),
        (turn(text("a"), SEARCH), [text("a")]),
        (turn(text("a"), cut=SEARCH), [text("a")]),
        (turn(CODE, RAN, MCP, BOOKED), [CODE, RAN, MCP, BOOKED]),
        (
            turn({"type": "compaction", "content": "x"}, text("a")),
            [{"type": "compaction", "content": "x"}, text("a")],
        ),
        (turn(text("a"), cut={"type": "compaction", "content": None}), [text("a")]),
        (turn({"type": "compaction", "content": None}, cut=text("a")), [text("a")]),
        (turn({"type": "compaction"}, cut=text("a")), [text("a")]),
        (turn(LISTING, text("a")), [LISTING, text("a")]),
        (turn(FALLBACK, text("a")), [FALLBACK, text("a")]),
        (
            turn(THOUGHT, text("a"), CALL, FALLBACK, THOUGHT, text("b")),
            [text("a"), FALLBACK, THOUGHT, text("b")],
        ),
        (turn(FALLBACK, text("a"), SEARCH, FOUND, FALLBACK), [FALLBACK, text("a"), SEARCH, FOUND, FALLBACK]),
        (turn(text("a"), SEARCH, FALLBACK, text("b")), [text("a"), FALLBACK, text("b")]),
        (turn(ADVISED, ADVICE, text("a")), [ADVISED, ADVICE, text("a")]),
        (turn({"type": "container_upload", "file_id": "f"}), [{"type": "container_upload", "file_id": "f"}]),
        (turn(RAN, text("a")), [RAN, text("a")]),
    ],
)
def test_what_can_be_sent_back_is_kept(before: Turn, kept: list[Json]) -> None:
    """Unchanged, and the rest left out without a word."""
    found = salvage(before)
    assert found.blocks == kept
    assert found.blocked is None
    assert not found.tools_complete
    if kept != [RAN, text("a")]:  # a result may belong to a use in the request
        sendable(found.blocks)


def test_thinking_can_be_left_out() -> None:
    """After a 400, all of it."""
    assert salvage(turn(THOUGHT, text("a"), REDACTED, text("b")), keep_thinking=False).blocks == [
        text("a"),
        text("b"),
    ]


def test_complete_calls_finish_the_turn() -> None:
    """With everything beside them that is complete."""
    found = salvage(turn(THOUGHT, text("a"), SEARCH, FOUND, CALL, cut=text("b")))
    assert found.tools_complete
    assert not found.call_cut
    assert [one["type"] for one in found.blocks][-2:] == ["tool_use", "text"]


def test_a_compaction_comes_in_one_delta() -> None:
    """With it the block is whole, even if the summary failed and is null; without it there is nothing."""
    for content in ("summary", None):
        block = Block({"type": "compaction", "content": ""}, closed=True)
        assert salvage(Turn(blocks=[block])).blocks == []
        block.apply_delta({"type": "compaction_delta", "content": content, "encrypted_content": "e"})
        assert salvage(Turn(blocks=[block])).blocks == [
            {"type": "compaction", "content": content, "encrypted_content": "e"}
        ]


def test_calls_of_a_model_that_declined_are_left() -> None:
    """They do not end the turn: another model goes on."""
    found = salvage(turn(CALL, FALLBACK, text("a")))
    assert not found.tools_complete
    assert not salvage(turn(broken_call(), FALLBACK, text("a"))).call_cut
    assert salvage(turn(CALL, FALLBACK, OTHER_CALL)).tools_complete


def broken_call() -> Json:
    """A call that was cut when its model declined."""
    return CALL | {"input": "{"}


@pytest.mark.parametrize("rerun", [True, False])
def test_a_cut_server_tool_beside_calls_is_not_run(*, rerun: bool) -> None:
    """The API would run it with the results of the calls: not where it may do anything."""
    found = salvage(turn(CALL, cut=CODE), rerun_server_tools=rerun)
    assert found.call_cut
    assert found.blocked is not None
    for beside in (turn(CALL, cut=SEARCH), turn(CALL, CODE), turn(CODE, RAN, CALL)):
        assert not salvage(beside, rerun_server_tools=rerun).call_cut
    unseen = turn(CALL)
    unseen.unseen.append(Block(CODE))
    assert not salvage(unseen, rerun_server_tools=rerun).call_cut


def opaque(start: Json, *, closed: bool = True) -> Block:
    """A block with a delta that is not understood."""
    block = Block(start, closed=closed)
    block.apply_delta({"type": "novel"})
    return block


def broken(start: Json) -> Block:
    """A tool use whose input is no object."""
    block = Block(start, closed=True)
    block.apply_delta({"type": "input_json_delta", "partial_json": "{"})
    return block


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([opaque(text("a"))], "text block has content"),
        ([opaque(THOUGHT), Block(text("a"))], "thinking block has content"),
        ([opaque(SEARCH), Block(FOUND)], "server_tool_use block has content"),
        ([Block({"type": "novel"}, closed=True)], "novel block is not understood"),
        ([Block({"type": "connector_text", "text": "a"}, closed=True)], "is not understood"),
        ([Block({"type": "what it said"}, closed=True)], "a block of an unknown type is not understood"),
        ([Block(CODE | {"name": "\ud83d" * 99})], "a server tool was cut off"),
        ([Block(CODE | {"name": "run"})], "the server tool run was cut off"),
        ([Block(CALL)], "was cut after"),
        ([broken(CALL)], "was cut after"),
        ([Block(CALL, closed=True), Block(CALL | {"id": "b"})], "was cut after"),
        ([Block(CODE)], "side effects"),
        ([Block(MCP, closed=True)], "side effects"),
        ([Block(MCP | {"name": "web_search"}, closed=True)], "side effects"),
        ([Block({"type": "server_tool_use", "id": "x", "name": "novel"}, closed=True)], "side effects"),
        ([broken(SEARCH), Block(FOUND, closed=True)], "is broken"),
    ],
)
def test_what_is_not_understood_or_not_safe_stands_in_the_way(blocks: list[Block], reason: str) -> None:
    """With the reason; and what is left can still be sent as history."""
    found = salvage(Turn(blocks=blocks))
    assert found.blocked is not None
    assert reason in found.blocked
    sendable(found.blocks)
    sendable(partial(Turn(blocks=blocks)))


def test_unsigned_thinking_needs_no_understanding() -> None:
    """It is left out anyway."""
    assert salvage(Turn(blocks=[opaque(UNSIGNED), Block(text("a"))])).blocked is None


def test_side_effects_may_be_allowed() -> None:
    """Then such tools are dropped like the harmless, and run again."""
    found = salvage(turn(text("a"), CODE, cut=MCP), rerun_server_tools=True)
    assert (found.blocked, found.blocks) == (None, [text("a")])


@pytest.mark.parametrize("rerun", [True, False])
def test_a_use_that_nobody_saw_counts(*, rerun: bool) -> None:
    """A held use with side effects may have run before the cut."""
    unseen = Turn(unseen=[Block(CODE)])
    assert (salvage(unseen, rerun_server_tools=rerun).blocked is None) is rerun
    assert salvage(Turn(unseen=[Block(SEARCH)])).blocked is None


def test_strange_ids_crash_nothing() -> None:
    """Ids that can't be hashed are compared all the same."""
    found = salvage(turn(SEARCH | {"id": ["x"]}, FOUND | {"tool_use_id": ["x"]}, text("a")))
    assert len(found.blocks) == 3


def test_the_text_at_the_end_is_known() -> None:
    """It is what a continuation quotes."""
    assert salvage(turn(text("a"), text("b"))).text == "b"
    assert salvage(turn(text("a"), SEARCH, FOUND)).text == ""
    assert salvage(turn()).text == ""


def test_a_partial_has_calls_only_where_a_result_will_follow() -> None:
    """A turn that did not end with its calls is kept without them, and without thinking in last place."""
    broken_off = turn(THOUGHT, CALL)
    assert partial(broken_off) == []
    broken_off.stop_reason = "tool_use"
    assert partial(broken_off) == [THOUGHT, CALL]


@pytest.mark.parametrize(
    ("use", "safe"),
    [
        (SEARCH, True),
        (CODE, False),
        (MCP, False),
        ({"type": "server_tool_use", "name": "tool_search_tool_bm25"}, True),
        ({}, False),
    ],
)
def test_tools_that_only_read_are_harmless(use: dict[str, Any], *, safe: bool) -> None:
    """Search, fetch and tool search; nothing else, and nothing of an MCP server's."""
    assert harmless(use) is safe


def test_a_paused_turn_waits_for_its_results() -> None:
    """Those of its uses that neither the request nor the reply has."""
    paused = REQUEST | {
        "messages": [*REQUEST["messages"], {"role": "assistant", "content": [CODE, RAN, SEARCH]}]
    }
    assert pending(paused, Turn()) == [SEARCH]
    assert pending(paused, turn(FOUND)) == []
    for other in (
        REQUEST,
        REQUEST | {"messages": []},
        REQUEST | {"messages": [{"role": "assistant", "content": "a"}]},
    ):
        assert pending(other, Turn()) == []


HALF = "a \ud83d"


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        (
            (SEARCH, FOUND | {"content": [{"title": HALF, "score": float("inf")}]}, text("b")),
            (SEARCH, FOUND | {"content": [{"title": "a \ufffd", "score": None}]}, text("b")),
        ),
        (
            (SEARCH | {"input": {"query": HALF}}, FOUND, text("b")),
            (SEARCH | {"input": {"query": "a \ufffd"}}, FOUND, text("b")),
        ),
        (
            (text("b") | {"citations": [{"title": HALF}]},),
            (text("b") | {"citations": [{"title": "a \ufffd"}]},),
        ),
        ((THOUGHT | {"thinking": HALF}, text("b")), (text("b"),)),
        ((THOUGHT | {"signature": HALF}, text("b")), (text("b"),)),
        ((REDACTED | {"data": HALF}, text("b")), (text("b"),)),
    ],
)
def test_what_is_kept_can_be_written_into_a_request(blocks: tuple[Json, ...], kept: tuple[Json, ...]) -> None:
    """Halves of pairs and numbers that JSON has not are replaced; thinking that has them is not kept."""
    assert salvage(turn(*blocks)).blocks == partial(turn(*blocks)) == list(kept)


def test_a_container_has_a_name_that_can_be_sent() -> None:
    """The id of a container goes into the request too."""
    one = Turn()
    one.apply(Event.of({"type": "message_start", "message": {"container": {"id": "c\ud83d"}}}))
    assert one.container == "c\ufffd"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (turn(text("a")), turn(text("a"), cut=THOUGHT)),
        (turn(text("a")), turn(text("a"), SEARCH)),
        (turn(text("a")), turn(text("a"), UNSIGNED, UNSIGNED, SEARCH, SEARCH)),
        (turn(), turn(THOUGHT)),
        (turn(), turn(LISTING, LISTING, FALLBACK)),
        (turn(), turn(cut=text(" \n "))),
        (turn(cut=text("a")), turn(cut=text("a \n"))),
    ],
)
def test_what_is_asked_for_again_is_no_progress(before: Turn, after: Turn) -> None:
    """A thought that is cut or has nothing behind it, a search without its result, white space at the end, a list of tools."""
    assert kept_size(before) == kept_size(after)


@pytest.mark.parametrize(
    "growth",
    [
        [turn(), turn(cut=text("a")), turn(cut=text("a b")), turn(text("a b"), cut=text("c"))],
        [turn(SEARCH), turn(SEARCH, cut=FOUND), turn(SEARCH, FOUND, cut=text("a"))],
        [turn(THOUGHT), turn(THOUGHT, cut=text("a")), turn(THOUGHT, text("a"), THOUGHT, cut=text("b"))],
        [turn(cut=text("a")), turn(cut=text("a") | {"citations": [{}]})],
        [turn(text("a")), turn(text("a"), CALL)],
    ],
)
def test_all_that_is_kept_is_progress(growth: list[Turn]) -> None:
    """Text, its citations, results, calls, and the thinking that stands before them."""
    sizes = [kept_size(one) for one in growth]
    assert sizes == sorted(set(sizes))
