"""Asking for the usage of a stream, unseen by the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import farebox
from farebox._ask_usage import UsageFilter
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import CHAT, acting, adrained, drained, left_early, raised

_made: list[openai.OpenAI] = []


@pytest.fixture(autouse=True)
def _clients_are_closed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def client(provider: Provider, *, wrapped: bool = True, **tags: Any) -> openai.OpenAI:
    _made.append(openai.OpenAI(api_key="k", base_url=f"{provider.base}/v1"))
    return farebox.wrap(_made[-1], provider="openai", **tags) if wrapped else _made[-1]


@pytest.mark.parametrize("choices", [1, 2])
@pytest.mark.parametrize("scenario", ["", "split", "slow", "gzip"])
def test_usage_is_recorded_and_the_caller_sees_nothing_of_it(
    choices: int, scenario: str, provider: Provider, captured: Captured
) -> None:
    """The caller of a stream gets the very objects it gets unasked, at n=1 and n=2, while the ledger gets the usage."""

    def run(*, wrapped: bool) -> Any:
        return drained(
            client(provider, wrapped=wrapped).chat.completions.create(
                **CHAT, stream=True, n=choices, **acting(scenario)
            )
        )

    assert run(wrapped=True) == run(wrapped=False)
    (attempt,) = captured.attempts()
    assert attempt["farebox.usage.state"] == "reported"
    assert attempt["farebox.usage.output_tokens"] == 20
    assert provider.requests[-2]["body"]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in provider.requests[-1]["body"]


def test_raw_bytes_are_the_same(provider: Provider, captured: Captured) -> None:
    """A caller who reads the bytes of the response itself sees the same bytes."""

    def run(*, wrapped: bool) -> bytes:
        chat = client(provider, wrapped=wrapped).chat.completions
        with chat.with_streaming_response.create(**CHAT, stream=True) as response:
            return b"".join(response.iter_bytes())

    assert run(wrapped=True) == run(wrapped=False)
    assert captured.attempts()[0]["farebox.usage.state"] == "reported"


def test_the_chat_helper_and_async_streams_see_nothing_of_it(provider: Provider, captured: Captured) -> None:
    """`.stream()` reports no usage where none was asked by the caller, and async streams are filtered alike."""

    async def run(*, wrapped: bool) -> Any:
        o = openai.AsyncOpenAI(api_key="k", base_url=f"{provider.base}/v1")
        o = farebox.wrap(o, provider="openai") if wrapped else o
        events = await adrained(await o.chat.completions.create(**CHAT, stream=True, **acting("split")))
        await o.close()
        return events

    with client(provider).chat.completions.stream(**CHAT) as stream:
        assert stream.get_final_completion().usage is None
    assert asyncio.run(run(wrapped=True)) == asyncio.run(run(wrapped=False))
    assert [attempt["farebox.usage.state"] for attempt in captured.attempts()] == ["reported", "reported"]


@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}, {}])
def test_the_callers_own_stream_options_are_left_alone(
    options: dict[str, bool], provider: Provider, captured: Captured
) -> None:
    """A caller who passes stream_options gets exactly what it asked for."""
    create = client(provider).chat.completions.create

    result = drained(create(**CHAT, stream=True, stream_options=options))

    bare = client(provider, wrapped=False).chat.completions.create(**CHAT, stream=True, stream_options=options)
    assert result == drained(bare)
    assert provider.requests[-2]["body"]["stream_options"] == options


def test_it_can_be_turned_off(provider: Provider, captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAREBOX_INCLUDE_USAGE=off leaves every request as it is; the usage is then missing, not zero."""
    monkeypatch.setenv("FAREBOX_INCLUDE_USAGE", "off")

    drained(client(provider).chat.completions.create(**CHAT, stream=True))

    assert "stream_options" not in provider.requests[-1]["body"]
    (attempt,) = captured.attempts()
    assert attempt["farebox.usage.state"] == "missing"
    assert "farebox.usage.output_tokens" not in attempt


def test_a_host_not_known_to_support_it_is_not_asked(provider: Provider, captured: Captured) -> None:
    """An unknown server might refuse the option, so it is never sent there."""
    farebox.wrap(client(provider, wrapped=False)).chat.completions.create(**CHAT, stream=True).close()

    assert "stream_options" not in provider.requests[-1]["body"]


def test_a_whole_answer_is_not_asked(provider: Provider, captured: Captured) -> None:
    """Requests that are no stream stay as they are, also when read as a streaming response."""
    with client(provider).chat.completions.with_streaming_response.create(**CHAT) as response:
        response.parse()

    assert "stream_options" not in provider.requests[-1]["body"]


def test_a_cut_stream_gives_the_caller_the_same_part_and_error(provider: Provider, captured: Captured) -> None:
    """When the connection breaks, the caller gets the same chunks and the same exception as without us."""

    def run(*, wrapped: bool) -> Any:
        seen: list[Any] = []

        def read() -> None:
            create = client(provider, wrapped=wrapped).chat.completions.create
            seen.extend(event.to_dict() for event in create(**CHAT, stream=True, **acting("cut")))

        return raised(read), seen

    assert run(wrapped=True) == run(wrapped=False)
    assert captured.attempts()[0]["farebox.usage.state"] == "missing"


def test_leaving_early_is_abandoned_with_an_estimate(provider: Provider, captured: Captured) -> None:
    """A caller who leaves before the usage came leaves a missing usage and an estimate apart from it."""
    left_early(client(provider).chat.completions.create(**CHAT, stream=True, **acting("slow")), 3, close=True)

    (attempt,) = captured.attempts()
    assert attempt["farebox.outcome"] == "abandoned"
    assert attempt["farebox.usage.state"] == "missing"
    assert attempt["farebox.usage.estimated_output_tokens"] > 0


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        (b'data: {"choices":[{}],"usage":null}\n\n', b'data: {"choices":[{}]}\n\n'),
        (b'data: {"usage":null,"choices":[{}]}\n\n', b'data: {"choices":[{}]}\n\n'),
        (b'data: {"choices":[{}], "usage": null, "x": 1}\r\n\r\n', b'data: {"choices":[{}], "x": 1}\r\n\r\n'),
        (b'data: {"choices":[],"usage":{"total_tokens":1}}\n\n', b""),
        (
            b'data: {"choices":[{}],"usage":{"total_tokens":1}}\n\n',
            b'data: {"choices":[{}],"usage":{"total_tokens":1}}\n\n',
        ),
        (b'data: {"choices":[],"x":1}\n\n', b'data: {"choices":[],"x":1}\n\n'),
        (
            b'data: {"choices":[{"delta":{"content":"say \\"usage\\":null,"}}]}\n\n',
            b'data: {"choices":[{"delta":{"content":"say \\"usage\\":null,"}}]}\n\n',
        ),
        (b'data: {"x_groq":{"usage":null},"choices":[]}\n\n', b'data: {"x_groq":{"usage":null},"choices":[]}\n\n'),
        (b'data: not json "usage"\n\n', b'data: not json "usage"\n\n'),
        (b"data: [DONE]\n\n", b"data: [DONE]\n\n"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_only_the_trace_of_asking_is_taken_out(event: bytes, seen: bytes, step: int) -> None:
    """Whatever the host writes and wherever chunks break, only our usage disappears."""
    hide = UsageFilter()

    out = b"".join(hide.feed(event[start : start + step]) for start in range(0, len(event), step)) + hide.flush(
        ended=True
    )

    assert out == seen
