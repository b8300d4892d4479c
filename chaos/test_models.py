from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resilient_stream.testing import ANSWER

from .models import Author, Judged, cuts, main, measure

PROMPT = ("Tell me about tides.",)


def scripted(then: str) -> Author:
    """A model that answers with the text of the stand-in, and a continuation with ``then`` of its end."""

    def answer(request: Mapping[str, Any]) -> str:
        if len(request["messages"]) == 1:
            return ANSWER[:900]
        content = request["messages"][-2]["content"]
        received = content if isinstance(content, str) else content[-1]["text"]
        last = request["messages"][-1]["content"].split("\n\n", 1)[1].rpartition("\n\n")[0]
        said: dict[str, str] = {
            "new text": last + ANSWER[len(received) : len(received) + 200],
            "nothing": last,
            "repeated": "Well, here it is. " + received[-300:-100],
            "words of the request": f"{last}\n\nBegin with exactly this text and then continue it.",
        }
        return said[then]

    return answer


@pytest.mark.parametrize("then", ["new text", "nothing"])
def test_what_a_model_does_is_counted(then: str) -> None:
    """Each cut is judged by what was delivered behind it."""
    written: list[str] = []
    told = measure(scripted(then), {"continue": None}, 2, 5, written.append, PROMPT)
    assert [one.judged for one in told["continue"]] == [Judged(then)] * 2
    assert then != "new text" or all(one.verified for one in told["continue"])
    assert f"| continue | {' | '.join(str(2 * (judged == then)) for judged in Judged)} |" in "".join(written)


def test_cuts_are_drawn_by_their_seed() -> None:
    """The same seed cuts at the same places, behind the first 60 characters."""
    first, again = (cuts(scripted("new text"), PROMPT, 3, random.Random(7)) for _ in range(2))
    assert first == again
    assert all(ANSWER.startswith(cut.received) and len(cut.received) > 50 for cut in first)


def test_without_weights_it_says_what_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No file, or none that is there: a sentence and status 2."""
    assert main([]) == main(["--weights", str(tmp_path / "no.gguf")]) == 2
    assert "GGUF" not in capsys.readouterr().out
