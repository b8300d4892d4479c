"""Say how long to wait for what."""

import anthropic
from resilient_stream import RetryPolicy, policy_option, resilient

policy = RetryPolicy(
    connect_timeout=3,  # seconds to get a connection
    first_event_timeout=60,  # from the request to the first event
    silence_timeout=30,  # without a single byte
    stall_timeout=120,  # with nothing but pings
    deadline=180,  # for the whole stream: past it, no new attempt begins
)
client = resilient(anthropic.Anthropic(), policy)
print(policy.explain())

with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
    extra_headers=policy_option(
        policy.replace(deadline=20)  # another deadline for this call
    ),
) as stream:
    print(stream.get_final_text())
