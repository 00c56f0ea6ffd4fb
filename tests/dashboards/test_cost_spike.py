"""What Cost spike says of a change: its split against an independent computation, its band, and who contributed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from random import Random
from statistics import mean, median
from typing import Any

import pytest
from dashboards.asking import ask, choice
from dashboards.traffic import DAY, HOUR, SPIKE, TENANT, UNTIL, Made, added, within
from ledger.spans import Span, attempt, store

from farebox_ledger import Dsn, Store, open_store, refresh_all

PARTS = ("volume", "model mix", "tokens a call", "cache", "price", "retries")
CLASSES = ("uncached", "read", "written", "output", "tools")
BEGIN, END = UNTIL - 3 * HOUR, UNTIL
SCENARIOS = 30
PICODOLLAR = Decimal(1).scaleb(-12)

Group = tuple[str, str]
Factors = dict[str, dict[Any, Fraction | None]]


def call(random: Random, route: str, at: datetime, models: list[tuple[str, str]], *, batch: bool) -> list[Span]:
    """Make a call of up to three attempts, and now and then a pass of another model beside it."""
    model, provider = random.choice(models)
    made: list[Span] = []
    for turn in range(random.choice([1, 1, 1, 2, 3])):
        state = random.choices(["reported", "none", "missing", "partial"], [8, 2, 1, 1])[0]
        leaves = {"uncached_input_tokens": random.randrange(0, 4000), "output_tokens": random.randrange(0, 700)}
        if random.random() < 0.5:
            leaves |= {"cache_read_tokens": random.randrange(0, 9000), "cache_write_1h_tokens": random.randrange(0, 90)}
        if random.random() < 0.2:
            leaves["web_search_requests"] = random.randrange(1, 4)
        made.append(
            attempt(
                model,
                provider,
                usage=leaves if state in ("reported", "partial") else {},
                started_at=at + timedelta(milliseconds=turn),
                route=route,
                usage_state=state,
                attempt=turn,
                **({"service_tier": "batch"} if batch else {}),
            )
        )
    first = made[0]
    if random.random() < 0.2 and any(each.attributes["farebox.usage.state"] == "reported" for each in made):
        made.append(attempt("claude-opus-4-5", kind="iteration", started_at=at, route=route))
    for each in made:
        each.attributes["farebox.call_id"] = first.span_id  # type: ignore[index]
    return [Span(each.attributes, each.started_at, first.trace_id, each.span_id) for each in made]


def scenario(number: int) -> list[Span]:
    """Make one route's traffic, now and usually; some routes are new, gone, unpriced, or changed their models."""
    random = Random(number)
    known = [("claude-haiku-4-5", "anthropic"), ("claude-sonnet-4-6", "anthropic"), ("gpt-4o", "openai"), ("no-1", "x")]
    days = random.sample(range(1, 8), random.randrange(0, 6)) if number % 7 else []
    usual_models, now_models = (random.sample(known, random.randrange(1, 5)) for _ in range(2))
    made: list[Span] = []
    for day in days:
        for _ in range(random.randrange(0, 8)):
            at = BEGIN - day * DAY + random.random() * 3 * HOUR
            made += call(random, f"r{number}", at, usual_models, batch=False)
    for _ in range(random.randrange(0, 25) if number % 5 else 0):
        at = BEGIN + random.random() * 3 * HOUR
        made += call(random, f"r{number}", at, now_models, batch=number % 3 == 0)
    return made


