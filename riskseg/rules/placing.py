"""Facts of the path that an account was last seen on, and what follows from them: on which day its
path begins, and whether it stays on the path it is on. No expression of an author can name them.

`worklist issue` records a placement for each account whose segment leads to another path than on
the day before. Placements count within one arrears episode: those of an episode that has
ended do not count in the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import Expression, Type
from riskseg.expressions.tree import (
    And,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    Literal,
    Name,
    Node,
    Not,
    Or,
)

PLACED_PATH = "placed path"
# What a path says that starts on the day on which the account comes to it.
ENTERED_ON = "entered_on"
_ENTERED, _BEFORE = "entered ", "path before "
_AS_OF = Name("as_of", Kind.DATE)


def entered_fact(path: str) -> str:
    """The fact that says on which day the account came to a path that it was last seen on; null
    where it was last seen on another."""
    return f"{_ENTERED}{path}"


def path_before_fact(path: str) -> str:
    """The fact that says which path the account was on before it came to a path; null where it was
    on none in this episode."""
    return f"{_BEFORE}{path}"


def entered_path(fact: str) -> str | None:
    """The path of which a fact says when the account came to it."""
    return fact.removeprefix(_ENTERED) if fact.startswith(_ENTERED) else None


def path_before_of(fact: str) -> str | None:
    """The path of which a fact says from which one the account came."""
    return fact.removeprefix(_BEFORE) if fact.startswith(_BEFORE) else None


def of_placement(fact: str) -> bool:
    """Whether a fact is one of these."""
    return fact == PLACED_PATH or fact.startswith((_ENTERED, _BEFORE))


def placement_facts(path: str) -> dict[str, Fact]:
    """The facts that say when, and from where, the account came to a path."""
    entered, came_from = entered_fact(path), path_before_fact(path)
    return {
        entered: Fact(
            entered, Kind.DATE, nullable=True, words=f"came to the path {path} on {{value}}"
        ),
        came_from: Fact(
            came_from, Kind.TEXT, nullable=True, words=f"came to the path {path} from {{value}}"
        ),
    }


PLACED = Fact(PLACED_PATH, Kind.TEXT, nullable=True, words="last seen on the path {value}")


def _expression(text: str, tree: Node, *names: str, nullable: bool = False) -> Expression:
    return Expression(text, tree, Type(tree.kind, nullable=nullable), frozenset(names))


def _entered(path: str) -> Node:
    """The day on which the account came to a path; today, where that is today."""
    return Call("coalesce", (Name(entered_fact(path), Kind.DATE), _AS_OF), Kind.DATE)


def _one_of(fact: str, values: Sequence[str]) -> Node:
    options = tuple(Literal(value, Kind.TEXT) for value in values)
    return In(Name(fact, Kind.TEXT), options)


def entered_on(path: str) -> Expression:
    """The date of day 0 of a path that starts on the day on which the account comes to it."""
    return _expression(ENTERED_ON, _entered(path), entered_fact(path), "as_of")


def first_met(path: str, with_steps: Sequence[str]) -> Expression:
    """That the account came to a path from none of those `with_steps` in this episode."""
    came_from = path_before_fact(path)
    other = Not(_one_of(came_from, with_steps))
    tree = Or((IsNull(Name(came_from, Kind.TEXT)), other))
    return _expression(f"first met {path}", tree, came_from)


def came_from_one_of(path: str, others: Sequence[str]) -> Expression:
    """That the account came to a path from one of the others, in this episode."""
    came_from = path_before_fact(path)
    known = Not(IsNull(Name(came_from, Kind.TEXT)))
    tree = And((known, _one_of(came_from, others)))
    return _expression(f"came to {path} from {', '.join(others)}", tree, came_from)


def either_of(conditions: Sequence[Expression]) -> Expression:
    """That one of the conditions holds."""
    if len(conditions) == 1:
        return conditions[0]
    names = frozenset().union(*(condition.names for condition in conditions))
    text = " or ".join(condition.text for condition in conditions)
    return _expression(text, Or(tuple(condition.tree for condition in conditions)), *names)


def begins_on_entry(path: str, starts: Expression, lifted: Expression) -> Expression:
    """The date of day 0 of a path: where `lifted` holds, no earlier than the day on which the
    account came to it. Unknown where `starts` is."""
    later = Call("greatest", (starts.tree, _entered(path)), Kind.DATE)
    branches: list[tuple[Node, Node]] = []
    if starts.type.nullable:
        branches.append((IsNull(starts.tree), Literal(None, Kind.DATE)))
    tree = Case((*branches, (lifted.tree, later)), starts.tree, Kind.DATE)
    names = starts.names | lifted.names | {entered_fact(path), "as_of"}
    text = f"{starts.text}, or the day the account came to the path"
    return _expression(text, tree, *names, nullable=starts.type.nullable)


def stays_on(path: str, days: int | None) -> Expression:
    """That an account which was last seen on a path stays there, whatever its segment: for so many
    days from the one on which it came, or until its episode ends."""
    terms: list[Node] = [
        Not(IsNull(Name(PLACED_PATH, Kind.TEXT))),
        Compare("=", Name(PLACED_PATH, Kind.TEXT), Literal(path, Kind.TEXT)),
    ]
    names = {PLACED_PATH}
    if days is not None:
        until = Call("add_days", (_entered(path), Literal(days, Kind.INTEGER)), Kind.DATE)
        terms.append(Compare("<", _AS_OF, until))
        names |= {"as_of", entered_fact(path)}
    return _expression(f"stays on {path}", And(tuple(terms)), *names)
