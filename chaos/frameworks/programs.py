"""One program for each framework: it streams as the framework's own documentation shows.

Each takes the stand-in's address and whether to use the library, and returns what the user's program has
read. The frameworks are installed one at a time, so each is imported where it is used. The lines between the
marks `# protect` switch the library on; the table shows them.
"""

# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
# ruff: noqa: ANN001, ANN202, ANN204, D103 -- as a user would write it

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

MODEL = "claude-sonnet-5"
ASK = "Tell me about tides."


async def pydantic_ai(url: str, policy: Any) -> AsyncIterator[str]:
    from anthropic import AsyncAnthropic
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=url, api_key="key")
    if policy:
        from resilient_stream import resilient

        client = resilient(client, policy)
    agent = Agent(AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client)))
    async with agent.run_stream(ASK) as result:
        async for text in result.stream_text(delta=True, debounce_by=None):
            yield text


async def langchain_anthropic(url: str, policy: Any) -> AsyncIterator[str]:
    from langchain_anthropic import ChatAnthropic

    model = ChatAnthropic(model=MODEL, max_tokens=4096, base_url=url, api_key="key")
    if policy:
        from resilient_stream import resilient

        model.__dict__["_async_client"] = resilient(model._async_client, policy)
    async for chunk in model.astream(ASK):
        yield chunk.text


async def litellm(url: str, policy: Any) -> AsyncIterator[str]:
    import litellm

    known: dict[str, Any] = {}
    if policy:
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        from resilient_stream.httpx import AsyncResilientTransport

        known["client"] = AsyncHTTPHandler(transport=AsyncResilientTransport(policy=policy))
    answer = await litellm.acompletion(
        f"anthropic/{MODEL}",
        [{"role": "user", "content": ASK}],
        max_tokens=4096,
        stream=True,
        api_base=url,
        api_key="key",
        **known,
    )
    async for chunk in answer:
        yield chunk.choices[0].delta.content or ""


async def instructor(url: str, policy: Any) -> AsyncIterator[str]:
    import instructor
    from anthropic import AsyncAnthropic
    from pydantic import BaseModel

    class Told(BaseModel):
        said: str

    client = AsyncAnthropic(base_url=url, api_key="key")
    if policy:
        from resilient_stream import resilient

        client = resilient(client, policy)
    made = instructor.from_anthropic(client)
    read = ""
    async for told in made.messages.create_partial(
        model=MODEL, max_tokens=4096, messages=[{"role": "user", "content": ASK}], response_model=Told
    ):
        yield (told.said or "")[len(read) :]
        read = told.said or ""


async def agno(url: str, policy: Any) -> AsyncIterator[str]:
    from agno.agent import Agent
    from agno.models.anthropic import Claude
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(base_url=url, api_key="key")
    if policy:
        from resilient_stream import resilient

        client = resilient(client, policy)
    agent = Agent(model=Claude(id=MODEL, async_client=client), telemetry=False)
    async for event in agent.arun(ASK, stream=True):
        if event.event == "RunError":
            raise RuntimeError(event.content)
        if event.event == "RunContent":
            yield event.content or ""


async def haystack(url: str, policy: Any) -> AsyncIterator[str]:
    from anthropic import AsyncAnthropic
    from haystack.dataclasses import ChatMessage
    from haystack.utils import Secret
    from haystack_integrations.components.generators.anthropic import AnthropicChatGenerator

    read: list[str] = []

    async def piece(chunk):
        read.append(chunk.content)

    generator = AnthropicChatGenerator(Secret.from_token("key"), MODEL, streaming_callback=piece)
    generator.warm_up()
    generator.async_client = AsyncAnthropic(base_url=url, api_key="key")
    if policy:
        from resilient_stream import resilient

        generator.async_client = resilient(generator.async_client, policy)
    try:
        await generator.run_async([ChatMessage.from_user(ASK)])
    finally:
        yield "".join(read)


async def llama_index(url: str, policy: Any) -> AsyncIterator[str]:
    from llama_index.llms.anthropic import Anthropic

    llm = Anthropic(model=MODEL, base_url=url, api_key="key", max_tokens=4096)
    if policy:
        from resilient_stream import resilient

        llm._aclient = resilient(llm._aclient, policy)
    async for piece in await llm.astream_complete(ASK):
        yield piece.delta or ""


async def autogen(url: str, policy: Any) -> AsyncIterator[str]:
    from autogen_core.models import UserMessage
    from autogen_ext.models.anthropic import AnthropicChatCompletionClient

    info = {
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "family": "claude",
        "structured_output": False,
    }
    client = AnthropicChatCompletionClient(model=MODEL, base_url=url, api_key="key", model_info=info)
    if policy:
        from resilient_stream import resilient

        client._client = resilient(client._client, policy)
    async for piece in client.create_stream([UserMessage(content=ASK, source="user")]):
        if isinstance(piece, str):
            yield piece


async def ag2(url: str, policy: Any) -> AsyncIterator[str]:
    from autogen.events.client_events import StreamEvent
    from autogen.io import IOStream
    from autogen.oai.anthropic import AnthropicClient

    read: list[str] = []

    class Screen:
        def send(self, event):
            if isinstance(event, StreamEvent):
                read.append(event.content.content)

    client = AnthropicClient(api_key="key", base_url=url)
    if policy:
        from resilient_stream import resilient

        client._client = resilient(client._client, policy)
    ask = {"model": MODEL, "messages": [{"role": "user", "content": ASK}], "stream": True, "max_tokens": 4096}
    with IOStream.set_default(Screen()):
        try:
            client.create(ask)
        finally:
            yield "".join(read)


async def crewai(url: str, policy: Any) -> AsyncIterator[str]:
    from crewai import LLM

    llm = LLM(model=f"anthropic/{MODEL}", base_url=url, api_key="key", stream=True, max_tokens=4096)
    if policy:
        from resilient_stream import resilient

        llm.client = resilient(llm.client, policy)
    yield llm.call(ASK)


async def smolagents(url: str, policy: Any) -> AsyncIterator[str]:
    from smolagents import ChatMessage, LiteLLMModel

    known: dict[str, Any] = {}
    if policy:
        import httpx
        from litellm.llms.custom_httpx.http_handler import HTTPHandler

        from resilient_stream import resilient

        known["client"] = HTTPHandler(client=resilient(httpx.Client(), policy))
    model = LiteLLMModel(f"anthropic/{MODEL}", api_base=url, api_key="key", max_tokens=4096)
    model.kwargs.update(known)
    for piece in model.generate_stream([ChatMessage(role="user", content=[{"type": "text", "text": ASK}])]):
        yield piece.content or ""


async def openai_agents(url: str, policy: Any) -> AsyncIterator[str]:
    from agents import Agent, ModelSettings, Runner, set_tracing_disabled
    from agents.extensions.models.litellm_model import LitellmModel
    from openai.types.responses import ResponseTextDeltaEvent

    set_tracing_disabled(True)
    settings = ModelSettings(max_tokens=4096)
    if policy:
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        from resilient_stream.httpx import AsyncResilientTransport

        class Handler(AsyncHTTPHandler):
            def __deepcopy__(self, memo):  # the settings are copied for each run
                return self

        settings.extra_args = {"client": Handler(transport=AsyncResilientTransport(policy=policy))}
    model = LitellmModel(f"anthropic/{MODEL}", base_url=url, api_key="key")
    agent = Agent("tides", model=model, model_settings=settings)
    result = Runner.run_streamed(agent, ASK)
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            yield event.data.delta
