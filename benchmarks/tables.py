"""Writes the page about performance from the figures: its tables, and whether each bar is met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

BARS: Final = {"one event a chunk": 1.03, "many (1,460 bytes)": 1.03, "cut (80 bytes)": 1.06}
HTTPX_BAR: Final = 1.10
LOOPBACK_BARS: Final = (5.0, 20.0)
SEAM_BAR: Final = 50.0
IMPORT_BARS: Final = (30.0, 150.0)
THROUGHPUT_BAR: Final = 0.95
MEMORY_BAR: Final = (2.0, 8 * 1024 * 1024)

INTRODUCTION: Final = """# Performance

You see what the library costs: while nothing fails, when a stream breaks, at import, and with many streams at once. Each
part says what the figures are compared with, and whether the bar that the project has set itself is met. `nox -s bench`
makes the page, its figures and its plots; `nox -s bench -- imports crowd` measures parts of it again.

Processor time is compared in interleaved pairs, and the figures are the medians of their ratios, so other programs on the
machine affect both sides alike. Absolute times depend on the machine and its load; instructions do not.
"""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def verdict(found: float, bar: float, *, least: bool = False) -> str:
    """Whether a bar is met, in a word."""
    return "met" if (found >= bar if least else found <= bar) else "**missed**"


def how(part: dict[str, Any], command: str) -> str:
    """The command, the date and the load of a part's figures."""
    return f"`python -m benchmarks.{command}`, {part['date']}, load average {part['load']}.\n"


def versions(results: dict[str, Any]) -> str:
    """The versions and the machine."""
    known = dict.fromkeys(f"{part['versions']}; {part['machine']}" for part in results.values())
    return f"""## Versions

{"".join(f"- {line}{chr(10)}" for line in known)}"""


def overhead(part: dict[str, Any]) -> str:
    """While nothing fails, in memory."""
    rows = [
        (
            row["world"],
            row["wire"],
            row["kind"],
            f"{row['deltas']:,}",
            f"{row['bare']:.1f}",
            f"{row['resilient']:.3f}",
            f"{BARS[row['wire']]:.2f}, {verdict(round(row['resilient'], 2), BARS[row['wire']])}",
            f"{row['fallback']:.3f}",
        )
        for row in part["rows"]
    ]
    header = ("", "wire", "block", "deltas", "bare, us an event", "resilient", "bar", "the SDK's fallbacks")
    return f"""## While nothing fails

The processor time of `messages.stream`, with events from memory, so only the SDK and the library are measured. The bare
SDK is 1. The last column is the SDK's own middleware for refusals, which reads every event as well.

{table(header, rows)}
![Processor time against the bare SDK](overhead.png)

{how(part, "overhead")}
What is in these figures: the library compares the frame with the spelling of the one before it, matches its string, keeps
it, asks the clock before and after the read to tell a silence from a slow consumer, and looks whether the stream was
closed. Async there is one more coroutine for each chunk. Chunks that cut frames in two are joined until a frame is complete.
To open the stream and to close its books takes 0.4 ms, 0.13 us for each of 3,000 deltas. In return the SDK decodes
and parses what the library delivers in less than half the time, because it is known to be whole frames
([the reasons](decisions/008-whole-frames-are-decoded-here.md)). That is why nearly all streams take less time than with the bare
SDK, which takes 28 us for a delta here and makes two events of it. A client class with a decoder of its own keeps it, and
gets nothing in return: with the SDK's decoder the ratio for text with one event a chunk was 1.10 sync, and 1.14 async.

The pieces of a tool call take the same path: their JSON is checked, and they are kept and delivered together when the call
is complete, or one by one with `hold=()`. A held call takes less time than with the bare SDK alone, because the SDK then
reads all pieces from one chunk. The price is that its first piece comes with its last. The input here is one long
string; a piece that begins or ends a string is parsed as well, which takes 5 us. With a call of code and short fields in
pieces of five characters, the ratio was 0.98 async and 0.99 sync.
"""


def instructions(part: dict[str, Any]) -> str:
    """The instructions for a delta, where they could be counted."""
    if not part:
        return (
            "Instructions were not counted: `python -m benchmarks.instructions` counts them, with valgrind.\n"
        )
    rows = [(case, f"{row['bare']:,.0f}", f"{row['added']:+.1%}") for case, row in part["rows"].items()]
    return f"""Instructions do not depend on the machine's load. Those for one delta:

{table(("", "bare", "with the library"), rows)}
The session fails if one of them grows by more than 3 % of the bare SDK's.

{how(part, "instructions")}"""


