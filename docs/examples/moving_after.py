"""The same with the library: the loop is gone."""

import anthropic
from resilient_stream import RetryPolicy, resilient

client = resilient(anthropic.Anthropic(), RetryPolicy(max_attempts=5))

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
