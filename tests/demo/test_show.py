from __future__ import annotations

from typing import Any

import pytest

from resilient_stream._demo import show
from resilient_stream._demo.bare import Bare
from resilient_stream._demo.run import Told
from resilient_stream._demo.screen import Screen
from resilient_stream.testing import CATALOGUE, Entry
from tests.support.reports import Output, attempt, report, seam

REPORTED: dict[str, Any] = {"usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 20}}


@pytest.fixture
def out() -> Output:
    """A pipe."""
    return Output()


@pytest.fixture
def screen(out: Output) -> Screen:
    """A screen on it."""
    return Screen(out, {})


def rows(out: Output) -> list[list[str]]:
    """The cells of each line: two blanks part them."""
    return [[cell.strip() for cell in line.split("  ") if cell] for line in out.text.splitlines()]


def test_each_attempt_is_a_row(screen: Screen, out: Output) -> None:
    """A row says what was asked, what failed and where, how it was joined, what came, and what it cost."""
    told = report(
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
        attempt(3, 5, kind="prefill", usage_source="reported", **REPORTED),
        seams=[seam(3, joined="prefill")],
        usage={"input_tokens": 30, "output_tokens": 40},
    )
    show.attempts(screen, told)
    assert rows(out)[1:5] == [
        ["1", "first", "none", "connect", "body", "-", "0", "0.0s", "-", "-"],
        ["2", "restart", "200", "overloaded", "body", "-", "7", "0.2s", "15", "~20"],
        ["3", "prefill", "200", "-", "-", "prefill \u2713", "5", "0.0s", "15", "20"],
        ["in all", "12", "0.2s", "30", "40"],
    ]


def test_what_came_in_band_says_so(screen: Screen, out: Output) -> None:
    """An error told inside a body is not shown as one of the connection."""
    failed = attempt(1)
    failed["failure"] = {"kind": "api_error", "phase": "body", "in_band": True, "detail": "api_error"}
    show.attempts(screen, report(failed))
    assert "in band" in rows(out)[1]


def test_an_unproved_seam_is_shown_as_one(screen: Screen, out: Output) -> None:
    """A join without proof carries a question mark, and the sign is explained."""
    told = report(attempt(1, 3, "reset"), attempt(2, 3), seams=[seam(2, joined="as_is", verified=False)])
    show.attempts(screen, told)
    assert "as is ?" in rows(out)[2]
    assert "? not proved" in out.text


def test_what_does_not_occur_is_not_explained(screen: Screen, out: Output) -> None:
    """Without an estimate and without a seam nothing is said of them."""
    show.attempts(screen, report(attempt(1, 3, usage_source="reported", **REPORTED)))
    assert len(rows(out)) == 3


def test_the_cost_is_compared_where_it_can_be(screen: Screen, out: Output) -> None:
    """The tokens of all attempts stand beside those of one uninterrupted call, if there was one."""
    told = Told(seconds=1.23, report=report(usage={"input_tokens": 30, "output_tokens": 40}))
    show.cost(screen, told, {"input_tokens": 10, "output_tokens": 20})
    show.cost(screen, told, None)
    assert out.text.splitlines() == [
        "Cost: 30 tokens in, 40 out, 1.2 s. Uninterrupted: 10 in, 20 out.",
        "Cost: 30 tokens in, 40 out, 1.2 s.",
    ]


def test_without_a_report_the_cost_is_nothing(screen: Screen, out: Output) -> None:
    """A call that never got as far as a request has cost nothing."""
    show.cost(screen, Told(), None)
    assert "0 tokens in, 0 out" in out.text


@pytest.mark.parametrize(
    ("told", "expected", "says"),
    [
        (Told("abc", "abc"), "abc", "3 of 3 characters, identical to the uncut answer."),
        (Told("ab", "ab"), "abc", "2 characters, not identical to the uncut answer of 3."),
        (Told("abc", "ab"), "abc", "3 characters, not identical to the uncut answer of 3."),
        (Told("ab", error="E", complaint="what"), "abc", "2 characters, then E."),
        (Told("ab", error="E"), None, "2 characters, then E."),
        (Told("ab", "ab", "end_turn"), None, "2 characters, stop reason end_turn; no uncut answer"),
    ],
)
def test_the_verdict_says_what_is_true(
    screen: Screen, out: Output, told: Told, expected: str | None, says: str
) -> None:
    """Identical is said of what was compared and is equal, and of nothing else."""
    show.verdict(screen, told, expected)
    assert f"resilient-stream: {says}" in " ".join(out.text.split("\n"))
    assert ("The exception says: what" in out.text) is bool(told.complaint)


def test_why_it_gave_up_is_told(screen: Screen, out: Output) -> None:
    """The reason of the report stands below the verdict."""
    show.verdict(screen, Told(error="E", report=report(reason="it is forbidden")), "abc")
    assert "No further attempt: it is forbidden." in out.text


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Bare("f", "a", 3, 9, "raised", "httpx2.ReadError", 1), "httpx2.ReadError"),
        (Bare("f", "a", 3, 9, "truncated", "", 1), "no error: truncated silently"),
        (Bare("f", "a", 3, 9, "changed", "", 1), "no error: the text is changed"),
        (Bare("f", "a", 9, 9, "whole", "", 1), "whole"),
        (Bare("f", "a", 9, 9, "whole", "", 2), "whole, after 1 retry of its own"),
        (Bare("f", "a", 9, 9, "whole", "", 3), "whole, after 2 retries of its own"),
    ],
)
def test_what_the_bare_sdk_saw(screen: Screen, out: Output, row: Bare, says: str) -> None:
    """A row says how much came, and how the program learnt of the rest, if it did."""
    show.bare(screen, [row])
    assert rows(out)[-1] == ["f", f"{row.characters} of 9", says]


def test_the_catalogue_has_a_line_for_each_fault(screen: Screen, out: Output) -> None:
    """Each fault has one line in a pipe, with what it is and what the bare SDK makes of it."""
    show.catalogue(screen, CATALOGUE.values())
    told = {line[0]: line[1:] for line in rows(out)[1:]}
    assert list(told) == list(CATALOGUE)
    assert told["s529"] == ["status 529", "OverloadedError"]
    assert told["clean_end_mid_block"][1] == "truncated silently"
    assert told["duplicate_delta"][1] == "text changed silently"
    assert told["crlf"] == ["CRLF line endings", "passes"]


@pytest.mark.parametrize("entries", [[], [CATALOGUE["s529"]]])
def test_marks_are_announced_only_where_they_are_shown(entries: list[Entry]) -> None:
    """A terminal is told what the marks mean; a pipe has none."""
    for terminal in (True, False):
        out = Output(terminal=terminal)
        show.opening(Screen(out, {"NO_COLOR": "1"}), entries)
        assert ("\u27eafailure\u27eb marks" in out.text) is terminal
        assert ("status 529" in out.text) is bool(entries)


def test_a_narrow_terminal_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """On 60 columns nothing runs over the edge, and what happens has room for words."""
    monkeypatch.setenv("COLUMNS", "60")
    out = Output(terminal=True)
    narrow = Screen(out, {"TERM": "dumb"})
    show.opening(narrow, list(CATALOGUE.values())[:3])
    show.catalogue(narrow, CATALOGUE.values())
    assert max(map(len, out.text.splitlines())) <= 60
    assert "silence inside the" in out.text
