"""A local server that speaks OpenAI's realtime and responses WebSockets, and breaks off on demand.

The scenario comes in the request header `x-scenario`: `close` says good-bye in the middle of a response, `abort` drops
the connection there, `refuse` answers an order with an error, `unauthorized` refuses the handshake.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from socket import SHUT_RDWR
from typing import Any

from websockets.sync.server import Server, ServerConnection, serve

from instrumentation.provider import RESPONSE

SPOKEN_USAGE = {
    "input_tokens": 200,
    "input_token_details": {
        "text_tokens": 50,
        "audio_tokens": 120,
        "image_tokens": 30,
        "cached_tokens": 90,
        "cached_tokens_details": {"text_tokens": 40, "audio_tokens": 50, "image_tokens": 0},
    },
    "output_tokens": 60,
    "output_token_details": {"text_tokens": 20, "audio_tokens": 40},
    "total_tokens": 260,
}
HEARD_USAGE = {
    "type": "tokens",
    "input_tokens": 12,
    "input_token_details": {"audio_tokens": 12, "text_tokens": 0},
    "output_tokens": 5,
    "total_tokens": 17,
}
SESSION = {
    "type": "realtime",
    "model": "gpt-realtime",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
}


@dataclass
class SocketProvider:
    """The running server; `base` is the address that an SDK client takes."""

    base: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    _responses: int = 0

    def speak(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        path, scenario = socket.request.path, socket.request.headers.get("x-scenario", "")
        if "/realtime" in path and "/translations" not in path:
            send(socket, {"type": "session.created", "event_id": "e0", "session": SESSION})
        for data in socket:
            event = json.loads(data)
            self.received.append(event)
            if event["type"] == "response.create":
                if not self._answer(socket, path, scenario):
                    return
            elif event["type"] == "input_audio_buffer.commit":
                self._hear(socket)
            elif event["type"] == "session.close":
                send(socket, {"type": "session.closed", "event_id": "e9"})
                return

    def _answer(self, socket: ServerConnection, path: str, scenario: str) -> bool:
        self._responses += 1
        name = f"resp_socket_{self._responses}"
        if scenario == "refuse":
            error = {"type": "rate_limit_exceeded", "code": "rate_limit_exceeded", "message": "Slow down"}
            send(socket, {"type": "error", "event_id": "e1", "status": 429, "error": error})
            return True
        events = realtime_events(name) if "/realtime" in path else response_events(name)
        for number, event in enumerate(events):
            if number == 3 and scenario == "close":
                return False
            if number == 3 and scenario == "abort":
                socket.socket.shutdown(SHUT_RDWR)
                return False
            send(socket, event)
        return True

    def _hear(self, socket: ServerConnection) -> None:
        """Write down what was said, and answer unasked, as voice activity detection does."""
        heard = {"item_id": f"item_{self._responses}", "content_index": 0, "transcript": "Hi", "usage": HEARD_USAGE}
        send(socket, {"type": "conversation.item.input_audio_transcription.completed", "event_id": "e2", **heard})
        self._answer(socket, "/realtime", "")


def send(socket: ServerConnection, event: dict[str, Any]) -> None:
    socket.send(json.dumps(event))


def realtime_events(name: str) -> Iterator[dict[str, Any]]:
    head = {"object": "realtime.response", "id": name, "output_modalities": ["audio"]}
    piece = {"response_id": name, "item_id": "i", "output_index": 0, "content_index": 0}
    output = [
        {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hello"}]},
        {"type": "function_call", "call_id": "c", "name": "look_up", "arguments": '{"a": 1}'},
    ]
    done = {**head, "status": "completed", "output": output, "usage": SPOKEN_USAGE}
    yield {"type": "response.created", "event_id": "a", "response": {**head, "status": "in_progress", "output": []}}
    yield {"type": "response.output_audio.delta", "event_id": "b", **piece, "delta": "AAAA" * 1000}
    yield {"type": "response.output_audio.delta", "event_id": "c", **piece, "delta": "AAAA" * 1000}
    yield {"type": "response.output_audio_transcript.done", "event_id": "d", **piece, "transcript": "Hello"}
    yield {"type": "response.done", "event_id": "e", "response": done}


def response_events(name: str) -> Iterator[dict[str, Any]]:
    whole = {**RESPONSE, "id": name}
    begun = {**whole, "status": "in_progress", "usage": None, "output": []}
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield {"type": "response.created", "sequence_number": 0, "response": begun}
    yield {"type": "response.output_text.delta", "sequence_number": 1, **part, "delta": "Hel", "logprobs": []}
    yield {"type": "response.output_text.delta", "sequence_number": 2, **part, "delta": "lo", "logprobs": []}
    yield {"type": "response.output_text.done", "sequence_number": 3, **part, "text": "Hello", "logprobs": []}
    yield {"type": "response.completed", "sequence_number": 4, "response": whole}


def start_sockets() -> tuple[SocketProvider, Server]:
    """Start the server on a free loopback port, in daemon threads."""
    provider = SocketProvider()

    def admit(socket: ServerConnection, request: Any) -> Any:
        if request.headers.get("x-scenario") == "unauthorized":
            return socket.respond(HTTPStatus.UNAUTHORIZED, "no\n")
        return None

    server = serve(provider.speak, "127.0.0.1", 0, process_request=admit)
    provider.base = f"http://127.0.0.1:{server.socket.getsockname()[1]}/v1"
    threading.Thread(target=server.serve_forever, name="sockets", daemon=True).start()
    return provider, server
