"""What one cell of a sheet says: levels, a name, a condition; and the text that says it again.

Levels are separated by commas. One in double quotes is taken to the letter, a quote in it written
twice, as in CSV. So `any`, `true` and `false` are words, `"any"`, `"true"` and `"false"` levels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

ANY, OTHERWISE = "any", "otherwise"
_TRUTH = {"true": True, "false": False}
Level = str | bool
Match = Level | list[Level]

# Excel makes a date of `mar 1`, a number of `007` and an error of `#N/A` when it opens a CSV.
_DATE = re.compile(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s./-]*\d", re.I)
# A range of numbers, which no level is taken for: the column says which it holds.
_RANGE = re.compile(r"-?[\d.$]+\w*\s*\.\.\s*[\w.$-]*|\.\.\s*[\w.$-]+|[<>]=?\s*[\w.$-]+")
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=,|\Z)|([^,]*))(,|\Z)')


class CellError(ValueError):
    """A cell that cannot be read, and why, in words for a person."""


def level_text(level: Level) -> str:
    """A level as a cell writes it: bare where nothing could take it for something else."""
    if isinstance(level, bool):
        return str(level).lower()
    level = str(level)  # a cell of numbers may hold one
    if _RANGE.fullmatch(level):
        return level
    plain = (
        (level[:1].isalpha() or level[:1] == "_")
        and level == level.strip()
        and level.isprintable()
        and not set(level) & set(',"')
        and level.casefold() not in {ANY, OTHERWISE, *_TRUTH}
        and not _DATE.match(level)
    )
    return level if plain else '"' + level.replace('"', '""') + '"'


def match_text(match: Match) -> str:
    """A cell of the `match` of a row. Raises CellError for a list of no levels."""
    if match == ANY:
        return ANY
    if match == []:
        raise CellError("The cell is a list of no levels, which no account can have.")
    return ", ".join(map(level_text, match if isinstance(match, list) else [match]))


def read_match(text: str) -> Match:
    """The cell as segments.yaml would hold it. Raises CellError."""
    cell_items = _items(text)
    if cell_items == [(ANY, False)]:
        return ANY
    levels: list[Level] = []
    for item, quoted in cell_items:
        if not quoted and item == ANY:
            raise CellError("`any` stands for every level, so it stands alone.")
        levels.append(item if quoted else _TRUTH.get(item, item))
    # A scalar `any` is the word; a level of that name is a list of one.
    return levels[0] if len(levels) == 1 and levels[0] != ANY else levels


def read_name(text: str) -> str:
    """A header, id, segment or tier: the text of the cell, or what is quoted in it."""
    text = text.strip()
    if not text.startswith('"'):
        return text
    items = _items(text)
    if len(items) > 1:
        raise CellError("One name goes here, not several.")
    return items[0][0]


def _items(text: str) -> list[tuple[str, bool]]:
    """The items between commas, each with whether it was quoted. Words are in small letters."""
    cell_items: list[tuple[str, bool]] = []
    position = 0
    while True:
        item_match = _ITEM.match(text, position)
        assert item_match is not None  # the second branch takes anything
        quoted, bare = item_match[1], (item_match[2] or "").strip()
        if quoted is not None:
            cell_items.append((quoted.replace('""', '"'), True))
        elif bare.startswith('"'):
            raise CellError(
                f"A quote is opened and not closed before the next comma, in {text.strip()}."
            )
        elif not bare:
            raise CellError(f"There is nothing between two commas, in {text.strip()}.")
        elif bare in _ERRORS:
            raise CellError(f"The cell holds the error {bare}.")
        else:
            folded = bare.casefold()
            cell_items.append((folded if folded in {ANY, *_TRUTH} else bare, False))
        position = item_match.end()
        if not item_match[3]:
            return cell_items


def when_text(when: str | bool | int) -> str:
    """A condition as a cell writes it. Raises CellError for a condition that a cell cannot hold."""
    condition_text = str(when).strip()
    # Excel writes its truths in capitals.
    condition_text = (
        condition_text.casefold() if condition_text.casefold() in _TRUTH else condition_text
    )
    if condition_text.casefold() == OTHERWISE:
        raise CellError("`otherwise` is a word of the sheet: write this condition another way.")
    if not condition_text:
        raise CellError("The condition is empty.")
    return condition_text


def read_when(text: str) -> str | bool | int:
    """A condition as plain YAML would hold it: `true` and `1` are no texts there."""
    text = text.strip()
    if text.casefold() in _TRUTH:
        return _TRUTH[text.casefold()]
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]*", text) else text


def column_letters(column: int) -> str:
    """The letters of a column, counted from 1: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, letter_index = divmod(column - 1, 26)
        letters = chr(65 + letter_index) + letters
    return letters


def reference(row: int, column: int) -> str:
    """A cell as spreadsheets name it, rows and columns counted from 1: C7."""
    return f"{column_letters(column)}{row}"


def blank(cells: Sequence[str]) -> bool:
    return not any(cell.strip() for cell in cells)
