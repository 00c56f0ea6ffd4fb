"""An application that has OpenTelemetry already: its spans stay its own, and farebox's hang below them.

    python existing_otel.py

Needs ANTHROPIC_API_KEY. The application samples; farebox does not, since a sampled ledger is a wrong ledger. Its spans
go to OTEL_EXPORTER_OTLP_ENDPOINT, which may be the same collector.
"""

import sys

import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

import farebox

provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(1.0)))
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")

client = farebox.wrap(anthropic.Anthropic(), route="checkout")


def handle() -> None:
    """Serve one request of the shop; the call to the model is a child of its span."""
    with tracer.start_as_current_span("POST /checkout") as span:
        client.messages.create(
            model="claude-haiku-4-5", max_tokens=100, messages=[{"role": "user", "content": "Thank the customer."}]
        )
        sys.stdout.write(f"{span.get_span_context().trace_id:032x}\n")


if __name__ == "__main__":
    handle()
