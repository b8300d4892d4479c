"""The demo against the real API: its streams come through a proxy that cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resilient_stream import RetryPolicy

from .proxy import CuttingProxy, Snip
from .run import Call, Hear, Told, run

API: Final = "https://api.anthropic.com"

PROMPT: Final = (
    "Write field notes on tides for a curious reader: about 500 words in Markdown, with headings, a list"
    " and a small table. Begin with the title."
)

SNIPS: Final = (Snip(4000, "rst"), Snip(6000, "clean"), Snip(6000, "fin"))
"""What the proxy does to the first three answers; the fourth stays whole."""


class NoKeyError(ValueError):
    """There is no API key. The text says what to do."""


def live(environ: Mapping[str, str], model: str, hear: Hear, *, in_async: bool) -> Told:
    """Stream one answer of the API's through three cuts.

    ``ANTHROPIC_BASE_URL`` says where the API is, as it does for the SDK.

    Raises:
        NoKeyError: ``ANTHROPIC_API_KEY`` is not set.
    """
    key = environ.get("ANTHROPIC_API_KEY", "")
    if not key:
        raise NoKeyError("--live needs an API key: set ANTHROPIC_API_KEY, or leave out --live to need none")
    with CuttingProxy(environ.get("ANTHROPIC_BASE_URL") or API, SNIPS) as proxy:
        call = Call(proxy.url, RetryPolicy(), model=model, prompt=PROMPT, max_tokens=2048, key=key)
        return run(call, hear, in_async=in_async)
