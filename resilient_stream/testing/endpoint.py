"""The API without its sockets: it takes one request, and returns one answer and one record.

The steps have the API's order. An early fault (a status, missing headers) occurs whatever the request
contains. Then the request is checked. Then the author writes, a continuation is recognised, and the fault
damages the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import hosts
from .asked import Asked
from .author import ANSWER, Author, limited, stopped, write
from .continuations import Reading, read, resume
from .faults import Fault, Redirect, error_body
from .manners import Manner, manner_of
from .requests import Incoming, Received
from .resources import Files, model_resource
from .rules import Refusal, check
from .threads import NOT_FOUND, Threads
from .transcript import Reply, compact, input_tokens, listing, mapping, message, message_events, sse_event
from .wire import Answer, Script, frame, status_of, without_body

Faults = Sequence[Fault | None] | Callable[[int, Any], Fault | None]
"""One fault per request in order, or a function of the request's number and JSON."""

AFTERTHOUGHT = "The answer broke off. I go on from its last words."

NO_PATH = Refusal("path", 404, "not_found_error", "Not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the stand-in behaves; the fields are documented at :class:`~.server.StandIn`."""

    reply: Author = ANSWER
    faults: Faults = ()
    always: Fault | None = None
    manner: str | Manner = "echo"
    prefill_manner: str | Manner = "no_echo"
    prefill: bool | None = None
    strict: bool = True
    delta_size: int = 16
    pace: float = 0.0
    rethink: bool = False
    obey_max_tokens: bool = False
    prefix: str = ""


class Endpoint:
    """Answers requests one after the other. Not thread-safe: the server holds a lock around it."""

    def __init__(self, settings: Settings) -> None:
        """Behave as the settings say."""
        self.settings = settings
        self.manner = manner_of(settings.manner)
        self.prefill_manner = manner_of(settings.prefill_manner)
        self.received: list[Received] = []
        self.signatures: set[str] = set()
        self.threads = Threads()
        self.files = Files()

    def take(self, incoming: Incoming) -> Script:
        """The script that answers a request. The request is recorded."""
        number = len(self.received) + 1
        record = Received(
            number,
            incoming.method,
            incoming.path,
            incoming.headers,
            incoming.body,
            _parsed(incoming.body),
            http_version=incoming.http_version,
        )
        try:
            record, script = self._answer(record)
        except Exception as error:  # noqa: BLE001 - raised by the user's author or schedule; the client sees it
            told = _refused(number, Refusal("author", 500, "api_error", f"the stand-in's author: {error!r}"))
            record, script = replace(record, rule="author"), frame(told)
        self.received.append(replace(record, status=status_of(script)))
        return without_body(script) if incoming.method == "HEAD" else script

    def _answer(self, record: Received) -> tuple[Received, Script]:
        fault = self._fault(record)
        record = replace(record, fault=fault)
        answer, record = self._healthy(record)
        if record.http_version == "1.0" and answer.framing == "chunked":
            answer = replace(answer, framing="close")
        if fault is not None and (fault.early or record.rule is None):
            return record, fault.script(answer)
        return record, frame(answer)

    def _fault(self, record: Received) -> Fault | None:
        faults = self.settings.faults
        if callable(faults):
            return faults(record.number, record.json)
        return faults[record.number - 1] if record.number <= len(faults) else self.settings.always

    def _healthy(self, record: Received) -> tuple[Answer, Received]:
        path = record.path.partition("?")[0]
        if looping := re.fullmatch(r"/loop/(3\d\d)", path):
            return Redirect(int(looping[1]), loop=True).edit(_blank(record.number)), record
        moved = re.fullmatch(r"/redirected/(\d+)", path)
        for first in self.received[int(moved[1]) - 1 : int(moved[1])] if moved else ():
            answer, told = self._messages(replace(record, json=first.json, headers=first.headers))
            return answer, replace(told, json=record.json, headers=record.headers)
        if path.startswith(self.settings.prefix):
            return self._routed(record, path.removeprefix(self.settings.prefix))
        return _refused(record.number, NO_PATH), replace(record, rule="path")

    def _routed(self, record: Received, path: str) -> tuple[Answer, Received]:
        """The answer for a path."""
        if record.method == "POST" and path == "/v1/messages":
            return self._turn(record)
        if record.method == "POST" and path == "/v1/messages/count_tokens":
            return self._messages(record, counting=True)
        asked = hosts.asked_of(path, mapping(record.json)) if record.method == "POST" else None
        if asked is not None:
            answer, record = self._messages(replace(record, json=asked))
            return (_in_aws_framing(answer) if hosts.bedrock(path) else answer), record
        return self._resource(record, path)

    def _resource(self, record: Received, path: str) -> tuple[Answer, Received]:
        """The API's other resources: models and files."""
        method = "GET" if record.method == "HEAD" else record.method
        found = (
            self._keyless(record)
            or model_resource(method, path)
            or self.files.resource(method, path, record)
            or NO_PATH
        )
        if isinstance(found, Refusal):
            return _refused(record.number, found), replace(record, rule=found.rule)
        return _blank(record.number).instead(200, found.content_type, found.body), record

    def _turn(self, record: Received) -> tuple[Answer, Received]:
        """A message, with or without a thread."""
        try:
            whole = self.threads.recall(record.json)
        except KeyError:
            return _refused(record.number, NOT_FOUND), replace(record, rule=NOT_FOUND.rule)
        answer, told = self._messages(replace(record, json=whole))
        if told.rule is None and told.fault is None:
            self.threads.hold(whole, answer.message)
        return answer, replace(told, json=record.json)

    def _messages(self, record: Received, *, counting: bool = False) -> tuple[Answer, Received]:
        refusal = self._refusal(record, counting=counting)
        if refusal is not None:
            reading = Reading()
            if check(Asked(mapping(record.json), counting=counting), strict=False) is None:
                reading = read(record.json, ())
            record = replace(record, rule=refusal.rule, form=reading.form, quote=reading.quote)
            return _refused(record.number, refusal), record
        request: Mapping[str, Any] = record.json
        if counting:
            counted = compact({"input_tokens": input_tokens(request)}).encode()
            return _blank(record.number).instead(200, "application/json", counted), record
        reply, reading = self._reply(request)
        whole = message(
            reply,
            message_id=f"msg_01StandIn{record.number:014d}",
            model=request["model"],
            input_tokens=input_tokens(request),
        )
        self.signatures |= {block["signature"] for block in whole["content"] if "signature" in block}
        record = replace(
            record,
            form=reading.form,
            quote=reading.quote,
            matched=reading.form == "fresh" or reading.place is not None,
        )
        answer = replace(_blank(record.number), message=whole)
        if not request.get("stream"):
            return answer.instead(200, "application/json", compact(whole).encode()), record
        events = message_events(whole, delta_size=self.settings.delta_size, start=reply.start)
        answer = answer.with_headers(
            {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        )
        return replace(answer, body=tuple(map(sse_event, events)), pace=self.settings.pace), record

    def _refusal(self, record: Received, *, counting: bool) -> Refusal | None:
        if (keyless := self._keyless(record)) is not None:
            return keyless
        request = mapping(record.json)
        if not request:
            return Refusal("json", 400, "invalid_request_error", "The request body is not valid JSON")
        asked = Asked(
            request,
            size=len(record.body),
            signatures=self.signatures,
            prefill=self.settings.prefill,
            counting=counting,
        )
        return check(asked, strict=self.settings.strict)

    def _keyless(self, record: Received) -> Refusal | None:
        if self.settings.strict and not {"x-api-key", "authorization"} & set(record.headers):
            return Refusal("api_key", 401, "authentication_error", "x-api-key header is required")
        return None

    def _reply(self, request: Mapping[str, Any]) -> tuple[Reply, Reading]:
        reply = write(self.settings.reply, request)
        reading = read(request, reply.content)
        manner = self.manner if reading.form == "user_turn" else self.prefill_manner
        reply = resume(reply, reading, manner)
        thinks = Asked(request).thinking != "disabled"
        if self.settings.rethink and thinks and reading.form == "user_turn":
            thought = {"type": "thinking", "thinking": AFTERTHOUGHT}
            reply = replace(reply, content=(thought, *reply.content))
        reply = stopped(reply, listing(request.get("stop_sequences")))
        if self.settings.obey_max_tokens:
            reply = limited(reply, request["max_tokens"])
        return reply, reading


def _in_aws_framing(answer: Answer) -> Answer:
    """A stream as Bedrock sends it. A refusal is not changed."""
    if answer.status != 200:
        return answer
    body = tuple(hosts.aws_event(part) if isinstance(part, bytes) else part for part in answer.body)
    return replace(answer, body=body).with_headers({"content-type": hosts.AWS_EVENT_STREAM})


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _blank(number: int) -> Answer:
    return Answer(headers=(("request-id", f"req_{number:04d}"),), number=number)


def _refused(number: int, refusal: Refusal) -> Answer:
    body = error_body(refusal.error, refusal.message, f"req_{number:04d}", refusal.details)
    answer = _blank(number).instead(refusal.status, "application/json", body)
    return answer.with_headers({"x-should-retry": "false"})
