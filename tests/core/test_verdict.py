"""The policy's executor is what the core asks."""

from __future__ import annotations

import random

from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.verdict import GiveUp, History, Judge, Retry
from resilient_stream._policy.judge import Judgement


def test_the_policys_executor_is_a_judge() -> None:
    """What the core declares, the policy's executor answers."""
    judge: Judge = Judgement(RetryPolicy(), random.Random(1), None)
    history = History(started=0.0, now=1.0, attempts=1, barren=0)
    again = judge.verdict(Failure(Kind.RESET, Phase.BODY), history, ValueError())
    never = judge.verdict(Failure(Kind.TLS_VERIFY, Phase.CONNECT), history, ValueError())
    assert isinstance(again, Retry)
    assert isinstance(never, GiveUp)
