"""Failures: rates over what was checked, the money that failed answers cost, held against a count in plain Python."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger.spans import NOW, Span, attempt, store

from farebox._cli import main
from farebox_ledger import Dsn, Store, open_store
from farebox_ledger._failures import Failures, make_failures
from farebox_ledger._period import Period

PERIOD = Period(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
HAIKU, SONNET = "claude-haiku-4-5", "claude-sonnet-4-6"
# 1000 tokens in, 10 out.
COSTS = {HAIKU: Decimal("0.00105"), SONNET: Decimal("0.00315"), "claude-haiku-9": None}
HEDGERS = ("refusal", "clarification", "disclaimer")
OVERCONFIDENT = ("unknown_import", "unknown_stdlib_attr", "constraint_violation", "unexpected_arg")

_routes = count(1)


@pytest.fixture(scope="module")
def ledger(ledger_folder, ledger_client) -> Iterator[Store]:
    """A ledger for this module alone."""
    with open_store(Dsn("chdb", "failures", path=ledger_folder)) as opened:
        yield opened
        opened.client.command("DROP DATABASE failures SYNC")


@dataclass(frozen=True)
class Judged:
    """An answer as a detector run leaves it."""

    model: str = HAIKU
    checked: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    refusal: str = ""
    calls: int | None = None
    malformed: int | None = None
    billed_beside: str | None = None
    attributes: dict[str, object] = field(default_factory=dict)

    def spans(self, route: str) -> list[Span]:
        """Make the attempt's span, and the one of a pass billed beside it."""
        optional = {
            "refusal.kind": self.refusal or None,
            "tool_calls": self.calls,
            "tool_calls_malformed": self.malformed,
        }
        own = attempt(
            self.model, route=route, checked=json.dumps(self.checked), flags=json.dumps(self.flags),
            **{name: value for name, value in optional.items() if value is not None}, **self.attributes,
        )  # fmt: skip
        own = replace(own, attributes={**own.attributes, "farebox.call_id": own.span_id})
        if self.billed_beside is None:
            return [own]
        beside = attempt(self.billed_beside, route=route, kind="iteration", call_id=own.span_id, trace_id=own.trace_id)
        return [own, beside]


def ask(ledger: Store, judged: list[Judged], by: tuple[str, ...] = ("model",)) -> Failures:
    """Store answers on a route of their own and ask for its failures."""
    route = f"r{next(_routes)}"
    store(ledger.client, *(span for each in judged for span in each.spans(route)))
    return make_failures(ledger.client, PERIOD, by, route)


def found(failures: Failures, key: tuple[str, ...] | None = None) -> dict[str, tuple[str, int, int, int]]:
    return {
        each.failure: (each.unit, each.checked, each.failed, each.not_checked)
        for each in failures.rates
        if each.key == key
    }


def test_a_rate_is_over_what_was_checked(ledger: Store) -> None:
    """An answer that a detector did not apply to, or that nobody judged, is in no denominator."""
    failures = ask(
        ledger,
        [
            Judged(checked=("refusal", "loop"), flags=("refusal.api",)),
            Judged(checked=("refusal",)),
            Judged(checked=("loop",), flags=("not_checked.refusal",)),
            Judged(),
        ],
    )

    assert found(failures) == {
        "hedging": ("answer", 2, 0, 0),
        "loop": ("answer", 2, 0, 0),
        "refusal": ("answer", 2, 1, 1),
        "refusal.api": ("answer", 2, 1, 1),
    }


def test_malformed_calls_are_counted_per_tool_call(ledger: Store) -> None:
    """The detector's rate is per call, its kinds' per answer; calls of an answer that was not judged are left out."""
    failures = ask(
        ledger,
        [
            Judged(
                checked=("tool_call_malformed",),
                flags=("tool_call_malformed.type", "tool_call_malformed.unknown_tool"),
                calls=5,
                malformed=2,
            ),
            Judged(checked=("tool_call_malformed",), calls=3, malformed=0),
            Judged(calls=40),
        ],
    )

    assert found(failures) == {
        "overconfidence": ("answer", 2, 1, 0),
        "tool_call_malformed": ("tool call", 8, 2, 0),
        "tool_call_malformed.type": ("answer", 2, 1, 0),
        "tool_call_malformed.unknown_tool": ("answer", 2, 1, 0),
    }


