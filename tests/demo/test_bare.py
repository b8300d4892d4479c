from __future__ import annotations

import pytest

from resilient_stream._demo.bare import Bare, Saw, meet
from resilient_stream._demo.run import MODEL
from resilient_stream._demo.schedule import chosen
from resilient_stream.testing import ANSWER


def met(name: str) -> Bare:
    """The bare SDK's fate with one fault."""
    (row,) = meet(chosen([name]), MODEL, patience=0.3)
    return row


@pytest.mark.parametrize(
    ("name", "saw", "error"),
    [
        ("rst_mid_chunk", "raised", "httpx2.ReadError"),
        ("clean_end_mid_block", "truncated", ""),
        ("error_event_overloaded", "raised", "anthropic.APIStatusError"),
        ("stall_mid", "raised", "httpx2.ReadTimeout"),
        ("invalid_utf8", "raised", "UnicodeDecodeError"),
    ],
)
def test_a_cut_leaves_half_a_text(name: str, saw: Saw, error: str) -> None:
    """Each of the demo's faults in mid-answer costs the bare SDK the rest of the text."""
    row = met(name)
    assert (row.fault, row.saw, row.error, row.requests) == (name, saw, error, 1)
    assert 0 < row.characters < row.of == len(ANSWER)


def test_before_the_answer_the_sdk_helps_itself() -> None:
    """An overloaded server before the first byte is what the SDK's own retries are for; they are counted."""
    row = met("s529")
    assert (row.saw, row.characters, row.requests) == ("whole", len(ANSWER), 2)


def test_a_text_that_is_not_the_authors_is_told_apart() -> None:
    """A delta that came twice ends well and is still not what was written."""
    assert met("duplicate_delta").saw == "changed"


def test_calls_before_do_not_count() -> None:
    """The call that leaves an idle connection behind is not among the requests."""
    row = met("stale_keepalive")
    assert (row.saw, row.requests) == ("whole", 1)
