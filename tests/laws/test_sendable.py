"""What a stranger writes into any field of a turn can be sent back: by a continuation, as ``partial``, as history.

Half of a surrogate pair, NaN, infinity, a number of thousands of digits or JSON of any depth is put in place of each
field of each block: the title of a search result, a citation, a thought, the input of a tool.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream import resilient, sendable
from tests.laws.sizes import EXAMPLES
from tests.laws.test_hostile import ASK, HEALTHY, POLICIES, check
from tests.support.hostile import PLACE, Answer
from tests.support.mutations import BETA, STREAMS, changed, events_of, places

UNSENDABLE = [
    *('"\\ud83d"', '"a \\ud83d b"', '"\\udc00"', '"\\ud83d\\ud83d\\ude00"', '{"\\ud83d": 1, "\\udc00": 2}'),
    *("NaN", "Infinity", "-Infinity", "1e999", '[{"a": NaN}]', '{"a": ["\\udfff", -1e999]}'),
    *("1" + "0" * 400, "9" * 5000, '"\\u0000"', '"\\\\ud83d"', "[" * 190 + "]" * 190, "[" * 250 + "]" * 250),
    *("[" * 200_000 + "]" * 200_000, '{"a":' * 195 + "NaN" + "}" * 195),
]
"""JSON as Python reads it, or nearly, that can't be written into a request as it is, or can't be parsed."""

Payloads = list[tuple[str, Any, bytes]]


def spelt(payload: Any, path: tuple[Any, ...], value: str) -> bytes:
    """An event with a value at a place, which is spelt by hand."""
    return json.dumps(changed(payload, path, PLACE)).replace(f'"{PLACE}"', value).encode()


def fields(events: Payloads) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Every field of the content, by the number of its event. That of a tool's input is in the first delta of it."""
    for at, (name, payload, _) in enumerate(events):
        if payload is None or not name.startswith("content_block_"):
            continue
        if payload.get("delta", {}).get("type") == "input_json_delta":
            written = whole_input(events, at)
            inside = places(json.loads(written)) if written[-1:] == "}" else ()
            yield from ((at, ("input", *path)) for path in inside)
        else:
            yield from ((at, path) for path in places(payload) if path[-1] not in ("type", "index"))


def whole_input(events: Payloads, at: int) -> str:
    """The input of which the delta there is the first; nothing if it is none."""
    if events[at - 1][0] != "content_block_start":
        return ""
    behind = events[at : next(n for n in range(at, len(events)) if events[n][0] == "content_block_stop")]
    return "".join(each["delta"]["partial_json"] for _, each, _ in behind if each and "delta" in each)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Answer]:
    """The name of a healthy stream, and the stream with one field that can't be sent; cut behind it, or whole."""
    name = draw(st.sampled_from(sorted(STREAMS)))
    events = events_of(STREAMS[name])
    frames = [frame for _, _, frame in events]
    if found := list(fields(events)):
        at, path = draw(st.sampled_from(found))
        kind, payload, _ = events[at]
        value = draw(st.sampled_from(UNSENDABLE))
        if path[0] == "input":
            end = next(n for n in range(at, len(events)) if events[n][0] == "content_block_stop")
            written = spelt(json.loads(whole_input(events, at)), path[1:], value).decode()
            size = max(draw(st.sampled_from([5, 7, 10**6])), len(written) // 100)
            cut = [written[start : start + size] for start in range(0, len(written), size)]
            one = b"event: %s\ndata: %s\n\n"
            frames[at:end] = [
                one % (kind.encode(), spelt(payload, ("delta", "partial_json"), json.dumps(piece)))
                for piece in cut
            ]
        else:
            frames[at] = b"event: %s\ndata: %s\n\n" % (kind.encode(), spelt(payload, path, value))
    whole = draw(st.booleans())
    kept = len(frames) if whole else draw(st.integers(1, len(frames)))
    return name, Answer(200, HEALTHY.headers, b"".join(frames[:kept]), breaks=not whole)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK's models, which hold what came
@settings(max_examples=3 * EXAMPLES)
@given(spoilt(), st.sampled_from(POLICIES), st.booleans())
def test_what_was_received_can_be_sent(stream: tuple[str, Answer], policy: Any, assembled: bool) -> None:
    """Each continuation is written as UTF-8 and strict JSON; so are ``partial`` and the message, sent back with the
    next question. What leaves is an exception of the SDK's."""
    name, first = stream
    waiting = [first]

    def answer(request: httpx2.Request) -> httpx2.Response:
        json.loads(request.read().decode(), parse_constant=pytest.fail)
        return (waiting.pop() if waiting else HEALTHY).response()

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = resilient(anthropic.Anthropic(api_key="k", http_client=http, max_retries=0), policy)
        messages: Any = client.beta.messages if name in BETA else client.messages
        ask = {**ASK}
        del ask["stream"]
        source: Any = None
        content: Any = []
        try:
            if assembled:
                with messages.stream(**ask) as source:
                    content = source.get_final_message().content
            else:
                with messages.create(**ASK) as source:
                    for _ in source:
                        pass
        except anthropic.APIError as error:
            source = error
        check(source)
        if content:
            turns = [*ASK["messages"], {"role": "assistant", "content": content}]
            history = sendable([*turns, {"role": "user", "content": "Go on."}])
            messages.create(**{**ASK, "messages": history}).close()
