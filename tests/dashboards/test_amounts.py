"""The lighter view of amounts is a shortcut for planning, never another answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from dashboards.traffic import UNTIL

from farebox_ledger import Store

KEYS = ("tenant", "moment", "route", "provider", "model", "outcome", "price_state", "price_reason", "price_id")


@pytest.mark.parametrize(
    ("since", "step_s"),
    [(UNTIL - timedelta(days=2, minutes=7), 3600), (UNTIL - timedelta(hours=3, minutes=7), 600)],
    ids=["by the hour", "finer"],
)
@pytest.mark.parametrize("by_tenant", [0, 1])
def test_amounts_are_those_of_attempts(busy: Store, since: datetime, step_s: int, by_tenant: int) -> None:
    """Each group has the same figures in `amounts_between` as in `attempts_between`, also while rollups are stale."""
    client = busy.client
    period = f"(since = '{since:%Y-%m-%d %H:%M:%S}', until = '{UNTIL:%Y-%m-%d %H:%M:%S}', "
    period += f"by_tenant = {by_tenant}, step_s = {step_s})"
    named = [row[0] for row in client.query(f"DESCRIBE (SELECT * FROM amounts_between{period})").result_rows]
    counted = [name for name in named if name not in KEYS]
    sums = ", ".join(f"{'max' if name == 'dearest' else 'sum'}({name})" for name in counted)
    keys = ", ".join(KEYS)

    def groups(view: str) -> list[tuple[object, ...]]:
        asked = f"SELECT {keys}, {sums} FROM {view}{period} GROUP BY {keys} ORDER BY {keys}"
        return list(client.query(asked).result_rows)

    light = groups("amounts_between")

    assert len(light) > 20
    assert light == groups("attempts_between")
