"""A text stream survives, on real sockets, through the public API."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from resilient_stream import ResumeMiddleware, RetryPolicy, report, resilient
from resilient_stream.testing import ANSWER, ErrorEvent, Status, cut_at
from resilient_stream.testing.faults.body import How as CutHow
from tests.support.worlds import (
    ASK,
    HASTY,
    PREFILL_MODEL,
    TEXT,
    USER_TURN_MODEL,
    World,
    both_forms,
    every_world,
    stand_in,
    sync_client,
)

CUTS: list[CutHow] = ["rst", "fin", "clean"]


def grammar(events: list[Any]) -> list[str]:
    """The raw event types of a stream, the SDK's derived ones left out."""
    return [event.type for event in events if event.type not in ("text", "thinking", "input_json")]


@every_world
@both_forms
@pytest.mark.parametrize("how", CUTS)
def test_a_cut_is_invisible(world: World, model: str, how: CutHow) -> None:
    """However a stream is cut, the answer comes out whole, once, in one block of one message."""
    with stand_in(cut_at(1500, how)) as server:
        seen = world.stream(server.url, model=model)
    assert seen.text == TEXT
    assert [block.text for block in seen.message.content] == [TEXT]
    kinds = grammar(seen.events)
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert kinds.count("message_start") == kinds.count("message_stop") == 1
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1
    assert seen.report.outcome == "completed"
    assert seen.report.resumed
    assert [seam.verified for seam in seen.report.seams] == [True]


@every_world
@both_forms
def test_many_cuts(world: World, model: str) -> None:
    """Any number of cuts within the policy leaves the answer whole."""
    faults = [cut_at(1100 + 40 * number, CUTS[number % 3]) for number in range(10)]
    with stand_in(*faults, reply=ANSWER) as server:
        seen = world.stream(server.url, model=model)
        assert len(server.requests) == 11
    assert seen.text == ANSWER


@every_world
def test_the_form_follows_the_model(world: World) -> None:
    """A model that takes a prefill gets one; one that refuses it never sees one."""
    with stand_in(cut_at(1500, "rst")) as server:
        assert world.stream(server.url, model=PREFILL_MODEL).forms == ["first", "prefill"]
        assert [request.form for request in server.requests] == ["fresh", "prefill"]
    with stand_in(cut_at(1500, "rst")) as server:
        assert world.stream(server.url, model=USER_TURN_MODEL).forms == ["first", "user_turn"]
        assert [request.status for request in server.requests] == [200, 200]


@every_world
def test_a_refused_prefill_steps_down(world: World) -> None:
    """A 400 on a prefill leads to a user turn, and the failure that began it is not masked."""
    with stand_in(cut_at(1500, "rst"), prefill=False) as server:
        seen = world.stream(server.url, model=PREFILL_MODEL)
    assert seen.text == TEXT
    assert seen.forms == ["first", "prefill", "user_turn"]
    assert seen.kinds == ["reset", "rejected", None]


@every_world
def test_before_the_first_content_a_restart_shows_nothing(world: World) -> None:
    """A cut before the commit point sends the same bytes again and leaves no trace in the message."""
    with stand_in(cut_at(300, "rst")) as server:
        seen = world.stream(server.url)
        first, second = server.requests
    assert first.body == second.body
    assert seen.forms == ["first", "restart"]
    assert seen.text == TEXT
    assert not seen.report.seams


@every_world
def test_healthy_bytes_are_the_upstreams(world: World) -> None:
    """With nothing failing, the body is byte for byte what the bare client reads."""
    with stand_in() as ours, stand_in() as bare:
        assert world.body(ours.url).body == world.body(bare.url, None).body


@every_world
def test_healthy_requests_are_the_users(world: World) -> None:
    """With nothing failing, body and headers are the bare client's, but for ``x-stainless-*``."""
    with stand_in() as server:
        world.stream(server.url)
        world.stream(server.url, None)
        resilient_one, bare_one = server.requests
    assert resilient_one.body == bare_one.body
    changed = {
        name for name, value in resilient_one.headers.items() if bare_one.headers.get(name) != value
    } | (bare_one.headers.keys() - resilient_one.headers.keys())
    assert all(name.startswith("x-stainless-") for name in changed)


