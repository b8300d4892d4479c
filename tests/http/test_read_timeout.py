"""A read timeout that can change from one read to the next."""

from __future__ import annotations

import itertools
import math
import socket
import threading
from collections.abc import Callable
from typing import Any, cast

import anthropic
import anyio
import anyio.lowlevel
import httpcore2
import httpx2
import hypothesis
import pytest
from hypothesis import strategies as st

from resilient_stream import resilient
from resilient_stream._http.attach import SPLICED
from resilient_stream._http.read_timeout import LOOK_UP, MachineSlept, Patience
from resilient_stream.testing import Stall, StandIn, cut_at
from tests.support.loops import LOOPS, on_loop
from tests.support.stages import ASYNC, PROMPTLY, SYNC, run

WORLDS = [*SYNC, *ASYNC]
ASK: Any = {"model": "claude-opus-5", "max_tokens": 4000, "messages": [{"role": "user", "content": "Tides?"}]}
HEADERS = {"x-api-key": "k", "content-type": "application/json"}


class Wire:
    """A network stream that notes how patiently it is read."""

    def __init__(self, sock: Any = None) -> None:
        self.timeouts: list[float | None] = []
        self.sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        self.timeouts.append(timeout)
        return b"x" * max_bytes

    def get_extra_info(self, info: str) -> Any:
        """The socket."""
        return self.sock if info == "socket" else None


class AsyncWire(Wire):
    """The same, async."""

    async def read(  # type: ignore[override]
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2 calls it so
    ) -> bytes:
        """Some bytes."""
        await anyio.lowlevel.checkpoint()
        return super().read(max_bytes, timeout)


class Slotted:
    """A network stream that can't be changed."""

    __slots__ = ()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """No bytes."""
        return b""


def response(wire: Any = None, version: bytes = b"HTTP/1.1", **timeouts: float | None) -> httpx2.Response:
    """A response that is read from a wire."""
    extensions: dict[str, Any] = {"http_version": version} | (
        {} if wire is None else {"network_stream": wire}
    )
    request = httpx2.Request("POST", "http://api.test", extensions={"timeout": timeouts} if timeouts else {})
    return httpx2.Response(200, request=request, extensions=extensions)


@pytest.mark.parametrize("world", WORLDS)
def test_each_read_is_as_patient_as_was_last_said(world: str) -> None:
    """What is set between two reads holds for the next; httpx's own shorter timeout still wins."""

    async def law() -> None:
        wire = Wire() if world == "sync" else AsyncWire()
        patience = Patience(response(wire), 3.0)
        read: Any = wire.read
        for seconds, given in ((3.0, None), (0.5, None), (0.7, 600.0), (600.0, 0.7)):
            if (seconds, given) != (3.0, None):
                patience.seconds = seconds
            got = read(3, timeout=given)
            assert (got if world == "sync" else await got) == b"xxx"
        assert wire.timeouts == [3.0, 0.5, 0.7, 0.7]

    run(world, law)


class Sleeper(Wire):
    """A wire on which bytes, pings of the clock and sleep come after so many seconds each."""

    def __init__(self, *steps: tuple[float, float, bytes]) -> None:
        super().__init__()
        self.steps = list(steps)
        """Seconds awake, seconds asleep after them, and what comes then."""
        self.now = self.asleep = 0.0
        self.woken = 0
        """How often a read of it has returned."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes within the timeout, which stands still while the machine sleeps."""
        self.woken += 1
        left = math.inf if timeout is None else timeout
        while True:
            awake, asleep, data = self.steps.pop(0)
            self.now += min(awake, left)
            if awake > left:
                self.steps.insert(0, (awake - left, asleep, data))
                raise httpcore2.ReadTimeout
            self.asleep += asleep
            left -= awake
            if data:
                return data

    def slept(self) -> float:
        """Seconds asleep."""
        return 1e6 + self.asleep


