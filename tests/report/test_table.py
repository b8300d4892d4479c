"""A report as a person reads it."""

from __future__ import annotations

from typing import Any

from resilient_stream._report.table import ESTIMATE, Table, summary, tokens
from tests.support.reports import attempt, report, seam

REPORTED: dict[str, Any] = {"usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 20}}
TOLD = report(
    attempt(1, failure="connect", status=None),
    attempt(
        2,
        7,
        "overloaded",
        kind="restart",
        wait=0.25,
        usage_source="estimated",
        estimated=["output_tokens"],
        **REPORTED,
    ),
    attempt(3, 5, kind="user_turn", usage_source="reported", **REPORTED),
    seams=[seam(3, joined="echo_only", verified=False)],
    usage={"input_tokens": 30, "output_tokens": 40},
    outcome="finished_with_tools",
    abandoned=[0, 2],
)


def test_a_report_is_printed_as_a_table() -> None:
    """The outcome, a row for each attempt with its columns under their heads, the sums, and what was cut off."""
    assert str(TOLD) == (
        "finished with tools\n"
        "#  request    status  failure     where  seam                  chars  wait  in  out\n"
        "1  first      none    connect     body   -                         0  0.0s   -    -\n"
        "2  restart    200     overloaded  body   -                         7  0.2s  15  ~20\n"
        "3  user turn  200     -           -      echo only not proved      5  0.0s  15   20\n"
        "   in all                                                         12  0.2s  30   40\n"
        f"{ESTIMATE}\n"
        "content blocks cut off and never completed: 0, 2"
    )


def test_waiting_for_a_turn_stands_beside_the_wait() -> None:
    """In brackets, as the part of it that it is."""
    assert "12.3s (11.0s queued)" in str(report(attempt(1, 7, wait=12.3, queued=11.0)))


def test_an_in_band_error_is_not_shown_as_one_of_the_connection() -> None:
    """Though it came in the body."""
    failed = attempt(1)
    failed["failure"] = {"kind": "api_error", "phase": "body", "in_band": True, "detail": "api_error"}
    assert Table(report(failed).attempts, [], {}).rows[0][3:5] == ("api_error", "in band")


def test_what_the_api_said_of_a_rejection_is_shown() -> None:
    """Behind the table, by the number of the attempt."""
    denied = attempt(2, failure="rejected")
    denied["failure"] = {**denied["failure"], "said": "No credit."}
    told = report(attempt(1, failure="reset"), denied, abandoned=[0])
    assert str(told).splitlines()[-2:] == [
        "said of attempt 2: 'No credit.'",
        "content blocks cut off and never completed: 0",
    ]


def test_what_does_not_occur_is_not_explained() -> None:
    """No estimate, no block cut off, no reason: nothing is said of them. Without an attempt there is no table."""
    plain = report(attempt(1, 3, usage_source="reported", **REPORTED), outcome="completed")
    assert str(plain).splitlines()[0] == "completed"
    assert len(str(plain).splitlines()) == 4
    assert str(report()) == "running"


def test_why_nothing_more_was_tried_stands_in_the_first_line() -> None:
    """Behind the outcome."""
    assert summary("failed", "the deadline is near", [], Table([], [], {})) == "failed: the deadline is near"


def test_no_line_is_long() -> None:
    """However many attempts: a terminal of 110 columns shows a row as a row; `repr` has the rest."""
    many = report(
        *(attempt(number, 10**6, "rate_limited", wait=60.0, **REPORTED) for number in range(1, 17)),
        seams=[seam(number, joined="echo_only", verified=False) for number in range(2, 17)],
    )
    assert max(map(len, str(many).splitlines())) <= 110
    assert "request_id" in repr(many)
    assert "request_id" not in str(many)


def test_cached_tokens_are_input_too() -> None:
    """Read from the cache or written to it; what is null counts as nothing."""
    usage: dict[str, Any] = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": None,
    }
    assert tokens(usage) == (3, 0)
