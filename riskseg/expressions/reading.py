"""From text to a parsed tree, still sqlglot's, that holds nothing but one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser

from riskseg.expressions.spellings import foreign

# Adds a Problem: its code, what is wrong, how to fix it.
Report = Callable[[str, str, str], None]

_MOST_CHARACTERS = 20_000
_MOST_TOKENS = 2_000
# Readers of a tree recurse once a level; this keeps them far from Python's own limit.
_DEEPEST = 50

_STATEMENTS = {
    TokenType.SELECT,
    TokenType.FROM,
    TokenType.WITH,
    TokenType.INSERT,
    TokenType.UPDATE,
    TokenType.DELETE,
    TokenType.CREATE,
    TokenType.DROP,
    TokenType.ALTER,
    TokenType.ATTACH,
    TokenType.COPY,
    TokenType.SET,
    TokenType.PRAGMA,
    TokenType.COMMAND,
}


class _Parser(DuckDBParser):
    """DuckDB's grammar with no function known to it: every call stays as it was written, so that
    our own table decides, whatever a release of sqlglot adds."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        "CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"],
    }


def as_text(value: object) -> str | None:
    """What a YAML value means as an expression; None if it cannot be one."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case date() if not isinstance(value, datetime):
            return f"date '{value.isoformat()}'"
        case _:
            return None


def read(text: str, report: Report) -> exp.Expr | None:
    """The parsed expression, at most 50 levels deep, or None after a Problem. It is not to be
    changed: the same text is parsed once."""
    parsed, slips = _read_once(text)
    for code, what, hint in slips:
        report(code, what, hint)
    return parsed


@lru_cache(maxsize=2_000)
def _read_once(text: str) -> tuple[exp.Expr | None, tuple[tuple[str, str, str], ...]]:
    """The parsed expression, and what Problems to add."""
    slips: list[tuple[str, str, str]] = []
    parsed = _read(text, lambda code, what, hint: slips.append((code, what, hint)))
    return parsed, tuple(slips)


def _two_words(tokens: Sequence[Token]) -> str:
    """What is said of two words side by side, of which no language makes anything: most often they
    are one name."""
    for first, second in pairwise(tokens):
        if first.token_type == second.token_type == TokenType.VAR:
            return (
                f'A name with a blank in it stands in double quotes: "{first.text} {second.text}".'
            )
    return ""


def _read(text: str, report: Report) -> exp.Expr | None:
    if len(text) > _MOST_CHARACTERS:
        report("RS302", f"{shown(text)} is longer than {_MOST_CHARACTERS:,} characters.", _SPLIT)
        return None
    if not text.strip():
        report("RS301", "The expression is empty.", "")
        return None
    if "\0" in text:
        report("RS301", f"{shown(text)} holds a NUL character.", "")
        return None
    if slip := foreign(text, shown):
        report("RS301", slip.what, slip.hint)
        return None
    dialect = DuckDB()
    try:
        tokens = dialect.tokenize(text)
    except SqlglotError:
        report("RS301", f"{shown(text)} cannot be read.", "Is a quote left open?")
        return None
    token_types = {token.token_type for token in tokens}
    if TokenType.COLON in token_types:
        report("RS302", f"{shown(text)} holds a colon.", "A constant is written as `$name`.")
        return None
    if any(token.comments for token in tokens) or not tokens:
        # Folded YAML puts lines together, and a `--` would then take the rest with it.
        report("RS302", f"{shown(text)} holds a comment.", "Write it as a YAML comment.")
        return None
    if TokenType.SEMICOLON in token_types:
        report("RS302", f"{shown(text)} holds a semicolon.", "One expression, nothing after it.")
        return None
    if len(tokens) > _MOST_TOKENS:
        report("RS302", f"{shown(text)} has more than {_MOST_TOKENS:,} words and signs.", _SPLIT)
        return None
    try:
        parsed = _Parser(dialect=dialect).parse_into(exp.Condition, tokens, text)
    except RecursionError:
        report("RS302", f"{shown(text)} is nested too deeply.", _SPLIT)
        return None
    except ParseError as error:
        for statement in (token.text for token in tokens if token.token_type in _STATEMENTS):
            report("RS302", f"{shown(text)} holds `{statement.lower()}`, a statement.", _ONE)
            return None
        slip = foreign(text, shown, unreadable=True)
        if slip is None:
            report("RS301", f"{shown(text)} cannot be read{_near(error)}.", _two_words(tokens))
        else:
            report("RS301", slip.what, slip.hint)
        return None
    except Exception:  # the parser's own slips on nonsense: to the author it is unreadable text
        report("RS301", f"{shown(text)} cannot be read.", "")
        return None
    root: exp.Expr | None = parsed[0] if len(parsed) == 1 else None
    if root is None:
        report("RS301", f"{shown(text)} is not one expression.", "")
    elif _too_deep(root):
        report("RS302", f"{shown(text)} is nested more than {_DEEPEST} deep.", _SPLIT)
        return None
    return root


_SPLIT = "Split it over several rows."
_ONE = "An expression names facts of the account; it cannot reach a table."


def shown(text: str) -> str:
    """Text in quotes for a Problem, on one line and not too long."""
    flat = " ".join(text.split())
    return f'"{flat}"' if len(flat) <= 100 else f'"{flat[:97]}…"'


def _near(error: ParseError) -> str:
    for fault in error.errors:
        if near := (fault.get("highlight") or "").strip():
            return f' near "{near}"'
    return ""


def _too_deep(root: exp.Expr) -> bool:
    """Chains of one connector and bare parentheses add no depth: both are taken flat."""
    todo: list[tuple[exp.Expr, int]] = [(root, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > _DEEPEST:
            return True
        for child in node.iter_expressions():
            adds_no_depth = isinstance(node, exp.Paren) or (
                isinstance(node, exp.And | exp.Or) and type(child) is type(node)
            )
            todo.append((child, depth if adds_no_depth else depth + 1))
    return False
