"""The API without its sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from resilient_stream.testing import (
    ANSWER,
    MANNERS,
    Cut,
    CutHead,
    Fault,
    Reply,
    Send,
    Status,
    accepts_prefill,
    sign,
)
from resilient_stream.testing.endpoint import AFTERTHOUGHT
from resilient_stream.testing.requests import Incoming
from tests.support.stand_ins import ASK, TEXT, Heard, ask, endpoint, incoming, request

OLD = "claude-haiku-4-5"
THINKING = {"type": "thinking", "thinking": "Hm."}


def go_on(text: str, quote: str, **more: Any) -> dict[str, Any]:
    """A continuation in a user turn."""
    turn = [{"role": "assistant", "content": text}, {"role": "user", "content": f"Go on after «{quote}»."}]
    return request([*ASK, *turn], **more)


def text_of(answer: Heard) -> str:
    """The text of an answer that was not streamed."""
    return "".join(block.get("text", "") for block in json.loads(answer.body)["content"])


def error_of(answer: Heard) -> tuple[int, str, str]:
    """Status, type and words of an error."""
    told = json.loads(answer.body)
    assert told["type"] == "error"
    assert told["request_id"] == answer.headers["request-id"]
    return answer.status, told["error"]["type"], told["error"]["message"]


def test_a_stream_is_an_event_stream() -> None:
    """Content type, request id, and the events of the whole message."""
    answer, record = ask(endpoint(reply=TEXT), request(stream=True))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["request-id"] == "req_0001"
    assert answer.body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert (record.status, record.form, record.matched, record.rule) == (200, "fresh", True, None)


def test_without_streaming_it_is_a_message() -> None:
    """One JSON object."""
    answer, _ = ask(endpoint(), request())
    assert answer.headers["content-type"] == "application/json"
    assert text_of(answer) == ANSWER


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true"])
def test_the_beta_path_is_the_same(path: str) -> None:
    """A query changes nothing; the record keeps it."""
    answer, record = ask(endpoint(), request(), path)
    assert (answer.status, record.path) == (200, path)


def test_tokens_are_counted() -> None:
    """``count_tokens`` tells what a request would say as its input tokens."""
    point = endpoint()
    body = {key: value for key, value in request().items() if key != "max_tokens"}
    counted, _ = ask(point, body, "/v1/messages/count_tokens")
    answer, _ = ask(point, request())
    assert json.loads(counted.body)["input_tokens"] == json.loads(answer.body)["usage"]["input_tokens"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/messages"),
        ("POST", "/v1/models"),
        ("PUT", "/v1/files"),
        ("DELETE", "/v1/files/file_1/content"),
        ("POST", "/redirected/x"),
        ("GET", "/redirected/9"),
        ("POST", "/proxy/v1/messages"),
    ],
)
def test_anything_else_is_not_found(method: str, path: str) -> None:
    """In the shape of the API's errors."""
    answer, record = ask(endpoint(), request(), path, method=method)
    assert error_of(answer) == (404, "not_found_error", "Not found")
    assert record.rule == "path"


def test_a_key_is_needed() -> None:
    """Either header will do; without one it is 401; a lenient stand-in does not ask."""
    cases: list[tuple[bool, dict[str, str], int]] = [
        (True, {}, 401),
        (True, {"x-api-key": "k"}, 200),
        (True, {"authorization": "Bearer k"}, 200),
        (False, {}, 200),
    ]
    for strict, headers, status in cases:
        point = endpoint(strict=strict)
        point.take(Incoming("POST", "/v1/messages", headers, incoming(request()).body))
        assert point.received[0].status == status


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b""])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    """400, and the record has the bytes all the same."""
    answer, record = ask(endpoint(), body)
    assert error_of(answer)[:2] == (400, "invalid_request_error")
    assert (record.rule, record.body) == ("json", body)


def test_a_refusal_is_final() -> None:
    """A request that breaks a rule is answered in the API's words and is not to be retried."""
    answer, record = ask(endpoint(), request(max_tokens=0))
    assert error_of(answer)[2] == "max_tokens: Input should be greater than or equal to 1"
    assert answer.headers["x-should-retry"] == "false"
    assert (record.status, record.rule) == (400, "field_types")


def test_a_refused_continuation_is_known_as_one() -> None:
    """The record says what was tried."""
    prefill = request([*ASK, {"role": "assistant", "content": "The tide"}])
    _, record = ask(endpoint(), prefill)
    assert (record.rule, record.form) == ("prefill_by_model", "prefill")
    _, record = ask(
        endpoint(), go_on("The tide rises", "tide rises", thinking={"type": "enabled", "budget_tokens": 1})
    )
    assert (record.rule, record.form, record.quote) == ("budget_floor", "user_turn", "tide rises")


