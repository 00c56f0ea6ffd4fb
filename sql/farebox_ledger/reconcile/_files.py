"""Opens bills that lie in files, and tells by their content whose they are and in which shape."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from farebox_ledger.errors import BillError
from farebox_ledger.reconcile._alibaba import alibaba_bill, alibaba_csv
from farebox_ledger.reconcile._anthropic import anthropic_analytics, anthropic_cost, anthropic_csv, anthropic_usage
from farebox_ledger.reconcile._focus_in import focus_lines, focus_provider
from farebox_ledger.reconcile._generic import Mapped, generic_csv
from farebox_ledger.reconcile._hosts import (
    fireworks_costs,
    fireworks_csv,
    fireworks_usage,
    openrouter_activity,
    openrouter_csv,
    together_usage,
)
from farebox_ledger.reconcile._lines import Bill, Line, make_bill, moment, read_json
from farebox_ledger.reconcile._openai import openai_costs, openai_csv, openai_usage

__all__ = ["FORMATS", "pages_bill", "read_bills"]

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Format:
    """One shape of bill: whose it is, and how its pages or rows are read."""

    provider: str
    read: Callable[[Rows], Iterator[Line]]
    json: bool


FORMATS: Mapping[str, Format] = {
    "anthropic-usage": Format("anthropic", anthropic_usage, json=True),
    "anthropic-cost": Format("anthropic", anthropic_cost, json=True),
    "anthropic-analytics": Format("anthropic", anthropic_analytics, json=True),
    "anthropic-csv": Format("anthropic", anthropic_csv, json=False),
    "openai-usage": Format("openai", openai_usage, json=True),
    "openai-costs": Format("openai", openai_costs, json=True),
    "openai-csv": Format("openai", openai_csv, json=False),
    "openrouter": Format("openrouter", openrouter_activity, json=True),
    "openrouter-csv": Format("openrouter", openrouter_csv, json=False),
    "fireworks-usage": Format("fireworks", fireworks_usage, json=True),
    "fireworks-costs": Format("fireworks", fireworks_costs, json=True),
    "fireworks-csv": Format("fireworks", fireworks_csv, json=False),
    "together": Format("together", together_usage, json=True),
    "alibaba": Format("alibaba", alibaba_bill, json=True),
    "alibaba-csv": Format("alibaba", alibaba_csv, json=False),
}
FOCUS, GENERIC = "focus", "generic"
# Headings that only one kind of file has.
MARKS = (
    ("ChargePeriodStart", FOCUS),
    ("usage_date_utc", "anthropic-csv"),
    ("amount_value", "openai-csv"),
    ("num_model_requests", "openai-csv"),
    ("generation_id", "openrouter-csv"),
    ("cost_total", "openrouter-csv"),
    ("base_model_name", "fireworks-csv"),
    ("group_by_dimension", "fireworks-csv"),
    ("PretaxAmount", "alibaba-csv"),
    ("Pretax Amount", "alibaba-csv"),
    ("应付金额", "alibaba-csv"),
)


def read_bills(
    paths: Sequence[Path], format_name: str = "", mapped: Mapped | None = None, provider: str = ""
) -> list[Bill]:
    """Read files; without a format each tells its own, and a mapping reads any CSV file.

    `provider` says who billed, where the ledger knows the host under another name (azure for OpenAI's shapes).

    Raises:
        BillError: a file cannot be read or understood; names it, the place and what helps.
    """
    return [bill for path in paths for bill in _read(path, format_name, mapped, provider)]


def pages_bill(
    format_name: str,
    pages: Sequence[Mapping[str, Any]],
    source: str,
    provider: str = "",
    covers: tuple[datetime, datetime] | None = None,
) -> Bill:
    """Read pages of an API's answers.

    Raises:
        BillError: they are not of that shape; names the field.
    """
    shape = FORMATS[format_name]
    return _made(provider or shape.provider, format_name, source, lambda: shape.read(pages), covers or _covers(pages))


def _read(path: Path, format_name: str, mapped: Mapped | None, provider: str) -> Iterator[Bill]:
    source = path.name
    if path.suffix == ".parquet":
        yield from _focus(_parquet(path), source, provider)
        return
    text = _text(path)
    if text.lstrip()[:1] in ("{", "["):
        said = read_json(text, source)
        pages = said if isinstance(said, list) else [said]
        if any(not isinstance(page, dict) for page in pages):
            raise BillError(f"{path} holds no pages of a bill")
        if format_name == FOCUS or (pages and "ChargePeriodStart" in pages[0]):
            yield from _focus(pages, source, provider)
        else:
            yield pages_bill(format_name or _json_format(pages, source), pages, source, provider)
        return
    rows = _rows(text, source)
    name = format_name or (GENERIC if mapped else _csv_format(rows, source))
    if name == FOCUS:
        yield from _focus(rows, source, provider)
    elif name == GENERIC:
        if mapped is None:
            raise BillError(f"{path}: the format {GENERIC} needs --mapping FILE, which says what its columns are")
        whose = mapped
        yield _made(provider or whose.provider, GENERIC, source, lambda: generic_csv(rows, whose), None)
    else:
        shape = FORMATS[name]
        yield _made(provider or shape.provider, name, source, lambda: shape.read(rows), None)


def _text(path: Path) -> str:
    """Read a file as UTF-8, or as Chinese consoles wrote theirs before."""
    try:
        content = path.read_bytes()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("gb18030")
    except OSError as error:
        raise BillError(
            f"{path} cannot be read: {error.strerror or error}; check its name and who may read it"
        ) from None
    except UnicodeDecodeError:
        raise BillError(f"{path} is no text; give the export as it was downloaded, unpacked") from None


def _made(
    provider: str,
    format_name: str,
    source: str,
    lines: Callable[[], Iterator[Line]],
    covers: tuple[datetime, datetime] | None,
) -> Bill:
    try:
        return make_bill(provider, format_name, source, lines(), covers)
    except KeyError as error:
        raise BillError(f"{source} is no {format_name}: {error.args[0]!r} is missing; name another --format") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise BillError(f"{source}, read as {format_name}: {error}") from None


def _rows(text: str, source: str) -> list[dict[str, str]]:
    lines = text.splitlines()
    head = lines[0] if lines else ""
    try:
        reader = csv.DictReader(lines, delimiter=max(",;\t", key=head.count))
        rows = [{key.strip(): value or "" for key, value in row.items() if key is not None} for row in reader]
    except csv.Error as error:
        raise BillError(f"{source} line {len(lines)}: {error}; mend that line") from None
    if not rows:
        raise BillError(f"{source} holds no line of a bill; export a period in which something was billed")
    return rows


def _csv_format(rows: Sequence[Mapping[str, str]], source: str) -> str:
    found = next((name for mark, name in MARKS if mark in rows[0]), "")
    if not found:
        raise BillError(
            f"{source} is no bill that farebox knows by its headings ({', '.join(rows[0])}); "
            "say what they are with --mapping FILE, or name its --format"
        )
    return found


def _json_format(pages: Sequence[Mapping[str, Any]], source: str) -> str:
    page: Mapping[str, Any] = pages[0] if pages else {}
    rows = page.get("rows") or ()
    found = "fireworks-usage" if "serverlessCosts" in page else ""
    if not found and any("dimensions" in row for row in rows if isinstance(row, Mapping)):
        found = "fireworks-costs"
    if not found and ("Items" in page or "Items" in (page.get("Data") or ())):
        found = "alibaba"
    if not found:
        found = _data_format([row for page in pages for row in page.get("data") or ()])
    if not found:
        raise BillError(f"{source} is no bill that farebox knows; name its --format: {', '.join(FORMATS)}")
    return found


def _data_format(data: Sequence[Mapping[str, Any]]) -> str:
    first: Mapping[str, Any] = data[0] if data else {}
    results = [row for bucket in data for row in bucket.get("results") or ()]
    if "line_items" in first:
        return "together"
    if "group" in first:
        return "anthropic-analytics" if "cost" in first else "anthropic-usage"
    if "date" in first:
        return "openrouter"
    if "starting_at" in first:
        return "anthropic-cost" if any("amount" in row for row in results) else "anthropic-usage"
    if "start_time" in first:
        costs = any("amount" in row for row in results)
        return "openai-costs" if costs else "openai-usage"
    return ""


def _covers(pages: Sequence[Mapping[str, Any]]) -> tuple[datetime, datetime] | None:
    """Find the time that buckets speak for, empty ones too."""
    spans = [
        (bucket[start], bucket[end])
        for page in pages
        for bucket in page.get("data") or ()
        for start, end in (("starting_at", "ending_at"), ("start_time", "end_time"))
        if isinstance(bucket, Mapping) and start in bucket and end in bucket
    ]
    if not spans:
        return None
    return min(moment(start, "start") for start, _ in spans), max(moment(end, "end") for _, end in spans)


def _focus(rows: Sequence[Mapping[str, Any]], source: str, provider: str) -> Iterator[Bill]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(provider or focus_provider(row), []).append(row)
    for whose, theirs in sorted(found.items()):
        yield _made(whose, FOCUS, source, lambda theirs=theirs: focus_lines(theirs), None)  # type: ignore[misc]


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise BillError(f"{error}; run: pip install 'farebox[collector]'") from None
    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise BillError(f"{path} cannot be read as Parquet: {error}") from None
    return rows
