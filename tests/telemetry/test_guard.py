"""What watches a stream can't harm it, at any point and in any way."""

from __future__ import annotations

import pytest

from resilient_stream._telemetry.guard import guarded


def test_what_is_raised_is_dropped() -> None:
    """An exception goes no further; what is given is passed on."""
    seen: list[object] = []

    def act(*args: object, **options: object) -> None:
        seen.append((args, options))
        raise RecursionError

    guarded(act, 1, b=2)
    assert seen == [((1,), {"b": 2})]


@pytest.mark.parametrize("wanted", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_is_meant_for_the_program_passes(wanted: type[BaseException]) -> None:
    """Exiting is not the stream's to refuse."""

    def act() -> None:
        raise wanted

    with pytest.raises(wanted):
        guarded(act)
