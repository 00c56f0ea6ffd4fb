"""Turns the pieces of messages, as Anthropic and OpenAI spell them, into the parts that the conventions name.

A piece says by its `type` what it is, and no two providers mean different things by one type, so one table serves all.
What is binary becomes a part with its media type and size, and without its bytes; what no part is named for keeps its
type, and its texts. Source: github.com/open-telemetry/semantic-conventions-genai, model/gen-ai, read 2026-11-23;
anthropic 2.12 and openai 3.54, `types`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farebox._body import parse_json
from farebox._content_texts import Texts, decoded_bytes
from farebox._reading import mapping, sequence, text

__all__ = ["Part", "parts_of", "tool_call"]

Part = dict[str, Any]

_AUDIO_MIME = {"mp3": "audio/mpeg", "pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}


def parts_of(content: Any, texts: Texts) -> list[Part]:
    """Return the parts of a message's content: a text, a piece, or a list of either."""
    if isinstance(content, str):
        return _text_part("text", content, texts)
    if isinstance(content, Mapping):
        return _piece(content, texts)
    return [part for each in sequence(content) for part in parts_of(each, texts)]


def tool_call(call_id: Any, name: Any, arguments: Any, texts: Texts) -> Part:
    """Return a call of a tool that the caller runs; arguments in JSON text become structure."""
    arguments = _opened(arguments)
    if arguments is not None:
        arguments = texts.text(arguments) if isinstance(arguments, str) else texts.value(arguments)
    return _known(type="tool_call", id=texts.name(call_id), name=texts.name(name) or "", arguments=arguments)


def _opened(arguments: Any) -> Any:
    """Parse what is JSON text of an object or a list; None for an empty text, which stands for no arguments."""
    if not isinstance(arguments, str):
        return arguments
    parsed = parse_json(arguments.encode(errors="replace"))
    return parsed if isinstance(parsed, Mapping | list) else arguments or None


