"""Prefix hashes: two prompts share a hash exactly where they share a prefix, and no content is in them."""

from __future__ import annotations

from typing import Any

import pytest

from farebox._prefix import BOUNDARIES_MAX, prefix_of

TOOLS = [{"name": "look_up", "input_schema": {"type": "object"}}]


def hashes(**request: Any) -> list[str]:
    return list(prefix_of(request).get("farebox.prefix.hashes", []))


def turn(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **more}


@pytest.fixture(autouse=True)
def _stable_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_HASH_KEY", "test")


def test_a_longer_conversation_starts_with_the_shorter_ones_hashes() -> None:
    """The next turn of a conversation has all hashes of the turn before, then its own."""
    first = hashes(tools=TOOLS, system="s", messages=[turn("a")])
    second = hashes(tools=TOOLS, system="s", messages=[turn("a"), turn("b")])

    assert len(first) == 3
    assert second[:3] == first
    assert len(second) == 4


def test_a_change_at_the_start_changes_every_hash_after_it() -> None:
    """Another tool leaves no prefix in common."""
    mine = hashes(tools=TOOLS, system="s", messages=[turn("a")])
    other = hashes(tools=[{**TOOLS[0], "name": "x"}], system="s", messages=[turn("a")])

    assert not set(mine) & set(other)


def test_cache_markers_do_not_count() -> None:
    """Where cache_control stands makes no difference to the content of a prefix."""
    block = {"type": "text", "text": "long"}
    plain = hashes(messages=[{"role": "user", "content": [block]}])
    marked = hashes(messages=[{"role": "user", "content": [{**block, "cache_control": {"type": "ephemeral"}}]}])

    assert plain == marked


def test_a_block_around_a_text_does_not_count() -> None:
    """Callers put a text into a block to mark it for the cache: for the cache, and so for us, it is the same text."""
    block = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    plain = hashes(system="a", messages=[turn("a"), turn("b")])
    marked = hashes(system=[block], messages=[{"role": "user", "content": [block]}, turn("b")])
    more = hashes(system="a", messages=[{"role": "user", "content": [block, block]}, turn("b")])
    cited = hashes(system="a", messages=[{"role": "user", "content": [{**block, "citations": {}}]}, turn("b")])

    assert plain == marked
    assert plain[1:] != more[1:]
    assert plain[1:] != cited[1:]


def test_boundaries_are_not_confused() -> None:
    """The same characters cut differently are different prompts."""
    assert hashes(messages=[turn("ab"), turn("c")])[-1] != hashes(messages=[turn("a"), turn("bc")])[-1]


def test_at_most_sixteen_are_kept_the_latest_ones() -> None:
    """A long conversation keeps tools, system and its latest boundaries, so that the next turn still matches."""
    turns = [turn(str(number)) for number in range(50)]
    now = hashes(tools=TOOLS, system="s", messages=turns)
    later = hashes(tools=TOOLS, system="s", messages=[*turns, turn("more")])

    assert len(now) == len(later) == BOUNDARIES_MAX
    assert now[-1] in later


def test_sizes_are_cumulative_and_no_content_is_in_the_hashes() -> None:
    """Sizes grow, hashes are 16 hex digits, and another key gives other hashes."""
    attributes = prefix_of({"system": "secret system", "messages": [turn("hello"), turn("world")]})

    assert attributes["farebox.prefix.bytes"] == sorted(attributes["farebox.prefix.bytes"])
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in attributes["farebox.prefix.hashes"])


@pytest.mark.parametrize(
    "request_body", [{}, {"messages": None}, {"messages": 7}, {"input": []}, {"prompt": "x\ud800"}]
)
def test_odd_requests_do_no_harm(request_body: dict[str, Any]) -> None:
    """A request without messages, or with nonsense for them, gives what can be given."""
    assert len(hashes(**request_body)) <= 1
