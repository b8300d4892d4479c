import asyncio
from typing import Any

from resilient_stream._gateway.downstream import PING, Downstream


class Client:
    """What a client was sent; it takes nothing while it is closed."""

    def __init__(self) -> None:
        self.got = list[bytes]()
        self.room = asyncio.Event()
        self.room.set()

    async def send(self, message: Any) -> None:
        """ASGI's."""
        await self.room.wait()
        self.got.append(message.get("body", b"head"))


def test_pieces_go_out_in_order() -> None:
    """Head, pieces, end."""

    async def run() -> list[bytes]:
        client = Client()
        down = Downstream(client.send)
        await down.begin(200, [])
        await down.write(b"a")
        await down.ping()
        await down.finish()
        return client.got

    assert asyncio.run(run()) == [b"head", b"a", PING, b""]


def test_a_ping_never_overtakes() -> None:
    """Nor does it wait: while a slow client takes a piece, there is none, nor is there behind the end."""

    async def run() -> list[bytes]:
        client = Client()
        down = Downstream(client.send)
        client.room.clear()
        writing = asyncio.ensure_future(down.write(b"a"))
        await asyncio.sleep(0)
        await down.ping()
        client.room.set()
        await writing
        await down.finish()
        await down.ping()
        return client.got

    assert asyncio.run(run()) == [b"a", b""]


def test_a_piece_waits_for_a_ping() -> None:
    """Which a slow client has not taken yet."""

    async def run() -> list[bytes]:
        client = Client()
        down = Downstream(client.send)
        client.room.clear()
        pinging = asyncio.ensure_future(down.ping())
        await asyncio.sleep(0)
        writing = asyncio.ensure_future(down.write(b"a"))
        await asyncio.sleep(0)
        client.room.set()
        await asyncio.gather(pinging, writing)
        return client.got

    assert asyncio.run(run()) == [PING, b"a"]


def test_the_time_of_the_last_piece_is_kept() -> None:
    """When it was taken, not when it was offered."""

    async def run() -> list[float]:
        times = iter([1.0, 2.0, 3.0, 4.0])
        down = Downstream(Client().send, lambda: next(times))
        seen = [down.written_at]
        await down.begin(200, [])
        seen.append(down.written_at)
        await down.write(b"a")
        seen.append(down.written_at)
        await down.ping()
        return [*seen, down.written_at]

    assert asyncio.run(run()) == [1.0, 2.0, 3.0, 4.0]


def test_an_answer_has_a_head_of_its_own() -> None:
    """JSON, and as long as it is, unless other headers are given."""

    async def run(headers: Any) -> Any:
        sent = list[Any]()

        async def send(message: Any) -> None:
            sent.append(message)

        await Downstream(send).answer(404, b"{}", headers)
        return sent[0]["headers"]

    assert asyncio.run(run(None)) == [(b"content-type", b"application/json"), (b"content-length", b"2")]
    assert asyncio.run(run([(b"a", b"b")])) == [(b"a", b"b")]
