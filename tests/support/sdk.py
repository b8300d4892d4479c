"""The message that the SDK makes of a stream's bytes."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import Any

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


@dataclass
class Heard:
    """What the SDK makes of some bytes."""

    message: Json | None
    """The message, if any came."""
    error: str
    """What it failed over."""


def heard_by_the_sdk(out: bytes, *, beta: bool = False) -> Heard:
    """What the SDK makes of bytes that may be no whole stream."""
    _SAID[:] = [out]
    api: Any = _SDK.beta.messages if beta else _SDK.messages
    message: Json | None = None
    try:
        with warnings.catch_warnings(), api.stream(model=MODERN, max_tokens=1, messages=[]) as stream:
            warnings.simplefilter("ignore")  # pydantic's, of fields of another type
            for _ in stream:
                pass
            with contextlib.suppress(AssertionError):  # no message_start came
                message = stream.current_message_snapshot.to_dict(mode="json", warnings=False)
    except Exception as error:  # noqa: BLE001 -- that is what is asked for
        return Heard(message, f"{type(error).__name__}: {error}")
    return Heard(message, "")