class AsyncSleeper(Sleeper):
    """The same, async."""

    async def read(  # type: ignore[override]
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2 calls it so
    ) -> bytes:
        """What comes within the timeout."""
        await anyio.lowlevel.checkpoint()
        return Sleeper.read(self, max_bytes, timeout)


def watched(world: str, silence: float, *steps: tuple[float, float, bytes], reads: int = 1) -> Sleeper:
    """A wire that was read so often, patiently."""
    wire = Sleeper(*steps) if world == "sync" else AsyncSleeper(*steps)

    async def law() -> None:
        with Patience(response(wire), silence, wire.slept):
            read: Any = wire.read
            for _ in range(reads):
                got = read(1, timeout=600.0)
                assert got if world == "sync" else await got

    run(world, law)
    return wire


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("asleep", [11.0, 3600.0, 86_400.0])
@pytest.mark.parametrize("before", [True, False])
def test_a_connection_that_slept_and_stays_silent_is_lost(world: str, asleep: float, before: bool) -> None:
    """Soon after waking up, not after the silence clock; whether the sleep fell into the read or before it."""
    steps = ((0.0, 0.0, b"a"), (2.0, 0.0 if before else asleep, b""), (1e9, 0.0, b""))
    wire = Sleeper(*steps) if world == "sync" else AsyncSleeper(*steps)

    async def law() -> None:
        with Patience(response(wire), 300.0, wire.slept):
            read: Any = wire.read
            assert (read(1) if world == "sync" else await read(1)) == b"a"
            wire.asleep += asleep * before
            with pytest.raises(MachineSlept, match=f"slept for {asleep:.0f} s"):
                _ = read(1) if world == "sync" else await read(1)
        assert wire.now <= LOOK_UP

    run(world, law)


@pytest.mark.parametrize("world", WORLDS)
def test_a_connection_that_speaks_after_a_sleep_lives(world: str) -> None:
    """What comes after waking up is proof, and a later silence is one like any other; a nap is nothing at all."""
    watched(world, 300.0, (1.0, 3600.0, b""), (2.0, 0.0, b"a"), (200.0, 0.0, b"b"), reads=2)
    watched(world, 300.0, (1.0, 10.0, b""), (299.0, 0.0, b"a"))


@pytest.mark.parametrize("world", WORLDS)
@hypothesis.given(silence=st.floats(0.01, 400), comes=st.floats(0, 400))
@hypothesis.settings(max_examples=30, deadline=None)
def test_looking_up_changes_no_timeout(world: str, silence: float, comes: float) -> None:
    """Without sleep a read takes as long as its bytes do, or as its patience."""
    wire = Sleeper((comes, 0.0, b"a"))
    if comes <= silence:
        assert watched(world, silence, (comes, 0.0, b"a")).now == pytest.approx(comes)
        return
    with Patience(response(wire), silence, wire.slept), pytest.raises(httpcore2.ReadTimeout):
        wire.read(1, timeout=600.0)
    assert wire.now == pytest.approx(silence)


@pytest.mark.parametrize("world", WORLDS)
def test_a_silence_wakes_its_reader_every_5_s(world: str) -> None:
    """A process with a thousand silent streams has two hundred wakeups a second."""
    assert watched(world, 300.0, (299.0, 0.0, b"a")).woken == math.ceil(299.0 / LOOK_UP)
    assert watched(world, 300.0, *[(1.0, 0.0, b"a")] * 9, reads=9).woken == 9


def test_the_wire_is_left_as_it_was() -> None:
    """After the body the connection's ``read`` is its own again: others will use it."""
    wire = Wire()
    with Patience(response(wire), 30.0) as patience:
        assert patience.seconds == 30.0
        assert "read" in vars(wire)
    assert "read" not in vars(wire)
    assert wire.read(1, timeout=60.0) == b"x"
    assert wire.timeouts == [60.0]


def test_what_stood_before_the_wire_already_stands_there_after() -> None:
    """Where two layers are patient with one connection, each takes away only its own."""
    wire = Wire()
    outer = Patience(response(wire), 3.0)
    with Patience(response(wire), 0.5):
        wire.read(1)
    wire.read(1)
    outer.restore()
    assert wire.timeouts == [0.5, 3.0]
    assert "read" not in vars(wire)


