"""Lets pages link to what lies outside of `docs/`, as on GitHub, and makes pages of files of the root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT: Final = Path(__file__).parents[2]

PAGES: Final = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md", "security": "SECURITY.md"}
"""Pages of the site whose text is a file of the root."""

INSTEAD: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "policies/": "presets.md",
}
"""The page of the site for a file or folder of the root."""

LINK: Final = re.compile(r"\[([^\]\[]+)\]\(([^)\s]+)\)")


def rewritten(text: str, prefix: str) -> str:
    """The text, with its links out of ``docs/`` led to the site's own page, or to the file itself.

    Args:
        text: Markdown.
        prefix: what leads from the page to the root: ``../`` in `docs`, nothing in the root itself.
    """

    def led(match: re.Match[str]) -> str:
        words, target = match.groups()
        if not target.startswith(prefix) or target.startswith(("http:", "https:", "#", "mailto:")):
            return match[0]
        path, _, anchor = target.removeprefix(prefix).partition("#")
        back = prefix.removeprefix("../")
        if path.startswith("docs/"):
            return f"[{words}]({path.removeprefix('docs/')}{'#' * bool(anchor)}{anchor})"
        if path in INSTEAD:
            return f"[{words}]({back}{INSTEAD[path]})"
        if path.startswith(".."):
            return match[0]
        if (ROOT / path).is_dir():  # the site has no page for a folder
            return words
        return f"{{download}}`{words.replace('`', '')} <{prefix or '../'}{path}>`"

    return LINK.sub(led, text)


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Called by Sphinx with the source of each page."""
    if name in PAGES:
        path = app.srcdir.parent / PAGES[name]
        app.env.note_dependency(str(path))
        source[0] = rewritten(path.read_text("utf-8"), "")
    else:
        source[0] = rewritten(source[0], "../" * (1 + name.count("/")))


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True}
