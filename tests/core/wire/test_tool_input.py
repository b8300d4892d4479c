"""The input of a tool call, piece by piece."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiter import from_json

from resilient_stream._core.failures import Flaw, Kind
from resilient_stream._core.wire import safe_json
from resilient_stream._core.wire.tool_input import ToolInput
from tests.laws.sizes import LARGE

INPUTS = (
    "{}",
    '{"a": "x"}',
    ' {"word": "tide", "n": [1, -2.5e+3, true, null, {"b": "\\ud83d\\ude00 é \\n"}], "z": {}}\n',
    '[{"a":{"b":[[]]}}, -0, 12.5E9]',
    '{"a": [1.25e10, -0.125, 1E-05, 12.5e+3, 1234567890123456789012345678901234567890]}',
    '{"a": "\\u00e9\\\\ \\"q\\" 😀", "w": false, "v": NaN, "u": -Infinity}',
)


def written(text: str, size: int) -> tuple[ToolInput, list[str]]:
    """An input that came in pieces of this many characters, and the pieces as they went on."""
    made = ToolInput()
    return made, [made.take(text[at : at + size]) for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("text", INPUTS)
def test_json_passes_and_is_whole_at_its_end(text: str, size: int) -> None:
    """Blanks in front are left out where they come alone; nothing else is changed."""
    made, pieces = written(text, size)
    assert made.whole
    assert json.loads("".join(pieces), parse_constant=str) == json.loads(text, parse_constant=str)
    for end in range(text.index(text.strip()[0]) + 1, len(text.rstrip())):
        assert not written(text[:end], size)[0].whole


def test_no_input_is_a_whole_one() -> None:
    """A call without arguments."""
    made, pieces = written("", 1)
    assert (made.whole, pieces) == (True, [])
    assert ToolInput().take("") == ""


@pytest.mark.parametrize(
    "text",
    [
        *(
            '{"word": Dave}',
            '{"a": "a "quoted" b"}',
            '{"a": 1}{"a": 1}',
            '{"a": 1} x',
            '{"a": 1,}',
            "{,",
            "{1",
        ),
        *('{"a" 1}', "{a: 1}", "{'a': 1}", '{"a": 01}', '{"a": 1.}', '{"a": +1}', '{"a": trx}', '{"a": nul]'),
        *('{"a": "x\ny"}', '{"a": "\\x"}', '{"a": "\\ud83d"}', '{"a": "\\ude00"}', '{"a": "\\u12x'),
        *(
            '{"a": "\\ud83d\\u0041"}',
            "[1 2]",
            "[1,]",
            "[}",
            "{]",
            "]",
            '"x"',
            "5",
            "null",
            "[" * 201,
            '{"a":: 1}',
        ),
        '{"a": ' + "9" * 5000 + "}",
    ],
    ids=range(32),
)
def test_what_can_never_be_json_is_a_flaw(text: str) -> None:
    """At the first piece that shows it. Its length is told, never what it says."""
    with pytest.raises(Flaw) as caught:
        written(text, 1)
    failure = caught.value.failure
    assert failure.kind is Kind.CORRUPT
    assert failure.detail.startswith("the input of a tool call is not JSON (")


def test_halves_of_a_character_are_put_together() -> None:
    """The SDK writes each piece in UTF-8; a half that stays alone is replaced."""
    made = ToolInput()
    assert [made.take(piece) for piece in ('{"a": "\ud83d', "\ude00", "\ud83d", '"}')] == [
        '{"a": "',
        "😀",
        "",
        '\ufffd"}',
    ]
    assert made.whole


@pytest.mark.parametrize("seed", range(200 if LARGE else 8))
def test_what_passes_the_sdks_parser_reads(seed: int) -> None:
    """Spoilt inputs in pieces of any size: what goes on never makes it fail, what is whole is JSON, and no
    JSON object is refused."""
    rng = random.Random(seed)
    for _ in range(200):
        text = rng.choice(INPUTS)
        for _ in range(rng.randrange(4)):
            at, sign = rng.randrange(len(text) + 1), rng.choice('{}[]:,"\\ 019eE.+-aunlt\n\ud83d\ude00')
            text = rng.choice(
                [text[:at] + sign + text[at:], text[:at] + text[at + 1 :], text[: at + 3] + text[at:]]
            )
        made, had, size = ToolInput(), b"", rng.choice([1, 2, 3, 7, 50])
        try:
            for start in range(0, len(text), size):
                had += made.take(text[start : start + size]).encode()
                assert not had or from_json(had, partial_mode=True) is not None
        except Flaw:
            assert not is_json(text)
        else:
            assert made.whole == (is_json(had.decode()) or not had)


def received(made: ToolInput, piece: str, *, short: bool) -> str:
    """What is delivered for a piece, or the detail of the flaw that it is."""
    escaped = json.dumps(piece, ensure_ascii=any("\ud800" <= sign <= "\udfff" for sign in piece))[
        1:-1
    ].encode()
    try:
        return piece if short and made.follows(escaped) else made.take(piece)
    except Flaw as flaw:
        return str(flaw.failure.detail)


@given(
    st.lists(st.text(alphabet='ab~ "\\\n{}[]:,1.é\u2028\ud83d\ude00'), min_size=1),
    st.sampled_from(['{"a": "', "[", ""]),
)
def test_a_piece_that_follows_is_received_as_every_other(pieces: list[str], begun: str) -> None:
    """`follows` receives what `take` would deliver unchanged, counts as it does, and leaves what comes next the
    same fate."""
    made, other = ToolInput(), ToolInput()
    for piece in (begun, *pieces, '"}'):
        got = received(made, piece, short=True)
        assert got == received(other, piece, short=False)
        if "not JSON" in got:
            return
    assert (made.size, made.whole) == (other.size, other.whole)


@pytest.mark.parametrize(
    ("begun", "written"),
    [
        ("", b"1"),
        ("", b" "),
        ('{"a": "\ud83d', b"b"),
        ('{"a": "', rb"\u00e9"),
        ('{"a": 1', b"]"),
        ("[", b"]]"),
    ],
)
def test_a_piece_that_does_not_follow_is_not_received(begun: str, written: bytes) -> None:
    """One that begins the input, one behind half a character or with codes, and one that is no JSON: afterwards the
    input is what it was before."""
    made, other = ToolInput(), ToolInput()
    for one in (made, other):
        one.take(begun)
    assert not made.follows(written)
    assert vars(made) == vars(other)


def is_json(text: str) -> bool:
    """Whether it is a JSON object or array that can be written in UTF-8."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict | list) and safe_json.is_encodable(json.loads(text, parse_constant=str))
