"""What is left of a provider's rate limits stands on the span, in one spelling for all hosts."""

from __future__ import annotations

from datetime import UTC, datetime

import anthropic
import httpx2
import pytest

import farebox
from farebox._headers import picked
from farebox._rate_limits import LIMITS_MAX, rate_limits
from farebox.testing import Captured
from instrumentation.provider import Provider
from instrumentation.test_differential import ASK, acting

NOW_S = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC).timestamp()


def limits(*, limited: bool = False, **headers: str) -> dict[str, float]:
    named = httpx2.Headers({key.replace("_", "-"): value for key, value in headers.items()})
    return {
        key.removeprefix("farebox."): value
        for key, value in rate_limits(picked(named), limited=limited, now_s=NOW_S).items()
    }


def test_hosts_spell_the_same_limit_alike() -> None:
    """Anthropic's, OpenAI's and nameless headers become `rate_limit.<what>.limit` and `.remaining`."""
    assert limits(anthropic_ratelimit_input_tokens_remaining="12", anthropic_priority_input_tokens_limit="7") == {
        "rate_limit.input_tokens.remaining": 12,
        "rate_limit.priority_input_tokens.limit": 7,
    }
    assert limits(X_RateLimit_Limit_Requests="10", x_ratelimit_remaining_tokens="0") == {
        "rate_limit.requests.limit": 10,
        "rate_limit.tokens.remaining": 0,
    }
    assert limits(x_ratelimit_remaining="3") == {"rate_limit.requests.remaining": 3}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T12:00:30Z", 30.0),
        ("2026-11-23T11:59:00Z", 0.0),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("120ms", 0.12),
        ("1.5", 1.5),
        (str(int(NOW_S) + 9), 9.0),
        (str(int(NOW_S * 1000) + 250), 0.25),
    ],
)
def test_a_time_of_reset_becomes_seconds(text: str, seconds: float) -> None:
    """A moment, a duration in words, a number of seconds or a time since 1970 all say how long to wait."""
    assert limits(limited=True, x_ratelimit_reset_tokens=text) == {"rate_limit.tokens.reset_s": seconds}


def test_the_time_of_reset_is_told_only_of_a_limited_attempt() -> None:
    """It differs at every call, and matters when one was refused."""
    assert limits(x_ratelimit_reset_tokens="1s", retry_after="3") == {}


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "inf", "1x", "2026-99-99", "1.5"])
def test_nonsense_is_left_out(text: str) -> None:
    """A value that is no whole number, or no time, gives no attribute."""
    assert limits(anthropic_ratelimit_tokens_remaining=text) == {}
    assert text == "1.5" or limits(limited=True, x_ratelimit_reset=text) == {}


def test_the_number_of_kinds_is_bounded() -> None:
    """A host that names a limit a model does not swamp the span."""
    assert len(limits(**{f"x_ratelimit_remaining_kind{number}": "1" for number in range(50)})) == LIMITS_MAX


def test_a_refused_attempt_says_how_long_to_wait(provider: Provider, captured: Captured) -> None:
    """A 429 carries its limits and the pause that the host asked for; the retry after it has the limits alone."""
    client = farebox.wrap(anthropic.Anthropic(api_key="k", base_url=provider.base))
    client.messages.create(**ASK, **acting("fail:1,429"))

    refused, answered = captured.attempts()

    assert refused["farebox.retry_after_s"] == 0.02
    assert refused["farebox.rate_limit.tokens.remaining"] == 4000
    assert answered["farebox.rate_limit.tokens.remaining"] == 4000
    assert "farebox.retry_after_s" not in answered
