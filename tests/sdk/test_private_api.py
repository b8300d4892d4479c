"""What the SDK keeps private, renamed: a healthy stream still passes, and a broken one is still put together.

Each test takes one name away, as a new release of the SDK might.
"""

from __future__ import annotations

from types import CellType, SimpleNamespace
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import APIRequest
from anthropic._models import FinalRequestOptions

from resilient_stream import resilient
from resilient_stream._sdk import private_api
from resilient_stream.testing import ErrorEvent, Status, cut_at
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL, WORLDS, World, stand_in, sync_and_asyncio

REQUEST = httpx2.Request("POST", "http://api.test/v1/messages")

NAMES = (
    "SSEDecoder",
    "ServerSentEvent",
    "__closure__",
    "_client",
    "_gen_ai_provider_name",
    "_make_sse_decoder",
    "_make_status_error",
    "_make_status_error_from_response",
    "_should_retry",
    "extra_json",
)
"""All that is used of the first-party clients. (ruff sees to it that no other module uses such a name.)"""


def renamed(name: str, patch: pytest.MonkeyPatch) -> list[str]:
    """Have our module not find a name, as if the SDK called it something else; how often it looked."""
    looked: list[str] = []

    def find(thing: object, wanted: str, default: object = None) -> object:
        if wanted == name:
            looked.append(wanted)
            return default
        return getattr(thing, wanted, default)

    patch.setattr(private_api, "getattr", find, raising=False)
    return looked


ASKED: dict[str, Any] = {"model": USER_TURN_MODEL, "max_tokens": 4096, "messages": ASK}


@sync_and_asyncio
@pytest.mark.parametrize("name", NAMES)
def test_a_healthy_stream_passes(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It depends on no private name."""
    renamed(name, monkeypatch)
    with stand_in() as server:
        seen = world.stream(server.url)
    assert (seen.error, seen.text, seen.forms) == (None, TEXT, ["first"])


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is listed that nothing depends on; what is for failures is looked up at a failure."""
    looked = renamed(name, monkeypatch)
    told = ErrorEvent(after=9, error="overloaded_error")
    with stand_in(None, told, Status(529), Status(401)) as server:
        WORLDS[0].stream(server.url)
        healthy = len(looked)
        for _ in range(3):
            WORLDS[0].stream(server.url, HASTY.replace(max_attempts=1))
    assert looked
    assert (healthy == 0) is name.startswith(("_make_status", "_should"))


@sync_and_asyncio
@pytest.mark.parametrize("name", NAMES)
def test_a_cut_stream_is_put_together(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the cut: of the connection, an error in the stream, an error response."""
    renamed(name, monkeypatch)
    with stand_in(cut_at(1500, "rst"), ErrorEvent(after=9, error="overloaded_error"), Status(529)) as server:
        seen = world.stream(server.url)
    assert (seen.error, seen.text) == (None, TEXT)
    assert seen.kinds == ["reset", "overloaded", "overloaded", None]


@sync_and_asyncio
@pytest.mark.parametrize("name", NAMES)
def test_what_is_raised_is_of_the_same_class(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mid-stream, where the SDK has no part in it."""
    renamed(name, monkeypatch)
    with stand_in(ErrorEvent(after=9, error="overloaded_error")) as server:
        seen = world.stream(server.url, HASTY.replace(max_attempts=1), model=USER_TURN_MODEL)
    assert isinstance(seen.error, anthropic.OverloadedError)
    assert seen.kinds == ["overloaded"]


# -- the ways on -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (402, anthropic.APIStatusError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (409, anthropic.ConflictError),
        (413, anthropic.RequestTooLargeError),
        (422, anthropic.UnprocessableEntityError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (504, anthropic.InternalServerError),
        (529, anthropic.OverloadedError),
    ],
)
def test_the_public_class_of_a_status_is_the_fallback(status: int, wanted: type[Exception]) -> None:
    """And says what the SDK's own would say."""
    response = httpx2.Response(status, json={"error": {"type": "x"}}, request=REQUEST)
    for client in (None, object(), SimpleNamespace(_make_status_error=None)):
        error = private_api.status_error_of(client, response)
        assert isinstance(error, wanted)
        assert (error.status_code, error.body) == (status, {"error": {"type": "x"}})
        theirs = anthropic.Anthropic(api_key="k")._make_status_error_from_response(response)
        assert (str(error), isinstance(theirs, wanted)) == (str(theirs), True)


@pytest.mark.parametrize("page", ["", "<html>", "no JSON"])
def test_a_page_that_is_no_json_is_its_text(page: str) -> None:
    """As the SDK has it."""
    response = httpx2.Response(502, text=page, request=REQUEST)
    ours = private_api.status_error_of(None, response)
    theirs = anthropic.Anthropic(api_key="k")._make_status_error_from_response(response)
    assert (str(ours), ours.body) == (str(theirs), theirs.body)


def test_a_client_is_known_by_what_is_public_of_it() -> None:
    """In the closure of whatever sends the request; nothing else in there is taken for one, nor is an empty cell."""
    client, other = anthropic.Anthropic(api_key="k"), object()

    def closing() -> Any:
        def sends() -> Any:
            return (later, other, client)

        assert private_api.client_of(sends) is client
        later = 1
        return sends

    closing()
    assert private_api.client_of(lambda: other) is None
    assert private_api.client_of(len) is None


def test_what_extra_body_adds_is_a_mapping_or_nothing() -> None:
    """Where the options have no such attribute, or none of that kind, nothing is added."""
    options = FinalRequestOptions.construct(method="post", url="/v1/messages", extra_json={"top_k": 3})
    request = APIRequest(options=options, cast_to=object)
    assert private_api.extra_json(request) == {"top_k": 3}
    strange: list[Any] = [SimpleNamespace(), SimpleNamespace(extra_json=None)]
    for other in strange:
        assert private_api.extra_json(APIRequest(options=other, cast_to=object)) == {}


def test_a_client_without_a_decoder_has_none() -> None:
    """Which is found out only for a body that needs one."""
    assert private_api.sse_decoder(object()) is None
    assert private_api.sse_decoder(anthropic.Anthropic(api_key="k")) is not None


def test_bedrocks_messages_are_read_without_the_clients_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stream is as whole, healthy or cut."""
    pytest.importorskip("boto3")
    bedrock: Any = anthropic  # which does not export it by name
    monkeypatch.setattr(private_api, "sse_decoder", lambda client: None)
    known: dict[str, Any] = {"aws_region": "eu-west-1", "aws_access_key": "a", "aws_secret_key": "s"}
    for faults in ([], [cut_at(3000, "rst")]):
        with stand_in(*faults) as server:
            bare = bedrock.AnthropicBedrock(base_url=server.url, **known)
            with resilient(bare, HASTY) as client, client.messages.stream(**ASKED) as stream:
                assert stream.get_final_text() == TEXT


def test_an_empty_cell_of_a_closure_is_passed_over() -> None:
    """A handler may refer to what it is not given yet."""
    handler: Any = SimpleNamespace(__closure__=(CellType(),))
    assert private_api.client_of(handler) is None
