"""Answers what the price book holds: what a model costs where, since when and by whose word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from farebox_ledger._book_rows import HOURS, OTHER_UNITS, UNITS
from farebox_ledger._query import run_query
from farebox_ledger.errors import BookError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ["NO_BEGINNING", "Filter", "Known", "as_json", "list_prices", "list_providers", "show_model"]

NO_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
SUGGESTIONS = 3


@dataclass(frozen=True)
class Filter:
    """Which prices to list: those that hold at `at` and began after `since`; empty text means all."""

    at: datetime
    since: datetime = NO_BEGINNING
    provider: str = ""
    model: str = ""
    own: bool = False


@dataclass(frozen=True)
class Known:
    """A model at one provider: its name in the book, prices now, all ever entered, and what ended of the user's."""

    provider: str
    model: str
    prices: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    ended: Sequence[Mapping[str, Any]] = ()


def list_providers(client: Client) -> list[dict[str, Any]]:
    """Say of each provider how many models and prices the book holds, and when they were checked."""
    return run_query(client, "price_providers")


def list_prices(client: Client, wanted: Filter, exact: str = "") -> list[dict[str, Any]]:
    """List prices, a row a key and context tier; `exact` names one model, where `wanted.model` is part of a name."""
    rows = run_query(client, "price_list", {**vars(wanted), "model": wanted.model.lower(), "exact": exact})
    for row in rows:
        others = dict(zip(row.pop("other_units"), row.pop("other_prices"), strict=True))
        row |= {unit: others.get(unit) for unit in OTHER_UNITS}
    return rows


def show_model(client: Client, name: str, provider: str, at: datetime) -> list[Known]:
    """Look a name up as the ledger does, at one provider or at all.

    Raises:
        BookError: nobody knows it; names what is spelt alike.
    """
    found = run_query(client, "price_names", {"name": name, "provider": provider})
    if not found:
        raise BookError(_unknown(client, name, provider))
    ended = run_query(client, "price_ended", {"at": at})
    return [
        Known(
            row["provider"],
            row["model"],
            list_prices(client, Filter(at, provider=row["provider"]), exact=row["model"]),
            run_query(client, "price_history", {"provider": row["provider"], "model": row["model"]}),
            [each for each in ended if (each["provider"], each["model"]) == (row["provider"], row["model"])],
        )
        for row in found
    ]


def as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a row out for JSON: money as exact text, days as days, an unknown beginning as null."""
    return {key: _plain(key, value) for key, value in row.items()}


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if key == "valid_from":
            return None if value.year == NO_BEGINNING.year else value.date().isoformat()
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return bool(value) if key == "approximate" else value


def _unknown(client: Client, name: str, provider: str) -> str:
    rows = client.query("SELECT DISTINCT provider, model FROM prices").result_rows
    if provider and provider not in {row[0] for row in rows}:
        known = ", ".join(sorted({row[0] for row in rows}))
        return f"the price book has no provider {provider!r}; it has {known}"
    names = sorted({row[1] for row in rows if not provider or row[0] == provider})
    alike = get_close_matches(name.lower(), names, SUGGESTIONS)
    hint = f"spelt alike are {', '.join(alike)}" if alike else "`farebox prices list --provider …` shows those it has"
    return f"the price book knows no model {name!r}{' of ' + provider if provider else ''}; {hint}"


# Units in the order of the tables that people read, with their headings and what a price is quoted for.
HEADINGS: Mapping[str, str] = {
    "uncached_input_tokens": "input",
    "cache_read_tokens": "cache read",
    "cache_write_5m_tokens": "write 5m",
    "cache_write_1h_tokens": "write 1h",
    "cache_write_unsplit_tokens": "write",
    "cache_write_30m_tokens": "write 30m",
    "cache_write_12h_tokens": "write 12h",
    "audio_input_tokens": "audio in",
    "image_input_tokens": "image in",
    "output_tokens": "output",
    "audio_output_tokens": "audio out",
    "image_output_tokens": "image out",
    "web_search_requests": "1000 searches",
    "web_fetch_requests": "1000 fetches",
    "cache_read_audio_tokens": "cached audio",
    "cache_read_image_tokens": "cached image",
    "audio_input_seconds": "a minute of audio",
    "input_characters": "characters",
    "images": "an image",
    HOURS: "an hour",
}
QUOTED_FOR = {unit: 1_000_000 if unit.endswith("_tokens") else 1000 for unit in UNITS} | {
    "cache_read_audio_tokens": 1_000_000,
    "cache_read_image_tokens": 1_000_000,
    "audio_input_seconds": 60,
    "input_characters": 1_000_000,
    "images": 1,
    HOURS: 1,
}
