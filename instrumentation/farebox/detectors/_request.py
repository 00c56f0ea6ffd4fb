"""Read a request of any shape: which tools it offers, what it says in words, which form of answer it asks for.

Shapes: Anthropic messages, OpenAI chat completions, completions and responses, as anthropic 2.12 and openai 3.54
send them. Fields of another type than the API's are treated as absent: gateways pass anything on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from farebox._reading import mapping, sequence, text
from farebox.detectors._limits import REQUEST_CHARACTERS_MAX, TOOLS_MAX, NotCheckedError

__all__ = [
    "Output",
    "Prompt",
    "Tool",
    "Toolbox",
    "looks_things_up",
    "mentions",
    "output_of",
    "prompt_of",
    "strings_of",
    "tools_of",
]

# Tools whose calls the caller runs under names that the request does not spell out.
_OPEN_KINDS = ("mcp", "toolset", "tool_search", "programmatic")
EARLIER_CHARACTERS = 1000
# Tools and parameters by which the provider itself looks things up before it answers.
_RETRIEVAL = (
    "search",
    "fetch",
    "mcp",
    "retriev",
    "browser",
    "computer",
    "code_execution",
    "code_interpreter",
    "knowledge",
)
_SEARCH_FIELDS = (
    "web_search_options",
    "web_search",
    "search_parameters",
    "enable_search",
    "plugins",
    "mcp_servers",
    "data_sources",
)
_SEARCH_MODELS = (":online", "sonar", "-search", "deep-research")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_FILES = frozenset({"data", "file_data", "image_url", "source"})  # base64, which is no text


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer. schema: what its arguments must satisfy, None: any object. json: False for free text input."""

    name: str
    schema: Mapping[str, Any] | None = None
    json: bool = True


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools on offer by name; `open`: the model may rightly call others too, or the request is not known."""

    tools: Mapping[str, Tool]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request says in words.

    system: system and developer text. user: the last message of the user that has text. earlier: the end of what came
    before it. prefill: the beginning of the answer, put in the model's mouth. characters: of all the text together.
    """

    system: str = ""
    user: str = ""
    earlier: str = ""
    prefill: str = ""
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """The form of answer that was asked for by parameter; tokens_max None: no limit given."""

    json: bool = False
    schema: Mapping[str, Any] | None = None
    tokens_max: int | None = None
    stop_sequences: tuple[str, ...] = field(default=())


def tools_of(request: Mapping[str, Any]) -> Toolbox:
    """Return the tools on offer.

    Raises:
        NotCheckedError: more than TOOLS_MAX.
    """
    offered = [*sequence(request.get("tools")), *sequence(request.get("functions"))]
    if len(offered) > TOOLS_MAX:
        raise NotCheckedError("TOOLS_MAX")
    tools: dict[str, Tool] = {}
    is_open = not request or "prompt" in request or "previous_response_id" in request or "mcp_servers" in request
    for each in map(mapping, offered):
        kind = text(each.get("type")) or ""
        if any(part in kind for part in _OPEN_KINDS):
            is_open = True
        for tool in _tools(each, kind):
            tools[tool.name] = tool
    return Toolbox(tools, is_open or _adds_tools(request))


def _adds_tools(request: Mapping[str, Any]) -> bool:
    """Tell whether the conversation itself brings tools along, as tool search and tool additions do."""
    turns = [*sequence(request.get("messages")), *sequence(request.get("input"))]
    for turn in map(mapping, turns):
        kinds = [turn.get("type"), *(mapping(part).get("type") for part in sequence(turn.get("content")))]
        if any(isinstance(kind, str) and ("tool_addition" in kind or "tool_search" in kind) for kind in kinds):
            return True
    return False


