"""The prompts of the check, and where each reply is cut.

The prompts differ in what makes a seam difficult: sentences, lines, lists, tables, code, documents, writing
without spaces. A reply is cut after so many bytes of its event stream, most of which are not text: 100
characters of text take 600 to 1,200 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resilient_stream._demo.proxy import Snip

MAX_TOKENS: Final = 700
"""Output tokens that each reply may have. A cut reply is billed up to the cut, and its continuation in
addition."""

CHARACTERS_PER_TOKEN: Final = 3.5
OVERHEAD: Final = 120
"""About how many input tokens a continuation's instruction, quote and message frames take."""

WEATHER: Final[Mapping[str, Any]] = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "why": {"type": "string"}},
        "required": ["city", "why"],
    },
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One prompt and one cut."""

    name: str
    prompt: str
    snip: Snip
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further fields of the request."""

    def request(self, model: str) -> dict[str, Any]:
        """The arguments of ``messages.stream``."""
        messages = [{"role": "user", "content": self.prompt}]
        return {"model": model, "max_tokens": MAX_TOKENS, "messages": messages, **self.fields}


PROBES: Final[Sequence[Probe]] = (
    Probe("prose", "Explain in four paragraphs how tides work.", Snip(5000, "rst")),
    Probe("story", "Tell a story of 300 words about a lighthouse keeper.", Snip(7000, "clean")),
    Probe(
        "list", "Give twelve tips for better sleep as a Markdown list, a sentence each.", Snip(4500, "fin")
    ),
    Probe(
        "nested list",
        "Outline a course on statistics as a nested list, three levels deep.",
        Snip(6500, "rst"),
    ),
    Probe("table", "Make a Markdown table of fifteen rivers: length, source, mouth.", Snip(6000, "clean")),
    Probe(
        "code", "Write a Python module with a class for a priority queue and its tests.", Snip(7000, "rst")
    ),
    Probe("document", "Write only a JSON document that describes eight invented books.", Snip(5500, "clean")),
    Probe("formulas", "Derive the quadratic formula step by step in LaTeX.", Snip(6000, "fin")),
    Probe("poem", "Write a ballad of eight stanzas with a refrain.", Snip(5000, "rst")),
    Probe("German", "Beschreibe in vier Absätzen, wie ein Kühlschrank funktioniert.", Snip(6000, "clean")),
    Probe("Chinese", "请用四段话介绍长城的历史。", Snip(5000, "rst")),
    Probe(
        "tool call",
        "Say in one sentence what you will do, then look up the weather in Paris with the tool.",
        Snip(3500, "rst"),
        {"tools": [WEATHER]},
    ),
)


def expected_requests(probes: Sequence[Probe]) -> int:
    """How many requests are sent if each continuation succeeds: two for each probe, and one prefilled
    turn."""
    return 2 * len(probes) + 1


def expected_tokens(probes: Sequence[Probe]) -> tuple[int, int]:
    """About how many input and output tokens are billed: all of each reply, and its first half as input
    too."""
    prompts = sum(len(probe.prompt) / CHARACTERS_PER_TOKEN for probe in probes)
    input_tokens = 2 * prompts + len(probes) * (MAX_TOKENS / 2 + OVERHEAD)
    return int(round(input_tokens, -2)), len(probes) * MAX_TOKENS
