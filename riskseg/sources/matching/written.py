"""A proposal as riskseg.toml: a line for what is sure, a marked comment for what is not.

A comment that begins with `# ?` is a proposal that a person decides: taking the mark away makes it
hold. `workspace/undecided.py` finds them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskseg.engine import EngineError, syntax_tree
from riskseg.layouts import layouts
from riskseg.sources.matching.profile import Profile
from riskseg.sources.matching.proposal import ColumnProposal, Proposal, TableProposal
from riskseg.sources.sql_text import NotAllowedError, check_expression
from riskseg.workspace.undecided import MARK

_HEAD = """\
# What this workspace is: where its data lies, what its money is, which strategy it follows.
# Written by `riskseg init --from`: each line says how sure it is, and why. One that begins with
# `{mark}` is for you to decide: take the mark away where it is right, or write another.
[workspace]
{currency}
scale        = {scale}          # decimals of an amount
arrears_from = 5.00       # the least overdue balance that counts as arrears
max_bad_rows = 0.001      # the share of a table's rows that may break the contract
strategy     = "rules/{strategy}"
"""


def written_toml(proposal: Proposal, strategy: str) -> str:
    """The text of riskseg.toml."""
    currency = f'currency     = "{proposal.currency}"'
    if proposal.currency is None:
        currency = f'{MARK} currency = "GBP"  # no file says it, and this is what is used'
    head = _HEAD.format(mark=MARK, currency=currency, scale=proposal.scale, strategy=strategy)
    parts = [head, *_source(proposal), *map(_table, proposal.tables.values())]
    if proposal.unused:
        parts.append("".join(f"# Not read: {name}: {why}.\n" for name, why in proposal.unused))
    return "\n".join(parts)


def _source(proposal: Proposal) -> Iterator[str]:
    if proposal.layout is None:
        if proposal.url is not None:
            yield f"[source]\nurl = {toml_text(proposal.url)}\n"
        return
    layout = layouts()[proposal.layout]
    lines = [f"# {layout.title}. {layout.standing}"]
    if layout.unconfirmed:
        lines.append(f"# {layout.unconfirmed}")
    lines += ["[source]", f'layout = "{proposal.layout}"']
    if proposal.url is not None:
        lines.append(f"url = {toml_text(proposal.url)}")
    if proposal.folder is not None:
        lines.append(f"folder = {toml_text(proposal.folder)}")
    for table, layout_table in layout.tables.items():
        filled = (
            f"{name} = {' or '.join(column.names) or 'an expression'}"
            for name, column in layout_table.columns.items()
        )
        lines.append(f"# {table}: {', '.join(filled)}")
    yield "\n".join(lines) + "\n"


def _table(proposal: TableProposal) -> str:
    mark = "" if proposal.decided else f"{MARK} "
    lines = [f"# {proposal.note}"] if proposal.note else []
    lines.append(f"{mark}[source.{proposal.table}]")
    columns = proposal.columns.values()
    width = max([len("from"), *(len(column.column) for column in columns)])
    mark_of_from = mark if proposal.from_decided else f"{MARK} "
    lines.append(f"{mark_of_from}{'from':{width}} = {toml_text(tidy_from(proposal.loaded_from))}")
    lines += [line for column in columns for line in _column(column, width, proposal.decided)]
    reading = proposal.found.reading
    if reading and not proposal.loaded_from.lower().startswith("select "):
        lines.append(f"{mark}[source.{proposal.table}.read]")
        lines += [
            f"{mark}{name} = {toml_text(value) if isinstance(value, str) else value}"
            for name, value in reading.items()
        ]
    if proposal.kinds:
        lines.append(f"{mark}# Texts in the file that hold numbers alone:")
        lines.append(f"{mark}[source.{proposal.table}.columns]")
        lines += [
            f'{mark}{_key(name)} = {{kind = "{kind}"}}' for name, kind in proposal.kinds.items()
        ]
    lines += _incremental(proposal)
    return "\n".join(lines) + "\n"


# What systems call the column that says when a row was written last.
_CHANGED = re.compile(
    r"(row_?)?(last_?)?(updated?|changed?|modified|modification|write)(_?(at|on|date|time|ts|stamp|"
    r"timestamp))?|system_?modstamp",
    re.IGNORECASE,
)
# The columns of the contract that name a row.
_NAMES_A_ROW = {"bills": "bill_id", "payments": "payment_id"}


def _incremental(proposal: TableProposal) -> Iterator[str]:
    """How the changes of a table in a database may be found. Nothing shows that every change sets
    the column, so these lines are a comment."""
    profiles = proposal.found.profiles
    changed = [name for name in profiles if _CHANGED.fullmatch(name) and _is_filled(profiles[name])]
    if not proposal.found.in_database or len(changed) != 1 or not proposal.decided:
        return
    yield f"# If every insert and update sets {changed[0]}, only what has changed has to be read:"
    yield f"# [source.{proposal.table}.incremental]"
    yield f"# watermark = {toml_text(changed[0])}"
    named = proposal.columns.get(_NAMES_A_ROW.get(proposal.table, ""))
    if named is not None and named.decided and named.header is not None:
        yield f"# key = {toml_text(named.header)}"


def _is_filled(profile: Profile) -> bool:
    """Whether a column has a day or a time in each row, be it one that is kept as a text."""
    day = re.compile(r"\d{4}-\d\d-\d\d")
    is_text = profile.type.family == "text" and bool(day.match(profile.least))
    return (profile.is_date or is_text) and profile.filled == profile.rows > 0


def _key(name: str) -> str:
    """A name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_text(name)


def _column(proposal: ColumnProposal, width: int, table_decided: bool) -> Iterator[str]:
    reason = f"# {proposal.confidence:.0%}: {proposal.why}"
    if proposal.options and not proposal.decided:
        reason += f"; or {', '.join(proposal.options)}"
    if proposal.expression is None:
        yield f'{MARK} {proposal.column:{width}} = ""  # {proposal.why}' + (
            f"; it may be {', '.join(proposal.options)}" if proposal.options else ""
        )
        return
    expression = tidy(proposal.expression)
    if expression.lower() == proposal.column and proposal.decided:
        if table_decided:
            yield f"# {proposal.column}: {reason[2:]}"
        return
    mark = "" if proposal.decided and table_decided else f"{MARK} "
    yield f"{mark}{proposal.column:{width}} = {toml_text(expression)}  {reason}"


def tidy(expression: str) -> str:
    """An expression without the quotes that its names do not need."""
    return re.sub(r'"(?:[^"]|"")+"', lambda name: _unquoted(name[0]), expression)


def tidy_from(loaded_from: str) -> str:
    """A `from` without the quotes that its names do not need."""
    return tidy(loaded_from) if loaded_from.lower().startswith("select ") else loaded_from


def _unquoted(name: str) -> str:
    bare = name[1:-1]
    if not re.fullmatch(r"[A-Za-z_]\w*", bare):
        return name
    try:
        _, is_column = check_expression(syntax_tree(f"select {bare}\n"))
    except (EngineError, NotAllowedError):
        return name
    return bare if is_column else name


def toml_text(text: str) -> str:
    """A text as TOML writes it."""
    if '"' in text and "'" not in text and "\\" not in text:
        return f"'{text}'"
    if '"' in text and "'''" not in text and "\n" not in text and not text.endswith("'"):
        return f"'''{text}'''"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
