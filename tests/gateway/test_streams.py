from contextlib import ExitStack
from typing import Any

import pytest

from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import Record, Seam
from resilient_stream._core.seam.joined import Joined
from resilient_stream._gateway.streams import Ended, Streams, how


def record(outcome: str | None, *, attempts: int = 1, seams: int = 0) -> Record:
    """The books of a stream."""
    made = Record()
    for number in range(attempts):
        made.ledger.begin(Form.FIRST, "m", float(number), 0)
        if number < attempts - 1:
            made.ledger.attempts[-1].failure = Failure(Kind.RESET, Phase.BODY)
    made.ledger.seams += [Seam(2, 10, Joined.ECHO, 5, verified=False)] * seams
    made.ledger.outcome, made.ledger.reason = outcome, "why"
    return made


@pytest.mark.parametrize(
    ("books", "word"),
    [
        (record("completed"), "completed"),
        (record("completed", attempts=2), "retried"),
        (record("completed", attempts=2, seams=1), "resumed"),
        (record("finished_with_tools"), "resumed"),
        (record("failed", attempts=2, seams=1), "lost"),
        (record("cancelled"), "left"),
        (record(None), "left"),
    ],
)
def test_each_end_has_a_word(books: Record, word: str) -> None:
    """By what the client got, not by what it took."""
    assert how(books) == word


def test_streams_are_counted() -> None:
    """While they run, and by how they ended, whatever ended them."""
    ended, times = list[Ended](), iter([1.0, 4.5, 6.25])
    streams = Streams(lambda: next(times), ended.append)
    shown = dict[str, Any]()
    with (
        pytest.raises(KeyError),
        streams.run(record("failed", attempts=2, seams=1), "claude-opus-5") as stream,
    ):
        (shown,) = streams.told()
        raise KeyError
    assert shown == {
        "id": stream.id,
        "model": "claude-opus-5",
        "seconds": 3.5,
        "attempts": 2,
        "failures": ["reset"],
        "seams": 1,
        "unverified": 1,
        "characters": 0,
    }
    assert ended == [Ended("lost", "why", {**shown, "seconds": 5.25})]
    assert streams.counts.lost == 1
    assert streams.running == {}


def test_ids_can_not_be_guessed() -> None:
    """Each is another, and long."""
    streams = Streams()
    with streams.run(Record(), "m") as one, streams.run(Record(), "m") as other:
        assert one.id != other.id
        assert len(one.id) == 27


def test_a_models_name_may_be_anything() -> None:
    """What is no plain word is not repeated."""
    streams = Streams()
    with streams.run(Record(), "x\nLOST everything"):
        assert streams.told()[0]["model"] == ""


def test_a_stream_may_be_taken_over_before_its_first_request_is_done_with() -> None:
    """Under the same name: the one that runs is told, and each end is counted."""
    streams, later = Streams(), ExitStack()
    with streams.run(record("cancelled"), "m", "rs_1"):
        running = later.enter_context(streams.run(record("completed"), "m", "rs_1"))
    assert streams.running == {"rs_1": running}
    later.close()
    assert streams.running == {}
    assert (streams.counts.left, streams.counts.completed) == (1, 1)
