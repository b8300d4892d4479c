"""Keys of streams."""

from __future__ import annotations

import asyncio
from typing import cast

import anthropic
import pytest

from resilient_stream._journal import scope


def test_outside_of_a_block_nothing_has_a_key() -> None:
    """Nor where another header stands."""
    assert scope.chosen() is None
    assert scope.chosen("words") is None
    assert not scope.is_option("words")


def test_the_streams_of_a_block_are_numbered() -> None:
    """The first has the key itself. The innermost block counts, and the one around it goes on behind it."""
    with scope.journaled("a"):
        assert [scope.chosen(), scope.chosen()] == ["a", "a#2"]
        with scope.journaled("b"):
            assert scope.chosen() == "b"
        assert scope.chosen() == "a#3"
    assert scope.chosen() is None


def test_a_key_of_a_call_outranks_the_block() -> None:
    """And does not count there. The SDK takes it for a header that is left out."""
    headers = scope.journal_key("mine")
    (option,) = headers.values()
    assert isinstance(cast("object", option), anthropic.Omit)
    assert scope.is_option(option)
    with scope.journaled("a"):
        assert [scope.chosen(option), scope.chosen()] == ["mine", "a"]


def test_tasks_of_a_block_have_its_keys() -> None:
    """In the order in which they ask."""

    async def main() -> list[str | None]:
        with scope.journaled("a"):
            return list(await asyncio.gather(*(asyncio.to_thread(scope.chosen) for _ in range(3))))

    assert sorted(map(str, asyncio.run(main()))) == ["a", "a#2", "a#3"]


@pytest.mark.parametrize("key", ["", "x" * 513, "a\nb", "\0"])
def test_what_can_be_no_key_is_refused(key: str) -> None:
    """In both ways."""
    with pytest.raises(ValueError, match="1 to 512 printable"):
        scope.journal_key(key)
    with pytest.raises(ValueError, match="1 to 512 printable"), scope.journaled(key):
        pass
