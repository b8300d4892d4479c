"""Get the whole message and see what it took."""

import anthropic
from resilient_stream import report, resilient

client = resilient(anthropic.Anthropic())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
) as stream:
    message = stream.get_final_message()

print(
    f"{message.stop_reason}, {message.usage.output_tokens} tokens written at last"
)

seen = report(stream)
print(f"{seen.outcome}, resumed: {seen.resumed}, attempts: {len(seen.attempts)}")
for seam in seen.seams:
    print(
        f"attempt {seam.attempt} joined by {seam.joined}, verified: {seam.verified}"
    )
print(f"billed over all attempts: {seen.usage}")
print(seen)  # the same as a table, one row for each attempt
