"""Let the SDK's tool runner call the tools; with a thread, a cut ends the turn."""

import anthropic
from anthropic import beta_tool
from resilient_stream import resilient

client = resilient(anthropic.Anthropic(), "agent")


@beta_tool
def tide(harbour: str) -> str:
    """The height of the tide at a harbour.

    Args:
        harbour: its name.
    """
    print(f"tide({harbour!r})")
    return "The gauge reads 177 cm."


runner = client.beta.messages.tool_runner(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How high is the water in Dover?"}],
    tools=[tide],
    stream=True,
    thread=False,
)
for stream in runner:
    for event in stream:
        if event.type == "text":
            print(event.text, end="", flush=True)
    print()
