"""The ledger: the one place that knows prices. One row an attempt, priced exactly, counted once."""

from farebox_ledger._actions import carry_out, new_token
from farebox_ledger._book_watch import watching
from farebox_ledger._dsn import Dsn, parse_dsn
from farebox_ledger._lock import Up, announce, running
from farebox_ledger._query import run_query
from farebox_ledger._refresh import Refresher, refresh_all
from farebox_ledger._store import Store, open_reader, open_store
from farebox_ledger.errors import LedgerError

__all__ = [
    "Dsn",
    "LedgerError",
    "Refresher",
    "Store",
    "Up",
    "announce",
    "carry_out",
    "new_token",
    "open_reader",
    "open_store",
    "parse_dsn",
    "refresh_all",
    "run_query",
    "running",
    "watching",
]
