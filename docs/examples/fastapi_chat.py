"""A chat page: FastAPI streams each answer to the browser as server-sent events."""

from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from resilient_stream import resilient

PAGE = Path(__file__).with_name("fastapi_chat.html")

app = FastAPI()
client = resilient(anthropic.AsyncAnthropic(), "interactive")


@app.get("/")
def page() -> FileResponse:
    return FileResponse(PAGE)


@app.get("/answer", response_class=EventSourceResponse)
async def answer(question: str) -> AsyncIterator[ServerSentEvent]:
    try:
        async with client.messages.stream(
            model="claude-opus-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": question}],
        ) as stream:
            async for text in stream.text_stream:
                yield ServerSentEvent(data=text)
    except anthropic.APIError as error:
        yield ServerSentEvent(event="failed", data=type(error).__name__)
    else:
        yield ServerSentEvent(event="done", data="")


if __name__ == "__main__":
    uvicorn.run(app)
