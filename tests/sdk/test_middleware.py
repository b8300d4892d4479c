"""The middleware by itself: which requests it acts on, under which policy, and how a client gets it."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic import APIRequest
from anthropic._models import FinalRequestOptions

from resilient_stream import ResumeMiddleware, RetryPolicy, resilient
from tests.support.worlds import CUT_HISTORY, HASTY


@pytest.mark.parametrize(
    ("url", "healed", "resumed"),
    [
        ("/v1/messages", True, True),
        ("/v1/messages?beta=true", True, True),
        ("https://proxy.test/anthropic/v1/messages?beta=true", True, True),
        ("/v1/messages/count_tokens", True, False),
        ("/v1/messages/count_tokens?beta=true", True, False),
        ("https://proxy.test/anthropic/v1/messages/count_tokens", True, False),
        ("/v1/messages/batches", False, False),
        ("/v1/messages/batches?beta=true", False, False),
        ("/v1/messages/batches/msgbatch_1/results", False, False),
        ("/v1/sessions/s_1/events?beta=true", False, False),
        ("/v1/complete", False, False),
        ("/v1/files?next=/v1/messages", False, False),
    ],
)
def test_where_history_is_healed_and_streams_are_resumed(url: str, healed: bool, resumed: bool) -> None:
    """Where messages are created or counted, however the path is written; nowhere else."""
    options = FinalRequestOptions.construct(method="post", url=url, json_data={"messages": CUT_HISTORY})
    request = APIRequest(options=options, cast_to=object, stream=True, stream_cls=None, retries_taken=0)
    sent, context = ResumeMiddleware(HASTY)._begin(request, None)
    assert (sent is not request, context is not None) == (healed, resumed)


def test_resilient_twice_replaces_the_policy() -> None:
    """A resilient client made resilient again has one layer, with the new policy."""
    client = resilient(resilient(anthropic.Anthropic(api_key="key")), RetryPolicy(max_attempts=3))
    (layer,) = client.middleware
    assert layer.policy.max_attempts == 3  # type: ignore[union-attr]  # it is ours


def test_the_environment_outranks_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """``RESILIENT_STREAM=off`` switches without a change of code."""
    monkeypatch.setenv("RESILIENT_STREAM", "off")
    assert resilient(anthropic.Anthropic(api_key="key")).middleware == ()
    assert ResumeMiddleware().policy.enabled is False


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (anthropic.Anthropic, r"not its class: resilient\(Anthropic\(\.\.\.\)\)"),
        (anthropic.AsyncAnthropic, r"not its class: resilient\(AsyncAnthropic\(\.\.\.\)\)"),
        ("https://api.anthropic.com", "should be a client of the anthropic SDK; not str"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_client_is_refused(client: Any, said: str) -> None:
    """At once, and the message says what should have been given."""
    with pytest.raises(TypeError, match=said):
        resilient(client)
