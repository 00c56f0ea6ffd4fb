"""Whoever reads the ledger of a running `farebox up` may ask every question of the dashboards."""

from __future__ import annotations

from pathlib import Path

import farebox_up
import pytest
from dashboards.asking import asked, choice
from dashboards.traffic import HOSTILE, UNTIL

from farebox_dashboards._macros import Range, expand
from farebox_ledger.alerts import RULES, alert_sql

PERIOD = Range.of(UNTIL.replace(hour=0), UNTIL, 600)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory):
    """A running collector with an empty ledger."""
    running = farebox_up.start(Path(tmp_path_factory.mktemp("up")) / "ledger")
    yield running
    running.stop()
    running.end()


def test_every_question_passes_the_read_only_endpoint(up: farebox_up.Up) -> None:
    """Its guard refuses what reaches out of the ledger; no query of a panel, variable, annotation or alert does.

    The browser's tests ask them with everything chosen, past the same guard.
    """
    with up.client() as client:
        for each in asked():
            client.query(expand(each.sql, choice(route=[HOSTILE]), PERIOD))
        for rule in RULES:
            client.query(alert_sql(rule.question), parameters={"until": UNTIL})
