"""Reads frames as events, and decides whether a frame is safe to deliver.

The SDK recognises ``ping`` and ``error`` by the ``event`` line, skips a frame without one, and parses
``data`` as JSON with a ``type``. A frame over which the SDK would fail (bad UTF-8, bad JSON) is *corrupt*,
and so is one without its data, which the SDK would skip silently. A frame that the SDK would skip by
mistake (a byte order mark, a missing or misleading ``event`` line) is repaired. Every other frame is
delivered as it arrived.

Nearly all frames are deltas in one canonical spelling, which two patterns accept, so that the fault-free path
never parses JSON.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any, Final

from resilient_stream._core.failures import STATUS_OF_ERROR_TYPE, Flaw, Kind, Phase, named_status

from . import safe_json, sse

_STRING: Final = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_HALF_PAIR: Final = rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2})"

CANONICAL_HEAD: Final = re.compile(
    rb"event: content_block_delta\ndata: "
    rb'\{"type": ?"content_block_delta", ?"index": ?(\d+), ?"delta": ?\{"type": ?'
    rb'"(text_delta", ?"text|thinking_delta", ?"thinking|input_json_delta", ?"partial_json)": ?"'
)
"""The beginning of a canonical delta frame: block index, and delta type with field name."""

CANONICAL_TAIL: Final = re.compile(rb"(" + _STRING + rb")" + _HALF_PAIR + rb'"\} *\}\n\n')
"""The rest of it: the raw JSON string, which must not end in the first half of a surrogate pair."""

STRING_LINES: Final = re.compile(rb"(?:" + _STRING + _HALF_PAIR + rb"\n)*+")
"""Strings of such frames, with a line end behind each. None of them has one inside."""

PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*+')
"""Text without escapes, and without characters that would need one."""

FIRST_HALVES: Final = "".join(map(chr, range(0xD800, 0xDC00)))
"""The first halves of surrogate pairs."""

ERROR_PAGE_WORDS: Final = ("message", "Message", "detail", "errors", "title")
"""The fields in which error pages in JSON without ``error`` have their message [Bedrock; API Gateway; FastAPI
and RFC 9457; JSON:API; RFC 9457]."""

MESSAGE_EVENTS: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
"""The events that make up a message."""

LONGEST_ERROR: Final = 64 * 1024
"""Bytes of an error event that are kept for the exception; the same for an error page."""

NO_STREAM: Final = "the body is not an event stream"

SKIPPED: Final = "skipped"
"""The type of an event that no consumer sees: comments, and frames without data."""


@dataclass(slots=True, repr=False)
class Event:
    """One event: its type, its payload and the bytes that carry it to the consumer."""

    type: str
    data: dict[str, Any]
    frame: bytes

    @classmethod
    def of(cls, data: dict[str, Any]) -> Event:
        """An event that the library makes itself."""
        kind = str(data["type"])
        return cls(kind, data, sse.encode(kind, data))


def first(frame: bytes) -> bytes:
    """The first frame of a body, or all of a body without a blank line; without a byte order mark.

    Raises:
        Flaw: `Kind.PROTOCOL`: this is not an event stream, and reports no error. Labels don't count: many
            event streams come under another one.
    """
    frame = frame.removeprefix(sse.BOM)
    if sse.is_event_stream(frame) or _bare_error(frame) is not None:
        return frame
    # Nothing of a reply was received. It may have an encoding that it does not name, or that nobody undoes.
    raise Flaw(Kind.PROTOCOL, NO_STREAM, phase=Phase.HEADERS, undecodable=True)


def read(frame: bytes) -> Event:
    """The event in ``frame``.

    Raises:
        Flaw: `Kind.CORRUPT`, when the SDK would fail to read it, or would not notice what is missing;
            `Kind.PROTOCOL` for an error page that names no status.
    """
    name, data = sse.fields(frame)
    if name == "error":
        return Event("error", _error_body(data), frame)
    if not data:
        return _without_data(name, frame)
    payload = _payload(name, data)
    if payload is None:
        return Event(SKIPPED, {}, frame)
    if _tells_error(payload):
        return Event("error", payload, frame)
    if not _is_type(payload.get("type")):
        return Event.of({**payload, "type": name})
    kind = str(payload.get("type"))
    if name in (None, "ping") and kind != "ping" and not (kind.isascii() and kind.isidentifier()):
        return Event(SKIPPED, {}, frame)
    # The SDK goes by the event line alone here, and would drop what the data says: without a name or with
    # that of a ping always, with a name it does not know before 2.0.
    misled = kind in MESSAGE_EVENTS and name not in MESSAGE_EVENTS
    if name in (None, "ping"):
        misled = kind != "ping"
    return Event(kind, payload, sse.encode(kind, payload) if misled else frame)


def _without_data(name: str | None, frame: bytes) -> Event:
    """The event in a frame without a `data` field.

    Raises:
        Flaw: as `read`.
    """
    strange = sse.has_strange_line(frame)
    if strange and (error := _bare_error(frame)) is not None:
        if _tells_error(error) or named_status(error):
            return Event("error", error, frame)
        raise Flaw(Kind.PROTOCOL, "an error page in place of events", in_band=True, body=error, frame=frame)
    if strange or name in MESSAGE_EVENTS:
        raise Flaw(Kind.CORRUPT, "an event without its data")
    return Event("ping" if name == "ping" else SKIPPED, {}, frame)


def _payload(name: str | None, data: str) -> dict[str, Any] | None:
    """The JSON object of a frame; None if the SDK would not even parse it."""
    try:
        payload = safe_json.parse(data)
    except ValueError:
        if name in (None, "ping"):
            return None
        raise Flaw(Kind.CORRUPT, "invalid JSON") from None
    if isinstance(payload, list) and payload and isinstance(payload[0], dict) and _tells_error(payload[0]):
        return payload[0]
    if isinstance(payload, dict):
        says = _is_type(payload.get("type")) or name in MESSAGE_EVENTS or _tells_error(payload)
        return payload if says else None
    if name in (None, "ping"):
        return None
    raise Flaw(Kind.PROTOCOL, "an event without a type")


def _is_type(value: object) -> bool:
    """Whether this is a type of an event. If not, the event line decides."""
    return isinstance(value, str) and value != ""


def _tells_error(payload: dict[str, Any]) -> bool:
    """Whether an object is an error in one of the forms that gateways use: with or without a type of its own,
    as an object, as text or as a list; or with a type that is an error's."""
    kind, error = payload.get("type"), payload.get("error")
    if kind == "error" or (_is_type(kind) and kind in STATUS_OF_ERROR_TYPE):
        return True
    if isinstance(error, str | list):
        return bool(error) and not _is_type(kind)
    return isinstance(error, dict) and error != {} and not (_is_type(kind) and kind in MESSAGE_EVENTS)


