"""What became of tasks: reports from applications and files, what tasks took, and which ran in circles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from ledger.spans import NOW, attempt, outcome, store
from ledger.test_rollups import empty

from farebox._cli import main
from farebox_ledger import Dsn, LedgerError, Store, open_store
from farebox_ledger._outcomes import TaskOutcome, read_outcomes, store_outcomes
from farebox_ledger._period import Period
from farebox_ledger._refresh import refresh_all
from farebox_ledger._report import make_report
from farebox_ledger._tasks import Loop, TaskGroup, make_tasks

DAY = Period(NOW - timedelta(hours=12), NOW + timedelta(hours=12))
INPUT = {"uncached_input_tokens": 1_000_000, "output_tokens": 0}  # $1 of claude-haiku-4-5, $3 of claude-sonnet-4-6


@pytest.fixture(scope="module")
def opened(ledger_folder: Path, ledger_client: object) -> Iterator[Store]:
    """A ledger of this module."""
    with open_store(Dsn("chdb", "tasks_audit", path=ledger_folder)) as each:
        yield each
        each.client.command("DROP DATABASE tasks_audit SYNC")


@pytest.fixture
def ledger(opened: Store) -> Store:
    """The same, empty, and an hour of people's work costs $60 on the route `hard`."""
    empty(opened)
    opened.client.command("TRUNCATE TABLE route_settings SYNC")
    opened.client.command(
        "INSERT INTO route_settings (route, disqualifying, human_usd_per_minute, valid_from, who, why) VALUES "
        "('hard', ['refusal'], 1, 0, 'me', ''), ('*', ['refusal'], NULL, 0, 'me', '')"
    )
    opened.client.command("SYSTEM RELOAD DICTIONARY route_setting")
    return opened


def write(folder: Path, text: str) -> Path:
    path = folder / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_its_own_headings(tmp_path: Path) -> None:
    """A file may call the columns otherwise, hold others, leave cells empty, and begin with a byte order mark."""
    path = write(
        tmp_path, "\ufeffticket,who,done,human_minutes,reported_at\na,x,Yes,,2026-11-20T10:00:00Z\nb,y,,1.5,\n"
    )

    assert read_outcomes(path, NOW, {"task": "ticket", "success": "done"}) == [
        TaskOutcome("a", True, None, datetime(2026, 11, 20, 10, tzinfo=UTC)),
        TaskOutcome("b", None, Decimal("1.500000"), NOW),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column 'task' (it has none)"),
        ("ticket,success\n", "has no column 'task' (it has ticket, success); name yours with --columns task=NAME"),
        ("task,when\n", "has neither 'success' nor 'human_minutes'"),
        ("task,success\n,true\n", "outcomes.csv:2: the task is empty"),
        ("task,success\na,true\nb,perhaps\n", "outcomes.csv:3: success is 'perhaps'; write true or false"),
        ("task,human_minutes\na,-1\n", "outcomes.csv:2: human_minutes is '-1'; write a number from 0 on"),
        ("task,human_minutes\na,ten\n", "human_minutes is 'ten'"),
        ("task,success,reported_at\na,1,soon\n", "reported_at is 'soon'; write a moment"),
        ("task,success,reported_at\na,1,1999-01-01\n", "not between 2000 and 2100"),
    ],
)
def test_a_bad_line_refuses_the_file(text: str, sentence: str, tmp_path: Path) -> None:
    """A line that cannot be read is named with its value and what is allowed, and nothing of the file is taken."""
    with pytest.raises(LedgerError) as raised:
        read_outcomes(write(tmp_path, text), NOW)

    assert sentence in str(raised.value)


def test_imported_outcomes_decide_and_the_same_again_changes_nothing(ledger: Store, tmp_path: Path) -> None:
    """A file's word holds over the last call's, minutes cost what the route says, and twice is once."""
    store(ledger.client, attempt(usage=INPUT, route="hard", task="a"), attempt(usage=INPUT, route="hard", task="b"))
    refresh_all(ledger.client)
    outcomes = read_outcomes(write(tmp_path, "task,success,human_minutes\na,no,\nb,,12.5\n"), NOW)

    assert store_outcomes(ledger.client, outcomes) == 2
    first = make_report(ledger.client, DAY, ("route",)).groups[0]
    store_outcomes(ledger.client, outcomes)
    again = make_report(ledger.client, DAY, ("route",)).groups[0]
    refresh_all(ledger.client)
    rolled = make_report(ledger.client, DAY, ("route",)).groups[0]

    assert first == again == rolled
    assert (first.tasks, first.successes, first.task_spend) == (2, 1, Decimal("14.5"))
    assert first.spend_per_success == Decimal("14.5")
    ledger.client.command("OPTIMIZE TABLE task_outcomes FINAL")
    assert ledger.client.command("SELECT count() FROM task_outcomes") == 2


def test_of_a_file_and_an_application_the_latest_holds(ledger: Store) -> None:
    """Whoever reported last is believed, whichever way it came."""
    store(ledger.client, attempt(task="a"), outcome("a", False, reported_at=NOW))
    store_outcomes(ledger.client, [TaskOutcome("a", True, None, NOW - timedelta(hours=1))])
    before = make_report(ledger.client, DAY, ()).total.successes
    store_outcomes(ledger.client, [TaskOutcome("a", True, None, NOW + timedelta(hours=1))])

    assert (before, make_report(ledger.client, DAY, ()).total.successes) == (0, 1)


