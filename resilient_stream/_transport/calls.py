"""Decides which calls are protected, which only have their history healed, and which pass through.

If a call could have been protected and is not, it is marked with the reason, for `report`, and the reason is
logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from resilient_stream._http.attach import attach
from resilient_stream._report.unprotected import Unprotected
from resilient_stream._session.layer import HEALED, MESSAGES, Layer
from resilient_stream._telemetry.guard import guarded

from .request import BATCHES, JsonBody, content_of, encoded, json_of, obstacle, path_of, with_content

if TYPE_CHECKING:
    from httpx2 import Request

    from resilient_stream._session.context import StreamContext

log: Final = logging.getLogger("resilient_stream")


class Protected(NamedTuple):
    """A stream that begins now."""

    context: StreamContext
    content: bytes
    """The body of the first attempt."""
    healed: bool
    """Whether that differs from the user's, because the history would have been refused."""


def read(layer: Layer, request: Request, tenant: str = "") -> Protected | Request:
    """Protect a request, or return the request to send instead.

    Args:
        layer: has the policy of the call.
        request: the user's.
        tenant: as in `Layer.begin`.
    """
    path = path_of(request)
    if request.method != "POST" or not path.endswith((*HEALED, BATCHES)):
        return request
    content = content_of(request)
    if content is None:
        return _unprotected(layer, request, "its body can be sent only once")
    reason = "a batch is not a stream" if path.endswith(BATCHES) else obstacle(request)
    if reason is not None:
        return _unprotected(layer, request, reason)
    body = json_of(content)
    healed = layer.healed(path, body)
    if healed is not None:
        body, content = dict(healed), encoded(healed)
    streams = body is not None and body.get("stream") is True
    reason = layer.why_not(method=request.method, path=path, streams=streams, body=body)
    if reason is None and body is not None:
        context = layer.begin(JsonBody(content, body.get("model")), url=request.url, tenant=tenant)
        return Protected(context, content, healed is not None)
    sent = request if healed is None else with_content(request, content)
    return _unprotected(layer, sent, str(reason)) if streams and path.endswith(MESSAGES) else sent


def _unprotected(layer: Layer, request: Request, reason: str) -> Request:
    if layer.policy.enabled:
        guarded(log.debug, f"not protected: {reason}")
    attach(request, Unprotected(reason))
    return request
