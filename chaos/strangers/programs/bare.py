"""Print a reply as it is written, with nothing of the library in the program."""

import json

import anthropic

client = anthropic.Anthropic()  # it reads ANTHROPIC_BASE_URL
with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "Tell me about tides."}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
    message = stream.get_final_message()
for block in message.content:
    if block.type == "tool_use":
        print("\n" + json.dumps(block.input))
