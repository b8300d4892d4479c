"""What happened on a stream, as it is told."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import anyio
import httpx2
import pydantic
import pytest

from resilient_stream import RetryPolicy, StreamReport, report, resilient
from resilient_stream.testing import (
    CATALOGUE,
    Cut,
    CutHead,
    ErrorEvent,
    Fault,
    Mangle,
    Reply,
    Stall,
    StandIn,
    Status,
    cut_at,
    refusing,
)
from tests.support.stages import ASYNC

POLICY = RetryPolicy(
    wait_initial=0.0,
    wait_max=0.0,
    overload_wait_initial=0.0,
    overload_wait_max=0.0,
    retry_after_max=0.0,
    budget=None,
    max_attempts=2,
)
ASK: Any = {"model": "claude-opus-5", "max_tokens": 4000, "messages": [{"role": "user", "content": "Tides?"}]}
TEXT = "The tide comes in twice a day, and goes out as often; who lives by the sea sets a clock by it."

KEY, PROMPT, SAID, THOUGHT, INPUT = "kingfisher", "plover", "sandpiper", "oystercatcher", "turnstone"
"""Words that a report must never hold."""


@contextmanager
def served(url: str, policy: RetryPolicy = POLICY) -> Generator[anthropic.Anthropic]:
    """A resilient client of a server's."""
    with anthropic.Anthropic(base_url=url, api_key=KEY, http_client=httpx2.Client(timeout=60.0)) as client:
        yield resilient(client, policy)


def text_of(reported: StreamReport) -> str:
    """All text of the partial message."""
    return "".join(block.get("text", "") for block in (reported.partial or {"content": []})["content"])


def completed(faults: list[Fault | None], reply: Any = TEXT) -> StreamReport:
    """The report of a stream that met these faults and was read to its end."""
    with (
        StandIn(reply=reply, faults=faults) as server,
        served(server.url) as client,
        client.messages.stream(**ASK) as stream,
    ):
        stream.until_done()
        return report(stream)


def raised(fault: Fault) -> tuple[Exception, StreamReport]:
    """The exception and the report of a stream that always meets a fault."""
    with StandIn(reply=TEXT, always=fault) as server, served(server.url) as client:
        try:
            with client.messages.stream(**ASK) as stream:
                stream.until_done()
        except anthropic.APIError as error:
            return error, report(error)
    raise AssertionError("it should have raised")


# -- where to ask ----------------------------------------------------------------------------------

SOURCES: dict[str, Callable[[Any], Any]] = {
    "messages.stream": lambda client: client.messages.stream(**ASK),
    "beta.messages.stream": lambda client: client.beta.messages.stream(**ASK),
    "messages.create": lambda client: client.messages.create(**ASK, stream=True),
    "beta.messages.create": lambda client: client.beta.messages.create(**ASK, stream=True),
    "with_streaming_response": lambda client: client.messages.with_streaming_response.create(
        **ASK, stream=True
    ),
}
"""Ways to open a stream, each a context manager in the end."""


@pytest.mark.parametrize("name", SOURCES)
def test_every_way_to_stream_can_be_asked(name: str) -> None:
    """Whatever the SDK hands out for a stream knows its report, sync."""
    with StandIn(reply=TEXT) as server, served(server.url) as client:
        with SOURCES[name](client) as stream:
            assert report(stream).outcome == "running"
            assert report(stream).attempts[0].request_id == "req_0001"
        assert report(stream).outcome == "cancelled"


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("backend", ASYNC)
def test_every_way_to_stream_can_be_asked_async(name: str, backend: str) -> None:
    """Whatever the SDK hands out for a stream knows its report, async."""

    async def law(url: str) -> None:
        bare = anthropic.AsyncAnthropic(
            base_url=url, api_key=KEY, http_client=httpx2.AsyncClient(timeout=60.0)
        )
        async with bare:
            opened: Any = SOURCES[name](resilient(bare, POLICY))
            async with opened if hasattr(opened, "__aenter__") else await opened as stream:
                assert report(stream).outcome == "running"
                assert report(stream).attempts[0].request_id == "req_0001"
            assert report(stream).outcome == "cancelled"

    with StandIn(reply=TEXT) as server:
        anyio.run(law, server.url, backend=backend)


