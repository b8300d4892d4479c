"""Draws the state diagram of "How it works" as an SVG, without a script.

It reads the rows of the page's own Mermaid block, which a test holds to the machine's table. Only the places
of the states are given here.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLACES: Final = {
    "IDLE": (70, 130),
    "OPENING": (230, 130),
    "READING": (450, 130),
    "DRAINING": (660, 130),
    "DONE": (840, 130),
    "WAITING": (340, 270),
    "FAILED": (340, 400),
}
BENDS: Final = {
    ("IDLE", "READING"): -190,
    ("READING", "DONE"): -190,
    ("WAITING", "DONE"): 150,
    ("OPENING", "WAITING"): 34,
    ("WAITING", "OPENING"): 34,
    ("OPENING", "FAILED"): 150,
    ("READING", "FAILED"): -230,
}
"""How far an edge keeps from the straight line, where a straight one would meet another."""

WIDE, HIGH = 92, 34


def edges(text: str) -> dict[tuple[str, str], list[str]]:
    """From each pair of states to the signals that lead from the one to the other."""
    found: dict[tuple[str, str], list[str]] = {}
    for a, b, signal in re.findall(r"^\s*(\w+) --> (\w+): (\w+)$", text, re.MULTILINE):
        found.setdefault((a, b), []).append(signal)
    return found


def svg(text: str) -> str:
    """The diagram of these rows.

    Raises:
        KeyError: a state has no place yet; give it one above.
    """
    drawn = [_edge(a, b, ", ".join(signals)) for (a, b), signals in edges(text).items()]
    parts = [line for line, _ in drawn] + [label for _, label in drawn]
    for name, (x, y) in PLACES.items():
        kind = "state end" if name in ("DONE", "FAILED") else "state"
        parts.append(
            f'<rect class="{kind}" x="{x - WIDE / 2}" y="{y - HIGH / 2}" '
            f'width="{WIDE}" height="{HIGH}" rx="9"/>'
            f'<text x="{x}" y="{y + 4.5}">{name}</text>'
        )
    head = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" fill="currentColor"/></marker></defs>'
    )
    return (
        '<div class="state-diagram"><svg viewBox="0 0 900 430" role="img" '
        f'aria-label="The states of a stream, and what leads from one to the next">'
        f"{head}{''.join(parts)}</svg></div>"
    )


def _edge(a: str, b: str, label: str) -> tuple[str, str]:
    (x1, y1), (x2, y2) = PLACES[a], PLACES[b]
    if a == b:
        x, y = x1 + WIDE / 2, y1 + HIGH / 2
        path = f"M{x - 34} {y + 3} C{x - 30} {y + 38} {x + 44} {y + 30} {x + 4} {y - 10}"
        return _drawn(path, x + 18, y + 28, label)
    length = math.hypot(x2 - x1, y2 - y1)
    bend = BENDS.get((a, b), 0)
    cx, cy = (x1 + x2) / 2 - (y2 - y1) / length * bend, (y1 + y2) / 2 + (x2 - x1) / length * bend
    (sx, sy), (ex, ey) = _border(x1, y1, cx, cy), _border(x2, y2, cx, cy)
    return _drawn(
        f"M{sx:.0f} {sy:.0f} Q{cx:.0f} {cy:.0f} {ex:.0f} {ey:.0f}",
        (sx + 2 * cx + ex) / 4,
        (sy + 2 * cy + ey) / 4 - (7 if y1 == y2 and not bend else -4),
        label,
    )


def _border(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the line from a box's middle towards a point leaves the box."""
    dx, dy = to_x - x, to_y - y
    share = min((WIDE / 2 + 3) / abs(dx) if dx else math.inf, (HIGH / 2 + 3) / abs(dy) if dy else math.inf)
    return x + dx * share, y + dy * share


def _drawn(path: str, x: float, y: float, label: str) -> tuple[str, str]:
    return (
        f'<path class="edge" d="{path}" marker-end="url(#arrow)"/>',
        f'<text class="label" x="{x:.0f}" y="{y:.0f}">{label}</text>',
    )


class Mermaid(SphinxDirective):
    """A Mermaid block: drawn as SVG for HTML, and as it is for everything else."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The picture."""
        text = "\n".join(self.content)
        if self.env.app.builder.format == "html":
            return [nodes.raw("", svg(text), format="html")]
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True}
