"""Forms made as plain as they can be: what is known without an account is worked out, and branches
that give the same are one. A person reads the result."""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from riskseg.expressions.dialects.forms import (
    BOOLEAN,
    INTEGER,
    NULL,
    TEXT,
    Calculation,
    Call,
    Case,
    Compare,
    Comparison,
    Convert,
    Form,
    In,
    IsNull,
    Joined,
    Name,
    Not,
    Operator,
    SqlType,
    Text,
    Value,
    common,
    least,
)

TRUE, FALSE = Value(True, BOOLEAN), Value(False, BOOLEAN)
_COMPARED: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    "=": op.eq,
    "<>": op.ne,
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
}
_OPPOSITE: Mapping[Comparison, Comparison] = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
}


def is_unknown(form: Form) -> bool:
    """Whether a form is an unknown, as written."""
    return isinstance(form, Value) and form.value is None


def _number(form: Form) -> int | None:
    """The whole number that a form is, as written."""
    if isinstance(form, Value) and form.type is INTEGER and isinstance(form.value, int):
        return form.value
    return None


def joined(word: Literal["and", "or"], parts: Iterable[Form]) -> Form:
    """Conditions joined by a word."""
    decides, says_nothing = (FALSE, TRUE) if word == "and" else (TRUE, FALSE)
    kept: list[Form] = []
    for part in parts:
        inner = part.parts if isinstance(part, Joined) and part.word == word else (part,)
        kept += [form for form in inner if form != says_nothing and form not in kept]
    if decides in kept:
        return decides
    return Joined(word, tuple(kept)) if len(kept) > 1 else kept[0] if kept else says_nothing


def opposite(part: Form) -> Form:
    """That a condition does not hold: unknown where it is."""
    match part:
        case Value(bool() as known):
            return FALSE if known else TRUE
        case Not(inner):
            return inner
        case Compare(operator, left, right):
            return Compare(_OPPOSITE[operator], left, right)
        case _:
            return Not(part)


def compared(operator: Comparison, left: Form, right: Form) -> Form:
    """A comparison."""
    one, other = _number(left), _number(right)
    if one is not None and other is not None:
        return TRUE if _COMPARED[operator](one, other) else FALSE
    if other is not None and operator == ">=" and not left.nullable:
        lowest = least(left)
        if lowest is not None and lowest >= other:
            return TRUE
    return Compare(operator, left, right)


def one_of(part: Form, options: tuple[Form, ...]) -> Form:
    """That a value is one of several."""
    return In(part, options) if len(options) > 1 else compared("=", part, options[0])


def negative(number: Form) -> Form:
    known = _number(number)
    if known is not None:
        return Value(-known, INTEGER)
    return Calculation("-", Value(0, INTEGER), number, number.type)


def calculated(operator: Operator, left: Form, right: Form, type_: SqlType) -> Form:
    """A calculation with numbers."""
    one, other = _number(left), _number(right)
    if one is not None and other is not None and operator != "/":
        results = {"+": one + other, "-": one - other, "*": one * other}
        return Value(results[operator], INTEGER)
    if other is not None and operator in ("+", "-"):
        if other == 0 and left.type is INTEGER:
            return left
        if other < 0:
            return Calculation("-" if operator == "+" else "+", left, Value(-other, INTEGER), type_)
    if one == 0 and operator == "+" and right.type is INTEGER:
        return right
    if (one == 1 or other == 1) and operator == "*" and type_ is INTEGER:
        return right if one == 1 else left
    return Calculation(operator, left, right, type_)


def text_of(parts: Sequence[Form]) -> Form:
    """Texts, one after the other."""
    texts: list[Form] = []
    for part in parts:
        if isinstance(part, Value) and part.value is not None:
            if texts and isinstance(texts[-1], Value):
                texts[-1] = Value(f"{texts[-1].value}{part.value}", TEXT)
                continue
            part = Value(str(part.value), TEXT)
        texts.append(part if part.type is TEXT else Convert(part, TEXT))
    return texts[0] if len(texts) == 1 else Text(tuple(texts))


