"""The statements of a run, written to a file as they are carried out, laid out to be read."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),]|[^\s'"(),]+""")
# What a text may hold whose white space means something, or whose quotes are of another kind.
_KEPT_AS_IS = re.compile(r"\$|--|/\*|\b[eExX]'")
_CLAUSES = {"from", "where", "having", "limit", "union", "except", "intersect", "qualify"}
_PAIRS = {"group": "by", "order": "by"}
_JOINS = {"left", "right", "full", "inner", "cross", "asof", "semi", "anti"}
_NAMED = re.compile(
    r"(?:create (?:or replace )?(?:temp )?(?:table|view)|insert into)\s+(\"[^\"]+\"|\w+)", re.I
)
_WIDTH = 100


def laid_out(sql: str) -> str:
    """A statement with each clause in a line of its own and subqueries indented: the same tokens in
    the same order."""
    if _KEPT_AS_IS.search(sql):
        return sql.strip()
    tokens = list(_TOKEN.finditer(sql))
    token_words = [token.group().lower() for token in tokens]
    blocks = [True]  # of each open bracket, whether a query stands in it
    lines, line_text = [], ""
    for i, token in enumerate(tokens):
        piece = token.group()
        word_before = token_words[i - 1] if i else ""
        word_after = token_words[i + 1] if i + 1 < len(token_words) else ""
        closes_query = piece == ")" and blocks[-1] and len(blocks) > 1
        opened = bool(i) and word_before == "(" and blocks[-1]
        ended = word_before == "," and line_text.lstrip().startswith(")")  # that of a named query
        long = word_before == "," and blocks[-1] and len(line_text) > _WIDTH
        clause = blocks[-1] and _begins_clause(token_words[i], word_before, word_after)
        if closes_query:
            blocks.pop()
        if line_text and (clause or closes_query or opened or ended or long):
            lines.append(line_text)
            line_text = "  " * (sum(blocks) - 1 + (long and not clause)) + piece
        else:
            spaced = i and token.start() > tokens[i - 1].end()
            line_text += f" {piece}" if spaced else piece
        if piece == "(":
            blocks.append(word_after in ("select", "with"))
        elif piece == ")" and not closes_query:
            blocks.pop()
    return "\n".join([*lines, line_text])


def _begins_clause(word: str, before: str, after: str) -> bool:
    if word == "join":
        return before not in _JOINS
    if word in _JOINS:
        return before not in _JOINS and (after == "join" or after in _JOINS)
    if word == "with":
        return before == "as"
    if word in _PAIRS:
        return after == _PAIRS[word]
    if word == "select":
        return before != "("
    return word in _CLAUSES and before != "distinct"


class _SqlFile(logging.Handler):
    """Writes the records of the loggers `riskseg.stages` and `riskseg.engine`."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file = path.open("w", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        log_fields = vars(record)
        if "stage" in log_fields:
            self._file.write(f"-- {'=' * 8} {log_fields['stage']}\n\n")
            return
        if "sql" not in log_fields:
            return
        sql, rows = str(log_fields["sql"]), log_fields["rows"]
        made_table = _NAMED.match(" ".join(sql[:200].split()))
        statement_name = made_table[1] if made_table else sql.split(None, 1)[0]
        counted = "" if rows is None else f" · {rows:,} rows"
        self._file.write(
            f"-- {statement_name}{counted} · {log_fields['seconds']:.3f} s\n{laid_out(sql)};\n\n"
        )

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def sql_written(path: Path) -> Iterator[None]:
    """While this lasts, every statement that an engine carries out is written to a file: its name,
    rows and seconds as a comment, then its text."""
    handler = _SqlFile(path)
    loggers = {
        logger_name: logging.getLogger(logger_name)
        for logger_name in ("riskseg.stages", "riskseg.engine")
    }
    levels = {logger_name: logger.level for logger_name, logger in loggers.items()}
    for logger in loggers.values():
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger_name, logger in loggers.items():
            logger.removeHandler(handler)
            logger.setLevel(levels[logger_name])
        handler.close()
