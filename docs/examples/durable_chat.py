"""A chat page whose answers survive a reload, a lost connection and a restart."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anthropic
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from resilient_stream import resilient, sse
from resilient_stream.journal import Journal

PAGE = Path(__file__).with_name("durable_chat.html")

journal = Journal("sqlite:///streams.db")
client = resilient(anthropic.AsyncAnthropic(), "interactive", journal=journal)


@asynccontextmanager
async def recovering(app: FastAPI) -> AsyncGenerator[None]:
    await journal.arecover(client)  # what the last process left unfinished
    yield


app = FastAPI(lifespan=recovering)


@app.get("/")
def page() -> FileResponse:
    return FileResponse(PAGE)


@app.post("/answers/{name}")
async def ask(name: str, question: str) -> None:
    await journal.astart(
        client,
        f"answer/{name}",
        model="claude-opus-5",
        max_tokens=4096,
        messages=[{"role": "user", "content": question}],
    )


@app.get("/answers/{name}")
async def read(name: str, request: Request) -> Response:
    return await sse.reply(journal, f"answer/{name}", request)


@app.delete("/answers/{name}")
def stop(name: str) -> None:
    journal.stop(f"answer/{name}")


if __name__ == "__main__":
    uvicorn.run(app)
