"""Streams of a gateway with a journal: begun, read again from any position, continued, and stopped.

Only the client that began a stream can read it. With another credential the answer is that of a stream that
does not exist. If a stream's writer is gone, it continues with the credential of the reader that notices it.
No credential is stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resilient_stream._journal import record
from resilient_stream._journal.cursor import cursor
from resilient_stream._journal.entrance import Asked
from resilient_stream._journal.entries import Status
from resilient_stream._journal.wire import CURSOR, HEADERS, error_event, numbered, status_of
from resilient_stream._telemetry.guard import guarded
from resilient_stream._transport.calls import Protected, read
from resilient_stream._transport.journaling import KEPT_HEADERS
from resilient_stream._transport.request import encoded
from resilient_stream.errors import (
    JournalError,
    JournalUnavailable,
    StoppedStream,
    StreamBusy,
    StreamFailed,
    WriterGone,
)

from .audience import Audience
from .downstream import PING, Downstream
from .errors import Refused
from .forward import while_there
from .headers import Headers
from .pages import PREFIX
from .pings import Pings
from .policies import HEADER as POLICY
from .policies import Policies, credential, tenant
from .protected import ID, Stream
from .request import Body, Incoming

if TYPE_CHECKING:
    from resilient_stream._driver.async_driver import AsyncDriver
    from resilient_stream._driver.upstream import AsyncUpstream
    from resilient_stream._journal.follow import Follower
    from resilient_stream._journal.journal import Journal
    from resilient_stream._journal.session import Session

    from .streams import Streams
    from .upstream import Upstream

log: Final = logging.getLogger("resilient_stream")

STREAMS: Final = f"{PREFIX}streams/"
"""The beginning of a stream's path."""

DETACH: Final = "resilient-detach"
"""The header with the seconds for which a stream continues after its client has left."""

LONGEST: Final = 86_400.0

OVER: Final = frozenset({Status.COMPLETE, Status.FAILED, Status.STOPPED})
"""States in which a reader does not make the stream continue."""

OF_THE_READER: Final = frozenset(
    name.encode() for name in ("accept", "content-length", "content-type", CURSOR, POLICY, *KEPT_HEADERS)
)
"""Headers of a reader that do not belong to a request for the stream."""


@dataclass(slots=True)
class Journaled:
    """A stream that is written to the journal.

    Args:
        session: the journal's.
        key: its id.
        detach: seconds for which it continues without a reader.
        audience: its readers.
    """

    session: Session
    key: str
    detach: float
    audience: Audience
    _number: int = 0

    def driver(self, upstream: AsyncUpstream) -> AsyncDriver:
        """The driver of a stream that begins or continues."""
        return self.session.adriver(upstream)

    def told(self, piece: bytes) -> bytes:
        """A piece of the stream with the number of each frame; without numbers once the journal can't be
        written."""
        keeper = self.session.keeper
        frames = record.cut(piece)
        if keeper is None or keeper.last != self._number + len(frames):
            return piece
        numbers = range(self._number + 1, keeper.last + 1)
        self._number = keeper.last
        return b"".join(
            numbered(cursor(self.session.tag, number), frame)
            for number, frame in zip(numbers, frames, strict=True)
        )

    async def deserted(self) -> None:
        """Wait until nobody has read the stream for long enough."""
        await self.audience.gone(self.key, self.detach)


