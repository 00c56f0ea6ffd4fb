"""Every public method of the SDKs' resources, and the first request that each sends: found out by calling it."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai

# Arguments of methods that refuse what is made up from their signatures.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "openai beta.agents.environments.files.prepare_directory": {"directory": "/tmp", "include": ["*.none"]},
    "openai beta.agents.environments.files.upload": {"path": "/workspace/a"},
    "openai beta.agents.sessions.stream": {"input": "hi"},
    "openai responses.stream": {"model": "x1", "input": "hi"},
    "openai videos.edit": {"video": ("a.mp4", b"x")},
    "openai videos.extend": {"video": ("a.mp4", b"x")},
}
_VARIANT = re.compile(r"Expected either \(([^)]*)\)")


class _NoAnswerError(Exception):
    """Raised in place of an answer."""


class _Transport(httpx2.BaseTransport):
    """Keeps each request's method and path, and answers none."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append((request.method, re.sub(r"^/v1(/v1)?", "", request.url.path)))
        raise _NoAnswerError


@dataclass(frozen=True)
class Method:
    """A method under its name, `openai images.edit`; request None: it sent nothing over HTTP."""

    name: str
    request: tuple[str, str] | None


def sdk_methods() -> Iterator[Method]:
    """Yield each public method of each resource of both SDKs' sync clients."""
    for sdk, made in (("anthropic", anthropic.Anthropic), ("openai", openai.OpenAI)):
        transport = _Transport()
        keys = {"api_key": "k", **({"admin_api_key": "a"} if "admin_api_key" in _parameters(made) else {})}
        client = made(
            **keys, base_url="http://127.0.0.1:1/v1", http_client=httpx2.Client(transport=transport), max_retries=0
        )
        for path, resource in _resources(client, (), sdk):
            for name, function in inspect.getmembers(type(resource), inspect.isfunction):
                if not name.startswith("_") and name != "connect":
                    full = f"{sdk} {'.'.join((*path, name))}"
                    yield Method(full, _first_request(resource, function, transport, ARGUMENTS.get(full, {})))


def socket_resources() -> Iterator[str]:
    """Yield each resource of OpenAI's client that opens a WebSocket."""
    client = openai.OpenAI(api_key="k")
    for path, resource in _resources(client, (), "openai"):
        if hasattr(type(resource), "connect"):
            yield ".".join(path)


def with_async() -> Iterator[tuple[str, set[str]]]:
    """Yield each resource, with the methods that only the sync or only the async client has."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("anthropic", anthropic.Anthropic, anthropic.AsyncAnthropic),
        ("openai", openai.OpenAI, openai.AsyncOpenAI),
    )
    for sdk, sync, asynchronous in pairs:
        one, other = (dict(_resources(made(api_key="k"), (), sdk)) for made in (sync, asynchronous))
        for path in one.keys() | other.keys():
            names = [_public(each[path]) if path in each else set() for each in (one, other)]
            yield f"{sdk} {'.'.join(path)}", names[0] ^ names[1]


def _public(resource: Any) -> set[str]:
    return {name for name, _ in inspect.getmembers(type(resource), inspect.isfunction) if not name.startswith("_")}


def _parameters(function: Any) -> Any:
    return inspect.signature(function).parameters


def _resources(parent: Any, path: tuple[str, ...], sdk: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in dir(type(parent)):
        attribute = inspect.getattr_static(type(parent), name)
        if name.startswith(("_", "with_")) or not isinstance(attribute, functools.cached_property | property):
            continue
        resource = getattr(parent, name)
        if type(resource).__module__.startswith(f"{sdk}.resources"):
            yield (*path, name), resource
            yield from _resources(resource, (*path, name), sdk)


def _first_request(resource: Any, function: Any, transport: _Transport, given: Any) -> tuple[str, str] | None:
    parameters = list(_parameters(function).values())[1:]
    required = [each for each in parameters if each.default is each.empty and each.kind not in (2, 4)]
    arguments = {**{each.name: _made_up(each) for each in required}, **given}
    transport.sent.clear()
    error = _call(resource, function, arguments, parameters)
    variant = _VARIANT.search(str(error))
    if variant and not transport.sent:  # one of several sets of arguments is required
        names = re.findall(r"'(\w+)'", variant.group(1))
        arguments |= {each.name: _made_up(each) for each in parameters if each.name in names}
        _call(resource, function, arguments, parameters)
    return transport.sent[0] if transport.sent else None


def _call(resource: Any, function: Any, arguments: dict[str, Any], parameters: list[Any]) -> Exception | None:
    positional = [arguments[each.name] for each in parameters if each.kind is each.POSITIONAL_ONLY]
    named = {
        each.name: arguments[each.name]
        for each in parameters
        if each.kind is not each.POSITIONAL_ONLY and each.name in arguments
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(resource, *positional, **named)
            if hasattr(result, "__enter__"):  # a helper that sends when it is entered
                with result:
                    pass
            elif hasattr(result, "__next__"):
                next(result)
            elif hasattr(result, "until_done"):
                result.until_done()
    except Exception as error:
        return error
    return None


def _made_up(parameter: Any) -> Any:
    kind = str(parameter.annotation)
    if "FileTypes" in kind or parameter.name in ("file", "image", "video"):
        return ("a.png", b"x")
    if parameter.name == "model":
        return "x1"
    if kind.startswith(("Iterable", "Sequence", "List")):
        return []
    if kind in ("int", "float", "bool"):
        return 1
    if "Param" in kind or "Mapping" in kind or "Dict" in kind:
        return {}
    return "x1"
