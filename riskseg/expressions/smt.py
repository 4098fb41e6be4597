"""A checked expression as terms of z3, with SQL's three-valued logic.

A part is a :class:`Term`: its value, and whether it is unknown. What the value is made of:

- BOOLEAN: a truth value; INTEGER: a whole number;
- DECIMAL: a whole number of millionths, because every DECIMAL has six decimals at most. So sums
  are exact, and products and quotients are rounded just as the engine rounds them;
- NUMBER: an IEEE double, rounded to nearest, ties to even;
- DATE: days since 1970-01-01. Year, month and day follow from it by the proleptic Gregorian
  calendar (H. Hinnant, "chrono-compatible low-level date algorithms": days to civil);
- TEXT and LEVEL: a whole number that stands for the text; texts that no rule names are numbers
  from `len(texts)` on, since a text can only be compared with `=`, `<>` and `in`.

Numbers here have no greatest size: where an engine would stop for one too large, these go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import z3

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions.assumptions import assumptions
from riskseg.expressions.checking import Expression
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
    Operator,
    Or,
    Value,
)

ONE = 1_000_000  # a DECIMAL 1 in millionths
EPOCH = date(1970, 1, 1)

_TRUE, _FALSE = z3.BoolVal(True), z3.BoolVal(False)
_DOUBLE = z3.Float64()
_NEAREST = z3.RNE()


@dataclass(frozen=True, slots=True)
class Term:
    """A value that may be unknown. Where `unknown` holds, `value` means nothing."""

    value: Any
    unknown: Any = _FALSE

    @property
    def true(self) -> Any:
        """That it is known, and true."""
        return both(self.value, negated(self.unknown))

    @property
    def false(self) -> Any:
        """That it is known, and false."""
        return both(negated(self.value), negated(self.unknown))

    def same(self, other: Term) -> Any:
        """That both are unknown, or both known and equal: `is not distinct from`."""
        alike = both(negated(self.unknown), negated(other.unknown), equal(self, other))
        return either(both(self.unknown, other.unknown), alike)


@dataclass
class Texts:
    """The texts that rules name, each with the number it goes by."""

    known: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))

    def text(self, code: int) -> str:
        """The text of a number; one that no rule names for any other."""
        for text, known_code in self.known.items():
            if known_code == code:
                return text
        other_text = f"other text {code - len(self.known) + 1}"
        return other_text if other_text not in self.known else other_text + " "


def to_smt(expression: Expression, column: Callable[[str], Term], texts: Texts) -> Term:
    """The term of a checked expression; `column` gives the term of a fact."""
    return tree_to_smt(expression.tree, column, texts)


def tree_to_smt(tree: Node, column: Callable[[str], Term], texts: Texts) -> Term:
    """The term of a checked expression's tree, or of a part of it."""
    return _Writer(column, texts).term(tree)


def variable(fact: Fact, name: str) -> Term:
    """A fact of which nothing is known, under a name of its own."""
    sort: dict[Kind, Callable[[str], Any]] = {
        Kind.BOOLEAN: z3.Bool,
        Kind.NUMBER: lambda n: z3.FP(n, _DOUBLE),
    }
    sort_value = sort.get(fact.kind, z3.Int)(name)
    return Term(sort_value, z3.Bool(f"{name} is unknown") if fact.nullable else _FALSE)


def domain(fact: Fact, term: Term, texts: Texts, scale: int = 6) -> Any:
    """That a value of the fact is one it can have: what is assumed of it, as `assign` checks it."""
    conditions = [
        holds(to_smt(assumption, lambda _: term, texts)) for assumption in assumptions(fact, scale)
    ]
    if fact.kind is Kind.TEXT:
        conditions.append(either(term.unknown, term.value >= 0))  # a text goes by its number
    return both(*conditions)


def holds(assumption: Term) -> Any:
    """That an assumption holds, if it is known at all."""
    return either(assumption.unknown, assumption.value)


