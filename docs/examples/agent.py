"""An agent loop: tools run once for each call, and agents share one client."""

import asyncio
from collections.abc import Awaitable, Callable

import anthropic
from anthropic.types import (
    MessageParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
)
from resilient_stream import resilient


async def tide(call: ToolUseBlock) -> str:
    """What the tool does. A cut never makes it run twice."""
    print(f"{call.id}: {call.input}")
    return "The gauge reads 177 cm."


RUN: dict[str, Callable[[ToolUseBlock], Awaitable[str]]] = {"tide": tide}
TOOLS: list[ToolParam] = [
    {
        "name": "tide",
        "description": "The height of the tide at a harbour, in centimetres.",
        "input_schema": {
            "type": "object",
            "properties": {"harbour": {"type": "string"}},
        },
    }
]


async def agent(
    client: anthropic.AsyncAnthropic, task: str, turns: int = 10
) -> str:
    """Work on a task until the model has no more calls to make; its last words."""
    messages: list[MessageParam] = [{"role": "user", "content": task}]
    for _ in range(turns):
        async with client.messages.stream(
            model="claude-opus-5",
            max_tokens=4096,
            messages=messages,
            tools=TOOLS,
        ) as stream:
            message = await stream.get_final_message()
        messages.append({"role": "assistant", "content": message.content})
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            return "".join(
                block.text for block in message.content if block.type == "text"
            )
        results: list[ToolResultBlockParam] = [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": await RUN[call.name](call),
            }
            for call in calls
        ]
        messages.append({"role": "user", "content": results})
    raise RuntimeError(f"not done after {turns} turns")


async def main() -> None:
    """Two agents at once. They share a retry budget: it is one API and one key."""
    async with (
        resilient(anthropic.AsyncAnthropic(), "agent") as client,
        asyncio.TaskGroup() as group,
    ):
        tasks = [
            group.create_task(agent(client, f"The tide in {place}?"))
            for place in ("Dover", "Ghent")
        ]
    for task in tasks:
        print(task.result())


asyncio.run(main())