def test_raw_responses_and_requests_can_be_asked() -> None:
    """The SDK's raw response, the httpx response in it, and its request tell of the same stream."""
    with StandIn(reply=TEXT, faults=[cut_at(900)]) as server, served(server.url) as client:
        raw = client.messages.with_raw_response.create(**ASK, stream=True)
        for _ in raw.parse():
            pass
        told = report(raw)
        assert told.outcome == "completed"
        assert len(told.attempts) == 2
        for source in (raw.http_response, raw.http_response.request, raw.parse()):
            assert report(source) == told


def test_a_report_is_found_through_a_cause() -> None:
    """Who wraps the SDK's exceptions need not unwrap them for a report."""
    error, told = raised(Status(400))
    mine = RuntimeError("my own")
    mine.__cause__ = error
    assert report(mine) == told


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        object(),
        ValueError("x"),
        httpx2.Response(200),
        httpx2.Response(200, request=httpx2.Request("GET", "http://api.test")),
        httpx2.ReadError("x"),
        anthropic.APIConnectionError(request=httpx2.Request("GET", "http://api.test")),
    ],
    ids=lambda foreign: type(foreign).__name__,
)
def test_what_is_not_ours_has_no_report(foreign: object) -> None:
    """A `LookupError` says what it was asked of, and what to ask instead."""
    with pytest.raises(LookupError) as missing:
        report(foreign)
    assert str(missing.value) == (
        f"no report on this {type(foreign).__name__}: should be a stream, a response or an exception of a "
        "client made with resilient_stream.resilient()"
    )


def test_a_bare_clients_stream_has_no_report() -> None:
    """The report comes with the client; nothing is kept of other clients' streams."""
    with (
        StandIn(reply=TEXT) as server,
        served(server.url, RetryPolicy(enabled=False)) as client,
        client.messages.stream(**ASK) as stream,
        pytest.raises(LookupError),
    ):
        report(stream)


# -- what is told ----------------------------------------------------------------------------------


def test_a_whole_stream_is_told_plainly() -> None:
    """One attempt, no failure, the API's own numbers."""
    told = completed([])
    (attempt,) = told.attempts
    assert (told.outcome, told.resumed, told.reason) == ("completed", False, "")
    assert (told.seams, told.abandoned) == ([], [])
    assert (attempt.number, attempt.kind, attempt.model) == (1, "first", "claude-opus-5")
    assert (attempt.status, attempt.failure, attempt.wait) == (200, None, 0.0)
    assert attempt.message_id is not None
    assert attempt.message_id.startswith("msg_")
    assert attempt.characters == len(TEXT)
    assert attempt.events > 4
    assert attempt.duration is not None
    assert attempt.duration > 0
    assert attempt.usage_source == "reported"
    assert attempt.usage["output_tokens"] == told.usage["output_tokens"]
    assert text_of(told) == TEXT


def test_a_running_stream_can_be_asked_and_keeps_its_answer() -> None:
    """A report is of its moment: what happens later is in the next one."""
    with (
        StandIn(reply=TEXT) as server,
        served(server.url) as client,
        client.messages.stream(**ASK) as stream,
    ):
        got = next(stream.text_stream)
        early = report(stream)
        stream.until_done()
        late = report(stream)
    assert (early.outcome, late.outcome) == ("running", "completed")
    assert early.attempts[0].duration is None
    assert text_of(early).startswith(got)
    assert text_of(early) != text_of(late) == TEXT


def test_a_running_continuation_tells_of_itself() -> None:
    """Its seam and its characters are told while it runs."""
    with (
        StandIn(reply=TEXT, faults=[cut_at(1200), Stall(at=-200)]) as server,
        served(server.url) as client,
        client.messages.stream(**ASK) as stream,
    ):
        got = ""
        for piece in stream.text_stream:
            got += piece
            told = report(stream)
            assert sum(attempt.characters for attempt in told.attempts) >= len(got)
            assert text_of(told).startswith(got)
            if len(told.attempts) == 2:
                assert told.attempts[1].duration is None
                assert [seam.attempt for seam in told.seams] == [2]
                break
        else:
            pytest.fail("no continuation was seen")


def test_a_resumed_stream_says_so() -> None:
    """Each attempt has its form, its failure and its share; the seam has its place and its proof."""
    told = completed([cut_at(1200)])
    first, second = told.attempts
    assert (told.outcome, told.resumed) == ("completed", True)
    assert first.failure is not None
    assert (first.failure.kind, first.failure.phase, first.failure.in_band) == ("closed", "body", False)
    assert (first.kind, second.kind) == ("first", "user_turn")
    assert first.characters + second.characters == len(TEXT)
    (seam,) = told.seams
    assert (seam.attempt, seam.at, seam.verified) == (2, first.characters, True)
    assert seam.trimmed > 0
    assert text_of(told) == TEXT


