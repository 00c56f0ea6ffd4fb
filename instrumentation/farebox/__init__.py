"""Record what every LLM call cost and how it ended, changing nothing the caller sees.

client = farebox.wrap(anthropic.Anthropic())
with farebox.tags(route="hard", task="ticket-4711"):
    client.messages.create(...)
farebox.outcome(task="ticket-4711", success=True)  # as soon as the application knows
"""

from farebox._instrument import instrument, uninstrument
from farebox._outcome import outcome
from farebox._tags import tags
from farebox._wrap import flush, unwrap, wrap

__all__ = ["flush", "instrument", "outcome", "tags", "uninstrument", "unwrap", "wrap"]
