"""What goes along where a report, or an exception that has one, is copied, pickled or written down."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from resilient_stream import report
from resilient_stream.testing import Fault, RetryAfter, cut_at
from tests.support.worlds import HASTY, TEXT, World, stand_in

COPIED = "__reduce__" in vars(anthropic.AnthropicError)
"""Whether the SDK's exceptions can be copied and pickled at all: those of 1.0 can't."""


def through_pickle(value: Any) -> Any:
    """As `multiprocessing` or a task queue has it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 -- our own bytes


def failed(fault: Fault) -> Exception:
    """The exception of a stream that always meets a fault."""
    with stand_in(always=fault) as server:
        seen = World("sync").stream(server.url, HASTY.replace(max_attempts=2))
    assert seen.error is not None
    return seen.error


@pytest.mark.skipif(not COPIED, reason="exceptions of the SDK that can't be copied")
@pytest.mark.parametrize(
    "fault", [RetryAfter(429, seconds=3600), cut_at(1500, "rst")], ids=["before", "within"]
)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, through_pickle])
def test_an_exception_takes_its_report_along(fault: Fault, copied: Callable[[Any], Any]) -> None:
    """The report and the note are on every copy; the partial is on those that stay in memory."""
    error = failed(fault)
    told, again = report(error), copied(error)
    assert type(again) is type(error)
    assert (str(again), again.__notes__) == (str(error), error.__notes__)
    assert report(again).model_dump() == told.model_dump()
    assert report(again).partial == (None if copied is through_pickle else told.partial)


@pytest.mark.skipif(not COPIED, reason="exceptions of the SDK that can't be copied")
def test_what_a_pickled_exception_has_of_ours_is_no_content() -> None:
    """The SDK's exception holds the request; nothing of the reply is added to it."""
    error = failed(cut_at(1500, "rst"))
    kept = report(error).partial
    assert kept is not None
    assert kept["content"][0]["text"][:20] == TEXT[:20]
    assert TEXT[:20].encode() not in pickle.dumps(error)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda told: told.model_copy(deep=True)])
def test_a_copied_report_keeps_its_partial(copied: Callable[[Any], Any]) -> None:
    """Only pickles leave it out."""
    told = report(failed(cut_at(1500, "rst")))
    assert told.partial is not None
    assert copied(told).partial == told.partial
    assert through_pickle(told).partial is None
