"""Parts of the documentation that commands write."""

from __future__ import annotations

from pathlib import Path


def put(page: Path, name: str, part: str) -> None:
    """Replace the part of a page between its comments ``name: begin`` and ``name: end``."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, rest = page.read_text("utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}{part}{end}{after}", "utf-8")
