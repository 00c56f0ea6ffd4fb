"""A ledger that the tests of one file share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from farebox_ledger import Store, open_store

_numbers = count(1)


@pytest.fixture(scope="module")
def audited(_shared_store: Store) -> Iterator[Store]:
    """A migrated, priced, empty ledger; each file of tests has its own."""
    dsn = replace(_shared_store.dsn, database=f"audited_{next(_numbers)}")
    with open_store(dsn) as store:
        yield store
    _shared_store.client.command(f"DROP DATABASE IF EXISTS {dsn.database} SYNC")
