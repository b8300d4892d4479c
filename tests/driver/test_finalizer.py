from __future__ import annotations

import sys
import threading
from unittest.mock import patch

from resilient_stream._driver import finalizer as _collected
from resilient_stream._driver.finalizer import apart


def test_the_end_is_told_by_another_thread() -> None:
    """What is done apart can take a lock that the caller's thread never gives back to itself."""
    tellers: list[int] = []
    apart(lambda: tellers.append(threading.get_ident()))
    assert len(tellers) == 1
    assert tellers != [threading.get_ident()]


def test_nobody_waits_for_a_lock_that_he_holds() -> None:
    """The caller goes on after its patience, and what was asked for is done once the lock is free."""
    lock, done = threading.Lock(), threading.Event()

    def end() -> None:
        with lock:
            done.set()

    with patch.object(_collected, "PATIENCE", 0.01), lock:
        apart(end)
        assert not done.is_set()
    assert done.wait(60)


def test_at_exit_it_is_done_here() -> None:
    """Where no thread begins any more, because Python refuses or never runs it, the caller's own does it."""
    refusing = patch.object(_collected, "start_new_thread", side_effect=RuntimeError)
    exiting = patch.object(sys, "is_finalizing", return_value=True)
    for leaving in (refusing, exiting):
        tellers: list[int] = []
        with leaving:
            apart(lambda: tellers.append(threading.get_ident()))  # noqa: B023 -- called at once
        assert tellers == [threading.get_ident()]
