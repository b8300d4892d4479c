from __future__ import annotations

import pytest

from resilient_stream._demo.schedule import DEFAULT, FAST, PLACES, UnknownFaultError, chosen, faults
from resilient_stream.testing import CATALOGUE, CutHead, IdleClose, StandIn
from resilient_stream.testing.catalogue.entry import HERE
from resilient_stream.testing.faults import Place


def test_the_faults_of_the_demo_are_in_the_catalogue() -> None:
    """What the demo shows by default, the catalogue knows."""
    assert set(DEFAULT) <= set(CATALOGUE)


def test_faults_strike_where_one_can_watch() -> None:
    """A fault in the middle of the text is moved on, to places in turn; none stays where it was."""
    names = ["rst_mid_chunk", "stall_mid"] * len(PLACES)
    places = [strike.fault.after for strike in chosen(names) if isinstance(strike.fault, Place)]
    assert places == [*PLACES, *PLACES]
    assert HERE not in places


def test_a_fault_whose_place_is_its_meaning_stays_there() -> None:
    """After the stop reason means after the stop reason."""
    (strike,) = chosen(["clean_end_before_message_stop"])
    assert strike.fault == CATALOGUE["clean_end_before_message_stop"].fault


def test_a_fault_between_two_calls_brings_the_call_before() -> None:
    """The earlier calls' faults come first, whatever else is chosen."""
    strikes = chosen(["s529", "stale_keepalive", "keepalive_race"])
    assert faults(strikes) == [IdleClose(), None, CATALOGUE["s529"].fault, None, CutHead("fin")]


def test_only_a_closed_connection_is_waited_for() -> None:
    """After a call that the server ends by closing, the close is awaited; after others nothing is."""
    idle, race = chosen(["stale_keepalive", "keepalive_race"])
    with StandIn() as server:
        assert idle.pauses(server) == [server.wait_closed]
        assert [pause() for pause in race.pauses(server)] == [None]


def test_an_unknown_fault_is_refused_with_its_neighbours() -> None:
    """A misspelt name leads to the right one."""
    with pytest.raises(UnknownFaultError, match=r"'stall_mdi'\. Near it: stall_mid"):
        chosen(["stall_mdi"])
    with pytest.raises(UnknownFaultError, match=r"no fault 'zzz'\. All of them:"):
        chosen(["zzz"])


def test_the_clocks_are_short_enough_to_watch() -> None:
    """No clock of the demo's policy is longer than its patience, no wait longer than its backoff."""
    policy = FAST.policy()
    clocks = {
        policy.connect_timeout,
        policy.first_event_timeout,
        policy.silence_timeout,
        policy.stall_timeout,
    }
    assert clocks == {FAST.patience}
    assert max(policy.wait_max, policy.overload_wait_max) == FAST.backoff
