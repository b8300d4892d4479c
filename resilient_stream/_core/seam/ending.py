"""Decides whether a text may be complete where it stops.

A reply that repeats the quote and stops may mean that nothing was missing. It may also come from a model that
did only the first half of what it was asked. So the ending is accepted only where an author could have
stopped: at the end of a sentence, behind a closed fence, behind a complete table row, or if all brackets of a
document are closed.

A text may be complete without such a sign: ``Paris``, a list of words, prose in Thai. The model is then asked
once more, which costs a request. The opposite mistake would lose the rest of the answer.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .fences import in_fence
from .quotation import is_bracket

STOPS: Final = frozenset(
    ".!?\u2026\u203c\u203d\u2047\u2048\u2049"
    "\u3002\uff01\uff1f\uff0e\uff61"  # Chinese, Japanese
    "\u061f\u06d4"  # Arabic, Urdu
    "\u0964\u0965"  # Hindi and its neighbours
    "\u0589\u055c\u055e"  # Armenian
    "\u1362\u1367\u1368"  # Amharic
    "\u104b\u17d4\u0f0d\u037e"  # Burmese, Khmer, Tibetan, Greek
)
"""Signs that end a sentence."""

NEAR: Final = 4000
"""Characters at the end of the text that are searched for an open bracket or quotation."""

LONGEST_MARKER: Final = 80
"""Length of a line, in characters, up to which it may be nothing but a list marker."""

_QUOTES: Final = ("\u201c\u201d\u201e", "\u00ab\u00bb")
"""Quotation marks that come in pairs; languages differ in which of them opens."""
_CLOSERS: Final = "".join(_QUOTES) + "\"'\u2019\u2018\u2039\u203a*_`~"
"""Signs that may follow the full stop of a sentence, in addition to closing brackets."""

_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n")
_ITEM: Final = re.compile(r"^[ \t>]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]", re.MULTILINE)
_MARKER: Final = re.compile(
    r"[ \t>]*(?:[-*+\u2022]|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)])?[ \t]*(?:\[[ xX]?\]?)?[*_ \t]*"
)
"""A whole line that has a list marker and nothing behind it yet."""
_HEADING: Final = re.compile(r"[ \t]*#{1,6}(?:[ \t]|$)")
_SPAN: Final = re.compile(r"`[^`\n]*`|[:;=]-?[(\[{]")
"""Inline code and smileys. Brackets in them are not counted."""
_SINGLE: Final = re.compile(r"(?:^|[\s(])\u2018")
_OPENS_EMPHASIS: Final = re.compile(r"(?:^|[\s(])\*(?=[^\s*])")
_SYMBOL: Final = re.compile(
    "[\u2139\u2194-\u21aa\u231a-\u23ff\u2600-\u27bf\u2934-\u2b55\ufe0f\u200d\U0001f000-\U0001faff \t]"
)
_FOOTNOTE: Final = re.compile(r"\[\^?\d{1,3}\]$")
"""Emoji and a footnote's number may follow a sentence."""
_NO_STOP: Final = re.compile(
    r"(?:^|[\s(.\u00a0])(?:[A-HJ-Z]|Mrs?|Ms|Dr|Prof|St|Nos?|Figs?|fig|vol|vs|cf|ca|approx|bzw|ggf|vgl|Nr|Abb|Hr|Fr|pp?|"
    r"al|Jr|Sr|Inc|Ltd|Co|Corp|Gen|Sen|Rep|Gov|Capt|Col|Lt|Sgt|Rev|Mt|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|Eq|Sec|Ch|"
    r"e\. ?g|i\. ?e|z\. ?B|d\. ?h|u\. ?a|p\. ?ej)\.$|(?<!\.)\.\.$|(?:://|@|www\.)(?:[^\s/]*\.)?[^\s./]{5,}\.$",
    re.IGNORECASE,
)
"""Full stops that end no sentence: in an abbreviation, an initial, half an ellipsis, or an incomplete host
name."""
_NUMBER: Final = re.compile(r"(?<!\d{3})\d\.$")
"""A full stop behind a number of up to three digits may be a decimal point. Years have four digits."""
_CELLS: Final = re.compile(r"[,;\t][^\s,;]")
_BRACES: Final = re.compile(r"[ \t]*[)\]};]+")
_OPENS_BLOCK: Final = re.compile(r"[(\[{][ \t]*$", re.MULTILINE)
_CLOSES_BLOCK: Final = re.compile(r"^[ \t]*[)\]}]", re.MULTILINE)
_BOLD_LINE: Final = re.compile(r"[ \t]*(\*\*|__)\d{1,3}[.)][^*\n]{1,80}\1:?")
"""A bold line with a number: the heading of a step."""
_OPEN_TAG: Final = re.compile(r"^[ \t]*<([a-zA-Z][\w:-]*)(?=[\s>])[^>\n]*(?<!/)>", re.MULTILINE)
_NEVER_CLOSED: Final = frozenset(["br", "hr", "img", "input", "meta", "link", "p", "li", "td", "th", "tr"])
"""Elements that need no closing tag."""
_FORMULA: Final = re.compile(r"(?:^|[\s(])\$(?![A-Z]{2})[A-Za-z\\{(]")
"""The beginning of an inline formula; prices and shell variables do not match."""
_RULE: Final = re.compile(r"^[ \t]*:?-{2,}:?[ \t]*\|", re.MULTILINE)
_JSON: Final = re.compile(r'\{\s*(?:["}]|$)|\[\s*(?:[\[{"\]]|$)')
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)', re.DOTALL)
_ROOT: Final = re.compile(r"(?:\s*<[?!][^>]{0,500}>)*\s*<([A-Za-z][\w:.-]*)")
_END_TAG: Final = re.compile(r"</([A-Za-z][\w:.-]*)\s*>$")
_ENVIRONMENT: Final = re.compile(r"\\(?:(begin)|end)\{[^}\n]{1,40}\}")
_ENDS_FORMULA: Final = re.compile(r"(?:\\end\{[^}\n]{1,40}\}|\\\]|\$\$)$")
_PIPE: Final = re.compile(r"(?<!\\)\|")


