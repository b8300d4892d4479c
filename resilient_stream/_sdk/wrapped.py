"""Builds the SDK's own response object around an HTTP response of the library."""

from __future__ import annotations

from typing import Any

import httpx2
from anthropic import APIRequest


def wrapped(wrapper: type[Any], response: httpx2.Response, request: APIRequest, client: object) -> Any:
    """The SDK's own response object around an HTTP response of the library, which takes the place of what the
    rest of the chain would have returned.

    Args:
        wrapper: `APIResponse` or `AsyncAPIResponse`.
        response: it will be read, or its error raised.
        request: the call that it answers.
        client: the client that reads it; None if it is never read.
    """
    return wrapper(
        raw=response,
        cast_to=request.cast_to,
        client=client,
        stream=request.stream,
        stream_cls=request.stream_cls,
        options=request.options,
    )
