"""What is assumed of every fact: the one list that runs check and proofs assume.

An assumption is a condition that holds wherever it is known. :func:`check_sql` renders it for the
engine, which holds every account that is decided against it; :func:`riskseg.expressions.smt.domain`
renders the same as terms. So a proof assumes nothing that a run does not check.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from riskseg.domain.facts import FIRST_DAY, LAST_DAY, Fact, Kind
from riskseg.domain.relations import quoted
from riskseg.expressions.checking import Expression
from riskseg.expressions.show import show
from riskseg.expressions.sql import to_sql
from riskseg.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    In,
    IsNull,
    Literal,
    Name,
    Node,
    Not,
    Or,
    Type,
    Value,
)
from riskseg.expressions.walk import parts

MONEY_UNIT = "money"
# An INTEGER or DECIMAL fact is no larger and has no more decimals than a rule can write.
BEYOND, MOST_DECIMALS = Decimal(10**18), 6
FINITE = " is a finite number"
_LARGEST = sys.float_info.max


def assumptions(fact: Fact, scale: int) -> Iterator[Expression]:
    """Everything assumed of a fact's values; `scale` is the number of decimals of money.

    The text of each is for people: "rate has at most 6 decimals".
    """
    value = Name(fact.name, fact.kind)

    def assumption(words: str, *conditions: Node) -> Expression:
        tree = conditions[0] if len(conditions) == 1 else And(conditions)
        return _condition(f"{fact.name} {words}", tree, frozenset({fact.name}))

    if not fact.nullable:
        yield assumption("is never unknown", Not(IsNull(value)))
    if fact.kind.is_numeric and fact.lower is not None:
        yield assumption(
            f"is at least {fact.lower:f}", Compare(">=", value, _number(fact.lower, value))
        )
    if fact.kind.is_numeric and fact.upper is not None:
        yield assumption(
            f"is at most {fact.upper:f}", Compare("<=", value, _number(fact.upper, value))
        )
    match fact.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            # A sum is of the type that calculations are done in, whatever the fact is stored as.
            absolute_value = Arithmetic("+", value, _number(Decimal(0), value), value.kind)
            if fact.upper is None:
                yield assumption(
                    f"is below {BEYOND:f}", Compare("<", absolute_value, _number(BEYOND, value))
                )
            if fact.lower is None:
                yield assumption(
                    f"is above {-BEYOND:f}", Compare(">", absolute_value, _number(-BEYOND, value))
                )
        case Kind.NUMBER:
            yield assumption(FINITE.strip(), *_finite(value))
        case Kind.DATE:
            first_day, last_day = Literal(FIRST_DAY, value.kind), Literal(LAST_DAY, value.kind)
            yield assumption(
                f"is between {FIRST_DAY} and {LAST_DAY}",
                Compare(">=", value, first_day),
                Compare("<=", value, last_day),
            )
        case Kind.LEVEL:
            levels = tuple(Literal(allowed_level, value.kind) for allowed_level in fact.levels)
            one_of = In(value, levels) if levels else IsNull(value)
            yield assumption(f"is one of {', '.join(fact.levels) or 'no levels'}", one_of)
    if fact.kind is Kind.DECIMAL:
        decimals = scale if fact.unit == MONEY_UNIT else MOST_DECIMALS
        rounded = Call("round", (value, Literal(decimals, Kind.INTEGER)), Kind.DECIMAL)
        yield assumption(f"has at most {decimals} decimals", Compare("=", rounded, value))


def finite_results(expressions: Iterable[Expression]) -> Iterator[Expression]:
    """That each calculation with NUMBERs in the expressions gives a finite number, or an unknown.

    A float that overflows becomes infinite, and from infinities comes what is no number at all:
    engines order that above every number. A DECIMAL or an INTEGER too large stops an engine by
    itself.
    """
    seen_nodes: set[Node] = set()
    for expression in expressions:
        for node in parts(expression.tree):
            if isinstance(node, Arithmetic) and node.kind is Kind.NUMBER and node not in seen_nodes:
                seen_nodes.add(node)
                names_within = frozenset(
                    named_part.name for named_part in parts(node) if isinstance(named_part, Name)
                )
                tree = Or((IsNull(node), And(_finite(node))))
                yield _condition(show(node) + FINITE, tree, names_within)


def can_be_written(value: Decimal) -> bool:
    """Whether the language can hold the number: at most 18 digits, then at most 6 decimals."""
    if not value.is_finite() or abs(value) >= BEYOND:
        return False
    return value == round(value, MOST_DECIMALS)


def check_sql(assumption: Expression, column: Callable[[str], str] = quoted) -> str:
    """An assumption as SQL that is true or false: false too where it cannot be worked out.
    `column` gives the SQL that stands for a fact's name."""
    unknown = " or ".join(
        f"{column(assumed_fact)} is null" for assumed_fact in sorted(assumption.names)
    )
    return f"coalesce(try({to_sql(assumption, column)}), {unknown})"


def _condition(words: str, tree: Node, names: frozenset[str]) -> Expression:
    return Expression(words, tree, Type(Kind.BOOLEAN, nullable=True), names)


def _finite(node: Node) -> tuple[Node, Node]:
    """Neither infinite nor NaN, which DuckDB orders above all numbers."""
    return (
        Compare(">=", node, Literal(-_LARGEST, Kind.NUMBER)),
        Compare("<=", node, Literal(_LARGEST, Kind.NUMBER)),
    )


def _number(value: Decimal, compared: Name) -> Literal:
    typed_value: Value = value
    if compared.kind is Kind.NUMBER:
        typed_value = float(value)
    elif compared.kind is Kind.INTEGER:
        typed_value = int(value)
    return Literal(typed_value, compared.kind)
