"""What must hold of a journaled stream, whatever became of the processes that wrote and read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .durable_lives import answer_to


def wrong(key: str, frames: list[str], lives_: list[bytes], notes: list[bytes]) -> Iterator[str]:
    """What is wrong with a stream.

    Args:
        key: its key.
        frames: what the journal has of it.
        lives_: what its writers noted.
        notes: what its readers noted.
    """
    events = [event for event in map(_data, frames) if event["type"] != "ping"]
    text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
    if text != answer_to(key):
        yield f"the text is not the answer: {len(text)} characters of {len(answer_to(key))}"
    if [event["type"] for event in events].count("message_stop") != 1:
        yield "it has not one end"
    shapes = [_shape(event) for event in events]
    for life in lives_of(lives_):
        if life != shapes[: len(life)]:
            yield "a writer handed over what is no beginning of the stream"
    read_ = [json.loads(note) for note in notes]
    if [number for _, number, _ in read_] != list(range(1, len(frames) + 1)):
        yield f"the readers got {len(read_)} frames of {len(frames)}, or not in order"
    if [frame for *_, frame in read_] != frames:
        yield "the readers got other frames"


def _data(frame: str) -> dict[str, Any]:
    (line,) = (line for line in frame.split("\n") if line.startswith("data: "))
    data: dict[str, Any] = json.loads(line[6:])
    return data


def lives_of(lines: list[bytes]) -> Iterator[list[Any]]:
    """What a process noted in each of its lives."""
    life = list[Any]()
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:  # the kill has cut it, and the next life writes behind it
            said = "life"
        if said == "life":
            yield life
            life = []
        else:
            life.append(_shape(said))
    yield life


def _shape(event: dict[str, Any]) -> Any:
    """What of an event tells it from its neighbours, as the SDK has it and as the wire does."""
    delta = event.get("delta") or {}
    return event["type"], event.get("index"), delta.get("text"), delta.get("stop_reason")
