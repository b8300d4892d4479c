"""Print the text of a reply while it arrives."""

import anthropic
from resilient_stream import resilient

client = resilient(anthropic.Anthropic())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