def test_money_is_not_counted_twice(ledger: Store) -> None:
    """An answer with two flags stands in both rows and once in `any`; what is billed beside it counts with it."""
    failures = ask(
        ledger,
        [
            Judged(checked=("refusal", "loop"), flags=("refusal.text", "loop"), refusal="policy"),
            Judged(SONNET, checked=("disclaimer",), flags=("disclaimer",), billed_beside=HAIKU),
            Judged(checked=("long_context",), flags=("long_context",)),
        ],
        by=(),
    )

    assert {each.failure: (each.answers, each.spend, each.unpriced) for each in failures.costs if each.key is None} == {
        "any": (2, Decimal("0.00525"), 0),
        "disclaimer": (1, Decimal("0.0042"), 0),
        "disqualified": (1, Decimal("0.00105"), 0),
        "hedging": (2, Decimal("0.00525"), 0),
        "long_context": (1, Decimal("0.00105"), 0),
        "loop": (1, Decimal("0.00105"), 0),
        "refusal": (1, Decimal("0.00105"), 0),
    }


def test_unpriced_failures_are_counted_beside_the_money(ledger: Store) -> None:
    """An answer without a price is not free: it is counted, and makes the spend a lower bound."""
    failures = ask(ledger, [Judged(model, checked=("empty",), flags=("empty",)) for model in (HAIKU, "claude-haiku-9")])
    cost = failures.cost_of(None, "empty")

    assert cost is not None
    assert (cost.answers, cost.spend, cost.unpriced, cost.is_lower_bound) == (2, Decimal("0.00105"), 1, True)
    assert failures.cost_of(("claude-haiku-9",), "empty") is not None
    assert failures.cost_of(("claude-haiku-9",), "empty").spend is None  # type: ignore[union-attr]


# --- held against a count in plain Python ------------------------------------------------------------------

KINDS = (
    "refusal.text", "refusal.api", "clarification", "disclaimer", "loop", "empty", "unknown_import", "unexpected_arg",
    "tool_call_malformed.type", "tool_call_malformed.unknown_tool", "constraint_violation.json",
    "constraint_violation.max_words", "long_context", "mine.some.kind",
)  # fmt: skip
DETECTORS = tuple(dict.fromkeys(kind.partition(".")[0] for kind in KINDS))


@st.composite
def judged_answers(draw: st.DrawFn) -> Judged:
    checked = draw(st.sets(st.sampled_from(DETECTORS)))
    flags = draw(st.sets(st.sampled_from(KINDS), max_size=4)) | {
        f"not_checked.{each}" for each in draw(st.sets(st.sampled_from(DETECTORS), max_size=1))
    }
    calls = draw(st.none() | st.integers(1, 9))
    malformed = draw(st.none() | st.integers(0, calls)) if calls else None
    return Judged(
        draw(st.sampled_from(list(COSTS))),
        tuple(sorted(checked)),
        tuple(sorted(flags)),
        draw(st.sampled_from(["", "policy", "inability", "partial"])),
        calls,
        malformed,
        draw(st.sampled_from([None, None, None, SONNET, "claude-haiku-9"])),
    )


def families(each: Judged, kinds: set[str]) -> set[str]:
    out = set()
    if kinds & {"clarification", "disclaimer"} or ("refusal.text" in kinds and each.refusal in ("policy", "partial")):
        out.add("hedging")
    if any(kind.startswith(OVERCONFIDENT) or kind == "tool_call_malformed.unknown_tool" for kind in kinds):
        out.add("overconfidence")
    return out


