"""The rules of leases, in Lua."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from resilient_stream._journal import lease as rules
from resilient_stream._journal.entries import Head, Status
from resilient_stream._journal.redis import RedisStore
from tests.support.journals import server
from tests.support.stages import Clock

from .heads import head

HEADS = st.builds(
    head,
    status=st.sampled_from(Status),
    epoch=st.integers(1, 3),
    until=st.sampled_from([0.0, 99.999999, 100.0, 100.000001, 110.0]),
    stopping=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(stream=HEADS, void=st.none() | st.integers(1, 3))
def test_a_server_judges_as_the_rules_do(stream: Head, void: int | None) -> None:
    """Whatever the stream, and whichever lease is known to be nobody's."""
    store = RedisStore(server().url, prefix="scripts", clock=Clock(100.0))
    hash_key = store._keys("s")[0]
    fields = {name: getattr(stream, name) for name in Head.__slots__ if name not in ("key", "stopping")}
    store._client.hset(
        hash_key,
        mapping={**fields, "status": stream.status.value, "id": "s", "stopping": int(stream.stopping)},
    )
    assert store.claim("s", "b", 10.0, void=void).verdict is rules.verdict(stream, 100.0, void)
    store._client.delete(hash_key)
    store.close()