def call(function: Name, arguments: tuple[Form, ...], type_: SqlType) -> Form:
    """A function of forms."""
    if function in ("coalesce", "greatest", "least"):
        arguments = tuple(a for a in arguments if not is_unknown(a))
        if function == "coalesce":
            for number, argument in enumerate(arguments, start=1):
                if not argument.nullable:
                    arguments = arguments[:number]
                    break
        if not arguments:
            return Value(None, type_)
        if len(arguments) == 1:
            return arguments[0]
        if function != "coalesce":
            known = [whole for a in arguments if (whole := _number(a)) is not None]
            if len(known) == len(arguments):
                return Value(max(known) if function == "greatest" else min(known), INTEGER)
    return Call(function, arguments, type_)


def case(branches: Iterable[tuple[Form, Form]], otherwise: Form) -> Form:
    """The value of the first branch whose condition is true."""
    kept: list[tuple[Form, Form]] = []
    for condition, value in branches:
        if condition == FALSE or is_unknown(condition):
            continue
        if isinstance(condition, Compare) and condition == Compare(
            "=", condition.left, condition.left
        ):
            condition = opposite(IsNull(condition.left))  # what is unknown is equal to nothing
        if condition == TRUE:
            otherwise = value
            break
        kept.append((condition, value))
    if isinstance(otherwise, Case):
        kept, otherwise = [*kept, *otherwise.branches], otherwise.otherwise
    kept = _alike_together(kept, otherwise)
    while kept and kept[-1][1] == otherwise:
        kept.pop()
    if not kept:
        return otherwise
    if not all(is_unknown(value) for value in (*(value for _, value in kept), otherwise)):
        kept = [(condition, _plain(value)) for condition, value in kept]
        otherwise = _plain(otherwise)
    type_ = common(value.type for value in (*(value for _, value in kept), otherwise))
    if kept == [(kept[0][0], TRUE)] and otherwise == FALSE and not kept[0][0].nullable:
        return kept[0][0]
    return Case(tuple(kept), otherwise, type_)


def _plain(value: Form) -> Form:
    """An unknown needs no type of its own beside values that have one."""
    return Value(None, NULL) if is_unknown(value) else value


def _alike_together(branches: list[tuple[Form, Form]], otherwise: Form) -> list[tuple[Form, Form]]:
    """Branches that ask for values of one thing, those of the same result together."""
    asked = [_asks(condition) for condition, _ in branches]
    subjects = {subject for subject, _ in filter(None, asked)}
    if len(branches) < 2 or None in asked or len(subjects) != 1:
        return _neighbours_together(branches)
    seen: set[Form] = set()
    options_by_value: dict[Form, list[Form]] = {}
    for question, (_, value) in zip(asked, branches, strict=True):
        assert question is not None
        fresh = [option for option in question[1] if option not in seen]
        seen.update(fresh)
        options_by_value.setdefault(value, []).extend(fresh)
    (subject,) = subjects
    return [
        (one_of(subject, tuple(options)), value)
        for value, options in options_by_value.items()
        if options and not (value == otherwise or (is_unknown(value) and is_unknown(otherwise)))
    ]


def _neighbours_together(branches: list[tuple[Form, Form]]) -> list[tuple[Form, Form]]:
    together: list[tuple[Form, Form]] = []
    for condition, value in branches:
        if together and together[-1][1] == value:
            together[-1] = (joined("or", [together[-1][0], condition]), value)
        else:
            together.append((condition, value))
    return together


def _asks(condition: Form) -> tuple[Form, tuple[Form, ...]] | None:
    """What a condition asks for, and of which plain values."""
    match condition:
        case Compare("=", subject, Value() as value) if value.value is not None:
            return subject, (value,)
        case In(subject, options) if all(isinstance(o, Value) for o in options):
            return subject, options
        case _:
            return None
