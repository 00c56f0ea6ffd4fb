"""Finds the book's name for a model of the catalogue, and the exact names that lead to it.

The book's name is the maker's own, whoever serves the model. Dates, versions and the like are cut from names by the
rules of `prices/own/aliases.csv`, so they need no names here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genai_prices.types import ModelInfo, Provider

from farebox_ledger._book_plans import Plan

__all__ = ["Model", "aliases_of", "models_of"]

# Vendor in OpenRouter's names → the maker in genai-prices whose name for a model goes before the host's.
MAKERS = {"anthropic": "anthropic", "openai": "openai"}
# Vendors that OpenRouter names as their own hosts do, so that their models go by the bare name.
BARE_VENDORS = ("anthropic", "openai", "google", "qwen", "x-ai", "perplexity", "deepseek", "mistralai", "moonshotai")
PROFILE = re.compile(r"^(global|regional)\.")
# Profiles of a geography, which a rule cuts from names.
GEOGRAPHY = re.compile(r"^(global|regional|us-gov|us|eu|apac|au|jp|in|ca|sa|amer)\.")
BEDROCK_VERSION = re.compile(r"(-20[0-9]{6})?(-v[0-9]+)?(:[0-9]+)?$")
MONTH_AND_DAY = re.compile(r"-[01][0-9]-[0-3][0-9]$")
# What the beginning or the middle of a name ends in that is meant to be continued.
UNFINISHED = re.compile(r"([-@:.]|-20[0-9]{2}|-v[0-9])$")


@dataclass(frozen=True)
class Model:
    """A model of the catalogue under the book's name for it; `owner` lists it, which may be its maker."""

    plan: Plan
    owner: Provider
    info: ModelInfo
    name: str


def models_of(plan: Plan, providers: Mapping[str, Provider], unfit: Callable[[ModelInfo], str]) -> Iterator[Model]:
    """Give the models that a provider serves: those it lists, then those that its makers list and it does not."""
    seen: set[str] = set()
    for source in (plan.source, *plan.others):
        owner = providers[source]
        infos = [info for info in owner.models if re.match(plan.models, info.id.lower())]
        names = {info.id: _canonical(plan, info.id.lower(), providers) for info in infos}
        places = {info.id: (names[info.id], _profile(info.id)) for info in infos}
        shared = {
            place for place, count in Counter(places[info.id] for info in infos if not unfit(info)).items() if count > 1
        }
        for info in infos:
            # Snapshots with prices of their own keep their names.
            name = PROFILE.sub("", info.id.lower()) if places[info.id] in shared else names[info.id]
            if source == plan.source:
                seen.add(name)
                yield Model(plan, owner, info, name)
            elif name not in seen and not info.id.startswith("ft:"):
                yield Model(plan, owner, info, name)


def aliases_of(model: Model) -> list[str]:
    """List the exact names that the catalogue knows for a model, each of which it finds this very model by."""
    names = {text.lower() for text in _texts(model.info.match)} | {model.info.id.lower()}
    if model.plan.provider == "bedrock":
        names = {GEOGRAPHY.sub("", name) for name in names if "/" not in name}
        names |= {name.partition(".")[2] for name in names if name.startswith(("anthropic.", "openai."))}
        return sorted(name for name in names if name not in ("", model.name))
    return sorted(name for name in names if name != model.name and _finds(model.owner, name, model.info))


def _finds(owner: Provider, name: str, info: ModelInfo) -> bool:
    return owner.find_model(name) is info


def _canonical(plan: Plan, model_id: str, providers: Mapping[str, Provider]) -> str:
    """Give the book's name of a model, before it is known whether two models would share it."""
    name = _own_name(plan, model_id)
    if plan.provider == "bedrock":
        maker, _, bare = name.partition(".")
        return _makers(maker, BEDROCK_VERSION.sub("", bare), providers) or name
    if plan.provider == "vertex" and name.startswith("claude"):
        return _makers("anthropic", name, providers) or name
    if plan.provider != "openrouter":
        return name
    vendor, slash, bare = name.partition("/")
    if not slash or ":" in name or vendor not in BARE_VENDORS:
        return name
    return _makers(vendor, bare, providers) or MONTH_AND_DAY.sub("", bare)


def _makers(vendor: str, bare: str, providers: Mapping[str, Provider]) -> str:
    maker = MAKERS.get(vendor)
    info = providers[maker].find_model(bare) if maker else None
    return info.id.lower().removesuffix("-latest") if info else ""


def _own_name(plan: Plan, model_id: str) -> str:
    """Give the provider's own name, without what says only which edition of the catalogue's entry it is."""
    if plan.provider == "bedrock":
        return re.sub(r"(-v1)?:0$", "", PROFILE.sub("", model_id))
    return model_id.rstrip("-") if model_id.startswith("ft:") else model_id.removesuffix("-latest")


def _profile(model_id: str) -> str:
    found = PROFILE.match(model_id)
    return found.group(1) if found else ""


def _texts(match: Any) -> Iterable[str]:
    """Give the names that a model is matched by, as far as they are whole."""
    for attribute in ("or_", "and_"):
        for part in getattr(match, attribute, ()):
            yield from _texts(part)
    for kind in ("starts_with", "contains", "ends_with"):
        text = getattr(match, kind, None)
        if isinstance(text, str) and not UNFINISHED.search(text):
            yield text
    if isinstance(getattr(match, "equals", None), str):
        yield match.equals