def constant(value: Value, kind: Kind, texts: Texts) -> Term:
    """A value, or an unknown of that kind."""
    if value is None:
        return Term(_nothing(kind), _TRUE)
    match kind:
        case Kind.BOOLEAN:
            return Term(z3.BoolVal(bool(value)))
        case Kind.DECIMAL:
            return Term(z3.IntVal(int(Decimal(str(value)) * ONE)))
        case Kind.NUMBER:
            assert isinstance(value, int | float | Decimal)
            return Term(_double(float(value)))
        case Kind.DATE:
            assert isinstance(value, date)
            return Term(z3.IntVal(days(value)))
        case Kind.TEXT | Kind.LEVEL:
            return Term(z3.IntVal(texts.code(str(value))))
    assert isinstance(value, int)
    return Term(z3.IntVal(value))


def value_of(model: Any, term: Term, kind: Kind, texts: Texts) -> Value:
    """What a term is in a model; None where it is unknown."""
    if z3.is_true(model.eval(term.unknown, model_completion=True)):
        return None
    model_value = model.eval(term.value, model_completion=True)
    match kind:
        case Kind.BOOLEAN:
            return bool(z3.is_true(model_value))
        case Kind.DECIMAL:
            return Decimal(model_value.as_long()) / ONE
        case Kind.NUMBER:
            return _as_float(model_value)
        case Kind.DATE:
            return EPOCH + timedelta(days=model_value.as_long())
        case Kind.TEXT | Kind.LEVEL:
            return texts.text(model_value.as_long())
    return int(model_value.as_long())


def days(day: date) -> int:
    """A date as days since 1970-01-01."""
    return (day - EPOCH).days


# -- logic that keeps what is plain plain --------------------------------------------------------


def _is(part: Any, plain: Any) -> bool:
    """Whether a part is `true`, or `false`. z3 keeps equal terms once: to ask it what each is took
    a third of the time of a proof."""
    return bool(part.as_ast().value == plain.as_ast().value)


def both(*parts: Any) -> Any:
    """All of them hold."""
    undecided = [part for part in parts if not _is(part, _TRUE)]
    if any(_is(part, _FALSE) for part in undecided):
        return _FALSE
    return z3.And(undecided) if len(undecided) > 1 else undecided[0] if undecided else _TRUE


def either(*parts: Any) -> Any:
    """One of them holds."""
    undecided = [part for part in parts if not _is(part, _FALSE)]
    if any(_is(part, _TRUE) for part in undecided):
        return _TRUE
    return z3.Or(undecided) if len(undecided) > 1 else undecided[0] if undecided else _FALSE


def negated(part: Any) -> Any:
    if _is(part, _TRUE):
        return _FALSE
    if _is(part, _FALSE):
        return _TRUE
    return part.arg(0) if z3.is_not(part) else z3.Not(part)


def chosen(test: Any, one: Term, other: Term) -> Term:
    """`one` where the test holds, else `other`."""
    if _is(test, _TRUE):
        return one
    if _is(test, _FALSE):
        return other
    unknown = one.unknown
    if not one.unknown.eq(other.unknown):
        unknown = z3.If(test, one.unknown, other.unknown)
    return Term(z3.If(test, one.value, other.value), unknown)


def equal(one: Term, other: Term) -> Any:
    """That two known values are equal."""
    if z3.is_fp(one.value):
        return z3.fpEQ(one.value, other.value)
    return one.value == other.value


# -- the writer ----------------------------------------------------------------------------------

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: z3.fpLT(a, b) if z3.is_fp(a) else a < b,
    "<=": lambda a, b: z3.fpLEQ(a, b) if z3.is_fp(a) else a <= b,
    ">": lambda a, b: z3.fpGT(a, b) if z3.is_fp(a) else a > b,
    ">=": lambda a, b: z3.fpGEQ(a, b) if z3.is_fp(a) else a >= b,
}


