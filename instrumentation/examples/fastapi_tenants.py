"""A service of many tenants: each request's calls are tagged with who asked, whatever endpoint makes them, streams too.

    uvicorn fastapi_tenants:app          # or: python fastapi_tenants.py 8000
    curl -H 'X-Tenant: acme' -H 'X-User: u1' 'localhost:8000/answer?question=Hello'

Needs ANTHROPIC_API_KEY, and pip install fastapi uvicorn. Then `farebox budget set acme --amount 5 --period day
--tenant acme` watches what a tenant spends, and the dashboards' variable `tenant` shows one alone.
"""

import sys
from collections.abc import AsyncIterator
from typing import Annotated

import anthropic
import uvicorn
from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse

import farebox

MODEL = "claude-haiku-4-5"

client = farebox.wrap(anthropic.AsyncAnthropic(), route="answers")


async def asked_by(
    x_tenant: Annotated[str, Header()], x_user: Annotated[str | None, Header()] = None
) -> AsyncIterator[None]:
    """Tag what the request does; a dependency that is `async` shares the context of its endpoint."""
    with farebox.tags(tenant=x_tenant, user=x_user):
        yield


app = FastAPI(dependencies=[Depends(asked_by)])


@app.get("/answer")
async def answer(question: str) -> str:
    """Answer in one piece."""
    message = await client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": question}]
    )
    return "".join(block.text for block in message.content if block.type == "text")


@app.get("/stream")
async def stream(question: str) -> StreamingResponse:
    """Answer word by word, on a route of its own; a reader who leaves is recorded as `abandoned`."""

    async def words() -> AsyncIterator[str]:
        with farebox.tags(route="streamed"):
            async with client.messages.stream(
                model=MODEL, max_tokens=500, messages=[{"role": "user", "content": question}]
            ) as events:
                async for text in events.text_stream:
                    yield text

    return StreamingResponse(words(), media_type="text/plain")


if __name__ == "__main__":
    # What is recorded is delivered when the process leaves.
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000, log_level="warning")
