"""A week in the life: seven days through the real pipeline, and all that is asked of them tells one story, a true one.

A deploy that makes a route dear, a host that is down, a new price, a model without one, calls that are cut, a collector
that is killed and a bill, made by real SDKs with a clock of their own (`week_shop.py`, `week_lived.py`). Every figure
that dashboards, alerts, report, reconcile and what-if give is held against the book of the plan (`week_book.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dashboards.test_cost_spike import split
from end_to_end import week
from end_to_end.week import BEGIN, DAY, END, HOUR, OUTAGE, QWEN, SPIKE, UNKNOWN, Attempt, Call, added, attempts, tasks
from end_to_end.week_book import (
    CALLS,
    CLASSES,
    as_row,
    beyond,
    billed_by,
    figures,
    of_model,
    of_route,
    per_success,
    within,
    write_bills,
)
from end_to_end.week_lived import KILLED_AT, Week, live, moment

from farebox_demo.providers._prices import PRICES
from farebox_ledger.alerts import LAG

WHOLE = f"--since {BEGIN:%Y-%m-%d} --until {END:%Y-%m-%d}"
MODELS = [model for model in dict.fromkeys(call.model for call in CALLS) if model != UNKNOWN]
PICODOLLAR = Decimal("1e-12")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """The week, lived once for all that is asked of it."""
    with live(tmp_path_factory.mktemp("week")) as lived:
        yield lived


def naive(at: Any) -> Any:
    """Give a moment as ClickHouse does, without a zone."""
    return at.replace(tzinfo=None)


def test_every_attempt_is_in_the_ledger_once(lived: Week) -> None:
    """Each attempt of the book is there once, with its time, tags, usage, outcome and cost, to the last digit."""
    found = lived.client.query(
        """
        SELECT toUnixTimestamp64Milli(started_at), route, task, tenant, prompt_version, provider, model, attempt,
            outcome, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens,
            price_state, list_cost
        FROM llm_attempts ORDER BY started_at
        """
    ).result_rows

    def row(each: Attempt) -> tuple[Any, ...]:
        call = each.call
        absent = 0 if each.seen and call.model[0] == "anthropic" else None
        tokens = [each.seen.get(leaf, absent) for leaf in CLASSES.values()]
        tags = (call.route, call.task, call.tenant, call.prompt_version)
        at = round(each.at.timestamp() * 1000)
        return (at, *tags, *call.model, each.number, each.how, *tokens, each.price_state, each.cost)

    assert found == [row(each) for each in attempts(CALLS)]


def test_a_killed_collector_loses_nothing(lived: Week) -> None:
    """Calls go on without it, what waited is delivered once it is back, and no number is missing."""
    counts = [len(within(BEGIN, at)) for at in (KILLED_AT + HOUR, week.DEPLOYED, week.REPRICED_AT, END)]
    (now,) = lived.ask("pipeline_now")

    assert lived.said[1:] == [f"{counts[0]} False", *(f"{count} True" for count in counts[1:])]
    assert (now["attempts"], now["lost"], now["conflicting"]) == (counts[-1], 0, 0)
    assert (now["copies moved in time"], now["impossible clock"]) == (0, 0)


def test_pipeline_counts_what_came_without_usage(lived: Week) -> None:
    """Attempts by the day, and those whose usage never came or was cut."""
    states = ("no_usage", "partial")
    for row in lived.ask("pipeline_rate"):
        begin = row["time"].replace(tzinfo=BEGIN.tzinfo)
        made = within(begin, begin + DAY)
        lacking = tuple(sum(each.price_state == state for each in made) for state in states)
        assert (row["attempts"], row["without usage"], row["cut"]) == (len(made), *lacking)


@pytest.mark.parametrize("by", ["route", "model,provider"])
def test_the_report_is_the_book(by: str, lived: Week) -> None:
    """Every figure of every row, and of the total, with what it could not price and why."""
    told, code = lived.tell(f"report --by {by} {WHOLE}")

    def key(call: Call) -> tuple[str, ...]:
        return (call.route,) if by == "route" else call.model[::-1]

    expected = {each: figures(lambda call, of=each: key(call) == of) for each in {*map(key, CALLS)}}  # type: ignore[misc]
    total = figures(lambda _: True)
    found = {tuple(row[name] for name in by.split(",")): row for row in told["rows"]}
    assert code == 0
    assert {each: read(row, total) for each, row in found.items()} == expected
    assert read(told["total"], total) == total
    assert [(each["state"], each["reason"], each["attempts"]) for each in told["unpriced"]] == [
        ("no_price", "no price for model claude-opus-9 of anthropic", total["no_price"]),
        ("partial", "lower bound, the response was cut: abandoned", total["partial"]),
        ("no_usage", "no usage came: timeout", total["no_usage"]),
    ]


def read(told: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Read a row of the report, its money as decimals."""

    def value(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: value(each) for name, each in found.items()}
        return Decimal(found) if isinstance(found, str) else found

    return {name: value(told[name]) for name in names}


