"""More than one layer, more than one process, copies of clients."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import threading
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream import Observer, ResumeMiddleware, report, resilient
from resilient_stream.httpx import AsyncResilientTransport, ResilientTransport
from resilient_stream.testing import Close, Stall, StandIn, Status, cut_at
from resilient_stream.testing.faults import Fault
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, sync_client

ASKED: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}


class Passing(anthropic.Middleware):
    """Another middleware, which lets everything through."""

    def handle(self, request: Any, call_next: Any) -> Any:
        """Sync."""
        return call_next(request)

    async def handle_async(self, request: Any, call_next: Any) -> Any:
        """Async."""
        return await call_next(request)


def layer(**changes: Any) -> ResumeMiddleware:
    """A layer of ours."""
    return ResumeMiddleware(HASTY.replace(**changes))


CHAINS: dict[str, Any] = {
    "two": lambda: [layer(), layer()],
    "two, another between": lambda: [layer(), Passing(), layer()],
    "two, another inside": lambda: [layer(), layer(), Passing()],
    "three": lambda: [layer(), layer(), layer()],
    "the outer one gives up": lambda: [layer(max_attempts=1), layer()],
    "the inner one is hastier": lambda: [layer(), layer(silence_timeout=0.3)],
    "the outer one is hastier": lambda: [layer(silence_timeout=0.3), layer()],
}
FAULTS: dict[str, list[Fault]] = {
    "none": [],
    "cut": [cut_at(1500, "rst")],
    "cut twice": [cut_at(1500, "fin"), cut_at(1700, "clean")],
    "refused": [Status(529), Status(529)],
}


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_layers_unwind(chain: str, faults: str, *, asynchronous: bool) -> None:
    """The answer comes whole and once through any number of them, and the connection serves the next stream,
    with nobody before its reads."""
    with StandIn(reply=TEXT, faults=FAULTS[faults]) as server:
        known: dict[str, Any] = {"base_url": server.url, "api_key": "key", "middleware": CHAINS[chain]()}
        if asynchronous:
            assert asyncio.run(_twice_async(known)) == [TEXT, TEXT]
        else:
            with anthropic.Anthropic(**known) as client:
                texts: list[str] = []
                for _ in range(2):
                    with client.messages.stream(**ASKED) as stream:
                        texts.append(stream.get_final_text())
                        wire = stream.response.extensions["network_stream"]
                    assert "read" not in vars(wire)
                assert texts == [TEXT, TEXT]


async def _twice_async(known: dict[str, Any]) -> list[str]:
    texts: list[str] = []
    async with anthropic.AsyncAnthropic(**known) as client:
        for _ in range(2):
            async with client.messages.stream(**ASKED) as stream:
                texts.append(await stream.get_final_text())
                wire = stream.response.extensions["network_stream"]
            assert "read" not in vars(wire)
    return texts


@pytest.mark.parametrize("faults", FAULTS)
def test_a_layer_over_a_transport_of_ours(faults: str) -> None:
    """A client of the SDK whose HTTP client is protected, too."""
    with StandIn(reply=TEXT, faults=FAULTS[faults]) as server:
        http = httpx2.Client(transport=ResilientTransport(httpx2.HTTPTransport(), HASTY))
        bare = anthropic.Anthropic(base_url=server.url, api_key="key", http_client=http)
        with resilient(bare, HASTY) as client, client.messages.stream(**ASKED) as stream:
            assert stream.get_final_text() == TEXT
            assert report(stream).outcome == "completed"

        async def main() -> str:
            http = httpx2.AsyncClient(transport=AsyncResilientTransport(httpx2.AsyncHTTPTransport(), HASTY))
            bare = anthropic.AsyncAnthropic(base_url=server.url, api_key="key", http_client=http)
            async with resilient(bare, HASTY) as client, client.messages.stream(**ASKED) as stream:
                return await stream.get_final_text()

        assert asyncio.run(main()) == TEXT


@pytest.mark.parametrize("status", [None, 400, 529])
def test_what_no_layer_can_mend_is_raised_as_the_sdks(status: int | None) -> None:
    """A connection that closes before the head, a refusal, an overload: after each layer has had its way."""

    class Shut(Fault):
        def script(self, answer: Any) -> Any:
            return (Close(),)

    fault: Any = Shut() if status is None else Status(status)
    with StandIn(reply=TEXT, always=fault) as server:
        chain = [layer(max_attempts=2), layer(max_attempts=2)]
        with anthropic.Anthropic(base_url=server.url, api_key="key", middleware=chain) as client:
            with pytest.raises(anthropic.APIError) as raised:
                client.messages.create(**ASKED, stream=True)
            wanted = anthropic.APIConnectionError if status is None else anthropic.APIStatusError
            assert isinstance(raised.value, wanted)
            assert len(server.requests) == (1 if status == 400 else 2)


@pytest.mark.parametrize("how", ["rst", "clean"])
def test_what_the_inner_layer_has_given_up_is_given_up(how: Any) -> None:
    """Attempts of two layers don't multiply; the report is the inner one's, with the partial."""
    for outer in ([layer()], [layer(), layer()]):
        with StandIn(reply=TEXT, always=cut_at(1500, how)) as server:
            chain = [*outer, layer(max_attempts=2)]
            with (
                anthropic.Anthropic(base_url=server.url, api_key="key", middleware=chain) as client,
                pytest.raises(anthropic.APIConnectionError) as raised,
                client.messages.stream(**ASKED) as stream,
            ):
                stream.until_done()
            assert len(server.requests) == 2
            told = report(raised.value)
            assert (told.outcome, len(told.attempts)) == ("failed", 2)
            assert told.partial is not None


@pytest.mark.parametrize("fault", [cut_at(1500, "rst"), cut_at(50, "rst")], ids=["body", "head"])
def test_a_failure_of_our_transport_is_raised_as_the_sdks(fault: Fault) -> None:
    """Its client catches the SDK's exceptions, and nothing is asked for again."""
    with StandIn(reply=TEXT, always=fault) as server:
        below = ResilientTransport(httpx2.HTTPTransport(), HASTY.replace(max_attempts=2))
        http = httpx2.Client(transport=below)
        bare = anthropic.Anthropic(base_url=server.url, api_key="key", http_client=http)
        with (
            resilient(bare, HASTY) as client,
            pytest.raises(anthropic.APIConnectionError),
            client.messages.stream(**ASKED) as stream,
        ):
            stream.until_done()
        assert len(server.requests) == 2


