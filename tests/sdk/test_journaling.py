"""Journaled streams of the SDK's clients. ``tests/journal/test_session.py`` has what holds for all clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anthropic
import pytest

from resilient_stream import ResumeMiddleware, resilient
from resilient_stream.errors import JournalError
from resilient_stream.journal import Journal, journal_key, journaled
from resilient_stream.testing import StandIn
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL

REQUEST: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a new journal."""
    return f"sqlite:///{tmp_path}/j.db"


def test_a_key_without_a_journal_is_refused() -> None:
    """Nobody is to think that his stream is journaled."""
    client = resilient(anthropic.Anthropic(base_url="http://127.0.0.1:9", api_key="k"), HASTY)
    with client, pytest.raises(JournalError, match=r"resilient\(client, journal=\.\.\.\)"):
        client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k"))


def test_a_key_never_reaches_the_wire() -> None:
    """It is left out, by a client without the library too."""
    with StandIn(reply=TEXT) as server, anthropic.Anthropic(base_url=server.url, api_key="k") as client:
        with client.messages.create(
            **REQUEST, stream=True, extra_headers=journal_key("secret-name")
        ) as stream:
            assert sum(1 for _ in stream) > 3
        assert "secret-name" not in str(server.requests[0].headers)
        assert "resilient" not in str(server.requests[0].headers)


def test_the_betas_of_a_request_are_kept(url: str) -> None:
    """With it, and nothing else of its headers."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        client = resilient(anthropic.Anthropic(base_url=server.url, api_key="k"), HASTY, journal=journal)
        for _ in range(2):
            with (
                journaled("k"),
                client.beta.messages.create(
                    **REQUEST, stream=True, betas=["context-1m-2025-08-07"]
                ) as stream,
            ):
                assert sum(1 for _ in stream) > 3
        client.close()
        kept = journal.request("k")
        assert kept["headers"] == {"anthropic-beta": "context-1m-2025-08-07"}
        assert kept["body"] == {**REQUEST, "stream": True}
        assert len(server.requests) == 1


class Other(anthropic.Middleware):
    """Hands everything through."""

    def handle(self, request: Any, call_next: Any) -> Any:
        """As it is."""
        return call_next(request)


def test_a_replay_passes_through_outer_middleware(url: str) -> None:
    """Middleware behind the library would have nothing to look at, and the client is not known: that is refused."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        made = anthropic.Anthropic(base_url=server.url, api_key="k", middleware=[Other()])
        client = resilient(made, HASTY, journal=journal)
        for _ in range(2):
            with client.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k")) as stream:
                assert sum(1 for _ in stream) > 3
        ours = ResumeMiddleware(HASTY, journal=journal)
        wrong = anthropic.Anthropic(base_url=server.url, api_key="k", middleware=[ours, Other()])
        with pytest.raises(JournalError, match="to be the last"):
            wrong.messages.create(**REQUEST, stream=True, extra_headers=journal_key("k"))
        client.close()
        wrong.close()


def test_a_url_of_ones_own_stays(url: str) -> None:
    """In the request that the replay is the answer to."""
    with StandIn(reply=TEXT) as server, Journal(url) as journal:
        client = resilient(anthropic.Anthropic(base_url=server.url, api_key="k"), HASTY, journal=journal)
        for path in ("/v1/messages", f"{server.url}/v1/messages"):
            for _ in range(2):
                with client.post(
                    path,
                    body={**REQUEST, "stream": True},
                    options={"headers": journal_key(path[:4])},
                    cast_to=anthropic.types.Message,
                    stream=True,
                    stream_cls=anthropic.Stream[anthropic.types.RawMessageStreamEvent],
                ) as stream:
                    assert str(stream.response.request.url) == f"{server.url}/v1/messages"
                    assert sum(1 for _ in stream) > 3
        client.close()
