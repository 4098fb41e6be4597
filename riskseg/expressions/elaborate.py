"""From sqlglot's tree to ours: names looked up, kinds settled, everything else refused.

What is listed in :meth:`Elaborator.part` is the language. Whatever else a statement of SQL can
hold is a Problem that names it. A part that fails is None and its neighbours are still read, so
that all Problems of an expression come together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlglot import exp

from riskseg.domain.facts import Kind, folded
from riskseg.domain.problems import did_you_mean
from riskseg.expressions.functions import FUNCTIONS, NUMERIC, Function
from riskseg.expressions.outside import INSTEAD, LANGUAGE, OUTSIDE
from riskseg.expressions.reading import Tell, shown
from riskseg.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Case,
    Compare,
    Comparison,
    In,
    IsNull,
    Literal,
    Name,
    Node,
    Not,
    Operator,
    Or,
)
from riskseg.expressions.typed import (
    NULL,
    NUMERIC_ORDER,
    Scope,
    Typed,
    condition_hint,
    converted,
    go_together,
    is_digits,
    levels_of,
    sort_of,
    words_of,
)

_COMPARISONS: Mapping[type[exp.Expr], Comparison] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_OPERATORS: Mapping[type[exp.Expr], Operator] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
# `between` and `case x when` repeat a part; nested in each other they would grow without end.
_MOST_PARTS = 10_000


class Elaborator:
    """One expression's passage. `names` gathers the facts it names."""

    def __init__(self, scope: Scope, tell: Tell) -> None:
        self._scope = scope
        self._tell = tell
        self._left = _MOST_PARTS
        self.names: set[str] = set()

    # -- the whitelist -------------------------------------------------------------------------

    def part(self, source: exp.Expr) -> Typed | None:
        """The typed node for a parsed part, or None after a Problem."""
        self._left -= 1
        if self._left < 0:
            self._tell("RS302", "The expression is too large.", "Split it over several rows.")
            return None
        source = source.unnest()
        match source:
            case exp.Literal(is_string=True):
                return Typed(Literal(source.this, Kind.TEXT), Kind.TEXT, (source.this,))
            case exp.Literal():
                return self._number(source)
            case exp.Boolean():
                return Typed(Literal(bool(source.this), Kind.BOOLEAN), Kind.BOOLEAN)
            case exp.Null():
                return NULL
            case exp.Column(this=exp.Identifier()):
                return self._name(source)
            case exp.And() | exp.Or():
                return self._connected(source)
            case exp.Not():
                inner = self._condition(source.this)
                return None if inner is None else Typed(Not(inner), Kind.BOOLEAN)
            case exp.Neg():
                return self._negative(source)
            case exp.Is():
                return self._is(source)
            case exp.In():
                return self._in(source)
            case exp.Between():
                return self._between(source)
            case exp.Case():
                return self._case(source)
            case exp.Anonymous():
                return self._call(source)
            case exp.Cast() if type(source) is exp.Cast and source.to.is_type("date"):
                return self._date(source)
        if operator := _OPERATORS.get(type(source)):
            left, right = self.part(source.this), self.part(source.expression)
            return left and right and self._arithmetic(operator, left, right)
        if comparison := _COMPARISONS.get(type(source)):
            left, right = self.part(source.this), self.part(source.expression)
            return left and right and self._compare(comparison, left, right)
        self._outside(source)
        return None

    def _outside(self, source: exp.Expr) -> None:
        text = shown(source.sql(dialect="duckdb", normalize_functions=False))
        unknown = f"`{source.key}`", LANGUAGE
        words, hint = OUTSIDE.get(type(source), unknown)
        self._tell("RS302", f"{text}: {words} is not part of the language.", hint)

    # -- names and values ----------------------------------------------------------------------

    def _name(self, source: exp.Column) -> Typed | None:
        if any(value for key, value in source.args.items() if key != "this"):
            whole = shown(source.sql(dialect="duckdb"))
            self._tell("RS302", f"{whole}: a name with a dot is not part of the language.", "")
            return None
        name = source.name
        if name not in self._scope:
            same = (known for known in self._scope if folded(known) == folded(name))
            name = next(same, name)
        fact = self._scope.get(name)
        if fact is None:
            self._tell("RS303", f'"{name}" is not known here.', did_you_mean(name, self._scope))
            return None
        self.names.add(name)
        levels = fact.levels if fact.kind is Kind.LEVEL else None
        return Typed(Name(name, fact.kind), fact.kind, levels)

    def _number(self, source: exp.Literal) -> Typed | None:
        text = str(source.this)
        found = re.fullmatch(r"(\d*)(?:\.(\d*))?", text)
        if not found or len(found[1].lstrip("0")) > 18 or len((found[2] or "").rstrip("0")) > 6:
            self._tell(
                "RS302",
                f"{text} is not a number the language can hold exactly.",
                "Write at most 18 digits, then at most 6 decimals, without an exponent.",
            )
            return None
        if found[2] is None:
            return Typed(Literal(int(text), Kind.INTEGER), Kind.INTEGER)
        return Typed(Literal(Decimal(text), Kind.DECIMAL), Kind.DECIMAL)

    def _date(self, source: exp.Cast) -> Typed | None:
        inner = source.this
        if not (isinstance(inner, exp.Literal) and inner.is_string):
            self._outside(source)
            return None
        value = Typed(Literal(inner.this, Kind.TEXT), Kind.TEXT).iso_date
        if value is None:
            self._no_date(inner.this)
            return None
        return Typed(Literal(value, Kind.DATE), Kind.DATE)

    def _no_date(self, text: str) -> None:
        self._tell("RS304", f"'{text}' is not a date.", "Write it as '2026-01-31'.")

    # -- conditions ----------------------------------------------------------------------------

    def _condition(self, source: exp.Expr) -> Node | None:
        """A part that must be true, false or unknown."""
        typed = self.part(source)
        if typed is None:
            return None
        if typed.kind is not Kind.BOOLEAN:
            self._tell(
                "RS304", f"{words_of(typed)} cannot be true or false.", condition_hint(typed)
            )
            return None
        return typed.node

    def _connected(self, source: exp.And | exp.Or) -> Typed | None:
        parts = [self._condition(part) for part in source.flatten()]
        sure = tuple(part for part in parts if part is not None)
        if len(sure) < len(parts):
            return None
        return Typed(And(sure) if isinstance(source, exp.And) else Or(sure), Kind.BOOLEAN)

    def _is(self, source: exp.Is) -> Typed | None:
        asked = source.expression
        if isinstance(asked, exp.Null):
            typed = self._known_kind(self.part(source.this))
            return typed and Typed(IsNull(typed.node), Kind.BOOLEAN)
        if not isinstance(asked, exp.Boolean):
            self._outside(source)
            return None
        inner = self._condition(source.this)
        if inner is None:
            return None
        # `x is true` is x with unknown taken as false; `x is false` is its mirror.
        wanted = bool(asked.this)
        settled = Call("coalesce", (inner, Literal(not wanted, Kind.BOOLEAN)), Kind.BOOLEAN)
        return Typed(settled if wanted else Not(settled), Kind.BOOLEAN)

    def _compare(self, operator: Comparison, left: Typed, right: Typed) -> Typed | None:
        for one, other in ((left, right), (right, left)):
            if one.kind is None:
                self._tell(
                    "RS305",
                    f"A comparison of {words_of(other)} with null is always unknown.",
                    "Write `is null` or `is not null`.",
                )
                return None
        both = self._alike([left, right], f"`{operator}`")
        if both is None:
            return None
        kind, (a, b) = both
        if kind in (Kind.BOOLEAN, Kind.TEXT):
            if operator not in ("=", "<>"):
                self._tell(
                    "RS304",
                    f"{words_of(left)} and {words_of(right)} have no order for `{operator}`.",
                    "Use `=`, `<>` or `in (…)`.",
                )
                return None
            self._check_levels(left, right)
        return Typed(Compare(operator, a.node, b.node), Kind.BOOLEAN)

    def _between(self, source: exp.Between) -> Typed | None:
        if source.args.get("symmetric"):
            self._outside(source)
            return None
        low, high = self.part(source.args["low"]), self.part(source.args["high"])
        # Read twice, because it stands twice in what it becomes: so it counts twice.
        part, again = self.part(source.this), self.part(source.this)
        if part is None or again is None or low is None or high is None:
            return None
        above, below = self._compare(">=", part, low), self._compare("<=", again, high)
        return above and below and Typed(And((above.node, below.node)), Kind.BOOLEAN)

    def _in(self, source: exp.In) -> Typed | None:
        part = self._known_kind(self.part(source.this))
        options = source.expressions
        if not options or any(source.args.get(key) for key in ("query", "unnest", "field")):
            self._tell(
                "RS302",
                f"{shown(source.sql(dialect='duckdb'))}: `in` takes a list of values.",
                "Write them out: `in ('a', 'b')`.",
            )
            return None
        typed = [self.part(option) for option in options]
        if part is None or any(option is None for option in typed):
            return None
        listed = [option for option in typed if option is not None]
        for option in listed:
            if option.kind is None:
                self._tell(
                    "RS305",
                    f"The null in the list for {words_of(part)} matches nothing.",
                    "Leave it out and add `or … is null`.",
                )
                return None
            if not isinstance(option.node, Literal):
                self._tell(
                    "RS302",
                    f"{words_of(option)} is no plain value, and `in` takes only those.",
                    "Write `=` and `or` for it.",
                )
                return None
        alike = self._alike([part, *listed], "`in`")
        if alike is None:
            return None
        for option in listed:
            self._check_levels(part, option)
        first, *rest = alike[1]
        literals = tuple(each.node for each in rest if isinstance(each.node, Literal))
        return Typed(In(first.node, literals), Kind.BOOLEAN)

    def _check_levels(self, left: Typed, right: Typed) -> None:
        """RS307 where two texts can never be equal."""
        if left.levels is None or right.levels is None or {*left.levels} & {*right.levels}:
            return
        if isinstance(left.node, Literal):
            left, right = right, left
        if isinstance(right.node, Literal) and not isinstance(left.node, Literal):
            wrong, known = str(right.node.value), left.levels or ()
            self._tell("RS307", f"{words_of(left)} is never '{wrong}'.", did_you_mean(wrong, known))
        else:
            self._tell(
                "RS307", f"{words_of(left)} and {words_of(right)} have no text in common.", ""
            )

    # -- values --------------------------------------------------------------------------------

    def _case(self, source: exp.Case) -> Typed | None:
        conditions: list[Node | None] = []
        values: list[Typed | None] = []
        for branch in source.args["ifs"]:
            if source.this is None:
                conditions.append(self._condition(branch.this))
            else:
                part, value = self.part(source.this), self.part(branch.this)
                same = part and value and self._compare("=", part, value)
                conditions.append(same.node if same else None)
            values.append(self.part(branch.args["true"]))
        default = source.args.get("default")
        values.append(NULL if default is None else self.part(default))
        tests = [condition for condition in conditions if condition is not None]
        results = [value for value in values if value is not None]
        if len(tests) < len(conditions) or len(results) < len(values):
            return None
        alike = self._alike(results, "the branches of `case`")
        if alike is None:
            return None
        kind, parts = alike
        *branches, otherwise = [each.node for each in parts]
        case = Case(tuple(zip(tests, branches, strict=True)), otherwise, kind)
        return Typed(case, kind, levels_of(parts))

    def _negative(self, source: exp.Neg) -> Typed | None:
        typed = self.part(source.this)
        if typed is None:
            return None
        match typed.node:
            case Literal(int() | Decimal() as value, kind) if kind.is_numeric:
                return Typed(Literal(-value, kind), kind)
        return self._arithmetic("-", Typed(Literal(0, Kind.INTEGER), Kind.INTEGER), typed)

    def _arithmetic(self, operator: Operator, left: Typed, right: Typed) -> Typed | None:
        for side in (left, right):
            if self._known_kind(side) is None:
                return None
        if Kind.DATE in (left.kind, right.kind) and operator in ("+", "-"):
            return self._date_arithmetic(operator, left, right)
        for side in (left, right):
            if side.kind not in NUMERIC:
                self._tell("RS304", f"{words_of(side)} cannot be part of `{operator}`.", "")
                return None
        kind = max(left.node.kind, right.node.kind, key=NUMERIC_ORDER.index)
        if operator == "/" and kind is Kind.INTEGER:
            kind = Kind.DECIMAL
        node = Arithmetic(operator, converted(kind, left.node), converted(kind, right.node), kind)
        return Typed(node, kind)

    def _date_arithmetic(self, operator: Operator, left: Typed, right: Typed) -> Typed | None:
        match operator, left.kind, right.kind:
            case "-", _, _ if (days := self._dates(left, right)) is not None:
                a, b = days
                node = Call("days_between", (b, a), Kind.INTEGER)
                return Typed(node, Kind.INTEGER)
            case "+", Kind.INTEGER, Kind.DATE:
                return self._date_arithmetic("+", right, left)
            case _, Kind.DATE, Kind.INTEGER:
                days_on = right.node
                if operator == "-":
                    zero = Literal(0, Kind.INTEGER)
                    days_on = (
                        Literal(-days_on.value, Kind.INTEGER)
                        if isinstance(days_on, Literal) and isinstance(days_on.value, int)
                        else Arithmetic("-", zero, days_on, Kind.INTEGER)
                    )
                return Typed(Call("add_days", (left.node, days_on), Kind.DATE), Kind.DATE)
        self._tell(
            "RS304",
            f"{words_of(left)} and {words_of(right)} do not go together with `{operator}`.",
            "To a date, add or subtract a whole number of days.",
        )
        return None

    def _dates(self, left: Typed, right: Typed) -> tuple[Node, Node] | None:
        """Both as dates, if each is one or spells one."""
        if all(side.kind is Kind.DATE or side.iso_date for side in (left, right)):
            return converted(Kind.DATE, left.node), converted(Kind.DATE, right.node)
        return None

    def _call(self, source: exp.Anonymous) -> Typed | None:
        name = str(source.this).lower()
        function = FUNCTIONS.get(name)
        if function is None:
            self._tell(
                "RS302",
                f"The function `{name}` is not part of the language.",
                INSTEAD.get(name) or did_you_mean(name, FUNCTIONS),
            )
            return None
        given = [self.part(argument) for argument in source.expressions]
        arguments = [argument for argument in given if argument is not None]
        if len(arguments) < len(given):
            return None
        count = len(arguments)
        if count < 2 if function.any_number else count != len(function.takes):
            self._tell("RS304", f"`{name}` does not take {count}.", f"Write `{function.usage}`.")
            return None
        if function.any_number:
            return self._call_alike(name, function, arguments)
        if name == "nullif":
            return self._nullif(*arguments)
        arguments = [
            Typed(converted(Kind.DATE, argument.node), Kind.DATE)
            if argument.iso_date and Kind.DATE in kinds
            else argument
            for argument, kinds in zip(arguments, function.takes, strict=True)
        ]
        for argument, kinds in zip(arguments, function.takes, strict=True):
            if self._known_kind(argument) is None:
                return None
            if argument.kind not in kinds:
                self._unfit(argument, function)
                return None
        first, *others = arguments
        if name == "round" and not is_digits(others[0].node):
            self._tell(
                "RS302",
                f"{words_of(others[0])} is no number of digits.",
                "Write a whole number from 0 to 6.",
            )
            return None
        if name in ("round", "floor", "ceil") and first.kind is Kind.INTEGER:
            return first
        kind = function.gives.get(first.node.kind, first.node.kind)
        return Typed(Call(name, tuple(each.node for each in arguments), kind), kind)

    def _call_alike(
        self, name: str, function: Function, arguments: Sequence[Typed]
    ) -> Typed | None:
        alike = self._alike(arguments, f"`{name}`")
        if alike is None:
            return None
        kind, parts = alike
        if kind not in function.takes[0]:
            self._unfit(arguments[0], function)
            return None
        node = Call(name, tuple(each.node for each in parts), kind)
        return Typed(node, kind, levels_of(parts))

    def _nullif(self, part: Typed, value: Typed) -> Typed | None:
        if self._known_kind(part) is None or self._known_kind(value) is None:
            return None
        alike = self._alike([part, value], "`nullif`")
        if alike is None:
            return None
        kind, (first, second) = alike
        if not isinstance(second.node, Literal):
            self._tell(
                "RS302",
                f"{words_of(value)} is no plain value.",
                f"Write `{FUNCTIONS['nullif'].usage}`.",
            )
            return None
        self._check_levels(part, value)
        return Typed(Call("nullif", (first.node, second.node), kind), kind, part.levels)

    def _unfit(self, argument: Typed, function: Function) -> None:
        self._tell("RS304", f"{words_of(argument)} does not fit.", f"Write `{function.usage}`.")

    # -- kinds ---------------------------------------------------------------------------------

    def _known_kind(self, typed: Typed | None) -> Typed | None:
        if typed is not None and typed.kind is None:
            self._tell(
                "RS305", "A bare null here makes the result always unknown.", "Leave it out."
            )
            return None
        return typed

    def _alike(self, parts: Sequence[Typed], where: str) -> tuple[Kind, list[Typed]] | None:
        """The parts brought to one kind, and that kind; or None after a Problem."""
        kinds = {sort_of(part.kind) for part in parts if part.kind is not None}
        if not kinds:
            self._tell("RS304", f"Nothing but null in {where}.", "Put in a value.")
            return None
        if kinds <= NUMERIC:
            kind = max(kinds, key=NUMERIC_ORDER.index)
        elif len(kinds) == 1:
            (kind,) = kinds
        elif kinds == {Kind.DATE, Kind.TEXT}:
            kind = Kind.DATE
            for part in parts:
                if part.kind is Kind.DATE or part.kind is None or part.iso_date:
                    continue
                if isinstance(part.node, Literal):
                    self._no_date(str(part.node.value))
                else:
                    self._clash(parts, where)
                return None
        else:
            self._clash(parts, where)
            return None
        alike = [
            Typed(converted(kind, part.node), None if part.kind is None else kind, part.levels)
            for part in parts
        ]
        return kind, alike

    def _clash(self, parts: Sequence[Typed], where: str) -> None:
        known = [part for part in parts if part.kind is not None]
        first = known[0]
        other = next(part for part in known if not go_together(first.kind, part.kind))
        self._tell(
            "RS304", f"{words_of(first)} and {words_of(other)} do not go together in {where}.", ""
        )
