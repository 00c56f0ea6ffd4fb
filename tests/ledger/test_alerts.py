"""Alert rules: each fires on the trouble it is there for, and is silent beside it; hostile names stay names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from ledger.spans import NOW, Span, attempt, store

from farebox_ledger import Dsn, LedgerError, Store, open_store
from farebox_ledger.alerts import RULES, Measured, alert_sql, firing, measure, rules_in_force

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RULE = {rule.name: rule for rule in RULES}
HAIKU = "claude-haiku-4-5"
DETECTORS = ("refusal", "tool_call_malformed")
# Names that would break out of SQL, of messages, of Go's templates or of links if they were put into one.
FAILING = "f'a\\il\" -- /* ${route} {{ $labels.x }} {value} &from=0 </script> 検索"
BUDGET = "team'); DROP TABLE budgets; -- {spent:.2f}"


def calls(route: str, since: timedelta, count: int, model: str = HAIKU, **more: object) -> Iterator[Span]:
    """Make calls of two cents, evenly from so long ago until now: most of the input from the cache, one tool call."""
    usual = {"uncached_input_tokens": 8_000, "cache_read_tokens": 20_000, "output_tokens": 2_000}
    usage = more.pop("usage", usual)
    texts = {"tool_calls": 1, "tool_calls_malformed": 0, "checked": json.dumps(DETECTORS), **more}
    for number in range(count):
        yield attempt(model, usage=usage, started_at=NOW - since + (number + 0.5) * since / count, route=route, **texts)


def with_trouble() -> Iterator[Span]:
    """Make eight days of six calls an hour on each route, and in the last hours something of its own on all but one."""
    changed = {"unsuccessful": 6 * HOUR, "uncached": 2 * HOUR}
    for route in ("calm", FAILING, "garbling", "unsuccessful", "uncached", "burning"):
        until = NOW - changed.get(route, timedelta(0))
        yield from (span for span in calls(route, 8 * DAY, 8 * 24 * 6) if span.started_at < until)
    yield from calls(FAILING, HOUR, 12, outcome="server_error", usage_state="none", usage={})
    yield from calls("garbling", HOUR, 12, tool_calls_malformed=1, flags='["tool_call_malformed.type"]')
    yield from calls("unsuccessful", 6 * HOUR, 100, flags='["refusal.text"]')
    yield from calls("unsuccessful", 6 * HOUR, 10)
    yield from calls("uncached", 2 * HOUR, 24, usage={"uncached_input_tokens": 28_000, "output_tokens": 2_000})
    yield from calls("burning", HOUR, 60)
    yield from calls("burning", 5 * MINUTE, 1, usage={}, usage_state="missing")
    yield from calls("newcomer", HOUR, 2, **{"tag.team": "search"})
    yield from calls("calm", HOUR, 2, model="claude-haiku-9")


BUDGETS = [
    [BUDGET, "day", 1, {"route": "burning"}],
    ["tight", "day", 2, {"route": "calm", "provider": "anthropic"}],
    ["ample", "month", 100_000, {}],
    ["nobody's", "hour", 1, {"tenant": "nobody"}],
    ["unheard of", "hour", 0.01, {"colour": "red"}],
    ["by tag", "day", 0.1, {"tag.team": "search", "route": "newcomer"}],
]


CHECK_COLUMNS = ("run", "checked_at", "provider", "day", "currency", "billed", "recorded", "tolerance")


def bill_checks() -> Iterator[list[object]]:
    """Make checks of bills an hour ago: one provider's days differ, one's match, and one differs by cents."""
    for provider, billed in (("anthropic", ("13", "6")), ("openai", ("10.01", "10")), ("together", ("10.4", "10"))):
        for day, amount in enumerate(billed, start=1):
            at = NOW - HOUR
            yield ["a", at, provider, (NOW - day * DAY).date(), "USD", Decimal(amount), Decimal(10), Decimal("0.005")]


@pytest.fixture(scope="module")
def ledger(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger with all that trouble, and with budgets; no test writes to it."""
    with open_store(Dsn("chdb", "alerts", path=ledger_folder)) as opened:
        store(opened.client, *with_trouble())
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        opened.client.insert(
            "budgets",
            [[*row, begin, "test", ""] for row in BUDGETS],
            column_names=["name", "period", "amount", "applies_to", "valid_from", "who", "why"],
        )
        opened.client.insert("bill_checks", list(bill_checks()), column_names=CHECK_COLUMNS)
        yield opened
        opened.client.command("DROP DATABASE alerts SYNC")