def _tools(offer: Mapping[str, Any], kind: str) -> Iterator[Tool]:
    if kind == "namespace":
        prefix = text(offer.get("name")) or ""
        for inner in map(mapping, sequence(offer.get("tools"))):
            for tool in _tools(inner, text(inner.get("type")) or ""):
                yield tool
                yield Tool(f"{prefix}.{tool.name}", tool.schema, tool.json)
        return
    body = mapping(offer.get("function")) or mapping(offer.get("custom")) or offer
    name = text(body.get("name"))
    if name is None:
        return
    schema = body.get("input_schema", body.get("parameters"))
    free = kind == "custom" and "input_schema" not in body
    yield Tool(name, schema if isinstance(schema, Mapping) else None, json=not free)


def prompt_of(request: Mapping[str, Any]) -> Prompt:
    """Return what the request says in words."""
    system = [*_words(request.get("system")), *_words(request.get("instructions"))]
    messages = request.get("messages")
    if messages is None:
        messages = request.get("input", request.get("prompt"))
    characters = sum(map(len, system))
    user, prefill = "", ""
    earlier: list[str] = []
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    for message in map(mapping, sequence(messages)):
        role = message.get("role")
        said = "\n".join(_words(message.get("content")))
        characters += len(said)
        earlier += [prefill] if prefill else []
        prefill = said if role == "assistant" else ""
        if role in ("system", "developer"):
            system.append(said)
        elif role == "user" and said.strip():
            earlier += [user] if user else []
            user = said
    return Prompt("\n".join(system), user, "\n".join(earlier)[-EARLIER_CHARACTERS:], prefill, characters)


def _words(content: Any) -> list[str]:
    """Return the pieces of text in a content field: a string, or a list of parts of which some are text."""
    if isinstance(content, str):
        return [content] if content else []
    parts = [mapping(part).get("text") if not isinstance(part, str) else part for part in sequence(content)]
    return [part for part in parts if isinstance(part, str) and part]


def output_of(request: Mapping[str, Any]) -> Output:
    """Return the form of answer that the request asks for by parameter."""
    form = (
        mapping(request.get("response_format"))
        or mapping(mapping(request.get("text")).get("format"))
        or mapping(mapping(request.get("output_config")).get("format"))
        or mapping(request.get("output_format"))
    )
    kind = form.get("type")
    schema = mapping(form.get("json_schema")).get("schema") or form.get("schema")
    tokens = next((request[name] for name in _LIMITS if _is_count(request.get(name))), None)
    stops = request.get("stop_sequences") or request.get("stop") or ()
    stops = [stops] if isinstance(stops, str) else sequence(stops)
    return Output(
        json=kind in ("json_object", "json_schema"),
        schema=schema if kind == "json_schema" and isinstance(schema, Mapping) else None,
        tokens_max=tokens,
        stop_sequences=tuple(each for each in stops if isinstance(each, str) and each),
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def strings_of(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, files in base64 left out."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting.extend(inner for name, inner in each.items() if not _is_file(name, inner))
        elif isinstance(each, list):
            waiting.extend(each)


def _is_file(name: str, value: Any) -> bool:
    return name in _FILES and isinstance(value, str) and (value.startswith("data:") or len(value) > 4096)


def looks_things_up(request: Mapping[str, Any]) -> bool:
    """Tell whether a request lets the provider search the web, documents or other services by itself."""
    if any(request.get(field) for field in _SEARCH_FIELDS):
        return True
    if any(part in (text(request.get("model")) or "") for part in _SEARCH_MODELS):
        return True
    offered = map(mapping, sequence(request.get("tools")))
    return any(part in (text(each.get("type")) or "") for each in offered for part in _RETRIEVAL)


def mentions(request: Mapping[str, Any], *words: str) -> bool:
    """Tell whether any of the words stands anywhere in a request's text.

    Raises:
        NotCheckedError: the request holds more text than REQUEST_CHARACTERS_MAX.
    """
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, set(words)))})\b", re.IGNORECASE)
    left = REQUEST_CHARACTERS_MAX
    for each in strings_of(request):
        left -= len(each)
        if left < 0:
            raise NotCheckedError("REQUEST_CHARACTERS_MAX")
        if pattern.search(each):
            return True
    return False
