"""The page of docs/examples/durable_chat in a real Chromium: ``python -m chaos.browser``.

A question is asked for each of the page's two readers. While the answer is being written, the page is
reloaded, then its connection is cut and refused for a while, and then the program is killed and started
again. The page must then have the whole answer, once. Only the killed program may have cost another request.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, Self

import httpx2

from resilient_stream.testing import StandIn

APP: Final = Path(__file__).parents[1] / "docs" / "examples" / "durable_chat.py"
SERVE: Final = (
    "import runpy, sys, uvicorn; uvicorn.run(runpy.run_path(sys.argv[1])['app'], port=int(sys.argv[2]))"
)

TEXT: Final = " ".join(
    f"Sentence {number} of the answer tells something new about tides." for number in range(60)
)
PACE: Final = 0.05
"""Seconds between two events. The answer takes about twelve."""

PATIENCE: Final = 60_000.0
"""Milliseconds that the page may take."""

REFUSED: Final = 1.0
"""Seconds without a network."""

LONGEST: Final = 60.0
"""Seconds that the program may take to start on a busy machine."""


class Line:
    """The connection between a browser and a server, which can be cut: connections break, and no new one is
    accepted."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = set[socket.socket]()
        self._lock = threading.Lock()
        self.cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:  # the listening socket is closed
                return
            try:
                far = None if self.cut.is_set() else socket.create_connection(("127.0.0.1", self._port))
            except OSError:  # the server is down
                far = None
            if far is None:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._hand_on, args=pair, daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self._close({source, target})

    def _close(self, sockets: set[socket.socket]) -> None:
        with self._lock:
            self._open -= sockets
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def break_all(self) -> None:
        """Break the open connections."""
        with self._lock:
            sockets = set(self._open)
        self._close(sockets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut.set()
        self._listener.close()
        self.break_all()


class Program:
    """The example, in a separate process."""

    def __init__(self, folder: str, api: str, port: int) -> None:
        self._folder, self._port = folder, port
        self._env = {
            **os.environ,
            "ANTHROPIC_BASE_URL": api,
            "ANTHROPIC_API_KEY": "any",
            "NO_PROXY": "127.0.0.1",
        }
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-c", SERVE, str(APP), str(self._port)]
        self._process = subprocess.Popen(
            command, cwd=self._folder, env=self._env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + LONGEST
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{self._port}/", trust_env=False)
            except httpx2.TransportError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it with ``kill -9``."""
        self._process.kill()
        self._process.wait()


def play(browser: Any, reader: str) -> list[str]:
    """Ask one question with one reader of the page. Return what is wrong."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        api = stack.enter_context(StandIn(reply=TEXT, pace=PACE))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        program = Program(folder, api.url, port)
        stack.callback(program.kill)
        line = stack.enter_context(Line(port))
        page = browser.new_page()
        stack.callback(page.close)
        page.set_default_timeout(PATIENCE)
        page.goto(f"{line.url}/{reader}")
        page.click("text=Ask")
        _wait_for(page, 300)
        page.reload()
        _wait_for(page, 800)
        line.cut.set()
        line.break_all()
        time.sleep(REFUSED)
        line.cut.clear()
        _wait_for(page, 1500)
        asked = len(api.requests)
        program.kill()
        line.break_all()
        program.start()
        page.wait_for_function("document.querySelector('#state').textContent === 'complete'")
        found = list[str]()
        if (told := page.text_content("#answer")) != TEXT:
            found.append(f"the page has {len(told)} characters, and the answer {len(TEXT)}")
        if (requests := (asked, len(api.requests))) != (1, 2):
            found.append(f"requests before and after the kill: {requests}")
        return found


def _wait_for(page: Any, characters: int) -> None:
    page.wait_for_function(f"document.querySelector('#answer').textContent.length > {characters}")


@contextlib.contextmanager
def chromium() -> Generator[Any]:
    """A browser.

    Raises:
        SystemExit: there is none.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        sys.exit("this needs Chromium: apt-get install chromium, or any other package that has it")
    steering: Any = importlib.import_module("playwright.sync_api")
    with steering.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def main() -> int:
    """Run it with each reader. Return 1 if something was wrong."""
    status = 0
    with chromium() as browser:
        for name, reader in (("EventSource", ""), ("fetch", "?fetch")):
            wrong = play(browser, reader)
            sys.stdout.write(f"{name}: {'; '.join(wrong) or 'whole, after a reload, a cut and a kill'}\n")
            status = status or bool(wrong)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
