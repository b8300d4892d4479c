"""Outages on real sockets: ``python -m chaos.outage_sockets``.

240 streams of one process share the budget of one account, half of them sync ones in threads and half async
ones in a loop. The upstream is down, fails in part, or has a third of its capacity for six seconds. The bare
SDK runs beside them. The command prints how many streams are completed, and the requests for each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import anthropic
import httpx2

from resilient_stream import RetryPolicy, resilient

from .crowd import CLOSING, OPENING, Health

STREAMS: Final = 240
ARRIVE: Final = 12.0
"""Seconds within which the streams begin."""
WORDS: Final = 8
PACE: Final = 0.25
"""Seconds between two words. A reply takes two seconds, so 40 run at a time."""
CAPACITY: Final = 60
TROUBLE: Final = (4.0, 10.0)
"""From when until when, in seconds."""
WELL: Final = Health(capacity=CAPACITY)
TROUBLES: Final = {
    "outage": Health(resets=True, refuses=True),
    "partial": Health(capacity=CAPACITY, rejects=0.5, cuts=0.33),
    "brownout": Health(capacity=CAPACITY // 3),
}
PLEA: Final[dict[str, Any]] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 4096,
    "messages": [{"role": "user", "content": "Count."}],
}
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
BUSY: Final = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
REJECTION: Final = (
    b"HTTP/1.1 529 Overloaded\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BUSY), BUSY)
)


def word(number: int) -> bytes:
    """One word, as an event."""
    delta = {"type": "text_delta", "text": f" w{number}"}
    data = json.dumps({"type": "content_block_delta", "index": 0, "delta": delta})
    return f"event: content_block_delta\ndata: {data}\n\n".encode()


@dataclass
class Upstream:
    """A server on loopback in a separate thread, with a state that can be set."""

    asked: int = 0
    health: Health = WELL
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _ready: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._loop, self._rng = asyncio.new_event_loop(), random.Random(0)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._listen())

    def run(self, work: Any) -> None:
        """Run this in the server's loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def turn(self, health: Health) -> None:
        """Set the state of the server."""
        before, self.health = self.health, health
        if health.refuses:
            self._server.close()
        elif before.refuses:
            await self._listen()
        for writer in list(self._writers) if health.resets else ():
            writer.transport.abort()

    def close(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(
                int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
            )
            body = json.loads(await reader.readexactly(size))
            self.asked += 1
            busy = len(self._writers) >= self.health.capacity
            if busy or self._rng.random() < self.health.rejects:
                writer.write(REJECTION)
                await writer.drain()
                return
            self._writers.add(writer)
            await self._reply(body["messages"][-1], writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _reply(self, last: Any, writer: asyncio.StreamWriter) -> None:
        said = len(last["content"][-1]["text"].split()) if last["role"] == "assistant" else 0
        cut = self._rng.randint(said, WORDS - 1) if self._rng.random() < self.health.cuts else WORDS
        writer.write(HEAD + OPENING)
        for number in range(said, WORDS):
            if number == cut:
                writer.transport.abort()
                return
            last_word = number == WORDS - 1  # the end comes with the last word, as from the API
            writer.write(word(number) + CLOSING * last_word)
            await writer.drain()
            await asyncio.sleep(PACE * (not last_word))


def whole(text: str) -> bool:
    """Whether a reply is complete."""
    return text == "".join(f" w{number}" for number in range(WORDS))


@dataclass
class Tally:
    """The counts of the streams."""

    finished: int = 0
    """Streams whose text is complete at the end."""
    short: int = 0
    """Streams that ended normally and are not complete."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, message: Any) -> None:
        """Count a stream that ended."""
        with self._lock:
            complete = whole(message.content[0].text)
            self.finished += complete
            self.short += not complete


def play(rules: RetryPolicy, trouble: Health) -> tuple[int, int, float]:
    """Streams that were completed, those that only seemed to be, and requests for each stream."""
    upstream, tally = Upstream(), Tally()
    url = f"http://127.0.0.1:{upstream.port}"
    begins = [number * ARRIVE / STREAMS for number in range(STREAMS)]
    start = time.monotonic() + 1.0
    sync = resilient(anthropic.Anthropic(base_url=url, api_key="key"), rules)

    def one(after: float) -> None:
        time.sleep(max(0.0, start + after - time.monotonic()))
        try:
            with sync.messages.stream(**PLEA) as stream:
                tally.count(stream.get_final_message())
        except (anthropic.AnthropicError, httpx2.HTTPError):
            return

    async def every(afters: list[float]) -> None:
        client = resilient(anthropic.AsyncAnthropic(base_url=url, api_key="key"), rules)

        async def one(after: float) -> None:
            await asyncio.sleep(max(0.0, start + after - time.monotonic()))
            try:
                async with client.messages.stream(**PLEA) as stream:
                    tally.count(await stream.get_final_message())
            except (anthropic.AnthropicError, httpx2.HTTPError):
                return

        await asyncio.gather(*map(one, afters))

    threads = [threading.Thread(target=one, args=(after,), daemon=True) for after in begins[::2]]
    threads.append(threading.Thread(target=lambda: asyncio.run(every(begins[1::2])), daemon=True))
    for thread in threads:
        thread.start()
    for at, health in zip(TROUBLE, (trouble, WELL), strict=True):
        time.sleep(max(0.0, start + at - time.monotonic()))
        upstream.run(upstream.turn(health))
    for thread in threads:
        thread.join(180)
    upstream.close()
    return tally.finished, tally.short, upstream.asked / STREAMS


def main() -> None:
    """Print a line for each trouble and client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--policies", default="off,,interactive,batch,agent", help="presets; empty: the defaults"
    )
    asked = parser.parse_args()
    for name, trouble in TROUBLES.items():
        for policy in asked.policies.split(","):
            rules = RetryPolicy.preset(policy) if policy else RetryPolicy()
            finished, short, requests = play(rules, trouble)
            label = {"off": "bare SDK", "": "(defaults)"}.get(policy, policy)
            print(
                f"{name:9} {label:12} {finished / STREAMS:6.1%} of {STREAMS} finished, {requests:.2f} requests each, "
                f"{short} cut short unnoticed",
                flush=True,
            )


if __name__ == "__main__":
    main()