def test_usage_names_its_source() -> None:
    """What the API reported, what was estimated of a cut attempt, and what nobody knows are told apart."""
    told = completed([cut_at(1200)])
    assert [attempt.usage_source for attempt in told.attempts] == ["estimated", "reported"]
    assert told.usage["output_tokens"] == sum(attempt.usage["output_tokens"] for attempt in told.attempts)
    told = completed([CutHead()])
    assert [attempt.usage_source for attempt in told.attempts] == ["unknown", "reported"]
    assert told.attempts[0].usage == {}


def test_a_turn_finished_with_its_calls_says_so() -> None:
    """A cut after a complete call ends the turn; the partial holds the call, for its result to follow."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "tides", "input": {"place": "Brest"}}
    reply = Reply([{"type": "text", "text": TEXT}, call])
    with (
        StandIn(reply=reply, faults=[cut_at(-150)]) as server,
        served(server.url) as client,
        client.messages.stream(**ASK) as stream,
    ):
        stream.until_done()
        told = report(stream)
    assert (told.outcome, told.resumed) == ("finished_with_tools", True)
    assert told.attempts[-1].usage_source == "estimated"
    assert told.partial == {"role": "assistant", "content": [{"type": "text", "text": TEXT}, call]}


def test_a_cut_thought_is_abandoned() -> None:
    """A block that was begun and never completed is named by its index, and is in no partial."""
    reply = Reply([{"type": "thinking", "thinking": THOUGHT * 20}, {"type": "text", "text": TEXT}])
    told = completed([cut_at(1500)], reply)
    assert (told.outcome, told.abandoned) == ("completed", [0])
    assert told.partial is not None
    assert [block["type"] for block in told.partial["content"]] == ["thinking", "text"]
    assert text_of(told) == TEXT


# -- giving up -------------------------------------------------------------------------------------

ENDS: dict[str, tuple[Fault, type[anthropic.APIError], str, str, int]] = {
    "a status that is final": (Status(400), anthropic.BadRequestError, "rejected", "headers", 1),
    "a status that stays": (Status(529), anthropic.OverloadedError, "overloaded", "headers", 2),
    "a limit that stays": (Status(429), anthropic.RateLimitError, "rate_limited", "headers", 2),
    "a page that is cut": (Status(500, fate="cut"), anthropic.InternalServerError, "api_error", "headers", 2),
    "no head": (CutHead(), anthropic.APIConnectionError, "closed", "headers", 2),
    "no event stream": (
        Status(200, body=b"<html>", content_type="text/html"),
        anthropic.APIConnectionError,
        "protocol",
        "headers",
        2,
    ),
    "a cut": (cut_at(1200), anthropic.APIConnectionError, "closed", "body", 2),
    "a clean cut": (cut_at(1200, "clean"), anthropic.APIConnectionError, "truncated", "body", 2),
    "a reset": (cut_at(1200, "rst"), anthropic.APIConnectionError, "reset", "body", 2),
    "an event that is broken": (Mangle(after=7), anthropic.APIConnectionError, "corrupt", "body", 2),
    "an error event": (ErrorEvent(after=7), anthropic.OverloadedError, "overloaded", "body", 2),
    "an error event that is final": (
        ErrorEvent("invalid_request_error", after=7),
        anthropic.BadRequestError,
        "rejected",
        "body",
        1,
    ),
}
"""The fault, the class that is raised, the kind and phase, and the attempts."""


@pytest.mark.parametrize("name", ENDS)
def test_every_exception_has_its_report(name: str) -> None:
    """Wherever a stream is given up, the exception tells of each attempt and of why there is no other."""
    fault, wanted, kind, phase, attempts = ENDS[name]
    error, told = raised(fault)
    assert isinstance(error, wanted)
    assert told.outcome == "failed"
    assert told.reason
    assert len(told.attempts) == attempts
    for attempt in told.attempts:
        assert attempt.failure is not None
        assert (attempt.failure.kind, attempt.failure.phase) == (kind, phase)
        assert attempt.failure.in_band == ("error event" in name)
    assert (told.partial is None) == (phase == "headers")
    notes = getattr(error, "__notes__", [])
    assert [told.reason in note for note in notes] == [True] * (name != "a status that is final")
    assert not any(note in str(error) for note in notes)
    assert TEXT.startswith(text_of(told))


def test_a_refused_connection_has_its_report() -> None:
    """Where no response ever came there is still the request to hang a report on."""
    with refusing() as url, served(url) as client, pytest.raises(anthropic.APIConnectionError) as error:
        client.messages.create(**ASK, stream=True)
    told = report(error.value)
    assert [attempt.failure.kind for attempt in told.attempts if attempt.failure] == ["connect", "connect"]
    assert [attempt.status for attempt in told.attempts] == [None, None]


# -- what is not told ------------------------------------------------------------------------------


def spoken(told: StreamReport) -> Iterator[str]:
    """A report in every form that finds its way into logs and files."""
    yield str(told)
    yield repr(told)
    yield repr([told])
    yield str(told.model_dump())
    yield told.model_dump_json()
    yield json.dumps(told.model_dump(mode="json"))
    yield repr(pickle.loads(pickle.dumps(told)))  # noqa: S301 - our own
    yield pickle.dumps(told).decode("latin-1")
    yield str(dict(told))


SECRET = Reply(
    [
        {"type": "thinking", "thinking": f"{THOUGHT} {SAID} " * 9},
        {"type": "text", "text": f"{SAID} says the {SAID}. " * 20},
        {"type": "tool_use", "id": "toolu_1", "name": "tides", "input": {"place": INPUT * 20}},
        {"type": "tool_use", "id": "toolu_2", "name": "tides", "input": {"place": INPUT * 20}},
    ]
)
SLOW = ("stall", "trickle", "ping_only", "comment", "no_headers", "huge_event", "idle", "keepalive")


@pytest.mark.parametrize("name", [name for name in CATALOGUE if not any(word in name for word in SLOW)])
def test_no_report_holds_content_or_a_key(name: str) -> None:
    """Whatever goes wrong, the words of prompt, reply, thought and tool call, and the key, stay out."""
    asked: Any = {
        **ASK,
        "messages": [{"role": "user", "content": f"Tell me of the {PROMPT}."}],
        "system": PROMPT,
    }
    with (
        StandIn(reply=SECRET, always=CATALOGUE[name].fault, delta_size=200) as server,
        served(server.url) as client,
    ):
        try:
            with client.messages.stream(**asked) as stream:
                stream.until_done()
            told = report(stream)
        except anthropic.APIError as error:
            told = report(error)
    for form in spoken(told):
        for word in (KEY, PROMPT, SAID, THOUGHT, INPUT):
            assert word not in form


def test_the_partial_is_given_only_by_name() -> None:
    """The one thing that is content is there for who asks for it, and goes nowhere by itself."""
    _, told = raised(cut_at(1200))
    kept = text_of(told)
    assert kept
    assert TEXT.startswith(kept)
    for form in spoken(told):
        assert kept not in form
    assert "partial" not in told.model_dump()
    assert pickle.loads(pickle.dumps(told)).partial is None  # noqa: S301 - our own
    assert text_of(told) == kept


def test_a_report_survives_json() -> None:
    """What is written to a file reads as the same report."""
    for told in (completed([cut_at(1200)]), raised(Status(529))[1], raised(ErrorEvent(after=7))[1]):
        again = StreamReport.model_validate_json(told.model_dump_json())
        assert again.model_dump() == told.model_dump()
        assert again.partial is None


def test_a_report_cant_be_changed() -> None:
    """It tells what happened."""
    told = completed([])
    with pytest.raises(pydantic.ValidationError):
        told.outcome = "failed"


def only_the_echo(answer: str, received: str, quote: str) -> str:
    """Repeats the quote, and stops."""
    del answer, received
    return quote


@pytest.mark.parametrize(
    ("place", "manner", "ending", "verified"),
    [
        ({}, "echo", "proved", True),
        ({"after": "content_block_stop"}, only_the_echo, "inferred", True),
        ({}, only_the_echo, "inferred", False),
    ],
    ids=["going on", "echo of a whole text", "echo of a part"],
)
def test_an_inferred_ending_is_told_from_a_proved_one(
    place: dict[str, Any], manner: Any, ending: str, *, verified: bool
) -> None:
    """Where the last continuation brought no more than an echo, nothing but that says that the text is whole."""
    with (
        StandIn(reply=TEXT, faults=[Cut(**place, how="rst")], manner=manner) as server,
        served(server.url, POLICY.replace(max_attempts=4)) as client,
    ):
        with client.messages.stream(**ASK) as stream:
            assert report(stream).ending is None
            stream.get_final_message()
        reported = report(stream)
    assert (reported.outcome, reported.ending) == ("completed", ending)
    assert reported.seams[-1].verified is verified
