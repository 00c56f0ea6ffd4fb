"""The audit finds what is wrong between ledger and invoices, names it, and finds nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from farebox_demo.audit import Account, Audit, Line, Row, audit

AMOUNT = Decimal("0.001234567891")

LINE = Line(
    request_id="req_1",
    client_request_id="mine-1",
    retry=0,
    provider="anthropic",
    model="claude-haiku-4-5",
    status="finished",
    usage_sent=True,
    amount=AMOUNT,
)
ROW = Row(
    request_id="req_1",
    attempt=0,
    provider="anthropic",
    model="claude-haiku-4-5",
    usage_state="reported",
    outcome="ok",
    http_status=200,
    list_cost=AMOUNT,
    span="00AB",
)
REFUSED = (
    replace(LINE, request_id="req_2", status="refused", usage_sent=False, amount=Decimal(0)),
    replace(ROW, request_id="req_2", usage_state="none", outcome="rate_limited", http_status=429, list_cost=Decimal(0)),
)
CUT = (
    replace(LINE, request_id="req_3", status="cut", usage_sent=False),
    replace(ROW, request_id="req_3", usage_state="partial", outcome="stream_error", list_cost=Decimal("0.0001")),
)
# Two attempts of one call, neither of which was ever answered: only our own id and the retry's number tell them apart.
TIMED_OUT = tuple(
    (
        replace(
            LINE,
            request_id=f"req_4{retry}",
            retry=retry,
            client_request_id="mine-4",
            status="timed_out",
            usage_sent=False,
        ),
        replace(
            ROW,
            request_id="mine-4",
            attempt=retry,
            usage_state="missing",
            outcome="timeout",
            http_status=None,
            list_cost=None,
        ),
    )
    for retry in (0, 1)
)
PAIRS = ((LINE, ROW), REFUSED, CUT, *TIMED_OUT)
LINES = [line for line, _ in PAIRS]
ROWS = [row for _, row in reversed(PAIRS)]


def compare(lines: list[Line], rows: list[Row], left: frozenset[str] = frozenset()) -> Audit:
    return audit(lines, rows, left)


def test_agreement() -> None:
    """Known usage equals to the last digit, refusals are free, and the rest is set apart with what was invoiced."""
    result = compare(LINES, ROWS)

    assert result.passed
    assert list(result.accounts.values()) == [
        Account(
            "anthropic",
            "claude-haiku-4-5",
            known=2,
            known_invoiced=AMOUNT,
            known_ledger=AMOUNT,
            unknown=3,
            unknown_invoiced=3 * AMOUNT,
            unknown_seen=Decimal("0.0001"),
        )
    ]


@pytest.mark.parametrize("index", range(len(PAIRS)))
def test_dropped_call(index: int) -> None:
    """An invoice line that the ledger lacks is named, billed or not."""
    rows = [row for at, (_, row) in enumerate(PAIRS) if at != index]

    (discrepancy,) = compare(LINES, rows).discrepancies

    assert (
        discrepancy
        == f"anthropic claude-haiku-4-5 {LINES[index].request_id}: invoiced at {LINES[index].amount}, not in the ledger"
    )


def test_doubled_row() -> None:
    """An attempt that the ledger holds twice is named, with its span."""
    (discrepancy,) = compare(LINES, [*ROWS, replace(ROW, span="00CD")]).discrepancies

    assert discrepancy == (
        "anthropic claude-haiku-4-5 req_1: in the ledger at 0.001234567891 (reported, ok, span 00CD), "
        "on no invoice or there already"
    )


def test_wrong_price() -> None:
    """A difference in the twelfth digit is a difference."""
    rows = [replace(ROW, list_cost=AMOUNT + Decimal("0.000000000001")), *ROWS[:-1]]

    result = compare(LINES, rows)

    assert result.discrepancies == [
        "anthropic claude-haiku-4-5 req_1: invoiced at 0.001234567891, 0.001234567892 (reported) in the ledger, "
        "difference 0.000000000001"
    ]
    assert result.accounts["anthropic", "claude-haiku-4-5"].difference == Decimal("0.000000000001")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (replace(ROW, list_cost=None), "invoiced at 0.001234567891, reported in the ledger"),
        (replace(ROW, usage_state="missing", list_cost=None), "invoiced at 0.001234567891, missing in the ledger"),
        (replace(ROW, usage_state="none", list_cost=Decimal(0)), "0 (none) in the ledger, difference -0.001234567891"),
        (replace(ROW, usage_state="partial"), "0.001234567891 (partial) in the ledger"),
        (replace(ROW, provider="self_hosted"), "the ledger books it on self_hosted"),
    ],
)
def test_usage_that_reached_us_must_be_known(row: Row, words: str) -> None:
    """A line whose usage was delivered is no unpriced, missing, free or partial attempt, nor another provider's."""
    (discrepancy,) = compare([LINE], [row]).discrepancies

    assert words in discrepancy


def test_cut_answer_taken_for_whole() -> None:
    """A line whose usage never reached us cannot be `reported`."""
    line, row = CUT

    (discrepancy,) = compare([line], [replace(row, usage_state="reported")]).discrepancies

    assert discrepancy.endswith("cut, so its usage never reached us, but the ledger calls it reported")


def test_lower_bound_above_the_invoice() -> None:
    """What was seen of a cut answer cannot cost more than all of it."""
    line, row = CUT

    (discrepancy,) = compare([line], [replace(row, list_cost=Decimal(1))]).discrepancies

    assert discrepancy.endswith("the ledger's lower bound 1 exceeds the invoiced 0.001234567891")


def test_answer_in_flight_when_the_caller_left() -> None:
    """Only a caller that left may lack what the provider sent in full; if it has it, it must be right."""
    missing = replace(ROW, usage_state="missing", outcome="abandoned", list_cost=None)
    wrong = replace(ROW, list_cost=Decimal(1))
    left = frozenset({"mine-1"})

    assert compare([LINE], [missing], left).passed
    assert compare([LINE], [ROW], left).passed
    assert not compare([LINE], [missing]).passed
    assert not compare([LINE], [wrong], left).passed


def test_attempts_that_never_left() -> None:
    """An attempt that never reached a provider is counted, and is on no invoice."""
    never = replace(ROW, usage_state="none", outcome="connection_error", http_status=None, list_cost=Decimal(0))

    result = compare([], [never])

    assert (result.passed, result.unsent) == (True, 1)
