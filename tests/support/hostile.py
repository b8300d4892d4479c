"""Answers of an upstream that may send anything: healthy streams and error pages, spoilt in any place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from hypothesis import strategies as st

from resilient_stream._core.wire.safe_json import parse

from .golden import GOLDEN

PLACE = "@@here@@"
"""Stands in JSON for what is spelt by hand, because no encoder would."""

SPELT = [
    *("null", "true", "0", "-1", "1.5", "1e999", "-1e999", "NaN", "-Infinity", "1e-400", "01", "+1"),
    *("1" + "0" * 400, "-" + "9" * 400, "9" * 5000, "0." + "1" * 5000),
    *(
        '""',
        '"\\ud83d"',
        '"\\udc00x"',
        '"\\u0000"',
        '" "',
        '"\\\\ud83d"',
        '"' + "x" * 3000 + '"',
        '"{\\"a\\":',
    ),
    *("[]", "{}", "[[]]", '[{"type":"text"}]', '{"type":null}', '{"type":"text","text":5}', '{"id":{}}'),
    *("[" * 150 + "]" * 150, '{"a":' * 250 + "1" + "}" * 250, "[" * 2000 + "]" * 2000, "[" * 100_000),
    *(
        '"error"',
        '"message_stop"',
        '"tool_use"',
        '"thinking"',
        '"fallback"',
        '"server_tool_use"',
        '"max_tokens"',
    ),
]
"""JSON, and what is nearly that, which a parser, an encoder or arithmetic may fail over."""

BYTES = [
    *(b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\r\n\r\n", b"\n\n", b":\n\n", b"data\n\n", b"event\n\n"),
    *(b"event: error\n\n", b"event: ping\n\n", b"data: {}\n\n", b"data: []\n\n", b"event: message_start\n\n"),
    *(b"id: 1\0\n\n", b"retry: 1e9\n\n", b"event: message_stop\ndata: {}\n\n", b'data: {"type":"error"}\n\n'),
    *(b"<html>\n\n", b'{"type":"error","error":{"type":"overloaded_error"}}\n\n', b"data: [DONE]\n\n"),
]
"""What may stand between events."""

ERRORS = [
    b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "r"}',
    b'event: error\ndata: {"error": {"message": "m", "type": "None", "code": 502, "param": null}}',
    b'data: {"error": {"message": "m", "code": "rate_limit", "status": "UNAVAILABLE"}}',
    b'event: error\ndata: {"type": "error", "error": "words", "code": 402, "status": 429}',
]
"""Errors that are told in a stream, in the API's spelling and in those of gateways."""

HEADERS = {
    b"retry-after": [
        b"1" * 400,
        b"nan",
        b"-1",
        b"0",
        b"1e999",
        b"Fri, 31 Dec 99999 23:59:59 GMT",
        b"\xff",
        b"1 1",
    ],
    b"retry-after-ms": [b"1" * 5000, b"0.0001", b"-0", b"inf", b"x" * 5000],
    b"x-should-retry": [b"true", b"false", b"maybe"],
    b"request-id": [b"", b"\xff\xfe", b"x" * 10_000, b"a, b"],
    b"content-type": [
        *(
            b"",
            b"text/event-stream",
            b"text/html; charset=idna",
            b"application/json; charset=\x00",
            b"a/b; charset",
        ),
        *(
            b"text/plain; charset=punycode",
            b"text/plain; charset=base64",
            b"text/plain; charset=utf-16",
            b";;;",
        ),
    ],
    b"content-encoding": [b"identity", b"gzip", b"br", b"deflate, gzip", b"no-such", b"gzip, " * 9 + b"gzip"],
    b"content-length": [b"5", b"-1", b"x"],
    b"date": [b"never"],
}
"""Headers that something looks at, and values that they may have."""

spelt = st.sampled_from(SPELT) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
).map(json.dumps)
"""JSON as it is spelt, or nearly."""


