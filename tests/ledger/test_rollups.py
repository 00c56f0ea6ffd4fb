"""Rollups are a shortcut, never another answer: at every moment they say what the clean stream of spans says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger.spans import NOW, Span, attempt, outcome, store

from farebox_ledger import Dsn, Store, _refresh, open_store
from farebox_ledger._migrate import migrate
from farebox_ledger._refresh import refresh, refresh_all

Figures = dict[tuple[Any, ...], tuple[Any, ...]]

FILLED = (
    "otel_traces",
    "stored_attempts",
    "arrivals",
    "attempt_hours",
    "task_hours",
    "moved_attempts",
    "spanning_tasks",
    "spanning_calls",
    "attempts_hourly",
    "users_hourly",
    "users_daily",
    "counted_days",
    "noted_parts",
    "tasks_hourly",
    "failures_hourly",
    "answers_hourly",
    "units_hourly",
    "numbers_hourly",
    "task_outcomes",
    "span_conflicts",
)
SPEND = "SELECT hour, route, sum(attempts), sum(spend), sum(no_price) FROM attempts_by_hour GROUP BY hour, route"
USERS = "SELECT hour, user_id, sum(attempts), sum(spend), sum(no_price) FROM users_by_hour GROUP BY hour, user_id"
TASKS = (
    "SELECT hour, route, sum(calls), sum(failed), sum(tasks), sum(successes), sum(spend), sum(unpriced) "
    "FROM tasks_by_hour GROUP BY hour, route HAVING sum(calls) + sum(tasks) > 0"
)
# The same by tenant, of a period that begins and ends within an hour.
SINCE, UNTIL = NOW + timedelta(minutes=37), NOW + timedelta(hours=4, minutes=11)
PERIOD = f"since = '{SINCE:%Y-%m-%d %H:%M:%S}', until = '{UNTIL:%Y-%m-%d %H:%M:%S}', by_tenant = 1"
TENANTS = (
    "SELECT moment, tenant, sum(attempts), sum(spend), sum(no_price) "
    f"FROM attempts_between({PERIOD}, step_s = 3600) GROUP BY moment, tenant"
)
TENANTS_TASKS = (
    "SELECT hour, tenant, sum(calls), sum(failed), sum(tasks), sum(successes), sum(spend), sum(unpriced) "
    f"FROM tasks_between({PERIOD}) GROUP BY hour, tenant HAVING sum(calls) + sum(tasks) > 0"
)
# How attempts failed, and answers by the version of the prompt; of all time or of that period, together or by tenant.
ALWAYS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
FAILED = (
    "SELECT hour, concat(route, tenant, '/', class), "
    "sum(failed), sum(by_retry), sum(by_call), sum(spend), sum(doubtful) FROM failures_between({}) GROUP BY 1, 2"
)
CHECKED = (
    "SELECT hour, concat(route, tenant, '/', value), sum(answers), sum(bad), sum(spend_bad), sum(doubtful) "
    "FROM answers_between({}, trait = 'version') GROUP BY 1, 2"
)


@pytest.fixture(scope="module")
def rollups(ledger_folder, ledger_client) -> Iterator[Store]:
    with open_store(Dsn("chdb", "rollups", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE rollups SYNC")


@pytest.fixture
def ledger(rollups: Store) -> Store:
    """An empty ledger, in which nothing is refreshed unless the test does."""
    empty(rollups)
    return rollups


def empty(ledger: Store) -> None:
    """Take everything out of the ledger but its prices."""
    for table in FILLED:
        ledger.client.command(f"TRUNCATE TABLE {table} SYNC")


def cost(span: Span) -> Decimal | None:
    """Work out what a Haiku attempt costs; other models have no price here."""
    if span.attributes["gen_ai.response.model"] != "claude-haiku-4-5":
        return None
    return int(span.attributes["farebox.usage.uncached_input_tokens"]) * Decimal("0.000001") + Decimal("0.00005")


def hour_of(span: Span) -> datetime:
    """Begin the hour of a span, as ClickHouse gives it."""
    return span.started_at.replace(minute=0, second=0, microsecond=0, tzinfo=None)


def total(costs: list[Decimal | None]) -> Decimal | None:
    """Add what is known; None if nothing is."""
    known = [each for each in costs if each is not None]
    return sum(known, Decimal(0)) if known else None


def expected(
    spans: list[Span], said: dict[str, bool], tag: str = "farebox.route", counts_if: Callable[[Span], bool] = bool
) -> tuple[Figures, Figures, Figures]:
    """Count the clean stream in plain Python: spend by a tag, spend by user, calls and tasks by the tag.

    counts_if: what of it is asked for: attempts themselves, calls and tasks by their first.
    """
    first = list({(span.trace_id, span.span_id): span for span in reversed(spans)}.values())
    by_route, by_user = defaultdict(list), defaultdict(list)
    for span in filter(counts_if, first):
        by_route[hour_of(span), span.attributes[tag]].append(cost(span))
        by_user[hour_of(span), span.attributes["farebox.user"]].append(cost(span))
    calls: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in first:
        calls[call_of(span)].append(span)
    tasks: dict[str, list[list[Span]]] = defaultdict(list)
    for key, attempts in calls.items():
        attempts.sort(key=lambda span: (span.started_at, number(span)))
        tasks[attempts[0].attributes["farebox.task"] or str(key)].append(attempts)
    counts: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, 0, 0, 0, [], 0])
    for name, its_calls in tasks.items():
        its_calls.sort(key=lambda attempts: (attempts[0].started_at, attempts[0].trace_id))
        for attempts in (each for each in its_calls if counts_if(each[0])):
            counted = counts[hour_of(attempts[0]), attempts[0].attributes[tag]]
            counted[0] += 1
            counted[1] += not is_good(attempts)
        if not counts_if(its_calls[0][0]):
            continue
        counted = counts[hour_of(its_calls[0][0]), its_calls[0][0].attributes[tag]]
        counted[2] += 1
        counted[3] += said.get(name, is_good(its_calls[-1]))
        counted[4] += [cost(span) for attempts in its_calls for span in attempts]
        counted[5] += sum(cost(span) is None for attempts in its_calls for span in attempts)
    return (
        {key: (len(costs), total(costs), costs.count(None)) for key, costs in by_route.items()},
        {key: (len(costs), total(costs), costs.count(None)) for key, costs in by_user.items()},
        {key: (*each[:4], total(each[4]), each[5]) for key, each in counts.items()},
    )


def is_good(attempts: list[Span]) -> bool:
    """Say whether one of a call's attempts ended ok, with no flag that disqualifies."""
    return any(span.attributes["farebox.outcome"] == "ok" and not flags(span) for span in attempts)


