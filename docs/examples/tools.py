"""Call tools by hand: a call reaches your program only when it is complete."""

import anthropic
from anthropic.types import MessageParam, ToolParam
from resilient_stream import resilient

client = resilient(anthropic.Anthropic(), "agent")

TOOL: ToolParam = {
    "name": "tide",
    "description": "The height of the tide at a harbour, in centimetres.",
    "input_schema": {
        "type": "object",
        "properties": {"harbour": {"type": "string"}},
        "required": ["harbour"],
    },
}
messages: list[MessageParam] = [
    {"role": "user", "content": "How high is the water in Dover?"}
]

while True:
    with client.messages.stream(
        model="claude-opus-5", max_tokens=4096, messages=messages, tools=[TOOL]
    ) as stream:
        message = stream.get_final_message()
    messages.append({"role": "assistant", "content": message.content})
    calls = [block for block in message.content if block.type == "tool_use"]
    if not calls:
        break
    for call in calls:
        print(f"tide({call.input})")
    messages.append(
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": call.id,
                    "content": "The gauge reads 177 cm.",
                }
                for call in calls
            ],
        }
    )

print("".join(block.text for block in message.content if block.type == "text"))