@dataclass
class Answer:
    """What an upstream answers to one request."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    size: int = 10**7
    """Bytes that come at a time."""
    breaks: bool = False
    """It ends in a broken connection."""

    def response(self) -> httpx2.Response:
        """The answer as a response."""
        return httpx2.Response(self.status, headers=self.headers, stream=_Body(self))


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        body, size = self._answer.body, self._answer.size
        yield from (body[at : at + size] for at in range(0, len(body), size))
        if self._answer.breaks:
            raise httpx2.ReadError("broken")


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is anything in a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield from _paths(inner, (*path, name))


def _changed(value: Any, path: tuple[Any, ...], *, gone: bool) -> Any:
    """A JSON value with `PLACE` there, or with nothing there."""
    if not path:
        return PLACE
    name, *rest = path
    copied = value.copy()
    if gone and not rest:
        del copied[name]
    else:
        copied[name] = _changed(value[name], tuple(rest), gone=gone)
    return copied


@st.composite
def spoilt(draw: st.DrawFn, frame: bytes) -> bytes:
    """A frame with one thing wrong in its JSON, or in its bytes."""
    head, separator, data = frame.partition(b"\ndata: ")
    try:
        value = parse(data.decode())
    except ValueError:
        value = None
    if not separator or not isinstance(value, dict) or draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(frame)))
        return (
            frame[:at]
            + draw(st.sampled_from(BYTES) | st.binary(max_size=9))
            + frame[at + draw(st.integers(0, 3)) :]
        )
    path = draw(st.sampled_from(list(_paths(value))))
    if path and draw(st.booleans()):
        return head + separator + json.dumps(_changed(value, path, gone=True)).encode()
    spoilt = json.dumps(_changed(value, path, gone=False)).replace(f'"{PLACE}"', draw(spelt))
    return head + separator + spoilt.encode("utf-8", "surrogatepass")


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A stream that was healthy, with a few things wrong."""
    frames = GOLDEN[draw(st.sampled_from(sorted(GOLDEN)))].split(b"\n\n")[:-1]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(frames) - 1))
        match draw(st.integers(0, 9)):
            case 0:
                frames.insert(at, frames[at])
            case 1 if len(frames) > 1:
                del frames[at]
            case 2:
                other = draw(st.integers(0, len(frames) - 1))
                frames[at], frames[other] = frames[other], frames[at]
            case 3:
                frames.insert(at, draw(st.sampled_from(BYTES)))
            case 4:
                frames.insert(at, draw(spoilt(draw(st.sampled_from(ERRORS)))))
            case _:
                frames[at] = draw(spoilt(frames[at]))
    body = b"".join(frame + b"\n\n" for frame in frames)
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """The page of an error."""
    kinds = ["overloaded_error", "rate_limit_error", "invalid_request_error", "novel_error"]
    error = {"type": draw(st.sampled_from(kinds)), "message": "m", "details": {"error_code": "x"}}
    page = {"type": "error", "error": error, "request_id": "req_1"}
    match draw(st.integers(0, 3)):
        case 0:
            return draw(st.binary(max_size=50) | st.sampled_from(BYTES))
        case 1:
            return draw(spelt).encode("utf-8", "surrogatepass")
        case 2:
            return json.dumps(page).encode()
        case _:
            changed = json.dumps(_changed(page, draw(st.sampled_from(list(_paths(page)))), gone=False))
            return changed.replace(f'"{PLACE}"', draw(spelt)).encode("utf-8", "surrogatepass")


@st.composite
def _headers(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=2))
    return [(name, draw(st.sampled_from(HEADERS[name]))) for name in names]


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """A stream, or an error; under headers that may be strange."""
    streams = draw(st.integers(0, 3)) > 0
    status = 200 if streams else draw(st.sampled_from([301, 400, 401, 404, 408, 413, 429, 500, 503, 529]))
    body = draw(bodies() if streams else pages())
    size = max(draw(st.sampled_from([7, 100, 10_000, 10**7])), len(body) // 500)
    usual = [(b"content-type", b"text/event-stream" if streams else b"application/json")]
    strange = draw(_headers()) if draw(st.integers(0, 2)) == 0 else []
    kept = [(name, value) for name, value in usual if name not in dict(strange)]
    return Answer(status, [*kept, *strange], body, size, draw(st.booleans()))