def flags(span: Span) -> list[str]:
    """Read what was found in an answer."""
    return list(json.loads(span.attributes.get("farebox.flags", "[]")))


def found(ledger: Store) -> tuple[Figures, Figures, Figures]:
    """Read the same from the ledger."""
    return read(ledger, SPEND), read(ledger, USERS), read(ledger, TASKS)


def read(ledger: Store, sql: str) -> Figures:
    """Read figures by hour and tag."""
    rows = ledger.client.query(sql).result_rows
    return {(row[0].replace(tzinfo=None), *row[1:2]): tuple(row[2:]) for row in rows}


def check_tenants(ledger: Store, spans: list[Span], said: dict[str, bool]) -> None:
    """Hold the figures of each tenant in a period that cuts hours off against a count in Python."""
    by_tenant, _, tasks = expected(spans, said, "farebox.tenant", lambda span: SINCE <= span.started_at < UNTIL)

    assert read(ledger, TENANTS) == by_tenant
    assert read(ledger, TENANTS_TASKS) == tasks


def check_answers(ledger: Store, spans: list[Span], since: datetime, until: datetime, by_tenant: int) -> None:
    """Hold how attempts of a period failed, what mended it since, and what was checked against a count in Python."""
    first = list({(span.trace_id, span.span_id): span for span in reversed(spans)}.values())
    tasks: dict[Any, list[Span]] = defaultdict(list)
    for span in first:
        tasks[span.attributes["farebox.task"] or call_of(span)].append(span)
    failed: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, []])
    checked: dict[Any, list[Any]] = defaultdict(lambda: [0, []])
    for task in tasks.values():
        mended = [span for span in task if is_good([span])]
        for span in (each for each in task if since <= each.started_at < until):
            said = span.attributes
            group = said["farebox.route"] + (said["farebox.tenant"] if by_tenant else "")
            if said["farebox.outcome"] == "ok":
                answers = checked[hour_of(span), f"{group}/{said['farebox.prompt_version']}"]
                answers[0] += 1
                answers[1] += [cost(span)] if flags(span) else []
            if is_good([span]):
                continue
            ended = said["farebox.outcome"]
            for name in [flag.partition(".")[0] for flag in flags(span)] if ended == "ok" else [ended]:
                counted = failed[hour_of(span), f"{group}/{name}"]
                counted[0] += 1
                if any(call_of(each) == call_of(span) and number(each) > number(span) for each in mended):
                    counted[1] += 1
                elif any(each.started_at > span.started_at for each in mended):
                    counted[2] += 1
                counted[3].append(cost(span))
    period = f"since = '{since:%Y-%m-%d %H:%M:%S}', until = '{until:%Y-%m-%d %H:%M:%S}', by_tenant = {by_tenant}"

    assert read(ledger, FAILED.format(period)) == {
        key: (*counts, total(costs), costs.count(None)) for key, (*counts, costs) in failed.items()
    }
    assert read(ledger, CHECKED.format(period)) == {
        key: (count, len(costs), total(costs), costs.count(None)) for key, (count, costs) in checked.items()
    }


