"""The Redis or Valkey server through which processes exchange what they know about an API.

Each account has a hash with a field for each process. One script writes a process's field and returns the
others'. Times are the server's, so machines need not agree on the time. Each reading removes old fields, so a
process that was killed is forgotten after `LIFE`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode

SCHEMES: Final = ("redis", "rediss", "unix")

PREFIX: Final = "resilient-stream"
"""The beginning of the names of all keys."""

LIFE: Final = 3.0
"""Seconds for which a process's field is used."""

SOCKET_TIMEOUT: Final = 1.0
"""Seconds that the server may take to answer. Only the thread that asks waits for it."""

EXCHANGE: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.6f ', now) .. ARGV[2])
  redis.call('EXPIRE', KEYS[1], 60)
end
local told = redis.call('HGETALL', KEYS[1])
local found = {}
for at = 1, #told, 2 do
  local written, text = string.match(told[at + 1], '^(%S+) (.*)$')
  if told[at] == ARGV[1] then
    if ARGV[2] == '' then redis.call('HDEL', KEYS[1], told[at]) end
  elseif not written or math.abs(now - (tonumber(written) or 0)) > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], told[at])
  else
    found[#found + 1] = told[at]
    found[#found + 1] = text
  end
end
return found
"""
"""KEYS: the hash. ARGV: the process, the text that it writes (empty: it is gone), and `LIFE`."""


class AwayError(Exception):
    """The server can't be reached, or can't be written to. The text is for the log."""


class Blackboard(Protocol):
    """The interface that `RedisBudget` needs."""

    def secret(self) -> bytes:
        """Random bytes that all processes have and nobody else.

        Raises:
            AwayError: it can't be reached.
        """
        ...

    def exchange(self, me: str, told: Mapping[str, str]) -> tuple[float, dict[str, dict[str, bytes]]]:
        """Write this process's texts, by account; an empty text removes it.

        Returns the server's time in seconds, and for each account what other processes have written within
        `LIFE`, by their names.

        Raises:
            AwayError: it can't be reached, or can't be written.
        """
        ...

    def close(self) -> None:
        """End the connections."""
        ...


def split(url: str) -> tuple[str, str]:
    """A server's URL without the option ``prefix``, and the prefix.

    Raises:
        ValueError: it is not a URL of a Redis server.
    """
    address, _, options = url.partition("?")
    if address.partition("://")[0] not in SCHEMES:
        raise ValueError("the URL should begin with redis://, rediss:// or unix://")
    query = dict(parse_qsl(options))
    prefix = query.pop("prefix", PREFIX)
    return (f"{address}?{urlencode(query)}" if query else address), prefix


class RedisBoard:
    """A blackboard in Redis. One thread at a time uses it.

    Args:
        url: of the server, as the ``redis`` package has it, with ``?prefix=name`` for another beginning of
            all keys.

    Raises:
        ImportError: the ``redis`` package is not installed.
        ValueError: it is not a valid URL.
    """

    def __init__(self, url: str) -> None:
        try:
            redis: Any = importlib.import_module("redis")
            importlib.import_module("redis.backoff")
        except ImportError:
            raise ImportError(
                "a RedisBudget needs the redis package: pip install 'resilient-stream[redis]'"
            ) from None
        address, self._prefix = split(url)
        self._failures: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._client: Any = redis.Redis.from_url(
            address,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )

    def secret(self) -> bytes:
        """As `Blackboard.secret`: the journal's, if there is one under the same prefix."""
        name = f"{self._prefix}:secret"
        try:
            found = self._client.get(name)
            if found is None:
                self._client.set(name, os.urandom(32), nx=True)
                found = self._client.get(name)
        except self._failures as error:
            raise AwayError(_said(error)) from error
        return bytes(found or b"")

    def exchange(self, me: str, told: Mapping[str, str]) -> tuple[float, dict[str, dict[str, bytes]]]:
        """As `Blackboard.exchange`, in one round trip."""
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.time()
            for account, text in told.items():
                pipeline.eval(EXCHANGE, 1, f"{self._prefix}:health:1:{account}", me, text, LIFE)
            (seconds, micros), *answers = pipeline.execute()
        except self._failures as error:
            raise AwayError(_said(error)) from error
        found = {
            account: {name.decode(): text for name, text in zip(each[::2], each[1::2], strict=True)}
            for account, each in zip(told, answers, strict=True)
        }
        return seconds + micros / 1e6, found

    def close(self) -> None:
        """As `Blackboard.close`."""
        self._client.close()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
