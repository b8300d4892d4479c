"""The command that shows a journal."""

from __future__ import annotations

from pathlib import Path

import anthropic
import pytest

from resilient_stream import resilient
from resilient_stream.__main__ import main
from resilient_stream._journal.entries import Opening
from resilient_stream.journal import Journal, journaled
from resilient_stream.testing import StandIn, cut_at
from tests.support.worlds import ASK, HASTY, TEXT, USER_TURN_MODEL


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A journal with a stream that was cut and is complete, one that is abandoned, and one that has expired."""
    made = f"sqlite:///{tmp_path}/j.db"
    with StandIn(reply=TEXT, faults=[cut_at(1500)]) as server, Journal(made) as journal:
        with resilient(
            anthropic.Anthropic(base_url=server.url, api_key="k"), HASTY, journal=journal
        ) as client:
            for key in ("done", "old"):
                with journaled(key):
                    client.messages.stream(
                        model=USER_TURN_MODEL, max_tokens=4096, messages=ASK
                    ).__enter__().until_done()
        journal.store.expire("old")
        begun = Opening("0123456789ab", b'{"headers":{},"body":{"model":"m"}}')
        journal.store.claim("gone", "elsewhere", 0.0, opening=begun)
    return made


def test_streams_are_listed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All, or those that are named."""
    assert main(["journal", "ls", url]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[-1]) for row in rows[1:]] == [
        ("complete", "done"),
        ("expired", "old"),
        ("abandoned", "gone"),
    ]
    assert main(["journal", "ls", url, "done"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_stream_is_shown(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What ran, what it cost, where it was cut; no content."""
    assert main(["journal", "show", url, "done", "old", "gone"]) == 0
    shown = capsys.readouterr().out
    assert "done: complete" in shown and "old: expired" in shown and "gone: running" in shown
    assert (
        "attempt 1 (first, claude-sonnet-5): " in shown
        and "attempt 2 (user_turn, claude-sonnet-5): whole" in shown
    )
    assert "cut and joined at " in shown and "output_tokens" in shown
    assert TEXT[:20] not in shown and "tides" not in shown


def test_a_stream_is_read(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As its readers get it."""
    assert main(["journal", "read", url, "done"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("event: message_start\n") and out.endswith('{"type":"message_stop"}\n\n')


def test_a_stream_is_removed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not there is said."""
    assert main(["journal", "rm", url, "done", "nothing"]) == 1
    assert capsys.readouterr().err == "there is no stream 'nothing'\n"
    assert main(["journal", "read", url, "done"]) == 1


def test_what_is_no_journal_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By a sentence and status 2."""
    (tmp_path / "x").write_text("no journal" * 1000)
    assert main(["journal", "ls", f"sqlite:///{tmp_path}/x"]) == 2
    assert main(["journal", "ls", "x"]) == 2
    assert "not an SQLite database" in capsys.readouterr().err
