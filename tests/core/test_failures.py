"""The catalogue of failures."""

from __future__ import annotations

import pytest

from resilient_stream._core.failures import (
    CONNECTION_KINDS,
    FINAL_KINDS,
    OVERLOAD_KINDS,
    STATUS_OF_ERROR_TYPE,
    Barren,
    Failure,
    Flaw,
    Kind,
    Phase,
    error_in,
    is_word,
    kind_of_error,
    kind_of_status,
    status_of_error,
)


def test_every_kind_is_in_one_class() -> None:
    """Connection, overload or final: no kind is in two or in none."""
    classes = [CONNECTION_KINDS, OVERLOAD_KINDS, FINAL_KINDS]
    assert sorted(kind for one in classes for kind in one) == sorted(Kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (529, Kind.OVERLOADED),
        (429, Kind.RATE_LIMITED),
        (408, Kind.TIMEOUT_ERROR),
        (504, Kind.TIMEOUT_ERROR),
        (409, Kind.API_ERROR),
        (425, Kind.API_ERROR),
        (500, Kind.API_ERROR),
        (503, Kind.API_ERROR),
        (400, Kind.REJECTED),
        (401, Kind.REJECTED),
        (413, Kind.REJECTED),
        (308, Kind.REJECTED),
    ],
)
def test_a_status_has_a_kind(status: int, kind: Kind) -> None:
    """As the design has it."""
    assert kind_of_status(status) is kind


@pytest.mark.parametrize("code", ["contract_spend_limit_reached", "enforced_spend_limit_reached"])
def test_a_spend_cap_is_final(code: str) -> None:
    """No waiting cures it, told by status or in band."""
    assert kind_of_status(429, code) is Kind.REJECTED
    assert kind_of_status(529, code) is Kind.OVERLOADED
    error = {"type": "rate_limit_error", "details": {"error_code": code}}
    assert kind_of_error(error) is Kind.REJECTED


@pytest.mark.parametrize(("name", "status"), STATUS_OF_ERROR_TYPE.items())
def test_an_error_has_the_kind_of_its_type(name: str, status: int) -> None:
    """Whatever else is in it."""
    error = {"type": name, "details": "?", "code": 599}
    assert status_of_error(error) == status
    assert kind_of_error(error) is kind_of_status(status)


@pytest.mark.parametrize(
    ("code", "status"),
    [(400, 400), ("400", 400), (529, 529), ("503", 503)]
    + [
        (code, 500)
        for code in (None, True, 40, 4000, "4OO", "", 200, 302, 600, 4.0, [400], "\u0664\u0660\u0660")
    ],
)
def test_an_error_of_unknown_type_has_its_codes_status(code: object, status: int) -> None:
    """Gateways put the status there; what is no error's status says nothing."""
    for error in ({"code": code}, {"code": code, "type": "None"}, {"code": code, "type": None}):
        assert status_of_error(error) == status
        assert kind_of_error(error) is kind_of_status(status)


def deep() -> list[object]:
    """A list in a list, and so on."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


DEEP = deep()


@pytest.mark.parametrize(
    "error",
    [
        *(None, "overloaded", [], {}, {"type": ["x"]}, {"type": "new_error"}, {"type": DEEP}),
        {"type": {"a": float("nan")}, "details": {"error_code": DEEP}},
    ],
    ids=range(8),
)
def test_an_unreadable_error_is_the_servers_trouble(error: object) -> None:
    """Nothing that the API says in band is read as the user's fault unless it says so."""
    assert kind_of_error(error) is Kind.API_ERROR


def test_a_code_that_is_no_word_is_none() -> None:
    """Whatever stands in its place."""
    assert kind_of_error({"type": "rate_limit_error", "details": {"error_code": DEEP}}) is Kind.RATE_LIMITED


@pytest.mark.parametrize(
    ("value", "word"),
    [
        *(("overloaded_error", True), ("a" * 80, True), ("a.b/c:d-e", True)),
        *(
            ("", False),
            ("a" * 81, False),
            ("two words", False),
            ("line\n", False),
            ("\ud83d", False),
            (1, False),
            (None, False),
        ),
    ],
)
def test_a_technical_word_is_short_and_plain(value: object, *, word: bool) -> None:
    """What comes from outside stands in a log or an exception's text only if it is one."""
    assert is_word(value) is word


def test_a_body_stays_out_of_sight() -> None:
    """What the API said is neither shown nor compared."""
    one = Failure(Kind.API_ERROR, Phase.BODY, body={"secret": 1})
    assert "secret" not in repr(one)
    assert one == Failure(Kind.API_ERROR, Phase.BODY)


def test_a_flaw_is_a_failure_of_the_body() -> None:
    """With its detail, and what the API said."""
    flaw = Flaw(Kind.CORRUPT, "bad", in_band=True, body=1)
    assert flaw.failure == Failure(Kind.CORRUPT, Phase.BODY, in_band=True, detail="bad")
    assert (str(flaw), flaw.failure.body) == ("bad", 1)
    assert Barren("end_turn").failure.kind is Kind.PROTOCOL


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"error": {"type": "overloaded_error"}}, 529),
        ({"error": [{"type": "overloaded_error"}, {"type": "api_error"}]}, 529),
        ({"error": {"error": {"type": "overloaded_error"}}}, 529),
        ({"type": "overloaded_error", "message": "x"}, 529),
        ({"type": "error", "error": {"code": 429, "error": {}}}, 429),
        ({"error": "words"}, 500),
        ({"error": []}, 500),
        ({"type": ["overloaded_error"]}, 500),
        ({"type": "about:blank", "title": "Gone", "status": 410}, 410),
        ({"statusCode": 429, "message": "Slow down"}, 429),
        ({"code": "slow_down", "status": "429"}, 429),
        ("words", 500),
        (None, 500),
    ],
)
def test_an_error_is_found_wherever_a_gateway_puts_it(said: object, status: int) -> None:
    """Under its name, as the first of several, inside of another, or all there is."""
    assert status_of_error(error_in(said)) == status
