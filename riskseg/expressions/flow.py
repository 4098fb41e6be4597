"""What can be unknown, and what can be zero, followed through the logic of an expression.

In `a and b`, b only matters where a is true, so b is read knowing what a true a tells; in
`a or b` with what a false a tells; a branch of `case` with its condition true and the earlier
ones false. The logic is SQL's: true, false, unknown.

Why reading on like that is sound for `and`: if no part is unknown under what the parts before it
tell, then the first false part makes the whole false and nothing after it matters; without one,
every part was read under things that do hold. `or` is the mirror image.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from riskseg.domain.facts import Kind
from riskseg.expressions.reading import Report, shown
from riskseg.expressions.show import show
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
from riskseg.expressions.typed import Scope


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at a place: parts that are not unknown there, and parts that are not zero."""

    present: frozenset[Node] = frozenset()
    nonzero: frozenset[Node] = frozenset()

    def __or__(self, other: Known) -> Known:
        return Known(self.present | other.present, self.nonzero | other.nonzero)

    def __and__(self, other: Known) -> Known:
        return Known(self.present & other.present, self.nonzero & other.nonzero)


_NOTHING = Known()
# What makes a part unknown, as a person reads it: a fact, a `nullif(…)`, a null (that of a `case`
# without `else` is one).
Causes = frozenset[str]
_NONE: Causes = frozenset()


class Flow:
    """One expression's passage; Problems RS305 and RS306 found on the way are added."""

    def __init__(self, scope: Scope, report: Report) -> None:
        self._scope = scope
        self._report = report

    def causes(self, node: Node, known: Known = _NOTHING) -> Causes:
        """Why the value of this part can be unknown; empty if it cannot."""
        inside = self._causes(node, known)
        return _NONE if node in known.present else inside

    def _causes(self, node: Node, known: Known) -> Causes:
        match node:
            case Literal(value, _):
                return frozenset({"null"}) if value is None else _NONE
            case Name(name, _):
                return frozenset({name}) if self._scope[name].nullable else _NONE
            case IsNull(part):
                self.causes(part, known)
                return _NONE
            case Not(part) | Cast(part, _) | In(part, _):
                return self.causes(part, known)
            case Compare(_, left, right):
                return self.causes(left, known) | self.causes(right, known)
            case Arithmetic(sign, left, right, _):
                if sign == "/" and not self._never_zero(right, known):
                    self._can_be_zero(right)
                return self.causes(left, known) | self.causes(right, known)
            case And(parts):
                return self._in_turn(parts, True, known)
            case Or(parts):
                return self._in_turn(parts, False, known)
            case Case():
                return self._case(node, known)
            case Call():
                return self._call(node, known)

    def _in_turn(self, parts: tuple[Node, ...], go_on: bool, known: Known) -> Causes:
        # Tests for null count from anywhere: they are never unknown themselves.
        null_tests = [part for part in parts if isinstance(part, IsNull) or _is_not_null(part)]
        known_here = reduce(operator.or_, (learnt(test, go_on) for test in null_tests), known)
        causes = _NONE
        for part in parts:
            causes |= self.causes(part, known if part in null_tests else known_here)
            known_here |= learnt(part, go_on)
        return causes

    def _case(self, node: Case, known: Known) -> Causes:
        all_causes = _NONE
        for condition, branch_value in node.branches:
            if causes := self.causes(condition, known):
                self._report(
                    "RS305",
                    f"{shown(show(condition))} in `case` can be unknown because of "
                    f"{listed(causes)}.",
                    "Test for null in an earlier `when`, or use `coalesce`.",
                )
            all_causes |= self.causes(branch_value, known | learnt(condition, True))
            known |= learnt(condition, False)
        return all_causes | self.causes(node.otherwise, known)

    def _call(self, node: Call, known: Known) -> Causes:
        causes_by_argument = [self.causes(argument, known) for argument in node.arguments]
        all_causes = _NONE.union(*causes_by_argument)
        match node.function:
            case "coalesce":
                return all_causes if all(causes_by_argument) else _NONE
            case "nullif":
                return all_causes | {show(node)}
            case "least" | "greatest" if all_causes:
                self._report(
                    "RS305",
                    f"{shown(show(node))} compares what can be unknown: {listed(all_causes)}.",
                    "Say with `coalesce` what an unknown counts as.",
                )
                return _NONE
        return all_causes

    # -- zero ----------------------------------------------------------------------------------

    def _can_be_zero(self, divisor: Node) -> None:
        while isinstance(divisor, Cast):
            divisor = divisor.part
        divisor_text = show(divisor)
        if isinstance(divisor, Literal):
            self._report("RS306", f"A number is divided by {divisor_text}.", "")
            return
        self._report(
            "RS306",
            f"A number is divided by {shown(divisor_text)}, which can be zero.",
            f"Write `nullif({divisor_text}, 0)`, or put `{divisor_text} <> 0 and` before it.",
        )

    def _never_zero(self, node: Node, known: Known) -> bool:
        """Whether a part is never zero here; it may be unknown."""
        if node in known.nonzero:
            return True
        match node:
            case Literal(value, _):
                return value != 0
            case Name(name, _):
                fact = self._scope[name]
                is_positive = fact.lower is not None and fact.lower > 0
                is_negative = fact.upper is not None and fact.upper < 0
                return is_positive or is_negative
            case Cast(part, _) | Call("abs", (part,), _):
                return self._never_zero(part, known)
            case Call("nullif", (part, Literal(value, _)), _):
                return value == 0 or self._never_zero(part, known)
            case Call("greatest", arguments, _) if any(map(self._positive, arguments)):
                return True
            case Call("coalesce" | "least" | "greatest", arguments, _):
                return all(self._never_zero(argument, known) for argument in arguments)
            case Case(branches, otherwise, _):
                for condition, result in branches:
                    if not self._never_zero(result, known | learnt(condition, True)):
                        return False
                    known |= learnt(condition, False)
                return self._never_zero(otherwise, known)
        return False

    def _positive(self, node: Node) -> bool:
        match node:
            case Literal(value, kind) if kind.is_numeric and value is not None:
                return _holds(">", value, 0)
            case Name(name, _):
                lower = self._scope[name].lower
                return lower is not None and lower > 0
            case Cast(part, _):
                return self._positive(part)
        return False


