"""Record what every LLM call cost and how it ended."""
