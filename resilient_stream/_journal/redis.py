"""The journal in Redis or Valkey, for many processes and machines.

Each method is one script, so it happens completely or not at all. Times are the server's, so machines need
not agree on the time. What survives a restart of the server depends on its settings: with ``appendonly yes``
and ``appendfsync always`` everything that was answered. With ``everysec``, the default, the server answers
before it writes while the disk is still busy with the second before: if it is killed then, up to two seconds
are lost.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from resilient_stream.errors import JournalUnavailable

from . import scripts
from .entries import Answer, Claim, Head, Lease, Opening, Page, Status, Verdict, Write
from .store import Mark

SLICE: Final = 0.05
"""Seconds between two looks for an end without a frame: a stream that was given up or stopped."""

SOCKET_TIMEOUT: Final = 5.0
"""Seconds that the server may take to answer."""


class RedisStore:
    """Streams in one Redis database.

    Args:
        url: of the server, as the ``redis`` package has it.
        prefix: what the names of all keys begin with.
        clock: seconds since the epoch; None for the server's own.
    """

    def __init__(
        self, url: str, *, prefix: str = "resilient-stream", clock: Callable[[], float] | None = None
    ) -> None:
        try:
            self._redis: Any = importlib.import_module("redis")
        except ImportError:
            raise JournalUnavailable(
                "a journal in Redis needs the redis package: pip install 'resilient-stream[redis]'"
            ) from None
        self._url, self._prefix, self._clock = url, prefix, clock
        self._begin()
        self._call(lambda client: client.set(f"{prefix}:secret", os.urandom(32), nx=True))
        self._secret: bytes = self._call(lambda client: client.get(f"{prefix}:secret"))

    def _begin(self) -> None:
        self._process = os.getpid()
        self._client: Any = self._redis.Redis.from_url(
            self._url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT
        )

    @property
    def secret(self) -> bytes:
        """Made with the first connection."""
        return self._secret

    def now(self) -> float:
        """As `Store.now`."""
        if self._clock is not None:
            return self._clock()
        seconds, micros = self._call(lambda client: client.time())
        return float(seconds) + float(micros) / 1_000_000

    # -- writing ---------------------------------------------------------------------------------

    def claim(
        self, key: str, holder: str, ttl: float, *, opening: Opening | None = None, void: int | None = None
    ) -> Claim:
        """As `Store.claim`."""
        given = [] if opening is None else [opening.tag, opening.request, opening.owner]
        void_text = "" if void is None else str(void)
        verdict, *rest = self._run(scripts.CLAIM, key, key, holder, ttl, void_text, *given)
        return Claim(Verdict(verdict.decode()), _head(rest[0]) if rest else None)

    def commit(self, writes: Sequence[Write], ttl: float) -> list[Answer]:
        """As `Store.commit`: one round trip for all, and one step of the server for each."""
        return self._answers(
            scripts.COMMIT,
            [
                (
                    write.lease.key,
                    (
                        write.lease.epoch,
                        ttl,
                        write.first,
                        b"" if write.state is None else write.state,
                        "" if write.status is None else write.status.value,
                        *write.frames,
                    ),
                )
                for write in writes
            ],
        )

    def renew(self, leases: Sequence[Lease], ttl: float) -> list[Answer]:
        """As `Store.renew`."""
        return self._answers(scripts.RENEW, [(lease.key, (lease.epoch, ttl)) for lease in leases])

    def stop(self, key: str) -> bool:
        """As `Store.stop`."""
        return bool(self._run(scripts.STOP, key))

    def expire(self, key: str) -> None:
        """As `Store.expire`."""
        self._run(scripts.EXPIRE, key)

    def remove(self, key: str) -> bool:
        """As `Store.remove`."""
        return bool(self._run(scripts.REMOVE, key, key))

    def tidy(self) -> None:
        """Nothing to do: Redis does this by itself."""

    # -- reading ---------------------------------------------------------------------------------

    def head(self, key: str) -> Head | None:
        """As `Store.head`."""
        page = self.read(key, 0, 0)
        return None if page is None else page.head

    def heads(self) -> list[Head]:
        """As `Store.heads`."""
        ids = self._call(lambda client: client.zrange(f"{self._prefix}:streams", 0, -1))
        heads = (self.head(key.decode()) for key in ids)
        return [head for head in heads if head is not None]

    def payloads(self, key: str) -> tuple[bytes, bytes] | None:
        """As `Store.payloads`."""
        hash_key = self._keys(key)[0]
        request, state = self._call(lambda client: client.hmget(hash_key, "request", "state"))
        return None if request is None else (request, state or b"")

    def read(self, key: str, after: int, limit: int) -> Page | None:
        """As `Store.read`."""
        found = self._run(scripts.READ, key, after, limit)
        if found is None:
            return None
        return Page(_head(found[0]), tuple((_number(name), fields[1]) for name, fields in found[1]))

    def changed(self, marks: Mapping[str, Mark], seconds: float) -> set[str]:
        """As `Store.changed`: the server reports frames as they are added."""
        end = time.monotonic() + seconds
        keys = {self._keys(key)[1].encode(): key for key in marks}
        places = {name: f"0-{marks[key][0]}" for name, key in keys.items()}
        while True:
            found = self._differing(marks)
            left = end - time.monotonic()
            if found or left <= 0:
                return found
            block = max(1, int(min(SLICE, left) * 1000))
            got = self._call(lambda client: client.xread(places, count=1, block=block))  # noqa: B023 -- called at once
            found = {keys[name] for name, _ in (got or ())}
            if found:
                return found

    def _differing(self, marks: Mapping[str, Mark]) -> set[str]:
        def asked(client: Any) -> Any:
            pipeline = client.pipeline(transaction=False)
            for key in marks:
                pipeline.hmget(self._keys(key)[0], "last", "status", "epoch")
            return pipeline.execute()

        answers = self._call(asked)
        return {
            key for (key, mark), fields in zip(marks.items(), answers, strict=True) if _mark(fields) != mark
        }

    def close(self) -> None:
        """As `Store.close`."""
        if self._process == os.getpid():
            self._client.close()

    # -- the server ------------------------------------------------------------------------------

    def _keys(self, key: str) -> tuple[str, str, str]:
        return f"{self._prefix}:stream:{key}", f"{self._prefix}:frames:{key}", f"{self._prefix}:streams"

    def _now(self) -> float | str:
        return "" if self._clock is None else self._clock()

    def _run(self, script: str, key: str, *arguments: Any) -> Any:
        return self._call(lambda client: client.eval(script, 3, *self._keys(key), self._now(), *arguments))

    def _answers(self, script: str, asked: list[tuple[str, tuple[Any, ...]]]) -> list[Answer]:
        def ask(client: Any) -> Any:
            pipeline = client.pipeline(transaction=False)
            for key, arguments in asked:
                pipeline.eval(script, 3, *self._keys(key), self._now(), *arguments)
            return pipeline.execute()

        return [Answer(answer.decode()) for answer in self._call(ask)]

    def _call(self, act: Callable[[Any], Any]) -> Any:
        """The answer of the server.

        Raises:
            JournalUnavailable: it does not, or with an error.
        """
        if self._process != os.getpid():
            self._begin()  # a forked child has connections of its own
        try:
            return act(self._client)
        except self._redis.exceptions.RedisError as error:
            raise JournalUnavailable(f"the journal's Redis can't be used: {type(error).__name__}") from error


def _number(name: bytes) -> int:
    return int(name.partition(b"-")[2])


def _head(fields: list[bytes]) -> Head:
    key, tag, status, epoch, holder, until, last, size, created, touched, owner, stopping = (
        each.decode() for each in fields
    )
    return Head(
        key,
        tag,
        Status(status),
        int(epoch),
        holder,
        float(until),
        int(last),
        int(size),
        float(created),
        float(touched),
        owner,
        stopping == "1",
    )


def _mark(fields: list[bytes | None]) -> Mark | None:
    last, status, epoch = fields
    if last is None or status is None or epoch is None:
        return None
    return int(last), Status(status.decode()), int(epoch)
