"""The turn that was delivered so far, block by block.

This module records delivered events and makes no decisions. Text is kept as the raw bytes of its JSON
strings, one after the other: appending costs little on the fault-free path, memory stays close to the size
of the text, and decoding the joined string restores surrogate pairs that were split over two deltas. When an
attempt fails, the text so far is decoded once and kept as a string, because each continuation repeats it. A
string with an emoji takes four bytes a character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from resilient_stream._core.wire import safe_json
from resilient_stream._core.wire.events import Event

TEXT_FIELDS: Final = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
    "server_tool_use": ("input_json_delta", "partial_json"),
    "mcp_tool_use": ("input_json_delta", "partial_json"),
}
"""Block type to the delta that grows it, and that delta's field."""

SERVER_TOOL_USES: Final = frozenset({"server_tool_use", "mcp_tool_use"})
TOOL_USES: Final = SERVER_TOOL_USES | {"tool_use"}

_CONTINUATIONS: Final = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that do not begin a character."""

PIECE: Final = 512
"""The least bytes that are decoded at a time."""

COUNTED: Final = 65_536
"""The least bytes in which characters are counted at a time: to count makes copies."""

_CHARACTER: Final = re.compile(rb"[ \xc0-\xff]")
"""A place to cut: the beginning of a character, not inside an escape or between two that belong together."""

_PAIR: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
"""Two escaped codes that are one character."""


def _characters(raw: bytearray) -> int:
    """Characters of a string that is JSON-escaped."""
    whole = len(raw.translate(None, _CONTINUATIONS))
    # An escape is one character, and has 1 byte more (a letter, a backslash), 5 (a code) or 11 (a pair).
    others = raw.replace(rb"\\", b"-")  # each backslash that is left begins an escape
    extra = len(raw) - len(others) + others.count(b"\\") + 4 * others.count(rb"\u")
    pairs = sum(1 for _ in _PAIR.finditer(others))
    return whole - extra - pairs


@dataclass(slots=True, repr=False)
class Block:
    """One content block as it was delivered."""

    start: dict[str, Any]
    raw: bytearray = field(default_factory=bytearray)
    """The growing string, still JSON-escaped."""
    citations: list[Any] = field(default_factory=list)
    signature: str = ""
    patch: dict[str, Any] = field(default_factory=dict)
    """The fields set by deltas that carry a complete block (compaction)."""
    opaque: bool = False
    """An unknown delta arrived, so the block can't be rebuilt."""
    closed: bool = False
    _counted: tuple[int, int] = field(default=(0, 0), compare=False)
    """The bytes of `raw` that were counted, and the characters in them."""

    @classmethod
    def of(cls, held: Iterable[Event]) -> Block:
        """The block that a start and its deltas form."""
        block = cls({})
        for event in held:
            if event.type == "content_block_start":
                block.start = event.data["content_block"]
            elif event.type == "content_block_delta":
                block.apply_delta(event.data["delta"])
        return block

    @property
    def type(self) -> str:
        """The block's type."""
        return str(self.start.get("type"))

    @property
    def written(self) -> str:
        """The string that deltas have written: text, thinking, or a tool's input as JSON.

        It is decoded in pieces. Decoding it at once would need three copies, at four bytes a character if it
        contains an emoji.
        """
        return "".join([json.loads(b'"' + self.raw[piece] + b'"') for piece in self._pieces(PIECE)])

    @property
    def text(self) -> str:
        """The text of a text block, including that of its start."""
        return str(self.start.get("text") or "") + self.written

    def decoded(self) -> Block:
        """This block of text as if its start contained all of it: decoded once, and its bytes kept no longer.
        A text that ends between two codes that are one character stays as it is."""
        text = self.text
        if "\ud800" <= text[-1:] < "\udc00":
            return self
        return replace(self, start=self.start | {"text": text}, raw=bytearray(), _counted=(0, 0))

    @property
    def thinking(self) -> str:
        """The text of a thinking block, including that of its start."""
        return str(self.start.get("thinking") or "") + self.written

    @property
    def characters(self) -> int:
        """Characters of a text block: counted without decoding, because a long text takes much memory as a
        string; and once, until there is more of it."""
        if self._counted[0] != len(self.raw):
            pieces = self._pieces(COUNTED)
            self._counted = len(self.raw), sum(_characters(self.raw[piece]) for piece in pieces)
        return len(str(self.start.get("text") or "")) + self._counted[1]

    def _pieces(self, least: int) -> Iterator[slice]:
        """Where `raw` can be cut into strings of about ``least`` bytes, or longer where no place to cut
        comes."""
        start = 0
        while start < len(self.raw):
            found = _CHARACTER.search(self.raw, start + least)
            end = found.start() if found else len(self.raw)
            yield slice(start, end)
            start = end

    @property
    def blank(self) -> bool:
        """Whether a text block has nothing but white space."""
        return not self.text.strip()

    @property
    def signed(self) -> bool:
        """Whether a thinking block can be proved to be the model's own."""
        if self.type == "redacted_thinking":
            return self.closed
        return self.closed and bool(self.signature or self.start.get("signature"))

    @property
    def parses(self) -> bool:
        """Whether a tool use's input is a complete object."""
        try:
            written = safe_json.parse(self.written or "{}")
        except ValueError:
            return False
        return isinstance(written, dict) and not self.opaque

    def param(self) -> dict[str, Any]:
        """The block as request content, without fields that only a response has."""
        block = {name: value for name, value in self.start.items() if value is not None} | self.patch
        if self.type == "text":
            block["text"] = self.text
            begun = self.start.get("citations")
            citations = [*(begun if isinstance(begun, list) else ()), *self.citations]
            block.pop("citations", None)
            if citations:
                block["citations"] = citations
        elif self.type == "thinking":
            block["thinking"] = self.thinking
            block["signature"] = self.signature or self.start.get("signature", "")
        elif self.type in TOOL_USES and self.raw:
            block["input"] = safe_json.parse(self.written)
        return block

    def apply_delta(self, delta: dict[str, Any]) -> None:
        """Record one delta."""
        kind = delta.get("type")
        grows, name = TEXT_FIELDS.get(self.type, (None, ""))
        if kind == grows and isinstance(delta.get(name), str):
            self.raw += json.dumps(delta[name])[1:-1].encode()
        elif kind == "signature_delta":
            self.signature = str(delta.get("signature", ""))
        elif kind == "citations_delta":
            self.citations.append(delta.get("citation"))
        elif kind == "compaction_delta":
            self.patch |= {key: value for key, value in delta.items() if key != "type"}
        else:
            self.opaque = True


