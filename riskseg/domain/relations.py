"""A named select: packages return these, and `pipeline/` has the engine carry them out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Relation:
    """`select` may name any relation before it. A `materialized` one is worth computing once:
    others read it more than once, or it ends a stage."""

    name: str
    select: str
    materialized: bool = False


def chained(relations: Sequence[Relation]) -> str:
    """The last relation as one statement, with those before it that it is made from."""
    *before, last = relations
    needed: list[Relation] = []
    named_in_text = set(_WORD.findall(last.select))
    for relation in reversed(before):
        if relation.name in named_in_text:
            needed.insert(0, relation)
            named_in_text.update(_WORD.findall(relation.select))
    named = ", ".join(f"{relation.name} as ({relation.select})" for relation in needed)
    return (f"with {named} " if named else "") + last.select


def quoted(name: str) -> str:
    """A SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


# The column of `facts` that says how long ago the account's last bill was issued; there where the
# workspace has bills. It is the point of the billing cycle, and no fact.
SINCE_BILL = "since_bill"


def fact_column(name: str) -> str:
    """The quoted column of a fact in the table `facts` and all that is made from it.

    Its prefix keeps a name that people chose apart from every column of riskseg's own. The
    as-of date is both: no fact of another kind can have its name.
    """
    return name if name == "as_of" else quoted("@" + name)


def literal(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def from_minor(minor: str, scale: int) -> str:
    """SQL of minor units (pence, cents) as the decimal they stand for, exactly."""
    written = "0." + "0" * (scale - 1) + "1" if scale else "1"
    one = f"cast({written} as decimal({scale + 1}, {scale}))"
    return f"cast(cast({minor} as bigint) * {one} as decimal(18, {scale}))"
