"""A gateway with a journal: its streams outlive it, and their readers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from resilient_stream.asgi import Gateway
from resilient_stream.errors import JournalUnavailable, WriterGone
from resilient_stream.journal import Journal
from resilient_stream.testing import StandIn, Status
from tests.support.doors import asking, events_of
from tests.support.gateways import Served, body_of, post, served, until
from tests.support.journals import STORES, url_of
from tests.support.worlds import HASTY, TEXT, stand_in

KEY = {"x-api-key": "key"}
OTHER = {"x-api-key": "another key"}

unix = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")


@contextlib.contextmanager
def durable(url: str, journal: Journal, **options: Any) -> Generator[Served]:
    """A gateway to a stand-in."""
    policy = options.pop("policy", HASTY)
    with served(Gateway(url, policy, journal=journal, **options)) as made:
        yield made


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Journal]:
    """A new one of each kind."""
    with Journal(url_of(request.param, tmp_path), patience=0.0) as made:
        yield made


def asked(door: str, **headers: str) -> httpx2.Response:
    """A stream that is read to its end."""
    return httpx2.post(f"{door}/v1/messages", json=asking(), headers={**KEY, **headers})


def read(door: str, key: str, after: str = "", **headers: str) -> httpx2.Response:
    """What a reader gets behind a place."""
    where = {"last-event-id": after} if after else {}
    return httpx2.get(f"{door}/resilient/streams/{key}", headers={**KEY, **where, **headers}, timeout=60)


def ids(body: bytes) -> list[str]:
    """The numbers of all events."""
    return [found.decode() for found in re.findall(rb"^id: (.*)$", body, re.MULTILINE)]


def bare(body: bytes) -> bytes:
    """A body without its numbers."""
    return re.sub(rb"^id: .*\n", b"", body, flags=re.MULTILINE)


def text_of(body: bytes) -> str:
    """The text of a stream."""
    deltas = [event["delta"] for event in events_of(body) if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


def test_every_event_has_a_number_and_is_otherwise_as_it_was(journal: Journal) -> None:
    """From 1 on, behind the stream's own tag."""
    with stand_in() as api, durable(api.url, journal) as door:
        ours = asked(door.url)
        theirs = asked(api.url).content.replace(b"%014d" % 2, b"%014d" % 1)
        assert bare(ours.content) == theirs
        tags, numbers = zip(*(name.split("-") for name in ids(ours.content)), strict=True)
        assert len(set(tags)) == 1
        assert [int(number) for number in numbers] == list(range(1, ours.content.count(b"\n\n") + 1))


def test_what_was_read_and_what_follows_are_the_stream(journal: Journal) -> None:
    """The law of cursors, at every place; at the last there is nothing more."""
    with stand_in() as api, durable(api.url, journal) as door:
        whole = asked(door.url)
        key, frames = whole.headers["resilient-stream-id"], whole.content.split(b"\n\n")[:-1]
        assert read(door.url, key).content == whole.content
        for at, cursor in enumerate(ids(whole.content)[:-1], 1):
            assert read(door.url, key, cursor).content == b"".join(frame + b"\n\n" for frame in frames[at:])
        assert read(door.url, key, ids(whole.content)[-1]).status_code == 204
        assert len(api.requests) == 1


def test_what_can_not_be_read_has_its_status(journal: Journal) -> None:
    """Never the beginning in its place."""
    with stand_in() as api, durable(api.url, journal) as door:
        first, second = (asked(door.url) for _ in range(2))
        key, foreign = first.headers["resilient-stream-id"], ids(second.content)[3]
        tag = ids(first.content)[0].partition("-")[0]
        assert [read(door.url, key, cursor).status_code for cursor in ("x", f"{tag}-999", foreign)] == [
            400,
            400,
            404,
        ]
        assert [read(door.url, name).status_code for name in ("rs_none", "", f"{key}/x")] == [404] * 3
        stranger, absent = read(door.url, key, **OTHER), read(door.url, "rs_none")
        assert (stranger.status_code, stranger.content) == (404, absent.content)
        assert httpx2.delete(f"{door.url}/resilient/streams/{key}", headers=OTHER).status_code == 404
        assert httpx2.put(f"{door.url}/resilient/streams/{key}", headers=KEY).status_code == 405
        journal.store.expire(key)
        assert read(door.url, key).status_code == 410


