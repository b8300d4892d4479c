from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from resilient_stream.__main__ import main
from resilient_stream._demo import command
from resilient_stream._demo.run import Told
from resilient_stream._demo.schedule import DEFAULT
from resilient_stream.testing import ANSWER, StandIn

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def demo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the demo with arguments; the exit status and what it printed."""
    for name in ("RESILIENT_STREAM", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["demo", "--fast", *arguments])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


def test_the_demo_survives_its_faults(demo: Run) -> None:
    """The whole answer is printed and said to be identical; each fault has its two rows. In a pipe these come first,
    where a reader looks for them."""
    status, text = demo()
    assert status == 0
    tables, _, rest = text.partition(ANSWER)
    assert rest == "\n"
    assert f"{len(ANSWER)} of {len(ANSWER)} characters, identical to the uncut answer." in text
    assert all(f"\n{name} " in tables for name in DEFAULT)
    for kind in ("overloaded", "reset", "truncated", "silent", "corrupt"):
        assert kind in tables
    assert "no error: truncated silently" in tables


@pytest.mark.parametrize("model", ["claude-sonnet-5", "claude-haiku-4-5"])
@pytest.mark.parametrize("client", ["sync", "async"])
def test_the_model_decides_how_it_goes_on(demo: Run, client: str, model: str) -> None:
    """A model that accepts a prefill is continued by one, any other by a user turn; either client."""
    how = ["--async"] if client == "async" else []
    status, text = demo("--json", "--fault", "rst_mid_chunk", "--model", model, *how)
    document = json.loads(text)
    kinds = [attempt["kind"] for attempt in document["report"]["attempts"]]
    assert (status, kinds[1]) == (0, "prefill" if "haiku" in model else "user_turn")


def test_json_is_one_document(demo: Run) -> None:
    """With --json a program can read all that a person would see, and nothing else is printed."""
    status, text = demo("--json", "--fault", "s529", "--fault", "clean_end_mid_block")
    document: dict[str, Any] = json.loads(text)
    assert status == 0
    assert document["text_identical"] is True
    assert document["characters"] == document["of"] == len(ANSWER)
    assert document["stop_reason"] == "end_turn"
    assert document["error"] is None
    assert document["uninterrupted"]["output_tokens"] > 0
    assert [row["saw"] for row in document["bare"]] == ["whole", "truncated"]
    assert [row["error"] for row in document["bare"]] == [None, None]
    assert [each["kind"] for each in document["report"]["attempts"]] == ["first", "restart", "user_turn"]


def test_a_text_that_is_not_whole_is_no_success(demo: Run) -> None:
    """What no retry can help ends with status 1, the exception and the reason."""
    status, text = demo("--fault", "s401")
    assert status == 1
    assert "0 characters, then anthropic.AuthenticationError." in text
    assert "No further attempt:" in text


def test_faults_between_calls_are_met(demo: Run) -> None:
    """A fault that needs a call before gets one."""
    status, text = demo("--json", "--fault", "keepalive_race")
    document = json.loads(text)
    assert (status, document["text_identical"]) == (0, True)
    assert [each["status"] for each in document["report"]["attempts"]] == [None, 200]


def test_the_catalogue_is_listed(demo: Run) -> None:
    """--list shows and does nothing else."""
    status, text = demo("--list")
    assert status == 0
    assert "clean_end_mid_block" in text
    assert "tides" not in text


def test_marks_are_for_terminals(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a mark stands at each seam; without the marks the text is the author's."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    status, text = demo("--fault", "rst_mid_chunk", "--fault", "clean_end_before_message_stop")
    assert status == 0
    assert text.count("\u27ea") == 2  # one of them in the legend
    opening, _, tables = text.replace("\u27eareset\u27eb", "").partition(ANSWER)
    assert "status" not in opening
    assert "status" in tables


def test_live_needs_a_key(demo: Run) -> None:
    """Without a key --live says in one sentence what is missing."""
    status, text = demo("--live")
    assert (status, text.count("\n")) == (2, 1)
    assert "ANTHROPIC_API_KEY" in text


def test_live_claims_no_more_than_it_knows(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real answer is compared with nothing, priced against nothing, and asked for once."""
    with StandIn() as api:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        status, text = demo("--live")
        asked = len(api.requests)
        told, document = demo("--live", "--json")
    assert (status, told, asked) == (0, 0, 4)
    assert "no uncut answer to compare with" in " ".join(text.split())
    assert "Uninterrupted" not in text
    assert "bare SDK" not in text
    read = json.loads(document)
    assert (read["text_identical"], read["of"], read["uninterrupted"], read["bare"]) == (None, None, None, [])


def test_a_stream_without_a_report_is_still_told(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was reported there is no table of attempts, and the verdict stands."""
    monkeypatch.setattr(command, "run", lambda *_args, **_more: Told(text="x", error="Boom"))
    status, text = demo("--fault", "ok")
    assert status == 1
    assert "1 characters, then Boom." in text
    assert "request " not in text


def test_a_switched_off_library_has_nothing_to_show(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """RESILIENT_STREAM in the environment is named as the reason, before anything is printed."""
    monkeypatch.setenv("RESILIENT_STREAM", "off")
    status, text = demo()
    assert (status, text.count("\n")) == (2, 1)
    assert "RESILIENT_STREAM=off" in text


def test_a_misspelt_fault_is_refused(demo: Run) -> None:
    """A wrong name is answered with the right one."""
    status, text = demo("--fault", "stal_mid")
    assert status == 2
    assert "stall_mid" in text
    assert "Traceback" not in text


def test_without_rich_it_says_how_to_get_it(demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is a sentence that can be pasted; --json does not need it."""
    monkeypatch.delitem(sys.modules, "resilient_stream._demo.screen", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    status, text = demo()
    assert (status, text.count("\n")) == (2, 1)
    assert "pip install 'resilient-stream[cli]'" in text
    assert demo("--json", "--fault", "ok")[0] == 0