def test_closing_the_outer_layer_closes_all() -> None:
    """From another thread, while it is being read."""
    with StandIn(reply=TEXT, faults=[Stall(after=7)]) as server:
        known: dict[str, Any] = {"base_url": server.url, "api_key": "key", "middleware": [layer(), layer()]}
        with anthropic.Anthropic(**known) as client:
            stream = client.messages.create(**ASKED, stream=True)
            reading = threading.Event()
            ended: list[Exception] = []

            def read() -> None:
                try:
                    for _ in stream:
                        reading.set()
                except anthropic.APIError as error:
                    ended.append(error)

            thread = threading.Thread(target=read)
            thread.start()
            assert reading.wait(60)
            stream.close()
            thread.join(60)
            assert not thread.is_alive()
            assert len(server.requests) == 1


# -- processes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "drop", "close the client"])
def test_a_forked_child_does_not_end_its_parents_stream(how: str) -> None:
    """Whatever the child does to its copy, while another thread of the parent reads."""
    ended: list[str] = []

    class Listens(Observer):
        def on_end(self, stream: Any, end: Any) -> None:
            ended.append(end.outcome)

    with (
        StandIn(reply=TEXT, pace=0.01) as server,
        sync_client(server.url, HASTY.replace(observers=[Listens()])) as client,
    ):
        stream: Any = client.messages.create(**ASKED, stream=True)
        reading, text = threading.Event(), list[str]()

        def read(stream: Any) -> None:
            for event in stream:
                if event.type == "content_block_delta":
                    text.append(event.delta.text)
                    reading.set()

        thread = threading.Thread(target=read, args=(stream,))
        thread.start()
        assert reading.wait(60)
        child = os.fork()
        if child == 0:
            try:
                if how == "close":
                    stream.close()
                elif how == "close the client":
                    client.close()
                del stream
                os._exit(1 if ended else 0)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        thread.join(60)
        assert "".join(text) == TEXT
        assert ended == ["completed"]
        assert len(server.requests) == 1


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copied_layer_works(copied: Any) -> None:
    """It has the same policy."""
    made = layer()
    known: dict[str, Any] = {"api_key": "key", "middleware": [copied(made)]}
    with (
        StandIn(reply=TEXT, faults=[cut_at(1500, "rst")]) as server,
        anthropic.Anthropic(base_url=server.url, **known) as client,
        client.messages.stream(**ASKED) as stream,
    ):
        assert stream.get_final_text() == TEXT
    assert copied(made).policy == made.policy


def test_a_copied_client_is_as_resilient() -> None:
    """By the SDK's own ways of copying, and by Python's plain one."""
    with (
        StandIn(reply=TEXT, faults=[cut_at(1500, "rst"), None] * 3) as server,
        sync_client(server.url, HASTY) as client,
    ):
        for copied in (client.copy(), client.with_options(timeout=30.0), copy.copy(client)):
            with copied.messages.stream(**ASKED) as stream:
                assert stream.get_final_text() == TEXT
                assert len(report(stream).attempts) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_deep_copy_of_a_client_fails_as_without_us() -> None:
    """Its connections hold locks: Python says that these can't be copied."""
    for client in (anthropic.Anthropic(api_key="key"), resilient(anthropic.Anthropic(api_key="key"), HASTY)):
        with pytest.raises(TypeError, match="cannot pickle"):
            copy.deepcopy(client)
        gc.collect()
