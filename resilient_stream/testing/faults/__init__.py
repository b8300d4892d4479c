"""The faults: small frozen values, one class for each way in which a stream fails."""

from __future__ import annotations

from .base import Chain, Fault, Healthy, Place, ending, events_of, kind_of
from .body import BadChunk, Cut, How, IdleClose, Pings, Slices, Stall, Trickle, cut_at
from .encoding import Bom, Gzip, Labelled, LineEndings
from .events import MANGLINGS, ErrorEvent, Insert, Mangle, Remove, Repeat, text_delta
from .head import (
    EARLY_HINTS,
    ERROR_TYPES,
    HTML,
    SWITCHING,
    CutHead,
    HugeHead,
    Informational,
    Late,
    Raw,
    Redirect,
    RetryAfter,
    Status,
    Unstreamed,
    error_body,
)

__all__ = [
    "EARLY_HINTS",
    "ERROR_TYPES",
    "HTML",
    "MANGLINGS",
    "SWITCHING",
    "BadChunk",
    "Bom",
    "Chain",
    "Cut",
    "CutHead",
    "ErrorEvent",
    "Fault",
    "Gzip",
    "Healthy",
    "How",
    "HugeHead",
    "IdleClose",
    "Informational",
    "Insert",
    "Labelled",
    "Late",
    "LineEndings",
    "Mangle",
    "Pings",
    "Place",
    "Raw",
    "Redirect",
    "Remove",
    "Repeat",
    "RetryAfter",
    "Slices",
    "Stall",
    "Status",
    "Trickle",
    "Unstreamed",
    "cut_at",
    "ending",
    "error_body",
    "events_of",
    "kind_of",
    "text_delta",
]
