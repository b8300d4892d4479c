"""What the library costs when nothing fails: processor time against the bare SDK, in one run.

``python -m chaos.overhead`` streams the same answer from the stand-in with a bare client, a resilient
one, and a resilient one without telemetry, in turns, and compares the processor time of the reading
thread. No OpenTelemetry SDK is configured.
"""

# ruff: noqa: T201 -- printing is what it is for

from __future__ import annotations

import statistics
import time

import anthropic

from resilient_stream import RetryPolicy, resilient
from resilient_stream.testing import StandIn

ROUNDS = 15
ANSWER = "hello word and some more " * 2000


def cost(client: anthropic.Anthropic) -> float:
    """Microseconds of this thread's processor time per event."""
    began, events = time.thread_time(), 0
    with client.messages.stream(
        model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "x"}]
    ) as stream:
        for _ in stream:
            events += 1
    return (time.thread_time() - began) / events * 1e6


def main() -> None:
    """Measure and print."""
    with StandIn(reply=ANSWER) as server, anthropic.Anthropic(base_url=server.url, api_key="any") as bare:
        ours, untold = resilient(bare), resilient(bare, RetryPolicy(telemetry=False))
        for client in (bare, ours, untold):
            cost(client)
        rounds = [(cost(bare), cost(ours), cost(untold)) for _ in range(ROUNDS)]
    bares, resilients, untolds = zip(*rounds, strict=True)
    print(f"bare      {min(bares):6.1f} us per event at best, {statistics.median(bares):6.1f} in the middle")
    print(f"resilient {min(resilients):6.1f} us per event at best, {statistics.median(resilients):6.1f}")
    for name, ones, others in (("ratio", resilients, bares), ("telemetry", resilients, untolds)):
        middle = statistics.median(one / other for one, other in zip(ones, others, strict=True))
        best = min(ones) / min(others)
        print(f"{name:9} {best:.3f} of the best, {middle:.3f} in the middle of the rounds")


if __name__ == "__main__":
    main()
