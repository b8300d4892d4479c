"""Print the text of a reply while it arrives, with the async client."""

import asyncio

import anthropic
from resilient_stream import resilient


async def main() -> None:
    """Ask one question."""
    async with (
        resilient(anthropic.AsyncAnthropic()) as client,
        client.messages.stream(
            model="claude-opus-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": "How do tides work?"}],
        ) as stream,
    ):
        async for text in stream.text_stream:
            print(text, end="", flush=True)


asyncio.run(main())
