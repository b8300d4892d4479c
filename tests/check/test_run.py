from __future__ import annotations

import pytest

from resilient_stream._check import run
from resilient_stream._check.probes import PROBES
from resilient_stream._check.run import POLICY, Outcome, check
from resilient_stream.testing import ANSWER, StandIn, Status
from tests.support.worlds import PREFILL_MODEL

MODEL = "claude-sonnet-5"
KEY = {"ANTHROPIC_API_KEY": "k"}


def test_each_reply_is_cut_once_and_comes_out_whole() -> None:
    """Two requests a prompt: the second goes on with what the first brought, and the text is the author's."""
    heard: list[Outcome] = []
    with StandIn() as api:
        told, seen = check(KEY, api.url, MODEL, PROBES[:3], heard.append)
    assert told == heard
    assert [outcome.text for outcome in told] == [ANSWER] * 3
    assert all(
        0 < len(outcome.received) < len(ANSWER) and ANSWER.startswith(outcome.received) for outcome in told
    )
    assert [(one.cut, one.form, one.joined, one.verified) for one in told] == [
        (True, "user_turn", "echo", True)
    ] * 3
    assert [answer.cut for answer in seen.answers] == [True, False] * 3
    assert seen.prefill == 400
    assert seen.gap > 0


def test_a_reply_shorter_than_the_cut_is_said_to_be_whole() -> None:
    """Nothing was cut, so there is no continuation and no seam."""
    with StandIn(reply="Short.") as api:
        told, _ = check(KEY, api.url, MODEL, PROBES[:1], lambda _: None)
    assert (told[0].cut, told[0].joined, told[0].verified, told[0].error) == (False, "", None, "")


def test_a_refused_key_is_an_error_without_a_report_of_success() -> None:
    """What the API refuses is named by the exception's class, and the prefill says so too."""
    with StandIn(always=Status(401, message="who?")) as api:
        (told,), seen = check(KEY, api.url, MODEL, PROBES[:1], lambda _: None)
    assert told.error == "AuthenticationError"
    assert told.report is not None
    assert told.report.outcome == "failed"
    assert seen.prefill == 401


def test_an_api_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection there is no status to tell of."""
    monkeypatch.setattr(run, "POLICY", POLICY.replace(wait_initial=0, wait_max=0))
    (told,), seen = check(KEY, "http://127.0.0.1:9", MODEL, PROBES[:1], lambda _: None)
    assert told.error == "APIConnectionError"
    assert seen.prefill is None


def test_a_prefill_that_is_accepted() -> None:
    """A model of the family that goes on with an assistant turn answers 200."""
    with StandIn() as api:
        _, seen = check(KEY, api.url, PREFILL_MODEL, (), lambda _: None)
    assert seen.prefill == 200
