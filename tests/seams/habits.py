"""What models have been seen to do at a seam, each in its smallest form.

The text, the reply, and what should stand behind the text: None if the reply must be refused. The last
column says whether the join is to be proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STORY: Final = (
    "The keeper climbed the stairs every night, and nobody in the harbour knew why. He spent hours searching the "
    "island and the waters, but he never found the"
)
SENTENCE: Final = STORY[STORY.index("He spent") :]
WORD: Final = (
    "The keeper climbed the stairs every night. He trimmed the wick, wound the clock and wrote the log. "
    "On Friday he found a le"
)
WORDS: Final = WORD[WORD.index("He trimmed") :]
SECTION: Final = (
    "The sea was calm.\n\n## The storm\n\nAt noon the wind turned and the boats ran for the harbour. Two of them were "
    "late, and nobody on the pier could see them through the rain. The bell rang every minute, as it had for a hundred "
    "years.\n\nThe harbour master lit the second lam"
)
ROWS: Final = "Here are the boats:\n\n```\nid,name,port,tons\n1,Gannet,North Pier,1000"
NEXT: Final = "\n2,Petrel,South Quay,2000\n"
CODE: Final = 'So:\n\n```python\nclass Tides:\n    """The tides of a year.\n\n    Attributes:\n    - leve'
CALL: Final = (
    "So:\n\n```python\ndef mean(levels, hours):\n    total = sum(levels)\n    return total / len(hours)"
)
JSON: Final = (
    'So:\n\n```json\n{\n  "a": [\n    {\n      "street": "4 Quay Street",\n      "city": "North Pier",\n'
    '      "state": "CA",'
)
RECORD: Final = JSON[JSON.index("    {\n") + 4 :]
SHELL: Final = "1. Install it:\n\n   ```bash\n   apt-get update\n   apt-get install pyth"
NESTED: Final = "- Server\n  - Setup:\n\n      ```bash\n      apt-get update\n      apt-get install pyth"
REQUEST: Final = "Begin with exactly this text and then continue it."


@dataclass(frozen=True, slots=True)
class Habit:
    """One reply and its join."""

    name: str
    text: str
    reply: str
    rest: str | None
    verified: bool | None


