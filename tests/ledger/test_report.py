"""The report: calls, attempts, money, success and what could not be priced, by group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ledger.spans import NOW, Span, attempt, store

from farebox._cli import main
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._period import Period
from farebox_ledger._report import Report, make_report
from farebox_ledger._terminal import dollars

PERIOD = Period(NOW - timedelta(hours=1), NOW + timedelta(hours=1))


def call(call_id: str, *spans: Span, step_s: int = 0) -> list[Span]:
    """Make spans the attempts of one call, a second apart."""
    trace_id = spans[0].trace_id
    return [
        replace(
            span,
            trace_id=trace_id,
            started_at=span.started_at + timedelta(seconds=step_s + number),
            attributes={**span.attributes, "farebox.call_id": call_id, "farebox.attempt": str(number)},
        )
        for number, span in enumerate(spans)
    ]


# Costs: Haiku 1000 in, 10 out = 0.00105; Sonnet = 0.00315; Qwen on Fireworks = 0.000312.
EASY, HARD = {"route": "easy"}, {"route": "hard"}
SPANS = [
    # Retried after a 429: one call, two attempts, good in the end.
    *call("c1", attempt(usage={}, usage_state="none", outcome="rate_limited", duration_ms=100, **HARD),
          attempt(duration_ms=300, **HARD)),
    # A task that begins on the easy route, is found wanting and escalates to the hard one: its money is easy's.
    *call("c2", attempt("accounts/fireworks/models/qwen3p5-flash", "fireworks", task="t1", duration_ms=200,
                        flags='["tool_call_malformed.invalid_json"]', **EASY), step_s=10),
    *call("c3", attempt("claude-sonnet-4-6", task="t1", duration_ms=400, **HARD), step_s=20),
    # A task that fails: its last call is refused.
    *call("c4", attempt("accounts/fireworks/models/qwen3p5-flash", "fireworks", task="t2", duration_ms=200,
                        **EASY), step_s=30),
    *call("c5", attempt("accounts/fireworks/models/qwen3p5-flash", "fireworks", task="t2", duration_ms=200,
                        flags='["refusal.text"]', **EASY), step_s=40),
    # Harmless flags do not spoil a call; cached input counts as a hit.
    *call("c6", attempt(usage={"uncached_input_tokens": 100, "cache_read_tokens": 900, "output_tokens": 10},
                        flags='["disclaimer", "long_context"]', duration_ms=500, **HARD), step_s=50),
    # What cannot be priced: no usage, no price, cut.
    *call("c7", attempt(usage={}, usage_state="missing", outcome="timeout", duration_ms=9000, **HARD), step_s=60),
    *call("c8", attempt("claude-haiku-9", duration_ms=10, **EASY), step_s=70),
    *call("c9", attempt(usage={"uncached_input_tokens": 1000, "output_tokens": 1}, usage_state="partial",
                        outcome="abandoned", duration_ms=20, **HARD), step_s=80),
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger with the calls above, and one from long before."""
    dsn = Dsn("chdb", "report", path=ledger_folder)
    with open_store(dsn) as opened:
        store(opened.client, *SPANS, attempt(started_at=NOW - timedelta(days=30), route="old"))
        yield opened
        opened.client.command("DROP DATABASE report SYNC")


@pytest.fixture(scope="module")
def by_route(ledger: Store) -> Report:
    """The report by route."""
    return make_report(ledger.client, PERIOD, ["route"])


def test_attempts_and_calls_are_counted_apart(by_route: Report) -> None:
    """A retried call is one call and two attempts."""
    assert [(group.key, group.calls, group.attempts) for group in by_route.groups] == [
        (("hard",), 5, 6),
        (("easy",), 4, 4),
    ]
    assert (by_route.total.calls, by_route.total.attempts) == (9, 10)


def test_spend_is_by_the_route_of_each_attempt(by_route: Report) -> None:
    """Money stands where it was spent, exact; what could not be priced makes it a lower bound."""
    assert [(group.key, group.spend, group.spend_is_lower_bound) for group in by_route.groups] == [
        (("hard",), Decimal("0.005445"), True),
        (("easy",), Decimal("0.000936"), True),
    ]
    assert by_route.total.spend == Decimal("0.006381")


def test_spend_per_success_is_by_the_route_on_which_the_task_began(by_route: Report) -> None:
    """An escalated task's whole money counts on the route of its first call, divided by the tasks that succeeded."""
    found = {group.key[0]: (group.tasks, group.successes, group.task_spend) for group in by_route.groups}

    assert found == {"hard": (4, 2, Decimal("0.002295")), "easy": (3, 2, Decimal("0.004086"))}
    assert [group.spend_per_success for group in by_route.groups] == [
        Decimal("0.001147500000"),
        Decimal("0.002043000000"),
    ]


def test_a_call_failed_if_no_attempt_was_good(by_route: Report) -> None:
    """Timeouts, cuts and disqualifying flags fail a call; a retry that is good saves it."""
    assert {group.key[0]: (group.failed, group.failure_rate) for group in by_route.groups} == {
        "hard": (2, 0.4),
        "easy": (2, 0.5),
    }