def test_no_credential_is_stored(tmp_path: Path) -> None:
    """In no file of the journal is there a key, in whichever header it came."""
    with Journal(f"sqlite:///{tmp_path}/j.db") as journal, StandIn(reply=TEXT, strict=False) as api:
        with durable(api.url, journal) as door:
            asked(
                door.url,
                **{"x-api-key": "sk-ant-hushed", "authorization": "Bearer tok-hushed", "cookie": "c=hushed"},
            )
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Tell me about tides" in kept
    assert b"hushed" not in kept


class Gated(httpx2.AsyncBaseTransport):
    """The API, whose first answer stops in the middle until somebody opens the gate."""

    def __init__(self, url: str) -> None:
        self._url, self._below = url, httpx2.AsyncHTTPTransport()
        self.gate = threading.Event()
        self.requests = list[httpx2.Request]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it on."""
        self.requests.append(request)
        response = await self._below.handle_async_request(request)
        if len(self.requests) > 1:
            return response
        frames = (await response.aread()).split(b"\n\n")[:-1]
        return httpx2.Response(200, headers=response.headers, stream=_Halves(frames, self.gate))

    async def aclose(self) -> None:
        """Close what is below."""
        self.gate.set()
        await self._below.aclose()


class _Halves(httpx2.AsyncByteStream):
    def __init__(self, frames: list[bytes], gate: threading.Event) -> None:
        self._frames, self._gate = frames, gate

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at, frame in enumerate(self._frames):
            if at == len(self._frames) // 2:
                await asyncio.to_thread(self._gate.wait, 30)
            yield frame + b"\n\n"


@contextlib.contextmanager
def halfway(journal: Journal, **headers: str) -> Generator[tuple[Served, Gated, str, bytes]]:
    """A stream whose client has left in its middle: the gateway, the API, the stream's id and what the client had."""
    with stand_in() as api:
        transport = Gated(api.url)
        with durable(api.url, journal, transport=transport) as door:
            with door.connect() as sock:
                sock.sendall(post(headers=headers))
                got = until(sock, b"-20\n")
            key = re.search(rb"resilient-stream-id: (\S+)", got)
            assert key is not None
            yield door, transport, key[1].decode(), got
            transport.gate.set()


def test_a_stream_goes_on_while_its_client_is_away(journal: Journal) -> None:
    """As long as it has asked for: when it comes back, all is there, of one request."""
    with halfway(journal, **{"resilient-detach": "600"}) as (door, api, key, _):
        api.gate.set()
        whole = read(door.url, key).content
        assert text_of(whole) == TEXT
        assert len(api.requests) == 1


def test_a_stream_that_nobody_detached_goes_on_with_its_reader(journal: Journal) -> None:
    """When the client left, the request was ended; who comes back has it go on with his own credential."""
    with halfway(journal) as (door, api, key, got):
        with pytest.raises(WriterGone):
            list(journal.read(key))
        cursor = ids(body_of(got)[0])[10]
        rest = read(door.url, key, cursor, **{"x-api-key": "key", "anthropic-version": "not this"}).content
        assert ids(rest)[0] == cursor.replace("-11", "-12")
        assert text_of(read(door.url, key).content) == TEXT
        assert [request.headers["x-api-key"] for request in api.requests] == ["key", "key"]
        assert "anthropic-version" not in api.requests[1].headers
        assert b"continu" in api.requests[1].content.lower()


def test_a_reader_at_another_worker_follows(journal: Journal) -> None:
    """Frames come as they are written, whoever writes them."""
    with (
        halfway(journal, **{"resilient-detach": "600"}) as (_, api, key, _),
        durable("http://127.0.0.1:9", journal) as other,
    ):
        with httpx2.stream(
            "GET", f"{other.url}/resilient/streams/{key}", headers=KEY, timeout=60
        ) as response:
            chunks, got = response.iter_bytes(), b""
            while b"-20\n" not in got:
                got += next(chunks)
            api.gate.set()
            assert text_of(got + b"".join(chunks)) == TEXT
        assert len(api.requests) == 1


def test_a_stream_is_stopped(journal: Journal) -> None:
    """By whoever began it; its client is told, and those who come later."""
    with stand_in() as api:
        transport = Gated(api.url)
        with durable(api.url, journal, transport=transport) as door, door.connect() as sock:
            sock.sendall(post())
            got = until(sock, b"-20\n")
            key = re.search(rb"resilient-stream-id: (\S+)", got)[1].decode()  # type: ignore[index]  # it is there
            assert httpx2.delete(f"{door.url}/resilient/streams/{key}", headers=KEY).status_code == 204
            transport.gate.set()
            assert b"event: error" in until(sock, b"was stopped")
            later = read(door.url, key).content
            assert b"was stopped" in later
            assert read(door.url, key, ids(later)[-1]).status_code == 204
            assert httpx2.delete(f"{door.url}/resilient/streams/{key}", headers=KEY).status_code == 204
        assert len(transport.requests) == 1


