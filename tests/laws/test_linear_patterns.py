"""No pattern of the package takes more than linear time, whatever it is given.

Each pattern is found in the source, with the way it is used, and attacked: for each repetition in it, a string that
the repetition takes is repeated many times, behind what comes before it, and followed by what the pattern refuses.
So is each character that a set of the pattern names: two neighbouring sets may share one. An exponential or
quadratic pattern shows itself by how its time grows. (Analysers of patterns were tried: those for Python do not
know possessive repetitions, or take a search for a run at the end to be linear.)
"""

from __future__ import annotations

import ast
import importlib
import math
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # the parser of the standard library's patterns
from typing import Any, Final

import pytest

PACKAGE: Final = Path(__file__).parents[2] / "resilient_stream"
CALLS: Final = ("match", "fullmatch", "search", "sub", "findall", "finditer", "split")
ANCHORED: Final = ("match", "fullmatch")
TAKEN: Final = ("testing", "_demo", "_check")
"""Packages that meet no text of a stranger's."""

BOUND: Final = 160
"""Repetitions of no more than this are bounded. The longest is of a sentence that may be an opening."""

BOUNDED: Final = {
    "resilient_stream._core.seam.delivered._BORDER": "it is shown 40 characters",
    "resilient_stream._core.seam.ending._MARKER": "it is shown lines of fewer than 80 characters",
    "resilient_stream._core.seam.ending._NO_STOP": "it is shown 60 characters",
    "resilient_stream._core.seam.recurrence._BREAK": "it is shown 64 characters",
}
"""Patterns whose callers bound what they are shown, and how."""

LADDER: Final = (12, 16, 19, 22, 25, 28, 31, 35, 40, 48, 60, 240, 1_000, 2_000, 8_000)
"""Repetitions of each attack. The first rungs are so close together that an exponential pattern is found out before
it hangs the test, on a fast machine too: eight times the time of one rung is little."""
GROWTH: Final = 10.0
"""By how much the time of the last rung may exceed that of the one before, which is a quarter as long: a quadratic
pattern takes sixteen times as long."""
NOTHING: Final = 0.01
"""Seconds of processor time that are not looked at."""
ENOUGH: Final = 0.1
"""Seconds after which no further rung is climbed."""


class Found:
    """One pattern and how it is called."""

    def __init__(self, where: str, pattern: re.Pattern[Any], calls: set[str]) -> None:
        self.where, self.pattern, self.calls = where, pattern, calls

    def __repr__(self) -> str:
        return self.where


def sources() -> Iterator[tuple[str, ast.Module]]:
    """The modules that are looked at, by name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if not set(TAKEN) & set(parts) and parts[-1] != "__main__":
            yield ".".join(parts).removesuffix(".__init__"), ast.parse(path.read_text("utf-8"))


def calls_of(module: str, name: str, sources: Mapping[str, ast.Module]) -> set[str]:
    """How a module's pattern of that name is used, there and where it is imported."""
    users = [
        tree
        for user, tree in sources.items()
        if user == module
        or any(
            isinstance(node, ast.ImportFrom) and name in {one.name for one in node.names}
            for node in tree.body
        )
    ]
    return {
        node.attr
        for tree in users
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CALLS
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }


def compiled() -> Iterator[Found]:
    """The patterns that are kept under a name, alone or in a tuple."""
    modules = dict(sources())
    for name in modules:
        module = importlib.import_module(name)
        for variable, value in vars(module).items():
            held = [value] if isinstance(value, re.Pattern) else []
            held += [one for one in _flat(value) if isinstance(one, re.Pattern)]
            for pattern in held:
                yield Found(f"{name}.{variable}", pattern, calls_of(name, variable, modules) or {"search"})


def _flat(value: object) -> Iterator[object]:
    for one in value if isinstance(value, tuple) else ():
        yield from [one] if not isinstance(one, tuple) else _flat(one)


def written() -> Iterator[Found]:
    """The patterns that are written where they are used, if nothing in them changes."""
    for name, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=call),
                    args=[ast.Constant(value=str(pattern)), *_],
                ) if call in CALLS:
                    yield Found(f"{name}:{node.lineno}", re.compile(pattern), {call})
                case _:
                    pass


PATTERNS: Final = [
    found
    for found in {found.pattern: found for found in [*compiled(), *written()]}.values()
    if found.where not in BOUNDED
]


def sample(tree: Any) -> str:
    """A string that a part of a pattern takes; what looks around takes nothing."""
    return "".join(_sample(kind, value) for kind, value in tree)


