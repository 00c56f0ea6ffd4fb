"""Ten discrepancies planted in bills are each found, named, and sized to the last digit."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
from audit.invoices import (
    DAYS,
    FIRST,
    Call,
    anthropic_cost,
    anthropic_usage,
    day_of,
    openai_costs,
    openai_usage,
    sums,
    table,
    text,
    traffic,
)
from ledger.spans import Span, store

from farebox._cli import main
from farebox_demo.providers._prices import PRICES
from farebox_ledger import Store
from farebox_ledger.reconcile._check import Terms
from farebox_ledger.reconcile._files import read_bills
from farebox_ledger.reconcile._generic import read_mapping
from farebox_ledger.reconcile._lines import Bill
from farebox_ledger.reconcile._run import reconcile

PROVIDERS = ("anthropic", "openai", "alibaba", "fireworks", "together", "openrouter")
CENT = Decimal("0.01")
MAPPING = """
provider = "{provider}"
[columns]
start = "day"
model = "model"
unit = "unit"
quantity = "tokens"
amount = "amount"
currency = "currency"
[units]
uncached_input = "uncached_input_tokens"
cache_read = "cache_read_tokens"
output = "output_tokens"
"""


@dataclass
class Scene:
    """Bills, the spans that farebox has of the same calls, and what was planted: (provider, reason) to dollars."""

    folder: Path
    spans: list[Span] = field(default_factory=list)
    planted: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))

    def write(self, provider: str, name: str, content: str) -> None:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        self.files[provider].append(path)


def anthropic(scene: Scene) -> None:
    """Plant dropped calls, a missing cache lifetime, a line that stands twice, and calls of another workspace."""
    haiku = traffic("anthropic", "claude-haiku-4-5", workspace="wrkspc_a")
    sonnet = traffic("anthropic", "claude-sonnet-4-6", workspace="wrkspc_b")
    strangers = traffic("anthropic", "claude-sonnet-4-6", a_day=2, seed=9, workspace="wrkspc_x")
    numbered = sorted([*haiku, *sonnet], key=lambda call: call.at)
    haiku = [call for call in numbered if call.model == "claude-haiku-4-5"]
    dropped = [call for call in haiku if day_of(call) == FIRST + timedelta(days=2)][3:8]
    renumbered = {call.seq: number for number, call in enumerate(numbered)}
    unsplit = [call for call in sonnet if day_of(call) == FIRST + timedelta(days=4)]
    for call in [*haiku, *sonnet]:
        if call in dropped:
            continue
        changes: dict[str, Any] = {"seq": renumbered[call.seq]}
        if call in unsplit:
            written = call.tokens["cache_write_5m"]
            leaves = {
                "uncached_input_tokens": call.tokens["uncached_input"],
                "cache_read_tokens": call.tokens["cache_read"],
                "cache_write_unsplit_tokens": written,
                "output_tokens": call.tokens["output"],
            }
            changes["usage"] = leaves
        scene.spans.append(call.span(**changes))
    price = PRICES["anthropic", "claude-sonnet-4-6"]
    written = sum(call.tokens["cache_write_5m"] for call in unsplit)
    billed = [
        *haiku,
        *(call for call in sonnet if call not in unsplit),
        *(
            Call(
                call.provider,
                call.model,
                call.at,
                {**_without(call.tokens), "cache_write_1h": call.tokens["cache_write_5m"]},
                call.workspace,
            )
            for call in unsplit
        ),
        *strangers,
    ]
    usage, cost = anthropic_usage(billed), anthropic_cost(billed)
    bucket = cost["data"][6]["results"]
    twice = next(row for row in bucket if row["model"] == "claude-sonnet-4-6" and row["token_type"] == "output_tokens")
    bucket.append(dict(twice))
    scene.planted |= {
        ("anthropic", "dropped"): sum((call.cost() for call in dropped), Decimal(0)),
        ("anthropic", "cache_lifetime"): written * (price.cache_write_1h - price.cache_write_5m),
        ("anthropic", "duplicate"): Decimal(twice["amount"]) / 100,
        ("anthropic", "foreign"): sum((call.cost() for call in strangers), Decimal(0)),
    }
    scene.write("anthropic", "anthropic-usage.json", text(usage))
    scene.write("anthropic", "anthropic-cost.json", text(cost))


def _without(tokens: Any) -> dict[str, int]:
    return {name: units for name, units in tokens.items() if name != "cache_write_5m"}


def openai(scene: Scene) -> None:
    """Plant a wrong price, and calls that are billed at another tier than the answer named."""
    calls = traffic("openai", "gpt-5.4-mini", project="proj_1", tier="default")
    flexible = [call for call in calls if day_of(call) == FIRST + timedelta(days=5)][:4]
    scene.spans += [call.span(service_tier="flex") if call in flexible else call.span() for call in calls]
    price = PRICES["openai", "gpt-5.4-mini"]
    asked = {"uncached_input": price.uncached_input, "cache_read": price.cache_read, "output": Decimal("0.000005")}
    tokens = sum(call.tokens["output"] for call in calls)
    scene.planted |= {
        ("openai", "price"): tokens * (asked["output"] - price.output),
        ("openai", "tier"): sum((call.cost() for call in flexible), Decimal(0)) / 2,
    }
    scene.write("openai", "openai-usage.json", text(openai_usage(calls)))
    scene.write("openai", "openai-costs.json", text(openai_costs(calls, asked)))


def alibaba(scene: Scene) -> None:
    """Plant days that begin eight hours before those of UTC."""
    calls = traffic("alibaba", "qwen3.5-flash")
    scene.spans += [call.span() for call in calls]
    names = {"uncached_input": "input_token", "cache_read": "cached_input_token", "output": "output_token"}
    last = FIRST + timedelta(days=DAYS - 2)
    rows = [
        {
            "BillingDate": place[0],
            "InstanceID": f"text_token;llm-1;{place[3]};{names[name]};app",
            "BillingItem": names[name],
            "Usage": units,
            "UsageUnit": "token",
            "PretaxAmount": f"{dollars:f}",
            "Currency": "USD",
        }
        for (place, name), (units, dollars) in sums(calls, hours_ahead=8).items()
        if FIRST < place[0] <= last
    ]
    there, here = _by_cell(calls, 8), _by_cell(calls, 0)
    apart = [there[cell] - here[cell] for cell in there if FIRST < cell[0] <= last]
    sides = sum(each for each in apart if each > 0), -sum(each for each in apart if each < 0)
    scene.planted["alibaba", "time_zone"] = Decimal(max(sides))
    scene.write("alibaba", "alibaba.csv", table(rows))


def _by_cell(calls: list[Call], hours_ahead: int) -> dict[Any, Decimal]:
    return {(place[0], name): dollars for (place, name), (_, dollars) in sums(calls, hours_ahead).items()}


def fireworks(scene: Scene) -> None:
    """Plant usage that is billed a day late."""
    calls = traffic("fireworks", "qwen3.5-flash")
    scene.spans += [call.span() for call in calls]
    late = [call for call in calls if day_of(call) == FIRST + timedelta(days=3)][:5]
    billed = [
        Call(call.provider, call.model, call.at + timedelta(days=1) if call in late else call.at, call.tokens)
        for call in calls
    ]
    rows = [
        {"day": place[0], "model": place[3], "unit": name, "tokens": units, "amount": f"{dollars:f}", "currency": "USD"}
        for (place, name), (units, dollars) in sums(billed).items()
    ]
    scene.planted["fireworks", "late"] = sum((call.cost() for call in late), Decimal(0))
    _mapped(scene, "fireworks", rows)


def together(scene: Scene) -> None:
    """Plant amounts that are rounded to cents."""
    calls = traffic("together", "qwen3.5-flash")
    scene.spans += [call.span() for call in calls]
    rows, apart = [], Decimal(0)
    for (place, name), (units, dollars) in sums(calls).items():
        rounded = dollars.quantize(CENT, ROUND_HALF_EVEN)
        apart += abs(rounded - dollars)
        rows.append(
            {"day": place[0], "model": place[3], "unit": name, "tokens": units, "amount": rounded, "currency": "USD"}
        )
    scene.planted["together", "rounding"] = apart
    _mapped(scene, "together", rows)


def openrouter(scene: Scene) -> None:
    """Plant amounts in another currency than the book's."""
    calls = traffic("openrouter", "qwen3.5-flash")
    scene.spans += [call.span() for call in calls]
    rows = [
        {
            "day": place[0],
            "model": place[3],
            "unit": name,
            "tokens": units,
            "amount": f"{dollars * Decimal('0.9'):f}",
            "currency": "EUR",
        }
        for (place, name), (units, dollars) in sums(calls).items()
    ]
    scene.planted["openrouter", "currency"] = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    _mapped(scene, "openrouter", rows)


