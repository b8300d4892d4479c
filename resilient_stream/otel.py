"""OpenTelemetry: a trace for each stream with a span per attempt, and metrics."""

from __future__ import annotations

from ._telemetry.tracing import Telemetry, telemetry

__all__ = ["Telemetry", "telemetry"]