@pytest.fixture(scope="module")
def changed(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger with a route for each scenario."""
    with open_store(Dsn("chdb", "dashboards_changed", path=ledger_folder)) as opened:
        store(opened.client, *(span for number in range(SCENARIOS) for span in scenario(number)))
        refresh_all(opened.client)
        yield opened
        opened.client.command("DROP DATABASE dashboards_changed SYNC")


@pytest.fixture(scope="module")
def rows(changed: Store) -> list[dict[str, Any]]:
    """Every row of that ledger, with what it cost by class: what the split is worked out from here."""
    found = changed.client.query(
        """
        SELECT route, provider, model, kind, attempt, started_at, price_state, list_cost,
            [ifNull(uncached_input_tokens, 0), ifNull(cache_read_tokens, 0), ifNull(cache_write_1h_tokens, 0),
             ifNull(output_tokens, 0), ifNull(web_search_requests, 0)] AS units,
            [ifNull(cost_input, 0), ifNull(cost_cache_read, 0), ifNull(cost_cache_write, 0),
             ifNull(cost_output, 0), ifNull(cost_tools, 0)] AS costs
        FROM llm_attempts
        """
    )
    return [dict(row) for row in found.named_results()]


def moment(row: Mapping[str, Any]) -> datetime:
    found: datetime = row["started_at"].replace(tzinfo=UNTIL.tzinfo)
    return found


def quotient(above: Fraction | int, below: Fraction | int) -> Fraction | None:
    """Divide; None where there is nothing to divide by."""
    return Fraction(above) / Fraction(below) if below else None


def factors(rows: list[dict[str, Any]], groups: set[Group]) -> Factors:
    """Take traffic apart into the factors whose product it costs; None where a factor has no value."""
    calls: dict[Group, int] = defaultdict(int)
    billed: dict[Group, int] = defaultdict(int)
    units: dict[tuple[Group, str], Fraction] = defaultdict(Fraction)
    costs: dict[tuple[Group, str], Fraction] = defaultdict(Fraction)
    for row in rows:
        group = row["provider"], row["model"]
        calls[group] += row["attempt"] == 0 and row["kind"] != "iteration"
        if row["price_state"] in ("priced", "partial"):
            billed[group] += row["kind"] != "iteration"
            for name, count, cost in zip(CLASSES, row["units"], row["costs"], strict=True):
                # Requests of tools are not counted by the hour: what they cost stands for them.
                units[group, name] += Fraction(cost) if name == "tools" else count
                costs[group, name] += Fraction(cost)
    total = sum(calls.values())
    found: Factors = {part: {} for part in PARTS}
    found["volume"][""] = Fraction(total)
    for group in groups:
        inputs = sum(units[group, name] for name in CLASSES[:3])
        found["model mix"][group] = quotient(calls[group], total)
        found["retries"][group] = quotient(billed[group], calls[group])
        for name in CLASSES:
            kind, whole = ("input", inputs) if name in CLASSES[:3] else (name, units[group, name])
            found["tokens a call"][group, kind] = quotient(whole, billed[group])
            found["cache"][group, name] = quotient(units[group, name], whole)
            found["price"][group, name] = quotient(costs[group, name], units[group, name])
    return found


def spent(values: Factors, groups: set[Group]) -> Fraction:
    """Multiply the factors together again."""
    total = Fraction(0)
    for group in groups:
        calls = (values["volume"][""] or 0) * (values["model mix"][group] or 0) * (values["retries"][group] or 0)
        for name in CLASSES:
            kind = "input" if name in CLASSES[:3] else name
            each = (values["tokens a call"][group, kind], values["cache"][group, name], values["price"][group, name])
            total += calls * (each[0] or 0) * (each[1] or 0) * (each[2] or 0)
    return total


def filled(values: Factors, others: Factors) -> Factors:
    """Take a factor that has no value from the other side."""
    return {
        part: {key: others[part][key] if value is None else value for key, value in found.items()}
        for part, found in values.items()
    }


def split(now: list[dict[str, Any]], usual: list[dict[str, Any]], days: int) -> dict[str, Fraction]:
    """Replace one factor after the other but the last, from usual to now, and note what each changes.

    A model that usually has no calls (a pass beside them may have one) is no product: it comes in whole with the mix.
    """
    everything = {(row["provider"], row["model"]) for row in now + usual}
    called = {(row["provider"], row["model"]) for row in usual if row["attempt"] == 0 and row["kind"] != "iteration"}
    after, before = factors(now, everything), factors(usual, everything)
    before["volume"][""] = Fraction(before["volume"][""] or 0, days)
    values, target = filled(before, after), filled(after, before)
    beside = [sum((Fraction(row["list_cost"] or 0) for row in rows if (row["provider"], row["model"]) not in called),
                  Fraction(0)) for rows in (usual, now)]  # fmt: skip
    times = quotient(target["volume"][""] or 0, before["volume"][""] or 0)
    found: dict[str, Fraction] = {}
    last = spent(values, called) + beside[0] / days
    for part in PARTS[:-1]:
        values[part] = target[part]
        if part == "volume":
            whole = sum((Fraction(row["list_cost"] or 0) for row in now), Fraction(0))
            amount = whole if times is None else spent(values, called) + beside[0] / days * times
        else:
            amount = spent(values, called) + beside[1]
        found[part], last = amount - last, amount
    return found


@pytest.mark.parametrize("number", range(SCENARIOS))
def test_the_split_is_exact(number: int, changed: Store, rows: list[dict[str, Any]]) -> None:
    """Each part is what replacing its factor changes, and all parts add up to the change to the last digit."""
    mine = [row for row in rows if row["route"] == f"r{number}"]
    now = [row for row in mine if moment(row) >= BEGIN]
    usual = [row for row in mine if moment(row) < BEGIN]
    days = max([(END - moment(row)) // DAY for row in usual], default=1)
    lines = {
        line["part"]: line for line in ask(changed.client, "spike_split", BEGIN, END, choice(route=[f"r{number}"]))
    }
    exact = {part: Decimal(line["change, exact"] or 0) for part, line in lines.items()}
    spend_now, spend_usual = (sum((row["list_cost"] or 0 for row in some), Decimal(0)) for some in (now, usual))
    whole = spend_now - (spend_usual / days).quantize(PICODOLLAR)

    assert exact["in all"] == whole == sum(exact[part] for part in PARTS)
    for part, expected in split(now, usual, days).items():
        assert abs(Fraction(exact[part]) - expected) <= Fraction(PICODOLLAR), part
    doubts = sum(row["price_state"] in ("no_price", "no_usage", "partial") for row in now)
    assert lines["in all"]["not fully priced"] == doubts
    assert lines["apart: not fully priced"]["now"] == f"{doubts} attempts"


def test_scenarios_are_as_odd_as_they_should_be(rows: list[dict[str, Any]]) -> None:
    """Among the scenarios are new and vanished routes, prices that changed, and rows of every state."""
    routes = {side: {row["route"] for row in rows if (moment(row) >= BEGIN) == side} for side in (True, False)}

    assert routes[True] - routes[False]
    assert routes[False] - routes[True]
    assert {row["price_state"] for row in rows} >= {"priced", "partial", "free", "no_usage", "no_price"}
    assert len({row["costs"][3] / row["units"][3] for row in rows if row["model"] == "gpt-4o" and row["costs"][3]}) > 1


def usual_days(made: list[Made], since: datetime, until: datetime) -> list[list[Made]]:
    return [within(made, since - day * DAY, until - day * DAY) for day in range(1, 8)]


def test_spend_stands_against_a_usual_day(busy: Store, traffic: list[Made]) -> None:
    """Usual is the mean of the same hours of seven days, rounded at the ledger's twelve digits."""
    (row,) = ask(busy.client, "spike_total", *SPIKE)
    now = added(within(traffic, *SPIKE)) or Decimal(0)
    days = usual_days(traffic, *SPIKE)
    usual = (sum((added(day) or Decimal(0) for day in days), Decimal(0)) / 7).quantize(PICODOLLAR)

    assert (row["spend"], row["usual"]) == (float(now), float(usual))
    assert row["change"] == pytest.approx(float(now - usual), abs=1e-12)
    assert row["not fully priced"] == sum(each.doubtful for each in within(traffic, *SPIKE))


def test_a_long_range_is_compared_with_the_week_before(busy: Store, traffic: list[Made]) -> None:
    """Of a range longer than a day, usual is the same days a week earlier."""
    since = UNTIL - timedelta(hours=30)
    (row,) = ask(busy.client, "spike_total", since, UNTIL)

    assert row["usual"] == float(added(within(traffic, since - 7 * DAY, UNTIL - 7 * DAY)) or 0)


def test_contributors_are_sorted_by_their_change(busy: Store, traffic: list[Made]) -> None:
    """Each route, model and provider with its money and calls, now and usually; what the spike came with is first."""
    found = ask(busy.client, "spike_contributors", *SPIKE)
    now, days = within(traffic, *SPIKE), usual_days(traffic, *SPIKE)

    assert (found[0]["kind"], found[0]["value"]) == ("route", "support")
    changes = [abs(row["change"]) for row in found if row["change"] is not None]
    assert changes == sorted(changes, reverse=True)
    for row in found:
        mine = [each for each in now if getattr(each, row["kind"]) == row["value"]]
        theirs = [[each for each in day if getattr(each, row["kind"]) == row["value"]] for day in days]
        usual = (sum((added(day) or Decimal(0) for day in theirs), Decimal(0)) / 7).quantize(PICODOLLAR)
        if row["change"] is not None:
            assert Decimal(row["change, exact"]) == (added(mine) or 0) - usual
        assert row["calls"] == len({each.call_id for each in mine})
        assert row["calls, usual"] == pytest.approx(sum(len({each.call_id for each in day}) for day in theirs) / 7)
        assert row["not fully priced"] == sum(each.doubtful for each in mine)


def test_versions_of_the_prompt_and_services_contribute_too(busy: Store, traffic: list[Made]) -> None:
    """The new version of the prompt comes first, and last the service, of which there is but one."""
    found = ask(busy.client, "spike_details", *SPIKE)
    now, days = within(traffic, *SPIKE), usual_days(traffic, *SPIKE)

    assert (found[0]["value"], found[-1]["value"]) == ("v7", "shop")
    assert {row["value"] for row in found} == {"v7", "v6", "shop", TENANT, "globex"}
    for row in found[:-1]:
        name = row["kind"].replace(" ", "_")
        mine = [each for each in now if getattr(each, name) == row["value"]]
        theirs = [each for day in days for each in day if getattr(each, name) == row["value"]]
        usual = ((added(theirs) or Decimal(0)) / 7).quantize(PICODOLLAR)
        assert Decimal(row["change, exact"]) == (added(mine) or 0) - usual
        assert row["calls"] == len({each.call_id for each in mine})
        assert row["calls, usual"] == pytest.approx(len({each.call_id for each in theirs}) / 7)


@pytest.mark.parametrize("hours", [3, 8])
def test_the_band_is_the_alerts_baseline(hours: int, busy: Store, traffic: list[Made]) -> None:
    """Expected is the median of seven days at that time, at today's level, and the band is what the alerts let pass."""
    begin, fine = SPIKE[1] - hours * HOUR, hours <= 6
    step, beside, floor, deviations = (timedelta(minutes=10), 3, 0.75, 4.5) if fine else (HOUR, 1, 0.25, 5.5)
    first = begin if fine else begin.replace(minute=0)
    rows = ask(busy.client, "spike_band", begin, SPIKE[1])

    def usd(since: datetime, until: datetime) -> float:
        return float(added(within(traffic, since, until)) or 0)

    def level(day: int) -> float:
        return usd(first - (3 if fine else 6) * HOUR - day * DAY, first - day * DAY) + 0.67 * floor

    assert [row["time"] for row in rows] == [(first + k * step).replace(tzinfo=None) for k in range(len(rows))]
    assert len(rows) == (SPIKE[1] - first) / step
    for row in rows:
        at = row["time"].replace(tzinfo=UNTIL.tzinfo)
        like_today, roughness = [], []
        for day in range(1, 8):
            bins = [usd(at + k * step - day * DAY, at + (k + 1) * step - day * DAY) for k in range(-beside, beside + 1)]
            central = bins[2:5] if fine else bins[1:2]
            like_today.append(min(max(level(0) / level(day), 0.25), 4) * mean(central))
            squares = sum((b - a) ** 2 for a, b in pairwise(bins))
            roughness.append(squares / (4 * beside) / mean(bins) if sum(bins) else 0)
        expected = median(like_today)
        reach = deviations / 2 * sqrt(max(median(roughness), 0.02 * floor) + 0.0225 * expected)
        assert row["spend"] == pytest.approx(usd(at, at + step))
        assert row["expected"] == pytest.approx(expected)
        assert row["at most"] == pytest.approx(max((sqrt(expected) + reach) ** 2, expected + floor))
        assert row["at least"] == pytest.approx(max(sqrt(expected) - reach, 0) ** 2)
        assert row["not fully priced"] == sum(each.doubtful for each in within(traffic, at, at + step))


def test_a_young_ledger_has_no_band(fresh_store: Store) -> None:
    """With less than three days of history nothing is expected, and what was spent is shown all the same."""
    store(fresh_store.client, attempt(started_at=UNTIL - HOUR), attempt(started_at=UNTIL - HOUR - 2 * DAY))
    rows = ask(fresh_store.client, "spike_band", UNTIL - 2 * HOUR, UNTIL)

    assert {row["expected"] for row in rows} == {None}
    assert max(row["spend"] for row in rows) == 0.00105


def test_what_changed_then(fresh_store: Store) -> None:
    """Marks, prices of models in use, and what was called for the first time in a week; nothing else."""
    mark = {"farebox.annotation.kind": "deploy", "farebox.annotation.text": "v7", "farebox.annotation.who": "ann"}
    other = {"farebox.annotation.kind": "deploy", "farebox.annotation.text": "not ours", "farebox.route": "other"}
    row = ["anthropic", "", "claude-haiku-4-5", "", "output_tokens", 0, UNTIL - HOUR, Decimal("0.000006"), "page"]
    columns = ["provider", "region", "model", "variant", "unit", "tier_above", "valid_from", "price", "source"]
    fresh_store.client.insert("prices", [row], column_names=columns)
    store(
        fresh_store.client,
        Span(mark, UNTIL - 4 * HOUR, name="farebox.annotation"),
        Span(other, UNTIL - HOUR, name="farebox.annotation"),
        attempt(started_at=UNTIL - 2 * DAY, route="hard"),
        attempt(started_at=UNTIL - timedelta(minutes=30), route="hard"),
        attempt("claude-sonnet-4-6", started_at=UNTIL - timedelta(minutes=20), route="hard", prompt_version="v7"),
    )
    asked = (fresh_store.client, "spike_changes", UNTIL - 2 * HOUR, UNTIL, choice(route=["hard"]))
    found = ask(*asked)
    refresh_all(fresh_store.client)

    assert found == ask(*asked)
    assert [(row["what"], row["which"], row["route"], row["who"]) for row in found] == [
        ("new model", "claude-sonnet-4-6", "hard", ""),
        ("new prompt version", "v7", "hard", ""),
        ("price", "claude-haiku-4-5 at anthropic: output_tokens", "", "page"),
        ("deploy", "v7", "", "ann"),
    ]


@pytest.mark.parametrize("chosen", [{}, {"tenant": TENANT}, {"route": "support"}])
def test_what_is_first_met_is_found_through_rollups(busy: Store, traffic: list[Made], chosen: dict[str, str]) -> None:
    """Models and prompt versions that a week did not have: when each was first called, and by which routes."""
    since = UNTIL - 3 * DAY
    values = choice(**{key: [value] for key, value in chosen.items()})
    found = ask(busy.client, "spike_changes", since, UNTIL, values)
    mine = [each for each in traffic if all(getattr(each, key) == chosen[key] for key in chosen)]
    names: dict[tuple[str, str], list[Made]] = defaultdict(list)
    for each in sorted(mine, key=lambda one: one.started_at):
        names["new model", each.model].append(each)
        names["new prompt version", each.prompt_version].append(each)
    expected = {}
    for (kind, name), met in names.items():
        first = met[0].started_at
        if name and first >= since - 3 * HOUR:
            hour = first.replace(minute=0, second=0, microsecond=0)
            routes = sorted({each.route for each in within(met, hour, hour + HOUR)})
            expected[kind, name] = (first.replace(tzinfo=None), ", ".join(routes))

    assert len(expected) == 2
    assert {
        (row["what"], row["which"]): (row["at"].replace(tzinfo=None), row["route"])
        for row in found
        if row["what"].startswith("new ")
    } == expected
