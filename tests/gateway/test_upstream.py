import httpx2
import pytest

from resilient_stream._gateway.request import Body, Incoming
from resilient_stream._gateway.upstream import AddressError, Upstream, proxy_for

from .test_request import receiving


def incoming(target: bytes = b"/v1/messages", headers: list[tuple[bytes, bytes]] | None = None) -> Incoming:
    """A request."""
    return Incoming("POST", target, [(b"host", b"localhost"), *(headers or [])])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.test",
        "ftp://api.test",
        "http://",
        "https://a:b@api.test",
        "https://api.test/?x=1",
        "http://a:b:c",
    ],
)
def test_an_address_is_a_base_url(address: str) -> None:
    """Anything else is refused, by name."""
    with pytest.raises(AddressError, match="http"):
        Upstream(address or "http")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://api.test", b"/v1/messages?beta=true"),
        ("https://api.test/", b"/v1/messages?beta=true"),
        ("https://api.test/a/b/", b"/a/b/v1/messages?beta=true"),
    ],
)
def test_paths_are_below_the_address(address: str, url: bytes) -> None:
    """With or without a slash at its end."""
    request = Upstream(address).request(incoming(b"/v1/messages?beta=true"), b"{}")
    assert request.url.raw_path == url
    assert request.url.host == "api.test"
    assert "target" not in request.extensions


def test_a_spelling_that_a_url_can_not_hold_is_sent_beside_it() -> None:
    """So that the target stays byte for byte."""
    request = Upstream("https://api.test").request(incoming(b"/a/../b?x=|"), None)
    assert request.extensions.get("target", request.url.raw_path) == b"/a/../b?x=|"


def test_lengths_are_those_of_what_is_sent() -> None:
    """A body that is held has its own; one that flows keeps the client's, or goes in chunks; none has none."""
    upstream = Upstream("http://api.test:81")
    chunked, sized = incoming(), incoming(headers=[(b"content-length", b"7")])
    body = Body(receiving())
    cases = [
        (upstream.request(chunked, b"ab"), {"host": "api.test:81", "content-length": "2"}),
        (upstream.request(sized, b"ab"), {"host": "api.test:81", "content-length": "2"}),
        (upstream.request(sized, body), {"host": "api.test:81", "content-length": "7"}),
        (upstream.request(chunked, body), {"host": "api.test:81", "transfer-encoding": "chunked"}),
        (upstream.request(chunked, None), {"host": "api.test:81"}),
    ]
    assert [dict(request.headers) for request, _ in cases] == [headers for _, headers in cases]


def test_the_environment_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the upstream's scheme; not where it is excepted, and never for this machine."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "no_proxy",
        "http_proxy",
        "https_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for(httpx2.URL("https://api.test")) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    assert proxy_for(httpx2.URL("https://api.test")) == "http://proxy.test:3128"
    assert proxy_for(httpx2.URL("http://api.test")) is None
    assert proxy_for(httpx2.URL("https://localhost:8443")) is None
    monkeypatch.setenv("NO_PROXY", "api.test")
    assert proxy_for(httpx2.URL("https://api.test")) is None