HABITS: Final = (
    # markers
    Habit("closing marker before the echo", STORY, f">>> {SENTENCE} ship.", " ship.", True),
    Habit("closing marker behind the echo", STORY, f"{SENTENCE}\n>>>\n\n ship.", " ship.", True),
    Habit("word ended inside the markers", WORD, f"<<<\n{WORDS}tter\n>>>\n\nunder it.", "tter under it.", True),
    Habit("markers and an empty line", STORY, f"<<<\n{SENTENCE}\n>>>\n\n ship.", " ship.", True),
    Habit("markers, then told again", STORY, f"<<<\n{SENTENCE}\n>>>\n\n{SENTENCE} ship.", " ship.", True),
    Habit("tags of its own", STORY, f"<last_words>\n{SENTENCE}\n</last_words>\n ship.", " ship.", True),
    Habit("row in markers", ROWS, f"<<<\n1,Gannet,North Pier,1000\n>>>{NEXT}", NEXT, True),
    Habit("rows in markers", ROWS, f"<<<\n{ROWS[30:]}\n>>>{NEXT}", NEXT, True),
    Habit("marker alone", STORY, "<<<\n ship.", " ship.", False),
    Habit("marker alone, and no space", STORY, "<<<\nship.", " ship.", False),
    Habit("marker alone in rows", ROWS, f"<<<{NEXT}", NEXT, False),
    Habit("tag alone", STORY, "<rest>\n ship.", " ship.", False),
    Habit("closing marker alone", STORY, ">>> ship.", " ship.", False),
    # the request's words
    Habit("request behind the echo", STORY, f"{SENTENCE}\n>>>\n\n{REQUEST}", None, None),
    Habit("request in the echo's line", STORY, f"{SENTENCE} {REQUEST}", f" {REQUEST}", False),
    Habit("request alone", STORY, f"{REQUEST}\n\n ship.", None, None),
    Habit("request behind a marker", STORY, f">>>\n\n{REQUEST}", None, None),
    Habit("request, then the echo", STORY, f"It stops at:\n\n{SENTENCE} ship.", " ship.", True),
    # remarks
    *(
        Habit(f"remark: {remark}", STORY, f"{SENTENCE}{remark} ship.", f"{remark} ship.", False)
        for remark in (
            " I apologize for the interruption.", " I'm sorry, I can't continue that.", " Sure!", " (continued)", " [continues]",
            " *(cont.)*", " -- continued --", " \u2014 Fortsetzung \u2014", "\uff08\u7eed\uff09", "...", " \u2026", " [...]", " (sorry about that)",
            "\n\n## Continued\n\n",
        )
    ),
    Habit("note before the echo", STORY, f"(continued) {SENTENCE} ship.", " ship.", True),
    Habit("note on a line before the echo", STORY, f"[suite]\n\n{SENTENCE} ship.", " ship.", True),
    Habit("brackets of the text", STORY, f"{SENTENCE} (or any) ship.", " (or any) ship.", True),
    Habit("thanks of the text", f"{STORY} ship.", f"{SENTENCE} ship. Thanks to the moon and the calm of that night he saw it at once.", " Thanks to the moon and the calm of that night he saw it at once.", True),
    # begun again behind the echo
    Habit("all again in the line", STORY, f"{SENTENCE} {STORY} ship.", " ship.", True),
    Habit("all again behind a stop", STORY, f"{SENTENCE}.\n\n{STORY} ship.", " ship.", True),
    Habit("sentence again behind a stop", STORY, f"{SENTENCE}. {SENTENCE} ship.", f". {SENTENCE} ship.", False),
    Habit("another answer behind a stop", STORY, f"{SENTENCE}. {STORY[:80]}that he was a spy.",
          f". {STORY[:80]}that he was a spy.", False),
    Habit("item again with the next number", f"1. {STORY}", f"{SENTENCE}\n2. {STORY}\n3.", f"\n2. {STORY}\n3.", False),
    Habit("item again behind a word", f"1. {STORY}", f"{SENTENCE} ship.\n2. {STORY}", f" ship.\n2. {STORY}", False),
    Habit("an item that begins otherwise", f"1. {STORY}", f"{SENTENCE}\n2. The harbour slept.", "\n2. The harbour slept.", True),
    Habit("half an item again", f"1. {STORY}", f"{SENTENCE}\n2. {STORY[:60]}", f"\n2. {STORY[:60]}", False),
    # an echo alone
    Habit("echo alone in a word", WORD, WORDS, "", False),
    Habit("echo and a tag", STORY, f"{SENTENCE}</quote>", "", False),
    Habit("echo and the end of a turn", STORY, f"{SENTENCE}<|end|>", "<|end|>", False),
    Habit("echo twice", STORY, f"{SENTENCE}\n\n{SENTENCE}", "", False),
    Habit("echo of a whole text, and a fence", f"{STORY} ship.", f"{SENTENCE} ship.\n```", "", True),
    Habit("fenced echo in a fence", JSON, f"```\n{RECORD}\n```", "", False),
    Habit("fenced echo in a fence, named", JSON, f"```json\n{RECORD}\n```\n", "", False),
    # far back
    Habit("from the last heading", SECTION, f"{SECTION[SECTION.index('##') :]}p.", "p.", True),
    # fences
    Habit("row again in a fence", ROWS, f"```\n1,Gannet,North Pier,1000{NEXT}", NEXT, True),
    Habit("header again in a fence", ROWS, f"```\n{ROWS[25:]}{NEXT}", NEXT, True),
    Habit("in a fence of tildes", ROWS, f"~~~\n1,Gannet,North Pier,1000{NEXT}", NEXT, True),
    Habit("with an info string", ROWS, f'```csv title="a" {{1}}\n1,Gannet,North Pier,1000{NEXT}', NEXT, True),
    Habit("in a longer fence", ROWS, f"````csv\n1,Gannet,North Pier,1000{NEXT}", NEXT, True),
    Habit("line again, short", CODE, "```python\n    - leve: In cm.", ": In cm.", False),
    Habit("line again, longer", CODE + "ls o", "```python\n    - levels of: In cm.", "f: In cm.", True),
    Habit("line again in a bare fence", CODE, "```\n    - level: In cm.", "l: In cm.", False),
    Habit("one letter again", CODE[:12] + "x = 1\ny", "```python\ny = 2", " = 2", False),
    Habit("indented", SHELL, "   ```bash\n   apt-get install python3\n", "on3\n", True),
    Habit("indented deeper", NESTED, "```bash\n      apt-get install python3\n", "on3\n", True),
    Habit("indented, half a line", NESTED, "      ```bash\non3\n", "on3\n", False),
    Habit("next row", ROWS, f"```csv{NEXT}", NEXT, False),
    Habit("next row in a bare fence", ROWS, f"```{NEXT}", NEXT, False),
    Habit("half a row", ROWS[:-4], f"```csv\n1000{NEXT}", f"1000{NEXT}", False),
    Habit("half a row in a bare fence", ROWS[:-4], f"```\n1000{NEXT}", f"1000{NEXT}", False),
    Habit("next line", CALL, "```python\nprint(mean([1]))", "\nprint(mean([1]))", False),
    Habit("line break in code", CALL, "```python\n\nprint(mean([1]))", "\nprint(mean([1]))", False),
    Habit("half a line", CODE, "```python\nls: In cm.", "ls: In cm.", False),
    Habit("end of the text's fence", CALL, "```\nThis is it.", "\n```\nThis is it.", False),
    Habit("echo in a fence of its own", JSON, f'```\n{RECORD}\n```\n      "zip": 1', '\n      "zip": 1', True),
    Habit("the same, named", JSON, f'```json\n{RECORD}\n```\n      "zip": 1', '\n      "zip": 1', True),
    Habit("in a fence, and a fence in it", STORY, f"```\n{SENTENCE} ship:\n\n```js\n1\n```\n\nSo.", " ship:\n\n```js\n1\n```\n\nSo.", True),
    Habit("in a fence, the text's opened", f"{STORY} ship:\n\n```js", f"```js\n{SENTENCE} ship:\n\n```js\n1\n```\n\nSo.",
          "\n1\n```\n\nSo.", True),
    Habit("in markers, end of a tag", f"<p>{STORY} ship.</p", f"<<<\n{SENTENCE} ship.</p\n>>>\n>", ">", True),
    # dots
    Habit("dots before half a word", WORD, "...tter under it.", "tter under it.", False),
    Habit("ellipsis before a word", STORY, "\u2026 ship.", " ship.", False),
    Habit("ellipsis in brackets", STORY, "[\u2026] ship.", " ship.", False),
    Habit("dots and a line break", STORY, "...\nship.", " ship.", False),
    Habit("dots before the echo", STORY, f"(...) {SENTENCE} ship.", " ship.", True),
    Habit("dots of the text's own", f"Well... {STORY}", "... ship.", "... ship.", False),
    Habit("dots behind a sentence", f"{STORY} ship.", "... and then?", "... and then?", False),
    # empty lines
    Habit("empty line in a sentence", STORY, "\n\nship.", " ship.", False),
    Habit("empty line in a word", WORD, "\n\ntter under it.", "tter under it.", False),
    # unknown openings
    Habit("any sentence, then all", STORY, f"Righto, on we go!\n\n{STORY} ship.", " ship.", True),
    Habit("any words, then all", STORY, f"Righto, from the top:\n{STORY} ship.", " ship.", True),
    Habit("any line, then all", STORY, f"Righto.\n{STORY} ship.", " ship.", True),
    Habit("courtesy and any line", STORY, f"Sure!\n\nNo trouble at all.\n\n{STORY} ship.", " ship.", True),
    Habit("any line, and nothing told", STORY, "Righto!\n\nA ship.", "Righto!\n\nA ship.", False),
    Habit("any line, then the rows", ROWS, f"Righto, the boats:\n\n```\n{ROWS[25:]}{NEXT}", NEXT, True),
    # brackets
    *(
        Habit(f"in {one}{other}", STORY, f"{one}{SENTENCE}{other} ship.", " ship.", True)
        for one, other in (
            "\u300c\u300d", "\u300e\u300f", "\u3010\u3011", "\u300a\u300b", "\u3008\u3009", "\u27e6\u27e7", "\u3014\u3015",
            "\u00ab\u00bb", "\u2039\u203a", "\u201c\u201d", "\u201e\u201c", "\u201a\u2018", "\u00bb\u00ab", "\u201d\u201d",
            "\uff08\uff09", "\uff3b\uff3d", "\u301d\u301e", "[]", "()", "<>", "{}", "''", '""', "``",
        )
    ),
    Habit("words again in brackets", f"{STORY} harbour master", " (the harbour master)", " (the harbour master)", False),
)  # fmt: skip
