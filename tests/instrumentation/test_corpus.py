"""Recorded traffic of many providers: wrapped and bare callers see the same, and the leaves add up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import Any

import pytest
from shared import SHARED, load, needs_shared

import farebox
from farebox.testing import Captured

# Recordings name models that the SDKs meanwhile warn about.
pytestmark = [needs_shared, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

replay: Any = load("corpus/replay.py") if SHARED else None
CASES = list(replay.iter_cases(SHARED / "corpus")) if SHARED else []
INPUT_LEAVES = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unsplit_tokens",
    "cache_write_30m_tokens",
    "cache_write_12h_tokens",
    "image_input_tokens",
)


def contradicts_itself(tokens: Mapping[str, Any]) -> bool:
    """Some recorded hosts report 161 cached tokens of a prompt of 7: what was not cached cannot be known."""
    return bool(tokens["input_includes_cache"]) and (tokens.get("cache_read") or 0) > tokens["input_total"]


def seen(outcome: Any) -> tuple[Any, ...]:
    """Everything a caller can see of a call: response, events, error."""

    def plain(value: Any) -> Any:
        if hasattr(value, "to_dict"):
            value = type(value), value.to_dict(warnings=False), sorted(value.model_fields_set)
        return repr(value)  # text, since NaN differs from itself

    error = outcome.error and (type(outcome.error), str(outcome.error))
    return plain(outcome.response), [plain(event) for event in outcome.events], error, outcome.status


def run(case: Mapping[str, Any], *, wrapped: bool, mode: str = "create", **how: Any) -> Any:
    stop_after = how.pop("stop_after", None)
    client = replay.make_client(case, replay.ReplayTransport(case, **how))
    try:
        return replay.drive(case, farebox.wrap(client) if wrapped else client, mode=mode, stop_after=stop_after)
    finally:
        client.close()


async def arun(case: Mapping[str, Any], *, wrapped: bool, **how: Any) -> Any:
    client = replay.make_client(case, replay.AsyncReplayTransport(case, **how))
    try:
        return await replay.adrive(case, farebox.wrap(client) if wrapped else client)
    finally:
        await client.close()


def leaf(attempt: Mapping[str, Any], name: str) -> int | None:
    return attempt.get(f"farebox.usage.{name}")


def answer(captured: Captured) -> Mapping[str, Any]:
    """Return the one attempt; a pass that is billed apart has a span of another kind."""
    (attempt,) = (each for each in captured.attempts() if each["farebox.kind"] == "attempt")
    return attempt


def check_leaves(case: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
    """Hold an attempt's leaves against the usage that independent code read off the recording."""
    expected = case["expected"]
    tokens = expected["tokens"]
    if not expected["usage_present"]:
        assert attempt["farebox.usage.state"] in ("missing", "none")
        assert leaf(attempt, "output_tokens") is None
        return
    assert attempt["farebox.usage.state"] in ("reported", "partial")
    assert leaf(attempt, "cache_read_tokens") == tokens.get("cache_read")
    assert (leaf(attempt, "cache_write_5m_tokens") or 0) == (tokens.get("cache_write_5m") or 0)
    assert (leaf(attempt, "cache_write_1h_tokens") or 0) == (tokens.get("cache_write_1h") or 0)
    written = sum(leaf(attempt, name) or 0 for name in INPUT_LEAVES if name.startswith("cache_write"))
    assert written == (tokens.get("cache_write") or 0)
    if tokens.get("web_search_requests") is not None:  # some hosts tell it outside `usage`
        assert leaf(attempt, "web_search_requests") == tokens["web_search_requests"]
    output = [leaf(attempt, name) for name in ("output_tokens", "audio_output_tokens", "image_output_tokens")]
    assert sum(filter(None, output)) == (tokens.get("output_total") or 0)
    if contradicts_itself(tokens):
        assert leaf(attempt, "uncached_input_tokens") is None
        assert "above their total" in attempt["farebox.usage.contradiction"]
        return
    total = sum(leaf(attempt, name) or 0 for name in INPUT_LEAVES)
    # Audio stands inside the host's own input total, or beside it.
    assert tokens["input_total"] in (total, total + (leaf(attempt, "audio_input_tokens") or 0))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_leaves_add_up_to_the_recorded_usage(case: Mapping[str, Any], captured: Captured) -> None:
    """The leaves of every recorded call add up to its totals, and the caller sees what it saw without us."""
    bare = run(case, wrapped=False)

    outcome = run(case, wrapped=True)

    assert seen(outcome) == seen(bare)
    assert not replay.check(case, outcome)
    attempt = answer(captured)
    check_leaves(case, attempt)
    # A stream that ends without error is judged by its own terminal event.
    done = case["expected"]["ok"] and not case["expected"]["error"] and not case["expected"]["stream_error"]
    assert (
        (attempt["farebox.outcome"] == "ok")
        == bool(done and (not case["stream"] or case["expected"]["stream_complete"] or case["expected"]["stop_reason"]))
        or {"body_not_json", "choices_missing"} & set(case["expected"]["notes"])
        or case["source"]["fidelity"] == "derived"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_leaves_do_not_depend_on_where_chunks_break(case: Mapping[str, Any], captured: Captured) -> None:
    """Chunks of 7 bytes, which break lines, events and characters, give the same caller and the same leaves."""
    bare = run(case, wrapped=False, chunk=7)

    outcome = run(case, wrapped=True, chunk=7)

    assert seen(outcome) == seen(bare)
    check_leaves(case, answer(captured))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_connection_cut_in_the_middle_is_never_reported(case: Mapping[str, Any], captured: Captured) -> None:
    """A body cut half-way raises the same error as without us; its usage is partial or missing, never reported."""
    half = len(case["response"]["body"].encode("utf-8", "surrogatepass")) // 2
    bare = run(case, wrapped=False, cut_after=half)

    outcome = run(case, wrapped=True, cut_after=half)

    assert seen(outcome) == seen(bare)
    attempt = answer(captured)
    assert attempt["farebox.usage.state"] in ("partial", "missing", "none")
    assert attempt["farebox.outcome"] != "ok"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_async_callers_see_the_same_and_leaves_add_up(case: Mapping[str, Any], captured: Captured) -> None:
    """The async clients give the same leaves, and their callers see the same."""

    async def both() -> tuple[Any, Any]:
        return await arun(case, wrapped=False), await arun(case, wrapped=True)

    bare, outcome = asyncio.run(both())

    assert seen(outcome) == seen(bare)
    check_leaves(case, answer(captured))


@pytest.mark.parametrize("case", [case for case in CASES if case["stream"]], ids=lambda case: case["id"])
def test_an_abandoned_stream_is_recorded_once_and_never_as_reported(
    case: Mapping[str, Any], captured: Captured
) -> None:
    """A caller who leaves a stream after one event leaves one attempt, without a final usage."""
    run(case, wrapped=True, stop_after=1, chunk=64)
    gc.collect()

    attempt = answer(captured)
    short = case["expected"]["stream_complete"] is False or len(case["response"]["body"]) < 4096
    assert attempt["farebox.usage.state"] in ("partial", "missing", "none") or short


def modes(case: Mapping[str, Any]) -> list[str]:
    """Modes of the recording that the SDKs themselves can drive."""
    if case["endpoint"] in ("messages.count_tokens", "embeddings"):
        return ["raw"] if case["endpoint"] == "embeddings" else []
    helper = case["stream"] and case["endpoint"] in ("messages", "chat.completions", "responses")
    return ["raw", "helper"] if helper else ["raw"]


@pytest.mark.parametrize(
    ("case", "mode"),
    [pytest.param(case, mode, id=f"{case['id']}-{mode}") for case in CASES for mode in modes(case)],
)
def test_raw_responses_and_stream_helpers_are_recorded_alike(
    case: Mapping[str, Any], mode: str, captured: Captured
) -> None:
    """`with_raw_response` and `.stream()` give the caller the same as without us, and the ledger the same leaves."""
    bare = run(case, wrapped=False, mode=mode)

    outcome = run(case, wrapped=True, mode=mode)

    assert seen(outcome) == seen(bare)
    attempts = [each for each in captured.attempts() if each["farebox.kind"] == "attempt"]
    assert len(attempts) <= 1  # a helper may refuse the recorded arguments before anything is sent
    if attempts and outcome.error is None and mode == "raw":
        check_leaves(case, attempts[0])
