"""JSON that comes from outside, and JSON that has to be sent."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from resilient_stream._core.wire.safe_json import (
    LONGEST_ID,
    MAX_DEPTH,
    encodable,
    identifier,
    is_encodable,
    parse,
    whole,
    whole_names,
)

ANY_TEXT = st.text(st.characters())  # halves of surrogate pairs included
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
)
STRICT = {"ensure_ascii": False, "allow_nan": False}


def test_json_is_read_as_python_reads_it() -> None:
    """What is JSON, even with what only Python's JSON has, has its value."""
    assert parse('{"a": [1, "\\ud83d", true]}') == {"a": [1, "\ud83d", True]}
    assert parse("1e999") == math.inf


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_nesting_is_read_up_to_a_limit(opening: str) -> None:
    """As deep as the limit it is read; one level more, or enough to exhaust the parser, is refused."""
    closing = "".join({"[": "]", "{": "}"}[each] for each in reversed(opening) if each in "[{")
    levels = MAX_DEPTH // len(closing)
    assert parse(opening * levels + "1" + closing * levels)
    for more in (levels + 1, 200_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse(opening * more + "1" + closing * more)


def test_many_brackets_are_no_depth() -> None:
    """A long list of small objects, and brackets within text, are not deep."""
    assert parse(json.dumps([{}] * 1000)) == [{}] * 1000
    assert parse(json.dumps("[" * 1000)) == "[" * 1000


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nul", "1" * 5000, "\0", '"\n"'])
def test_there_is_one_way_to_fail(text: str) -> None:
    """Broken JSON, and a number of more digits than Python reads, are a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 -- the parser's own words
        parse(text)


@given(ANY_JSON)
def test_what_is_encodable_can_be_sent(value: Any) -> None:
    """Strict JSON in UTF-8 can be made of it; where it could be made before, nothing is changed or copied."""
    fit = encodable(value)
    sent = json.dumps(fit, **STRICT).encode()  # type: ignore[arg-type]
    assert is_encodable(fit)
    try:
        before = json.dumps(value, **STRICT).encode()  # type: ignore[arg-type]
    except ValueError:
        assert not is_encodable(value)
    else:
        assert fit is value
        assert sent == before


def test_what_cannot_be_sent_is_replaced() -> None:
    """Halves of pairs by the replacement character, numbers that are none by null, in keys and at any level."""
    value = {"a\ud83d": [1.5, math.nan, ("\udc00", -math.inf)], "b": {"c": None}}
    assert encodable(value) == {"a\ufffd": [1.5, None, ["\ufffd", None]], "b": {"c": None}}
    assert encodable({"\ud83d": None}) == {"\ufffd": None}
    assert whole("\ud83d\ude00 \u00e9") == "\ufffd\ufffd \u00e9"


class Model(BaseModel):
    """As the SDK's models, which keep what they do not know."""

    model_config = ConfigDict(extra="allow")
    text: str
    unset: int = 0


def test_a_model_becomes_its_fields_where_it_cannot_be_sent() -> None:
    """Those that were set, at any level; one that can be sent is the very same object."""
    fit = [Model(text="a", more=1.0)]  # type: ignore[call-arg]
    assert encodable(fit) is fit
    assert encodable([Model(text="\ud83d")]) == [{"text": "\ufffd"}]
    nested = Model.model_construct(text="a", more={"\udc00": Model(text="b")})
    assert encodable(nested) == {"text": "a", "more": {"\ufffd": {"text": "b"}}}


@given(ANY_JSON)
def test_names_can_be_written(value: Any) -> None:
    """At any level; what stands under them stays as it is, and a value whose names are whole is the very same."""
    fit = whole_names(value)
    assert whole_names(fit) is fit
    TypeAdapter(Any).dump_python(fit, mode="json")
    if whole(spelt := json.dumps(value, ensure_ascii=False)) == spelt:
        assert fit is value


def test_a_name_that_cannot_be_written_is_mended() -> None:
    """Its value is not."""
    value = {"a": [{"\ud83d": "\ud83d", "b": 1}]}
    assert whole_names(value) == {"a": [{"\ufffd": "\ud83d", "b": 1}]}


def test_what_is_no_json_is_left_alone() -> None:
    """A value of any other type is somebody else's; what lies too deep is not looked at."""
    other = object()
    assert encodable(other) is other
    deep: list[Any] = []
    deep.append(deep)
    assert encodable(deep) is deep


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [
        *(("msg_1", "msg_1"), ("", ""), ("\ud83d", "\ufffd"), ("x" * 1000, "x" * LONGEST_ID)),
        *((None, None), (5, None), ({"": 1}, None), (["msg_1"], None)),
    ],
)
def test_an_id_is_a_short_text_that_can_be_written(given_id: object, kept: str | None) -> None:
    """Whatever stands in its place goes into no report, log or span."""
    assert identifier(given_id) == kept