def test_restoring_twice_is_restoring_once() -> None:
    """A second restore does not take away what someone else put there since."""
    wire = Wire()
    first = Patience(response(wire), 30.0)
    first.restore()
    Patience(response(wire), 5.0)
    first.restore()
    wire.read(1)
    assert wire.timeouts == [5.0]


def test_two_threads_may_restore_at_once() -> None:
    """One that closes the stream while the other finds its end: the second takes nothing away."""
    wire = Wire()
    patience = Patience(response(wire), 30.0)
    watched: Any = patience._watched
    watched.leave(patience)  # the first thread, before the second knows
    patience.restore()
    assert "read" not in vars(wire)


@pytest.mark.parametrize(
    "make",
    [
        lambda **timeouts: (None, response(**timeouts)),
        lambda **timeouts: (None, response(Slotted(), **timeouts)),
        lambda **timeouts: ((wire := Wire()), response(wire, b"HTTP/2", **timeouts)),
    ],
    ids=["no wire", "a wire that can't be changed", "HTTP/2"],
)
def test_a_shared_wire_has_the_silence_timeout(
    make: Callable[..., tuple[Wire | None, httpx2.Response]],
) -> None:
    """A shared or unknown connection is never touched; the request's own read timeout has to do."""
    for given, read in ((600.0, 30.0), (7.0, 7.0), (None, 30.0)):
        wire, made = make(read=given, connect=5.0)
        patience = Patience(made, 30.0)
        assert made.request.extensions["timeout"] == {"read": read, "connect": 5.0}
        assert not (vars(wire) if wire else {}).keys() & {"read"}
        patience.interrupt()
        patience.restore()


@pytest.mark.parametrize(("own", "read"), [(None, 600.0), (900.0, 900.0), (7.0, 7.0), (math.inf, None)])
def test_an_own_wire_has_the_timeout_of_each_read(own: float | None, read: float | None) -> None:
    """The silence clock may grow from attempt to attempt: it is said with each read and bounds no other."""
    wire = Wire()
    made = response(wire, read=600.0)
    patience = Patience(made, 30.0, own=own)
    assert made.request.extensions["timeout"] == {"read": read}
    patience.seconds = 500.0
    cast("Any", wire).read(1, timeout=read)
    assert wire.timeouts == [min(LOOK_UP, 500.0)]


def test_a_request_without_timeouts_gets_none() -> None:
    """A transport that knows no timeouts is not taught any."""
    made = response()
    Patience(made, 30.0)
    assert "timeout" not in made.request.extensions


def test_interrupting_a_connection_that_is_gone_is_nothing() -> None:
    """A close that comes late, or finds no socket, does no harm."""
    ours, theirs = socket.socketpair()
    for wire in (Wire(ours), Wire(None)):
        patience = Patience(response(wire), 30.0)
        ours.close()
        patience.interrupt()
        patience.restore()
        patience.interrupt()
    theirs.close()


def test_an_interrupt_shuts_down_and_does_not_close() -> None:
    """A socket that another thread reads from is ended, but stays its owner's to close."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Patience(response(Wire(ours)), 30.0).interrupt()
        assert theirs.recv(1) == b""
        assert ours.fileno() >= 0


# -- through real connections ----------------------------------------------------------------------


def asked(server: StandIn) -> dict[str, Any]:
    """What httpx needs to ask the stand-in for a stream."""
    return {
        "method": "POST",
        "url": f"{server.url}/v1/messages",
        "json": ASK | {"stream": True},
        "headers": HEADERS,
    }


def test_a_silence_ends_when_the_patience_does_sync() -> None:
    """A body that falls silent is given up after the seconds set for that read, not the client's."""
    with (
        StandIn(faults=[Stall()]) as server,
        httpx2.Client(timeout=PROMPTLY * 6) as client,
        client.stream(**asked(server)) as streamed,
    ):
        patience = Patience(streamed, math.inf)
        chunks = streamed.iter_raw()
        patience.seconds = PROMPTLY
        assert next(chunks).startswith(b"event: message_start")
        patience.seconds = 0.01
        with pytest.raises(httpx2.ReadTimeout):
            b"".join(chunks)


