"""The thoughts that were cut off, known again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from resilient_stream._session import abandoned
from resilient_stream._session.abandoned import MOST, remember, remembered


def test_a_thought_is_known_by_its_text() -> None:
    """Whatever is in it, half a character too; nothing of it is kept as it is."""
    for thought in ("", "Let me think.", "half \ud83d", "x" * 10**6):
        remember(thought)
        assert remembered(thought)
        assert not remembered(thought + ".")
    assert all(len(digest) == 16 for digest in abandoned._KNOWN)


def test_the_oldest_are_forgotten() -> None:
    """From many threads at once there are never more than so many."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: remember(f"thought {number}"), range(MOST + 500)))
    assert len(abandoned._KNOWN) == MOST
    remember("the last")
    assert remembered("the last")