def test_overview(lived: Week) -> None:
    """What is spent, what a success costs, what fails and what has no price: the week's, by the day and by route."""
    total = figures(lambda _: True)
    (spend,), (success,), (missing,) = (lived.ask(name) for name in ("spend_total", "success", "not_priced"))
    exact = {row["figure"]: row["USD, exact"] for row in lived.ask("exact_figures")}

    assert (spend["spend"], Decimal(exact["spend"])) == (float(total["spend"]), total["spend"])
    assert missing == {name: total[name.replace(" ", "_")] for name in ("no price", "no usage")} | {
        "lower bound": total["partial"]
    }
    assert spend["not fully priced"] == sum(missing.values())
    assert Decimal(exact["spend per success"]) == total["spend_per_success"]
    assert (success["successes"], success["calls"]) == (total["successes"], total["calls"])
    assert success["failure rate"] == total["failure_rate"]
    for row in lived.ask("spend_by_route"):
        begin = row["time"].replace(tzinfo=BEGIN.tzinfo)
        mine = within(begin, begin + DAY, of_route(row["route"]))
        assert row["spend"] == (None if row["route"] == "canary" else float(added(mine)))
    top = {"reports": "abandoned", "support": "refusal", "easy": "server_error", "canary": ""}
    for row in lived.ask("routes"):
        of = figures(lambda call, route=row["route"]: call.route == route)  # type: ignore[misc]
        assert (Decimal(row["spend, exact"]) if row["spend, exact"] else None) == of["spend"]
        assert (row["attempts"], row["failure rate"]) == (of["attempts"], of["failure_rate"])
        assert row["top failure"] == top.pop(row["route"])
    assert top == {}


def test_route(lived: Week) -> None:
    """On the route of tickets: its models, its tokens by the day, and the money of answers that were no good."""
    mine = attempts(CALLS, of_route("support"))
    bad = [each for each in mine if not each.good]
    models = lived.ask("models", route=["support"])
    days = lived.ask("tokens_by_class", route=["support"])
    (failed,) = lived.ask("spend_on_failures", route=["support"])

    for row in models:
        of = [each for each in mine if each.call.model == (row["provider"], row["model"])]
        assert (Decimal(row["spend, exact"]), row["attempts"]) == (added(of), len(of))
    assert sum(row["attempts"] for row in models) == len(mine)
    assert len(days) == 7
    for row in days:
        begin = row["time"].replace(tzinfo=BEGIN.tzinfo)
        of = within(begin, begin + DAY, of_route("support"))
        assert {name: row[name.replace("_", " ")] for name in CLASSES} == {
            name: sum(each.seen.get(leaf, 0) for each in of) for name, leaf in CLASSES.items()
        }
    assert (failed["on failures"], failed["not fully priced"]) == (float(added(bad)), sum(e.doubtful for e in bad))