def sockets(part: dict[str, Any]) -> str:
    """While nothing fails, over a socket."""
    rows = [
        (
            {"sdk": "the SDK", "httpx": "httpx", "httpx2": "httpx2"}[row["door"]],
            row["world"],
            row["wire"],
            f"{row['events']:,}",
            f"{row['bare']:.1f}",
            f"{row['ratio']:.3f}",
            "" if row["door"] == "sdk" else f"{HTTPX_BAR:.2f}, {verdict(round(row['ratio'], 2), HTTPX_BAR)}",
        )
        for row in part["rows"]
    ]
    header = ("client", "", "wire", "events", "bare, us an event", "resilient", "bar")
    lines = [row for row in part["rows"] if row["door"] != "sdk"]
    added = [row["bare"] * (row["ratio"] - 1) for row in lines]
    long = [row["ratio"] for row in lines if row["events"] > 10_000]
    return f"""## Over a socket

The same with the stand-in on the loopback interface. Clients of httpx and httpx2 only read lines here, and their programs do
nothing with them. So the ratio is large although the library adds only {min(added):.1f} to {max(added):.1f} us per event.

{table(header, rows)}
Why httpx and httpx2 miss the bar: 1.10 would leave {min(row["bare"] for row in lines) / 10:.1f} to {max(row["bare"] for row in lines) / 10:.1f} us for an event. To compare the frame with the
spelling of the one before it, to match its string and to keep it takes a third of a microsecond, measured alone. The rest
wraps the connection's read, because httpx fixes the timeout of a body when it begins and a stream needs a shorter one
or a longer one later; asks two clocks whether the machine has slept since, so that a dead connection is noticed seconds
after a laptop wakes; asks the clock before and after the read to tell a silence from a slow consumer; and looks whether
another thread has closed the stream. Opening the stream takes 0.45 ms, 0.15 us for each of 3,000 events, so in long streams
the ratio is {min(long):.2f} to {max(long):.2f}. In chunks of 1,460 bytes the reads are shared by ten events, and the comparison of each frame
remains.

{how(part, "sockets")}"""


def recovery(part: dict[str, Any]) -> str:
    """When a stream breaks."""
    loopback, hostile = part["rows"]
    middle, slowest = LOOPBACK_BARS
    rows = [
        (
            f"cut, continued by {row['what']}",
            f"{row['middle']:.1f} ms ({middle:.0f}, {verdict(row['middle'], middle)})",
            f"{row['slowest']:.1f} ms ({slowest:.0f}, {verdict(row['slowest'], slowest)})",
        )
        for row in loopback
    ]
    texts = [
        (
            row["what"],
            f"{row['middle']:.1f} ms",
            f"{row['slowest']:.1f} ms ({verdict(row['slowest'], SEAM_BAR)})",
        )
        for row in hostile
    ]
    return f"""## When a stream breaks

The time from the failure to the next piece of text, with waits switched off, on loopback: the request, the headers of
the answer and the decision about the seam. This is time by the clock, so it includes the load of the machine. The bars
are in brackets. By user turn it is longer, because the reply begins with an echo, which is held until the seam is decided.

{table(("", "in the middle", "99 of 100"), rows)}
The processor time of the same in memory, for texts that make the decision hard. The bar is {SEAM_BAR:.0f} ms.

{table(("text", "in the middle", "at most"), texts)}
{how(part, "recovery")}"""


def scaling(part: dict[str, Any]) -> str:
    """How time and memory grow."""
    times, free = MEMORY_BAR
    rows = [
        (
            f"{row['deltas']:,}",
            str(row["cuts"]),
            f"{row['microseconds']:.1f}",
            f"{row['memory']:.2f}",
            verdict(row["memory"] * row["deltas"] * 5 - free, times * row["deltas"] * 5),
        )
        for row in part["rows"]
    ]
    whole = all(row["completed"] for row in part["rows"])
    header = ("events", "cuts", "us an event", "bytes for each of text", "twice the text and 8 MiB")
    return f"""## Long streams

Time and memory grow in proportion to the stream, however often it is cut. The streams are read as bytes, so the time is
the library's and the transport's, without the SDK's events. The peak of Python's memory includes everything that the
program holds while it reads a stream and discards it, also the SDK's requests. While the SDK writes the request for a
continuation of 5 MB of text, that text is there three times: as a string, which the library and the request share, and
as JSON, which is made as a string and then as bytes. If the text ends in white space, which a request may not, there are
two strings. The text here is ASCII. A string with an emoji takes four bytes a character, so the bar does not hold for such
a text.
{"Every stream was complete." if whole else "**Not every stream was complete.**"}

{table(header, rows)}
![Time and memory against the length of the stream](scaling.png)

{how(part, "scaling")}"""


