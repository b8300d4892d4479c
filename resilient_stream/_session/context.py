"""The parts of one stream that do not depend on how its requests are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from resilient_stream._core.failures import Failure
from resilient_stream._core.loop.machine import Machine
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.record.ledger import Record
from resilient_stream._core.settings import Settings
from resilient_stream._driver.runtime import Runtime
from resilient_stream._policy.accounts import account, shared_budget
from resilient_stream._policy.judge import Judgement
from resilient_stream._policy.model import RetryPolicy
from resilient_stream._policy.redis_budget import RedisBudget
from resilient_stream._telemetry.attributes import Url, of_server
from resilient_stream._telemetry.observers import Watch


class StreamContext(NamedTuple):
    """What the adapter, the machine and the driver of one stream share. `Layer.begin` creates it."""

    policy: RetryPolicy
    settings: Settings
    """The part of the policy that the core acts on."""
    planner: Planner
    judge: Judgement
    record: Record
    """The stream's record, for its report. The adapter attaches it to each request under `RECORD_KEY`."""
    watch: Watch
    """The stream's observers."""
    runtime: Runtime
    provider: str | None = None
    """The provider by OpenTelemetry's names, if it is known; None to derive it from the host."""

    def machine(self, error_for: Callable[[Failure], BaseException]) -> Machine:
        """The machine of this stream.

        Args:
            error_for: the exception that raising a failure would raise; the adapter's `Upstream.error_for`.
        """
        return Machine(self.planner, self.settings, self.judge, error_for, self.record)

    def addressed(self, url: Url, headers: Mapping[str, str]) -> None:
        """Note where the stream's first request goes. This decides which server and which retry budget it
        has.

        Args:
            url: the request's. ``str(url)`` is the whole of it.
            headers: the request's, names in any case or in lower case.
        """
        self.watch.answered_by(**of_server(url, self.provider))
        budget = self.policy.budget
        if budget == "shared":
            self.judge.draw_on(shared_budget(*account(str(url), headers)))
        elif isinstance(budget, RedisBudget):
            self.judge.draw_on(budget.budget(*account(str(url), headers)))
