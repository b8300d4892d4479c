from __future__ import annotations

from pathlib import Path

import pytest

from resilient_stream._demo.proxy import CuttingProxy, Snip
from resilient_stream._demo.run import Call, listen
from resilient_stream.testing import ANSWER, StandIn, Status, cut_at, refusing


@pytest.mark.parametrize(
    ("snip", "error"),
    [
        (Snip(2000, "rst"), "httpx2.ReadError"),
        (Snip(2000, "fin"), "httpx2.RemoteProtocolError"),
        (Snip(2000, "clean"), ""),
    ],
)
def test_a_snip_ends_the_body_there(snip: Snip, error: str) -> None:
    """A snip cuts the answer after its bytes, each in the way that a network does it."""
    with StandIn() as upstream, CuttingProxy(upstream.url, [snip]) as proxy:
        told = listen(Call(proxy.url))
    assert (told.error, told.stop_reason) == (error, None)
    assert 0 < len(told.text) < 500
    assert ANSWER.startswith(told.text)


def test_what_is_not_snipped_stays_whole() -> None:
    """Nothing is cut by None, by a place beyond the end, or after the last snip."""
    with StandIn() as upstream, CuttingProxy(upstream.url, [None, Snip(10**6, "rst")]) as proxy:
        assert [listen(Call(proxy.url)).text == ANSWER for _ in range(3)] == [True] * 3


def test_other_statuses_use_up_no_snip() -> None:
    """A refusal passes as it came, and the snip waits for an answer."""
    with (
        StandIn(faults=[Status(401, message="who?")]) as upstream,
        CuttingProxy(upstream.url, [Snip(2000, "clean")]) as proxy,
    ):
        refused, cut = listen(Call(proxy.url)), listen(Call(proxy.url))
    assert refused.error == "anthropic.AuthenticationError"
    assert "who?" in refused.complaint
    assert cut.stop_reason is None


def test_the_request_reaches_the_upstream_as_it_was() -> None:
    """Body and credential pass through; nothing but the encoding that is asked for is changed."""
    with StandIn() as upstream, CuttingProxy(upstream.url) as proxy:
        listen(Call(upstream.url, key="secret"))
        listen(Call(proxy.url, key="secret"))
        direct, passed = upstream.requests
    own = {"host", "accept-encoding", "connection"}
    assert passed.body == direct.body
    assert {name: value for name, value in passed.headers.items() if name not in own} == {
        name: value for name, value in direct.headers.items() if name not in own
    }
    assert passed.headers["accept-encoding"] == "identity"


def test_an_upstream_that_breaks_breaks_the_answer() -> None:
    """The proxy never makes a whole body out of half a one."""
    with StandIn(faults=[cut_at(2000)]) as upstream, CuttingProxy(upstream.url) as proxy:
        told = listen(Call(proxy.url))
    assert told.error == "httpx2.RemoteProtocolError"


def test_an_upstream_that_is_not_there_is_no_answer() -> None:
    """Without an upstream the connection ends before any head, as it would without the proxy."""
    with refusing() as nowhere, CuttingProxy(nowhere) as proxy:
        assert listen(Call(proxy.url)).error == "anthropic.APIConnectionError"


def test_a_client_that_hangs_up_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors of the connection are not printed; what else goes wrong in a thread is."""
    with CuttingProxy("http://127.0.0.1:1") as proxy:
        for act in (lambda: Path("/nowhere/gone").read_text(), lambda: 1 // 0):
            try:
                act()
            except (OSError, ZeroDivisionError):
                proxy._server.handle_error(None, ("127.0.0.1", 1))
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "FileNotFoundError" not in told


def test_whoever_listens_is_given_what_was_handed_back() -> None:
    """The request's body, the status, the headers, the body up to the cut, and whether it was cut."""
    heard: list[tuple[bytes, int, str, int, bool]] = []
    with (
        StandIn() as upstream,
        CuttingProxy(
            upstream.url,
            [Snip(2000, "clean")],
            lambda request, status, headers, body, cut: heard.append(
                (request, status, headers["request-id"], len(body), cut)
            ),
        ) as proxy,
    ):
        listen(Call(proxy.url))
        sent = upstream.requests[0].body
    assert heard == [(sent, 200, "req_0001", 2000, True)]