def can_end(text: str, space: str = "") -> bool:
    """Whether ``text`` may be all that its author wanted to write.

    Args:
        text: what was received, without trailing white space.
        space: the trailing white space. A text that ends with a space or an empty line is not complete.
    """
    if not text or (space and space.count("\n") != 1) or in_fence(text) or _is_open_formula(text):
        return False
    line = text[max(text.rfind("\n") + 1, len(text) - NEAR) :]
    if line.lstrip(" \t>").startswith(("```", "~~~")):
        return True
    first = text.lstrip()[0]
    if first == "<" or (first in "{[" and _JSON.match(text.lstrip())):
        return _is_whole_markup(text) if first == "<" else not has_open_bracket(_STRING.sub("", text))
    return _is_whole_line(text, line)


def _is_whole_line(text: str, line: str) -> bool:
    """Whether a Markdown text may end with this line."""
    if _HEADING.match(line) or _BOLD_LINE.fullmatch(line):
        return False
    if len(line) < LONGEST_MARKER and _MARKER.fullmatch(line):
        return False
    near = text[-NEAR:]
    if line.lstrip().startswith("|") or ("|" in line and _RULE.search(last_part(near))):
        return _is_whole_row(text, line)
    if _ENDS_FORMULA.search(line):
        return True
    if _BRACES.fullmatch(line):
        return not has_open_bracket(near)
    return not _is_in_block(near) and not is_open(last_part(near), line) and _stops(line)


def _is_in_block(near: str) -> bool:
    """Whether a bracket at the end of a line, or an element at the beginning of one, is not closed. Code in
    fences is not counted."""
    kept, fenced = [], False
    for line in reversed(near.split("\n")):
        if line.lstrip(" \t>").startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    plain = "\n".join(kept).lower()
    if len(_OPENS_BLOCK.findall(plain)) > len(_CLOSES_BLOCK.findall(plain)):
        return True
    names = set(_OPEN_TAG.findall(plain)) - _NEVER_CLOSED
    return any(plain.count(f"<{name}") > plain.count(f"</{name}") for name in names)


