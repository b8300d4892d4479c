import pytest

from resilient_stream._gateway.admission import LOOPBACK, admit, host_of
from resilient_stream._gateway.errors import Refused
from resilient_stream._gateway.request import Incoming


def incoming(host: str, target: bytes = b"/v1/messages", method: str = "POST") -> Incoming:
    """A request to a host."""
    return Incoming(method, target, [(b"host", host.encode())])


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:80", "127.0.0.1:8642", "[::1]", "[::1]:8642", "LocalHost."]
)
def test_this_machine_is_let_in(host: str) -> None:
    """By any of its names, with any port, in any case."""
    admit(incoming(host), LOOPBACK)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "localhost:80:80",
        "127.0.0.1.evil.example",
        "[::1",
        "localhost, evil.example",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    """Whatever they begin with."""
    with pytest.raises(Refused) as refused:
        admit(incoming(host), LOOPBACK)
    assert refused.value.status == 403


def test_any_name_is_let_in_where_others_decide() -> None:
    """Without a list."""
    admit(incoming("evil.example"), None)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", b"http://evil.example/"),
        ("CONNECT", b"evil.example:443"),
        ("OPTIONS", b"*"),
        ("CONNECT", b"/"),
    ],
)
def test_no_other_host_is_asked(method: str, target: bytes) -> None:
    """A target is a path."""
    with pytest.raises(Refused) as refused:
        admit(incoming("localhost", target, method), None)
    assert refused.value.status == 400


def test_a_port_is_no_part_of_a_host() -> None:
    """Only what is a port is cut."""
    assert [host_of(name) for name in ("A:1", "a:b", "[::1]:2", "[::1]", "a.:1")] == [
        "a",
        "a:b",
        "[::1]",
        "[::1]",
        "a",
    ]
