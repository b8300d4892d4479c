from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from resilient_stream.__main__ import main
from resilient_stream.testing import ANSWER, StandIn, Status

CHECK = ["check", "--model", "claude-sonnet-5", "--only", "prose"]


@pytest.fixture(autouse=True)
def as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment switches nothing."""
    monkeypatch.delenv("RESILIENT_STREAM", raising=False)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that the environment names as the API."""
    with StandIn() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
        yield server


def test_nothing_is_sent_before_the_cost_was_agreed_to(
    api: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --yes it says how many requests and tokens, and stops."""
    assert main(CHECK) == 2
    told = capsys.readouterr().err
    assert "about 3 requests" in told
    assert "output tokens" in told
    assert "--yes" in told
    assert not api.requests


def test_a_key_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one it says where it is looked for."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert main([*CHECK, "--yes"]) == 2
    assert "ANTHROPIC_API_KEY" in capsys.readouterr().err


def test_a_switched_library_is_not_checked(
    api: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which variable to unset, and sends nothing."""
    monkeypatch.setenv("RESILIENT_STREAM", "off")
    assert main([*CHECK, "--yes"]) == 2
    assert "RESILIENT_STREAM=off" in capsys.readouterr().err
    assert not api.requests


def test_the_table_and_the_list(api: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each prompt, a line for each statement; no text, and no key."""
    assert main([*CHECK, "--yes"]) == 0
    told = capsys.readouterr().out
    row = next(line for line in told.splitlines() if line.startswith("prose"))
    assert row.split()[2:] == ["user_turn", "echo", "yes", "completed"]
    assert "confirmed" in told
    assert "contradicted" not in told
    assert "Walk" not in told
    assert "secret" not in told


def test_texts_are_shown_only_when_asked_for(api: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """--texts shows what stands around the seam."""
    assert main([*CHECK, "--yes", "--texts"]) == 0
    assert " | " in capsys.readouterr().out


def test_json_has_no_texts_unless_asked_for(
    api: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document holds reports and findings; the texts only with --texts; '-' is the output, and then alone."""
    file = tmp_path / "check.json"
    assert main([*CHECK, "--yes", "--json", str(file)]) == 0
    document = json.loads(file.read_text())
    assert document["replies"][0]["report"]["outcome"] == "completed"
    assert "text" not in document["replies"][0]
    assert {finding["verdict"] for finding in document["findings"]} == {"confirmed", "not seen"}
    capsys.readouterr()
    assert main([*CHECK, "--yes", "--json", "-", "--texts"]) == 0
    assert json.loads(capsys.readouterr().out)["replies"][0]["text"] == ANSWER


def test_a_file_that_cannot_be_written(
    api: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named with the reason."""
    assert main([*CHECK, "--yes", "--json", str(tmp_path / "no" / "where")]) == 2
    assert "can't write" in capsys.readouterr().err


def test_a_lost_reply_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and the exception's class in the row."""
    with StandIn(always=Status(403)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        assert main([*CHECK, "--yes"]) == 1
    assert "PermissionDeniedError" in capsys.readouterr().out
