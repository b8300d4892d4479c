"""The public way to a report."""

from __future__ import annotations

import importlib

import pytest

import resilient_stream.report  # noqa: F401 -- its being imported is part of the law  # pyright: ignore[reportUnusedImport]
from resilient_stream import StreamReport, report
from resilient_stream._report import model, parts


def test_its_classes_are_imported_when_they_are_asked_for() -> None:
    """Each is the one that reports are made of."""
    public = importlib.import_module("resilient_stream.report")
    assert public.StreamReport is StreamReport is model.StreamReport
    assert public.AttemptReport is parts.AttemptReport
    for name in public.__all__:
        assert getattr(public, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = public.Nothing


def test_what_has_no_report_is_named() -> None:
    """The message says what should have been given."""
    with pytest.raises(LookupError, match="no report on this str: should be a stream"):
        report("text")
