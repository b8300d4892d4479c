"""Check a built site: `python docs/check_site.py docs/_build/html`.

Every link inside the site must lead to a file and, where it has one, to an anchor in it. Nothing may be
loaded from another host: no script, style, font or image. Links to other hosts are counted, not followed.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "srcset", "link": "href"}
"""The attribute of each element that names something which the browser loads by itself."""


class Page(HTMLParser):
    """What one page links to, loads, and offers as anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors = {""}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element has."""
        named = {name: value or "" for name, value in attrs}
        self.anchors.update(value for name in ("id", "name") if (value := named.get(name)))
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        if tag in LOADED and LOADED[tag] in named and named.get("rel") != "canonical":
            self.loads.append(named[LOADED[tag]])


def faults(root: Path) -> tuple[list[str], int, int, int]:
    """What is wrong with the site; and how many pages, links inside of it and links to other hosts it has."""
    pages = {path.resolve(): Page(path) for path in sorted(root.rglob("*.html"))}
    wrong: list[str] = []
    inside = outside = 0
    for path, page in pages.items():
        here = path.relative_to(root.resolve())
        wrong += [f"{here}: loads {url}" for url in page.loads if urlsplit(url).netloc]
        for url in [*page.links, *page.loads]:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                outside += not parts.scheme.startswith("data")
                continue
            inside += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                wrong.append(f"{here}: {url} leads nowhere")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                wrong.append(f"{here}: {url} has no such anchor")
    for style in root.rglob("*.css"):
        text = style.read_text("utf-8")
        wrong += [
            f"{style.name}: loads from {scheme}"
            for scheme in ("url(http", "url(//", "@import url(http")
            if scheme in text
        ]
    return wrong, len(pages), inside, outside


def main() -> int:
    """The exit status: 0 if nothing is wrong."""
    wrong, pages, inside, outside = faults(Path(sys.argv[1]))
    for line in wrong:
        print(line)
    print(f"{pages} pages, {inside} links inside the site, {outside} to other hosts, {len(wrong)} faults")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
