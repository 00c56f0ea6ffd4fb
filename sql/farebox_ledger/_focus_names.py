"""Names that FOCUS files call things by: providers, services, meters, units, and who developed a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["METERS", "PROVIDERS", "Meter", "Provider", "developer", "meter_of", "provider_of"]


@dataclass(frozen=True)
class Provider:
    """Who sells a service: the name on invoices, and what the service is called."""

    name: str
    service: str


@dataclass(frozen=True)
class Meter:
    """How a usage leaf is metered: its name, the unit that is counted, how many of them are priced together."""

    name: str
    unit: str
    block: int
    direction: str = ""
    cache: str = ""
    duration: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "alibaba": Provider("Alibaba Cloud", "Model Studio"),
    "anthropic": Provider("Anthropic", "Claude API"),
    "azure": Provider("Microsoft", "Azure OpenAI"),
    "bedrock": Provider("Amazon Web Services", "Amazon Bedrock"),
    "cerebras": Provider("Cerebras", "Cerebras Inference"),
    "cohere": Provider("Cohere", "Cohere API"),
    "deepseek": Provider("DeepSeek", "DeepSeek API"),
    "fireworks": Provider("Fireworks AI", "Fireworks Serverless"),
    "google": Provider("Google", "Gemini API"),
    "groq": Provider("Groq", "GroqCloud"),
    "minimax": Provider("MiniMax", "MiniMax API"),
    "mistral": Provider("Mistral AI", "Mistral API"),
    "moonshot": Provider("Moonshot AI", "Moonshot API"),
    "novita": Provider("Novita AI", "Novita API"),
    "openai": Provider("OpenAI", "OpenAI API"),
    "openrouter": Provider("OpenRouter", "OpenRouter API"),
    "perplexity": Provider("Perplexity", "Sonar API"),
    "together": Provider("Together AI", "Together Serverless"),
    "vertex": Provider("Google Cloud", "Vertex AI"),
    "voyage": Provider("Voyage AI", "Voyage API"),
    "xai": Provider("xAI", "xAI API"),
    "zai": Provider("Z.ai", "Z.ai API"),
}
TOKENS, MILLION = "Tokens", 1_000_000
# Token direction and cache action are those that a draft of FOCUS 1.5 names; see sql/FOCUS.md.
METERS: Mapping[str, Meter] = {
    "uncached_input_tokens": Meter("Input Tokens", TOKENS, MILLION, "Input", "Uncached"),
    "cache_read_tokens": Meter("Cache Read Input Tokens", TOKENS, MILLION, "Input", "Read"),
    "cache_write_5m_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write", "5m"),
    "cache_write_1h_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write", "1h"),
    "cache_write_unsplit_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write"),
    "cache_write_30m_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write", "30m"),
    "cache_write_12h_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write", "12h"),
    "cache_write_tokens": Meter("Cache Write Input Tokens", TOKENS, MILLION, "Input", "Write"),
    "input_tokens": Meter("Input Tokens", TOKENS, MILLION, "Input"),
    "audio_input_tokens": Meter("Audio Input Tokens", TOKENS, MILLION, "Input", "Uncached"),
    "image_input_tokens": Meter("Image Input Tokens", TOKENS, MILLION, "Input", "Uncached"),
    "cache_read_audio_tokens": Meter("Cache Read Audio Input Tokens", TOKENS, MILLION, "Input", "Read"),
    "cache_read_image_tokens": Meter("Cache Read Image Input Tokens", TOKENS, MILLION, "Input", "Read"),
    "output_tokens": Meter("Output Tokens", TOKENS, MILLION, "Output"),
    "all_output_tokens": Meter("Output Tokens", TOKENS, MILLION, "Output"),
    "audio_output_tokens": Meter("Audio Output Tokens", TOKENS, MILLION, "Output"),
    "image_output_tokens": Meter("Image Output Tokens", TOKENS, MILLION, "Output"),
    "web_search_requests": Meter("Web Searches", "Requests", 1000),
    "web_fetch_requests": Meter("Web Fetches", "Requests", 1000),
    "tools": Meter("Tool Requests", "Requests", 1000),
    "audio_input_seconds": Meter("Audio Input Seconds", "Seconds", 1),
    "input_characters": Meter("Input Characters", "Characters", MILLION),
    "images": Meter("Images", "Images", 1),
}
DEVELOPERS = {
    "claude": "Anthropic",
    "gpt": "OpenAI",
    "o1": "OpenAI",
    "o3": "OpenAI",
    "o4": "OpenAI",
    "chatgpt": "OpenAI",
    "gemini": "Google",
    "gemma": "Google",
    "qwen": "Alibaba Cloud",
    "llama": "Meta",
    "mistral": "Mistral AI",
    "mixtral": "Mistral AI",
    "deepseek": "DeepSeek",
    "grok": "xAI",
    "kimi": "Moonshot AI",
    "command": "Cohere",
    "glm": "Z.ai",
}


def provider_of(name: str) -> Provider:
    """Say who sells what the ledger books on a provider; one that is not known goes by the ledger's own name."""
    return PROVIDERS.get(name, Provider(name, f"{name} API"))


def meter_of(unit: str) -> Meter:
    """Say how a usage leaf is metered."""
    return METERS.get(unit, Meter(unit.replace("_", " ").title(), "Units", 1))


def developer(model: str) -> str:
    """Say who developed a model, by the beginning of its name; empty if that does not tell."""
    name = model.rpartition("/")[2].lower()
    return next((who for start, who in DEVELOPERS.items() if name.startswith(start)), "")
