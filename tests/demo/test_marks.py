from __future__ import annotations

from resilient_stream._demo.marks import Mark, Marker
from tests.support.reports import attempt, report


def test_a_text_without_failures_has_no_marks() -> None:
    """As long as nothing failed, each piece comes back as it is."""
    marker = Marker()
    assert list(marker.split("abc", report(attempt(1)))) == ["abc"]
    assert list(marker.rest(report(attempt(1, 3)))) == []


def test_without_a_report_there_are_no_marks() -> None:
    """A stream of the bare SDK has no report, and so no marks."""
    marker = Marker()
    assert [*marker.split("abc", None), *marker.rest(None)] == ["abc"]


def test_a_mark_stands_behind_the_last_character_of_what_broke() -> None:
    """The mark comes before the first character that follows the failed attempt's own."""
    marker = Marker()
    assert list(marker.split("abc", report(attempt(1)))) == ["abc"]
    told = report(attempt(1, 3, "reset"), attempt(2))
    assert list(marker.split("def", told)) == [Mark(("reset",)), "def"]
    assert list(marker.split("ghi", told)) == ["ghi"]


def test_a_mark_may_stand_inside_a_piece() -> None:
    """Where a failed attempt's last characters came in the same piece as what follows, the piece is cut."""
    told = report(attempt(1, 2, "reset"), attempt(2))
    assert list(Marker().split("abc", told)) == ["ab", Mark(("reset",)), "c"]


def test_failures_at_one_place_share_a_mark() -> None:
    """Attempts that brought nothing stand in the mark of the one before them."""
    told = report(attempt(1, 0, "overloaded"), attempt(2, 1, "reset"), attempt(3, 0, "connect"), attempt(4))
    assert list(Marker().split("ab", told)) == [
        Mark(("overloaded",)),
        "a",
        Mark(("reset", "connect")),
        "b",
    ]


def test_a_failure_that_no_text_followed_is_marked_at_the_end() -> None:
    """If only the ending was lost, or nothing more could be done, the mark stands behind all text."""
    marker = Marker()
    told = report(attempt(1, 3, "truncated"), attempt(2))
    assert list(marker.split("abc", told)) == ["abc"]
    assert list(marker.rest(told)) == [Mark(("truncated",))]
    assert list(marker.rest(told)) == []


def test_a_mark_is_never_put_into_text_that_is_written_already() -> None:
    """A failure that is told late is marked where the text stands."""
    marker = Marker()
    assert list(marker.split("abcd", report(attempt(1)))) == ["abcd"]
    told = report(attempt(1, 2, "reset"), attempt(2))
    assert list(marker.split("ef", told)) == [Mark(("reset",)), "ef"]
