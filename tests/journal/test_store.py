"""What every store must do. Run on a real SQLite file, and on a real Valkey server."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resilient_stream._journal.entries import Answer, Claim, Lease, Opening, Status, Verdict, Write
from resilient_stream._journal.store import Store
from tests.support.journals import STORES, store_of
from tests.support.stages import Clock

TTL = 10.0
FRAMES = tuple(b"event: ping\ndata: {}%d\n\n" % number for number in range(1, 8))


@dataclass
class Made:
    """A store under test, and its clock."""

    store: Store
    clock: Clock

    def claim(self, holder: str = "a", key: str = "s", **known: object) -> Claim:
        """Ask for a stream that begins if it is not there."""
        opening = Opening(f"tag-{holder}", b"request", "owner")
        return self.store.claim(key, holder, TTL, opening=opening, **known)  # type: ignore[arg-type]

    def begun(self, count: int = 0, key: str = "s") -> Lease:
        """A stream with so many frames."""
        lease = self.claim(key=key).lease
        assert lease is not None
        if count:
            assert self.commit(Write(lease, 1, FRAMES[:count])) is Answer.KEPT
        return lease

    def commit(self, write: Write) -> Answer:
        """Write alone."""
        (answer,) = self.store.commit([write], TTL)
        return answer

    def numbers(self, after: int = 0, limit: int = 100, key: str = "s") -> list[int]:
        """What is read."""
        page = self.store.read(key, after, limit)
        assert page is not None
        assert all(frame == FRAMES[number - 1] for number, frame in page.frames)
        return [number for number, _ in page.frames]


@pytest.fixture(params=STORES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Made]:
    """A new store of each kind."""
    clock = Clock(1_000_000.0)
    with store_of(request.param, tmp_path, clock) as store:
        yield Made(store, clock)


def test_a_stream_begins_with_its_request(made: Made) -> None:
    """And is there for everybody, with its tag and its owner, before its first frame."""
    claim = made.claim()
    assert claim.verdict is Verdict.NEW
    head = made.store.head("s")
    assert head is not None and head == claim.head
    assert (head.key, head.tag, head.owner, head.status) == ("s", "tag-a", "owner", Status.RUNNING)
    assert (head.epoch, head.last, head.size, head.holder) == (1, 0, 0, "a")
    assert (head.created, head.touched, head.until) == (1_000_000.0, 1_000_000.0, 1_000_010.0)
    assert made.store.payloads("s") == (b"request", b"")
    assert made.numbers() == []


def test_of_two_claims_one_is_given(made: Made) -> None:
    """The other is told that it is leased, and by whom."""
    made.begun()
    other = made.claim("b")
    assert (other.verdict, other.lease) == (Verdict.LEASED, None)
    assert other.head is not None and other.head.holder == "a"


def test_of_many_claims_at_once_one_is_given(made: Made) -> None:
    """Whether the stream is new or abandoned."""
    given = list[Claim]()
    for _ in range(2):
        given.clear()
        threads = [threading.Thread(target=lambda: given.append(made.claim())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        verdicts = sorted(claim.verdict for claim in given)
        assert verdicts[:7] == [Verdict.LEASED] * 7 and len(verdicts) == 8
        made.clock.now += TTL + 1


def test_a_lease_ends_when_it_is_not_renewed(made: Made) -> None:
    """Another one takes over under the next epoch, and keeps the tag and what was written."""
    made.begun(3)
    made.clock.now += TTL + 0.001
    taken = made.claim("b")
    assert taken.verdict is Verdict.TAKEN
    assert taken.head is not None
    assert (taken.head.epoch, taken.head.holder, taken.head.tag, taken.head.last) == (2, "b", "tag-a", 3)
    assert made.numbers() == [1, 2, 3]


@pytest.mark.parametrize("renewal", ["write", "renew"])
def test_a_lease_is_renewed(made: Made, renewal: str) -> None:
    """By each write, and by asking."""
    lease = made.begun()
    made.clock.now += TTL - 1
    if renewal == "write":
        assert made.commit(Write(lease, 1, FRAMES[:1])) is Answer.KEPT
    else:
        assert made.store.renew([lease], TTL) == [Answer.KEPT]
    made.clock.now += TTL - 1
    assert made.claim("b").verdict is Verdict.LEASED


def test_a_lease_whose_holder_is_dead_is_void(made: Made) -> None:
    """For who knows so, and only if it is still that lease."""
    made.begun()
    assert made.claim("b", void=7).verdict is Verdict.LEASED
    assert made.claim("b", void=1).verdict is Verdict.TAKEN
    assert made.claim("c", void=1).verdict is Verdict.LEASED


def test_a_writer_that_was_taken_over_from_writes_nothing(made: Made) -> None:
    """Neither frames nor records nor an end, nor does it renew."""
    old = made.begun(1)
    made.clock.now += TTL + 1
    new = made.claim("b").lease
    assert new is not None
    assert made.commit(Write(old, 2, FRAMES[1:2], b"state", Status.COMPLETE)) is Answer.LOST
    assert made.store.renew([old], TTL) == [Answer.LOST]
    assert made.numbers() == [1]
    assert made.store.payloads("s") == (b"request", b"")
    assert made.commit(Write(new, 2, FRAMES[1:2])) is Answer.KEPT


def test_a_writer_that_nobody_took_over_from_goes_on(made: Made) -> None:
    """However late it is."""
    lease = made.begun(1)
    made.clock.now += 10 * TTL
    assert made.commit(Write(lease, 2, FRAMES[1:2])) is Answer.KEPT


def test_a_gap_is_not_written(made: Made) -> None:
    """Nor anything of a write that would leave one."""
    lease = made.begun(1)
    assert made.commit(Write(lease, 3, FRAMES[2:4], b"state")) is Answer.LOST
    assert made.numbers() == [1]
    assert made.store.payloads("s") == (b"request", b"")


def test_a_write_that_is_told_again_changes_nothing(made: Made) -> None:
    """The first answer may not have arrived."""
    lease = made.begun()
    for write in (
        Write(lease, 1, FRAMES[:3], b"one"),
        Write(lease, 4, FRAMES[3:4], b"two", Status.COMPLETE),
        Write(lease, 5, (), b"two", Status.COMPLETE),
    ):
        assert made.commit(write) is Answer.KEPT
        before = made.store.head("s")
        assert made.commit(write) is Answer.KEPT
        assert made.store.head("s") == before
    assert made.numbers() == [1, 2, 3, 4]
    assert made.store.payloads("s") == (b"request", b"two")


def test_the_record_is_replaced_and_the_frames_are_not(made: Made) -> None:
    """A write without a record leaves the one there is."""
    lease = made.begun()
    assert made.commit(Write(lease, 1, FRAMES[:1], b"one")) is Answer.KEPT
    assert made.commit(Write(lease, 2, FRAMES[1:2])) is Answer.KEPT
    assert made.store.payloads("s") == (b"request", b"one")
    assert made.commit(Write(lease, 3, (), b"two")) is Answer.KEPT
    assert made.store.payloads("s") == (b"request", b"two")
    head = made.store.head("s")
    assert head is not None and (head.last, head.size) == (2, len(FRAMES[0]) + len(FRAMES[1]))


def test_writes_of_several_streams_are_answered_each(made: Made) -> None:
    """One that is lost does not harm the others."""
    one, two = made.begun(key="one"), made.begun(key="two")
    answers = made.store.commit(
        [Write(one, 1, FRAMES[:1]), Write(replace(two, epoch=9), 1, FRAMES[:1]), Write(two, 1, FRAMES[:2])],
        TTL,
    )
    assert answers == [Answer.KEPT, Answer.LOST, Answer.KEPT]
    assert (made.numbers(key="one"), made.numbers(key="two")) == ([1], [1, 2])


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.STOPPED])
def test_what_is_over_is_claimed_by_nobody(made: Made, status: Status) -> None:
    """And written by nobody; but read by everybody."""
    lease = made.begun(2)
    assert made.commit(Write(lease, 3, (), b"state", status)) is Answer.KEPT
    made.clock.now += TTL + 1
    claim = made.claim("b")
    assert (claim.verdict, claim.lease) == (Verdict.OVER, None)
    assert made.commit(Write(lease, 3, FRAMES[2:3])) is Answer.LOST
    assert made.store.renew([lease], TTL) == [Answer.LOST]
    assert made.numbers() == [1, 2]


@pytest.mark.parametrize("status", [Status.FAILED, Status.LEFT])
def test_what_ended_before_its_end_is_gone_on_with_at_once(made: Made, status: Status) -> None:
    """The lease ended with it."""
    lease = made.begun(2)
    assert made.commit(Write(lease, 3, (), None, status)) is Answer.KEPT
    head = made.store.head("s")
    assert head is not None and (head.status, head.holder, head.until) == (status, "", 0.0)
    taken = made.claim("b")
    assert taken.verdict is Verdict.TAKEN
    assert taken.head is not None and taken.head.status is Status.RUNNING


def test_what_is_not_there_is_unknown(made: Made) -> None:
    """It is told apart from what is leased and what is over; reading it gives nothing, and takes no offence."""
    assert made.store.claim("s", "a", TTL) == Claim(Verdict.UNKNOWN)
    assert made.store.head("s") is None
    assert made.store.read("s", 0, 10) is None
    assert made.store.payloads("s") is None
    assert made.store.heads() == []
    assert not made.store.stop("s")
    assert not made.store.remove("s")
    made.store.expire("s")
    assert made.store.head("s") is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.lists(st.integers(0, 3), max_size=4), after=st.integers(0, 9), limit=st.integers(1, 9))
def test_what_is_read_is_what_was_written(made: Made, cut: list[int], after: int, limit: int) -> None:
    """From any place on, however many at once, whatever pieces they were written in."""
    made.store.remove("s")
    lease, last = made.begun(), 0
    for count in cut:
        some = FRAMES[last : last + count]
        assert made.commit(Write(lease, last + 1, some)) is Answer.KEPT
        last += len(some)
    assert made.numbers(after, limit) == list(range(after + 1, last + 1))[:limit]


def test_to_stop_is_told_to_the_writer(made: Made) -> None:
    """With its next write or renewal, which are kept; then it ends the stream."""
    lease = made.begun(1)
    assert made.store.stop("s")
    assert made.commit(Write(lease, 2, FRAMES[1:2])) is Answer.STOP
    assert made.store.renew([lease], TTL) == [Answer.STOP]
    assert made.commit(Write(lease, 3, (), None, Status.STOPPED)) is Answer.STOP
    assert not made.store.stop("s")
    assert made.numbers() == [1, 2]


def test_what_nobody_writes_is_stopped_at_once(made: Made) -> None:
    """Nobody goes on with it."""
    made.begun(1)
    made.clock.now += TTL + 1
    assert made.store.stop("s")
    head = made.store.head("s")
    assert head is not None and head.status is Status.STOPPED
    assert made.claim("b").verdict is Verdict.OVER


def test_what_was_to_be_stopped_when_its_writer_died_is_over(made: Made) -> None:
    """It is not begun again by who takes over."""
    made.begun(1)
    assert made.store.stop("s")
    made.clock.now += TTL + 1
    assert made.claim("b").verdict is Verdict.OVER


def test_what_expires_leaves_its_name(made: Made) -> None:
    """Its frames, its request and its record go. The key can be used again, and has another tag and epoch then."""
    lease = made.begun(2)
    made.store.expire("s")
    assert made.numbers() == [1, 2], "somebody writes it"
    made.commit(Write(lease, 3, (), b"state", Status.COMPLETE))
    made.store.expire("s")
    head = made.store.head("s")
    assert head is not None and (head.status, head.tag, head.last, head.size) == (
        Status.EXPIRED,
        "tag-a",
        2,
        0,
    )
    assert made.store.payloads("s") is None
    assert made.numbers() == []
    assert not made.store.stop("s")
    assert made.store.claim("s", "b", TTL).verdict is Verdict.UNKNOWN
    again = made.claim("b")
    assert again.verdict is Verdict.NEW
    assert again.head is not None and (again.head.tag, again.head.epoch, again.head.last) == ("tag-b", 2, 0)
    assert made.commit(Write(lease, 1, FRAMES[:1])) is Answer.LOST
    assert made.numbers() == []


def test_what_is_removed_is_gone(made: Made) -> None:
    """Whoever writes it is told."""
    lease = made.begun(2)
    assert made.store.remove("s")
    assert made.store.head("s") is None
    assert made.commit(Write(lease, 3, FRAMES[2:3])) is Answer.LOST
    assert made.store.heads() == []


def test_streams_are_listed_by_age(made: Made) -> None:
    """Those that were begun first come first."""
    for key in ("b", "a", "c"):
        made.begun(key=key)
        made.clock.now += 1
    assert [head.key for head in made.store.heads()] == ["b", "a", "c"]


def test_a_follower_hears_of_frames_and_of_ends(made: Made) -> None:
    """Of those streams that are no longer as it has seen them, at once; of nothing if there is nothing."""
    lease, other = made.begun(1), made.begun(1, key="other")
    seen = {"s": (1, Status.RUNNING, 1), "other": (1, Status.RUNNING, 1)}
    assert made.store.changed(seen, 0.0) == set()
    assert made.store.changed(seen, 0.002) == set()
    made.commit(Write(lease, 2, FRAMES[1:2]))
    assert made.store.changed(seen, 5.0) == {"s"}
    made.commit(Write(other, 2, (), None, Status.COMPLETE))
    assert made.store.changed(seen, 5.0) == {"s", "other"}
    made.store.remove("s")
    assert made.store.changed({"s": (2, Status.RUNNING, 1)}, 5.0) == {"s"}


def test_a_follower_is_woken(made: Made) -> None:
    """By a frame that is written while it waits, long before its time is up."""
    lease = made.begun(1)
    found = list[set[str]]()
    waiting = threading.Thread(
        target=lambda: found.append(made.store.changed({"s": (1, Status.RUNNING, 1)}, 30.0))
    )
    waiting.start()
    made.commit(Write(lease, 2, FRAMES[1:2]))
    waiting.join(60)
    assert found == [{"s"}]


def test_all_who_open_it_share_a_secret(made: Made) -> None:
    """Of 32 bytes."""
    assert len(made.store.secret) == 32
    made.store.close()
    made.begun(1)
    assert made.numbers() == [1], "what is closed opens again"
    made.store.tidy()


def test_its_clock_is_the_one_that_leases_are_measured_by(made: Made) -> None:
    """The store says what time it is."""
    assert made.store.now() == made.clock.now
