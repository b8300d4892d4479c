"""What the author says: the kinds of content that a cut may fall into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resilient_stream.testing import markdown
from resilient_stream.testing.golden import GOLDEN, SEARCHED, THINKS, TOOLS, Golden, text, thought
from resilient_stream.testing.transcript import Block

PROSE: Final = (
    "The harbour wakes before the town does. Ropes creak, a gull complains, and the first boat slides out "
    "past the light. Nobody counts the waves, yet everybody knows when one of them is late. By noon the "
    "fish are sold, the nets are mended, and the talk has moved on to tomorrow's wind."
)
CODE: Final = (
    "Here it is:\n\n```python\ndef level(hours: float) -> float:\n    # a crude fit\n    if hours < 6:\n"
    "        return 140.0\n\n    return 140.0 + 12.5 * (hours - 6)\n```\n\nCall it with `level(7.5)`; "
    "anything below six gives the mean.\n\n| hour | cm |\n|-----:|---:|\n| 5 | 140 |\n| 8 | 165 |\n"
)
GLYPHS: Final = (
    "\u6f6e\u306e\u8a18\u9332\uff1a\u6e7e\u306e\u6c34\u4f4d\u306f\u671d\u306b\u4e8c\u5341\u30bb\u30f3\u30c1"
    "\u4e0a\u304c\u3063\u305f\u3002 \U0001f30a\U0001f468\u200d\U0001f469\u200d\U0001f467 caf\u00e9 "
    "nai\u0308ve \U0001f1eb\U0001f1f7 1\ufe0f\u20e3 "
    "\u6d77\u9762\u7b2c\u4e09\u6b21\u89c2\u6d4b\uff0c\u98ce\u4ece\u5357\u6765\u3002\u98ce\u529b\u4e94\u7ea7"
    "\u3002 \U0001f9d1\U0001f3fd\u200d\U0001f680 \u201cD\u00e9j\u00e0 vu\u201d \u2014 "
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \U0001f41a\U0001f41a"
)
SHORT: Final = "Yes, at noon."
MARKDOWN: Final = markdown(1)[:760].rstrip()
THOUGHTS: Final = "The user asks for tides. I should look at the moon first, then at the wind."

SEARCHES: Final = [{"type": "web_search_20250305", "name": "web_search"}]


def call(number: int = 1) -> Block:
    """A tool call."""
    word = {"word": "tide", "languages": ["de", "fr"], "deep": {"n": number}}
    return {"type": "tool_use", "id": f"toolu_{number:02d}", "name": "look_up", "input": word}


TEXTS: Final[Mapping[str, Golden]] = {
    "prose": Golden((text(PROSE),)),
    "markdown": Golden((text(MARKDOWN),)),
    "code": Golden((text(CODE),)),
    "glyphs": Golden((text(GLYPHS),)),
    "short": Golden((text(SHORT),)),
    "thinking": Golden((thought(THOUGHTS), text(PROSE)), THINKS),
    "interleaved": Golden(
        (thought(THOUGHTS), text(PROSE[:101]), thought("Now the wind."), text(CODE)), THINKS
    ),
    "tool": Golden((text(PROSE[:155]), call()), {"tools": TOOLS}),
    "tools": Golden((thought(THOUGHTS), text(PROSE[:155]), call(1), call(2)), {"tools": TOOLS, **THINKS}),
    "only_tool": Golden((call(),), {"tools": TOOLS}),
    "search": Golden((text(PROSE[:101]), *SEARCHED, text(PROSE[101:])), {"tools": SEARCHES}),
}
"""The kinds of content that a seed may choose."""

REPLIES: Final[Mapping[str, Golden]] = {**GOLDEN, **TEXTS}
"""All that a plan may name."""
