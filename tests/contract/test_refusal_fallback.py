"""Together with the SDK's own middleware that goes on with another model after a refusal."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from resilient_stream import ResumeMiddleware, report
from resilient_stream.testing import Reply, StandIn, Status, cut_at
from tests.support.doors import told
from tests.support.surfaces import Got, asking, beta_stream
from tests.support.worlds import HASTY, TEXT

REFUSING = "claude-fable-5"
ACCEPTING = "claude-opus-5"
sync_and_async = pytest.mark.parametrize("prefix", ["", "Async"], ids=["sync", "async"])
FAULTS: dict[str, list[Any]] = {
    "none": [],
    "before": [Status(529), None],
    "in the fallback": [None, Status(529), cut_at(1700, "rst"), Status(529)],
    "in both": [cut_at(200, "rst"), None, cut_at(1700, "fin"), cut_at(1500, "clean")],
}


def author(request: Any) -> Any:
    """One model refuses, the other answers."""
    if request["model"] == REFUSING:
        details = {"type": "refusal", "category": "cyber", "explanation": "No."}
        return Reply([], stop_reason="refusal", delta={"stop_details": details})
    return TEXT


def ask(server: StandIn, prefix: str, *, innermost: bool) -> Got:
    """Ask through both middlewares; ours is the inner or the outer one."""
    chain: list[Any] = [anthropic.BetaRefusalFallbackMiddleware([{"model": ACCEPTING}])]
    chain.insert(len(chain) if innermost else 0, ResumeMiddleware(HASTY))
    client = getattr(anthropic, f"{prefix}Anthropic")(base_url=server.url, api_key="key", middleware=chain)

    async def run() -> Got:
        try:
            return await beta_stream(client, asking(model=REFUSING))
        finally:
            await told(client.close())

    return asyncio.run(run())


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@sync_and_async
def test_inside_of_it_every_models_stream_survives(prefix: str, faults: list[Any]) -> None:
    """As the innermost, each model's stream is put together before the fallback sees it."""
    with StandIn(reply=author, faults=faults) as server:
        got = ask(server, prefix, innermost=True)
        models = [request.json["model"] for request in server.requests]
        assert models == sorted(models)
        assert server.requests[-1].status == 200
    assert got.text == TEXT
    assert report(got.source).attempts[0].model == REFUSING


@pytest.mark.parametrize("faults", [FAULTS["none"], FAULTS["before"]], ids=["none", "before"])
@sync_and_async
def test_outside_of_it_what_it_makes_passes(prefix: str, faults: list[Any]) -> None:
    """As the outer one, the fallback's stream is the one that is watched: an overload is asked again."""
    with StandIn(reply=author, faults=faults) as server:
        got = ask(server, prefix, innermost=False)
    assert got.text == TEXT
    assert report(got.source).outcome == "completed"


@sync_and_async
def test_outside_of_it_a_cut_heals_too(prefix: str) -> None:
    """The continuation is refused by the first model as the request was; the echo of the second is cut away."""
    with StandIn(reply=author, faults=[None, cut_at(1700, "rst")]) as server:
        got = ask(server, prefix, innermost=False)
        assert [request.json["model"] for request in server.requests] == [REFUSING, ACCEPTING] * 2
    assert got.text == TEXT
    assert [seam.verified for seam in report(got.source).seams] == [True]
