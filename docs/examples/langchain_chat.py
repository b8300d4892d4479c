"""LangChain: replace the clients that the model has made."""

from langchain_anthropic import ChatAnthropic
from resilient_stream import resilient

model = ChatAnthropic(model="claude-sonnet-5", max_tokens=4096)
model.__dict__["_client"] = resilient(model._client)
model.__dict__["_async_client"] = resilient(model._async_client)

for chunk in model.stream("How do tides work?"):
    print(chunk.text, end="", flush=True)
print()
