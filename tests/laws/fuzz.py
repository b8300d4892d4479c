"""A fuzzer over whatever a stranger sends: ``python -m tests.laws.fuzz --minutes=10`` (session `fuzz`; needs atheris).

It mutates healthy input, guided by the code that each input reaches, for so many minutes in all. `--target=NAME`
fuzzes one thing alone. An input that breaks a law ends the run, is printed, and becomes a test of the module at fault.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from resilient_stream import PolicyError, RetryPolicy
from resilient_stream._core.turn.salvage import partial
from resilient_stream._core.wire import safe_json
from tests.laws.test_hostile import POLICY, TRACES, check, served
from tests.support.contents import PROSE, text
from tests.support.golden import GOLDEN
from tests.support.hostile import BYTES, ERRORS, HEADERS, PLACE, SPELT, Answer
from tests.support.machines import RESET, Body, drive, machine, serve
from tests.support.mutations import STREAMS, frames_of
from tests.support.streams import block_start, block_stop, delta, frame, message, start

LONGEST: Final = 4096
"""Bytes of an input."""
STREAM: Final = [(b"content-type", b"text/event-stream")]


def holds(answer: Answer, policy: RetryPolicy) -> None:
    """The law of whatever comes, for one answer."""
    _, source = served([answer], policy)
    check(source)
    TRACES.clear()


def pages(data: bytes) -> None:
    """The page of an error, under a status."""
    status = (400, 401, 404, 408, 413, 429, 500, 503, 529, 301)[data[0] % 10 if data else 0]
    holds(Answer(status, [(b"content-type", b"application/json")], data[1:]), POLICY)


def headers(data: bytes) -> None:
    """Headers, one a line, of a stream or an error: the first byte says of which."""
    lines = [line.split(b":", 1) for line in data[1:].split(b"\n") if b":" in line]
    given = [
        (name.lower(), value.replace(b"\r", b"").replace(b"\0", b""))
        for name, value in lines
        if re.fullmatch(rb"[\w-]+", name)
    ]
    bad = data[:1] >= b"\x80"
    answer = Answer(529 if bad else 200, given, b"{}" if bad else GOLDEN["text"])
    holds(answer, POLICY)


def frames(data: bytes) -> None:
    """A stream that breaks, read by the short way and by the long one, in pieces of a size that the first byte says."""
    size = data[0] + 1 if data else 1
    chunks = [data[at : at + size] for at in range(1, len(data), size)]
    short, long = (
        drive(machine(), serve(Body(chunks, RESET), WHOLE), quick=quick, strict=False)
        for quick in (True, False)
    )
    assert short.out == long.out
    sendable(short)


def usage(data: bytes) -> None:
    """A usage object, in a ``message_start`` and in a ``message_delta``."""
    told = data.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")
    place = json.dumps(PLACE)
    spoilt = [
        one.decode().replace(place, told).encode()
        for one in (start(usage=PLACE), frame({"type": "message_delta", "delta": {}, "usage": PLACE}))
    ]
    body = b"".join([*spoilt, block_start(0, text("")), delta(0, type="text_delta", text="a")])
    holds(Answer(200, STREAM, body, breaks=True), POLICY.replace(usage="total"))


def policies(data: bytes) -> None:
    """A policy's file."""
    with contextlib.suppress(PolicyError):
        policy = RetryPolicy.from_toml("\n" + data.decode("utf-8", "replace"))
        assert RetryPolicy.from_toml(policy.to_toml()) == policy


def continuations(data: bytes) -> None:
    """A field of a block and the input of a tool, in what is sent back."""
    at = data[0] if data else 0
    said = data[1:].decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")
    stream, place = CONTENTS[at % len(CONTENTS)], json.dumps(PLACE)
    one = frame(
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {**stream, FIELDS[at % len(FIELDS)]: PLACE},
        }
    )
    body = [
        start(),
        *[block_start(0, text("")), delta(0, type="text_delta", text=PROSE), block_stop(0)],
        one.decode().replace(place, said).encode(),
        *[delta(1, type="input_json_delta", partial_json=piece) for piece in (said[:at], said[at:])],
        *[block_stop(1), block_start(2, text("")), delta(2, type="text_delta", text="And so")],
    ]
    run = drive(machine(hold=frozenset()), serve(Body(body, RESET), WHOLE), strict=False)
    sendable(run)


