"""Read what OpenAI's hosted tools used inside a response: billed beside its tokens, images at a model of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farebox._media_usage import media_usage
from farebox._reading import BilledApart, mapping, sequence, text

__all__ = ["images_apart"]


def images_apart(response: Mapping[str, Any]) -> list[BilledApart]:
    """Return what the image tool used, at the model that the response's tools name; nothing where it made nothing.

    Source: openai 3.54, types/responses/response.py, ToolUsage: "separate from base model usage".
    """
    usage = mapping(mapping(response.get("tool_usage")).get("image_gen"))
    if not usage.get("input_tokens") and not usage.get("output_tokens"):
        return []
    tools = [tool for tool in map(mapping, sequence(response.get("tools"))) if tool.get("type") == "image_generation"]
    model = text(tools[0].get("model")) if len(tools) == 1 else None
    return [BilledApart(0, "image_generation", model, media_usage(usage, outputs="image"))]
