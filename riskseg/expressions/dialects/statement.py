"""Named selects of this house as one statement for another database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from riskseg.expressions.dialects.dialect import Dialect
from riskseg.expressions.dialects.forms import NULL, Column, Form, UnknownFormError
from riskseg.expressions.dialects.layout import Writer
from riskseg.expressions.dialects.reading import parsed, read

# Of each relation before, what is known of its columns; a table that is given has any.
_Columns = Mapping[str, Column]


def statement(stages: Sequence[tuple[str, str]], last: str, dialect: Dialect) -> str:
    """The select `last` over the relations of `stages`, each a name and a select over the one
    before; the first reads a table that is given. A select lists columns, after `*` or without.
    Raises UnknownFormError."""
    writer, columns, relations = Writer(dialect), dict[str, Column](), []
    for name, select in stages:
        text, columns = _select(select, columns, writer)
        relations.append(dialect.relation(name, text))
    text, _ = _select(last, columns, writer)
    together = ",\n\n".join(relations)
    return f"with {together}\n\n{text}"


def _select(select: str, before: _Columns, writer: Writer) -> tuple[str, dict[str, Column]]:
    """A select as text, and the columns that it gives."""
    tree = parsed(select)
    used = {key for key, part in tree.args.items() if part}
    if not isinstance(tree, exp.Select) or used != {"expressions", "from_"}:
        raise UnknownFormError(select)
    given: dict[str, Column] = {}
    lines = []

    def column(name: str) -> Form:
        return before.get(name) or Column(name, NULL)

    for projection in tree.expressions:
        if isinstance(projection, exp.Star):
            given |= before
            lines.append("*")
            continue
        form = read(projection.unalias(), column)
        name = projection.alias_or_name
        given[name] = Column(name, form.type, form.nullable)
        text = writer.text(form, 4)
        alias = writer.dialect.quoted(name)
        lines.append(text if text == alias else f"{text} as {alias}")
    listed = ",\n    ".join(lines)
    source = writer.dialect.quoted(tree.args["from_"].this.name)
    return f"select\n    {listed}\nfrom {source}", given
