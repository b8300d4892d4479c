"""Act on each kind of event."""

import anthropic
from resilient_stream import resilient

client = resilient(anthropic.Anthropic())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
) as stream:
    for event in stream:
        match event.type:
            case "message_start":
                print(f"[{event.message.model}]")
            case "text":
                print(event.text, end="", flush=True)
            case "content_block_stop":
                print(
                    f"\n[{event.content_block.type} block {event.index} complete]"
                )
            case "message_stop":
                print(f"[stop reason: {event.message.stop_reason}]")
            case _:
                pass