def listed(causes: Causes) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = sorted(causes)
    return f"{', '.join(most)} and {last}" if most else last


# -- what a condition tells --------------------------------------------------------------------


def learnt(condition: Node, truth: bool) -> Known:
    """What follows from a condition being exactly true, or exactly false."""
    match condition:
        case Not(part):
            return learnt(part, not truth)
        case IsNull(part):
            return _NOTHING if truth else _present(part)
        case And(parts):
            return _joined(parts, truth, all_hold=truth)
        case Or(parts):
            return _joined(parts, truth, all_hold=not truth)
        case Call("coalesce", (part, Literal(bool() as other, _)), _) if other is not truth:
            return learnt(part, truth)
        case Compare("=" | "<>" as sign, part, Literal(bool() as value, _)):
            value_of_part = value is (truth is (sign == "="))
            return _present(condition) | learnt(part, value_of_part)
        case Compare(sign, left, right):
            known = _present(condition)
            if _apart_from_zero(sign, right, truth):
                known |= Known(nonzero=frozenset({_bare(left)}))
            if _apart_from_zero(_TURNED[sign], left, truth):
                known |= Known(nonzero=frozenset({_bare(right)}))
            return known
        case In(part, options):
            if truth is not any(option.value == 0 for option in options):
                return _present(condition) | Known(nonzero=frozenset({_bare(part)}))
            return _present(condition)
    return _present(condition)


def _joined(parts: Iterable[Node], truth: bool, *, all_hold: bool) -> Known:
    learnt_by_part = [learnt(part, truth) for part in parts]
    return reduce(operator.or_ if all_hold else operator.and_, learnt_by_part)


def _present(node: Node) -> Known:
    """What is known once this part is: itself, and all that would have made it unknown."""
    present = Known(present=frozenset({node}))
    match node:
        case Not(part) | Cast(part, _) | In(part, _) | Call("nullif", (part, _), _):
            return present | _present(part)
        case Compare(_, left, right) | Arithmetic(_, left, right, _):
            return present | _present(left) | _present(right)
        case Call(function, arguments, _) if function != "coalesce":
            return reduce(operator.or_, map(_present, arguments), present)
    return present


def _is_not_null(node: Node) -> bool:
    return isinstance(node, Not) and isinstance(node.part, IsNull)


def _bare(node: Node) -> Node:
    """A cast is zero where what it casts is: they only widen."""
    while isinstance(node, Cast):
        node = node.part
    return node


_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HOLDS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _holds(sign: str, left: Any, right: Any) -> bool:
    return bool(_HOLDS[sign](left, right))


def _apart_from_zero(sign: str, bound: Node, truth: bool) -> bool:
    """Whether `x sign bound`, being `truth`, rules out that x is zero."""
    match bound:
        case Literal(value, Kind.INTEGER | Kind.DECIMAL | Kind.NUMBER) if value is not None:
            return _holds(sign, 0, value) is not truth
    return False
