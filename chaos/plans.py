"""Makes a plan from a seed: the request, the answer, and the fault of each attempt.

A plan is a value, and its ``repr`` is the Python that makes it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Final

from resilient_stream import RetryPolicy
from resilient_stream.testing import Fault
from resilient_stream.testing.golden import Golden

from .faults import Chunking, Refused
from .strikes import FINAL, STRIKES, Strike
from .texts import REPLIES, TEXTS

USER_TURN_MODEL: Final = "claude-sonnet-5"
PREFILL_MODEL: Final = "claude-haiku-4-5"

MOST_FAULTS: Final = 10
SURVIVED: Final = 7
"""The default policy survives this many faults in a row, whatever they are (``max_barren_attempts`` is 8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One stream and its faults."""

    seed: int = 0
    text: str = "prose"
    model: str = USER_TURN_MODEL
    faults: tuple[Fault | Refused | None, ...] = ()
    chunking: Chunking = "event"
    delta_size: int = 16
    rethink: bool = False
    policy: Mapping[str, Any] = field(default_factory=dict[str, Any])
    leaves_after: int | None = None
    """The consumer leaves after this many events."""

    def __repr__(self) -> str:
        """Python that makes this plan."""
        return spelt(self)

    @property
    def reply(self) -> Golden:
        """The author's answer."""
        return REPLIES[self.text]

    @property
    def request(self) -> dict[str, Any]:
        """The user's call."""
        asked = {"role": "user", "content": "Tell me about tides."}
        return {"model": self.model, "max_tokens": 8192, "messages": [asked], **self.reply.request}

    @property
    def rules(self) -> RetryPolicy:
        """The policy: the defaults, but without a budget that is shared with other plans."""
        fields: dict[str, Any] = {"budget": None, **self.policy}
        return RetryPolicy(**fields)

    @property
    def survivable(self) -> bool:
        """Whether the plan contains no reason to give up."""
        given = [fault for fault in self.faults if fault is not None]
        return len(given) <= SURVIVED and not self.policy and not any(fault in FINAL for fault in given)


def spelt(value: object) -> str:
    """Python that makes a value: dataclasses without the fields that keep their defaults."""
    if is_dataclass(value) and not isinstance(value, type):
        said = [
            f"{item.name}={spelt(getattr(value, item.name))}"
            for item in fields(value)
            if item.init and not _is_default(item, getattr(value, item.name))
        ]
        return f"{type(value).__name__}({', '.join(said)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(spelt, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _is_default(item: Any, value: object) -> bool:
    made = item.default_factory() if item.default_factory is not MISSING else item.default
    return bool(value == made)


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    rng = random.Random(seed)
    # As in swarm testing, each plan draws from a few kinds of faults only.
    kinds = rng.sample(sorted(STRIKES), rng.randrange(1, 5))
    count = min(MOST_FAULTS, int(rng.expovariate(0.4)) + (rng.random() < 0.97))
    faults = [_fault(rng, kinds) for _ in range(count)]
    if rng.random() < 0.05:
        faults.append(rng.choice(FINAL))
    return Plan(
        seed=seed,
        text=rng.choice(sorted(TEXTS)),
        model=rng.choice((USER_TURN_MODEL, PREFILL_MODEL)),
        faults=tuple(faults),
        chunking=rng.choices(("whole", "event", "random", "byte"), (3, 4, 3, 0.5))[0],
        delta_size=rng.choice((3, 8, 16, 16, 40, 200)),
        rethink=rng.random() < 0.3,
        policy=rng.choice(POLICIES)(rng) if rng.random() < 0.15 else {},
        leaves_after=rng.randrange(1, 40) if rng.random() < 0.05 else None,
    )


def _fault(rng: random.Random, kinds: list[str]) -> Fault | Refused | None:
    strike: Strike = STRIKES[rng.choice(kinds)]
    return None if rng.random() < 0.05 else strike(rng)


POLICIES: Final[tuple[Callable[[random.Random], dict[str, Any]], ...]] = (
    lambda rng: {"max_attempts": rng.randrange(1, 5)},
    lambda rng: {"max_barren_attempts": rng.randrange(1, 3)},
    lambda rng: {"deadline": rng.choice((0.5, 5.0, 60.0))},
    lambda rng: {"hold": frozenset({"tool_use", "thinking"})},
    lambda rng: {"hold": frozenset()},
    lambda rng: {"continuation": rng.choice(("restart_only", "never", "user_turn"))},
    lambda rng: {"completed_tools": "regenerate"},
    lambda rng: {"retry_after_max": 5.0},
    lambda rng: {"unverified": rng.choice(("ask", "refuse"))},
    lambda rng: {"usage": "total", "max_tokens": "keep"},
)
"""Some plans have another policy than the default."""