def test_cost_spike(lived: Week) -> None:
    """What Friday's prompt cost, split to the last digit into more calls and longer ones, beside the deploy."""
    days = [(SPIKE[0] - day * DAY, SPIKE[1] - day * DAY) for day in (1, 2, 3)]
    now, usual = (
        within(*SPIKE, of_route("reports")),
        [each for day in days for each in within(*day, of_route("reports"))],
    )
    change = added(now) - (added(usual) / 3).quantize(PICODOLLAR)
    expected = split([as_row(each) for each in now], [as_row(each) for each in usual], len(days))
    (total,) = lived.ask("spike_total", *SPIKE, route=["reports"])
    lines = lived.ask("spike_split", *SPIKE, route=["reports"])
    changes = lived.ask("spike_changes", *SPIKE, route=["reports"])
    parts = {row["part"]: Decimal(row["change, exact"] or 0) for row in lines}

    assert (total["spend"], total["change"]) == (float(added(now)), pytest.approx(float(change)))
    assert parts["in all"] == change == sum(parts[part] for part in (*expected, "retries"))
    assert all(abs(parts[part] - Decimal(float(amount))) < 2 * PICODOLLAR for part, amount in expected.items())
    assert min(parts["volume"], parts["tokens a call"]) > 0
    assert [(row["what"], row["which"], row["at"]) for row in changes] == [
        ("new prompt version", "v7", naive(now[0].at)),
        ("deploy", "deploy-v7", naive(week.DEPLOYED)),
    ]


def test_models_and_prices(lived: Week) -> None:
    """Sunday's price stands in the history; each model has its money; the one without a price is named."""
    first = lived.ask("price_history")[0]
    (mark,) = lived.ask("price_changes")
    rows = {(row["provider"], row["model"]): row for row in lived.ask("price_effective")}
    doubts = {(row["model"], row["state"]): (row["attempts"], row["tokens"]) for row in lived.ask("models_in_doubt")}

    assert (first["model"], first["from"]) == ("qwen3.5-flash at fireworks", naive(week.REPRICED_AT))
    assert (Decimal(first["for one, exact"]), first["before"]) == (week.NEW_OUTPUT_PRICE, 1.2)
    assert (mark["time"], mark["text"]) == (first["from"], "New price of qwen3.5-flash at fireworks")
    for model in MODELS:
        made = attempts(CALLS, of_model(model))
        assert (rows[model]["spend"], rows[model]["not fully priced"]) == (
            float(added(made)),
            sum(each.doubtful for each in made),
        )
        assert rows[model]["output tokens"] == sum(each.seen["output"] for each in made if each.price_state == "priced")
    assert (rows[UNKNOWN]["spend"], rows[UNKNOWN]["input, list"]) == (None, None)
    expected: dict[tuple[str, str], list[Attempt]] = {}
    for each in attempts(CALLS, lambda each: each.doubtful):
        expected.setdefault((each.call.model[1], each.price_state), []).append(each)
    assert doubts == {key: (len(made), sum(sum(each.seen.values()) for each in made)) for key, made in expected.items()}


MOMENTS = {
    "a calm noon": (BEGIN + 2 * DAY + 12 * HOUR, []),
    "an hour into the spike": (
        SPIKE[0] + HOUR,
        [("spend-spike-hourly", ["reports"]), ("cost-per-success", ["reports"])],
    ),
    "the host is down": (
        OUTAGE[0] + 1.5 * HOUR,
        [
            ("failure-rate", ["easy", "server_error"]),
            ("new-name", ["model", "openai gpt-5.4-mini"]),
        ],
    ),
    "the canary sings": (
        week.CANARY + HOUR,
        [
            ("not-priced", ["claude-opus-9", "anthropic"]),
            ("new-name", ["model", "anthropic claude-opus-9"]),
            ("new-name", ["route", "canary"]),
        ],
    ),
}


