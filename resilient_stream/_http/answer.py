"""The API's answer as an exception carries it: the status, all headers and the body.

A response refers to its connection and its request, which may be a large continuation. A program may keep an
exception for a long time, so the response in it has neither. Its request is the one that the user wrote.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from resilient_stream._core.failures import Failure, error_in, status_of_error

from .dialect import dialect_of
from .error_page import without_encoding

if TYPE_CHECKING:
    from httpx2 import Request, Response

_OF_THE_HEAD: Final[Sequence[str]] = ("http_version", "reason_phrase")
"""Extensions that are plain values."""


class Answer:
    """The answer to one attempt.

    Args:
        http: its response. Its page is kept where it was read.
    """

    def __init__(self, http: Response) -> None:
        self._dialect = dialect_of(http)
        self._status, self._headers = http.status_code, http.headers
        self._extensions = {name: http.extensions[name] for name in _OF_THE_HEAD if name in http.extensions}
        self._page: Any = None
        if "_content" in vars(http):
            self._page = copy.copy(http)  # which leaves out the connection, as pickling does
            self._page.request = None

    def response(self, failure: Failure, request: Request) -> Response:
        """The response that an exception for ``failure`` carries.

        For an error that the API reported inside a stream, it has the headers of the stream, the status that
        the error has outside a stream, and the reported JSON as its body. ``retry-after``, the rate limit
        headers and the request id are there in either case.
        """
        if self._page is not None and not failure.in_band:
            made: Response = copy.copy(self._page)
            made.request = request
        else:
            status, headers, content = self._status, without_encoding(self._headers), b""
            if failure.in_band:
                status, content = _status_outside(failure), _page_of(failure.said)
                is_text = isinstance(failure.said, str)
                headers["content-type"] = "text/plain" if is_text else "application/json"
            made = self._dialect.response(status, headers, request, content=content)
        made.extensions = self._extensions
        return made


def _status_outside(failure: Failure) -> int:
    """The status that an error inside a stream has outside one."""
    return status_of_error({"type": failure.detail} if failure.body is None else error_in(failure.body))


def _page_of(said: object) -> bytes:
    """The body that an error inside a stream would have as a response."""
    text = said if isinstance(said, str) else json.dumps(said)
    return b"" if said is None else text.encode(errors="replace")