@every_world
def test_a_continuation_only_appends(world: World) -> None:
    """A continuation keeps the user's request as its beginning, and adds two turns."""
    with stand_in(cut_at(1500, "rst")) as server:
        world.stream(server.url, system="Be brief.", metadata={"user_id": "u"})
        first, second = server.requests
    assert second.json["messages"][:1] == first.json["messages"]
    assert [message["role"] for message in second.json["messages"][1:]] == ["assistant", "user"]
    for name in first.json.keys() - {"messages", "max_tokens"}:
        assert second.json[name] == first.json[name]


@every_world
def test_the_raw_stream_survives_too(world: World) -> None:
    """``create(stream=True)`` read as bytes is one legal stream, with one message_start and one stop."""
    with stand_in(cut_at(1500, "rst")) as server:
        body = world.body(server.url).body
    assert body.count(b"event: message_start") == 1
    assert body.count(b"event: message_stop") == 1


@every_world
def test_an_error_event_is_resumed(world: World) -> None:
    """``overloaded_error`` inside a 200 is retried like a 529 status."""
    with stand_in(ErrorEvent(after=9, error="overloaded_error"), Status(529)) as server:
        seen = world.stream(server.url)
    assert seen.text == TEXT
    assert seen.kinds == ["overloaded", "overloaded", None]
    first, second, _ = seen.report.attempts
    assert first.failure is not None
    assert second.failure is not None
    assert (first.failure.in_band, second.failure.in_band) == (True, False)


def test_create_returns_at_the_head() -> None:
    """``create(stream=True)`` does not wait for the body."""
    with stand_in(pace=0.5) as server, sync_client(server.url, HASTY) as client:
        stream = client.messages.create(model=USER_TURN_MODEL, max_tokens=100, messages=ASK, stream=True)
        assert report(stream).attempts[0].events == 0
        stream.close()


def test_everything_else_goes_through() -> None:
    """Calls without a stream are the SDK's own business, its retries included."""
    with stand_in(Status(529), None) as server, sync_client(server.url, HASTY) as client:
        message = client.messages.create(model=USER_TURN_MODEL, max_tokens=100, messages=ASK)
        assert message.content[0].text == TEXT  # type: ignore[union-attr]  # it is a text block
        assert len(server.requests) == 2


def test_resilient_twice_replaces_the_policy() -> None:
    """A resilient client made resilient again has one layer, with the new policy."""
    client = resilient(resilient(anthropic.Anthropic(api_key="key")), RetryPolicy(max_attempts=3))
    (layer,) = client.middleware
    assert layer.policy.max_attempts == 3  # type: ignore[union-attr]  # it is ours
    assert type(client) is anthropic.Anthropic


@every_world
def test_off_is_off(world: World) -> None:
    """A disabled policy leaves bytes, requests and exceptions as they are without the library."""
    off = RetryPolicy.preset("off")
    with stand_in(cut_at(1500, "rst"), cut_at(1500, "rst")) as server:
        ours, bare = world.stream(server.url, off), world.stream(server.url, None)
        first, second = server.requests
    assert (first.body, sorted(first.headers)) == (second.body, sorted(second.headers))
    assert ours.text == bare.text
    assert type(ours.error) is type(bare.error)
    assert ours.told is None


@every_world
def test_observe_reports_and_sends_nothing(world: World) -> None:
    """The observing policy classifies and reports, and never sends a second request."""
    with stand_in(cut_at(1500, "rst")) as server:
        seen = world.stream(server.url, RetryPolicy.preset("observe"))
        assert len(server.requests) == 1
    assert isinstance(seen.error, anthropic.APIConnectionError)
    assert seen.kinds == ["reset"]


def test_the_environment_outranks_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """``RESILIENT_STREAM=off`` switches without a change of code."""
    monkeypatch.setenv("RESILIENT_STREAM", "off")
    assert resilient(anthropic.Anthropic(api_key="key")).middleware == ()
    assert ResumeMiddleware().policy.enabled is False


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (anthropic.Anthropic, r"not its class: resilient\(Anthropic\(\.\.\.\)\)"),
        (anthropic.AsyncAnthropic, r"not its class: resilient\(AsyncAnthropic\(\.\.\.\)\)"),
        ("https://api.anthropic.com", "should be a client of the anthropic SDK; not str"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_client_is_refused(client: Any, said: str) -> None:
    """At once, and the message says what should have been given."""
    with pytest.raises(TypeError, match=said):
        resilient(client)
