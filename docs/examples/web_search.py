"""Search the web. A search that was cut off runs again."""

import anthropic
from resilient_stream import resilient

client = resilient(anthropic.Anthropic())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    messages=[{"role": "user", "content": "What is the tide in Dover today?"}],
) as stream:
    for event in stream:
        if event.type == "text":
            print(event.text, end="", flush=True)
        elif (
            event.type == "content_block_stop"
            and event.content_block.type == "server_tool_use"
        ):
            print(f"[searches for {event.content_block.input}]")
    message = stream.get_final_message()

print()
print("blocks:", [block.type for block in message.content])
