"""The stand-in as a whole, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time

import anthropic
import anyio
import pytest

from resilient_stream.testing import (
    ANSWER,
    Cut,
    ErrorEvent,
    Fault,
    Stall,
    StandIn,
    Status,
    cut_at,
    refusing,
    sse_events,
)
from tests.support.stand_ins import ASK, CONSUMERS, client, consume, consume_async, request

OLD = "claude-haiku-4-5"


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_the_bare_sdk_reads_the_healthy_stream_whole(consumer: str) -> None:
    """Every character, the stop reason, one connection for all calls."""
    with StandIn() as server:
        got = CONSUMERS[consumer](server, 3, 20.0, lambda: None)
        assert (got.raised, got.text, got.stop) == ("", ANSWER, "end_turn")
        assert (server.connections, len(server.requests)) == (1, 3)
        assert server.wait_closed()
        assert server.open_connections == 0


def test_trio_reads_it_too() -> None:
    """The other event loop that the SDK runs on."""

    async def run() -> str:
        async with anthropic.AsyncAnthropic(base_url=server.url, api_key="k") as bare:
            return (await consume_async(bare)).text

    with StandIn(reply="Hello from trio.") as server:
        assert anyio.run(run, backend="trio") == "Hello from trio."


def test_the_beta_surface_and_plain_calls_work() -> None:
    """``beta.messages``, ``create`` with and without a stream, ``count_tokens``."""
    with StandIn(reply="Hello.") as server, client(server) as bare:
        with bare.beta.messages.stream(**request()) as stream:
            assert stream.get_final_text() == "Hello."
        assert bare.messages.create(**request()).content[0].to_dict() == {"type": "text", "text": "Hello."}
        with bare.messages.create(**request(stream=True)) as events:
            assert [event.type for event in events][-1] == "message_stop"
        assert bare.messages.count_tokens(model="m", messages=ASK).input_tokens == 6
        paths = [record.path.partition("?")[0] for record in server.requests]
    assert paths == ["/v1/messages"] * 3 + ["/v1/messages/count_tokens"]


@pytest.mark.parametrize("percent", range(0, 101, 10))
@pytest.mark.parametrize("form", ["prefill", "user_turn"])
def test_a_cut_answer_is_gone_on_with(percent: int, form: str) -> None:
    """Cut, ask to go on, join: the exact text, over real sockets."""
    size = sum(map(len, sse_events(ANSWER)))
    with StandIn(faults=[cut_at(size * percent // 100)]) as server, client(server) as bare:
        got = consume(bare, model=OLD).text.rstrip()
        turn = [{"role": "assistant", "content": got}] * bool(got)
        if form == "user_turn" and got:
            turn.append({"role": "user", "content": f"You were cut off after <{got[-70:]}>. Go on."})
        rest = consume(bare, [*ASK, *turn], model=OLD)
        quote = server.requests[1].quote
        assert got + rest.text[len(quote) :] == ANSWER
        assert rest.stop == "end_turn"
        assert server.requests[1].form == (form if got else "fresh")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Cut(how="rst"), "httpx2.ReadError"),
        (ErrorEvent(), "anthropic.APIStatusError"),
        (Status(529), "anthropic.OverloadedError"),
    ],
)
def test_faults_reach_the_client(fault: Fault, kind: str) -> None:
    """And the next request is healthy."""
    with StandIn(faults=[fault]) as server, client(server) as bare:
        assert consume(bare).raised == kind
        assert consume(bare).text == ANSWER


def test_requests_are_a_snapshot() -> None:
    """What was read does not change; what comes later is in the next reading."""
    with StandIn(reply="x") as server, client(server) as bare:
        before = server.requests
        consume(bare)
        assert (len(before), len(server.requests)) == (0, 1)
        assert repr(server) == f"<StandIn {server.url} requests=1 open=1>"


def test_closing_ends_everything() -> None:
    """Stalled streams, idle connections, threads and sockets; twice is once."""
    before = threading.active_count()
    server = StandIn(always=Stall(after=3, seconds=600))
    idle = socket.create_connection(("127.0.0.1", server.port))
    with client(server) as bare, bare.messages.stream(**request()) as stream:
        assert next(iter(stream)).type == "message_start"
        assert not server.wait_closed(timeout=0)
        server.close()
        server.close()
        assert threading.active_count() == before
        assert server.open_connections == 0
        assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    gc.collect()


def test_a_client_that_leaves_is_noticed() -> None:
    """A stall ends when nobody listens any more."""
    with StandIn(always=Stall(after=3, seconds=600)) as server:
        with client(server) as bare, bare.messages.stream(**request()) as stream:
            next(iter(stream))
            assert server.open_connections == 1
        assert server.wait_closed()


def test_many_clients_are_answered_at_once() -> None:
    """Each connection has a thread of its own; numbers are given once."""

    async def run() -> list[str]:
        transport = anthropic.DefaultAsyncHttpxClient(verify=False)
        async with (
            anthropic.AsyncAnthropic(base_url=server.url, api_key="k", http_client=transport) as bare,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(consume_async(bare)) for _ in range(40)]
            await asyncio.wait(tasks)
        return [task.result().text for task in tasks]

    with StandIn(reply="Hello.") as server:
        assert asyncio.run(run()) == ["Hello."] * 40
        assert [record.number for record in server.requests] == list(range(1, 41))
        assert server.wait_closed()


def test_pace_slows_the_events_down() -> None:
    """A pause before each event: the stream takes at least their sum."""
    began = time.monotonic()
    with StandIn(reply="Hello.", pace=0.01) as server, client(server) as bare:
        assert consume(bare).text == "Hello."
    assert time.monotonic() - began >= 0.07


def test_a_refusing_port_refuses() -> None:
    """As long as the block lasts."""
    with refusing() as url:
        bare = anthropic.Anthropic(base_url=url, api_key="k", max_retries=0)
        assert consume(bare).raised == "anthropic.APIConnectionError"
        bare.close()