def _mapped(scene: Scene, provider: str, rows: list[dict[str, Any]]) -> None:
    (scene.folder / f"{provider}.toml").write_text(MAPPING.format(provider=provider), encoding="utf-8")
    scene.write(provider, f"{provider}.csv", table(rows))


@pytest.fixture(scope="module")
def scene(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Bills with all ten, and the ledger of the same calls."""
    made = Scene(tmp_path_factory.mktemp("bills"))
    for plant in (anthropic, openai, alibaba, fireworks, together, openrouter):
        plant(made)
    store(audited.client, *made.spans)
    return made


def bills_of(scene: Scene, provider: str) -> list[Bill]:
    """Read one provider's bills."""
    mapping = scene.folder / f"{provider}.toml"
    return read_bills(scene.files[provider], mapped=read_mapping(mapping) if mapping.exists() else None)


@pytest.fixture(scope="module")
def told(scene: Scene, audited: Store) -> dict[str, dict[str, Any]]:
    """What is told of each provider."""
    bills = [bill for provider in scene.files for bill in bills_of(scene, provider)]
    found = reconcile(audited.client, bills, None, [], Terms(), "tester", keep=True)
    return {
        each["provider"]: {
            **each,
            "findings": [row for row in found["findings"] if row["provider"] == each["provider"]],
        }
        for each in found["providers"]
    }


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_planted_discrepancy_is_found_named_and_sized(
    provider: str, scene: Scene, told: dict[str, dict[str, Any]]
) -> None:
    """Every reason is one that was planted, none is missing, and each comes to what was planted, to the last digit."""
    sizes = {reason["reason"]: Decimal(reason["size"]) for reason in told[provider]["reasons"]}
    planted = {reason: size for (whose, reason), size in scene.planted.items() if whose == provider}
    assert sizes == planted
    assert told[provider]["matched"] is False


@pytest.mark.parametrize("provider", ["anthropic", "openai", "alibaba", "fireworks", "together"])
def test_recorded_and_reasons_add_up_to_the_bill(
    provider: str, scene: Scene, told: dict[str, dict[str, Any]], audited: Store
) -> None:
    """What the ledger has, and what every finding adds, is what is billed, to the last digit; so are the kept rows."""
    billed = sum((line.amount or Decimal(0) for bill in bills_of(scene, provider) for line in bill.lines), Decimal(0))
    found = told[provider]
    findings = [Decimal(each["difference"]) for each in found["findings"]]

    ((kept, recorded, differences),) = audited.client.query(
        "SELECT sum(billed), sum(recorded), (SELECT sum(difference) FROM bill_findings WHERE provider = {name:String}) "
        "FROM bill_checks WHERE provider = {name:String}",
        {"name": provider},
    ).result_rows

    assert Decimal(found["recorded"]) + sum(findings) == Decimal(found["billed"]) == billed
    assert (kept, differences) == (billed, kept - recorded)


def test_dashboards_see_the_state_of_each_provider_and_day(
    scene: Scene, told: dict[str, dict[str, Any]], audited: Store
) -> None:
    """The view bill_days says what the check says: by provider and day how both stand, and the main reason."""
    rows = audited.client.query(
        "SELECT provider, toString(day), currency, state, reason FROM bill_days ORDER BY provider, day, currency"
    ).result_rows

    expected = [
        (provider, day["day"], day["currency"], day["state"], day["reason"])
        for provider in sorted(told)
        for day in told[provider]["by_day"]
    ]
    assert rows == sorted(expected)
    assert ("fireworks", str(FIRST + timedelta(days=3)), "USD", "over_recorded", "late") in rows


def test_the_command_ranks_reasons_by_dollars_and_exits_1(
    scene: Scene, audited: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """People see each reason with its dollars, the largest first, the days that are off, and the verdict."""
    files = map(str, scene.files["anthropic"])
    code = main(["reconcile", *files, "--dry-run", "--dsn", str(audited.dsn)])

    out = capsys.readouterr().out
    places = [out.index(f"\n{reason} ") for reason in ("foreign", "duplicate", "dropped", "cache_lifetime")]
    assert code == 1
    assert places == sorted(places)
    assert "farebox has seen no call of workspace wrkspc_x" in out
    assert "5 numbers of attempts are missing that day" in out
    assert "✗ Bill and ledger differ by more than 0.5 %" in out


def test_a_wide_tolerance_makes_the_news_good(scene: Scene, audited: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Within the tolerance the exit code is 0, and without files the kept bills are checked again."""
    code = main(f"reconcile --provider openai --since {FIRST} --tolerance 50% --json --dsn {audited.dsn}".split())

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [each["provider"] for each in told["providers"]] == ["openai"]
    assert len(told["providers"][0]["days"]) == DAYS
