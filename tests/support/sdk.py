"""The message that the SDK makes of a stream's bytes."""

from __future__ import annotations

import anthropic
import httpx2

from .streams import MODERN, Json

_SAID: list[bytes] = []
_SDK = anthropic.Anthropic(
    api_key="none",
    http_client=httpx2.Client(
        transport=httpx2.MockTransport(
            lambda request: httpx2.Response(
                200, headers={"content-type": "text/event-stream"}, content=_SAID[-1]
            )
        )
    ),
)


def by_the_sdk(out: bytes) -> Json:
    """The message that the SDK puts together from these bytes."""
    _SAID[:] = [out]
    with _SDK.messages.stream(model=MODERN, max_tokens=1, messages=[]) as stream:
        return stream.get_final_message().to_dict(mode="json", warnings=False)