WHOLE: Final = Body([message([text(PROSE)])])
CONTENTS: Final[list[dict[str, Any]]] = [
    {"type": "tool_use", "id": "t", "name": "n", "input": {}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    {"type": "text", "text": "", "citations": []},
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "fallback", "from": {}, "to": {}},
    {"type": "compaction", "content": "c"},
]
FIELDS: Final = ("input", "content", "citations", "thinking", "id", "name", "to", "text", "signature", "type")


def sendable(run: Any) -> None:
    """Hold all that was sent, and all that was kept, to what a request can carry."""
    for one in [*(each.plan.body for each in run.sends), partial(run.machine.turn)]:
        json.dumps(one, ensure_ascii=False, allow_nan=False).encode()
        assert safe_json.is_encodable(one)


Target = Callable[[bytes], None]
TARGETS: Final[Mapping[str, tuple[Target, list[bytes]]]] = {
    "pages": (
        pages,
        [b"\x00" + each.encode("utf-8", "surrogatepass") for each in SPELT]
        + [b"\x05" + each for each in ERRORS],
    ),
    "headers": (
        headers,
        [
            bytes([at]) + name + b": " + value
            for name, values in HEADERS.items()
            for value in values
            for at in (0, 200)
        ],
    ),
    "frames": (frames, [b"\x40" + b"".join(frames_of(each))[:LONGEST] for each in STREAMS.values()] + BYTES),
    "usage": (
        usage,
        [
            b'{"input_tokens": 5, "output_tokens": 7, "cache_creation": {"a": 1}, "iterations": [{"type": "message"}]}'
        ],
    ),
    "policies": (
        policies,
        [RetryPolicy.preset(name).to_toml().encode() for name in ("interactive", "agent", "batch", "off")],
    ),
    "continuations": (
        continuations,
        [bytes([at]) + b'{"query": "\\ud83d", "n": [NaN, 1e999, {"a": "\\u0000"}]}' for at in range(70)],
    ),
}
"""By name: what is fuzzed, and what it begins with."""
WORDS: Final = [
    word
    for word in (*BYTES, *ERRORS, *(each.encode("utf-8", "surrogatepass") for each in SPELT))
    if 0 < len(word) < 60
]
"""What is put in anywhere."""


LAUNCH: Final = """
import sys
import atheris
with atheris.instrument_imports(include=["resilient_stream"]):
    from tests.laws.fuzz import TARGETS
import logging
logging.disable(logging.CRITICAL)
name, *options = sys.argv[1:]
atheris.Setup([sys.argv[0], *options], TARGETS[name][0])
atheris.Fuzz()
"""
"""A process that fuzzes one thing until the options of libFuzzer end it."""


def run(name: str, seconds: int, out: TextIO) -> bool:
    """Fuzz one thing in a process of its own; whether nothing was found."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(TARGETS[name][1]):
            (corpus / f"{number}").write_bytes(seed)
        words = Path(folder) / "words"
        escaped = ["".join(map("\\x{:02x}".format, word)) for word in WORDS]
        words.write_text("".join(f'"{each}"\n' for each in escaped))
        options = [
            f"-dict={words}",
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            "-timeout=10",
            "-rss_limit_mb=2048",
        ]
        options += ["-print_final_stats=1", f"-artifact_prefix={folder}/", str(corpus)]
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, name, *options],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
        out.write(
            f"{name}: {executed[1] if executed else 'no'} executions in {seconds} s, status {done.returncode}\n"
        )
        if done.returncode == 0:
            return True
        out.write(done.stdout[-6000:] + done.stderr[-3000:])
        out.writelines(f"{found.name}: {found.read_bytes()!r}\n" for found in Path(folder).glob("*-*"))
        return False


def main() -> int:
    """Fuzz everything, or one thing."""
    parser = argparse.ArgumentParser(description="Fuzz whatever a stranger sends.")
    parser.add_argument("--minutes", type=float, default=10.0, help="in all")
    parser.add_argument("--target", choices=list(TARGETS))
    given = parser.parse_args()
    names = [given.target] if given.target else list(TARGETS)
    seconds = int(given.minutes * 60 / len(names))
    clean = [run(name, seconds, sys.stdout) for name in names]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