def _sample(kind: Any, value: Any) -> str:
    match str(kind):
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL" | "ANY":
            return "b" if value == ord("a") else "a"
        case "IN":
            return _member(value)
        case "BRANCH":
            return sample(value[1][0])
        case "SUBPATTERN":
            return sample(value[3])
        case "ATOMIC_GROUP":
            return sample(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return sample(value[2]) * max(1, value[0]) if value[1] else ""
        case _:
            return ""


def characters(tree: Any) -> Iterator[str]:
    """A character of each part of each set in a pattern."""
    for kind, value in tree:
        match str(kind):
            case "IN":
                yield _member(value)
                yield from (chr(one) for name, one in value if name == _constants.LITERAL)
                yield from (chr(one[0]) for name, one in value if name == _constants.RANGE)
            case "BRANCH":
                yield from (each for branch in value[1] for each in characters(branch))
            case "SUBPATTERN":
                yield from characters(value[3])
            case "ATOMIC_GROUP":
                yield from characters(value)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                yield from characters(value[2])
            case _:
                pass


def _member(members: Any) -> str:
    """A character of a set."""
    parts = [(kind, value) for kind, value in members if kind != _constants.NEGATE]
    if len(parts) == len(members):
        for kind, value in parts:
            if kind == _constants.LITERAL:
                return chr(value)
            if kind == _constants.RANGE:
                return chr(value[0])
    for candidate in "a 1_.,-\n\t\"'|#\u00e9\u4e2d\u3002":
        if re.fullmatch(_written(members), candidate):
            return candidate
    return "a"


def _written(members: Any) -> str:
    categories = {
        "SPACE": r"\s",
        "NOT_SPACE": r"\S",
        "DIGIT": r"\d",
        "NOT_DIGIT": r"\D",
        "WORD": r"\w",
        "NOT_WORD": r"\W",
    }
    said = ""
    for kind, value in members:
        match str(kind):
            case "NEGATE":
                said += "^"
            case "LITERAL":
                said += re.escape(chr(value))
            case "RANGE":
                said += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
            case _:
                said += categories[str(value).removeprefix("CATEGORY_")]
    return f"[{said}]"


def attacks(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """For each repetition: what leads to it, and what it takes once."""
    for kind, value in tree:
        match str(kind):
            case "MAX_REPEAT" | "MIN_REPEAT":
                inner = sample(value[2])
                if inner and value[1] > BOUND:
                    yield before, inner
                for _, pump in attacks(value[2]):
                    yield before, pump
                    yield before, inner + pump
                yield from attacks(value[2], before)
            case "BRANCH":
                for branch in value[1]:
                    yield from attacks(branch, before)
            case "SUBPATTERN":
                yield from attacks(value[3], before)
            case "ATOMIC_GROUP":
                yield from attacks(value, before)
            case "POSSESSIVE_REPEAT":
                yield before, sample(value[2])
            case _:
                pass
        before += _sample(kind, value)


def seconds(found: Found, call: str, text: str) -> float:
    """Processor time of one call."""
    subject: Any = text.encode("utf-8", "replace") if isinstance(found.pattern.pattern, bytes) else text
    act = getattr(found.pattern, call)
    arguments = ("", subject) if call == "sub" else (subject,)
    began = time.process_time()
    result = act(*arguments)
    if call == "finditer":
        for _ in result:  # none is kept: the collector would take time of its own
            pass
    return time.process_time() - began


def growth(found: Found, call: str, before: str, pump: str, behind: str) -> float:
    """By how much the time grows from the last rung but one to the last; endless where an early rung takes long."""
    last = previous = 0.0
    for times in LADDER:
        last, previous = seconds(found, call, before + pump * times + behind), last
        if last > ENOUGH:
            return math.inf if times < LADDER[-1] else last / max(previous, NOTHING / 10)
    return last / max(previous, NOTHING / 10) if last > NOTHING else 0.0


def worst(found: Found) -> tuple[float, str]:
    """The worst attack on a pattern, and what it was."""
    flags = (
        found.pattern.flags & ~re.UNICODE if isinstance(found.pattern.pattern, bytes) else found.pattern.flags
    )
    tree = _parser.parse(found.pattern.pattern, flags)
    tried = set(attacks(tree)) | {("", "a"), ("", " "), ("", "\n"), ("", "a ")}
    tried |= {(before, one) for before, _ in tried for one in characters(tree)}
    most = 0.0, ""
    for call in sorted(found.calls):
        for before, pump in sorted(tried):
            for behind in ("\x00", "!a", " "):
                grown = growth(found, call, before, pump, behind)
                most = max(most, (grown, f"{call}: {before!r} + {pump!r} * n + {behind!r}"))
                if grown > GROWTH:
                    return most
    return most


def test_the_patterns_are_found() -> None:
    """The collection would notice if it stopped finding them."""
    assert len(PATTERNS) > 40
    assert {"resilient_stream._core.wire.events.CANONICAL_HEAD"} < {found.where for found in PATTERNS}


@pytest.mark.parametrize(
    ("pattern", "call"),
    [
        (r"(a+)+b", "match"),
        (r"(?:sorry[^.]*, )*continue", "match"),
        (r"[^\W\d_]+$", "search"),
        (r"\s*$", "search"),
        (r"(?:a|a)*c", "match"),
        (r"a*a*c", "match"),
        (r"[a-z']*[;.']*", "fullmatch"),
        (r"~{3,}[^`]*\n", "match"),
    ],
)
def test_a_bad_pattern_is_noticed(pattern: str, call: str) -> None:
    """Exponential and quadratic patterns are told from linear ones."""
    assert worst(Found("bad", re.compile(pattern), {call}))[0] > GROWTH


@pytest.mark.parametrize("found", PATTERNS, ids=repr)
def test_a_pattern_takes_linear_time(found: Found) -> None:
    """Four times as much text takes at most about four times as long."""
    most, attack = worst(found)
    assert most <= GROWTH, (
        f"{found.pattern.pattern!r}: {most:.0f} times as long for 4 times the text; {attack}"
    )
