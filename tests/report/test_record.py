"""A record is written down as its report, whatever a server has put into it."""

from __future__ import annotations

import pickle
from typing import Any

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream import StreamReport, report
from resilient_stream._core.failures import Failure, Kind, Phase
from resilient_stream._core.plan.planner import Form
from resilient_stream._core.record.ledger import RECORD_KEY, Attempt
from resilient_stream._report.record import ReportedRecord

words = st.text(st.characters(codec=None, categories=None), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, max_examples=50)
@given(ids=values, usage=st.dictionaries(words, values, max_size=3), detail=words)
def test_whatever_a_server_says_a_report_can_be_written(ids: Any, usage: Any, detail: str) -> None:
    """Ids that are no strings, halves of characters: it is told as JSON, without a warning, and read again."""
    attempt = Attempt(1, Form.FIRST, "m", ended=1.0, request_id="req_1")
    attempt.failure = Failure(Kind.API_ERROR, Phase.BODY, in_band=True, detail=detail)
    attempt.count({"id": ids, "usage": usage}, {}, ended=False, request={})
    record = ReportedRecord()
    record.ledger.attempts.append(attempt)
    told = report(httpx2.Request("POST", "http://api.test", extensions={RECORD_KEY: record}))
    assert StreamReport.model_validate_json(told.model_dump_json()).model_dump() == told.model_dump()
    assert pickle.loads(pickle.dumps(record)).model_dump() == told.model_dump()  # noqa: S301 -- our own bytes
