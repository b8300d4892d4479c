"""pydantic-ai: give the provider a resilient client."""

import asyncio

from anthropic import AsyncAnthropic
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from resilient_stream import resilient

client = resilient(AsyncAnthropic(), "agent")
model = AnthropicModel(
    "claude-sonnet-5", provider=AnthropicProvider(anthropic_client=client)
)
agent = Agent(model)


async def main() -> None:
    async with agent.run_stream("How do tides work?") as result:
        async for text in result.stream_text(delta=True):
            print(text, end="", flush=True)
    print()


asyncio.run(main())
