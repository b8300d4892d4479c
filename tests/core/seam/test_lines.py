"""Whether a line is over where a wrapper was cut."""

from __future__ import annotations

import pytest

from resilient_stream._core.seam.lines import LONGEST_ROW, Line, begins, by_shape

ROWS = "id,name,port\n1,Gannet,North Pier\n2,Petrel,South"


@pytest.mark.parametrize(
    ("text", "rest", "line"),
    [
        (ROWS, " Quay\n", Line.SAME),
        (ROWS, "3,Skua,East\n", Line.NEXT),
        (ROWS, "port\n", Line.UNKNOWN),
        (ROWS[:-5], "port\n", Line.SAME),
        (ROWS[:-6], ",South\n", Line.SAME),
        (ROWS, "a,b\n", Line.UNKNOWN),
        (ROWS.replace("port\n", "port,tons\n"), "3,Skua,East\n", Line.UNKNOWN),
        ("x = 1", "    y = 2", Line.NEXT),
        ("x = 1", "\ty = 2", Line.NEXT),
        ("x = 1", " + 2", Line.SAME),
        ("x = 1", "y = 2\n", Line.UNKNOWN),
        ("x = f(1)", "y = 2\n", Line.NEXT),
        ("x = f(1)", ")\n", Line.UNKNOWN),
        ("x = f(", "y)\n", Line.SAME),
        ("x = f(1, y", "z)\n", Line.SAME),
        ("x =", "y\n", Line.SAME),
        ("x;", "y\n", Line.NEXT),
        ("if x:", "y\n", Line.NEXT),
        ('  "x":', "1\n", Line.SAME),
        ("a = 1;\nb = 2;\nc", "d = 3;\n", Line.SAME),
        ("a = 1\nb = 2\nc", "d = 3\n", Line.UNKNOWN),
        ('    """', "Says so.\n", Line.SAME),
        ("+", "    x", Line.SAME),
        ('  "x": 1,', '"y": 2\n', Line.NEXT),
    ],
)
def test_indents_cells_and_signs_tell_it(text: str, rest: str, line: Line) -> None:
    """In code; what they do not tell is not known."""
    assert begins(text, rest, fenced=True, final=True) is line
    assert begins(text, rest + "x" * LONGEST_ROW, fenced=True, final=False) is not None


def test_a_row_is_waited_for() -> None:
    """It tells nothing before its end, or before it is too long for one."""
    assert by_shape(ROWS, "3,Sk", fenced=True, final=False) is None
    assert by_shape(ROWS, "3,Sk", fenced=True, final=True) is Line.UNKNOWN
    assert by_shape(ROWS, "", fenced=True, final=False) is None
    assert by_shape("x", "", fenced=True, final=True) is Line.UNKNOWN


def test_outside_of_a_fence_rows_have_several_cells() -> None:
    """A comma in each line is prose."""
    assert begins(ROWS, "3,Skua,East\n", fenced=False, final=True) is Line.NEXT
    assert begins(ROWS, "  3,Skua,East\n", fenced=False, final=True) is Line.SAME
    assert begins("Yes, he\nsaid, and\nwent, now", "so, he", fenced=False, final=True) is Line.UNKNOWN