def fired(ledger: Store, name: str, at: datetime = NOW) -> dict[tuple[str, ...], Measured]:
    """What a rule fires about, by its labels."""
    return {each.key[1:]: each for each, fires in firing(ledger.client, RULE[name], at) if fires}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("failure-rate", {(FAILING, "server_error"), ("unsuccessful", "refusal")}),
        ("malformed-rate", {("garbling",)}),
        ("cost-per-success", {("unsuccessful",)}),
        ("cache-collapse", {("uncached", HAIKU)}),
        ("not-priced", {("claude-haiku-9", "anthropic")}),
        ("new-name", {("model", "anthropic claude-haiku-9"), ("route", "newcomer")}),
        ("budget-burn-fast", {(BUDGET,)}),
        ("budget-burn-slow", {(BUDGET,)}),
        ("budget-burn-long", {(BUDGET,), ("tight",)}),
        ("budget-spent", {(BUDGET,)}),
        ("bill-differs", {("anthropic", "USD")}),
        ("spend-spike-hourly", {("burning",)}),
        ("ledger-silent", set()),
    ],
)
def test_a_rule_names_the_trouble_and_nothing_else(name: str, labels: set[tuple[str, ...]], ledger: Store) -> None:
    """Of routes, models and budgets side by side, a rule fires about those in trouble and no other."""
    assert set(fired(ledger, name)) == labels


@pytest.mark.parametrize("name", [name for name in RULE if name not in ("budget-burn-long", "ledger-silent")])
def test_a_rule_is_silent_before_the_trouble(name: str, ledger: Store) -> None:
    """Half a day earlier, with a week of history and the same budgets, nothing fires."""
    assert not fired(ledger, name, NOW - 12 * HOUR)


def test_the_slow_burn_needs_both_of_its_windows(ledger: Store) -> None:
    """What burnt for an hour does not burn for six hours: the long window holds the short one back."""
    found = {each.key[1]: each for each in measure(ledger.client, RULE["budget-burn-slow"], NOW)}
    spent = (36 + 60) * (0.008 + 0.002 + 0.01)

    assert found[BUDGET].facts == pytest.approx({"spent": spent, "amount": 1, "not_priced": 1}, rel=1e-6)
    assert found[BUDGET].value == pytest.approx(spent / (1 * 6 / 24), rel=1e-6)
    assert found["by tag"].value == pytest.approx(0.04 / (0.1 * 6 / 24), rel=1e-6)
    assert found["nobody's"].value == found["unheard of"].value == 0


def test_a_silent_ledger_is_told(fresh_store: Store) -> None:
    """A ledger that never received anything is silent for a day; one that just did is not, until time has passed."""
    rule = RULE["ledger-silent"]
    assert [each.value for each in measure(fresh_store.client, rule, datetime.now(UTC))] == [86400]
    now = datetime.now(UTC)
    store(fresh_store.client, attempt(started_at=now))

    assert measure(fresh_store.client, rule, now)[0].value < 60
    (later,) = measure(fresh_store.client, rule, now + HOUR)
    assert later.value == pytest.approx(3600, abs=60)
    assert [fires for _, fires in firing(fresh_store.client, rule, now + HOUR)] == [True]
    assert later.summary == "The ledger has received nothing for 60 minutes"


def test_a_bill_that_differs_is_told_with_its_sign(ledger: Store) -> None:
    """Days that differ one way and the other are added up for the alarm, and told with what they come to."""
    told = fired(ledger, "bill-differs")[("anthropic", "USD")]

    assert (told.value, told.facts) == (7, {"difference_sum": -1, "days": 2, "share": pytest.approx(7 / 19)})
    assert told.summary == "Bill and ledger of anthropic differ by -1.00 USD, 36.8% of the bill"


def test_messages_and_links_carry_names_as_they_are(ledger: Store) -> None:
    """A name with quotes, braces, ampersands and another writing is said as it is, and survives the link."""
    told = fired(ledger, "failure-rate")[(FAILING, "server_error")]
    link = urlsplit(told.link("http://grafana:3000/"))

    assert told.summary.startswith(f"{FAILING}: server_error at 66.7% of the last hour, where 0.0% was usual")
    assert told.labels == {"route": FAILING, "failure": "server_error"}
    assert parse_qs(link.query)["var-route"] == [FAILING]
    assert (link.netloc, link.path) == ("grafana:3000", "/d/farebox-route")
    assert int(parse_qs(link.query)["from"][0]) < NOW.timestamp() * 1000 < int(parse_qs(link.query)["to"][0])


