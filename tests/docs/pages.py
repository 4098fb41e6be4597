"""The project's pages as the tests read them: fenced blocks with their lines, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands beside that, its text and first line."""

    language: str
    note: str
    text: str
    line: int

    @property
    def title(self) -> str:
        """The file that the block is the text of, where it is one."""
        named = re.fullmatch(r'title="(\S+)"', self.note)
        return "" if named is None else named[1]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 2
        found.append(Block(match[1], match[2].strip(), match[3], line))
    return found


def links(page: Path) -> list[tuple[int, str]]:
    """Every relative link, with its line; code is no link."""
    text = re.sub(
        r"^```.*?^```$|`[^`\n]*`",
        lambda code: re.sub(r"[^\n]", " ", code[0]),
        page.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    return [
        (text.count("\n", 0, m.start()) + 1, m[1])
        for m in re.finditer(r"\]\(([^)\s]+)\)", text)
        if "://" not in m[1]
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from the text."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
