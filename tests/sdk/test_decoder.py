"""The decoder of whole frames has the events of the SDK's, whatever the bytes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import anyio
import pytest
from anthropic._streaming import ServerSentEvent, SSEDecoder
from hypothesis import example, given
from hypothesis import strategies as st

from resilient_stream import resilient
from resilient_stream._sdk.decoder import WholeFrames
from resilient_stream._sdk.whole_frame import event_class
from tests.support.surfaces import asking
from tests.support.worlds import HASTY, TEXT, World, stand_in, sync_and_asyncio

FRAMES = (
    b'event: content_block_delta\ndata: {"a":"b"}\n\n',
    "event: ping\ndata: é\u2028\x85\n\n".encode(),
    b"event: \ndata: \n\n",
    b"event: a\ndata: b\ndata: c\n\n",
    b"event: a\n\n",
    b"data: a\n\n",
    b"event: a\ndata:b\n\n",
    b"event:a\ndata: b\n\n",
    b"event: a\nid: 7\ndata: b\n\n",
    b"retry: 3\n\n",
    b": a comment\n\n",
    b"event: a\r\ndata: b\r\n\r\n",
    b"event: a\ndata: b\rdata: c\n\n",
    b"event: a\ndata: \xff\n\n",
    b"\xef\xbb\xbfevent: a\ndata: b\n\n",
    b"\n",
    b"\n\n\n",
    b"event: a\ndata: b",
)


def whole_frames(decoder: Any) -> WholeFrames:
    """The decoder as a client gets it."""
    made = event_class(ServerSentEvent)
    assert made is not None
    return WholeFrames(decoder, made)


class Decoder:
    """The SDK's decoder, which notes whether anything was left to it."""

    def __init__(self) -> None:
        self.used = False

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]:
        """As the SDK's."""
        self.used = True
        yield from SSEDecoder().iter_bytes(iterator)

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """As the SDK's."""
        self.used = True
        async for event in SSEDecoder().aiter_bytes(iterator):
            yield event


def of(event: ServerSentEvent) -> tuple[Any, ...]:
    """All that an event has."""
    assert isinstance(event, ServerSentEvent)
    return event.event, event.data, event.id, event.retry, event.raw


def read(decoder: Any, chunks: list[bytes]) -> list[Any]:
    """The events of these chunks, and the class of the error behind them."""
    seen: list[Any] = []
    try:
        for event in decoder.iter_bytes(iter(chunks)):
            seen.append(of(event))  # noqa: PERF401 -- an error may follow
    except UnicodeDecodeError as error:
        seen.append(type(error))
    return seen


def read_async(decoder: Any, chunks: list[bytes]) -> list[Any]:
    """As `read`."""
    seen: list[Any] = []

    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def run() -> None:
        try:
            async for event in decoder.aiter_bytes(source()):
                seen.append(of(event))  # noqa: PERF401 -- an error may follow
        except UnicodeDecodeError as error:
            seen.append(type(error))

    anyio.run(run)
    return seen


@given(st.lists(st.sampled_from(FRAMES), max_size=6), st.lists(st.integers(0, 120), max_size=6))
@example([FRAMES[0], FRAMES[4], FRAMES[0]], [])
@example([FRAMES[0], FRAMES[13]], [])
def test_whatever_the_bytes_the_events_are_those_of_the_sdk(frames: list[bytes], cuts: list[int]) -> None:
    """And so is the error, wherever the chunks are cut."""
    wire = b"".join(frames)
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    for chunks in (frames, [wire[start:end] for start, end in itertools.pairwise(edges)]):
        assert read(whole_frames(SSEDecoder()), chunks) == read(SSEDecoder(), chunks)


@pytest.mark.parametrize("reads", [read, read_async])
def test_the_first_strange_frame_and_all_behind_it_are_left_to_the_sdk(
    reads: Callable[[Any, list[bytes]], list[Any]],
) -> None:
    """Nothing is, of a stream of whole frames with two lines each, one in a chunk or several."""
    for strange in FRAMES[2:]:
        for chunks in ([strange, FRAMES[0]], [FRAMES[0], FRAMES[0] + strange + FRAMES[1], FRAMES[0]]):
            decoder = Decoder()
            assert reads(whole_frames(decoder), chunks) == read(SSEDecoder(), chunks)
            assert decoder.used or strange == FRAMES[2]
    whole = [FRAMES[0], FRAMES[0] + FRAMES[1], FRAMES[1]]
    decoder = Decoder()
    assert len(reads(whole_frames(decoder), whole)) == 4
    assert not decoder.used


@sync_and_asyncio
def test_every_protected_stream_of_a_client_is_decoded_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is the same, and no frame is left to the SDK's decoder."""
    monkeypatch.setattr(SSEDecoder, "decode", None)
    with stand_in() as server:
        seen = world.stream(server.url)
    assert (seen.error, seen.text) == (None, TEXT)


def test_a_client_with_a_decoder_of_its_own_keeps_it() -> None:
    """A copy of a client is served as the client is; the client that was made resilient is not changed."""

    class Own(anthropic.Anthropic):
        def _make_sse_decoder(self) -> Any:
            return SSEDecoder()

    made: list[str] = []
    for kind in (anthropic.Anthropic, Own):
        with stand_in(None, None) as server, kind(api_key="k", base_url=server.url) as bare:
            client = resilient(bare, HASTY)
            for each in (client, client.with_options(timeout=9)):
                with each.messages.stream(**asking()) as stream:
                    assert stream.get_final_text() == TEXT
                made.append(type(each._make_sse_decoder()).__name__)
            assert "_make_sse_decoder" not in vars(bare)
    assert made == ["WholeFrames", "WholeFrames", "SSEDecoder", "SSEDecoder"]
