"""A chat that survives: a turn that breaks is continued, or keeps what arrived."""

import sys

import anthropic
from anthropic.types import MessageParam
from resilient_stream import report, resilient

client = resilient(anthropic.Anthropic(), "interactive")
messages: list[MessageParam] = []

for line in sys.stdin:
    messages.append({"role": "user", "content": line.strip()})
    try:
        with client.messages.stream(
            model="claude-opus-5", max_tokens=4096, messages=messages
        ) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
            messages.append(
                {
                    "role": "assistant",
                    "content": stream.get_final_message().content,
                }
            )
    except anthropic.APIError as error:
        partial = report(error).partial
        if partial is None:
            messages.pop()  # nothing was answered: ask again
        else:
            messages.append(partial)
        print(f"\n[the reply broke off: {type(error).__name__}]", end="")
    print()
