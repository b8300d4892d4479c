import argparse
import os
import re
import signal
import subprocess
import sys
from typing import Any

import pytest

from resilient_stream.__main__ import main
from resilient_stream._gateway import command, server, workers
from resilient_stream._gateway.options import Options, ServeError
from resilient_stream.testing import StandIn
from tests.support.doors import Door
from tests.support.worlds import TEXT

unix = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("RESILIENT_STREAM")}


@unix
@pytest.mark.parametrize("workers", [1, 2])
def test_the_command_serves_until_it_is_told_to_end(workers: int) -> None:
    """It says where, and what to set; and ends well."""
    with StandIn(reply=TEXT) as api:
        arguments = ["serve", "--port=0", f"--upstream={api.url}", f"--workers={workers}"]
        program = subprocess.Popen(
            [sys.executable, "-m", "resilient_stream", *arguments],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=ENVIRON,
        )
        assert program.stdout is not None
        with program.stdout as out:
            first, second = out.readline(), out.readline()
            found = re.search(r"listens on (http://127\.0\.0\.1:\d+), for ", first)
            assert found
            assert f"set ANTHROPIC_BASE_URL={found[1]} " in second
            assert Door("httpx2").stream(found[1], None).text == TEXT
            program.send_signal(signal.SIGTERM)
            assert program.wait(60) == 0
            assert "ended" in out.read()


def test_one_process_serves_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several are started; one that was started by another says nothing."""
    ran = list[Any]()
    monkeypatch.setattr(server.Server, "run", lambda self, sockets: ran.append(sockets[0].getsockname()))
    monkeypatch.setattr(workers.Workers, "run", lambda self: 7)
    assert main(["serve", "--port=0"]) == 0
    assert "listens on" in capsys.readouterr().out
    assert ran[0][0] == "127.0.0.1"
    assert main(["serve", "--port=0", "--workers=2"]) == 7
    capsys.readouterr()
    with server.listen(Options(port=0)) as sock:
        assert main(["serve", f"--fd={os.dup(sock.fileno())}"]) == 0
        assert ran[1] == sock.getsockname()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments",
    [["--host=0.0.0.0"], ["--policy=none_such"], ["--upstream=x"], ["--port=x"], ["--host=256.1.1.1"]],
)
def test_what_can_not_be_served_is_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """On the error output, with status 2."""
    assert (
        main(
            ["serve", "--port=0", *arguments, "--allow-host=a"]
            if "256" in arguments[0]
            else ["serve", *arguments]
        )
        == 2
    )
    assert "resilient-stream" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["uvicorn", "prometheus_client", "opentelemetry.sdk.metrics"])
def test_a_missing_extra_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of pip."""
    for module in ("server", "protocol"):
        monkeypatch.delitem(sys.modules, f"resilient_stream._gateway.{module}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    args = argparse.ArgumentParser()
    command.add_arguments(args)
    with pytest.raises(ServeError, match=r"pip install 'resilient-stream\[serve\]'"):
        command.serve(args.parse_args([]))
