"""The SDK's own response around one that it has not received itself."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import APIRequest, APIResponse, AsyncAPIResponse
from anthropic._models import FinalRequestOptions

from resilient_stream._sdk.wrapped import wrapped


@pytest.mark.parametrize("wrapper", [APIResponse, AsyncAPIResponse])
def test_it_reads_as_the_call_would_have_been_read(wrapper: Any) -> None:
    """Into the same class, by the client that it is given."""
    options = FinalRequestOptions(method="post", url="/v1/messages", json_data={})
    request = APIRequest(options=options, cast_to=anthropic.types.Message, stream=False)
    sent = httpx2.Request("POST", "http://api.test/v1/messages")
    response = httpx2.Response(200, json={"type": "message", "id": "msg_1"}, request=sent)
    with anthropic.Anthropic(api_key="k", base_url="http://api.test") as client:
        made = wrapped(wrapper, response, request, client)
        assert type(made) is wrapper
        assert made.http_response is response
        if wrapper is APIResponse:
            message = made.parse()
            assert (type(message), message.id) == (anthropic.types.Message, "msg_1")
