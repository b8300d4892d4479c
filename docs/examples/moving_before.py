"""A retry loop by hand. It repeats what was printed, and pays for it again."""

import time

import anthropic
import httpx2

client = anthropic.Anthropic(max_retries=5)

for attempt in range(5):
    try:
        with client.messages.stream(
            model="claude-opus-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": "How do tides work?"}],
        ) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
        break
    except (anthropic.APIError, httpx2.TransportError):
        if attempt == 4:
            raise
        time.sleep(2**attempt)
