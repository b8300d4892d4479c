"""The paths of other hosts, and Bedrock's framing.

Vertex and Bedrock have the model in the path. Bedrock streams in AWS's event framing: each message has its
length, the length of its headers, a checksum of these two, headers, payload, and a checksum of all that.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import urllib.parse
import zlib
from collections.abc import Mapping
from typing import Any, Final

AWS_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"

_BEDROCK: Final = re.compile(r"/model/([^/]+)/invoke(-with-response-stream)?")
_VERTEX: Final = re.compile(r"(?:/.*)?/publishers/anthropic/models/([^/]+):(rawPredict|streamRawPredict)")


def bedrock(path: str) -> bool:
    """Whether this is Bedrock's path for a stream, which is answered in AWS's framing."""
    found = _BEDROCK.fullmatch(path)
    return found is not None and found[2] is not None


def asked_of(path: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The request as the API itself expects it; None if the path is not another host's."""
    found = _BEDROCK.fullmatch(path) or _VERTEX.fullmatch(path)
    if found is None:
        return None
    stream = found[2] in ("-with-response-stream", "streamRawPredict")
    return {**body, "model": urllib.parse.unquote(found[1]), "stream": stream}


def aws_event(event: bytes) -> bytes:
    """A server-sent event as a message of AWS's."""
    data = b"\n".join(line[6:] for line in event.splitlines() if line.startswith(b"data: "))
    payload = json.dumps({"bytes": base64.b64encode(data).decode()})
    return aws_message({":event-type": "chunk", ":message-type": "event"}, payload.encode())


def aws_exception(code: str, message: str = "It failed.") -> bytes:
    """An error inside a stream of AWS's."""
    named = {":exception-type": code, ":message-type": "exception"}
    return aws_message(named, json.dumps({"message": message}).encode())


def aws_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; all headers are strings."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in {":content-type": "application/json", **headers}.items()
    )
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack("!I", zlib.crc32(body))