@dataclass(frozen=True)
class _Writer:
    column: Callable[[str], Term]
    texts: Texts

    def term(self, node: Node) -> Term:
        match node:
            case Literal(value, kind):
                return constant(value, kind, self.texts)
            case Name(name, _):
                return self.column(name)
            case Cast(part, kind):
                inner = self.term(part)
                return Term(_cast(inner.value, part.kind, kind), inner.unknown)
            case Arithmetic(operator, left, right, kind):
                return self._arithmetic(operator, self.term(left), self.term(right), kind)
            case Call(function, arguments, _):
                return self._call(function, arguments)
            case Case(branches, otherwise, _):
                result = self.term(otherwise)
                for condition, branch in reversed(branches):
                    result = chosen(self.term(condition).true, self.term(branch), result)
                return result
            case Compare("=", Call("round", (x, Literal(int() as digits)), Kind.DECIMAL), y) if (
                x == y
            ):  # it has no more decimals than that: said so, it is easy on the solver
                inner = self.term(x)
                return Term(inner.value % 10 ** (6 - digits) == 0, inner.unknown)
            case Compare(sign, left, right):
                left_term, right_term = self.term(left), self.term(right)
                unknown = either(left_term.unknown, right_term.unknown)
                if sign in ("=", "<>"):
                    equals = equal(left_term, right_term)
                    return Term(equals if sign == "=" else negated(equals), unknown)
                return Term(_COMPARE[sign](left_term.value, right_term.value), unknown)
            case In(part, options):
                inner = self.term(part)
                is_option = either(*(equal(inner, self.term(option)) for option in options))
                return Term(is_option, inner.unknown)
            case IsNull(part):
                return Term(self.term(part).unknown)
            case Not(part):
                inner = self.term(part)
                return Term(negated(inner.value), inner.unknown)
            case And(parts):
                return _all(self.term(part) for part in parts)
            case Or(parts):
                all_false = _all(_not(self.term(part)) for part in parts)
                return _not(all_false)

    def _arithmetic(self, operator: Operator, left: Term, right: Term, kind: Kind) -> Term:
        left_value, right_value = left.value, right.value
        unknown = either(left.unknown, right.unknown)
        if kind is Kind.NUMBER:
            operation = {"+": z3.fpAdd, "-": z3.fpSub, "*": z3.fpMul, "/": z3.fpDiv}[operator]
            if operator == "/":
                unknown = either(unknown, z3.fpIsZero(right_value))
            return Term(operation(_NEAREST, left_value, right_value), unknown)
        match operator:
            case "+":
                return Term(left_value + right_value, unknown)
            case "-":
                return Term(left_value - right_value, unknown)
            case "*" if kind is Kind.INTEGER:
                return Term(left_value * right_value, unknown)
            case "*":
                return Term(_rounded_quotient(left_value * right_value, z3.IntVal(ONE)), unknown)
        return Term(
            _rounded_quotient(left_value * ONE, right_value), either(unknown, right_value == 0)
        )

    def _call(self, function: str, arguments: Sequence[Node]) -> Term:
        first_term, *other_terms = terms = [self.term(argument) for argument in arguments]
        kind = arguments[0].kind
        unknown = either(*(term.unknown for term in terms))
        match function:
            case "coalesce":
                return reduce(
                    lambda later, earlier: chosen(earlier.unknown, later, earlier), reversed(terms)
                )
            case "nullif":
                return Term(
                    first_term.value, either(first_term.unknown, equal(first_term, other_terms[0]))
                )
            case "least" | "greatest":
                is_below = _COMPARE["<=" if function == "least" else ">="]
                values = [term.value for term in terms]
                return Term(
                    reduce(
                        lambda smaller, larger: z3.If(is_below(smaller, larger), smaller, larger),
                        values,
                    ),
                    unknown,
                )
            case "abs":
                value = (
                    z3.fpAbs(first_term.value) if kind is Kind.NUMBER else _size(first_term.value)
                )
                return Term(value, unknown)
            case "round":
                assert isinstance(arguments[1], Literal) and isinstance(arguments[1].value, int)
                return Term(_round(first_term.value, kind, arguments[1].value), unknown)
            case "floor" | "ceil":
                return Term(_whole(first_term.value, kind, up=function == "ceil"), unknown)
            case "days_between":
                return Term(other_terms[0].value - first_term.value, unknown)
            case "add_days":
                return Term(first_term.value + other_terms[0].value, unknown)
            case "day_of_week":  # 1970-01-01 was a Thursday
                return Term((first_term.value + 3) % 7 + 1, unknown)
        position = ("year", "month", "day_of_month").index(function)
        return Term(_civil(first_term.value)[position], unknown)