def test_the_cache_hit_rate_is_of_tokens(by_route: Report) -> None:
    """Cached tokens as a share of all input tokens that are known."""
    assert {group.key[0]: (group.cached_tokens, group.input_tokens) for group in by_route.groups} == {
        "hard": (900, 4000),
        "easy": (0, 4000),
    }


def test_latencies_are_of_attempts(by_route: Report) -> None:
    """Exact quantiles of the attempts' own durations: back-off between them is not in."""
    assert {group.key[0]: (group.latency_p50_ms, group.latency_p95_ms) for group in by_route.groups} == {
        "hard": (400.0, 9000.0),
        "easy": (200.0, 200.0),
    }


def test_what_could_not_be_priced_is_counted_by_reason(by_route: Report) -> None:
    """Unpriced attempts stand beside every total, with the reasons below."""
    assert [(group.no_price, group.no_usage, group.partial) for group in by_route.groups] == [(0, 1, 1), (1, 0, 0)]
    assert [(each.state, each.reason, each.attempts, each.tokens) for each in by_route.unpriced] == [
        ("no_price", "no price for model claude-haiku-9 of anthropic", 1, 1010),
        ("no_usage", "no usage came: timeout", 1, 0),
        ("partial", "lower bound, the response was cut: abandoned", 1, 1001),
    ]


def test_groups_may_be_combined_or_left_out(ledger: Store) -> None:
    """By several names each combination is a group; by none there is one."""
    by_two = make_report(ledger.client, PERIOD, ["model", "provider"])
    by_none = make_report(ledger.client, PERIOD, [])

    assert [group.key for group in by_two.groups] == [
        ("claude-sonnet-4-6", "anthropic"),
        ("claude-haiku-4-5", "anthropic"),
        ("qwen3.5-flash", "fireworks"),
        ("claude-haiku-9", "anthropic"),
    ]
    assert by_two.groups[-1].spend is None
    assert by_two.total.spend == by_none.total.spend == by_none.groups[0].spend == Decimal("0.006381")


def test_a_route_or_model_can_be_asked_for_alone(ledger: Store) -> None:
    """Filters narrow every figure."""
    easy = make_report(ledger.client, PERIOD, ["model"], route="easy")
    sonnet = make_report(ledger.client, PERIOD, ["route"], model="claude-sonnet-4-6")

    assert [(group.key[0], group.attempts) for group in easy.groups] == [("qwen3.5-flash", 3), ("claude-haiku-9", 1)]
    assert [(group.key[0], group.attempts, group.spend) for group in sonnet.groups] == [("hard", 1, Decimal("0.00315"))]


def test_duplicates_change_no_figure_of_the_report(fresh_store: Store) -> None:
    """A replay of everything, with other starts, gives the same report."""
    store(fresh_store.client, *SPANS)
    before = make_report(fresh_store.client, PERIOD, ["route", "model"]).as_json()

    store(fresh_store.client, *(replace(span, started_at=span.started_at + timedelta(hours=2)) for span in SPANS))
    store(fresh_store.client, *reversed(SPANS))
    wide = Period(PERIOD.since, PERIOD.until + timedelta(days=1))

    after = make_report(fresh_store.client, wide, ["route", "model"]).as_json()
    assert {**after, "until": before["until"]} == before


