import json

import pytest

from resilient_stream._core.record.ledger import Record
from resilient_stream._gateway.errors import Refused
from resilient_stream._gateway.metrics import Metrics
from resilient_stream._gateway.pages import HTML, SCRIPT, Pages
from resilient_stream._gateway.request import Incoming
from resilient_stream._gateway.streams import Streams


def asked(path: str, method: str = "GET") -> Incoming:
    """A request for a page."""
    return Incoming(method, f"/resilient/{path}".encode(), [])


def made() -> tuple[Pages, Streams]:
    """The pages of a gateway, and its streams."""
    streams = Streams()
    return Pages(streams, Metrics(streams)), streams


def test_ready_until_it_is_told_to_end() -> None:
    """Then load balancers send no more; it is still alive."""
    pages, _ = made()
    assert pages.page(asked("ready"))[0] == 200
    pages.ready = False
    assert pages.page(asked("ready"))[0] == 503
    assert pages.page(asked("health"))[0] == 200


def test_streams_are_told_with_their_counts() -> None:
    """Those that run, and how many ended how."""
    pages, streams = made()
    with streams.run(Record(), "m"):
        told = json.loads(pages.page(asked("streams?x=1"))[1])
    assert told["counts"] == {"running": 1, "completed": 0, "retried": 0, "resumed": 0, "lost": 0, "left": 0}
    assert [stream["model"] for stream in told["streams"]] == ["m"]


def test_nothing_is_kept_by_caches() -> None:
    """Not one page."""
    pages, _ = made()
    for path in ("", "health", "ready", "metrics", "streams"):
        assert (b"cache-control", b"no-store") in pages.page(asked(path, "HEAD"))[2]


@pytest.mark.parametrize(
    ("path", "method", "status"), [("no", "GET", 404), ("streams/1", "GET", 404), ("", "POST", 405)]
)
def test_other_pages_are_not_there(path: str, method: str, status: int) -> None:
    """Nor other methods."""
    with pytest.raises(Refused) as refused:
        made()[0].page(asked(path, method))
    assert refused.value.status == status


def test_the_page_writes_text_alone() -> None:
    """What a stream is called never becomes markup."""
    assert SCRIPT in HTML
    assert "innerHTML" not in SCRIPT