def rates_in_python(answers: list[Judged]) -> dict[str, tuple[str, int, int, int]]:
    checked, failed, left_out = defaultdict[str, int](int), defaultdict[str, int](int), defaultdict[str, int](int)
    calls = calls_failed = 0
    for each in answers:
        looked_for = set(each.checked)
        looked_for |= {"hedging"} if looked_for & set(HEDGERS) else set()
        looked_for |= {"overconfidence"} if looked_for & {*OVERCONFIDENT, "tool_call_malformed"} else set()
        kinds = {flag for flag in each.flags if flag.partition(".")[0] in each.checked}
        for name in looked_for:
            checked[name] += 1
        for name in kinds | {kind.partition(".")[0] for kind in kinds} | families(each, kinds):
            failed[name] += 1
        for flag in each.flags:
            if flag.startswith("not_checked."):
                left_out[flag.removeprefix("not_checked.")] += 1
        if "tool_call_malformed" in each.checked and each.calls is not None and each.malformed is not None:
            calls += each.calls
            calls_failed += each.malformed
    out = {}
    for name in checked.keys() | failed.keys() | left_out.keys():
        detector = name.partition(".")[0]
        per_call = name == "tool_call_malformed"
        out[name] = (
            "tool call" if per_call else "answer",
            calls if per_call else checked[detector],
            calls_failed if per_call else failed[name],
            left_out[detector],
        )
    return out


def costs_in_python(answers: list[Judged]) -> dict[str, tuple[int, Decimal | None, int, bool]]:
    rows = defaultdict[str, list[tuple[Decimal | None, bool]]](list)
    for each in answers:
        kinds = {flag for flag in each.flags if not flag.startswith("not_checked.")}
        parts = [COSTS[each.model], *([COSTS[each.billed_beside]] if each.billed_beside else [])]
        known = [part for part in parts if part is not None]
        detectors = {kind.partition(".")[0] for kind in kinds}
        names = detectors | families(each, kinds)
        names |= {"any"} if detectors - {"long_context"} else set()
        names |= {"disqualified"} if detectors & {"tool_call_malformed", "refusal", "empty", "loop"} else set()
        for name in names:
            rows[name].append((sum(known, Decimal(0)) if known else None, len(known) < len(parts)))
    return {
        name: (
            len(costs),
            sum((cost for cost, _ in costs if cost is not None), Decimal(0))
            if any(cost for cost, _ in costs)
            else None,
            sum(cost is None for cost, _ in costs),
            any(doubt for _, doubt in costs),
        )
        for name, costs in rows.items()
    }


@settings(max_examples=15)
@given(answers=st.lists(judged_answers(), min_size=1, max_size=25))
def test_the_sql_agrees_with_a_count_in_python(ledger: Store, answers: list[Judged]) -> None:
    """Whatever was checked and flagged, by model and altogether: the same counts, and the same money, exactly."""
    failures = ask(ledger, answers)

    for key in (None, *((model,) for model in COSTS)):
        own = [each for each in answers if key is None or each.model == key[0]]
        assert found(failures, key) == rates_in_python(own)
        assert {
            each.failure: (each.answers, each.spend, each.unpriced, each.is_lower_bound)
            for each in failures.costs
            if each.key == key
        } == costs_in_python(own)


