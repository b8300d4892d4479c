import httpx2

from resilient_stream import RetryPolicy
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._gateway.door import GatewayDoor
from resilient_stream._gateway.errors import GaveUp


def door(extensions: dict[str, bytes]) -> GatewayDoor:
    """A door, and the request behind it."""
    request = httpx2.Request("POST", "https://api.test/v1/messages", content=b"{}", extensions=extensions)
    return GatewayDoor(None, request, RetryPolicy(), b"{}", healed=False)


def test_a_failure_is_raised_as_it_is() -> None:
    """With what it was noticed by."""
    failure, cause = Failure(Kind.RESET, Phase.BODY), OSError()
    made = door({})
    error = made.error_of(failure, made.stand_in_request(), cause, None)
    assert isinstance(error, GaveUp)
    assert error.failure is failure
    assert error.__cause__ is cause


def test_a_redirect_has_a_target_of_its_own() -> None:
    """The spelling that was asked for is kept for the same address, and for no other."""
    made = door({"target": b"/v1/messages?|"})
    request = made.stand_in_request()
    same = made._made(request.url, {}, b"{}", request.extensions)
    other = made._made(httpx2.URL("https://api.test/elsewhere"), {}, b"{}", request.extensions)
    assert same.extensions["target"] == b"/v1/messages?|"
    assert "target" not in other.extensions
