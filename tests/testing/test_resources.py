"""Models and files, asked for by the SDK itself and by hand."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from resilient_stream.testing import StandIn
from resilient_stream.testing.models import LISTED
from tests.support.stand_ins import ask, client, endpoint

BYTES = bytes(range(256)) * 3 + b"\r\n--\r\n\n\r\r"
"""All bytes, and what looks like the end of a part."""


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    """One for all: nothing here depends on what came before."""
    with StandIn(prefix="/api") as made:
        yield made


@pytest.fixture
def bare(server: StandIn) -> Iterator[Any]:
    """The SDK's own client."""
    with client(server) as made:
        yield made


def test_the_models_are_listed(bare: Any) -> None:
    """In one page; each of them may be asked for alone; one that is not there is not found."""
    assert [model.id for model in bare.models.list()] == list(LISTED)
    assert bare.models.retrieve(LISTED[0]).display_name == "Claude Opus 5"
    with pytest.raises(anthropic.NotFoundError, match="model: claude-0"):
        bare.models.retrieve("claude-0")


def test_a_file_comes_back_byte_for_byte(bare: Any) -> None:
    """What was uploaded is listed, told of and handed out; once it is deleted it is not found."""
    kept = bare.beta.files.upload(file=("a.bin", BYTES, "application/x-tides"))
    assert (kept.filename, kept.mime_type, kept.size_bytes) == ("a.bin", "application/x-tides", len(BYTES))
    assert [each.id for each in bare.beta.files.list()] == [kept.id]
    assert bare.beta.files.retrieve_metadata(kept.id) == kept
    assert bare.beta.files.download(kept.id).read() == BYTES
    assert bare.beta.files.delete(kept.id).id == kept.id
    assert list(bare.beta.files.list()) == []
    with pytest.raises(anthropic.NotFoundError):
        bare.beta.files.retrieve_metadata(kept.id)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
        (
            b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            (
                b"--x\r\ncontent-type: multipart/mixed; boundary=y\r\n"
                b'content-disposition: form-data; name="file"\r\n\r\n--y\r\n\r\nb\r\n--y--\r\n--x--\r\n'
            ),
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["json", "empty", "another", "nested"],
)
def test_an_upload_without_a_file_is_refused(body: bytes, content_type: str) -> None:
    """400, and nothing is kept."""
    point = endpoint()
    answer, record = ask(point, body, "/v1/files", **{"content-type": content_type})
    assert (answer.status, record.rule) == (400, "file")
    listed, _ = ask(point, b"", "/v1/files", method="GET")
    assert json.loads(listed.body)["data"] == []


def test_without_a_key_nothing_is_told_and_nothing_deleted(bare: Any, server: StandIn) -> None:
    """401 before anything is done."""
    kept = bare.beta.files.upload(file=("a.txt", b"a", "text/plain"))
    for method, path in (("GET", "/v1/models"), ("DELETE", f"/v1/files/{kept.id}"), ("POST", "/v1/files")):
        line = http.client.HTTPConnection("127.0.0.1", server.port)
        line.request(method, f"/api{path}")
        assert line.getresponse().status == 401
        line.close()
    assert bare.beta.files.download(kept.id).read() == b"a"
    bare.beta.files.delete(kept.id)


def test_a_connection_is_good_for_more_after_a_head(server: StandIn) -> None:
    """The answer to a HEAD has the length of a GET's and no body, so that the next answer is read as it is."""
    line = http.client.HTTPConnection("127.0.0.1", server.port)
    told: list[tuple[int, str | None, int]] = []
    for method in ("HEAD", "GET", "HEAD", "GET"):
        line.request(method, "/api/v1/models", headers={"x-api-key": "k"})
        answer = line.getresponse()
        told.append((answer.status, answer.headers["content-length"], len(answer.read())))
    line.close()
    size = int(told[0][1] or 0)
    assert told == [(200, str(size), 0), (200, str(size), size)] * 2
