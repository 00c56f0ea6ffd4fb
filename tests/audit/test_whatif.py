"""What-ifs, held against figures that were made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger.spans import NOW, Span, attempt, outcome, store
from ledger.test_rollups import empty

from farebox._cli import main
from farebox_ledger import Dsn, LedgerError, Store, open_store
from farebox_ledger._period import Period
from farebox_ledger._report import make_report
from farebox_ledger._whatif import Answer
from farebox_ledger._whatif_ask import Whatif
from farebox_ledger._whatif_price import find_target, parse_target
from farebox_ledger._whatif_traffic import model_calls, route_traffic
from farebox_ledger.errors import BookError

DAY = Period(NOW - timedelta(days=1), NOW + timedelta(days=1))
HAIKU, SONNET, QWEN = "claude-haiku-4-5", "claude-sonnet-4-6", "qwen3.5-flash"
CHECKED = '["refusal","empty"]'


@pytest.fixture(scope="module")
def opened(ledger_folder: Path, ledger_client: object) -> Iterator[Store]:
    """A ledger of this module."""
    with open_store(Dsn("chdb", "whatif_audit", path=ledger_folder)) as each:
        yield each
        each.client.command("DROP DATABASE whatif_audit SYNC")


@pytest.fixture
def ledger(opened: Store) -> Store:
    """The same, empty."""
    empty(opened)
    return opened


def ask(ledger: Store, route: str, to: str, share: float = 1.0, cache: str = "") -> Answer:
    model, provider, _ = parse_target(to)
    return Whatif(ledger.client, DAY, NOW + timedelta(hours=12)).ask(route, model, provider, share, cache)


def call(
    number: int, route: str = "r", model: str = HAIKU, provider: str = "anthropic", seconds: int = 0, **more: Any
) -> Span:
    """A call of its own task: 100 bytes a task longer than the one before, at a quarter of a token a byte for Haiku."""
    rate = {HAIKU: 0.25, SONNET: 0.25, QWEN: 0.2}.get(model, 0.25)
    size = 4000 + 100 * (number % 20)
    usage = more.pop("usage", None) or {
        "uncached_input_tokens": 50 + round(rate * size),
        "output_tokens": 100,
    }
    return attempt(
        model,
        provider,
        usage=usage,
        route=route,
        task=more.pop("task", f"{route} {model} {number}"),
        started_at=NOW + timedelta(minutes=number, seconds=seconds),
        script="Latin",
        checked=CHECKED,
        **{
            "prefix.hashes": json.dumps(["head", f"{route} {model} {number}"]),
            "prefix.bytes": json.dumps([more.pop("head", 2000), size]),
        },
        **{"request.characters": size},
        **more,
    )


def calls(count: int, route: str = "r", model: str = HAIKU, provider: str = "anthropic", bad: int = 0) -> list[Span]:
    """So many calls, of which the first ones are refused."""
    return [
        call(number, route, model, provider, **({"flags": '["refusal.text"]'} if number < bad else {}))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [("m@p", ("m", "p", 1.0)), ("a/b@c@p,share=0.25", ("a/b@c", "p", 0.25)), (" m@p , share=1", ("m", "p", 1.0))],
)
def test_a_change_is_read(text: str, found: tuple[str, str, float]) -> None:
    """MODEL@PROVIDER, with a share or without."""
    assert parse_target(text) == found


@pytest.mark.parametrize("text", ["m", "@p", "m@", "m@p,share=0", "m@p,share=2", "m@p,share=x", "m@p,part=1"])
def test_what_is_no_change_is_refused(text: str) -> None:
    """The sentence shows the value and the form."""
    with pytest.raises(LedgerError, match="is no change; write MODEL@PROVIDER"):
        parse_target(text)


def test_the_books_prices_are_the_formulas(ledger: Store) -> None:
    """Priced by the unit as what-ifs do it, recorded tokens cost what the ledger says to the last digit."""
    leaves = {"uncached_input_tokens": 1234, "cache_read_tokens": 567, "cache_write_5m_tokens": 89, "output_tokens": 10}
    long = {**leaves, "uncached_input_tokens": 250_000}
    models = [(HAIKU, "anthropic"), ("claude-sonnet-4-5", "anthropic"), (QWEN, "alibaba"), ("gemini-2.5-pro", "google")]
    for number, (model, provider) in enumerate(models):
        for usage in (leaves, long) if provider != "alibaba" else ({**leaves, "cache_write_5m_tokens": 0},):
            store(ledger.client, call(number, provider, model, provider, usage=usage))
    for model, provider in models:
        target = find_target(ledger.client, model, provider, NOW)
        found = model_calls(ledger.client, DAY, target.model, provider)
        assert found
        for each in found:
            recorded = each.first
            assert recorded.output is not None
            tokens = {
                "uncached_input_tokens": recorded.uncached,
                "cache_read_tokens": recorded.cache_read,
                "cache_write_5m_tokens": recorded.write_5m,
                "output_tokens": recorded.output,
            }
            priced = target.prices.cost(float(recorded.input_tokens or 0), {key: float(n) for key, n in tokens.items()})
            if recorded.cost is not None:
                assert priced == recorded.cost


def test_now_is_what_the_report_says(ledger: Store) -> None:
    """Spend, successes and cost per success of now are the report's, people's minutes and escalations included."""
    store(ledger.client, *calls(40, bad=4), call(3, "other", SONNET, task="r claude-haiku-4-5 3"), outcome("x", True))
    store(ledger.client, outcome(f"r {HAIKU} 7", False, "3"))
    answer = ask(ledger, "r", f"{QWEN}@alibaba")
    (group,) = (each for each in make_report(ledger.client, DAY, ("route",)).groups if each.key == ("r",))

    assert group.task_spend is not None
    assert answer.now.spend.value == pytest.approx(float(group.task_spend))
    assert answer.now.successes.value == group.successes
    assert answer.now.per_success.value == pytest.approx(float(group.spend_per_success or 0))


def test_the_same_model_elsewhere_costs_its_tokens_at_the_other_price(ledger: Store) -> None:
    """Qwen at Fireworks instead of Alibaba: the same tokens and failures, three times the list price, no more."""
    store(ledger.client, *calls(40, model=QWEN, provider="alibaba", bad=2))
    answer = ask(ledger, "r", f"{QWEN}@fireworks")

    assert answer.tokens.value == 1
    assert answer.then.spend.value == pytest.approx(3 * answer.now.spend.value)
    assert answer.then.successes.value == pytest.approx(38)
    assert answer.then.fails.value == pytest.approx(0.05)
    assert answer.verdict == "dearer"


def test_tokens_are_converted_by_what_was_measured(ledger: Store) -> None:
    """A byte is a quarter of a token for Haiku and a fifth for Qwen here, whatever a template adds."""
    store(ledger.client, *calls(40), *calls(40, "s", QWEN, "alibaba"))
    answer = ask(ledger, "r", f"{QWEN}@alibaba")

    assert answer.tokens.value == pytest.approx(0.8, rel=1e-3)
    assert "measured on" in answer.tokens.basis


def test_tokens_fall_back_to_a_documented_default(ledger: Store) -> None:
    """A model that was never asked has a default by its family, with a range, and the answer says that it is thin."""
    store(ledger.client, *calls(40))
    answer = ask(ledger, "r", f"{QWEN}@alibaba")

    assert (answer.tokens.value, answer.tokens.basis) == (
        pytest.approx(1.05 / 1.2),
        "not measured: a default by model family",
    )
    assert answer.tokens.low < answer.tokens.value < answer.tokens.high
    assert answer.verdict == "thin"
    assert "only 0 calls of the model are in the ledger" in answer.thin[0]


def test_failures_are_put_together_from_other_routes(ledger: Store) -> None:
    """A model that was asked on another route fails here as it did there, over the answers that were checked."""
    store(ledger.client, *calls(40, bad=2), *calls(40, "s", QWEN, "alibaba", bad=4))
    fails = ask(ledger, "r", f"{QWEN}@alibaba").then.fails

    assert fails.value == pytest.approx(0.1)
    assert fails.low < 0.1 < fails.high
    assert fails.basis == "put together from 40 calls on s"


def test_failures_that_were_measured_here_go_first(ledger: Store) -> None:
    """Thirty calls of the model on the route itself say more than any others."""
    store(ledger.client, *calls(40), *calls(30, "r", QWEN, "alibaba", bad=3), *calls(90, "s", QWEN, "alibaba", bad=90))
    fails = ask(ledger, "r", f"{QWEN}@alibaba").then.fails

    assert (fails.value, fails.basis) == (pytest.approx(0.1), "measured on this route: 3 of 30 calls")


def test_escalations_become_fewer_as_failures_do(ledger: Store) -> None:
    """What failures cost now (a dearer model asked again) goes with them; rescued tasks stay rescued."""
    spans = [*calls(40, model=QWEN, provider="alibaba", bad=10)]
    spans += [call(number, "r", SONNET, seconds=30, task=f"r {QWEN} {number}") for number in range(10)]
    store(ledger.client, *spans, *calls(40, "s", HAIKU))
    traffic = route_traffic(ledger.client, DAY, "r")
    answer = ask(ledger, "r", f"{HAIKU}@anthropic")
    escalated = sum(float(each.cost) for each in traffic.calls if each.escalation)

    assert sum(each.escalation for each in traffic.calls) == 10
    assert (answer.now.successes.value, answer.then.successes.value) == (40, pytest.approx(40))
    moved = sum(float(each.cost) for each in traffic.calls if not each.escalation)
    assert answer.now.spend.value == pytest.approx(moved + escalated)
    assert answer.then.fails.value == 0
    # A fifth of a token a byte becomes a quarter, a dollar a million: no escalation is left.
    assert answer.then.spend.value == pytest.approx(0.052 + 0.025, rel=0.01)


def test_a_share_moves_a_share(ledger: Store) -> None:
    """Half the traffic changes spend by half of what all of it does, but for which tasks are in the half."""
    store(ledger.client, *calls(200), *calls(40, "s", QWEN, "alibaba"))
    whole, half = (ask(ledger, "r", f"{QWEN}@alibaba", share) for share in (1.0, 0.5))
    change = whole.then.spend.value - whole.now.spend.value

    assert half.then.spend.value - half.now.spend.value == pytest.approx(change / 2, rel=0.05)
    assert half.moved_calls < whole.moved_calls


def test_the_tables_turn_where_it_says(ledger: Store) -> None:
    """At the break-even failure rate a success costs what it does now: worked out again by hand."""
    store(ledger.client, *calls(100, bad=10), *calls(100, "s", QWEN, "alibaba", bad=5))
    answer = ask(ledger, "r", f"{QWEN}@alibaba")
    rate = answer.breakeven_fails
    assert rate is not None
    successes = 90 * (1 - rate) / 0.9

    assert answer.then.spend.value / successes == pytest.approx(answer.now.per_success.value, rel=1e-6)
    assert answer.verdict == "cheaper"
    assert answer.then.per_success.low < answer.then.per_success.value < answer.then.per_success.high


def test_hits_at_which_the_tables_turn(ledger: Store) -> None:
    """Where caching makes up for a dearer price, the hit rate that it takes is told."""
    usage = {"uncached_input_tokens": 5000, "output_tokens": 1}
    more = {"prefix.hashes": "[]", "prefix.bytes": "[]"}
    store(
        ledger.client,
        *(attempt(QWEN, "alibaba", usage=usage, route="r", task=f"t{n}", checked=CHECKED, **more) for n in range(40)),
    )
    answer = ask(ledger, "r", "deepseek-chat@deepseek")
    rate = answer.breakeven_hits
    if rate is not None:
        assert 0 <= rate <= 1
    assert answer.then.hit_rate.value == 0


def test_lifetimes_are_compared(ledger: Store) -> None:
    """An hour's marks outlive gaps that five minutes do not, at a dearer write; nothing marked reads nothing."""
    spans = [
        call(
            number * 20,
            model=SONNET,
            head=3920,
            usage={
                "uncached_input_tokens": 100,
                "cache_read_tokens": 5000 * (number > 0),
                "cache_write_1h_tokens": 5000 * (number == 0),
                "output_tokens": 10,
            },
        )
        for number in range(12)
    ]
    store(ledger.client, *spans)
    found = {each.name: each for each in Whatif(ledger.client, DAY, NOW).lifetimes("r")}

    assert found["now"].read == 55_000
    assert found["1h"].hit_rate > 0.5 > found["5m"].hit_rate
    assert found["none"].read == found["none"].written == 0
    assert found["1h"].spend < found["none"].spend < found["5m"].spend


