"""Authored text in, checked expression out. Only a checked expression can become SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal as Choice

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problems
from riskseg.expressions.constants import Constants, NamedValue, with_values
from riskseg.expressions.elaborate import Elaborator
from riskseg.expressions.flow import Flow, listed
from riskseg.expressions.reading import as_text, read, shown
from riskseg.expressions.tree import Node, Type
from riskseg.expressions.typed import Scope, Typed


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression found right: the author's text, its tree and type, the facts it names, and
    the constants it uses."""

    text: str
    tree: Node
    type: Type
    names: frozenset[str]
    constants: tuple[NamedValue, ...] = ()

    @property
    def explained(self) -> str:
        """The author's text, with the value behind each constant."""
        return with_values(self.text, self.constants)


def check(
    text: object,
    scope: Scope,
    problems: Problems,
    *,
    file: str | None = None,
    line: int | None = None,
    expect: Choice["condition", "value"] = "condition",
    may_be_unknown: bool = False,
    unknown_key: bool = True,
    offered: Iterable[str] | None = None,
    constants: Constants | None = None,
) -> Expression | None:
    """The checked expression, or None after adding every Problem found (RS301 to RS307).

    `text` is what YAML gave: text, or a plain true, number or date. `scope` holds the facts that
    may be named, under the names they go by; `as_of` is one if the caller puts it there.
    A condition must be true or false; one that can also be unknown is a Problem unless
    `may_be_unknown`, which says that the author wrote what happens then. `unknown_key` says that
    there is an `unknown` key to write it in.
    `offered` are the names that a Problem may suggest, all of `scope` where None;
    `constants` are the values that may stand there as `$name`.
    A value may be of any kind and unknown; its type says.
    """
    own_problems = Problems()

    def report(code: str, what: str, hint: str) -> None:
        own_problems.add(code, what, file=file, line=line, hint=hint)

    expression: Expression | None = None
    written = as_text(text)
    if written is None:
        report("RS301", f"{shown(str(text))} is not an expression.", "Write it as text.")
    elif (parsed := read(written, report)) is not None:
        elaborator = Elaborator(scope, report, offered=offered, constants=constants)
        typed = elaborator.part(parsed)
        if typed is not None and typed.kind is None:
            report("RS304", "Null alone is not an expression.", "")
        elif typed is not None:
            if expect == "condition" and typed.kind is not Kind.BOOLEAN:
                message = f"{shown(written)} ({typed.kind}) is not a condition."
                report("RS304", message, "Compare it with a value.")
            causes = Flow(scope, report).causes(typed.node)
            must_be_known = expect == "condition" and typed.kind is Kind.BOOLEAN
            if causes and must_be_known and not may_be_unknown:
                cures = ["Test for it with `is null`", "give it a value with `coalesce(…, …)`"]
                cures += ["add `unknown: match` or `unknown: skip`"] if unknown_key else []
                report(
                    "RS305",
                    f"{shown(written)} can be unknown because of {listed(causes)}.",
                    f"{', '.join(cures[:-1])}, or {cures[-1]}.",
                )
            type_ = _type(typed, nullable=bool(causes))
            used = tuple(
                NamedValue(name, (constants or {})[name])
                for name in sorted(elaborator.constants_used)
            )
            expression = Expression(written, typed.node, type_, frozenset(elaborator.names), used)
    problems.extend(own_problems)
    return None if len(own_problems) else expression


def _type(typed: Typed, *, nullable: bool) -> Type:
    kind = typed.node.kind
    if kind.is_textual:
        # Few texts known by heart make a level, wherever they came from.
        return (
            Type(Kind.TEXT, nullable)
            if typed.levels is None
            else Type(Kind.LEVEL, nullable, typed.levels)
        )
    return Type(kind, nullable)