@pytest.mark.parametrize("when", MOMENTS)
def test_alerts(when: str, lived: Week) -> None:
    """What fires is what went wrong then, and nothing else; its numbers are the book's."""
    at, expected = MOMENTS[when]
    told, code = lived.tell(f"alerts check --at {moment(at)}")
    facts = {each["rule"]: each["facts"] | {"value": each["value"]} for each in told}
    hour = at - LAG - HOUR, at - LAG

    assert code == (1 if expected else 0)
    assert sorted((each["rule"], [*each["labels"].values()]) for each in told) == sorted(expected)
    if "spend-spike-hourly" in facts:
        spent = added(within(*hour, of_route("reports")))
        assert facts["spend-spike-hourly"]["spent"] == pytest.approx(float(spent))
        begun = [task for task in tasks(CALLS) if task.route == "reports" and at - 6 * HOUR <= task.calls[0].at < at]
        assert facts["cost-per-success"]["usd_a_success"] == pytest.approx(float(per_success(begun) or 0))
    if "failure-rate" in facts:
        mine = within(*hour, of_route("easy"))
        failed = sum(each.how == "server_error" for each in mine)
        assert (facts["failure-rate"]["failed"], facts["failure-rate"]["share_now"]) == (failed, failed / len(mine))
    if "not-priced" in facts:
        assert facts["not-priced"]["value"] == len(within(*hour, of_model(UNKNOWN)))


def test_the_bill(lived: Week, tmp_path: Path) -> None:
    """What providers bill and the ledger lacks is found, named and sized to the last digit; all else agrees."""
    bills = write_bills(tmp_path)
    told = {name: lived.tell(f"reconcile {words}", *files) for name, (words, files) in bills.items()}
    found = {name: told[name][0]["providers"][0] for name in bills}

    assert {name: code for name, (_, code) in told.items()} == {"anthropic": 1, "openai": 0, "fireworks": 0}
    for name, each in found.items():
        assert Decimal(each["recorded"]) == added(attempts(CALLS, lambda made, of=name: made.call.model[0] == of))  # type: ignore[misc]
        assert Decimal(each["billed"]) == sum((line.cost() for line in billed_by(name)), Decimal(0))
    reasons = {"unpriced": "no_price", "missing_usage": "no_usage", "partial": "partial"}
    assert {each["reason"]: Decimal(each["size"]) for each in found["anthropic"]["reasons"]} == {
        reason: beyond(attempts(CALLS, lambda made, of=state: made.price_state == of))  # type: ignore[misc]
        for reason, state in reasons.items()
    }
    assert found["openai"]["reasons"] == found["fireworks"]["reasons"] == []
    days = lived.ask("bills", provider=["anthropic"])
    assert len(days) == 7
    for row in days:
        begin = BEGIN + (row["day"] - BEGIN.date())
        lacking = beyond(within(begin, begin + DAY, lambda each: each.call.model[0] == "anthropic"))
        assert Decimal(row["difference, exact"]) == lacking
        assert row["state"] == ("under_recorded" if lacking else "matched")


def test_what_if(lived: Week) -> None:
    """What is said of now is the book's; the same model at a cheaper host costs its tokens there, within the range."""
    told, code = lived.tell(f"whatif --route easy --to qwen3.5-flash@alibaba {WHOLE}")
    mine = attempts(CALLS, of_route("easy"))
    there = PRICES["alibaba", "qwen3.5-flash"]
    moved = [each for each in mine if each.call.model == QWEN]
    then = added(each for each in mine if each not in moved)
    then += sum((units * getattr(there, name) for each in moved for name, units in each.tokens.items()), Decimal(0))
    of = figures(lambda call: call.route == "easy")

    assert (code, told["verdict"]) == (0, "cheaper")
    assert told["now"]["spend"]["value"] == pytest.approx(float(of["spend"]))
    assert told["now"]["successes"]["value"] == of["successes"]
    assert told["now"]["per_success"]["value"] == pytest.approx(float(of["spend_per_success"]))
    assert (told["tokens"]["value"], told["moved_calls"]) == (1, sum(call.model == QWEN for call in CALLS))
    assert told["then"]["spend"]["low"] <= float(then) <= told["then"]["spend"]["high"]
    assert told["then"]["spend"]["value"] == pytest.approx(float(then), rel=0.02)
