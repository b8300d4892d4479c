"""The attributes of a stream: the same names and values on spans, on log records and in metrics.

The names of the semantic conventions are constants of this module, because those for generative AI still
change. A value that is not known is left out. ``docs/telemetry.md`` lists all attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from resilient_stream._core.failures import Kind, Phase
from resilient_stream._core.plan.planner import Form

from .observers import AttemptRecord, FailureRecord, GiveUpRecord, ResumeRecord, WaitRecord

SCOPE: Final = "resilient_stream"
ATTEMPT: Final = f"{SCOPE}.attempt"

KINDS: Final = {Form.FIRST: "initial", Form.RESTART: "retry"}
"""The kinds of attempts; all others are continuations."""

LONGEST_HOST: Final = 253
"""Characters of a host's name at most [RFC 1035, 2.3.4, without the dot at the end]."""

HOSTS: Final = (
    (re.compile(r"(?:^|[.-])aiplatform\.(?:[\w.-]+\.)?googleapis\.com$"), "gcp.vertex_ai"),
    (re.compile(r"(?:^|\.)bedrock-[\w.-]+$"), "aws.bedrock"),
)
"""Hosts to the conventions' names of providers; any other host is Anthropic's."""


class Url(Protocol):
    """A URL, as httpx and httpx2 have them."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...


def of_server(url: Url, provider: str | None = None) -> dict[str, Any]:
    """What is known about the server, as fields of `StreamRecord`.

    Args:
        url: where requests go.
        provider: as the SDK's own spans name it, if it is known; None to derive it from the host. For the
            SDK, Vertex is ``gcp.vertex_ai`` and Bedrock ``aws.bedrock``; Claude on Foundry and on AWS are
            ``anthropic``, because they speak its API.
    """
    host = url.host[-LONGEST_HOST:]
    by_host = (name for pattern, name in HOSTS if pattern.search(host))
    port = url.port or (80 if url.scheme == "http" else 443)
    provider = provider or next(by_host, "anthropic")
    return {"provider": provider, "server_address": url.host, "server_port": port}


def of_attempt(attempt: AttemptRecord) -> dict[str, Any]:
    """The attributes that identify an attempt."""
    kind = KINDS.get(attempt.form, "continuation")
    method = {f"{SCOPE}.continuation.method": str(attempt.form)} if kind == "continuation" else {}
    return {
        f"{ATTEMPT}.number": attempt.number,
        f"{ATTEMPT}.kind": kind,
        f"{ATTEMPT}.offset": attempt.offset,
        f"{ATTEMPT}.model": attempt.model,
        **method,
    }


def of_budget(wait: WaitRecord) -> dict[str, Any]:
    """The attributes of the retry budget: what is left of it."""
    return given({f"{SCOPE}.budget.remaining": wait.balance})


def of_answer(attempt: AttemptRecord) -> dict[str, Any]:
    """The attributes of an attempt's response."""
    return given({"http.response.status_code": attempt.status, "anthropic.request.id": attempt.request_id})


def of_fault(failure: FailureRecord) -> dict[str, Any]:
    """The attributes of a failure."""
    return {
        f"{SCOPE}.fault.kind": str(failure.kind),
        f"{SCOPE}.fault.phase": str(failure.phase),
        f"{SCOPE}.fault.in_band": failure.in_band,
        "error.type": str(failure.kind),
    }


def of_resumption(resumed: ResumeRecord) -> dict[str, Any]:
    """The attributes of an attempt that resumed the stream."""
    recovery = {f"{SCOPE}.recovery": resumed.recovery}
    if resumed.joined is None:
        return recovery
    return recovery | {
        f"{SCOPE}.seam.joined": str(resumed.joined),
        f"{SCOPE}.seam.verified": bool(resumed.verified),
        f"{SCOPE}.overlap.trimmed": resumed.trimmed,
    }


def of_giving_up(gave_up: GiveUpRecord) -> dict[str, Any]:
    """The attributes of giving up: why nothing more was tried."""
    limit = None if gave_up.limit is None else str(gave_up.limit)
    return given(
        {f"{SCOPE}.reason": gave_up.reason, f"{SCOPE}.limit": limit, "exception.type": gave_up.error}
    )


def outcome_of(attempt: AttemptRecord) -> str:
    """The outcome of an attempt: complete | interrupted | rejected | cancelled."""
    failure = attempt.failure
    if failure is None:
        return "complete"
    if failure.kind is Kind.CANCELLED:
        return "cancelled"
    refused = failure.phase is not Phase.BODY and (failure.status or 0) >= 400
    return "rejected" if refused else "interrupted"


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