def crowd(part: dict[str, Any]) -> str:
    """Many streams at once."""
    rows, best = list[tuple[str, ...]](), list[float]()
    for bare, again, ours in zip(*(iter(part["rows"]),) * 3, strict=True):
        share, fair = bare["seconds"] / ours["seconds"], again["seconds"] / ours["seconds"]
        best.append(bare["seconds"] / again["seconds"])
        rows.append(
            (
                f"{bare['streams']:,} {bare['world']}",
                f"{bare['deltas']:,}",
                f"{bare['seconds'] * 1e3:.2f} ms",
                f"{again['seconds'] * 1e3:.2f} ms",
                f"{ours['seconds'] * 1e3:.2f} ms",
                f"{ours['whole']:,} of {ours['streams']:,}",
                f"{share:.2f} ({verdict(round(share, 2), THROUGHPUT_BAR, least=True)})",
                f"{fair:.2f}",
            )
        )
    bare_ones = ("bare, no fault", "bare, a tenth cut")
    header = (
        "streams",
        "deltas",
        *bare_ones,
        "resilient, a tenth cut",
        "whole",
        "throughput",
        "under the same faults",
    )
    return f"""## Many streams at once

Processor time for each of many streams. With the library a tenth of the streams is cut and continued. The ratio is the
throughput of a busy processor; its bar is {THROUGHPUT_BAR}. The last column compares with a bare client that meets the same
faults: its program asks for a broken reply again from the beginning, and reads a part of it twice. Its throughput is
{min(best):.2f} to {max(best):.2f} of that without faults.

{table(header, rows)}
The shorter the replies, the lower the throughput, because two costs don't depend on the length. To open a stream and to
close its books takes 0.4 ms if nothing else runs, and twice that among a thousand others, whose objects the garbage collector
passes as well. A break takes 3.5 ms alone and up to 9 ms among a thousand: about half of it is the second request of the
SDK, the rest plans the continuation and decides about the seam. A bare client that loses the stream makes no
second request. The SDK needs 5 ms for a whole reply of 75 deltas if nothing else runs, 8 to 9 among a thousand. The
two largest crowds are measured twice, the others three times, and the ratios differ by up to 0.03 from run to run.

{how(part, "crowd")}"""


def imports(part: dict[str, Any]) -> str:
    """How long imports take."""
    took = part["rows"]
    added = took["import anthropic, resilient_stream"] - took["import anthropic"]
    alone, http = took["from resilient_stream.httpx import ResilientTransport"], took["import httpx"]
    joining = took["a ResilientTransport that has joined"] - took["a ResilientTransport"]
    behind = took["import httpx, ResilientTransport"] - http
    client, own = (
        took[f"a resilient client of the SDK{how}"] - took[f"a client of the SDK{how}"]
        for how in ("", ", no garbage collection")
    )
    return f"""## Imports

Processor time of a process that only imports, with compiled bytecode. Compare the rows of one run.

{table(("", "ms"), [(f"`{name}`" if "import " in name else name, f"{ms:.0f}") for name, ms in took.items()])}
`import resilient_stream` may add {IMPORT_BARS[0]:.0f} ms to `import anthropic`: {verdict(added, IMPORT_BARS[0])}, because it
imports what a name needs when the name is first used. The first client that is made resilient takes {client:.0f} ms more than a
bare one. Without Python's garbage collector it is {own:.0f} ms: once in a while the collector looks at all objects there are, and
after the import of the SDK that takes longer than the library's import.

Importing a transport from `resilient_stream.httpx` may take {IMPORT_BARS[1]:.0f} ms: {verdict(alone, IMPORT_BARS[1])} in this run, in which it
took {alone / http:.1f} times what `import httpx` takes, {took["import anyio, pydantic"]:.0f} ms of it for pydantic. A program that has imported httpx waits for
{behind:.0f} ms more, because both need some of the same modules.

What joins a continuation to the text before it is imported when the first continuation of a process is sent, which then
begins {joining:.0f} ms later; that is the price of an earlier start.

{how(part, "imports")}"""


class OutdatedFigures(Exception):
    """The stored figures of a part lack something that the page shows.

    Args:
        part: its name.
        missing: what is not there.
    """

    def __init__(self, part: str, missing: object) -> None:
        super().__init__(
            f"the stored figures of {part!r} lack {missing}: measure them again with "
            f"`python -m benchmarks.page {part}`"
        )


WRITERS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "overhead": overhead,
    "instructions": instructions,
    "sockets": sockets,
    "recovery": recovery,
    "scaling": scaling,
    "crowd": crowd,
    "imports": imports,
}
"""What writes each part, in the order of the page."""


def page(results: dict[str, Any]) -> str:
    """The whole page.

    Raises:
        OutdatedFigures: a part was not measured yet, or before the page showed what it shows now.
    """
    parts = [INTRODUCTION]
    for name, write in WRITERS.items():
        try:
            parts.append(write(results.get(name, {})))
        except (LookupError, ValueError) as error:
            raise OutdatedFigures(name, error) from error
    parts.append(versions(results))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)