def _stops(line: str) -> bool:
    """Whether the line ends with a sentence."""
    end = _FOOTNOTE.sub("", line)
    size = len(end)
    while size and _SYMBOL.match(end, size - 1):
        size -= 1
    while size and (end[size - 1] in _CLOSERS or unicodedata.category(end[size - 1]) == "Pe"):
        size -= 1
    end = end[:size]
    if end[-1:] == ";" and "\u0370" <= end[-2:-1] <= "\u1fff":
        return True  # a question in Greek
    if end[-1:] not in STOPS or not end or _NO_STOP.search(end[-60:]):
        return False
    return not _NUMBER.search(end) and len(_CELLS.findall(line)) < 3


def last_part(near: str) -> str:
    """The last paragraph of a text, or the last item if that paragraph is a list."""
    part = near[max((found.end() for found in _PARAGRAPH.finditer(near)), default=0) :]
    return part[max((found.start() for found in _ITEM.finditer(part)), default=0) :]


def is_open(part: str, line: str) -> bool:
    """Whether a bracket, a quotation, emphasis or inline code is open.

    Args:
        part: the last paragraph, or the last item of a list.
        line: the last line.
    """
    plain, item = _SPAN.sub("", part), _ITEM.sub("", line)
    if has_open_bracket(plain) or line.count("`") % 2 or item.count("**") % 2:
        return True
    if _OPENS_EMPHASIS.search(item) and item.count("*") % 2:
        return True
    if plain.count("$") % 2 and _FORMULA.search(plain):
        return True
    if _SINGLE.search(plain) and plain.count("\u2018") > plain.count("\u2019"):
        return True
    inches = re.search(r'\d"', plain)
    if plain.count('"') % 2 and not inches:
        return True
    return any(sum(map(plain.count, marks)) % 2 for marks in _QUOTES)


def has_open_bracket(text: str) -> bool:
    """Whether a text opens more brackets than it closes. Any closing bracket closes any opening one: ``[0,
    1)``."""
    depth = 0
    for sign in re.findall(r"[()\[\]{}]" if text.isascii() else r"[()\[\]{}]|[^\w\s\x00-\x7f]", text):
        if is_bracket(sign):
            depth += 1
        elif unicodedata.category(sign) == "Pe":
            depth = max(0, depth - 1)
    return depth > 0


def _is_open_formula(text: str) -> bool:
    """Whether a LaTeX formula or environment is open."""
    if "\\" not in text and "$$" not in text:
        return False
    depth = sum(1 if begins else -1 for begins in _ENVIRONMENT.findall(text))
    return depth > 0 or text.count("\\[") > text.count("\\]") or text.count("$$") % 2 == 1


def _is_whole_row(text: str, line: str) -> bool:
    """Whether a table row is complete: it has as many cells as the row before it, and there is text in
    them."""
    before = text[: len(text) - len(line)].rstrip("\n").rpartition("\n")[2]
    cells = len(_PIPE.findall(line))
    if line.strip("|-: \t") == "" or not _PIPE.search(before):
        return False
    if line.lstrip().startswith("|"):
        return bool(re.search(r"(?<!\\)\|\s*$", line)) and cells >= len(_PIPE.findall(before))
    return cells >= len(_PIPE.findall(before)) and _stops(line)


def _is_whole_markup(text: str) -> bool:
    """Whether the first and the last element of an HTML or XML document are closed."""
    root, last = _ROOT.match(text), _END_TAG.search(text)
    if root is None:
        return False
    if last is not None:
        return last[1] == root[1] or f"</{root[1]}>" in text
    return (
        f"</{root[1]}>" in text and "</" in text[text.rfind("<") :] and _stops(text[text.rfind("\n") + 1 :])
    )