def test_money_stands_beside_what_it_lacks(ledger: Store) -> None:
    """Messages of dollars say how many attempts of unknown cost are not in them."""
    for name in ("spend-spike-hourly", "budget-burn-fast", "budget-spent"):
        (told,) = fired(ledger, name).values()
        assert told.description.endswith("Not in it: 1 attempts of unknown cost.")


def test_a_budget_by_a_hostile_name_is_only_a_name(ledger: Store) -> None:
    """Budgets are matched as values: a name that reads like a statement changes nothing, and is in the message."""
    told = fired(ledger, "budget-burn-fast")[(BUDGET,)]

    assert told.summary.startswith(f"The budget {BUDGET} burns ")
    assert ledger.client.query("SELECT count() FROM budgets").result_rows == [(len(BUDGETS),)]


@pytest.mark.parametrize("name", RULE)
def test_a_question_takes_nothing_but_a_moment(name: str) -> None:
    """The one parameter is the time, so that no value of anybody's can change what is asked."""
    text = alert_sql(RULE[name].question)

    assert {part.split("}")[0] for part in text.split("{")[1:]} == {"until:DateTime64(3, 'UTC')"}
    assert "@" not in text


def test_the_file_changes_rules(tmp_path: Path) -> None:
    """[alerts] of farebox.toml moves thresholds and switches rules off."""
    toml = tmp_path / "farebox.toml"
    toml.write_text(
        '[alerts]\noff = ["new-name"]\n[alerts.spend-spike]\nabove = 8\npending_s = 300\nseverity = "ticket"\n'
    )
    rules = {rule.name: rule for rule in rules_in_force(toml)}

    assert (rules["spend-spike"].above, rules["spend-spike"].pending_s, rules["spend-spike"].severity) == (
        8,
        300,
        "ticket",
    )
    assert [name for name, rule in rules.items() if not rule.on] == ["new-name"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('off = ["spend-spyke"]', "names 'spend-spyke', which is no rule"),
        ("off = 1", "write a list"),
        ("[alerts.nosuch]\nabove = 1", "names 'nosuch'"),
        ('[alerts.spend-spike]\nabove = "high"', "is no number"),
        ("[alerts.spend-spike]\nabove = 1", "until_below 2.5 is over above 1"),
        ("[alerts.spend-spike]\npending_s = -1", "is no number of seconds"),
        ('[alerts.spend-spike]\nseverity = "loud"', "allowed are page and ticket"),
        ("[alerts.spend-spike]\nsql = 1", "allowed are above"),
        ("spend-spike = 3", "write a table"),
    ],
)
def test_a_wrong_entry_is_one_sentence(toml: str, words: str, tmp_path: Path) -> None:
    """What makes no sense in [alerts] is named with its value and what is allowed."""
    path = tmp_path / "farebox.toml"
    path.write_text(f"[alerts]\n{toml}\n")

    with pytest.raises(LedgerError, match=words):
        rules_in_force(path)


def test_the_check_says_what_fires(ledger: Store, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """`alerts check` prints what fires and exits 1; a rule without trouble exits 0, an unknown one 2."""
    from farebox._cli import main

    monkeypatch.setenv("FAREBOX_DSN", f"chdb://{os.fspath(ledger.dsn.folder.resolve())}?database=alerts")
    at = (NOW + MINUTE).isoformat()

    assert main(["alerts", "check", "--rule", "cache-collapse", "--rule", "malformed-rate", "--at", at, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(each["rule"], each["labels"]) for each in found] == [
        ("cache-collapse", {"route": "uncached", "model": HAIKU}),
        ("malformed-rate", {"route": "garbling"}),
    ]
    assert main(["alerts", "check", "--rule", "budget-burn-fast", "--at", (NOW - 12 * HOUR).isoformat()]) == 0
    assert "None of 1 rules' alerts fires." in capsys.readouterr().out
    assert main(["alerts", "check", "--rule", "budgets"]) == 2
    assert "--rule 'budgets' is no alert rule" in capsys.readouterr().err


def test_the_list_has_every_rule(capsys) -> None:
    """`alerts list` shows each rule with its threshold, when it fires and its SQL."""
    from farebox._cli import main

    assert main(["alerts", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["rule"] for each in listed] == list(RULE)
    assert all(each["means"] and each["sql"].startswith("--") for each in listed)
    assert main(["alerts", "list"]) == 0
    assert "cache-collapse" in capsys.readouterr().out
