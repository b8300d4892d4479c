"""What is known about models: which accept a prefilled assistant turn, which think by default, how long their
windows are.

The Models API has no flag for the first two, so this is a table. An id that is not in it counts as "no". A
model that refuses a form is remembered elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_HOST_PREFIX: Final = re.compile(r"^(?:[a-z-]{2,8}\.)?anthropic\.")
_HOST_SUFFIX: Final = re.compile(r"(?:-v\d+(?::\d+)?)?$")
_DATE: Final = re.compile(r"[-@]\d{8}$|-latest$|@default$")

_PREFILL: Final = re.compile(
    r"claude-(?:(?:opus|sonnet|haiku)-4(?:-[0-5])?|3(?:-[57])?-(?:opus|sonnet|haiku))$"
)
"""Claude 4.5 and earlier continue a trailing assistant turn; 4.6 and later answer 400
[platform docs: "Streaming", error recovery; "Errors", prefill not supported]."""

_THINKS_ONLY_WHEN_ASKED: Final = re.compile(r"claude-(?:opus|sonnet)-4-[6-8]$")
"""4.6 to 4.8 think only if the request asks for it [platform docs: thinking, supported models]."""


def named(request: Mapping[str, Any]) -> str:
    """The model that a request names, in the form in which it is sent: the value of an enum's member."""
    model = request.get("model")
    return str.__str__(model) if isinstance(model, str) else ""


def family(model: str) -> str:
    """A model id without a host's prefix, version suffix or date (Bedrock, Vertex and first-party ids)."""
    name = _HOST_PREFIX.sub("", model.lower())
    return _DATE.sub("", _HOST_SUFFIX.sub("", name))


def accepts_prefill(model: str) -> bool:
    """Whether a model is known to continue a trailing assistant turn. Opaque ids mean no."""
    return _PREFILL.match(family(model)) is not None


def thinking_on(request: Mapping[str, Any]) -> bool:
    """Whether a request makes the model think, by its ``thinking`` field or by the model's default."""
    thinking = request.get("thinking")
    if isinstance(thinking, Mapping):
        return thinking.get("type") != "disabled"
    name = family(named(request))
    return not (_PREFILL.match(name) or _THINKS_ONLY_WHEN_ASKED.match(name))


def window(*names: str) -> int:
    """The least number of tokens in the window of a model with these names.

    Every Claude that is served has 200,000 or more [platform docs, "Context windows"]. An opaque name may
    belong to a small model of another kind.
    """
    return 200_000 if any("claude" in name.lower() for name in names) else 8_192