@pytest.mark.parametrize("backend", LOOPS)
def test_a_silence_ends_when_the_patience_does_async(backend: str) -> None:
    """The same on each event loop."""

    async def law() -> None:
        with StandIn(faults=[Stall()]) as server:
            async with (
                httpx2.AsyncClient(timeout=PROMPTLY * 6) as client,
                client.stream(**asked(server)) as streamed,
            ):
                patience = Patience(streamed, math.inf)
                chunks = streamed.aiter_raw()
                patience.seconds = PROMPTLY
                assert (await anext(chunks)).startswith(b"event: message_start")
                patience.seconds = 0.01
                with pytest.raises(httpx2.ReadTimeout):
                    async for _ in chunks:
                        pass

    on_loop(backend, law)


def test_an_interrupt_ends_a_read_in_another_thread() -> None:
    """A thread that is blocked in a read is back at once."""
    with StandIn(faults=[Stall(after=1)]) as server, httpx2.Client(timeout=PROMPTLY * 6) as client:
        ended: list[Exception] = []
        with client.stream(**asked(server)) as streamed:
            patience = Patience(streamed, math.inf)
            chunks, reading = streamed.iter_raw(), threading.Event()
            next(chunks)

            def read() -> None:
                reading.set()
                try:
                    next(chunks)
                except httpx2.TransportError as error:
                    ended.append(error)

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            assert reading.wait(PROMPTLY)
            patience.interrupt()
            reader.join(PROMPTLY)
            assert not reader.is_alive()
            assert [type(error) for error in ended] == [httpx2.RemoteProtocolError]
            patience.restore()


@pytest.mark.parametrize("backend", LOOPS)
def test_an_interrupt_ends_a_read_in_another_task(backend: str) -> None:
    """The same on each event loop."""
    ended: list[Exception] = []

    async def law() -> None:
        back = anyio.Event()
        with StandIn(faults=[Stall(after=1)]) as server:
            async with (
                httpx2.AsyncClient(timeout=PROMPTLY * 6) as client,
                client.stream(**asked(server)) as streamed,
                anyio.create_task_group() as tasks,
            ):
                patience = Patience(streamed, math.inf)
                chunks = streamed.aiter_raw()
                await anext(chunks)

                async def read() -> None:
                    try:
                        await anext(chunks)
                    except httpx2.TransportError as error:
                        ended.append(error)
                    back.set()

                tasks.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                with anyio.fail_after(PROMPTLY):
                    patience.interrupt()
                    await back.wait()
                patience.restore()

    on_loop(backend, law)
    assert [type(error) for error in ended] == [httpx2.RemoteProtocolError]


def wires(client: anthropic.Anthropic | anthropic.AsyncAnthropic) -> list[Any]:
    """The network streams of a client's pool: no public way leads there."""
    pool: Any = client._client._transport
    return [connection._connection._network_stream for connection in pool._pool.connections]


@pytest.mark.parametrize("world", WORLDS)
def test_a_connection_is_used_again_after_a_stream(world: str) -> None:
    """Through the SDK: a stream that went well leaves its connection open, and as it was."""
    with StandIn(faults=[None, None, cut_at(900), None]) as server:
        known: Any = {"base_url": server.url, "api_key": "k"}

        def check(client: Any, call: int, stop: Any) -> None:
            assert stop == "end_turn"
            assert server.connections == (1, 1, 2, 2)[call]
            assert len(found := wires(client)) == 1
            assert "read" not in vars(found[0])

        def sync() -> None:
            with resilient(anthropic.Anthropic(**known)) as client:
                for call in range(3):
                    with client.messages.stream(**ASK) as stream:
                        check(client, call, stream.get_final_message().stop_reason)

        async def law() -> None:
            async with resilient(anthropic.AsyncAnthropic(**known)) as client:
                for call in range(3):
                    async with client.messages.stream(**ASK) as stream:
                        check(client, call, (await stream.get_final_message()).stop_reason)

        if world == "sync":
            sync()
        else:
            anyio.run(law, backend=world)
        assert server.connections == 2
        assert len(server.requests) == 4


