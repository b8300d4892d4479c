"""The demo against the real API: its streams come through a proxy that cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resilient_stream import RetryPolicy

from .proxy import CuttingProxy, Snip
from .run import Call, Hear, Told, nobody, run

API: Final = "https://api.anthropic.com"

PROMPT: Final = (
    "Write field notes on tides for a curious reader: about 500 words in Markdown, with headings, a list"
    " and a small table. Begin with the title."
)

SNIPS: Final = (Snip(4000, "rst"), Snip(6000, "clean"), Snip(6000, "fin"))
"""What the proxy does to the first three answers; the fourth stays complete."""


def live(
    environ: Mapping[str, str],
    model: str,
    hear: Hear = nobody,
    *,
    policy: RetryPolicy | None = None,
    in_async: bool = False,
) -> Told:
    """Stream one answer of the API through three cuts.

    Args:
        environ: holds the key as ``ANTHROPIC_API_KEY``, and where the API is, as it does for the SDK, as
            ``ANTHROPIC_BASE_URL``.
        model: the model that answers.
        hear: called with each piece.
        policy: the policy of the stream; None for the defaults.
        in_async: whether to use the async client.
    """
    with CuttingProxy(environ.get("ANTHROPIC_BASE_URL") or API, SNIPS) as proxy:
        key = environ["ANTHROPIC_API_KEY"]
        call = Call(proxy.url, policy or RetryPolicy(), model=model, prompt=PROMPT, max_tokens=2048, key=key)
        return run(call, hear, in_async=in_async)