def test_the_command_prints_a_table(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns line up, a lower bound bears its sign, and reasons stand below; into a pipe there is no colour."""
    code = main(["report", "--dsn", str(ledger.dsn), "--since", "2026-11-20T11:00", "--until", "2026-11-20T13:00"])

    assert code == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == TABLE.splitlines()


TABLE = """\
route, 2026-11-20 11:00 UTC to 2026-11-20 13:00 UTC
route   calls   attempts          spend   per success   failed   cache hits      p50        p95        unpriced
───────────────────────────────────────────────────────────────────────────────────────────────────────────────
hard        5          6    ≥ $0.005445   ≥ $0.001147    40.0%        22.5%   400 ms   9,000 ms   1 + 1 in part
easy        4          4   ≥ $0.0009360   ≥ $0.002043    50.0%         0.0%   200 ms     200 ms               1

total       9         10    ≥ $0.006381   ≥ $0.001595    44.4%        11.2%   200 ms   9,000 ms   2 + 1 in part

≥ is a lower bound: 3 of 10 attempts are not priced, or not in full:
        1  no_price  no price for model claude-haiku-9 of anthropic
        1  no_usage  no usage came: timeout
        1  partial   lower bound, the response was cut: abandoned
"""


def test_the_command_prints_json(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Money is exact decimal text, rates and latencies are numbers."""
    code = main(["report", "--dsn", str(ledger.dsn), "--since", "2026-11-20", "--by", "route", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert (code, told["by"], told["since"]) == (0, ["route"], "2026-11-20T00:00:00+00:00")
    assert told["rows"][0] == {
        "route": "hard",
        "calls": 5,
        "attempts": 6,
        "spend": "0.005445000000",
        "spend_is_lower_bound": True,
        "spend_by_class": {
            "input": "0.005100000000",
            "cache_read": "0.000090000000",
            "cache_write": "0.000000000000",
            "output": "0.000255000000",
            "tools": "0.000000000000",
        },
        "tasks": 4,
        "successes": 2,
        "task_spend": "0.002295000000",
        "spend_per_success": "0.001147500000",
        "spend_per_success_is_lower_bound": True,
        "failed_calls": 2,
        "failure_rate": 0.4,
        "cached_tokens": 900,
        "input_tokens": 4000,
        "cache_hit_rate": 0.225,
        "latency_p50_ms": 400.0,
        "latency_p95_ms": 9000.0,
        "unpriced": 1,
        "no_price": 0,
        "no_usage": 1,
        "partial": 1,
    }


def test_an_empty_period_is_no_error(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing happened is an answer."""
    code = main(["report", "--dsn", str(ledger.dsn), "--since", "2024-01-01", "--until", "2024-01-02"])

    assert (code, capsys.readouterr().out) == (
        0,
        "route, 2024-01-01 00:00 UTC to 2024-01-02 00:00 UTC\nNo attempts began in this period.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "yesterdayish"], "--since 'yesterdayish' is no time; write a span back from now"),
        (["--by", "colour"], "--by 'colour' is nothing to group by; write route, model, provider, comma-separated"),
        (["--dsn", "ledger"], "the ledger's address 'ledger' starts with no scheme that farebox knows"),
        (["--dsn", "chdb:/nowhere/at/all"], "there is no ledger in /nowhere/at/all; start one with `farebox up`"),
        (["--dsn", "clickhouse://127.0.0.1:1"], "the ledger clickhouse://default@127.0.0.1:1/farebox does not answer"),
    ],
)
def test_bad_input_is_a_sentence(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, one line on standard error, nothing on standard output."""
    code = main(["report", *arguments])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert err.startswith(f"farebox: {words}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        ("0", "$0.00"),
        ("0.000000065", "$0.00000006500"),
        ("0.00105", "$0.001050"),
        ("0.5", "$0.500000"),
        ("12.3456789", "$12.3457"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_dollars_have_the_digits_they_need(amount: str | None, text: str) -> None:
    """Tiny money is not rounded away, and large money is not noise."""
    assert dollars(None if amount is None else Decimal(amount)) == text


def test_a_moment_of_the_period_is_exact(ledger: Store) -> None:
    """Since is inclusive and until exclusive, to the microsecond."""
    start = datetime(2026, 11, 20, 12, 0, 20, tzinfo=UTC)
    sonnet = "claude-sonnet-4-6"

    on_it = make_report(ledger.client, Period(start, start + timedelta(microseconds=1)), [], model=sonnet)
    before_it = make_report(ledger.client, Period(start - timedelta(seconds=1), start), [], model=sonnet)

    assert (on_it.total.attempts, before_it.total.attempts) == (1, 0)


def test_spend_by_class_adds_up(by_route: Report) -> None:
    """What was billed for input, caches, output and tools is the spend, to the last digit."""
    for group in [*by_route.groups, by_route.total]:
        assert sum(amount or Decimal(0) for amount in group.classes.values()) == group.spend


def test_the_command_shows_classes(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """--classes prints what was billed for what."""
    main(["report", "--dsn", str(ledger.dsn), "--since", "2026-11-20", "--model", "claude-sonnet-4-6", "--classes"])
    out = capsys.readouterr().out

    (line,) = [line.split() for line in out.splitlines() if line.startswith("hard ") and "0.0001500" in line]
    assert line == ["hard", "$0.003000", "$0.00", "$0.00", "$0.0001500", "$0.00", "$0.003150"]
    assert "route       input   cache reads   cache writes       output   tools       spend" in out


def test_the_command_compares_with_the_period_before(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """--compare alone sets each group beside what it was in the period of the same length before."""
    asked = ["report", "--dsn", str(ledger.dsn), "--since", "2026-10-22", "--until", "2026-11-22", "--compare"]
    main(asked)
    shown = capsys.readouterr().out
    main([*asked, "--json"])
    told = json.loads(capsys.readouterr().out)["previous"]

    assert "Against the period before, 2026-09-21 00:00 UTC to 2026-10-22 00:00 UTC" in shown
    (line,) = [line.split() for line in shown.splitlines() if line.startswith("old ")]
    assert line == ["old", "0", "1", "–", "$0.001050", "–", "–", "$0.001050", "–", "0.0%"]
    assert (told["since"], told["until"]) == ("2026-09-21T00:00:00+00:00", "2026-10-22T00:00:00+00:00")
    assert [(row["route"], row["spend"]) for row in told["rows"]] == [("old", "0.001050000000")]


def test_the_period_before_one_without_an_end_ends_now() -> None:
    """The last 24 hours are compared with the 24 hours before them."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    before = Period(now - timedelta(hours=24), datetime(2100, 1, 1, tzinfo=UTC)).before(now)

    assert before == Period(now - timedelta(hours=48), now - timedelta(hours=24))
