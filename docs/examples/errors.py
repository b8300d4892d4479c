"""When the library gives up: what was received, and what went wrong."""

import anthropic
from anthropic.types import MessageParam
from resilient_stream import RetryPolicy, report, resilient

client = resilient(anthropic.Anthropic(), RetryPolicy(max_attempts=3))
messages: list[MessageParam] = [{"role": "user", "content": "How do tides work?"}]

try:
    with client.messages.stream(
        model="claude-opus-5", max_tokens=4096, messages=messages
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        messages.append(
            {"role": "assistant", "content": stream.get_final_message().content}
        )
except anthropic.APIError as error:  # the SDK's own, also in the middle of a stream
    seen = report(error)
    print(f"\n{type(error).__name__}, {len(seen.attempts)} attempts: {seen.reason}")
    print(
        "failures:",
        [attempt.failure.kind for attempt in seen.attempts if attempt.failure],
    )
    if seen.partial is not None:  # None: nothing was received
        messages.append(seen.partial)  # always valid to send

if messages[-1]["role"] == "assistant":
    messages.append(
        {"role": "user", "content": "Please say it again in one sentence."}
    )