@pytest.mark.parametrize("manner", MANNERS)
def test_a_user_turn_is_answered_in_its_manner(manner: str) -> None:
    """By name or as a function, the manner has the script, the received text and the quote."""
    received, quote = ANSWER[:1000], ANSWER[940:1000]
    for given in (manner, MANNERS[manner]):
        answer, record = ask(endpoint(manner=given), go_on(received, quote))
        assert text_of(answer) == MANNERS[manner](ANSWER, received.rstrip(), quote.rstrip())
        assert (record.form, record.quote, record.matched) == ("user_turn", quote.rstrip(), True)


def test_a_prefill_has_a_manner_of_its_own() -> None:
    """The rest exactly, unless told otherwise; the user turn's manner does not matter."""
    received = ANSWER[: ANSWER.index(" ")]
    body = request([*ASK, {"role": "assistant", "content": received}], model=OLD)
    answer, record = ask(endpoint(manner="restart"), body)
    assert received + text_of(answer) == ANSWER
    assert record.form == "prefill"
    answer, _ = ask(endpoint(prefill_manner="lost_space"), body)
    assert text_of(answer) == ANSWER[len(received) + 1 :]


@pytest.mark.parametrize("allowed", [None, True, False])
@pytest.mark.parametrize("model", [OLD, "claude-opus-5"])
def test_a_prefill_goes_by_the_model(model: str, allowed: bool | None) -> None:
    """Or by the word of the test."""
    body = request([*ASK, {"role": "assistant", "content": "# Field"}], model=model)
    _, record = ask(endpoint(prefill=allowed), body)
    assert (record.status == 200) == (accepts_prefill(model) if allowed is None else allowed)


def test_what_was_never_said_is_answered_afresh() -> None:
    """From the beginning, and the record says so."""
    answer, record = ask(endpoint(), go_on("I never said that", "never said that"))
    assert text_of(answer) == ANSWER
    assert (record.form, record.matched) == ("user_turn", False)


def test_signatures_that_were_given_are_known() -> None:
    """Thinking comes back signed; hidden thinking is known by the signature that was handed out."""
    hidden = {"type": "thinking", "thinking": "", "signature": "secret"}
    point = endpoint(reply=[hidden, THINKING, {"type": "text", "text": TEXT}])
    history = {
        "role": "assistant",
        "content": [hidden, {**THINKING, "signature": sign("Hm.")}, {"type": "text", "text": "x"}],
    }
    _, before = ask(point, request([*ASK, history, *ASK]))
    ask(point, request())
    _, after = ask(point, request([*ASK, history, *ASK]))
    assert (before.rule, after.rule) == ("signature_valid", None)


@pytest.mark.parametrize(("mode", "thinks"), [("adaptive", True), ("disabled", False), (None, False)])
def test_a_continuation_may_think_anew(mode: str | None, thinks: bool) -> None:
    """With thinking on, and only when told to, and only in a user turn."""
    more: dict[str, Any] = {"thinking": {"type": mode}} if mode else {}
    for rethink in (True, False):
        answer, _ = ask(endpoint(rethink=rethink), go_on(ANSWER[:100], ANSWER[50:100], **more))
        first = json.loads(answer.body)["content"][0]
        assert (first.get("thinking") == AFTERTHOUGHT) is (thinks and rethink)
    answer, _ = ask(endpoint(rethink=True), request(**more))
    assert json.loads(answer.body)["content"][0]["type"] == "text"


def test_max_tokens_is_obeyed_when_told_so() -> None:
    """By default the author finishes, whatever was asked for."""
    answer, _ = ask(endpoint(obey_max_tokens=True), request(max_tokens=10))
    told = json.loads(answer.body)
    assert (text_of(answer), told["stop_reason"]) == (ANSWER[:40], "max_tokens")
    answer, _ = ask(endpoint(), request(max_tokens=10))
    assert text_of(answer) == ANSWER


def test_faults_are_dealt_in_order() -> None:
    """One per request; None is healthy; what is left over gets ``always``."""
    point = endpoint(faults=[Status(529), None], always=Status(503))
    statuses = [ask(point, request())[0].status for _ in range(4)]
    assert statuses == [529, 200, 503, 503]
    assert [record.fault for record in point.received] == [Status(529), None, Status(503), Status(503)]


def test_faults_may_be_chosen_by_the_request() -> None:
    """A function of number and JSON; what it chooses is in the record."""

    def choose(number: int, body: Any) -> Status | None:
        return Status(529) if number == 2 or body["max_tokens"] == 1 else None

    point = endpoint(faults=choose)
    bodies = [request(), request(), request(max_tokens=1)]
    assert [ask(point, body)[0].status for body in bodies] == [200, 529, 529]


