"""Tags follow the context of the call: nesting, threads, tasks, decorators."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import attach, detach

import farebox
from farebox import _tag_limits
from farebox._spans import health
from farebox._tags import current_tags
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK


def test_inner_tags_win_and_the_outer_come_back() -> None:
    """Nested tags are merged, the inner value wins, and leaving restores what was."""
    with farebox.tags(route="outer", task="t"):
        with farebox.tags(route="inner"):
            assert current_tags() == {"route": "inner", "task": "t"}
        assert current_tags() == {"route": "outer", "task": "t"}
    assert current_tags() == {}


def test_tags_decorate_functions_and_coroutines() -> None:
    """The decorator tags each run of a function or a coroutine, also when it recurses."""

    @farebox.tags(route="f")
    def depth(n: int) -> list[str]:
        return [current_tags()["route"], *(depth(n - 1) if n else [])]

    @farebox.tags(route="g")
    async def waits() -> str:
        await asyncio.sleep(0)
        return current_tags()["route"]

    assert depth(2) == ["f", "f", "f"]
    assert asyncio.run(waits()) == "g"
    assert current_tags() == {}


def test_a_generator_cannot_be_decorated() -> None:
    """Decorating a generator would tag its making, not its running; the error says what to do instead."""
    with pytest.raises(TypeError, match=r"use `with farebox.tags\(...\)` inside it"):

        @farebox.tags(route="x")
        def numbers():  # type: ignore[no-untyped-def]
            yield 1


def test_tasks_keep_their_own_tags() -> None:
    """Concurrent tasks do not see each other's tags."""

    async def one(route: str) -> str:
        with farebox.tags(route=route):
            await asyncio.sleep(0.01)
            return current_tags()["route"]

    async def many() -> list[str]:
        return await asyncio.gather(*(one(f"r{number}") for number in range(20)))

    assert asyncio.run(many()) == [f"r{number}" for number in range(20)]


def test_bind_carries_tags_into_a_thread() -> None:
    """A pool's thread has no tags of ours, unless the function is bound."""
    with ThreadPoolExecutor(1) as pool, farebox.tags(route="bound"):
        assert dict(pool.submit(current_tags).result()) == {}
        assert dict(pool.submit(farebox.tags.bind(current_tags)).result()) == {"route": "bound"}
        assert dict(pool.submit(current_tags).result()) == {}


def test_values_become_bounded_text() -> None:
    """A number becomes text, None is left out, and a long value is cut at 256 characters."""
    with farebox.tags(user=7, tenant=None, note="x" * 1000):
        assert current_tags() == {"user": "7", "note": "x" * 256}


def test_tags_of_the_call_win_over_those_of_the_client(provider: Provider, captured: Captured) -> None:
    """`wrap()` gives defaults, `tags()` around a call wins, and unknown names become farebox.tag.*."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base), route="client", team="blue")
    client.messages.create(**ASK)
    with farebox.tags(route="call", provider="bedrock"):
        client.messages.create(**ASK)

    first, second = captured.attempts()

    assert (first["farebox.route"], first["farebox.tag.team"], first["farebox.provider"]) == (
        "client",
        "blue",
        "self_hosted",
    )
    assert (second["farebox.route"], second["farebox.tag.team"], second["farebox.provider"]) == (
        "call",
        "blue",
        "bedrock",
    )


def test_users_are_hashed_when_asked(provider: Provider, captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """With FAREBOX_HASH_USERS no user name leaves the process, and equal names stay equal."""
    monkeypatch.setenv("FAREBOX_HASH_USERS", "true")
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    for user in ("ada", "ada", "bob"):
        with farebox.tags(user=user):
            client.messages.create(**ASK)

    users = [attempt["farebox.user"] for attempt in captured.attempts()]

    assert users[0] == users[1] != users[2]
    assert "ada" not in users


def test_named_tags_cross_processes_in_baggage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tags named in FAREBOX_PROPAGATE go into OTel baggage and come out of it; others stay, and our own win."""
    monkeypatch.setenv("FAREBOX_PROPAGATE", "tenant, route")
    with farebox.tags(tenant="acme", user="ada"):
        carrier: dict[str, str] = {}
        W3CBaggagePropagator().inject(carrier)

    assert carrier == {"baggage": "farebox.tenant=acme"}
    assert baggage.get_all() == {}
    token = attach(W3CBaggagePropagator().extract(carrier))
    try:
        assert current_tags() == {"tenant": "acme"}
        with farebox.tags(tenant="other", task="t"):
            assert current_tags() == {"tenant": "other", "task": "t"}
    finally:
        detach(token)


def test_nothing_crosses_processes_by_default() -> None:
    """Without FAREBOX_PROPAGATE no tag reaches baggage: providers would see it."""
    with farebox.tags(tenant="acme"):
        assert baggage.get_all() == {}


def test_a_tag_without_end_keeps_its_first_values(
    provider: Provider, captured: Captured, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A tag with ever new values is recorded as `(other)` beyond the limit, which is counted and told once."""
    monkeypatch.setattr(_tag_limits, "VALUES_MAX", 2)
    monkeypatch.setattr(_tag_limits, "_seen", {})
    before = health().tags_limited
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    for number in (1, 2, 3, 4, 1):
        with farebox.tags(route=f"r{number}", user=f"u{number}"):
            client.messages.create(**ASK)

    attempts = captured.attempts()

    assert [each["farebox.route"] for each in attempts] == ["r1", "r2", "(other)", "(other)", "r1"]
    assert [each["farebox.user"] for each in attempts] == ["u1", "u2", "u3", "u4", "u1"]
    assert health().tags_limited - before == 2
    assert caplog.text.count("the tag 'route' has had 2 different values") == 1


def test_tags_too_long_and_too_many_are_cut(provider: Provider, captured: Captured) -> None:
    """A value keeps its first 256 characters, a call its first 32 tags, nested ones included; each cut is counted."""
    before = health().tags_limited
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    with (
        farebox.tags(route="r" * 300, **{f"a{number}": number for number in range(20)}),
        farebox.tags(**{f"b{number}": number for number in range(20)}),
    ):
        client.messages.create(**ASK)

    [attempt] = captured.attempts()

    assert attempt["farebox.route"] == "r" * 256
    assert len([key for key in attempt if key.startswith("farebox.tag.")]) == 31
    assert health().tags_limited - before == 2


def test_a_value_that_cannot_be_text_is_left_out(swallowed: list[BaseException]) -> None:
    """A value whose `str` fails costs the tag, not the caller."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    with farebox.tags(route="easy", odd=Broken()):
        assert current_tags() == {"route": "easy"}
    assert isinstance(swallowed[0], RuntimeError)
