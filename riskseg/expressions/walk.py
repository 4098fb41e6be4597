"""Walks through the parts of a checked expression."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Case,
    Cast,
    Compare,
    In,
    IsNull,
    Literal,
    Name,
    Node,
    Not,
    Or,
)


def parts(node: Node) -> Iterator[Node]:
    """A node and everything inside it."""
    yield node
    children_of_node: tuple[Node, ...] = ()
    match node:
        case Cast(part, _) | IsNull(part) | Not(part):
            children_of_node = (part,)
        case In(part, options):
            children_of_node = (part, *options)
        case Arithmetic(_, left, right, _) | Compare(_, left, right):
            children_of_node = (left, right)
        case And(children) | Or(children) | Call(_, children, _):
            children_of_node = children
        case Case(branches, otherwise, _):
            children_of_node = (*(inner for branch in branches for inner in branch), otherwise)
    for child in children_of_node:
        yield from parts(child)


def names_in_cases(node: Node) -> set[str]:
    """The names that stand within a `case`, its conditions included."""
    return {
        part.name
        for case in parts(node)
        if isinstance(case, Case)
        for part in parts(case)
        if isinstance(part, Name)
    }


def comparisons(node: Node) -> Iterator[Compare | In]:
    """Every comparison and list inside a tree."""
    match node:
        case Compare() | In():
            yield node
        case Not(child) | IsNull(child) | Cast(child, _):
            yield from comparisons(child)
        case And(parts) | Or(parts):
            for child in parts:
                yield from comparisons(child)
        case Call(_, arguments, _):
            for child in arguments:
                yield from comparisons(child)
        case Case(branches, otherwise, _):
            for test, value in branches:
                yield from comparisons(test)
                yield from comparisons(value)
            yield from comparisons(otherwise)
        case Arithmetic(_, left, right, _):
            yield from comparisons(left)
            yield from comparisons(right)


def texts_compared(node: Node) -> Iterator[tuple[str, str]]:
    """The name of each fact that is compared with a text as written, and that text."""
    for part in comparisons(node):
        sides: tuple[Node, ...]
        match part:
            case Compare(_, left, right):
                sides = (left, right)
            case In(tested, options):
                sides = (tested, *options)
        fact_names = [
            side.name for side in sides if isinstance(side, Name) and side.kind.is_textual
        ]
        literal_texts = [side.value for side in sides if isinstance(side, Literal)]
        for fact_name in fact_names:
            yield from (
                (fact_name, literal_text)
                for literal_text in literal_texts
                if isinstance(literal_text, str)
            )