def _bare_error(frame: bytes) -> dict[str, Any] | None:
    """The error in JSON outside a field: in a separate line, or as the whole body of a response."""
    text = frame.decode(errors="replace") if len(frame) <= LONGEST_ERROR else ""
    for candidate in (text, *text.splitlines()):
        if candidate.lstrip().startswith(("{", "[")):
            with contextlib.suppress(ValueError):
                body = safe_json.parse(candidate)
                body = body[0] if isinstance(body, list) and body else body
                if isinstance(body, dict) and (_tells_error(body) or _is_error_page(body)):
                    return body
    return None


def _is_error_page(body: dict[str, Any]) -> bool:
    """Whether JSON outside a field is the error page of a web framework, a cloud or RFC 9457: it has a
    message or a list of errors under one of their names, and no type of an event or a message."""
    if body.get("type") in (*MESSAGE_EVENTS, "message"):
        return False
    return any(isinstance(body.get(name), str | list) and body[name] for name in ERROR_PAGE_WORDS)


def _error_body(data: str | None) -> Any:
    """The body of an error event, as the SDK would attach it to the exception."""
    try:
        body = safe_json.parse(data or "")
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"unreadable": (data or "")[:LONGEST_ERROR]}


def ends_in_half(delta: dict[str, Any]) -> bool:
    """Whether a delta's text ends in the first half of a surrogate pair, whose other half follows."""
    text = delta.get("text") or delta.get("thinking") or ""
    return isinstance(text, str) and "\ud800" <= text[-1:] <= "\udbff"


def paired(text: str) -> str:
    """``text`` with the halves of surrogate pairs put together."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def has_content(part: dict[str, Any]) -> bool:
    """Whether a block start or a delta has something that a consumer would show or keep."""
    if part.get("type") in ("citations_delta", "input_json_delta"):
        return True
    return bool(str(part.get("text") or "").strip() or part.get("thinking"))
