"""From a budget that is set, by way of calls that are priced, to a call that is refused, with a running farebox up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from farebox_up import Up, start, wait_until
from instrumentation.provider import Provider
from instrumentation.provider import start as start_provider
from otlp_messages import attempt, traces

import farebox
from farebox import _budget_totals, _spans
from farebox._budget_totals import totals
from farebox._cli import main
from farebox.budget import Budget, BudgetExceededError

CALL = {
    "farebox.provider": "anthropic",
    "farebox.route": "hard",
    "gen_ai.response.model": "claude-haiku-4-5",
    "farebox.usage.uncached_input_tokens": 1_000_000,
    "farebox.usage.output_tokens": 0,
}
ASK: Any = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = start(tmp_path_factory.mktemp("budget") / "ledger")
    yield running
    running.end()


@pytest.fixture
def asking(up: Up, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process asks that `farebox up`, and keeps its own spans."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", up.otlp)
    monkeypatch.setattr(_budget_totals, "_totals", None)
    former = _spans.capture_with(lambda _: None)
    yield
    _spans.capture_with(former)
    totals()._guards.clear()
    totals()._wake.set()
    while totals().asked:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def provider() -> Provider:
    return start_provider()


def command(up: Up, *words: str) -> int:
    """Run a command in this process; it reaches the ledger by way of the one that holds it."""
    return main([*words, "--dsn", f"chdb:{up.folder}"])


def test_a_spent_budget_stops_an_application(up: Up, asking: None, provider: Provider) -> None:
    """A budget set while `farebox up` runs is spent by the calls that come in, and refuses the next within seconds."""
    client = farebox.wrap(
        anthropic.Anthropic(base_url=provider.base, api_key="k"), route="hard", budget=Budget(every_s=0.2)
    )
    client.messages.create(**ASK)
    assert command(up, "budget", "set", "hard", "--amount", "1.50", "--period", "month", "--route", "hard") == 0
    assert up.post(traces(attempt(1, CALL)).SerializeToString()).status_code == 200
    client.messages.create(**ASK)
    assert up.post(traces(attempt(2, CALL)).SerializeToString()).status_code == 200

    errors: list[BudgetExceededError] = []

    def refused() -> bool:
        try:
            client.messages.create(**ASK)
        except BudgetExceededError as error:
            errors.append(error)
            return True
        return False

    wait_until(refused)
    assert [(error.budget, str(error.spend)) for error in errors] == [("hard", "2")]
    assert command(up, "budget", "list") == 1
    assert command(up, "budget", "set", "hard", "--amount", "100") == 0
    wait_until(lambda: not refused())
    client.close()


def test_outcomes_are_imported_while_up_runs(up: Up, tmp_path: Path) -> None:
    """`farebox outcomes import` reaches the ledger that `farebox up` holds."""
    (tmp_path / "o.csv").write_text("task,success\nimported,false\n", encoding="utf-8")

    assert command(up, "outcomes", "import", str(tmp_path / "o.csv")) == 0
    assert up.rows("SELECT success FROM task_outcomes WHERE task = 'imported'") == [(False,)]
