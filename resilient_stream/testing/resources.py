"""Other resources of the API: the list of models, and uploaded files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any, Final, cast

from .models import LISTED
from .requests import Received
from .rules import Refusal
from .transcript import compact

DAWN: Final = "2026-01-01T00:00:00Z"
"""The creation time of everything, so that the same test gets the same bytes."""

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Found:
    """A resource: its content type and its bytes."""

    content_type: str
    body: bytes

    @classmethod
    def json(cls, value: object) -> Found:
        """A resource in JSON."""
        return cls(JSON, compact(value).encode())

    @classmethod
    def page(cls, items: Sequence[Mapping[str, Any]]) -> Found:
        """A list that fits on one page, in the API's older and newer spelling of a page."""
        ids = [item["id"] for item in items]
        ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else {"first_id": None, "last_id": None}
        return cls.json({"data": items, "has_more": False, **ends, "next_page": None})


def model_resource(method: str, path: str) -> Found | Refusal | None:
    """The list of models, or one of them; None for any other path."""
    found = re.fullmatch(r"/v1/models(?:/([^/]+))?", path)
    if method != "GET" or found is None:
        return None
    if found[1] is None:
        return Found.page([_model(name) for name in LISTED])
    return Found.json(_model(found[1])) if found[1] in LISTED else _missing(f"model: {found[1]}")


class Files:
    """The files that were uploaded, in order."""

    def __init__(self) -> None:
        """Begin without files."""
        self._kept: dict[str, tuple[dict[str, Any], bytes]] = {}

    def resource(self, method: str, path: str, request: Received) -> Found | Refusal | None:
        """Upload, list, describe, download or delete a file; None for any other path."""
        if path == "/v1/files":
            match method:
                case "POST":
                    return self._upload(request)
                case "GET":
                    return Found.page([told for told, _ in self._kept.values()])
                case _:
                    return None
        found = re.fullmatch(r"/v1/files/([^/]+)(/content)?", path)
        if found is None or method not in ("GET", "DELETE") or (found[2] and method != "GET"):
            return None
        if found[1] not in self._kept:
            return _missing(f"file: {found[1]}")
        told, content = self._kept[found[1]]
        if method == "DELETE":
            del self._kept[found[1]]
            return Found.json({"id": found[1], "type": "file_deleted"})
        return Found(told["mime_type"], content) if found[2] else Found.json(told)

    def _upload(self, request: Received) -> Found | Refusal:
        part = _file_part(request)
        if part is None:
            return Refusal("file", 400, "invalid_request_error", "file: Field required")
        content = cast("bytes", part.get_payload(decode=True))  # not multipart, but it has bytes
        file_id = f"file_01StandIn{request.number:014d}"
        told = {
            "id": file_id,
            "type": "file",
            "filename": part.get_filename() or "unnamed",
            "mime_type": part.get_content_type(),
            "size_bytes": len(content),
            "created_at": DAWN,
            "downloadable": True,
        }
        self._kept[file_id] = told, content
        return Found.json(told)


def _file_part(request: Received) -> Message | None:
    """The part of a multipart body that is called ``file``."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    for part in BytesParser().parsebytes(head + request.body).walk():
        if part.get_param("name", header="content-disposition") == "file" and not part.is_multipart():
            return part
    return None


def _model(name: str) -> dict[str, Any]:
    told = name.replace("-", " ").title()
    return {"id": name, "type": "model", "display_name": told, "created_at": DAWN, "lifecycle": "active"}


def _missing(what: str) -> Refusal:
    return Refusal("resource", 404, "not_found_error", what)