# -- several at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_patiences_leave_in_any_order(world: str, order: tuple[int, ...]) -> None:
    """Layers that read one connection are each as patient as they say, the shortest wins, and the last one to
    leave restores it."""

    async def law() -> None:
        wire = Wire() if world == "sync" else AsyncWire()
        patiences = [Patience(response(wire), float(seconds)) for seconds in (3, 1, 2)]
        read: Any = wire.read
        for left in range(3):
            got = read(1)
            assert got if world == "sync" else await got
            assert wire.timeouts[-1] == min(patiences[each].seconds for each in order[left:])
            patiences[order[left]].restore()
            patiences[order[left]].restore()
        assert "read" not in vars(wire)

    run(world, law)


def test_what_stood_there_before_stands_there_after() -> None:
    """Somebody else's ``read``, and one that came between: that is left, and ours steps out of its way."""
    wire, asked = Wire(), list[str]()
    own = wire.read

    def before(max_bytes: int, timeout: float | None = None) -> bytes:
        asked.append("before")
        return own(max_bytes, timeout)

    vars(wire)["read"] = before
    first = Patience(response(wire), 3.0)
    ours = wire.read

    def between(max_bytes: int, timeout: float | None = None) -> bytes:
        asked.append("between")
        return ours(max_bytes, timeout)

    vars(wire)["read"] = between
    first.restore()
    assert vars(wire)["read"] is between
    assert wire.read(1, timeout=0.5) == b"x"
    assert (asked, wire.timeouts) == (["between", "before"], [0.5])
    vars(wire)["read"] = before
    Patience(response(wire), 3.0).restore()
    assert vars(wire)["read"] is before


def test_a_patience_that_changes_behind_another_wrapper_holds() -> None:
    """Somebody wraps the reads after the library did: the library's timeouts still follow what is set, and
    are gone when its body is over."""
    wire = Wire()
    patience = Patience(response(wire), 3.0)
    ours = wire.read
    vars(wire)["read"] = lambda max_bytes, timeout=None: ours(max_bytes, timeout)
    patience.seconds = 0.5
    wire.read(1)
    patience.restore()
    patience.seconds = 0.25
    wire.read(1, timeout=4.0)
    assert wire.timeouts == [0.5, 4.0]


def test_the_body_of_another_layer_has_clocks_of_its_own() -> None:
    """Its connection may be any, and others may have the first by now."""
    read_by_another = response(wire := Wire())
    read_by_another.extensions[SPLICED] = True
    with Patience(read_by_another, 3.0) as patience:
        assert not patience.fine
        assert "read" not in vars(wire)


class Odd:
    """A socket with something against everything."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def fileno(self) -> int:
        """Something against it."""
        raise self.error

    def shutdown(self, how: int) -> None:
        """Something against it."""
        raise self.error


@pytest.mark.parametrize(
    "error", [OSError(9, "x"), TypeError("no shutdown"), AttributeError("x"), ValueError()]
)
def test_nothing_that_a_socket_raises_is_anybodys(error: Exception) -> None:
    """An interruption is done as far as it can be."""
    patience = Patience(response(Wire(Odd(error))), 3.0)
    assert not patience.reachable
    patience.interrupt()
    patience.restore()


def test_a_socket_without_a_shutdown_is_shut_down() -> None:
    """As those of uvloop's are."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        class Pseudo:
            def fileno(self) -> int:
                return ours.fileno()

            def shutdown(self, how: int) -> None:
                raise TypeError("transport sockets do not support shutdown() method")

        with Patience(response(Wire(Pseudo())), 3.0) as patience:
            assert patience.reachable
            patience.interrupt()
        assert theirs.recv(1) == b""
