"""Forms as text that a person reads: short ones on one line, long ones on several."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from riskseg.expressions.dialects.dialect import Dialect
from riskseg.expressions.dialects.forms import (
    Between,
    Calculation,
    Case,
    Column,
    Compare,
    Form,
    In,
    IsNull,
    Joined,
    Not,
    Spelled,
    Text,
    UnknownFormError,
    Value,
)

WIDTH = 92
_STEP = 4
# How closely signs bind, from loose to tight.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _TIGHT = range(7)
_BINDS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}
_PLACE = re.compile(r"\{(\d+)\}|\{\{|\}\}")


class Writer:
    """Writes forms for a database; `column` gives the SQL that stands for a column, without it the
    name itself."""

    def __init__(self, dialect: Dialect, column: Callable[[str], str] | None = None) -> None:
        self.dialect = dialect
        self._column = column or dialect.quoted
        # By identity, together with the form, which keeps it from being made anew.
        self._lines: dict[int, tuple[Form, str]] = {}
        self._spelled: dict[int, tuple[Form, Form]] = {}

    def text(self, form: Form, indent: int = 0) -> str:
        """The form, whose first line begins at a column `indent` of the text or after it."""
        line = self.line(form)
        return line if len(line) + indent <= WIDTH else self._broken(self._own(form), indent)

    def line(self, form: Form) -> str:
        """The form on one line."""
        if (known := self._lines.get(id(form))) is None:
            known = self._lines[id(form)] = (form, self._on_one_line(self._own(form)))
        return known[1]

    def _own(self, form: Form) -> Form:
        """The form as the database spells it."""
        if (known := self._spelled.get(id(form))) is None:
            spelled = self.dialect.spelled(form)
            known = self._spelled[id(form)] = (form, form if spelled is None else spelled)
        return known[1]

    def _binding(self, form: Form) -> int:
        match self._own(form):
            case Joined(word):
                return _BINDS[word]
            case Not():
                return _NOT
            case Compare() | Between() | In() | IsNull():
                return _COMPARISON
            case Calculation(operator):
                return _BINDS[operator]
            case Text() as text if len(text.parts) > 1:
                return _COMPARISON
            case Spelled(sign=str() as sign):
                return _BINDS[sign]
            case Value(int() | float() | Decimal() as number) if number < 0:
                return _SUM
            case _:
                return _TIGHT

    def _part(self, form: Form, above: int) -> str:
        """A part on one line, in parentheses where it binds no closer than what is around it."""
        line = self.line(form)
        return line if self._is_apart(form, above) else f"({line})"

    def _is_apart(self, form: Form, above: int) -> bool:
        """Whether a part needs no parentheses. Nobody need know that `and` comes before `or`."""
        binds = self._binding(form)
        return binds > above and (above, binds) != (_OR, _AND)

    def _on_one_line(self, form: Form) -> str:
        match form:
            case Value():
                return self.dialect.literal(form)
            case Column(name):
                return self._column(name)
            case Calculation(operator, left, right):
                binds = _BINDS[operator]
                return f"{self._part(left, binds - 1)} {operator} {self._part(right, binds)}"
            case Compare(operator, left, right):
                sides = self._part(left, _COMPARISON), self._part(right, _COMPARISON)
                return f"{sides[0]} {operator} {sides[1]}"
            case Between(part, low, high):
                ends = [self._part(end, _COMPARISON) for end in (low, high)]
                return f"{self._part(part, _COMPARISON)} between {ends[0]} and {ends[1]}"
            case In(part, options):
                return f"{self._part(part, _COMPARISON)} in ({', '.join(map(self.line, options))})"
            case IsNull(part):
                return f"{self._part(part, _COMPARISON)} is null"
            case Not(IsNull(part)):
                return f"{self._part(part, _COMPARISON)} is not null"
            case Not(In(part, options)):
                listed = ", ".join(map(self.line, options))
                return f"{self._part(part, _COMPARISON)} not in ({listed})"
            case Not(part):
                return f"not {self._part(part, _COMPARISON)}"
            case Joined(word, parts):
                return f" {word} ".join(self._part(part, _BINDS[word]) for part in parts)
            case Case(branches, otherwise):
                arms = " ".join(f"when {self.line(w)} then {self.line(t)}" for w, t in branches)
                return f"case {arms}{self._else(otherwise)} end"
            case Text(parts):
                return " || ".join(self._part(part, _COMPARISON) for part in parts) or "''"
            case Spelled(template, parts, sign):
                above = None if sign is None else _BINDS[sign]
                texts = [self.line(p) if above is None else self._part(p, above) for p in parts]
                return _filled(template, texts)
        raise UnknownFormError(type(form).__name__)

    def _else(self, otherwise: Form) -> str:
        is_null = isinstance(otherwise, Value) and otherwise.value is None
        return "" if is_null else f" else {self.line(otherwise)}"

    def _broken(self, form: Form, indent: int) -> str:
        """The form over several lines."""
        further = indent + _STEP
        here, there = "\n" + " " * indent, "\n" + " " * further
        match form:
            case Case(branches, otherwise):
                lines = [self._arm(when, then, further) for when, then in branches]
                is_null = isinstance(otherwise, Value) and otherwise.value is None
                lines += [] if is_null else [self._last_arm(otherwise, further)]
                return f"case{there}{there.join(lines)}{here}end"
            case Joined(word, parts):
                texts = [self._broken_part(part, _BINDS[word], indent) for part in parts]
                return f"{here}{word} ".join(texts)
            case Not(part):
                return f"not ({there}{self.text(part, further)}{here})"
            case Text(parts):
                texts = [self._broken_part(part, _COMPARISON, indent + 3) for part in parts]
                return f"{here}|| ".join(texts)
            case Spelled(template, parts, sign):
                if sign is not None or not parts:
                    above = _BINDS[sign or "/"]
                    return _filled(template, [self._broken_part(p, above, further) for p in parts])
                texts = [there + self.text(part, further) for part in parts]
                filled = _filled(template, texts).replace(", \n", ",\n")
                return f"{filled[:-1]}{here})" if filled.endswith(")") else filled
            case _:
                return self._on_one_line(form)

    def _broken_part(self, part: Form, above: int, indent: int) -> str:
        if self._is_apart(part, above):
            return self.text(part, indent)
        further = indent + _STEP
        line = f"({self.line(part)})"
        if len(line) + indent <= WIDTH:
            return line
        there, here = "\n" + " " * further, "\n" + " " * indent
        return f"({there}{self.text(part, further)}{here})"

    def _last_arm(self, otherwise: Form, indent: int) -> str:
        line = f"else {self.line(otherwise)}"
        if len(line) + indent <= WIDTH:
            return line
        further = indent + _STEP
        return f"else\n{' ' * further}{self.text(otherwise, further)}"

    def _arm(self, when: Form, then: Form, indent: int) -> str:
        line = f"when {self.line(when)} then {self.line(then)}"
        if len(line) + indent <= WIDTH:
            return line
        further = indent + _STEP
        here, there = "\n" + " " * indent, "\n" + " " * further
        condition = f"when {self.line(when)} then"
        if len(condition) + indent > WIDTH:
            condition = f"when{there}{self.text(when, further)}{here}then"
        return f"{condition}{there}{self.text(then, further)}"


def _filled(template: str, texts: list[str]) -> str:
    def place(match: re.Match[str]) -> str:
        return texts[int(match[1])] if match[1] else match[0][0]

    return _PLACE.sub(place, template)
