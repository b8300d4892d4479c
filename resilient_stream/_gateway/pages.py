"""The gateway's own pages under ``/resilient/``: for probes, for Prometheus, and for people."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from .errors import Refused, headers_of
from .headers import Headers
from .metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from .metrics import Metrics
    from .request import Incoming
    from .streams import Streams

PREFIX: Final = "/resilient/"

SCRIPT: Final = """
const cells = ["id", "model", "seconds", "attempts", "failures", "seams", "characters"];
async function show() {
  try {
    const told = await (await fetch("streams")).json();
    document.getElementById("counts").textContent =
      Object.entries(told.counts).map(([name, count]) => count + " " + name).join(" \\u00b7 ");
    const rows = told.streams.map(stream => {
      const row = document.createElement("tr");
      for (const name of cells) row.insertCell().textContent = String(stream[name]).replaceAll(",", ", ");
      return row;
    });
    document.getElementById("streams").replaceChildren(...rows);
  } catch (error) {
    document.getElementById("counts").textContent = "the gateway does not answer";
  }
}
show();
setInterval(show, 1000);
"""

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; font-variant-numeric: tabular-nums; }
"""

HTML: Final = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>resilient-stream</title>
<style>{STYLE}</style>
<h1>resilient-stream</h1>
<p id="counts">-</p>
<table>
<thead><tr><th>stream<th>model<th>seconds<th>requests<th>failures<th>seams<th>characters</thead>
<tbody id="streams"></tbody>
</table>
<script>{SCRIPT}</script>
</html>
"""


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY: Final = (
    f"default-src 'none'; connect-src 'self'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may do with the page: only run its own script, which asks for the streams."""

COMMON: Final = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Pages:
    """The pages of one gateway.

    Args:
        streams: its streams.
        metrics: its metrics.
    """

    def __init__(self, streams: Streams, metrics: Metrics) -> None:
        self.ready = True
        """False from the moment when the gateway is asked to stop."""
        self._streams, self._metrics = streams, metrics

    def page(self, incoming: Incoming) -> tuple[int, bytes, Headers]:
        """The status, the content and the headers of a page.

        Raises:
            Refused: there is no such page.
        """
        if incoming.method not in ("GET", "HEAD"):
            raise Refused(405, "the gateway's own pages are read with GET")
        match incoming.path.removeprefix(PREFIX):
            case "":
                return _made(200, HTML.encode(), b"text/html; charset=utf-8", POLICY.encode())
            case "health":
                return _json(200, {"status": "ok", "process": os.getpid()})
            case "ready" if self.ready:
                return _json(200, {"ready": True})
            case "ready":
                return _json(503, {"ready": False})
            case "metrics":
                return _made(200, self._metrics.text(), CONTENT_TYPE)
            case "streams":
                return _json(200, self._told())
            case _:
                raise Refused(
                    404, f"the gateway's own pages are {PREFIX} and health, ready, metrics, streams below"
                )

    def _told(self) -> dict[str, Any]:
        running = self._streams.told()
        counts = {"running": len(running), **asdict(self._streams.counts)}
        return {"process": os.getpid(), "counts": counts, "streams": running}


def _json(status: int, told: object) -> tuple[int, bytes, Headers]:
    return _made(status, json.dumps(told).encode(), b"application/json")


def _made(status: int, content: bytes, kind: bytes, policy: bytes = b"") -> tuple[int, bytes, Headers]:
    headers = [*headers_of(content, kind), *COMMON]
    return status, content, [*headers, (b"content-security-policy", policy)] if policy else headers
