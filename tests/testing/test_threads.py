"""Message threads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resilient_stream.testing import Cut, Fault, Status
from resilient_stream.testing.endpoint import Endpoint
from tests.support.stand_ins import ASK, TEXT, Heard, ask, endpoint, request

LOOK_UP = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
RESULT = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}]}]
CREATE = {"type": "create"}


def caller(*faults: Fault | None) -> Endpoint:
    """One that calls a tool once, then speaks."""

    def author(said: dict[str, Any]) -> Any:
        return TEXT if said["messages"][-1] in RESULT else [LOOK_UP]

    return endpoint(reply=author, faults=faults)


def go_on(point: Endpoint, name: str) -> Heard:
    """Send the tool's result, and nothing else, behind an answer."""
    thread = {"type": "continue", "previous_message_id": name}
    return ask(point, request(RESULT, thread=thread))[0]


def name_of(answer: Heard) -> str:
    """The id of an answer."""
    return str(json.loads(answer.body)["id"])


def test_a_thread_remembers() -> None:
    """What was said before need not be said again, and nothing that belongs together is refused."""
    point = caller()
    first, _ = ask(point, request(thread=CREATE, tools=[{"name": "look_up", "input_schema": {}}]))
    second = go_on(point, name_of(first))
    assert json.loads(second.body)["content"] == [{"type": "text", "text": TEXT}]
    assert point.received[-1].json["messages"] == RESULT  # recorded as it came
    assert go_on(point, name_of(first)).status == 200
    assert go_on(point, name_of(second)).status == 400  # the result belongs to no call by now


@pytest.mark.parametrize("faults", [(Cut(),), (Status(529),)])
def test_an_answer_that_met_a_fault_is_not_held(faults: tuple[Fault, ...]) -> None:
    """Who continues it is told so in the words that the SDK understands."""
    point = caller(*faults)
    ask(point, request(thread=CREATE, stream=True))
    answer = go_on(point, f"msg_01StandIn{1:014d}")
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["details"] == {"error_code": "thread_not_found"}
    assert point.received[-1].rule == "thread"


def test_without_a_thread_nothing_is_held() -> None:
    """A message that asked for no thread can't be continued as one."""
    point = caller()
    first, _ = ask(point, request(ASK))
    assert go_on(point, name_of(first)).status == 404
