"""Read off an address what cloud platforms put there instead of into the request: model, region and project.

Source: anthropic 2.12 `lib/{bedrock,vertex,google_cloud}` and openai 3.54 `lib/azure.py`, `providers/bedrock.py`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

__all__ = ["deployment_in", "model_in", "project_in", "region_in"]

_AWS_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]+)+-\d+")
_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/")
_MODEL = re.compile(r"/models?/([^/?]+)(?:/|$)")
_GOOGLE_VERB = re.compile(r":(?:r|streamR)awPredict$")
_LOCATION = re.compile(r"/projects/([^/?]+)/locations/([^/?]+)/")
# An inference profile that sends a request wherever there is room, at a price of its own.
_GLOBAL_PROFILE = "global."


def deployment_in(url: Any) -> str | None:
    """Return the Azure deployment that an address names; the service goes by it, whatever model the body names."""
    return _segment(_DEPLOYMENT, url)


def model_in(url: Any) -> str | None:
    """Return the model that an address names, as its caller wrote it: an id, an ARN, or Google's `model@version`."""
    model = _segment(_MODEL, url)
    return None if model is None else _GOOGLE_VERB.sub("", model)


def project_in(url: Any) -> str | None:
    """Return the Google Cloud project that an address names."""
    return _segment(_LOCATION, url)


def region_in(url: Any, provider: str) -> str | None:
    """Return the region whose price holds: `global` for a global endpoint or profile, else that of the address."""
    if provider == "vertex":
        found = _LOCATION.search(_path(url))
        return unquote(found.group(2)) if found else None
    if provider != "bedrock":
        return None
    model = model_in(url) or ""
    if model.rpartition("/")[2].startswith(_GLOBAL_PROFILE):
        return "global"
    arn = model.split(":")
    labels = [*url.host.split("."), *(arn[3:4] if arn[0] == "arn" else ())]
    return next((label for label in labels if _AWS_REGION.fullmatch(label)), None)


def _segment(pattern: re.Pattern[str], url: Any) -> str | None:
    found = pattern.search(_path(url))
    return unquote(found.group(1)) if found else None


def _path(url: Any) -> str:
    """Return the path as it was sent: an ARN's slash is escaped in it, so that a model is one segment."""
    return str(url.raw_path.partition(b"?")[0], "ascii", "replace")