def test_a_stream_is_stopped_while_nobody_reads_it(journal: Journal) -> None:
    """Leaving is not stopping, and stopping needs nobody there."""
    with halfway(journal, **{"resilient-detach": "600"}) as (door, api, key, _):
        assert httpx2.delete(f"{door.url}/resilient/streams/{key}", headers=KEY).status_code == 204
        api.gate.set()
        assert b"was stopped" in read(door.url, key).content


def test_a_stream_that_was_given_up_says_so_to_all(journal: Journal) -> None:
    """And is not begun again by those who come back."""
    with (
        stand_in(always=Status(529)) as api,
        durable(api.url, journal, policy=HASTY.replace(max_attempts=2)) as door,
    ):
        refused = asked(door.url)
        assert refused.status_code == 529
        key = refused.headers["resilient-stream-id"]
        told = read(door.url, key)
        assert b"given up" in told.content
        assert read(door.url, key, ids(told.content)[-1]).status_code == 204
        assert len(api.requests) == 2


@pytest.mark.parametrize("said", ["-1", "x", "nan", "1e9"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, said: str) -> None:
    """With a sentence."""
    with (
        stand_in() as api,
        Journal(f"sqlite:///{tmp_path}/j.db") as journal,
        durable(api.url, journal) as door,
    ):
        refused = asked(door.url, **{"resilient-detach": said})
        assert (refused.status_code, api.requests) == (400, [])
        assert "resilient-detach" in refused.json()["error"]["message"]


@pytest.mark.parametrize("method", ["claim", "commit"])
@pytest.mark.parametrize("then", ["continue", "stop"])
def test_a_journal_that_fails_ends_a_stream_only_if_the_policy_says_so(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, method: str, then: Any
) -> None:
    """At its beginning or later; what is not journaled has no number."""

    def away(*_: Any, **__: Any) -> Any:
        raise JournalUnavailable("away")

    monkeypatch.setattr(journal.store, method, away)
    with stand_in() as api, durable(api.url, journal, policy=HASTY.replace(journal_failure=then)) as door:
        got = asked(door.url)
        assert ids(got.content) == []
        if then == "continue":
            assert text_of(got.content) == TEXT
        else:
            assert got.status_code == 503
            assert "away" in got.json()["error"]["message"]


ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("RESILIENT_STREAM")}


@contextlib.contextmanager
def program(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The command, in a process of its own: that, and where it listens."""
    command = [sys.executable, "-m", "resilient_stream", "serve", "--port=0", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=ENVIRON)
    assert running.stdout is not None
    with running.stdout as out:
        try:
            found = re.search(r"listens on (http://127\.0\.0\.1:\d+), for ", out.readline())
            assert found
            yield running, found[1]
        finally:
            running.kill()
            running.wait()


@unix
def test_a_stream_outlives_its_gateway(tmp_path: Path) -> None:
    """Killed in the middle (``kill -9``) and started again, it goes on when its reader comes back, from his place."""
    url = f"--journal=sqlite:///{tmp_path}/streams.db"
    with StandIn(reply=TEXT, pace=0.02) as api:
        with (
            program(f"--upstream={api.url}", url) as (first, door),
            httpx2.stream("POST", f"{door}/v1/messages", json=asking(), headers=KEY, timeout=60) as response,
        ):
            key, got = response.headers["resilient-stream-id"], b""
            for chunk in response.iter_bytes():
                got += chunk
                if b"-12\n" in got:
                    break
            first.kill()
            first.wait()
        got = got[: got.rindex(b"\n\n") + 2]
        with program(f"--upstream={api.url}", url) as (_, door):
            assert read(door, key, **OTHER).status_code == 404
            rest = read(door, key, ids(got)[-1]).content
            assert text_of(got + rest) == TEXT
            numbers = [int(name.split("-")[1]) for name in ids(got + rest)]
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(api.requests) == 2


def test_a_journal_that_can_not_be_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is served."""
    command = [sys.executable, "-m", "resilient_stream", "serve", "--port=0", "--journal=mysql://x"]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", env=ENVIRON, check=False)
    assert ended.returncode == 2
    assert "--journal: a journal's URL should begin with" in ended.stderr