def call_of(span: Span) -> tuple[str, str]:
    """Name the call of an attempt."""
    return span.trace_id, span.attributes["farebox.call_id"]


def number(span: Span) -> int:
    """Say which attempt of its call a span is."""
    return int(span.attributes["farebox.attempt"])


def draw(random: Random, number: int) -> list[Span]:
    """Draw a call of one to three attempts, minutes apart, as part of a task or of none."""
    trace_id, call_id = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"
    started_at = NOW + timedelta(minutes=random.randrange(360), microseconds=number)
    task = random.choice(["", f"t{random.randrange(8)}"])
    tags = {
        "task": task,
        "route": random.choice(["easy", "hard"]),
        "user": f"u{random.randrange(4)}",
        "tenant": f"c{random.randrange(2)}",
    }
    return [
        attempt(
            random.choice(["claude-haiku-4-5"] * 5 + ["claude-haiku-9"]),
            usage={"uncached_input_tokens": random.randrange(100_000), "output_tokens": 10},
            outcome=random.choice(["ok", "timeout"]),
            trace_id=trace_id,
            span_id=f"{int(call_id, 16) ^ retry:016x}",
            started_at=started_at + timedelta(minutes=retry * random.randrange(40)),
            call_id=call_id,
            attempt=retry,
            checked='["refusal"]',
            flags=random.choice(["[]", "[]", '["refusal.text"]']),
            prompt_version=random.choice(["v1", "v2"]),
            **tags,
        )
        for retry in range(random.choice([1, 1, 2, 3]))
    ]


def spoil(random: Random, span: Span) -> Span:
    """Make a copy of a span, as it is, with another start, an impossible one, or other content."""
    started_at = random.choice(
        [
            span.started_at,
            span.started_at + timedelta(minutes=random.randrange(-600, 600)),
            datetime(random.choice([1970, 2262]), 1, 1, tzinfo=span.started_at.tzinfo),
        ]
    )
    dearer = {**span.attributes, "farebox.usage.uncached_input_tokens": "999", "farebox.route": "elsewhere"}
    return replace(span, started_at=started_at, attributes=random.choice([span.attributes, dearer]))


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_every_figure_equals_that_of_the_clean_stream(rollups: Store, seed: int) -> None:
    """However spans are split, duplicated, late, replayed or spoilt, refreshed or not, every figure stays right."""
    empty(rollups)
    random = Random(seed)
    waiting = [span for number in range(28) for span in draw(random, number)]
    random.shuffle(waiting)
    stored: list[Span] = []
    said: dict[str, bool] = {}
    while waiting:
        batch = [waiting.pop() for _ in range(min(len(waiting), random.randrange(1, 20)))]
        known = stored + batch
        batch += [spoil(random, random.choice(known)) for _ in range(random.randrange(4))]
        store(rollups.client, *batch)
        stored += batch
        if random.randrange(3) == 0:
            task = f"t{random.randrange(8)}"
            said[task] = random.choice([True, False])
            store(rollups.client, outcome(task, said[task], reported_at=NOW + timedelta(seconds=len(stored))))
        if random.randrange(2):
            refresh(rollups.client)

        assert found(rollups) == expected(stored, said)
        if random.randrange(3) == 0:
            check_tenants(rollups, stored, said)
        if random.randrange(3) == 0:
            check_answers(rollups, stored, *random.choice([ALWAYS, (SINCE, UNTIL)]), by_tenant=random.randrange(2))

    refresh_all(rollups.client)

    assert found(rollups) == expected(stored, said)
    check_tenants(rollups, stored, said)
    check_answers(rollups, stored, *ALWAYS, by_tenant=0)
    check_answers(rollups, stored, SINCE, UNTIL, by_tenant=1)
    assert rollups.client.query("SELECT length(hours) FROM dirty_hours").result_rows == [(0,)]


