"""Every figure of the dashboards against a count in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from dashboards.asking import ask, choice
from dashboards.test_figures import quantile, same, shown, wilson
from dashboards.traffic import DAY, HOSTILE, HOUR, TENANT, UNTIL, Made, added, within

from farebox_ledger import Store

SINCE = UNTIL - DAY
INTERVAL_S = 1800


@pytest.fixture
def day(traffic: list[Made]) -> list[Made]:
    """The attempts of the last day."""
    return within(traffic, SINCE, UNTIL)


def in_intervals(made: Sequence[Made], interval_s: int = INTERVAL_S) -> dict[datetime, list[Made]]:
    """Sort attempts into intervals, by the beginning of each, without a zone as ClickHouse gives it."""
    found: dict[datetime, list[Made]] = defaultdict(list)
    for each in made:
        second = each.started_at.timestamp()
        start = each.started_at - timedelta(seconds=second % interval_s)
        found[start.replace(tzinfo=None)].append(each)
    return found


def series(busy: Store, name: str, interval_s: int = INTERVAL_S, **chosen: list[str]) -> list[dict[str, Any]]:
    return ask(busy.client, name, SINCE, UNTIL, choice(**chosen), interval_s)


@pytest.mark.parametrize(("name", "label"), [("spend_by_route", "route"), ("spend_by_model", "model")])
@pytest.mark.parametrize("interval_s", [600, 3600, 7200])
def test_spend_over_time(name: str, label: str, interval_s: int, busy: Store, day: list[Made]) -> None:
    """Each interval and label has the money of its attempts, read from rollups or one by one."""
    found = {(row["time"], row[label]): row["spend"] for row in series(busy, name, interval_s)}
    expected: dict[tuple[datetime, str], float | None] = {}
    for start, made in in_intervals(day, interval_s).items():
        for value in {getattr(each, label) for each in made}:
            expected[start, value] = shown(added(each for each in made if getattr(each, label) == value))

    assert found == expected


def test_what_is_not_priced_over_time(busy: Store, day: list[Made]) -> None:
    """The count beside the money is of the same intervals."""
    expected = {start: sum(each.doubtful for each in made) for start, made in in_intervals(day).items()}
    found = {row["time"]: row["not fully priced"] for row in series(busy, "not_priced_over_time")}

    assert found == {start: count for start, count in expected.items() if count}


def test_spend_adds_up(busy: Store, day: list[Made]) -> None:
    """The last point is the whole, and no point is below the one before it."""
    rows = series(busy, "spend_cumulated")

    assert rows[-1]["spend"] == shown(added(day))
    assert rows[-1]["not fully priced"] == sum(each.doubtful for each in day)
    assert [row["spend"] for row in rows] == sorted(row["spend"] for row in rows)


def test_tokens_and_cache_hits(busy: Store, day: list[Made]) -> None:
    """Classes exclude each other and add up to what the providers reported."""
    tokens = {row.pop("time"): row for row in series(busy, "tokens_by_class")}
    hits = {row["time"]: row["cache hit rate"] for row in series(busy, "cache_hit_rate")}
    names = {"input": "uncached_input_tokens", "cache read": "cache_read_tokens",
             "cache write": "cache_write_5m_tokens", "output": "output_tokens"}  # fmt: skip
    for start, made in in_intervals(day).items():
        sums = {name: sum(each.tokens.get(leaf, 0) for each in made) for name, leaf in names.items()}
        known = sum(each.input_tokens for each in made)
        assert tokens[start] == sums
        assert same(hits[start], sums["cache read"] / known if known else None)


def test_what_caching_saved(busy: Store, day: list[Made]) -> None:
    """Cached tokens at the full input price, less what they cost; what has no price is counted apart."""
    found = {row.pop("time"): row for row in series(busy, "cache_savings")}
    cached = [
        each
        for each in day
        if each.tokens.get("cache_read_tokens", 0) + each.tokens.get("cache_write_5m_tokens", 0) > 0
    ]
    for start, made in in_intervals(cached).items():
        comparable = [each for each in made if not each.doubtful]
        expected = sum((each.saved for each in comparable), Decimal(0)) if comparable else None
        assert found[start] == {"saved": shown(expected), "not comparable": len(made) - len(comparable)}


def test_malformed_calls_against_their_baseline(busy: Store, traffic: list[Made], day: list[Made]) -> None:
    """Of the checked tool calls, which share was malformed; the baseline is that of the seven days before."""

    def rate(made: Sequence[Made]) -> float:
        return sum(each.malformed or 0 for each in made) / sum(each.tool_calls or 0 for each in made)

    before = rate(within(traffic, SINCE - 7 * DAY, SINCE, lambda each: each.tool_calls is not None))
    expected = {
        start: (rate(made), before)
        for start, made in in_intervals([each for each in day if each.tool_calls is not None]).items()
    }
    found = {row["time"]: (row["malformed"], row["baseline"]) for row in series(busy, "malformed_rate")}

    assert found == expected


def test_latencies_over_time(busy: Store, day: list[Made]) -> None:
    """Quantiles within one percent of a duration that occurred, of intervals shorter than an hour and longer."""
    for interval_s in (INTERVAL_S, 7200):
        rows = {row.pop("time"): row for row in series(busy, "latency", interval_s)}
        for start, made in in_intervals(day, interval_s).items():
            assert rows[start] == {
                **{f"p{level}": quantile(made, level) for level in (50, 95, 99)},
                **{f"first token p{level}": quantile(made, level, "ttft_ms") for level in (50, 95)},
            }


def test_money_spent_on_failures(busy: Store, day: list[Made]) -> None:
    """The money of attempts that were no good, its share, and what it lacks."""
    bad = [each for each in day if not each.good]
    (row,) = series(busy, "spend_on_failures")

    assert row["on failures"] == shown(added(bad))
    assert row["share of spend"] == pytest.approx(float(added(bad) or 0) / float(added(day) or 1))
    assert row["not fully priced"] == sum(each.doubtful for each in bad)


def test_passes_billed_beside_a_failed_attempt_count_with_it(fresh_store: Store) -> None:
    """An iteration's money is spent on failures if its attempt failed, whatever the iteration's own outcome is."""
    from ledger.spans import NOW, attempt, store

    failed = attempt(outcome="stream_error", usage_state="partial")
    beside = attempt(kind="iteration", call_id=failed.span_id, trace_id=failed.trace_id)
    failed.attributes["farebox.call_id"] = failed.span_id  # type: ignore[index]
    store(fresh_store.client, failed, beside, attempt())
    (row,) = ask(fresh_store.client, "spend_on_failures", NOW - HOUR, NOW + HOUR)

    assert (row["on failures"], row["not fully priced"]) == (0.0021, 1)


def test_today_and_yesterday(busy: Store, traffic: list[Made]) -> None:
    """Since midnight until the end of the range, and the same stretch a day before."""
    midnight = UNTIL.replace(hour=0, minute=0)
    (row,) = series(busy, "spend_today")

    assert row == {
        "today": shown(added(within(traffic, midnight, UNTIL))),
        "yesterday by this time": shown(added(within(traffic, midnight - DAY, UNTIL - DAY))),
        "not fully priced": sum(each.doubtful for each in within(traffic, midnight, UNTIL)),
    }


def test_the_month_and_its_forecast(busy: Store, traffic: list[Made]) -> None:
    """What is spent, and that plus the rest of the month at the pace of the last seven days."""
    month = within(traffic, UNTIL.replace(day=1, hour=0, minute=0), UNTIL)
    week_start = (UNTIL - 7 * DAY).replace(minute=0)
    week, elapsed = added(within(traffic, week_start, UNTIL)), UNTIL - week_start
    remaining = datetime(2026, 12, 1, tzinfo=UNTIL.tzinfo) - UNTIL
    pace = (week or 0) * Decimal(remaining / elapsed)
    (row,) = series(busy, "spend_month")

    assert row["month so far"] == shown(added(month))
    assert row["forecast"] == pytest.approx(float((added(month) or 0) + pace))
    assert row["not fully priced"] == sum(each.doubtful for each in month)


def test_the_change_on_last_week_and_the_top_failure(busy: Store, traffic: list[Made], day: list[Made]) -> None:
    """Spend against the same stretch a week before; the most frequent failure of the answers."""
    before = within(traffic, SINCE - 7 * DAY, UNTIL - 7 * DAY)
    for row in series(busy, "routes"):
        mine: Callable[[Made], bool] = lambda each, route=row["route"]: each.route == route  # type: ignore[misc] # noqa: E731
        spend, earlier = added(filter(mine, day)), added(filter(mine, before))
        assert spend is not None
        assert earlier is not None
        assert row["change on last week"] == pytest.approx(float(spend) / float(earlier) - 1)
        counts = Counter(
            name
            for each in filter(mine, day)
            for name in {*({each.outcome} - {"ok"}), *(flag.partition(".")[0] for flag in each.flags)}
        )
        assert row["top failure"] == max(counts, key=lambda name: (counts[name], name))


def test_the_spend_before(busy: Store, traffic: list[Made]) -> None:
    """The range is compared with the stretch of the same length before it."""
    (row,) = series(busy, "spend_total")

    assert row["before"] == shown(added(within(traffic, SINCE - DAY, SINCE)))


def test_unit_cost_over_time(busy: Store, traffic: list[Made]) -> None:
    """By the hour in which they began, the first with the range: the money of tasks divided by successes."""
    tasks: dict[str, list[Made]] = defaultdict(list)
    for each in traffic:
        tasks[each.task or each.call_id].append(each)
    hours: dict[datetime, list[list[Made]]] = defaultdict(list)
    for made in tasks.values():
        if SINCE <= made[0].started_at < UNTIL:
            hour = made[0].started_at.replace(minute=0, second=0, microsecond=0)
            hours[max(hour, SINCE)].append(made)
    rows = {row["time"]: row for row in series(busy, "unit_cost")}
    for hour, begun in hours.items():
        successes = sum(any(each.good for each in made if each.call_id == made[-1].call_id) for made in begun)
        money = added(each for made in begun for each in made)
        expected = float(money) / successes if money is not None and successes else None
        assert same(rows[hour]["per success"], expected)
        assert rows[hour]["not fully priced"] == sum(each.doubtful for made in begun for each in made)


def test_the_costliest_calls(busy: Store, day: list[Made]) -> None:
    """The twenty dearest, each with all its attempts."""
    calls: dict[str, list[Made]] = defaultdict(list)
    for each in day:
        calls[each.trace_id].append(each)
    dearest = sorted(calls.values(), key=lambda made: -(added(made) or 0))[:20]
    rows = series(busy, "calls_costliest")

    assert [row["trace"] for row in rows] == [made[0].trace_id for made in dearest]
    assert [Decimal(row["spend, exact"]) for row in rows] == [added(made) for made in dearest]
    assert [row["attempts"] for row in rows] == [len(made) for made in dearest]
    assert [row["ended"] == "good" for row in rows] == [any(each.good for each in made) for made in dearest]


def test_the_failing_attempts(busy: Store, day: list[Made]) -> None:
    """The twenty latest that were no good, with how they failed."""
    latest = sorted((each for each in day if not each.good), key=lambda each: each.started_at, reverse=True)[:20]
    rows = series(busy, "attempts_failing")

    assert [row["trace"] for row in rows] == [each.trace_id for each in latest]
    assert [row["failure"] for row in rows] == [
        ", ".join([*([each.outcome] if each.outcome != "ok" else []), *each.flags]) for each in latest
    ]
    assert [row["spend"] for row in rows] == [shown(each.cost) for each in latest]


def test_outcomes_stand_among_the_failures(busy: Store, day: list[Made]) -> None:
    """Outcomes other than ok are of all attempts, with their money."""
    counts = Counter(each.outcome for each in day)
    found = {row["class"]: row for row in series(busy, "failures_by_class") if row["of"] == "attempt"}

    assert set(found) == set(counts) - {"ok"}
    for name, row in found.items():
        mine = [each for each in day if each.outcome == name]
        low, high = wilson(len(mine), len(day))
        assert (row["failed"], row["checked"]) == (len(mine), len(day))
        assert (row["at least"], row["at most"]) == (pytest.approx(low), pytest.approx(high))
        assert row["spend"] == shown(added(mine))
        assert row["not fully priced"] == sum(each.doubtful for each in mine)


def test_a_tenant_has_its_own_figures(busy: Store, day: list[Made]) -> None:
    """With a tenant chosen, each figure is the tenant's alone."""
    mine = [each for each in day if each.tenant == TENANT]
    calls = {each.call_id for each in mine}
    good = {each.call_id for each in mine if each.good}
    total, rate = series(busy, "spend_total", tenant=[TENANT])[0], series(busy, "success", tenant=[TENANT])[0]

    assert total["spend"] == shown(added(mine))
    assert total["not fully priced"] == sum(each.doubtful for each in mine)
    assert rate["calls"] == pytest.approx(len(calls), abs=1)
    assert rate["failure rate"] == pytest.approx(1 - len(good) / len(calls), abs=1e-2)


