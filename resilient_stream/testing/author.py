"""The author of the answers: a deterministic Markdown text, or whatever you give.

The text is made of numbered sections, so that no passage of eighty characters occurs twice. It contains what
makes a seam hard: headings, lists, a table, a code fence, emoji with joiners, Chinese, Japanese and accented
words, double spaces and quotation marks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .transcript import CHARS_PER_TOKEN, Block, Reply, as_reply, compact

Written = str | Sequence[Block] | Reply
Author = Written | Callable[[Mapping[str, Any]], Written]
"""A text, blocks, a reply, or a function from the request's JSON to one of them."""

OPENING = """\
# Field notes on tides

The sea rises and falls twice a day, yet no two tides are alike. These notes collect what a
patient observer can learn in {count} short walks. \u201cLook twice,\u201d the harbour master said, \u201cthen
write it down \u2014 memory is a poor gauge.\u201d
"""

SECTION = """

## Walk {n}: the {place} at hour {hour}

On walk {n} the gauge read **{level} cm**, and wind {n} came from the {wind}.  Two spaces stand
before sentence {n} on purpose. The caf\u00e9 by the pier opens at {hour}:00; its na\u00efve sign says
\u201cD\u00e9j\u00e0 vu n\u00b0 {n}\u201d.

- rope no. {n}: *dry*, {level} knots counted
- lamp no. {n}: lit since hour {hour}
  1. oil: {n} measures
  2. wick: trimmed to {hour} mm

| walk | hour | level |
|-----:|:-----|------:|
| {n} | {hour}:15 | {level} |
| {n} | {hour}:45 | {later} |

```python
def level_{n}(hours: float) -> float:
    # walk {n}: a crude fit, in centimetres
    if hours < {hour}:
        return {level}.0
    return {later}.0 + hours * 0.{n}
```

\u6f6e\u306e\u8a18\u9332 {n}\uff1a\u6e7e\u306e\u6c34\u4f4d\u306f{level}\u30bb\u30f3\u30c1\u3002\
\u6d77\u9762\u7b2c{n}\u6b21\u89c2\u6d4b\uff0c\u98ce\u4ece{wind}\u6765\u3002\
 \U0001f30a\U0001f468\u200d\U0001f469\u200d\U0001f467 {n}\ufe0f\u20e3 \U0001f1eb\U0001f1f7"""

CLOSING = """

## What remains

Nothing here needs an instrument. After {count} walks the table fills itself, and the next tide is no
surprise. \u2014 *Fin.* \U0001f41a"""

PLACES = ("outer mole", "old lock", "salt marsh", "north stair", "ferry slip")
WINDS = ("north", "south-west", "east", "west")


def markdown(walks: int = 6) -> str:
    """A Markdown text of about 0.9 KB per walk, the same each time."""
    sections = (
        SECTION.format(
            n=n,
            place=PLACES[n % len(PLACES)],
            wind=WINDS[n % len(WINDS)],
            hour=5 + n * 7 % 17,
            level=140 + n * 37 % 211,
            later=140 + n * 53 % 211,
        )
        for n in range(1, walks + 1)
    )
    return OPENING.format(count=walks).rstrip() + "".join(sections) + CLOSING.format(count=walks)


ANSWER = markdown()
"""The default answer of the stand-in."""


def write(author: Author, request: Mapping[str, Any]) -> Reply:
    """The author's whole reply to a request."""
    if callable(author):
        return as_reply(author(request))
    return as_reply(author)


def limited(reply: Reply, max_tokens: int) -> Reply:
    """The reply, ended where ``max_tokens`` ends it; unchanged if it fits."""
    room = max_tokens * CHARS_PER_TOKEN
    kept: list[Block] = []
    for block in reply.content:
        size = len(block.get("text", "")) + len(block.get("thinking", ""))
        size += len(compact(block["input"])) if "input" in block else 0
        if size > room:
            if block["type"] == "text" and room:
                kept.append({**block, "text": block["text"][:room]})
            return replace(reply, content=tuple(kept), stop_reason="max_tokens")
        kept.append(block)
        room -= size
    return reply


def stopped(reply: Reply, sequences: Sequence[str]) -> Reply:
    """The reply up to the first stop sequence in a text; unchanged if there is none."""
    kept: list[Block] = []
    for block in reply.content:
        text = block["text"] if block["type"] == "text" else ""
        hits = [(text.index(sequence), sequence) for sequence in sequences if sequence in text]
        if hits:
            at, sequence = min(hits)
            if at:
                kept.append({**block, "text": text[:at]})
            return replace(reply, content=tuple(kept), stop_reason="stop_sequence", stop_sequence=sequence)
        kept.append(block)
    return reply
