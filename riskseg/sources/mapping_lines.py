"""The lines under [source.TABLE] in riskseg.toml: each is one expression over the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import EngineError, syntax_tree
from riskseg.sources.mapping import Given
from riskseg.sources.sql_text import NotAllowedError, check_expression
from riskseg.workspace import Source


def given_lines(source: Source, headers: Iterable[str], problems: Problems) -> dict[str, Given]:
    """The lines under [source.TABLE], by folded name; Problems for what is no expression."""
    headers = list(headers)
    lines_by_name: dict[str, Given] = {}
    for written, text in source.columns.items():
        given_name, line = folded(written), source.lines.get(written)
        if given_name in lines_by_name:
            message = f'"{lines_by_name[given_name].written}" and "{written}" are the same name.'
            hint = "Names have no letter case: keep one of the lines."
            problems.add("RS009", message, file=source.file, line=line, hint=hint)
            continue
        try:
            lines_by_name[given_name] = Given(written, *meant(text, headers))
        except (EngineError, NotAllowedError) as error:
            problems.add(
                "RS012" if isinstance(error, NotAllowedError) else "RS007",
                f'"{text}" is not an expression over the columns of {source.table}: {error}.',
                file=source.file,
                line=line,
                hint=with_quotes(text, headers)
                or "Write one expression, such as `lpad(cust_no, 8, '0')`.",
            )
    return lines_by_name


def meant(text: str, headers: Iterable[str]) -> tuple[str, frozenset[str], bool]:
    """What a line means: an expression, the columns that it reads (by folded name), and whether it
    is a bare one of them. Raises EngineError or NotAllowedError where it is none.

    A column's name to the letter, such as `Cust Ref` or `Gross (GBP)`, means that column where it
    is no expression over the columns that there are.
    """
    by_name = {folded(header): header for header in headers}
    header = by_name.get(folded(text.strip()))
    column = None if header is None else (quoted(header), frozenset({folded(header)}), True)
    try:
        reads, is_column = _read_by(text)
    except (EngineError, NotAllowedError):
        if column is None:
            raise
        return column
    return (text, reads, is_column) if column is None or reads <= by_name.keys() else column


def _read_by(text: str) -> tuple[frozenset[str], bool]:
    """The columns that an expression reads, and whether it is a bare one of them. What is an
    expression both bare and in brackets ends neither itself nor what it is put into."""
    read = check_expression(syntax_tree(f"select {text}\n"))
    check_expression(syntax_tree(f"select ({text}\n)"))
    return read


def with_quotes(text: str, headers: Iterable[str]) -> str:
    """How an expression is written that names columns with blanks or signs in their names; empty
    where that would not make one of it."""
    corrected = text
    for header in sorted(headers, key=len, reverse=True):
        if not re.fullmatch(r"\w+", header):
            bare = rf"(?<![\w\"']){re.escape(header)}(?![\w\"'])"
            in_quotes = quoted(header).replace("\\", r"\\")
            corrected = re.sub(bare, in_quotes, corrected, flags=re.IGNORECASE)
    if corrected == text:
        return ""
    try:
        _read_by(corrected)
    except (EngineError, NotAllowedError):
        return ""
    return (
        "A name with blanks or signs in it stands in double quotes, and the line between "
        f"three quotes: '''{corrected}'''."
    )
