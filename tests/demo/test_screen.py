from __future__ import annotations

import pytest

from resilient_stream._demo.marks import Mark
from resilient_stream._demo.screen import ASCII, SIGNS, Screen
from tests.support.reports import Output

TERMINAL = {"TERM": "xterm"}


def drawn(out: Output, environ: dict[str, str]) -> str:
    """One of everything on such a screen."""
    screen = Screen(out, environ)
    screen.line("a line", "bold")
    screen.rule()
    screen.mark(Mark(("reset", "connect")))
    table = screen.table()
    table.add_column("fault")
    table.add_column("characters", justify="right")
    table.add_row("ok", "12")
    screen.show(table)
    return out.text


def test_a_terminal_gets_colours_marks_and_lines() -> None:
    """A terminal sees what it can show."""
    text = drawn(Output(terminal=True), TERMINAL)
    assert "\x1b[1;35m\u27eareset, connect\u27eb\x1b[0m" in text
    assert "\x1b[1ma line\x1b[0m" in text
    assert "\u2500" in text


@pytest.mark.parametrize("environ", [{"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escape_codes_where_none_are_wanted(environ: dict[str, str]) -> None:
    """NO_COLOR and a dumb terminal keep the marks and lose every escape code."""
    text = drawn(Output(terminal=True), environ)
    assert "\u27eareset, connect\u27eb" in text
    assert "\x1b" not in text


def test_an_empty_no_color_means_nothing() -> None:
    """NO_COLOR counts when it is not empty, as its definition says."""
    assert Screen(Output(terminal=True), {"NO_COLOR": ""}).colours


def test_a_pipe_gets_plain_aligned_text() -> None:
    """In a pipe there are no marks, no colours, no boxes, and no blanks at line ends."""
    text = drawn(Output(), TERMINAL)
    _line, rule, *table = text.splitlines()
    assert set(rule) == {"\u2500"}
    assert table == ["fault  characters", "ok             12"]


def test_a_pipe_has_no_edge() -> None:
    """A table's line is not folded where nobody's window ends."""
    out = Output()
    screen = Screen(out, {})
    table = screen.table(heads=False)
    table.add_row("x" * 120, "y")
    screen.show(table)
    assert out.text == "x" * 120 + "  y\n"


def test_sentences_are_folded() -> None:
    """The demo's own sentences fit on eighty columns."""
    out = Output()
    Screen(out, {}).line("word " * 40)
    assert max(map(len, out.text.splitlines())) < 80


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_ascii_stands_in(encoding: str) -> None:
    """Where the encoding lacks the signs, ASCII says the same."""
    out = Output(encoding=encoding, terminal=True)
    assert Screen(out, TERMINAL).signs is ASCII
    text = drawn(out, TERMINAL)
    assert "<<reset, connect>>" in text
    assert text.isascii()
    assert Screen(Output(), TERMINAL).signs is SIGNS


def test_an_encoding_that_nobody_knows_is_taken_for_ascii() -> None:
    """A stream that does not tell its encoding gets ASCII."""

    class Odd(Output):
        encoding = "no-such-encoding"

    assert Screen(Odd(), {}).signs is ASCII
