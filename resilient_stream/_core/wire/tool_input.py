"""Checks the input of a tool call, which is JSON that arrives in pieces.

With each piece the SDK parses the input so far, and fails if it can't become valid JSON any more. Models
sometimes write such input if it is not buffered. So each piece is checked before it is delivered.
"""

from __future__ import annotations

import json
import re
from typing import Final

from resilient_stream._core.failures import Flaw, Kind

from . import events, safe_json

_STRING: Final = re.compile(
    r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|(?![dD][89a-fA-F])[0-9a-fA-F]{4})))*+"
)
_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]*+")
"""Characters that are neither escaped in JSON nor need to be, and have one byte each."""
_CUT_ESCAPE: Final = re.compile(
    r"\\(?:u(?:[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?"
    r"|[dD](?:[89abAB][0-9a-fA-F]?)?|(?![dD][89a-fA-F])[0-9a-fA-F]{0,3})?)?"
)
_SCALAR: Final = re.compile(r"[-+.0-9A-Za-z]*+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,4299})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_CUT_NUMBER: Final = re.compile(
    r"-?(?:(?:0|[1-9][0-9]{0,4299})(?:\.[0-9]*|(?:\.[0-9]+)?[eE][-+]?[0-9]*)?)?", re.ASCII
)
_MORE_DIGITS: Final = re.compile(r"([.eE][-+]?[0-9])[0-9]++", re.ASCII)
"""Digits behind the first of a fraction or an exponent. They do not affect whether a number is valid."""
_WORDS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_VALUE, _FIRST_VALUE, _FIRST_KEY, _KEY, _COLON, _NEXT = (
    "value",
    "first value",
    "first key",
    "key",
    "colon",
    "next",
)


class ToolInput:
    """The input of one call, as far as it has been received."""

    def __init__(self) -> None:
        self.size = 0
        """The number of characters received."""
        self._open: list[str] = []
        self._wants = _VALUE
        self._in_string = False
        self._tail = ""
        self._half = ""

    @property
    def whole(self) -> bool:
        """Whether the input is complete: a whole value, or nothing at all."""
        return not self._open and not self._in_string

    def take(self, piece: str) -> str:
        """Receive a piece of the input, and return the piece to deliver.

        White space before the first value is left out, because the SDK treats it as an error. The halves of a
        surrogate pair are joined.

        Raises:
            Flaw: `Kind.CORRUPT`: whatever follows, this is not JSON.
        """
        self.size += len(piece)
        piece = events.paired(self._half + piece)
        self._half = piece[-1] if "\ud800" <= piece[-1:] <= "\udbff" else ""
        piece = safe_json.whole(piece[: len(piece) - len(self._half)])
        if not self._open and not piece.strip(" \t\r\n"):
            return ""
        self._read(self._tail + piece)
        return piece

    def follows(self, written: bytes) -> bool:
        r"""Receive a piece if it can be delivered unchanged. Return False, and do not receive it, otherwise.

        A piece may have to be changed if it begins the input, is not JSON, or has ``\u`` escapes, which may
        be halves of characters. Most pieces are plain characters inside a string. They are not decoded,
        because `take` needs ten times as long.

        Args:
            written: the piece, still JSON-escaped.
        """
        if self._in_string and not self._tail and not self._half and _PLAIN.fullmatch(written) is not None:
            self.size += len(written)
            return True
        if not self._open or self._half or rb"\u" in written:
            return False
        before = self.size, self._open.copy(), self._wants, self._in_string, self._tail
        try:
            self.take(json.loads(b'"' + written + b'"'))
        except Flaw:
            self.size, self._open, self._wants, self._in_string, self._tail = before
            return False
        return True

    def broken(self) -> Flaw:
        """The flaw for an input that is not JSON. It has the length of the input, not its content."""
        return Flaw(Kind.CORRUPT, f"the input of a tool call is not JSON ({self.size} characters)")

    def _read(self, text: str) -> None:
        at, self._tail = 0, ""
        while at < len(text):
            if self._in_string:
                at = self._string(text, at)
            elif text[at] in " \t\r\n":
                at += 1
            else:
                at = self._token(text, at)

    def _string(self, text: str, at: int) -> int:
        at = _end(_STRING, text, at)
        if at == len(text):
            return at
        if text[at] == '"':
            self._in_string = False
            self._wants = _COLON if self._wants in (_KEY, _FIRST_KEY) else _NEXT
            return at + 1
        if _CUT_ESCAPE.fullmatch(text, at) is None:
            raise self.broken()
        self._tail = text[at:]
        return len(text)

    def _token(self, text: str, at: int) -> int:
        sign, wants = text[at], self._wants
        if not self._open and (wants == _NEXT or sign not in "{["):  # the SDK reads no other value in pieces
            raise self.broken()
        if sign == '"' and wants not in (_NEXT, _COLON):
            self._in_string = True
        elif sign in "{[" and wants in (_VALUE, _FIRST_VALUE) and len(self._open) < safe_json.MAX_DEPTH:
            self._open.append(sign)
            self._wants = _FIRST_KEY if sign == "{" else _FIRST_VALUE
        elif sign in "}]" and self._closes(sign):
            self._open.pop()
            self._wants = _NEXT
        elif sign == ":" and wants == _COLON:
            self._wants = _VALUE
        elif sign == "," and wants == _NEXT and self._open:
            self._wants = _KEY if self._open[-1] == "{" else _VALUE
        elif wants in (_VALUE, _FIRST_VALUE):
            return self._scalar(text, at)
        else:
            raise self.broken()
        return at + 1

    def _closes(self, sign: str) -> bool:
        empty = _FIRST_KEY if sign == "}" else _FIRST_VALUE
        return bool(self._open) and self._open[-1] + sign in ("{}", "[]") and self._wants in (_NEXT, empty)

    def _scalar(self, text: str, at: int) -> int:
        end = _end(_SCALAR, text, at)
        word = text[at:end]
        if end == len(text) and (
            _CUT_NUMBER.fullmatch(word) or any(each.startswith(word) for each in _WORDS)
        ):
            self._tail = _MORE_DIGITS.sub(r"\1", word)
        elif self._is_scalar(word):
            self._wants = _NEXT
        else:
            raise self.broken()
        return end

    @staticmethod
    def _is_scalar(word: str) -> bool:
        return _NUMBER.fullmatch(word) is not None or word in _WORDS


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """The end of a match from ``at``."""
    found = pattern.match(text, at)
    return found.end() if found else at