def test_the_command_imports_a_file(fresh_dsn: Dsn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`farebox outcomes import` says how many reports of how many tasks, and `--dry-run` leaves the ledger alone."""
    path = str(write(tmp_path, "task,success,human_minutes\na,no,\nb,yes,12.5\nb,,1\n"))
    dsn = f"chdb:{fresh_dsn.folder}?database={fresh_dsn.database}"

    assert main(["outcomes", "import", path, "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "file": path,
        "dry_run": True,
        "reports": 3,
        "tasks": 2,
        "succeeded": 1,
        "failed": 1,
        "human_minutes": "13.500000",
    }
    assert main(["outcomes", "import", path, "--dsn", dsn]) == 0
    assert "3 reports of 2 tasks imported: 1 say that it succeeded, 1 that it did not" in capsys.readouterr().out
    assert main(["outcomes", "import", path, "--columns", "ticket"]) == 2
    assert "--columns 'ticket' is unreadable at 'ticket'" in capsys.readouterr().err


def test_a_task_holds_its_retries_escalations_and_minutes(ledger: Store) -> None:
    """All money of a task stands on the route of its first call, and retries, escalations and people are told apart."""
    trace = "a" * 32
    store(
        ledger.client,
        # One call of two attempts, the first of which was billed and cut; then a call to a dearer model elsewhere.
        attempt(
            usage=INPUT, route="hard", task="t", trace_id=trace, span_id="1" * 16, call_id="1" * 16, outcome="timeout"
        ),
        attempt(
            usage=INPUT,
            route="hard",
            task="t",
            trace_id=trace,
            span_id="2" * 16,
            call_id="1" * 16,
            attempt=1,
            started_at=NOW + timedelta(seconds=1),
        ),
        attempt("claude-sonnet-4-6", usage=INPUT, route="dear", task="t", started_at=NOW + timedelta(hours=2)),
        attempt(usage=INPUT, route="hard", started_at=NOW + timedelta(hours=3)),
        attempt("nobody", usage=INPUT, route="easy"),
        outcome("t", True, "2", NOW + timedelta(hours=3)),
    )
    for settle in (lambda: None, lambda: refresh_all(ledger.client)):
        settle()
        tasks = make_tasks(ledger.client, DAY)

        hard = TaskGroup(
            route="hard",
            tasks=2,
            successes=2,
            calls=3,
            calls_median=1,
            calls_p95=2,
            calls_max=2,
            retries=1,
            retry_spend=Decimal(1),
            escalated=1,
            escalation_spend=Decimal(3),
            human_tasks=1,
            human_minutes=Decimal(2),
            human_spend=Decimal(2),
            human_unpriced=0,
            model_spend=Decimal(6),
            spend=Decimal(8),
            unpriced=0,
            partial=0,
        )
        assert tasks.groups[0] == hard
        assert hard.spend_per_success == Decimal(4)
        assert [group.route for group in tasks.groups] == ["hard", "easy"]
        assert tasks.total is not None
        assert (tasks.total.tasks, tasks.total.spend, tasks.total.unpriced) == (3, Decimal(8), 1)


def test_minutes_without_a_price_make_a_lower_bound(ledger: Store) -> None:
    """Where nobody said what a minute costs, the minutes are counted and the spend is at least what is known."""
    store(ledger.client, attempt(usage=INPUT, route="easy", task="t"), outcome("t", True, "30"))
    (group,) = make_tasks(ledger.client, DAY, "easy").groups

    assert (group.human_minutes, group.human_spend, group.human_unpriced) == (Decimal(30), None, 1)
    assert group.spend_is_lower_bound


def test_a_loop_stands_far_above_its_route(ledger: Store) -> None:
    """A task with many times its route's median of calls is told with its money; one on a route of few tasks is not."""
    usual = [attempt(usage=INPUT, route="agent", task=f"t{number}") for number in range(10) for _ in range(2)]
    circling = [attempt(usage=INPUT, route="agent", task="circle", outcome="timeout") for _ in range(11)]
    long_all = [attempt(usage=INPUT, route="long", task="long") for _ in range(40)]
    store(ledger.client, *usual, *circling, *long_all)

    assert list(make_tasks(ledger.client, DAY).loops) == [
        Loop("circle", "agent", NOW, 11, 2, False, Decimal(11), Decimal(2), False)
    ]


def test_the_report_shows_tasks(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`farebox report --tasks` adds what tasks took and which ran in circles; --json has the same."""
    calls = [attempt(usage=INPUT, route="agent", task=f"t{number}") for number in range(10)]
    store(ledger.client, *calls, *(attempt(usage=INPUT, route="agent", task="circle") for _ in range(12)))
    store(ledger.client, outcome("t1", False, "3"))
    dsn = f"chdb:{ledger.dsn.folder}?database={ledger.dsn.database}"
    period = ["--since", "2026-11-20", "--until", "2026-11-21"]

    assert main(["report", "--tasks", "--dsn", dsn, *period]) == 0
    shown = capsys.readouterr().out
    assert "Tasks that took 5 times the calls usual on their route, or more: 1, for $12.0000" in shown
    assert "Tasks with minutes of people's work that have no price: 1" in shown
    assert main(["report", "--tasks", "--json", "--dsn", dsn, *period]) == 0
    told = json.loads(capsys.readouterr().out)["tasks"]
    assert told["rows"][0]["spend_per_success"] == "2.200000000000"
    assert told["rows"][0]["human_minutes"] == "3.000000"
    assert told["loops"][0]["task"] == "circle"


def test_a_period_without_tasks_says_so(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty period has no rows and no total."""
    tasks = make_tasks(ledger.client, DAY)

    assert (tasks.groups, tasks.total, tasks.loops) == ([], None, [])
