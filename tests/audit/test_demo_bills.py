"""The demo's traffic is billed in each provider's own shapes, and reconciles but for what nobody saw."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from evaluation.routed import play

from farebox_demo.audit import Line, read_invoice
from farebox_demo.providers._bills import write_bills
from farebox_demo.providers._exports import write_exports
from farebox_demo.workload import plan
from farebox_ledger import Store
from farebox_ledger.reconcile._check import Terms
from farebox_ledger.reconcile._files import FORMATS, read_bills
from farebox_ledger.reconcile._run import reconcile

SEED, TURNS = 7, 90
API, EXPORTED = "as its API does", "as people export"
UNSEEN = {"missing_usage", "partial"}


@dataclass
class Billed:
    """What the providers invoiced, the files of bills that were written of it, and what is told of each provider."""

    invoiced: list[Line]
    files: dict[str, list[Path]]
    told: dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def billed(audited: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billed]:
    """Traffic that was recorded, invoiced and billed."""
    logging.disable(logging.WARNING)  # the simulated hosts fail at times, and the SDKs say so
    folder = tmp_path_factory.mktemp("bills")
    short = [
        replace(task, turns=tuple(replace(turn, text=turn.text[:20_000]) for turn in task.turns))
        for task in plan(TURNS, SEED)
    ]
    play(audited.client, short, SEED, invoice=folder / "invoice.jsonl")
    files = {
        API: write_bills(folder / "invoice.jsonl", folder / "bills"),
        EXPORTED: write_exports(folder / "invoice.jsonl", folder / "bills" / "csv"),
    }
    told = {}
    for shape, paths in files.items():
        found = reconcile(audited.client, read_bills(paths), None, [], Terms(today=True), "tester", keep=False)
        told |= {(each["provider"], shape): each for each in found["providers"]}
    yield Billed(read_invoice(folder / "invoice.jsonl"), files, told)
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("provider", "shape"),
    [
        *((each, API) for each in ("anthropic", "openai", "openrouter", "fireworks", "together", "alibaba")),
        *((each, EXPORTED) for each in ("anthropic", "openai", "openrouter", "fireworks", "alibaba")),
    ],
)
def test_the_demos_traffic_reconciles(provider: str, shape: str, billed: Billed, audited: Store) -> None:
    """The bill is the invoice to the last digit; what differs is what calls used whose usage never came, exactly."""
    invoiced = sum((line.amount for line in billed.invoiced if line.provider == provider), Decimal(0))
    ((recorded,),) = audited.client.query(
        "SELECT sum(list_cost) FROM llm_attempts WHERE provider = {name:String}", {"name": provider}
    ).result_rows

    told = billed.told[provider, shape]

    assert Decimal(told["billed"]) == invoiced
    assert Decimal(told["recorded"]) == recorded
    assert {each["reason"] for each in told["reasons"]} <= UNSEEN
    assert sum(Decimal(each["difference"]) for each in told["reasons"]) == invoiced - recorded


def test_something_was_billed_that_nobody_saw(billed: Billed) -> None:
    """Calls were cut, left and timed out, so that there was something to find."""
    assert any(each["reason"] == "missing_usage" for told in billed.told.values() for each in told["reasons"])


def test_the_same_told_twice_is_noted(billed: Billed, audited: Store) -> None:
    """Who gives an API's answer and the export of the same days together is told that both are added up."""
    paths = [path for files in billed.files.values() for path in files if path.stem == "anthropic-cost"]
    (told,) = reconcile(audited.client, read_bills(paths), None, [], Terms(today=True), "tester", keep=False)[
        "providers"
    ]

    assert told["notes"][-1] == (
        "cost is told by anthropic-cost and anthropic-csv, and added up; of the same days give one of them"
    )
    assert not any("added up" in note for each in billed.told.values() for note in each["notes"])


def test_every_shape_of_these_providers_is_written(billed: Billed) -> None:
    """Files tell their format by themselves; all formats but analytics' are among them."""
    found = {bill.format for files in billed.files.values() for bill in read_bills(files)}

    assert found == set(FORMATS) - {"anthropic-analytics"}
