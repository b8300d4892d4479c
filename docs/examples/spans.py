"""See a stream as a trace: one span for it, and one for each attempt and wait."""

# pip install '.[telemetry]'
import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from resilient_stream import resilient

provider = TracerProvider()
provider.add_span_processor(
    SimpleSpanProcessor(
        ConsoleSpanExporter(
            formatter=lambda span: f"{span.name}: {span.status.status_code.name}\n"
        )
    )
)
trace.set_tracer_provider(provider)

client = resilient(anthropic.Anthropic())
with client.messages.stream(
    model="claude-opus-5",
    max_tokens=4096,
    messages=[{"role": "user", "content": "How do tides work?"}],
) as stream:
    stream.until_done()
provider.shutdown()