def _piece(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    kind = text(piece.get("type")) or ""
    convert = _PIECES.get(kind)
    if convert is not None:
        return convert(piece, texts)
    if kind.endswith("_tool_result"):  # of a tool that the provider ran
        found = {"type": texts.name(kind), "content": texts.value(piece.get("content"))}
        answered = texts.name(piece.get("tool_use_id"))
        return [_known(type="server_tool_call_response", id=answered, server_tool_call_response=found)]
    if kind.endswith("_call_output"):
        return _tool_output(piece, texts)
    if kind.endswith("_call"):
        return _server_call(piece, texts)
    fields = {key: value for key, value in piece.items() if key != "type"}
    return [{"type": texts.name(kind) or "unknown", **texts.fields(fields)}]


def _text_part(kind: str, content: Any, texts: Texts) -> list[Part]:
    clean = texts.text(content) if isinstance(content, str) and content else None
    return [] if clean is None else [{"type": kind, "content": clean}]


def _texts(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _text_part("text", piece.get("text"), texts)


def _refusal(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _text_part("refusal", piece.get("refusal"), texts)


def _thinking(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _text_part("reasoning", piece.get("thinking"), texts)


def _reasoning(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take an item of the Responses API: its text if it is open, else its summaries."""
    said = [mapping(each).get("text") for each in (*sequence(piece.get("content")), *sequence(piece.get("summary")))]
    return [part for each in said for part in _text_part("reasoning", each, texts)]


def _compaction(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _text_part("compaction", piece.get("content"), texts)


def _sealed(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Name what only the provider can read."""
    return [{"type": texts.name(piece.get("type"))}]


def _anthropic_source(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take an image or a document of Anthropic's, with its title."""
    source = mapping(piece.get("source"))
    modality = "image" if piece.get("type") == "image" else "document"
    title = text(piece.get("title"))
    named = {} if title is None else {"title": texts.text(title)}
    match source.get("type"):
        case "text":
            parts = _text_part("text", source.get("data"), texts)
        case "content":
            parts = parts_of(source.get("content"), texts)
        case _:
            data, mime = source.get("data"), source.get("media_type")
            parts = _media(modality, mime, texts, data, source.get("url"), source.get("file_id"))
    return [{**part, **{key: value for key, value in named.items() if value is not None}} for part in parts]


def _image(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    found = piece.get("image_url")
    url = mapping(found).get("url") if isinstance(found, Mapping) else found
    return _media("image", None, texts, None, url, piece.get("file_id"))


def _linked(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take what OpenAI-compatible hosts spell as OpenAI does its images: `video_url`, `document_url` and the like."""
    kind = str(piece.get("type"))
    found = piece.get(kind)
    url = mapping(found).get("url") if isinstance(found, Mapping) else found
    family = kind.removesuffix("_url")
    return _media(family if family in ("audio", "video") else "document", None, texts, None, url, None)


def _audio(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    audio = mapping(piece.get("input_audio")) or piece
    form = text(audio.get("format"))
    mime = None if form is None else _AUDIO_MIME.get(form, f"audio/{form}")
    parts = _media("audio", mime, texts, audio.get("data") or audio.get("audio"), None, None)
    return parts + _text_part("text", audio.get("transcript"), texts)


def _file(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    file = mapping(piece.get("file")) or piece
    data, url = text(file.get("file_data")), file.get("file_url")
    if data is not None and data.startswith("data:"):
        data, url = None, data
    parts = _media("document", None, texts, data, url, file.get("file_id"))
    filename = text(file.get("filename"))
    clean = texts.text(filename) if filename is not None else None
    return [_known(**part, filename=clean) for part in parts]


def _made_image(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take an image that the provider's own tool made."""
    parts = _media("image", None, texts, piece.get("result") or piece.get("b64_json"), piece.get("url"), None)
    return parts + _text_part("text", piece.get("revised_prompt"), texts)


def _media(modality: str, mime: Any, texts: Texts, data: Any, url: Any, file_id: Any) -> list[Part]:
    """Name what is binary by where it lies: in the message, behind an address, or with the provider."""
    if isinstance(url, str) and url.startswith("data:"):
        head, _, data = url.partition(",")
        mime = head[5:].partition(";")[0]
        url = None
    elif isinstance(url, str) and "://" not in url:  # some hosts take the bytes themselves in an address's place
        data, url = url, None
    mime = texts.name(mime)
    if isinstance(data, str) and data:
        part = {"type": "blob", "modality": _modality(mime) or modality, "mime_type": mime, "content": ""}
        return [_known(**part, bytes=decoded_bytes(data))]
    if isinstance(url, str) and url:
        clean = texts.text(url)
        return [] if clean is None else [_known(type="uri", modality=modality, mime_type=mime, uri=clean)]
    if isinstance(file_id, str) and file_id:
        return [_known(type="file", modality=modality, mime_type=mime, file_id=texts.name(file_id))]
    return []


def _modality(mime: str | None) -> str | None:
    if mime is None:
        return None
    family = mime.partition("/")[0]
    return family if family in ("image", "audio", "video") else "document"


def _tool_use(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return [tool_call(piece.get("id"), piece.get("name"), piece.get("input"), texts)]


def _function_call(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take a call of the Responses API that the caller runs; tools of fixed names have none of their own."""
    arguments = next((piece[key] for key in ("arguments", "input", "action", "operation") if key in piece), None)
    name = piece.get("name") or piece.get("type")
    return [tool_call(piece.get("call_id") or piece.get("id"), name, arguments, texts)]


def _tool_result(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _response(piece.get("tool_use_id"), piece.get("content"), texts)


def _tool_output(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    return _response(piece.get("call_id"), piece.get("output"), texts)


def _response(call_id: Any, content: Any, texts: Texts) -> list[Part]:
    """Take a tool's result: a text stays one, pieces become parts."""
    response = texts.text(content) if isinstance(content, str) else parts_of(content, texts)
    return [_known(type="tool_call_response", id=texts.name(call_id), response="" if response is None else response)]


def _server_call(piece: Mapping[str, Any], texts: Texts) -> list[Part]:
    """Take a call of a tool that the provider runs, in any spelling, with all that it says of it."""
    name = texts.name(piece.get("name")) or texts.name(piece.get("type")) or ""
    fields = {key: value for key, value in piece.items() if key not in ("type", "id", "name", "status")}
    fields |= {key: _opened(fields[key]) for key in ("arguments", "input") if key in fields}
    call = {"type": name, **texts.fields(fields)}
    return [_known(type="server_tool_call", id=texts.name(piece.get("id")), name=name, server_tool_call=call)]


def _known(**fields: Any) -> Part:
    return {key: value for key, value in fields.items() if value is not None}


_PIECES: dict[str, Callable[[Mapping[str, Any], Texts], list[Part]]] = {
    "text": _texts,
    "input_text": _texts,
    "output_text": _texts,
    "summary_text": _texts,
    "refusal": _refusal,
    "thinking": _thinking,
    "reasoning": _reasoning,
    "compaction": _compaction,
    "redacted_thinking": _sealed,
    "image": _anthropic_source,
    "document": _anthropic_source,
    "image_url": _image,
    "input_image": _image,
    "computer_screenshot": _image,
    "audio_url": _linked,
    "document_url": _linked,
    "file_url": _linked,
    "video_url": _linked,
    "input_audio": _audio,
    "output_audio": _audio,
    "audio": _audio,
    "file": _file,
    "input_file": _file,
    "image_generation_call": _made_image,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": _server_call,
    "mcp_tool_use": _server_call,
    "function_call": _function_call,
    "custom_tool_call": _function_call,
    "local_shell_call": _function_call,
    "shell_call": _function_call,
    "apply_patch_call": _function_call,
    "computer_call": _function_call,
}