class Durable:
    """The part of a gateway that uses its journal.

    Args:
        journal: where the streams are.
        upstream: the API.
        policies: of its streams.
        streams: those that run.
        pings: the timer of its pings.
        beat: seconds of silence after which a reader gets a ping.
    """

    def __init__(
        self,
        journal: Journal,
        upstream: Upstream,
        policies: Policies,
        streams: Streams,
        pings: Pings,
        beat: float,
    ) -> None:
        self._journal, self._upstream, self._policies = journal, upstream, policies
        self._streams, self._pings, self._beat = streams, pings, beat
        self._audience = Audience()
        self._tasks = set[asyncio.Task[None]]()

    async def begin(self, call: Protected, incoming: Incoming, key: str) -> Journaled | None:
        """Journal a stream that begins; None if that is impossible and the policy says to continue without.

        Raises:
            Refused: the policy says to stop then; or a header can't be meant.
        """
        detach = seconds_of(incoming.value(DETACH))
        more = {"target": incoming.target.decode("latin-1"), "detach": detach}
        more |= {"policy": policy} if (policy := incoming.value(POLICY)) else {}
        given = {name: incoming.value(name) for name in KEPT_HEADERS}
        headers = {name: value for name, value in given.items() if value}
        asked = self._asked(call, incoming, key, headers, more)
        try:
            session = await self._journal.entrance.aenter(asked, call.context)
        except JournalUnavailable as error:
            raise Refused(503, str(error)) from error
        return None if session is None else Journaled(session, key, detach, self._audience)

    def _asked(
        self, call: Protected, incoming: Incoming, key: str, headers: Mapping[str, str], more: dict[str, Any]
    ) -> Asked:
        owner = self._journal.owner_of(credential(incoming))
        return Asked(key, call.context.planner.request, headers, owner, more)

    # -- readers ---------------------------------------------------------------------------------

    async def answer(self, incoming: Incoming, body: Body, downstream: Downstream) -> None:
        """Answer a request for one stream.

        Raises:
            Refused: there is no such stream for this client, or no such position in it.
            ClientLeft: the client has left.
        """
        key = incoming.path.removeprefix(STREAMS)
        if incoming.method not in ("GET", "DELETE"):
            raise Refused(405, "a stream is read with GET, and stopped with DELETE")
        await body.whole(0)
        follower = await self._follower(key, incoming)
        if incoming.method == "DELETE":
            await self._stop(key)
            await downstream.answer(204, b"", [])
        elif incoming.value(CURSOR) and follower.head.status in OVER and follower.is_over:
            await downstream.answer(204, b"", [])
        else:
            with self._audience.one(key):
                await while_there(body, self._show(follower, incoming, downstream))

    async def _stop(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._journal.stop, key)
        except JournalUnavailable as error:
            raise Refused(503, str(error)) from error

    async def _follower(self, key: str, incoming: Incoming) -> Follower:
        owner, after = self._journal.owner_of(credential(incoming)), incoming.value(CURSOR) or None
        try:
            return await self._journal.follower(key, after, owner)
        except JournalError as error:
            raise Refused(status_of(error) or 503, str(error)) from error

    async def _show(self, follower: Follower, incoming: Incoming, downstream: Downstream) -> None:
        """Send what there is behind the reader's position, and what is added.

        If that ends for a reason that may pass, the response breaks off, and the reader reconnects.
        """
        headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        kind = (b"content-type", b"text/event-stream")
        await downstream.begin(200, [kind, *headers, (ID, follower.key.encode())])
        gone_on_at = -1
        while True:
            try:
                await self._send(follower, downstream)
                break
            except WriterGone:
                brings_nothing = gone_on_at == follower.last
                if brings_nothing or not await self._go_on(follower.key, incoming):
                    return
                gone_on_at = follower.last
            except (StreamFailed, StoppedStream) as error:
                place = cursor(follower.head.tag, follower.head.last)
                await downstream.write(numbered(place, error_event(f"resilient-stream: {error}")))
                break
            except JournalError:
                return
        await downstream.finish()

    async def _send(self, follower: Follower, downstream: Downstream) -> None:
        async for entries in self._journal.steps(follower, self._beat):
            frames = [numbered(entry.cursor, entry.frame) for entry in entries]
            await downstream.write(b"".join(frames) or PING)

    # -- going on --------------------------------------------------------------------------------

    async def _go_on(self, key: str, reader: Incoming) -> bool:
        """Continue a stream whose writer is gone. Return False if that is impossible."""
        try:
            await self._take_over(key, reader)
        except StreamBusy:  # another process was quicker
            return True
        except (JournalError, Refused) as error:
            guarded(log.warning, f"a stream can't be continued: {error}")
            return False
        return True

    async def _take_over(self, key: str, reader: Incoming) -> None:
        """Take over a stream, and continue it.

        Raises:
            JournalError: that can't be.
            Refused: its policy is not there any more.
        """
        kept, _ = await asyncio.to_thread(self._journal.entrance.kept, key)
        incoming = _asked_again(kept, reader)
        request = self._upstream.request(incoming, encoded(kept["body"]))
        call = read(self._policies.of(incoming), request, tenant(incoming))
        if not isinstance(call, Protected):
            raise JournalError("the policy is switched off")
        asked = self._asked(call, incoming, key, kept["headers"], kept["more"])
        session = await self._journal.entrance.atake(asked, call.context)
        if session.keeper is not None:
            journaled = Journaled(session, key, kept["more"]["detach"], self._audience)
            task = asyncio.get_running_loop().create_task(self._run(call, request, journaled))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, call: Protected, request: Any, journaled: Journaled) -> None:
        """Run a stream for the readers of the journal."""
        with self._streams.run(call.context.record, call.context.planner.model, journaled.key) as running:
            stream = Stream(self._upstream, call, request, running, journaled=journaled)
            await stream.serve(Body.of_nobody(), Downstream(_nowhere), self._pings)

    async def aclose(self) -> None:
        """End the streams that continue for readers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def seconds_of(said: str) -> float:
    """The seconds for which a stream continues after its client has left; 0 if the client does not say.

    Raises:
        Refused: it is not a number of seconds.
    """
    try:
        seconds = float(said or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise Refused(400, f"{DETACH} should be a number of seconds up to {LONGEST:.0f}")
    return seconds


def _asked_again(kept: Mapping[str, Any], reader: Incoming) -> Incoming:
    """The request of a stream, with the credential of a reader."""
    more: Mapping[str, Any] = kept["more"]
    given: Headers = [(name, value) for name, value in reader.headers if name not in OF_THE_READER]
    stored = {"content-type": "application/json", **kept["headers"]}
    stored |= {POLICY: more["policy"]} if "policy" in more else {}
    headers = [*given, *((name.encode(), value.encode("latin-1")) for name, value in stored.items())]
    return Incoming("POST", more["target"].encode("latin-1"), headers, reader.http_version)


async def _nowhere(message: object) -> None:
    """Discard a message: nobody reads it."""
