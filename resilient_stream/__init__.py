"""Claude streams that survive: drops, overloads, stalls and silent truncation.

The shop window. `resilient` turns a client of the official SDK into one whose streams are put
together again when they break; `ResumeMiddleware` is the same for those who compose the chain
themselves. `RetryPolicy` says how hard to try, `report` tells what happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core.turn.history import sendable
from ._core.verdict import Limit
from ._policy.budget import RetryBudget
from ._policy.scope import Pin, policy_option, policy_scope
from .anthropic import ResumeMiddleware, resilient
from .errors import PolicyError
from .observe import Observer
from .policy import RetryPolicy
from .report import StreamReport, report

if TYPE_CHECKING:
    __version__: str

__all__ = [
    "Limit",
    "Observer",
    "Pin",
    "PolicyError",
    "ResumeMiddleware",
    "RetryBudget",
    "RetryPolicy",
    "StreamReport",
    "policy_option",
    "policy_scope",
    "report",
    "resilient",
    "sendable",
]


def __getattr__(name: str) -> str:
    """The version, read from the installed distribution when asked for."""
    if name == "__version__":
        from importlib.metadata import version  # most programs never ask

        return version("resilient-stream")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