def test_intervals_are_wilsons(ledger: Store) -> None:
    """The bounds are where the rate seen is just 1.96 standard errors away: the roots of Wilson's equation."""
    square = NormalDist().inv_cdf(0.975) ** 2
    answers = [Judged(checked=("loop",), flags=("loop",) if number < 3 else ()) for number in range(40)]
    (rate,) = [each for each in ask(ledger, answers).rates if each.key is None and each.failure == "loop"]
    a, b, c = 40 + square, -(2 * 3 + square), 9 / 40

    low, high = ((-b + sign * math.sqrt(b * b - 4 * a * c)) / (2 * a) for sign in (-1, 1))

    assert rate.rate == 3 / 40
    assert (rate.low, rate.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


def test_what_never_failed_still_has_an_interval(ledger: Store) -> None:
    """None in ten is no proof of never, and ten in ten none of always; of nothing there is no rate."""
    none = ask(ledger, [Judged(checked=("loop",))] * 10)
    every = ask(ledger, [Judged(checked=("loop",), flags=("loop",))] * 10)
    unknown = ask(ledger, [Judged(flags=("not_checked.loop",))])

    assert [(each.rate, each.low, round(each.high or 0, 3)) for each in none.rates if each.key is None] == [
        (0, 0, 0.278)
    ]
    assert [(each.rate, round(each.low or 0, 3), each.high) for each in every.rates if each.key is None] == [
        (1, 0.722, 1)
    ]
    assert [(each.rate, each.low, each.high) for each in unknown.rates if each.key is None] == [(None, None, None)]


# --- the command -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_models(ledger: Store) -> str:
    """A route on which Sonnet breaks two tool calls of 400, and Haiku 40."""
    route = f"r{next(_routes)}"
    answers = [
        Judged(
            model,
            checked=("tool_call_malformed", "refusal"),
            flags=("tool_call_malformed.type",) if number < broken else (),
            calls=1,
            malformed=int(number < broken),
        )
        for model, broken in ((HAIKU, 40), (SONNET, 2))
        for number in range(400)
    ]
    store(ledger.client, *(span for each in answers for span in each.spans(route)))
    return route


SINCE = ["--since", "2026-11-20T11:00", "--until", "2026-11-20T13:00"]


def test_the_report_shows_what_failed(ledger: Store, two_models: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows by route and model with rate, interval and money; kinds only when asked for."""
    code = main(["report", "--dsn", str(ledger.dsn), "--route", two_models, *SINCE])
    brief = capsys.readouterr().out
    main(["report", "--dsn", str(ledger.dsn), "--route", two_models, "--failures", *SINCE])
    whole = capsys.readouterr().out

    assert code == 0
    (row,) = [line.split() for line in brief.splitlines() if SONNET in line]
    assert row == [
        *f"{two_models} {SONNET} tool_call_malformed 400 tool calls 2 0.50% 0.14% to 1.80% $0.006300".split()
    ]
    assert "Any of them: 42 answers, $0.048300; one of two failures counts once here." in brief
    assert "tool_call_malformed.type" in whole
    assert "tool_call_malformed.type" not in brief


def test_the_report_compares_two_models(ledger: Store, two_models: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs comes first, with the interval of the difference; what never failed is too little data."""
    command = ["report", "--dsn", str(ledger.dsn), "--route", two_models, "--compare", f"{HAIKU},{SONNET}", *SINCE]
    main(command)
    rows = [line for line in capsys.readouterr().out.partition(" against ")[2].splitlines() if " of " in line]
    main([*command, "--json"])
    _, _, refusal, malformed = json.loads(capsys.readouterr().out)["comparison"]

    assert rows[1].split() == [
        *"tool_call_malformed 40 of 400 2 of 400 +9.50% +6.62% to +12.85% < 0.001 different".split()  # noqa: SIM905
    ]
    assert (malformed["verdict"], malformed["test"], malformed["failed"]) == (
        "different",
        "two proportions",
        [40, 2],
    )
    assert (refusal["verdict"], refusal["p_value"], refusal["enough"]) == ("too little data", 1.0, None)


def test_a_comparison_is_of_two_models(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is misuse, said in a sentence."""
    code = main(["report", "--dsn", str(ledger.dsn), "--compare", HAIKU])

    assert code == 2
    assert capsys.readouterr().err.startswith("farebox: --compare 'claude-haiku-4-5' is no pair; write two models")


def test_the_report_gives_failures_as_json(ledger: Store, two_models: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each row says of what, how many of how many, and what they cost in exact text."""
    main(["report", "--dsn", str(ledger.dsn), "--route", two_models, "--json", *SINCE])
    told = json.loads(capsys.readouterr().out)
    row = next(each for each in told["failures"] if each["model"] == SONNET and each["failed"])
    cost = next(each for each in told["failure_costs"] if each["model"] == SONNET and each["failure"] == "any")

    assert {name: row[name] for name in ("route", "failure", "unit", "checked", "failed", "total")} == {
        "route": two_models,
        "failure": "tool_call_malformed",
        "unit": "tool call",
        "checked": 400,
        "failed": 2,
        "total": False,
    }
    assert (cost["answers"], cost["spend"], cost["unpriced"]) == (2, "0.006300000000", 0)