def _not(term: Term) -> Term:
    return Term(negated(term.value), term.unknown)


def _all(parts: Iterable[Term]) -> Term:
    """SQL's `and`: false if one is false, else unknown if one is unknown, else true."""
    terms = list(parts)
    all_true = both(*(term.value for term in terms))
    any_unknown = either(*(term.unknown for term in terms))
    if z3.is_false(any_unknown):
        return Term(all_true)
    any_false = either(*(term.false for term in terms))
    # Where nothing is unknown the value is right; where something is false it must be false.
    return Term(both(all_true, negated(any_false)), both(any_unknown, negated(any_false)))


def _nothing(kind: Kind) -> Any:
    """Any value of a kind, to stand beside `unknown`."""
    if kind is Kind.BOOLEAN:
        return _FALSE
    return _double(0.0) if kind is Kind.NUMBER else z3.IntVal(0)


def _double(value: float) -> Any:
    return z3.FPVal(value, _DOUBLE)


def _as_float(numeral: Any) -> float:
    """The float of a numeral of z3's; a fact is never infinite, and never not a number."""
    return float(z3.simplify(z3.fpToReal(numeral)).as_fraction())


def _cast(value: Any, before: Kind, after: Kind) -> Any:
    if after is Kind.DECIMAL:
        return value * ONE
    whole = z3.ToReal(value)
    return z3.fpToFP(_NEAREST, whole if before is Kind.INTEGER else whole / ONE, _DOUBLE)


def _size(value: Any) -> Any:
    return z3.If(value >= 0, value, -value)


def _rounded_quotient(above: Any, below: Any) -> Any:
    """above / below as a whole number, a half away from zero."""
    if z3.is_int_value(below):
        dividend_size = abs(below.as_long()) or 1
        signed = above if below.as_long() > 0 else -above
        return z3.If(
            signed >= 0,
            (2 * signed + dividend_size) / (2 * dividend_size),
            -((dividend_size - 2 * signed) / (2 * dividend_size)),
        )
    dividend_size, divisor_size = _size(above), _size(below)
    result = (2 * dividend_size + divisor_size) / (2 * divisor_size)
    return z3.If((above >= 0) == (below > 0), result, -result)


def _round(value: Any, kind: Kind, digits: int) -> Any:
    if kind is Kind.NUMBER:
        scale = _double(10.0**digits)
        scaled = z3.fpMul(_NEAREST, value, scale)
        rounded = z3.fpDiv(_NEAREST, z3.fpRoundToIntegral(z3.RNA(), scaled), scale)
        # Too large to be scaled is too large to have decimals.
        return z3.If(either(z3.fpIsInf(scaled), z3.fpIsNaN(scaled)), value, rounded)
    step = 10 ** (6 - digits)
    return _rounded_quotient(value, z3.IntVal(step)) * step


def _whole(value: Any, kind: Kind, *, up: bool) -> Any:
    if kind is Kind.NUMBER:
        return z3.fpRoundToIntegral(z3.RTP() if up else z3.RTN(), value)
    # Division here is towards minus infinity: the divisor is positive.
    return -((-value) / ONE) if up else value / ONE


def _civil(day: Any) -> tuple[Any, Any, Any]:
    """(year, month, day of the month) of days since 1970-01-01. Eras are of 400 years, and years
    begin in March, so that a leap day is a year's last."""
    shifted = day + 719_468
    era = shifted / 146_097
    day_of_era = shifted - era * 146_097
    year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365
    day_of_year = day_of_era - (365 * year + year / 4 - year / 100)
    month = (5 * day_of_year + 2) / 153
    day_of_month = day_of_year - (153 * month + 2) / 5 + 1
    civil_month = z3.If(month < 10, month + 3, month - 9)
    civil_year = year + era * 400 + z3.If(civil_month <= 2, z3.IntVal(1), z3.IntVal(0))
    return civil_year, civil_month, day_of_month
