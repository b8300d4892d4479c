"""How the time of each decision grows: ``python -m tests.laws.growth [DECISION ...]`` prints it by family of texts.

A decision is given a hostile text, and the same text at two and four times the size. Linear time grows fourfold from
the first to the last, quadratic time sixteenfold. The time is that of this thread's processor, the least of several
tries.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from resilient_stream._core.failures import Flaw
from resilient_stream._core.plan.planner import Planner
from resilient_stream._core.plan.quote import marked, quote
from resilient_stream._core.seam.buffer import Splice
from resilient_stream._core.seam.ending import can_end
from resilient_stream._core.seam.joined import Asked
from resilient_stream._core.seam.preambles import announces, greets
from resilient_stream._core.seam.whitespace import mend
from resilient_stream._core.turn.history import sendable
from resilient_stream._core.turn.salvage import partial, salvage
from resilient_stream._core.turn.transcript import Block, Turn
from resilient_stream._core.wire import events
from resilient_stream._core.wire.sse import Framer
from resilient_stream._core.wire.tool_input import ToolInput
from tests.support.adversaries import FAMILIES, Family, repeated
from tests.support.machines import REQUEST, RESET, Body, drive, machine, serve
from tests.support.settings import settings_with
from tests.support.streams import (
    PING,
    STOP,
    block_start,
    block_stop,
    delta,
    ending,
    frame,
    pieces,
    start,
    text_delta,
)

SIZE: Final = 6000
"""Characters of the shortest text. At four times as many a quadratic scan takes a quarter of a second."""
PIECE: Final = 16
"""Characters of one delta."""
TALE: Final = (
    "The tide rises, the tide falls, the twilight darkens, the curlew calls; along the sea-sands damp and brown "
    "the traveller hastens toward the town"
)
TEXT: Final = {"type": "text", "text": ""}
CITATION: Final = {"type": "char_location", "cited_text": "seven", "document_index": 0}

Run = Callable[[], object]
Prepare = Callable[[Family, int], Run]
"""A family and a size to what is timed."""


# -- the seam ------------------------------------------------------------------------------------


def join(text: str, reply: str, piece: int = PIECE) -> object:
    """Join a reply that comes in pieces."""
    splice = Splice(Asked(quote(text), "", text=text))
    for part in pieces(reply, piece):
        splice.grow(part)
        if decided := splice.decide(final=False):
            return decided
    return splice.decide(final=True)


def joining(family: Family, size: int) -> Run:
    """A reply like the text, and one that leaves it in the middle of the fragment."""
    text = f"a{family(size).rstrip()}b"
    slip = quote(text)[:30] + "?" + family(2000)
    return lambda: (join(text, family(size)), join(text, slip), join(text, TALE))


def joining_at_once(family: Family, size: int) -> Run:
    """A reply that comes in one delta."""
    return lambda: (join(TALE, family(size), size), join(TALE, f"{TALE[-60:]}{family(size)}", size))


def opening(family: Family, size: int) -> Run:
    """Openings of the model's own, whatever their length is."""
    said = family(size // 50)
    return lambda: (announces(said), greets(said), join(TALE, f"Sorry, {family(size)}"))


def mending(family: Family, size: int) -> Run:
    """White space between the text and what follows it."""
    text = f"a{family(size).rstrip()}b"
    return lambda: [
        mend(text, space, rest + family(size) + "b", fenced=lambda: False, proved=proved)
        for space, rest in (("", ""), (" ", "\n"), ("\n", "  "))
        for proved in (True, False)
    ]


def ends(family: Family, size: int) -> Run:
    """Whether a text can end where it does."""
    texts = [
        f"{begun}{family(size)}{end}".rstrip() for begun in ("", "<p>", '{"') for end in ("", "</p>", "}")
    ]
    return lambda: [can_end(f"{text}.") or can_end(text) for text in texts]


def retelling(family: Family, size: int) -> Run:
    """A reply that tells the text again in other letters."""
    text = f"{TALE}{family(size)}b"
    return lambda: (join(text, text.upper()), join(text, text.upper(), len(text)), join(text, text))


def quoting(family: Family, size: int) -> Run:
    """The fragment, and the markers around it."""
    text = f"a{family(size)}b"
    return lambda: (quote(text), marked(quote(text, size)))


# -- the turn and the request --------------------------------------------------------------------


def turn_of(family: Family, size: int) -> Turn:
    """A turn with searches, thoughts and a long text."""
    turn = Turn({"id": "msg"})
    for number in range(size // 100):
        use = {"type": "server_tool_use", "id": f"use_{number}", "name": "web_search", "input": {}}
        found = {"type": "web_search_tool_result", "tool_use_id": f"use_{number}", "content": []}
        for block in (use, found, {"type": "thinking", "thinking": "", "signature": ""}):
            turn.begin(Block(block, closed=True))
    turn.begin(Block({**TEXT}))
    turn.blocks[-1].apply_delta({"type": "text_delta", "text": f"a{family(size)}b"})
    return turn


def salvaging(family: Family, size: int) -> Run:
    """What of a turn may be kept, and which of its blocks are lost."""
    turn = turn_of(family, size)

    def run() -> None:
        salvage(turn)
        turn.abandoned.clear()
        turn.abandon(unanswered=True)
        sendable([{"role": "assistant", "content": partial(turn)}, {"role": "user", "content": "?"}])

    return run


def requesting(family: Family, size: int) -> Run:
    """The request that goes on with a turn."""
    turn = turn_of(family, size)
    history = [{"role": "user", "content": family(size)}, *REQUEST["messages"]]
    return lambda: Planner({**REQUEST, "messages": history}, settings_with()).plan(turn)


# -- the wire ------------------------------------------------------------------------------------


def framing(family: Family, size: int) -> Run:
    """A body that comes in small pieces, and ends no event."""
    wire = family(size).encode("utf-8", "replace").replace(b"\n\n", b"\n")

    def run() -> None:
        framer = Framer()
        for at in range(0, len(wire), PIECE):
            framer.feed(wire[at : at + PIECE])
            framer.feed(b"\r" * (at % 3 == 0))

    return run


def parsing(family: Family, size: int) -> Run:
    """A body that is no stream but may tell of an error, and a frame of fields that nobody knows."""
    text = family(size).encode("utf-8", "replace")
    body, odd = b"{" + text.replace(b"\n", b"\n{"), b"data: 1\n" + text.replace(b"\n\n", b"\n") + b"\n\n"

    def run() -> None:
        for read in (events.first, events.read):
            for one in (body, odd):
                try:
                    read(one)
                except Flaw:
                    continue

    return run


def input_of(text: str, piece: int = 4) -> Run:
    """The input of a tool that comes in small pieces, up to where it is no JSON."""

    def run() -> None:
        made = ToolInput()
        for part in pieces(text, piece):
            try:
                made.take(part)
            except Flaw:
                return

    return run


def writing(family: Family, size: int) -> Run:
    """The input of a tool, with the text as a string, as a name and as a number."""
    text = family(size // 10)
    runs = [input_of(json.dumps(whole)) for whole in ({"a": text}, {text: 1}, [{"a": [text]}])]
    runs += [input_of('{"a": ' + text), input_of('{"a": "' + text)]
    return lambda: [run() for run in runs]


def driven(*replies: Body) -> Run:
    """A whole stream."""
    return lambda: drive(machine(), serve(*replies), strict=False)


def message(*frames: bytes) -> Body:
    """A message that ends as it should."""
    return Body([start(), *frames, ending(), STOP])


WHOLE: Final = message(block_start(0, TEXT), text_delta(0, "a"), block_stop(0))


def relaying(family: Family, size: int) -> Run:
    """A stream that is cut at its end, and goes on behind an echo."""
    said = f"a{family(size // 4).rstrip()}b"
    first = [start(), block_start(0, TEXT), *(text_delta(0, piece) for piece in pieces(said, PIECE))]
    told = [text_delta(0, one) for one in pieces(quote(said) + family(size // 4), PIECE)]
    return driven(Body(first, RESET), message(block_start(0, TEXT), *told, block_stop(0)))


def cutting(family: Family, size: int) -> Run:
    """A stream that is cut into chunks without regard to events."""
    wire = b"".join([start(), block_start(0, TEXT), text_delta(0, family(size // 2))])
    chunks = [wire[at : at + PIECE] for at in range(0, len(wire), PIECE)]
    return driven(Body(chunks, RESET), WHOLE)


DECISIONS: Final[Mapping[str, Prepare]] = {
    "joining": joining,
    "joining at once": joining_at_once,
    "openings": opening,
    "mending": mending,
    "endings": ends,
    "retelling": retelling,
    "quoting": quoting,
    "salvage": salvaging,
    "requests": requesting,
    "framing": framing,
    "parsing": parsing,
    "inputs of tools": writing,
    "relaying": relaying,
    "cutting": cutting,
}
"""By name: what is done with a text."""


# -- many of one thing ---------------------------------------------------------------------------


def empty_blocks(kind: str) -> Prepare:
    """Blocks of a type, which wait for content."""
    content = {"type": kind, "text": "", "thinking": "", "id": "i", "name": "web_search", "tool_use_id": "i"}

    def prepare(_: Family, size: int) -> Run:
        blocks = [block_start(at, content) + block_stop(at) for at in range(size // 8)]
        return driven(message(*blocks, block_start(size // 8, {**TEXT, "text": "."})))

    return prepare


def pings(_: Family, size: int) -> Run:
    """A continuation of many blocks that brings pings alone."""
    blocks = [block_start(at, {**TEXT, "text": "a"}) + block_stop(at) for at in range(size // 10)]
    return driven(Body([start(), *blocks], RESET), Body([start(), *[PING] * (size // 10)], RESET), WHOLE)


def overlaps(_: Family, size: int) -> Run:
    """Blocks that begin while others are open."""
    count = size // 20
    grow = [part for at in range(count) for part in (text_delta(at, "a"), block_stop(at))]
    return driven(message(*(block_start(at, TEXT) for at in range(count)), *grow))


def unstopped(_: Family, size: int) -> Run:
    """Blocks that begin and never stop."""
    return driven(message(*(block_start(at, {**TEXT, "text": "a"}) for at in range(size // 10))))


def names_of_usage(_: Family, size: int) -> Run:
    """Usage that tells of another number each time."""
    told = [
        frame({"type": "message_delta", "delta": {}, "usage": {f"n{at}": at}}) for at in range(size // 10)
    ]
    return driven(message(*told, block_start(0, {**TEXT, "text": "a"})))


def citations(_: Family, size: int) -> Run:
    """A text with many citations, which is cut."""
    cited = [delta(0, type="citations_delta", citation=CITATION), text_delta(0, "a")] * (size // 30)
    return driven(Body([start(), block_start(0, TEXT), *cited], RESET), WHOLE)


def long_number(_: Family, size: int) -> Run:
    """The input of a tool with a number of many digits."""
    return lambda: [input_of(begun + "1" * size)() for begun in ('{"a": 0.', '{"a": 1e', '{"a": -1.5e+')]


def little_by_little(_: Family, size: int) -> Run:
    """A stream of which each letter comes by itself, which is cut again and again."""
    said, bodies = "", list[Body]()
    for part in pieces("the tide goes out, " * (size // 100), size // 10 + 1):
        told = pieces(quote(said) + part if said else part, 1)
        bodies.append(Body([start(), block_start(0, TEXT), *(text_delta(0, one) for one in told)], RESET))
        said += part
    return driven(*bodies, WHOLE)


REPEATED: Final[Mapping[str, Prepare]] = {
    **{
        f"empty blocks ({kind})": empty_blocks(kind)
        for kind in ("text", "thinking", "server_tool_use", "web_search_tool_result")
    },
    "pings": pings,
    "overlapping blocks": overlaps,
    "blocks without a stop": unstopped,
    "names in usage": names_of_usage,
    "citations": citations,
    "digits": long_number,
    "letter by letter": little_by_little,
}
"""By name: many of one thing. They know no families."""
ANY: Final = repeated("a")


# -- the clock -----------------------------------------------------------------------------------


def least(run: Run, tries: int) -> float:
    """Seconds of this thread's processor, the least of several tries: what it takes when nothing else runs."""
    times = list[float]()
    collects = gc.isenabled()
    gc.disable()  # what other tests have left behind is not this decision's
    try:
        for _ in range(tries):
            began = time.thread_time()
            run()
            times.append(time.thread_time() - began)
    finally:
        if collects:
            gc.enable()
    return min(times)


def main() -> None:
    """Measure and print."""
    out = sys.stdout
    out.write("| decision | family | ms at 1, 2, 4 times the size | growth |\n|---|---|---:|---:|\n")
    chosen = sys.argv[1:] or [*DECISIONS, *REPEATED]
    for name in chosen:
        families = FAMILIES if name in DECISIONS else {"-": ANY}
        for family, text in families.items():
            prepare = DECISIONS.get(name) or REPEATED[name]
            one, two, four = (least(prepare(text, SIZE * factor), 3) for factor in (1, 2, 4))
            cells = " ".join(f"{1000 * each:.2f}" for each in (one, two, four))
            out.write(f"| {name} | {family} | {cells} | {four / one if one else 1:.1f} |\n")


if __name__ == "__main__":
    main()