def test_several_choices_narrow_together(busy: Store, day: list[Made]) -> None:
    """Route, provider, model and tenant must all let an attempt through."""
    mine = [each for each in day if each.route in ("support", HOSTILE) and each.provider == "anthropic"]
    (row,) = series(busy, "spend_total", route=["support", HOSTILE], provider=["anthropic"])

    assert row["spend"] == shown(added(mine))


def test_the_age_of_data_is_since_the_last_arrival(fresh_store: Store) -> None:
    """Seconds since the ledger stored something, from its own clock; NULL while there is nothing."""
    from ledger.spans import attempt, store

    assert ask(fresh_store.client, "data_age", SINCE, UNTIL) == [{"age": None}]
    now = fresh_store.client.query("SELECT now('UTC')").result_rows[0][0]
    store(fresh_store.client, attempt(started_at=now.replace(tzinfo=UNTIL.tzinfo)))

    assert 0 <= ask(fresh_store.client, "data_age", SINCE, UNTIL)[0]["age"] < 60


def test_price_changes_of_models_in_use_are_marked(fresh_store: Store) -> None:
    """A new price within the range is an annotation if the model was called, and only then."""
    from ledger.spans import NOW, attempt, store

    columns = ["provider", "region", "model", "variant", "unit", "tier_above", "valid_from", "price"]
    for model in ("claude-haiku-4-5", "claude-sonnet-4-6"):
        row = ["anthropic", "", model, "", "output_tokens", 0, NOW - HOUR, Decimal("0.000006")]
        fresh_store.client.insert("prices", [row], column_names=columns)
    store(fresh_store.client, attempt())
    rows = ask(fresh_store.client, "price_changes", NOW - DAY, NOW + DAY)

    assert [(row["time"], row["text"]) for row in rows] == [
        ((NOW - HOUR).replace(tzinfo=None), "New price of claude-haiku-4-5 at anthropic")
    ]