def test_what_cannot_be_asked_is_a_sentence(ledger: Store) -> None:
    """A route without tasks, a model without a price, a change that moves nothing: each says what to do."""
    store(ledger.client, *calls(5), *calls(5, "q", QWEN, "alibaba"))

    with pytest.raises(LedgerError, match="no task began on the route 'nowhere'"):
        ask(ledger, "nowhere", f"{QWEN}@alibaba")
    with pytest.raises(BookError, match="knows no model 'm'"):
        ask(ledger, "r", "m@anthropic")
    with pytest.raises(LedgerError, match="no call of the route 'r' would move to claude-haiku-4-5@anthropic"):
        ask(ledger, "r", f"{HAIKU}@anthropic")
    with pytest.raises(LedgerError, match="there is no lifetime to choose"):
        Whatif(ledger.client, DAY, NOW).lifetimes("q")


def test_the_command_answers(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`farebox whatif` prints now and then with ranges and assumptions; exit 1 where a success would cost more."""
    store(ledger.client, *calls(60, bad=3), *calls(60, "s", QWEN, "alibaba", bad=3))
    common = [
        "--dsn",
        f"chdb:{ledger.dsn.folder}?database={ledger.dsn.database}",
        "--since",
        "2026-11-20",
        "--until",
        "2026-11-21",
    ]

    assert main(["whatif", "--route", "r", "--to", f"{QWEN}@alibaba", *common]) == 0
    shown = capsys.readouterr().out
    assert "A success would cost less." in shown
    assert "Taken as given:" in shown
    assert main(["whatif", "--route", "s", "--to", f"{SONNET}@anthropic", "--json", *common]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], len(told["thin"]) > 0) == ("dearer", True)
    assert told["now"]["per_success"]["basis"] == "the ledger's"
    assert main(["whatif", "--route", "s", "--to", f"{HAIKU}@anthropic", *common]) == 1
    capsys.readouterr()
    assert main(["whatif", "--all", *common]) == 0
    advised = capsys.readouterr().out
    assert "Change: cheaper a success" in advised
    assert main(["whatif", "--route", "r", "--cache", *common]) == 0
    assert "nothing marked" in capsys.readouterr().out
    for wrong in (["--all", "--route", "r"], ["--route", "r"], [], ["--route", "r", "--cache", "2h"]):
        assert main(["whatif", *wrong, *common]) == 2
        assert capsys.readouterr().err.startswith("farebox: ")


def test_money_of_now_is_exact(ledger: Store) -> None:
    """What is said of now is the ledger's sum to the last digit."""
    store(ledger.client, *calls(7))
    traffic = route_traffic(ledger.client, DAY, "r")
    total = ledger.client.query("SELECT sum(list_cost) FROM llm_attempts").result_rows[0][0]

    assert traffic.spend == total
    assert isinstance(total, Decimal)
    assert datetime.now(UTC) > NOW