@pytest.mark.parametrize("cut", [1, 5, 10, 12, 14])
def test_a_refresh_may_be_cut_at_any_step(ledger: Store, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are right after a crash between any two steps, and the next refresh brings everything in step."""
    random = Random(cut)
    spans = [span for number in range(12) for span in draw(random, number)]
    store(ledger.client, *spans[:8])
    refresh_all(ledger.client)
    store(ledger.client, *spans[8:], *(spoil(random, span) for span in spans[:3]))
    taken = 0
    real = _refresh._run

    def cut_off(*arguments: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken > cut:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(_refresh, "_run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        refresh(ledger.client)
    monkeypatch.undo()
    cut_short = found(ledger)
    check_answers(ledger, spans, *ALWAYS, by_tenant=1)
    refresh_all(ledger.client)

    assert cut_short == found(ledger) == expected(spans, {})
    check_answers(ledger, spans, *ALWAYS, by_tenant=1)


def test_an_older_ledger_is_filled_beside_its_readers(ledger: Store) -> None:
    """Before a ledger of an older schema is counted into a new rollup its figures are right, and so they are after."""
    spans = [span for number in range(12) for span in draw(Random(3), number)]
    store(ledger.client, *spans)
    refresh_all(ledger.client)
    for sql in (
        "DROP TABLE failures_hourly SYNC",
        "DROP VIEW failures_between SYNC",
        "ALTER TABLE spanning_calls DROP COLUMN good_attempt, DROP COLUMN good_at",
        "ALTER TABLE migrations DELETE WHERE number >= 180 SETTINGS mutations_sync = 2",
    ):
        ledger.client.command(sql)

    migrate(ledger.client)

    check_answers(ledger, spans, *ALWAYS, by_tenant=0)
    refresh_all(ledger.client)
    check_answers(ledger, spans, *ALWAYS, by_tenant=0)
    assert ledger.client.query("SELECT length(hours) FROM dirty_hours").result_rows == [(0,)]


def test_a_refreshed_ledger_waits_for_nothing(ledger: Store) -> None:
    """After a refresh no hour is dirty, and a second one has nothing to do."""
    store(ledger.client, *(span for number in range(5) for span in draw(Random(5), number)))

    done = refresh(ledger.client)

    assert (done.arrivals > 4, done.more) == (True, False)
    assert refresh(ledger.client) == _refresh.Refreshed(0, 0, more=False)
    assert ledger.client.query("SELECT count() FROM arrivals").result_rows == [(0,)]


def test_later_spans_with_other_content_are_counted(ledger: Store) -> None:
    """A second span with known ids and other content is kept apart, once; a copy is none."""
    span, other = attempt(), attempt()
    dearer = replace(span, attributes={**span.attributes, "farebox.usage.uncached_input_tokens": "7"})
    store(ledger.client, span, other, dearer)
    refresh_all(ledger.client)
    store(ledger.client, span, dearer)
    store(ledger.client, replace(other, started_at=NOW + timedelta(hours=2)))
    refresh_all(ledger.client)

    conflicts = ledger.client.query(
        "SELECT lower(hex(span_id)), uncached_input_tokens, list_cost FROM span_conflicts FINAL ORDER BY span_id"
    ).result_rows
    assert conflicts == [
        (span.span_id, 7, Decimal("0.000057")),
        (other.span_id, 1000, Decimal("0.00105")),
    ]


def test_the_application_has_the_last_word_on_a_task(ledger: Store) -> None:
    """What outcome() reports goes before what the last call says, however late it comes; the latest report holds."""
    store(ledger.client, attempt(task="t1"), attempt(task="t2", outcome="timeout"))
    refresh_all(ledger.client)
    seen = []

    for task, success, minute in (("t1", False, 5), ("t1", True, 1), ("t2", True, 2), ("t2", None, 9)):
        store(ledger.client, outcome(task, success, reported_at=NOW + timedelta(minutes=minute)))
        before = ledger.client.query("SELECT sum(successes), sum(tasks) FROM tasks_by_hour").result_rows
        refresh_all(ledger.client)
        assert ledger.client.query("SELECT sum(successes), sum(tasks) FROM tasks_by_hour").result_rows == before
        seen += before

    assert seen == [(0, 2), (0, 2), (1, 2), (1, 2)]


def test_minutes_of_people_cost_what_the_route_says(ledger: Store) -> None:
    """Human minutes times the route's rate at the task's time is part of its money; without a rate it is not known."""
    settings_of = "INSERT INTO route_settings (route, disqualifying, human_usd_per_minute, valid_from, who) VALUES"
    ledger.client.command(f"{settings_of} ('easy', [], 1.5, '2026-01-01', 'me'), ('easy', [], 9, '2027-01-01', 'me')")
    ledger.client.command(f"SYSTEM RELOAD DICTIONARY {ledger.dsn.database}.route_setting")
    store(ledger.client, attempt(task="t1", route="easy"), attempt(task="t2", route="hard"))
    store(ledger.client, outcome("t1", True, "12.5"), outcome("t2", True, "3"))
    asked = "SELECT route, spend, human_spend, human_unpriced FROM tasks_by_hour ORDER BY route"
    before = ledger.client.query(asked).result_rows
    refresh_all(ledger.client)

    after = ledger.client.query(asked).result_rows
    ledger.client.command("TRUNCATE TABLE route_settings")
    ledger.client.command(f"SYSTEM RELOAD DICTIONARY {ledger.dsn.database}.route_setting")
    assert (
        after
        == before
        == [
            ("easy", Decimal("18.75105"), Decimal("18.75"), 0),
            ("hard", Decimal("0.00105"), None, 1),
        ]
    )
