"""Read the results of batches, one billed thing a line: Anthropic's message batches and OpenAI's output files.

Batches are noted when they are ordered or looked at, since a line names neither its batch's end nor who ordered it.
Source: anthropic 2.12 types/messages, openai 3.54 types/batch.py and BatchRequestOutput of OpenAI's API description.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import jiter

from farebox._anthropic import AnthropicReader
from farebox._billed import Billed, Order, note_order, order_of
from farebox._body import parse_json
from farebox._ending import outcome_of_status
from farebox._openai import ChatReader, EmbeddingsReader, ResponsesReader
from farebox._reading import Reader, Reading, mapping, sequence, text
from farebox._times import epoch_ns

if TYPE_CHECKING:
    from farebox._attempt import Attempt

__all__ = ["boiled", "note_batch", "results_in"]

# What a result that is no answer says → farebox.outcome.
_ENDS = {"canceled": "cancelled", "expired": "timeout"}
_OPENAI_ENDS = {"batch_cancelled": "cancelled", "batch_expired": "timeout"}
# An error's type → the status that Anthropic's API answers with. Source: platform.claude.com, errors, read 2026-11-23.
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# How the body of a line is read and which operation it answers, by its `object`.
_BODIES: dict[str, tuple[type[Reader], str]] = {
    "chat.completion": (ChatReader, "chat"),
    "text_completion": (ChatReader, "text_completion"),
    "response": (ResponsesReader, "chat"),
    "list": (EmbeddingsReader, "embeddings"),
}


def note_batch(attempt: Attempt, body: Mapping[str, Any]) -> None:
    """Remember of a batch what its results will not say; the call that ordered it is a POST to `/batches` itself."""
    batch_id = text(body.get("id"))
    if batch_id is None or (body.get("type") != "message_batch" and body.get("object") != "batch"):
        return
    former = order_of(batch_id)
    at = body.get("ended_at") or body.get("completed_at") or body.get("created_at")
    ordered = {**attempt.state.defaults, **attempt.tags} if attempt.url.path.endswith("/batches") else former.tags
    batch = Order(epoch_ns(at) or former.at_ns, {**ordered, "batch_id": batch_id})
    for key in (batch_id, text(body.get("output_file_id")), text(body.get("error_file_id"))):
        if key is not None:
            note_order(key, batch)


def results_in(lines: Iterator[bytes], of: str, provider: str, *, whole: bool) -> Iterator[Billed]:
    """Yield what each line bills; `of` is the batch or file that was read. Lines that are no result are left out."""
    batch = order_of(of)
    for line in lines:
        row = mapping(parse_json(line))
        if not text(row.get("custom_id")):
            continue
        if "result" in row:
            yield _anthropic_result(row, of, batch, provider, whole=whole)
        elif "response" in row:
            result = _openai_result(row, batch, provider, whole=whole)
            if result is not None:
                yield result


def boiled(lines: bytes) -> bytes:
    """Return lines without what was asked and answered: what remains is what they cost."""
    return b"\n".join(map(_boiled, lines.split(b"\n")))


def _anthropic_result(row: Mapping[str, Any], batch_id: str, batch: Order, provider: str, *, whole: bool) -> Billed:
    result, custom_id = mapping(row["result"]), str(row["custom_id"])
    kind = text(result.get("type")) or "unknown"
    message = mapping(result.get("message"))
    reading = Reading()
    if message:
        reader = AnthropicReader(provider)
        reader.body(message)
        reading = reader.finish()
    elif kind == "errored":
        error = mapping(result.get("error"))
        reading.error = mapping(error.get("error")) or error
    reading.service_tier = "batch"
    if kind == "succeeded":
        outcome = "ok"
    else:
        status = _STATUS.get(str((reading.error or {}).get("type")), 500)
        outcome = _ENDS.get(kind) or outcome_of_status(status, reading)
    return Billed(
        kind="batch_result",
        trace=batch_id,
        span=text(message.get("id")) or f"{batch_id}/{custom_id}",
        reading=reading,
        state=_state(reading, billed=kind not in ("errored", *_ENDS)),
        outcome=outcome,
        started_ns=batch.at_ns,
        whole=whole,
        tags={**batch.tags, "batch_id": batch_id, "custom_id": custom_id},
    )


def _openai_result(row: Mapping[str, Any], batch: Order, provider: str, *, whole: bool) -> Billed | None:
    """Read a line of an output or error file. Its ids derive from itself alone: files are copied, and name no batch."""
    response = mapping(row.get("response"))
    body = mapping(response.get("body"))
    status = response.get("status_code")
    if not isinstance(status, int) and not mapping(row.get("error")):
        return None
    identity = text(body.get("id")) or text(row.get("id")) or text(response.get("request_id"))
    factory, operation = _BODIES.get(str(body.get("object")), (None, "chat"))
    answered = isinstance(status, int) and status < 400
    if identity is None or (answered and factory is None and "results" in body):  # moderations are free
        return None
    reading = Reading()
    if answered and factory is not None:
        reader = factory(provider)
        reader.body(body)
        reading = reader.finish()
    elif not answered:
        reading.error = mapping(row.get("error")) or mapping(body.get("error"))
    reading.service_tier = "batch"
    outcome = "ok" if answered else _OPENAI_ENDS.get(str((reading.error or {}).get("code")))
    at_ns = epoch_ns(body.get("created_at") or body.get("created"))
    return Billed(
        kind="batch_result",
        trace=identity,
        span=identity,
        reading=reading,
        state=_state(reading, billed=answered),
        outcome=outcome or outcome_of_status(status if isinstance(status, int) else 500, reading),
        operation=operation,
        started_ns=batch.at_ns if at_ns is None else at_ns,
        whole=whole,
        request_id=text(response.get("request_id")),
        tags={**batch.tags, "custom_id": str(row["custom_id"])},
    )


def _state(reading: Reading, *, billed: bool) -> str:
    if not billed:
        return "none"
    return "reported" if reading.usage is not None and reading.usage.leaves else "missing"


def _boiled(line: bytes) -> bytes:
    try:
        row = jiter.from_json(line)
    except ValueError:
        return b""
    for body in (mapping(mapping(row).get("result")).get("message"), mapping(mapping(row).get("response")).get("body")):
        if isinstance(body, dict):
            for name in ("content", "output", "data", "instructions", "tools", "reasoning"):
                body.pop(name, None)
            for choice in map(mapping, sequence(body.get("choices"))):
                for name in ("message", "logprobs", "text"):
                    choice.pop(name, None)  # type: ignore[attr-defined]
    return json.dumps(row).encode()
