"""Healthy streams with one thing changed: a field, or a frame."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

from resilient_stream.testing import sse_events
from resilient_stream.testing.golden import GOLDEN as REPLIES

from .golden import GOLDEN
from .streams import Json

ABSENT: Final = "<absent>"
VALUES: Final[tuple[Any, ...]] = (ABSENT, None, "zz", "", 7, 0, [], [1], {}, {"a": 1}, True, 1.5)
"""What stands in a field's place."""

STREAMS: Final[dict[str, bytes]] = {
    **GOLDEN,
    **{f"reply {name}": b"".join(sse_events(each.reply, delta_size=12)) for name, each in REPLIES.items()},
}
"""All healthy streams there are."""

BETA: Final = frozenset(f"reply {name}" for name, each in REPLIES.items() if each.beta)
"""Those that the SDK knows under ``client.beta`` only."""


def frames_of(stream: bytes) -> list[bytes]:
    """A stream's frames."""
    return [one + b"\n\n" for one in stream.split(b"\n\n")[:-1]]


def events_of(stream: bytes) -> list[tuple[str, Json | None, bytes]]:
    """A stream's frames with their names and payloads; None where there is none."""
    found: list[tuple[str, Json | None, bytes]] = []
    for one in frames_of(stream):
        name, _, data = one.partition(b"\ndata: ")
        payload = json.loads(data) if data else None
        found.append((name.removeprefix(b"event: ").decode(), payload, one))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field of an event, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def changed(payload: Json, path: tuple[Any, ...], value: Any) -> Json:
    """An event with another value at a place."""
    whole: Any = copy.deepcopy(payload)
    part = whole
    for key in path[:-1]:
        part = part[key]
    if value == ABSENT:
        del part[path[-1]]
    else:
        part[path[-1]] = copy.deepcopy(value)
    return dict(whole)


def encoded(name: str, payload: Json) -> bytes:
    """A frame."""
    return f"event: {name}\ndata: {json.dumps(payload)}\n\n".encode()


def fields_changed(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """The stream with each field of each kind of event changed to each of the values; and what was changed."""
    events, seen = events_of(stream), set[str]()
    for at, (name, payload, _) in enumerate(events):
        part = (payload or {}).get("delta") or (payload or {}).get("content_block") or {}
        kind = f"{name} {part.get('type')} {part.get('stop_reason')}"
        if payload is None or kind in seen:
            continue
        seen.add(kind)
        for path in places(payload):
            for value in VALUES:
                frames = [one for _, _, one in events]
                frames[at] = encoded(name, changed(payload, path, value))
                yield f"{name}.{'.'.join(map(str, path))} = {value!r}", b"".join(frames)


def spoilt(stream: bytes, rng: random.Random) -> tuple[str, bytes]:
    """The stream with a frame lost, sent twice, or before its neighbour, or with a field changed."""
    events = events_of(stream)
    frames, at = [one for _, _, one in events], rng.randrange(len(events))
    name, payload, _ = events[at]
    how = rng.choice(["lost", "twice", "swapped", "field", "field"])
    if how == "lost":
        del frames[at]
    elif how == "twice":
        frames.insert(at, frames[at])
    elif how == "swapped":
        frames[at : at + 2] = reversed(frames[at : at + 2])
    elif payload is not None:
        path, value = rng.choice(list(places(payload))), rng.choice(VALUES)
        frames[at] = encoded(name, changed(payload, path, value))
        how = f"{'.'.join(map(str, path))} = {value!r}"
    return f"{name} {how}", b"".join(frames)