def test_an_early_fault_comes_before_the_rules() -> None:
    """An overloaded API does not look at the request; the record knows what it would have said."""
    _, record = ask(endpoint(faults=[Status(529)]), request(max_tokens=0))
    assert (record.status, record.rule) == (529, "field_types")


def test_a_late_fault_spares_a_refusal() -> None:
    """A body that is no stream is not cut like one."""
    answer, record = ask(endpoint(faults=[Cut(at=1, how="clean")]), request(max_tokens=0))
    assert answer.whole
    assert (record.status, record.fault) == (400, Cut(at=1, how="clean"))


def test_no_status_where_none_was_sent() -> None:
    """A head that never came has no status."""
    point = endpoint(faults=[CutHead("fin")])
    point.take(incoming(request()))
    assert point.received[0].status is None


def test_a_failing_author_is_told_to_the_client() -> None:
    """An error in the user's own function is a 500 that says so, and does not kill the server."""

    def author(asked: Any) -> str:
        raise ValueError(asked["model"])

    answer, record = ask(endpoint(reply=author), request())
    assert error_of(answer) == (500, "api_error", "the stand-in's author: ValueError('claude-opus-5')")
    assert record.rule == "author"


def test_records_are_numbered_and_complete() -> None:
    """Number, method, path, headers, bytes and JSON of each request."""
    point = endpoint()
    for _ in range(2):
        ask(point, request(stream=True))
    record = point.received[1]
    assert (record.number, record.method, record.path) == (2, "POST", "/v1/messages")
    assert json.loads(record.body) == record.json == request(stream=True)
    assert record.headers["x-api-key"] == "k"


def test_a_redirect_leads_to_the_answer() -> None:
    """The target answers the first request, whatever the second one carries."""
    point = endpoint(faults=[Status(307)])
    ask(point, request(stream=True))
    answer, record = ask(point, b"", "/redirected/1", method="GET")
    assert b"message_stop" in answer.body
    assert (record.json, record.method) == (None, "GET")


def test_a_loop_leads_to_itself() -> None:
    """Each hop is the same redirect."""
    answer, _ = ask(endpoint(), request(), "/loop/308")
    assert (answer.status, answer.headers["location"]) == (308, "/loop/308")


def test_an_empty_reply_is_a_message() -> None:
    """No content and ``end_turn``."""
    answer, _ = ask(endpoint(reply=Reply()), request())
    assert json.loads(answer.body)["content"] == []


def test_stop_sequences_are_obeyed() -> None:
    """As the API does, in whatever is generated."""
    answer, _ = ask(endpoint(reply="One. Two."), request(stop_sequences=[" Two"]))
    told = json.loads(answer.body)
    assert (text_of(answer), told["stop_reason"], told["stop_sequence"]) == ("One.", "stop_sequence", " Two")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/proxy/v1/messages", True),
        ("/v1/messages", False),
        ("/proxy", False),
        ("/proxy/proxy/v1/messages", False),
    ],
)
def test_everything_is_found_under_the_prefix_alone(path: str, found: bool) -> None:
    """As behind a gateway; the record has the path as it came."""
    answer, record = ask(endpoint(prefix="/proxy"), request(), path)
    assert (answer.status == 200, record.rule, record.path) == (found, None if found else "path", path)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", [None, Cut(after=3, how="rst"), Status(529)])
def test_a_client_of_http_1_0_gets_no_chunks(stream: bool, fault: Fault | None) -> None:
    """The end of the connection is the end of the body, or its length is announced; a fault strikes all the same."""
    old = replace(incoming(request(stream=stream)), http_version="1.0")
    point = endpoint(faults=[fault])
    assert b"transfer-encoding" not in b"".join(
        step.data for step in point.take(old) if isinstance(step, Send)
    )
    new = endpoint(faults=[fault])
    new.take(incoming(request(stream=stream)))
    assert point.received[0].status == new.received[0].status


@pytest.mark.parametrize("path", ["/v1/models", "/v1/messages", "/nowhere", "/loop/307"])
@pytest.mark.parametrize("fault", [None, Status(529)])
def test_a_head_is_answered_with_a_head(path: str, fault: Fault | None) -> None:
    """The status and the headers are those of a GET, and not one byte follows."""
    (head, *rest) = endpoint(faults=[fault]).take(incoming(b"", path, "HEAD"))
    (same, *_) = endpoint(faults=[fault]).take(incoming(b"", path, "GET"))
    assert (head, rest) == (same, [])
