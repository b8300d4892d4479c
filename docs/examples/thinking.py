"""Show thinking as it arrives. A thought that was cut off is never sent back."""

import anthropic
from resilient_stream import report, resilient

client = resilient(anthropic.Anthropic())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=16000,
    thinking={"type": "adaptive", "display": "summarized"},
    messages=[{"role": "user", "content": "How high will the water be tomorrow?"}],
) as stream:
    for event in stream:
        match event.type:
            case "thinking":
                print(event.thinking, end="", flush=True)
            case "text":
                print(event.text, end="", flush=True)
            case "content_block_stop":
                print()
            case _:
                pass
    message = stream.get_final_message()

print("blocks:", [block.type for block in message.content])
print(
    "abandoned:", report(stream).abandoned
)  # the indices of blocks that were cut off
