"""Reads what a request of httpx or httpx2 asks for, and whether its stream can be protected.

A continuation is a request with another body. So the body must be known completely, as plain JSON, and
nothing else in the request may depend on it. A signature depends on it (AWS Signature Version 4); a generator
can be sent only once; a compressed body would have to be compressed again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from httpx2 import Request

BATCHES: Final = "/v1/messages/batches"
SIGNED: Final = "aws4-hmac-sha256"


class JsonBody(Mapping[str, Any]):
    """A JSON object that is kept as the bytes in which it arrived.

    A request of many short turns is three times as large when it is parsed, and is needed parsed only if
    something fails. The model is known without parsing.

    Args:
        content: the bytes of a JSON object.
        model: its ``model``.
    """

    def __init__(self, content: bytes, model: object) -> None:
        self.content = content
        self._model = model

    def parsed(self) -> dict[str, Any]:
        """The parsed object, made anew with each call."""
        made: dict[str, Any] = json.loads(self.content)
        return made

    def get(self, key: str, default: Any = None) -> Any:
        """A field. ``model`` needs no parsing."""
        return self._model if key == "model" else self.parsed().get(key, default)

    def __getitem__(self, key: str) -> Any:
        return self.parsed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parsed())

    def __len__(self) -> int:
        return len(self.parsed())


def json_of(content: bytes) -> dict[str, Any] | None:
    """The JSON object in these bytes; None if there is none."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def encoded(body: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes, as httpx writes it. Half a surrogate pair is escaped."""
    written = dict(body.parsed() if isinstance(body, JsonBody) else body)
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(written, separators=(",", ":"), allow_nan=False).encode()


def content_of(request: Request) -> bytes | None:
    """The body of a request that can be sent again; None if it can be read only once."""
    package: Any = sys.modules[type(request).__module__.partition(".")[0]]
    try:
        return request.content
    except package.RequestNotRead:  # a redirected request has only its stream
        stream = request.stream
        return b"".join(cast("Any", stream)) if isinstance(stream, package.ByteStream) else None


def obstacle(request: Request) -> str | None:
    """Why a request for a message can't be continued, whatever its body; None if it can be."""
    if request.headers.get("authorization", "").lower().startswith(SIGNED):
        return "its body is signed (AWS Signature Version 4)"
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return "its body is compressed"
    return None


def path_of(request: Request) -> str:
    """The path of a request, without its query."""
    return request.url.path.rstrip("/") or "/"


def with_content(request: Request, content: bytes) -> Request:
    """The request with another body, and headers with its length."""
    headers = request.headers.copy()
    headers["content-length"] = str(len(content))
    made: Request = type(request)(
        request.method, request.url, headers=headers, content=content, extensions=request.extensions
    )
    return made
