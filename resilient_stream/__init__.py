"""Claude streams that survive dropped connections, overloads, stalls and silent truncation.

`resilient` returns a client whose streams are continued when they break. `ResumeMiddleware` does the same in
a chain of middleware that you compose yourself. `RetryPolicy` says what is tried and for how long. `report`
returns what happened.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING

from .report import report  # now, or importing the module later would replace the function

if TYPE_CHECKING:
    from ._clients.resilient import resilient
    from ._core.turn.history import sendable
    from ._core.verdict import Limit
    from ._policy.budget import RetryBudget
    from ._policy.redis_budget import RedisBudget
    from ._policy.scope import Pin, policy_option, policy_scope
    from .anthropic import ResumeMiddleware
    from .errors import PolicyError
    from .observe import Observer
    from .policy import RetryPolicy
    from .report import StreamReport

    __version__: str

__all__ = [
    "Limit",
    "Observer",
    "Pin",
    "PolicyError",
    "RedisBudget",
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


_HOMES = {
    "Limit": "_core.verdict",
    "Observer": "observe",
    "Pin": "_policy.scope",
    "PolicyError": "errors",
    "RedisBudget": "_policy.redis_budget",
    "ResumeMiddleware": "anthropic",
    "RetryBudget": "_policy.budget",
    "RetryPolicy": "policy",
    "StreamReport": "report",
    "policy_option": "_policy.scope",
    "policy_scope": "_policy.scope",
    "resilient": "_clients.resilient",
    "sendable": "_core.turn.history",
}
"""The modules that have the names above. Each is imported when one of its names is used, so that a program
which does not use the SDK does not wait for its import."""


def __getattr__(name: str) -> object:
    """A public name, or the version, which is read from the installed distribution."""
    if name == "__version__":
        from importlib.metadata import version  # most programs never use it

        return version("resilient-stream")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_importlib.import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    """The names, including those that are not imported yet."""
    return sorted({*globals(), *__all__, "__version__"})
