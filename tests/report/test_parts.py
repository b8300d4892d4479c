"""What a report is made of."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest

from resilient_stream._report.parts import AttemptReport, FailureReport
from tests.support.reports import FAILED, attempt

HALF = "half a pair \ud83d"


@pytest.mark.parametrize("value", [HALF, 7, ["a"], {"b": HALF}, True])
def test_what_should_be_a_word_is_one_that_can_be_written(value: Any) -> None:
    """Ids and details come from outside: whatever they are, they are strings and go into UTF-8."""
    made = AttemptReport.model_validate(attempt(1, request_id=value, message_id=None))
    assert isinstance(made.request_id, str)
    assert made.message_id is None
    made.request_id.encode()
    FailureReport.model_validate({**FAILED, "detail": value}).detail.encode()


def test_usage_can_be_written_whatever_is_in_it() -> None:
    """Nested names and values too."""
    usage = {"a": 1, HALF: [HALF, {"b": HALF, "c": None}]}
    made = AttemptReport.model_validate(attempt(1, usage=usage))
    assert list(made.usage.values()) == [1, ["half a pair ?", {"b": "half a pair ?", "c": None}]]
    json.dumps(made.usage, ensure_ascii=False).encode()


def test_a_part_is_frozen() -> None:
    """What happened does not change."""
    made = AttemptReport.model_validate(attempt(1))
    with pytest.raises(pydantic.ValidationError):
        made.number = 2