@dataclass(slots=True, repr=False)
class Turn:
    """The assistant's turn as it was delivered, over all attempts."""

    message: dict[str, Any] | None = None
    """The message of the one ``message_start``; None before anything was delivered."""
    blocks: list[Block] = field(default_factory=list)
    abandoned: list[int] = field(default_factory=list)
    """Indices of blocks that were cut off and never completed."""
    unseen: list[Block] = field(default_factory=list)
    """The type and name of the first server tool use that was cut while it was held and may have had effects;
    None if there was none."""
    container: str | None = None
    """The id of the container that code ran in, if it is known."""
    stop_reason: str | None = None
    stopped: bool = False
    """Whether ``message_stop`` was delivered."""
    on_lost_thought: Callable[[str], None] | None = None
    """Called with the text of each thought that is abandoned."""
    _complete: int = 0
    """The size of what can't grow any more: of all blocks but the last, and of what is decoded of that."""

    @property
    def open_block(self) -> Block | None:
        """The block that has started and not stopped."""
        return self.blocks[-1] if self.blocks and not self.blocks[-1].closed else None

    @property
    def size(self) -> int:
        """A number that grows whenever content is delivered."""
        return len(self.blocks) + self._complete + sum(map(_size, self.blocks[-1:]))

    @property
    def characters(self) -> int:
        """Characters of visible text that were delivered."""
        return sum(block.characters for block in self.blocks if block.type == "text")

    def snapshot(self) -> Turn:
        """A copy of the turn as it is now. It costs a copy of the last block; the others don't change any
        more."""
        last = [
            replace(block, raw=block.raw[:], citations=block.citations[:], patch=dict(block.patch))
            for block in self.blocks[-1:]
        ]
        return replace(
            self, blocks=self.blocks[:-1] + last, abandoned=self.abandoned[:], unseen=self.unseen[:]
        )

    def keep_decoded(self) -> None:
        """Keep the blocks of text decoded (`Block.decoded`), for the requests that repeat them. They are
        replaced in one step, because another thread may read the turn meanwhile."""
        size = self.size
        self.blocks[:] = [b.decoded() if b.type == "text" and b.raw else b for b in self.blocks]
        self._complete += size - self.size

    def abandon(self, *, unanswered: bool) -> None:
        """Mark what was cut off and can't be completed: the open block, unless it is text or a result.

        Args:
            unanswered: whether tool uses of the server's without a result count, too.
        """
        answered, known = answers(block.start for block in self.blocks), set(self.abandoned)
        for index, block in enumerate(self.blocks):
            lost = not block.closed and block.type != "text" and not block.type.endswith("_tool_result")
            if unanswered and block.type in SERVER_TOOL_USES:
                lost = lost or str(block.start.get("id")) not in answered
            if lost and index not in known:
                self.abandoned.append(index)
                if block.type == "thinking" and self.on_lost_thought is not None:
                    self.on_lost_thought(block.thinking)

    def begin(self, block: Block) -> None:
        """Record a block that was delivered, or the start of one. The other blocks can't grow any more."""
        self._complete += sum(map(_size, self.blocks[-1:]))
        self.blocks.append(block)

    def apply(self, event: Event) -> None:
        """Record one event that was delivered. Its index must be the consumer's."""
        data = event.data
        match event.type:
            case "message_start":
                self.message = data["message"]
                self._note_container(data["message"])
            case "content_block_start":
                self.begin(Block(data["content_block"]))
            case "content_block_delta":
                self.blocks[data["index"]].apply_delta(data["delta"])
            case "content_block_stop":
                self.blocks[data["index"]].closed = True
            case "message_delta":
                self.stop_reason = data["delta"].get("stop_reason") or self.stop_reason
                self._note_container(data["delta"])
            case "message_stop":
                self.stopped = True
            case _:
                pass

    def _note_container(self, told: dict[str, Any]) -> None:
        container = told.get("container")
        name = container.get("id") if isinstance(container, dict) else None
        self.container = safe_json.identifier(name) or self.container


def answers(blocks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The ids of the tool uses that these blocks are results of."""
    return frozenset(str(block["tool_use_id"]) for block in blocks if block.get("tool_use_id") is not None)


def _size(block: Block) -> int:
    return len(block.raw) + len(block.citations)
