"""The simulated providers and the ledger's price book quote the same prices, though neither knows the other."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from farebox_demo.providers._hosts import HOSTS
from farebox_demo.providers._prices import PRICES, Price, amount

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

UNITS = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
BOOK = """
SELECT {columns}
FROM price_spans
WHERE provider = {{provider:String}} AND model = {{model:String}} AND region = '' AND variant = '' AND tier_above = 0
ORDER BY valid_from DESC
LIMIT 1
""".format(columns=", ".join(UNITS.values()))


@pytest.mark.parametrize(("host", "model"), PRICES)
def test_both_tables_agree(ledger_client: Client, host: str, model: str) -> None:
    """Every class of tokens that a host bills has the same price today in the ledger's book."""
    (row,) = ledger_client.query(BOOK, parameters={"provider": host, "model": model}).result_rows

    price = PRICES[host, model]
    billed = [name for name in UNITS if name in {"uncached_input", "cache_read", "output"} or getattr(price, name)]
    book = dict(zip(UNITS, row, strict=True))
    assert {name: book[name] for name in billed} == {name: getattr(price, name) for name in billed}


def test_every_model_has_a_price() -> None:
    """Each model of each host is on the price list, under the name it is billed as."""
    served = {(host.name, model.billed_as) for host in HOSTS.values() for model in host.models.values()}

    assert served == set(PRICES)


def test_amounts_are_exact() -> None:
    """Amounts are sums of products with every digit kept."""
    price = Price.per_million("0.065", "0.26", "0.065")

    assert amount(price, {"uncached_input": 123_457, "cache_read": 1, "output": 3}) == Decimal("0.008025550")
