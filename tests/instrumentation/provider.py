"""A local server that speaks both providers' wire formats and misbehaves on demand, byte by byte.

The scenario comes in the request header `x-scenario`; the body decides between streamed and whole. Every request is
kept in `Provider.requests`.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import pack
from typing import Any

USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 1,
    "service_tier": "standard",
    "inference_geo": "us",
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": USAGE,
}
WHOLE_MESSAGE = {
    **MESSAGE,
    "content": [
        {"type": "text", "text": "Hello wörld"},
        {"type": "tool_use", "id": "tu_1", "name": "look_up", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {**USAGE, "output_tokens": 42},
}
CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-5.4-mini-2026-03-17",
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5.4-mini-2026-03-17",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "service_tier": "default",
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 64},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    },
}
WORDS = ("Hel", "lo ", "wör", "ld")
CUT_AFTER_EVENTS = 5


def sse(data: Any, event: str = "") -> bytes:
    name = f"event: {event}\n" if event else ""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"{name}data: {text}\n\n".encode()


def aws_frame(payload: dict[str, Any], **headers: str) -> bytes:
    """One frame of AWS's event stream encoding; `_` in a header's name stands for `-`."""
    named = {":message-type": "event", ":content-type": "application/json"}
    named |= {":" + name.replace("_", "-"): value for name, value in headers.items()}
    head = b"".join(
        pack("!B", len(name)) + name.encode() + pack("!BH", 7, len(value)) + value.encode()
        for name, value in named.items()
    )
    body = json.dumps(payload).encode()
    prelude = pack("!II", 16 + len(head) + len(body), len(head))
    frame = prelude + pack("!I", zlib.crc32(prelude)) + head + body
    return frame + pack("!I", zlib.crc32(frame))


def aws_chunk(event: bytes) -> bytes:
    """Wrap the data of a server-sent event as Bedrock does."""
    data = base64.b64encode(event.partition(b"data: ")[2].strip()).decode()
    return aws_frame({"bytes": data, "p": "abcdefgh"}, event_type="chunk")


def message_events() -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, **fields}, kind)

    yield event("message_start", message=MESSAGE)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event("ping")
    for word in WORDS:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event("content_block_stop", index=0)
    tool = {"type": "tool_use", "id": "tu_1", "name": "look_up", "input": {}}
    yield event("content_block_start", index=1, content_block=tool)
    for part in ('{"a"', ": 1", "}"):
        yield event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": part})
    yield event("content_block_stop", index=1)
    yield event(
        "message_delta",
        delta={"stop_reason": "tool_use", "stop_sequence": None},
        usage={"output_tokens": 42, "output_tokens_details": {"thinking_tokens": 7}},
    )
    yield event("message_stop")


def chat_events(choices: int, usage: bool) -> Iterator[bytes]:
    blank = {"usage": None} if usage else {}

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse({**CHUNK, "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **blank})

    for index in range(choices):
        yield chunk(index, {"role": "assistant", "content": ""})
    for word in WORDS:
        for index in range(choices):
            yield chunk(index, {"content": word})
    for index in range(choices):
        yield chunk(index, {}, "stop")
    if usage:
        yield sse({**CHUNK, "choices": [], "usage": CHAT_USAGE})
    yield sse("[DONE]")


def response_events() -> Iterator[bytes]:
    started = {**RESPONSE, "status": "in_progress", "usage": None, "output": []}
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    text = {"type": "output_text", "text": "", "annotations": []}
    for number, (kind, fields) in enumerate(
        (
            ("response.created", {"response": started}),
            ("response.output_item.added", {"output_index": 0, "item": item}),
            ("response.content_part.added", {**part, "part": text}),
            ("response.output_text.delta", {**part, "delta": "Hello", "logprobs": []}),
            ("response.completed", {"response": RESPONSE}),
        )
    ):
        yield sse({"type": kind, "sequence_number": number, **fields}, kind)


@dataclass
class Provider:
    """The running server; `base` is its address."""

    base: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, Any] = field(
        default_factory=dict
    )  # path of a GET, or method and path → JSON, bytes of a file, events
    connections: int = 0
    open_connections: int = 0
    _tries: Counter[tuple[str, str]] = field(default_factory=Counter)

    def environment(self, endpoint: str) -> dict[str, str]:
        """Make the environment of a process that calls here and tells an OTLP endpoint of it."""
        return {
            **os.environ,
            "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": self.base,
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": f"{self.base}/v1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = await reader.readline()
        if not line:
            return False
        method, path, _ = line.decode().split(" ", 2)
        headers = {}
        while (row := (await reader.readline()).decode().strip()) != "":
            name, value = row.split(":", 1)
            headers[name.lower()] = value.strip()
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(raw) if raw[:1] == b"{" else {}
        self.requests.append({"method": method, "path": path, "headers": headers, "body": body, "at": time.monotonic()})
        path = path.partition("?")[0]
        scenario = headers.get("x-scenario", "")
        tries = self._tries[(scenario, headers.get("x-key", ""))] = (
            self._tries[(scenario, headers.get("x-key", ""))] + 1
        )
        kind, _, argument = scenario.partition(":")
        if kind == "fail":  # fail:2,529 fails twice with that status
            times, status = map(int, argument.split(","))
            if tries <= times:
                return await self._reply(writer, {"type": "error", "error": {"type": "e", "message": "no"}}, status)
        if kind == "hang":
            await asyncio.sleep(float(argument or 30))
        if kind == "close":
            return False
        if kind == "html":
            return await self._reply(writer, b"<html>gateway</html>", 200, "text/html")
        prepared = self.files.get(path if method == "GET" else f"{method} {path}")
        if prepared is not None or method == "GET":
            return await self._prepared(writer, prepared, kind, argument)
        if body.get("stream") or path.endswith("-response-stream"):
            return await self._stream(writer, path, body, kind, argument)
        return await self._reply(writer, _whole(path, body), zipped=kind == "gzip")

    async def _reply(
        self, writer: Any, body: Any, status: int = 200, kind: str = "application/json", *, zipped: bool = False
    ) -> bool:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        extra = "content-encoding: gzip\r\n" if zipped else ""
        if zipped:
            data = gzip.compress(data)
        if status >= 400:
            extra += "retry-after-ms: 20\r\n"
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n{extra}{_IDS}\r\n"
        writer.write(head.encode() + data)
        await writer.drain()
        return True

    async def _prepared(self, writer: Any, answer: Any, kind: str, argument: str) -> bool:
        if isinstance(answer, list):
            return await self._events(writer, answer, kind, argument)
        if isinstance(answer, bytes):
            return await self._file(writer, answer, kind, argument)
        return await self._reply(writer, answer or {"error": {"type": "not_found"}}, 404 if answer is None else 200)

    async def _events(self, writer: Any, events: list[Any], kind: str, argument: str) -> bool:
        head = "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + head.encode() + f"{_IDS}\r\n".encode())
        for number, event in enumerate(events):
            if kind == "cut" and number == int(argument):
                return False
            data = sse(event, event["type"])
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _file(self, writer: Any, data: bytes, kind: str, argument: str) -> bool:
        extra = "content-encoding: gzip\r\n" if kind == "gzip" else ""
        data = gzip.compress(data) if kind == "gzip" else data
        head = f"content-type: application/x-jsonl\r\ntransfer-encoding: chunked\r\n{extra}{_IDS}\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + head.encode())
        step = int(argument or 7) if kind == "split" else 65_536
        for start in range(0, len(data), step):
            if kind == "cut" and start + step > len(data) - 100:
                writer.write(f"{step:x}\r\n".encode() + data[start : len(data) - 100])
                return False
            part = data[start : start + step]
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _stream(self, writer: Any, path: str, body: dict[str, Any], kind: str, argument: str) -> bool:
        squeeze = zlib.compressobj(wbits=31) if kind == "gzip" else None
        extra = "content-encoding: gzip\r\n" if squeeze else ""
        aws = path.endswith("-response-stream")
        kind_of_stream = "application/vnd.amazon.eventstream" if aws else "text/event-stream; charset=utf-8"
        head = f"content-type: {kind_of_stream}\r\ntransfer-encoding: chunked\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{head}{extra}{_IDS}\r\n".encode())

        async def send(data: bytes) -> None:
            if squeeze:
                data = squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH)
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()

        for number, event in enumerate(_events(path, body)):
            if kind in ("cut", "error", "stall") and number == int(argument or CUT_AFTER_EVENTS):
                if kind == "cut":
                    return False
                if kind == "stall":
                    await asyncio.sleep(30)
                if aws:
                    problem = {"message": "Too many tokens, please wait"}
                    await send(aws_frame(problem, message_type="exception", exception_type="throttlingException"))
                    break
                error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
                await send(sse(error, "error" if "messages" in path else ""))
                break
            if kind == "split":
                for start in range(0, len(event), 7):
                    await send(event[start : start + 7])
                    await asyncio.sleep(0)
            else:
                await send(event)
            if kind == "slow":
                await asyncio.sleep(0.02)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


_IDS = (
    "request-id: req_1\r\nx-request-id: req_1\r\nanthropic-organization-id: org_1\r\nanthropic-workspace-id: ws_1\r\n"
    "anthropic-ratelimit-tokens-remaining: 4000\r\n"
)


def _whole(path: str, body: dict[str, Any]) -> dict[str, Any]:
    if "count_tokens" in path or "count-tokens" in path:
        return {"input_tokens": 5}
    if "/messages" in path or path.startswith("/model/") or "rawPredict" in path:
        return WHOLE_MESSAGE
    if path.endswith("/responses"):
        return RESPONSE
    if path.endswith("/embeddings"):
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
        return {"object": "list", "model": "text-embedding-3-small", "data": [vector], "usage": usage}
    choices = [
        {"index": index, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        for index in range(body.get("n", 1))
    ]
    return {**CHUNK, "object": "chat.completion", "choices": choices, "usage": CHAT_USAGE}


def _events(path: str, body: dict[str, Any]) -> Iterator[bytes]:
    if path.endswith("-response-stream"):
        return map(aws_chunk, message_events())
    if "/messages" in path or "streamRawPredict" in path:
        return message_events()
    if path.endswith("/responses"):
        return response_events()
    return chat_events(body.get("n", 1), bool((body.get("stream_options") or {}).get("include_usage")))


def start() -> Provider:
    """Start the server on a free loopback port, in a daemon thread."""
    provider, ready = Provider(), threading.Event()

    async def main() -> None:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        provider.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(main()), name="provider", daemon=True).start()
    assert ready.wait(5)
    return provider
