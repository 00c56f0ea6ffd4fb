"""Writes attributes' values as text, the way the OpenTelemetry Collector's ClickHouse exporter does.

So that a ledger fed by a stock Collector and one fed by ours hold the same text: integers decimal, doubles in
the shortest form, bytes as base64, arrays and maps as JSON with sorted keys.
Source: pdata/pcommon/value.go of the OpenTelemetry Collector, `AsString`, read 2026-11-22.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

__all__ = ["ATTRIBUTES", "TEXT", "AttributeMaps", "attribute_text", "service_of"]

TEXT = pa.string()
ATTRIBUTES = pa.map_(TEXT, TEXT)


@dataclass
class AttributeMaps:
    """One column of attribute maps, flat: all keys, all texts, and where each row's begin."""

    keys: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])

    def add(self, attributes: Iterable[KeyValue]) -> None:
        """Add a row."""
        for pair in attributes:
            self.keys.append(pair.key)
            self.texts.append(attribute_text(pair.value))
        self.offsets.append(len(self.keys))

    def array(self) -> pa.Array:
        """Make the column."""
        return pa.MapArray.from_arrays(
            pa.array(self.offsets, pa.int32()), pa.array(self.keys, TEXT), pa.array(self.texts, TEXT)
        )


def service_of(attributes: Iterable[KeyValue]) -> str:
    """Return the service that a resource's attributes name, the empty string for none."""
    service = next((pair.value for pair in attributes if pair.key == "service.name"), None)
    return "" if service is None else attribute_text(service)


def attribute_text(value: AnyValue) -> str:
    """Write one value as text; an empty value is the empty string."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "int_value":
        return str(value.int_value)
    if kind == "double_value":
        return _double_text(value.double_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode("ascii")
    if kind is None:
        return ""
    try:
        return _json(value)
    except ValueError:  # NaN and infinity have no JSON; the exporter leaves the text empty
        return ""


def _json(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return "[" + ",".join(map(_json, value.array_value.values)) + "]"
    if kind == "kvlist_value":
        members = {pair.key: pair.value for pair in value.kvlist_value.values}
        return "{" + ",".join(f"{_quote(key)}:{_json(members[key])}" for key in sorted(members)) + "}"
    if kind is None:
        return "null"
    if kind in ("string_value", "bytes_value"):
        return _quote(attribute_text(value))
    if kind == "double_value" and not math.isfinite(value.double_value):
        raise ValueError(value.double_value)
    return attribute_text(value)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _double_text(number: float) -> str:
    if not math.isfinite(number):
        words = "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
        return f"json: unsupported value: {words}"  # the exporter's own words; no number, so NULL in the ledger
    text = repr(number)
    if number and not 1e-6 <= abs(number) < 1e21:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}e{exponent.replace('-0', '-')}"
    if "e" in text:
        return format(Decimal(text), "f")
    return text.removesuffix(".0")
