"""Where a report is found."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import httpx2
import pytest

from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import RECORD_KEY, Attempt
from resilient_stream._report.locate import record_of
from resilient_stream._report.record import ReportedRecord
from resilient_stream.report import report

PACKAGES = pytest.mark.parametrize("http", [httpx2, httpx])


def carrying(http: ModuleType) -> tuple[Any, ReportedRecord]:
    """A request on which a record hangs, as an exchange hangs it there."""
    record, request = ReportedRecord(), http.Request("POST", "http://api.test")
    record.ledger.attempts.append(Attempt(1, Form.FIRST, "m"))
    request.extensions[RECORD_KEY] = vars(request)[RECORD_KEY] = record
    return request, record


@PACKAGES
def test_a_request_a_response_and_an_exception_know_it(http: Any) -> None:
    """Of either package, and through an exception's causes."""
    request, record = carrying(http)
    response = http.Response(500, request=request)
    error = http.HTTPStatusError("no", request=request, response=response)
    wrapped = RuntimeError("mine")
    wrapped.__cause__ = ValueError()
    wrapped.__cause__.__cause__ = error
    for source in (request, response, error, http.ReadError("", request=request), wrapped):
        assert record_of(source) is record
        assert report(source).attempts[0].model == "m"


@PACKAGES
def test_copies_and_pickles_know_it(http: Any) -> None:
    """Though they lose the extensions on which it hangs."""
    request, record = carrying(http)
    assert record_of(copy.copy(request)) is record
    assert report(pickle.loads(pickle.dumps(request))).attempts[0].model == "m"  # noqa: S301 -- made here


@PACKAGES
def test_what_has_no_request_has_no_report(http: Any) -> None:
    """Whatever it is: a response without a request, an exception without one, or anything else."""
    looped = ValueError()
    looped.__cause__ = looped
    endless: Any = SimpleNamespace()
    endless.response = SimpleNamespace(response=endless)
    for source in (
        http.Response(200),
        http.ReadError(""),
        http.Request("GET", "/"),
        looped,
        endless,
        None,
        3,
    ):
        assert record_of(source) is None
        with pytest.raises(LookupError, match="no report on this"):
            report(source)


def test_an_object_that_goes_on_for_ever_is_left() -> None:
    """One that has every attribute, each another one of its kind."""

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return Anything()

    assert record_of(Anything()) is None
