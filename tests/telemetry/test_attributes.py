"""What is told of a stream by name, and the page that says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import pytest

from resilient_stream._core.failures import Kind, Phase
from resilient_stream._core.record.lifecycle import FailureRecord
from resilient_stream._sdk.private_api import provider_name
from resilient_stream._telemetry.attributes import of_server, outcome_of

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()

CLIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "Anthropic": ({}, "anthropic"),
    "AnthropicVertex": ({"project_id": "p", "region": "eu-west1", "access_token": "t"}, "gcp.vertex_ai"),
    "AnthropicBedrock": (
        {"aws_region": "eu-west-1", "aws_access_key": "a", "aws_secret_key": "s"},
        "aws.bedrock",
    ),
    "AnthropicBedrockMantle": ({"aws_region": "eu-west-1"}, "aws.bedrock"),
    "AnthropicFoundry": ({"resource": "r"}, "anthropic"),
    "AnthropicAWS": ({"aws_region": "eu-west-1", "workspace_id": "w"}, "anthropic"),
}
"""Client classes, what they want to know, and who answers, as the SDK's own spans have it."""


def client_of(name: str, **options: Any) -> Any:
    """A client of that class; each but those with credentials of their own has a key."""
    known = {} if name == "AnthropicFoundry" and options else CLIENTS[name][0]
    key = {} if {"access_token", "aws_access_key"} & known.keys() else {"api_key": "key"}
    return getattr(anthropic, name)(**known, **key, **options)


@pytest.mark.parametrize("name", CLIENTS)
def test_the_provider_is_the_sdks(name: str) -> None:
    """By the host alone as by the client, so that both spans of a trace say the same, also behind a gateway."""
    client, wanted = client_of(name), CLIENTS[name][1]
    own = of_server(client.base_url, provider_name(client))
    assert own == {"provider": wanted, "server_address": client.base_url.host, "server_port": 443}
    assert of_server(client.base_url) == own
    if hasattr(client, "_gen_ai_provider_name"):  # an SDK that has spans
        assert client._gen_ai_provider_name == wanted
        behind = client_of(name, base_url="http://gateway.test")
        assert of_server(behind.base_url, provider_name(behind))["provider"] == wanted


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("aiplatform.us.rep.googleapis.com", "gcp.vertex_ai"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
        ("vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "aws.bedrock"),
        ("s3.eu-west-1.amazonaws.com", "anthropic"),
        ("aiplatform.googleapis.com.evil.test", "anthropic"),
        ("", "anthropic"),
    ],
)
def test_a_host_is_known_by_its_name(host: str, provider: str) -> None:
    """Regions, other clouds' partitions and private endpoints of one provider are that provider's."""
    assert of_server(httpx2.URL(scheme="https", host=host))["provider"] == provider


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://h/v1", 80), ("https://h/v1", 443), ("http://h:8080", 8080), ("https://h:80", 80)],
)
def test_the_port_is_the_schemes_unless_it_is_given(url: str, port: int) -> None:
    """As the conventions have it."""
    assert of_server(httpx2.URL(url))["server_port"] == port


@pytest.mark.parametrize(
    ("kind", "phase", "status", "outcome"),
    [
        (Kind.OVERLOADED, Phase.HEADERS, 529, "rejected"),
        (Kind.REJECTED, Phase.HEADERS, 400, "rejected"),
        (Kind.PROTOCOL, Phase.HEADERS, 200, "interrupted"),
        (Kind.RESET, Phase.HEADERS, None, "interrupted"),
        (Kind.OVERLOADED, Phase.BODY, 529, "interrupted"),
        (Kind.CANCELLED, Phase.HEADERS, None, "cancelled"),
    ],
)
def test_an_attempt_is_rejected_by_an_error_status_alone(
    kind: Kind, phase: Phase, status: int | None, outcome: str
) -> None:
    """A 200 that is no event stream, and an error told within a body, are interruptions."""
    failure = FailureRecord(kind, phase, False, "", status, None)
    attempt: Any = SimpleNamespace(failure=failure)
    assert outcome_of(attempt) == outcome
