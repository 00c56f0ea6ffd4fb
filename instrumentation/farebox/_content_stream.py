"""Puts a streamed answer together again, as the body that would have come without streaming, as far as it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from farebox._reading import mapping, sequence, text

__all__ = ["whole_answer"]

Answer = dict[str, Any]


class _Pieces(list[str]):
    """A text that grows; a list of texts that came whole is none."""


# Deltas of the Responses API and of realtime sessions → the field of a content part, or of an item, that they add to.
_PART_DELTAS = {
    "response.output_text.delta": ("output_text", "text"),
    "response.text.delta": ("output_text", "text"),
    "response.refusal.delta": ("refusal", "refusal"),
    "response.output_audio_transcript.delta": ("output_audio", "transcript"),
    "response.audio_transcript.delta": ("output_audio", "transcript"),
    "response.reasoning_text.delta": ("reasoning_text", "text"),
}
_ITEM_DELTAS = {
    "response.function_call_arguments.delta": ("function_call", "arguments"),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "input"),
    "response.code_interpreter_call_code.delta": ("code_interpreter_call", "code"),
    "response.mcp_call_arguments.delta": ("mcp_call", "arguments"),
}
_SUMMARY_DELTA = "response.reasoning_summary_text.delta"
# Of Anthropic: a delta's type → its field, and that of the block which it adds to.
_BLOCK_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}


def whole_answer(shape: str, events: Iterable[Mapping[str, Any]]) -> Answer:
    """Return the body that the events of a stream add up to; {} for a shape that is not read."""
    match shape:
        case "anthropic":
            return _message(events)
        case "chat":
            return _completion(events)
        case "responses" | "realtime":
            return _response(events)
    return {}


def _message(events: Iterable[Mapping[str, Any]]) -> Answer:
    answer: Answer = {}
    blocks: dict[Any, Answer] = {}
    for event in events:
        match event.get("type"):
            case "content_block_start":
                blocks[event.get("index")] = _started(mapping(event.get("content_block")))
            case "content_block_delta":
                delta, block = mapping(event.get("delta")), blocks.get(event.get("index"))
                source, target = _BLOCK_DELTAS.get(str(delta.get("type")), ("", ""))
                if block is not None and isinstance(delta.get(source), str):
                    block.setdefault(target, _Pieces()).append(delta[source])
            case "message_delta":
                answer.update(mapping(event.get("delta")))
    return {**answer, "content": [_joined(block) for block in blocks.values()]}


def _started(block: Mapping[str, Any]) -> Answer:
    """Take a block as it begins: what its deltas add to becomes a list of pieces."""
    if block.get("type") in ("tool_use", "server_tool_use", "mcp_tool_use") and not block.get("input"):
        return {key: value for key, value in block.items() if key != "input"}
    grows = ("text", "thinking", "content") if block.get("type") in ("text", "thinking", "compaction") else ()
    return {key: _Pieces([value]) if key in grows and isinstance(value, str) else value for key, value in block.items()}


def _completion(events: Iterable[Mapping[str, Any]]) -> Answer:
    choices: dict[Any, Answer] = {}
    for event in events:
        for choice in map(mapping, sequence(event.get("choices"))):
            found = choices.setdefault(choice.get("index", 0), {"message": {}, "calls": {}})
            found["finish_reason"] = choice.get("finish_reason") or found.get("finish_reason")
            delta = mapping(choice.get("delta")) or {"content": choice.get("text")}
            _add_delta(found, delta)
    return {"choices": [_finished(choices[index]) for index in sorted(choices, key=str)]}


def _add_delta(found: Answer, delta: Mapping[str, Any]) -> None:
    message = found["message"]
    for name in ("content", "refusal", "reasoning_content", "reasoning"):
        if isinstance(delta.get(name), str):
            message.setdefault(name, _Pieces()).append(delta[name])
    heard = text(mapping(delta.get("audio")).get("transcript"))
    if heard:
        message.setdefault("audio", {}).setdefault("transcript", _Pieces()).append(heard)
    if delta.get("images"):
        message.setdefault("images", []).extend(sequence(delta["images"]))
    for position, call in enumerate(map(mapping, sequence(delta.get("tool_calls")))):
        key = call.get("index")
        tool = found["calls"].setdefault(position if key is None else key, {})
        tool["id"] = tool.get("id") or call.get("id")
        for kind in ("function", "custom"):
            if kind in call:
                _add_pieces(tool.setdefault(kind, {}), mapping(call[kind]))
    if delta.get("function_call"):
        _add_pieces(message.setdefault("function_call", {}), mapping(delta["function_call"]))


def _add_pieces(tool: Answer, delta: Mapping[str, Any]) -> None:
    if delta.get("name"):
        tool["name"] = delta["name"]
    for name in ("arguments", "input"):
        if isinstance(delta.get(name), str):
            tool.setdefault(name, _Pieces()).append(delta[name])


def _finished(found: Answer) -> Answer:
    calls = [_joined(call) for call in found["calls"].values()]
    message = _joined(found["message"])
    return {"finish_reason": found["finish_reason"], "message": {**message, **({"tool_calls": calls} if calls else {})}}


def _response(events: Iterable[Mapping[str, Any]]) -> Answer:
    """Take the response of the terminal event, which repeats all; of a cut stream the items that were begun."""
    items: dict[Any, Answer] = {}
    for event in events:
        kind, index = text(event.get("type")) or "", event.get("output_index", 0)
        response = mapping(event.get("response"))
        if response.get("output"):
            return dict(response)
        if kind in ("response.output_item.added", "response.output_item.done"):
            items[index] = dict(mapping(event.get("item")))
            if kind.endswith("added"):
                items[index] = {key: value for key, value in items[index].items() if value not in ("", [])}
        elif isinstance(event.get("delta"), str):
            _add_response_delta(items.setdefault(index, {}), kind, event)
    return {"output": [_joined(items[index]) for index in sorted(items, key=str)]}


def _add_response_delta(item: Answer, kind: str, event: Mapping[str, Any]) -> None:
    if kind in _ITEM_DELTAS:
        item_type, name = _ITEM_DELTAS[kind]
        item.setdefault("type", item_type)
        item.setdefault(name, _Pieces()).append(event["delta"])
        return
    if kind == _SUMMARY_DELTA:
        item.setdefault("type", "reasoning")
        place, piece_type, name = "summary", "summary_text", "text"
    elif kind in _PART_DELTAS:
        place, (piece_type, name) = "content", _PART_DELTAS[kind]
        item.setdefault("type", "reasoning" if piece_type == "reasoning_text" else "message")
    else:
        return
    pieces = item.setdefault(place, [])
    number = event.get("content_index", event.get("summary_index", 0))
    if not pieces or (isinstance(number, int) and number >= len(pieces)):
        pieces.append({"type": piece_type})
    pieces[-1].setdefault(name, _Pieces()).append(event["delta"])


def _joined(value: Any) -> Any:
    """Join the texts that grew, wherever they are."""
    if isinstance(value, _Pieces):
        return "".join(value)
    if isinstance(value, dict):
        return {key: _joined(member) for key, member in value.items()}
    return list(map(_joined, value)) if isinstance(value, list) else value
