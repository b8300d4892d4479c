"""An upstream whose stream is journaled."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anthropic

from resilient_stream import resilient
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import StandIn
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL


def test_a_policy_that_holds_tools_is_journaled_as_any_other(tmp_path: Path) -> None:
    """With one more look before each read, sync and async."""
    ask: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}
    policy = HASTY.replace(hold=("tool_use", "server_tool_use"))
    with StandIn(reply=TEXT) as server, Journal(f"sqlite:///{tmp_path}/j.db") as journal:
        with (
            resilient(
                anthropic.Anthropic(base_url=server.url, api_key="k"), policy, journal=journal
            ) as client,
            journaled("a"),
            client.messages.stream(**ask) as stream,
        ):
            assert stream.get_final_text() == TEXT

        async def main() -> None:
            made = anthropic.AsyncAnthropic(base_url=server.url, api_key="k")
            async with resilient(made, policy, journal=journal) as client:
                with journaled("b"):
                    async with client.messages.stream(**ask) as stream:
                        assert await stream.get_final_text() == TEXT

        asyncio.run(main())
        assert [head.status.value for head in journal.streams()] == ["complete", "complete"]
