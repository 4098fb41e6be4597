"""From sqlglot's tree to ours: names looked up, kinds settled, everything else refused.

What is listed in :meth:`Elaborator.part` is the language. Whatever else a statement of SQL can
hold is a Problem that names it. A part that fails is None and its neighbours are still read, so
that all Problems of an expression come together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches

from sqlglot import exp

from riskseg.domain.facts import Kind, folded
from riskseg.domain.problems import did_you_mean
from riskseg.domain.relations import literal
from riskseg.expressions.constants import Constants, typed_constant
from riskseg.expressions.functions import FUNCTIONS
from riskseg.expressions.kinds import KindRules
from riskseg.expressions.outside import INSTEAD, LANGUAGE, OUTSIDE
from riskseg.expressions.reading import Report, shown
from riskseg.expressions.tree import (
    And,
    Call,
    Case,
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
    Scope,
    Typed,
    condition_hint,
    levels_of,
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
_TRUTHS = {
    **dict.fromkeys(("yes", "on"), "Write `true`."),
    **dict.fromkeys(("no", "off"), "Write `false`."),
}
_NO_ZERO = "Write a number without zeros in front, and 1,000 as 1000."
_ORDERED = ("<", "<=", ">", ">=")
# `between` and `case x when` repeat a part; nested in each other they would grow without end.
_MOST_PARTS = 10_000


class Elaborator:
    """One expression's passage. `names` gathers the facts it names; `offered` are the names that
    a Problem may suggest, all of the scope where None. `constants` may be used, and
    `constants_used` gathers which are."""

    def __init__(
        self,
        scope: Scope,
        report: Report,
        *,
        offered: Iterable[str] | None = None,
        constants: Constants | None = None,
    ) -> None:
        self._constants = constants or {}
        self._scope = scope
        self._offered = scope if offered is None else offered
        self._report = report
        self._kinds = KindRules(report)
        self._left = _MOST_PARTS
        self.names: set[str] = set()
        self.constants_used: set[str] = set()

    # -- the whitelist -------------------------------------------------------------------------

    def part(self, source: exp.Expr) -> Typed | None:
        """The typed node for a parsed part, or None after a Problem."""
        self._left -= 1
        if self._left < 0:
            self._report("RS302", "The expression is too large.", "Split it over several rows.")
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
            case exp.Placeholder(this=str()):
                return self._constant(source.this)
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
            return left and right and self._kinds.arithmetic(operator, left, right)
        if comparison := _COMPARISONS.get(type(source)):
            return self._compared(comparison, source)
        self._outside(source)
        return None

    def _outside(self, source: exp.Expr) -> None:
        text = shown(source.sql(dialect="duckdb", normalize_functions=False))
        unknown = f"`{source.key}`", LANGUAGE
        words, hint = OUTSIDE.get(type(source), unknown)
        self._report("RS302", f"{text}: {words} is not part of the language.", hint)

    # -- names and values ----------------------------------------------------------------------

    def _name(self, source: exp.Column) -> Typed | None:
        if any(
            argument for argument_name, argument in source.args.items() if argument_name != "this"
        ):
            dotted_name = shown(source.sql(dialect="duckdb"))
            self._report(
                "RS302", f"{dotted_name}: a name with a dot is not part of the language.", ""
            )
            return None
        name = source.name
        if name not in self._scope:
            same_in_other_case = (
                known_name for known_name in self._scope if folded(known_name) == folded(name)
            )
            name = next(same_in_other_case, name)
        fact = self._scope.get(name)
        if fact is None:
            hint = _TRUTHS.get(name.lower()) or did_you_mean(name, self._offered)
            if name in self._constants:
                hint = f"A constant is written with a dollar sign: `${name}`."
            elif source.this.quoted and not get_close_matches(name, list(self._offered), n=1):
                hint = f"A text stands in single quotes: {literal(name)}."
            self._report("RS303", f'"{name}" is not known here.', hint)
            return None
        self.names.add(name)
        levels = fact.levels if fact.kind is Kind.LEVEL else None
        return Typed(Name(name, fact.kind), fact.kind, levels)

    def _constant(self, name: str) -> Typed | None:
        value = self._constants.get(name)
        if value is None:
            hint = did_you_mean(f"${name}", [f"${known}" for known in self._constants])
            if not self._constants:
                hint = f"Constants are declared in strategy.yaml: `constants: {{{name}: …}}`."
            self._report("RS303", f'There is no constant "${name}".', hint)
            return None
        self.constants_used.add(name)
        return typed_constant(name, value)

    def _number(self, source: exp.Literal) -> Typed | None:
        number_text = str(source.this)
        digits = re.fullmatch(r"(\d*)(?:\.(\d*))?", number_text)
        if not digits or len(digits[1].lstrip("0")) > 18 or len((digits[2] or "").rstrip("0")) > 6:
            self._report(
                "RS302",
                f"{number_text} is not a number the language can hold exactly.",
                "Write at most 18 digits, then at most 6 decimals, without an exponent.",
            )
            return None
        if len(digits[1]) > 1 and digits[1].startswith("0"):
            # What follows a comma in `in (1,000)` would be another number.
            self._report("RS302", f"{number_text} begins with a zero.", _NO_ZERO)
            return None
        if digits[2] is None:
            return Typed(Literal(int(number_text), Kind.INTEGER), Kind.INTEGER)
        return Typed(Literal(Decimal(number_text), Kind.DECIMAL), Kind.DECIMAL)

    def _date(self, source: exp.Cast) -> Typed | None:
        inner = source.this
        if not (isinstance(inner, exp.Literal) and inner.is_string):
            self._outside(source)
            return None
        date_literal = Typed(Literal(inner.this, Kind.TEXT), Kind.TEXT).iso_date
        if date_literal is None:
            self._kinds.no_date(inner.this)
            return None
        return Typed(Literal(date_literal, Kind.DATE), Kind.DATE)

    # -- conditions ----------------------------------------------------------------------------

    def _compared(self, comparison: Comparison, source: exp.Expr) -> Typed | None:
        if comparison in _ORDERED and _COMPARISONS.get(type(source.this)) in _ORDERED:
            self._chained(comparison, source)
            return None
        left_source, right_source = source.this, source.expression
        for one, other in ((left_source, right_source), (right_source, left_source)):
            if self._is_text_without_quotes(one, beside=other):
                return None
        left, right = self.part(left_source), self.part(right_source)
        return left and right and self._kinds.compare(comparison, left, right)

    def _chained(self, comparison: Comparison, source: exp.Expr) -> None:
        """A value between two others, as mathematics writes it."""
        first, second = source.this, source
        low, middle, high = (
            part.sql(dialect="duckdb") for part in (first.this, first.expression, second.expression)
        )
        lower = _COMPARISONS[type(first)]
        self._report(
            "RS304",
            f"{shown(source.sql(dialect='duckdb'))} compares three values at once.",
            f"Write {shown(f'{low} {lower} {middle} and {middle} {comparison} {high}')}.",
        )

    def _is_text_without_quotes(self, source: exp.Expr, *, beside: exp.Expr) -> bool:
        """Whether a name that is not known stands beside a text, where its quotes were forgotten;
        that is a Problem."""
        other = self._scope.get(beside.name) if isinstance(beside, exp.Column) else None
        name = source.name if isinstance(source, exp.Column) else ""
        known = {folded(known_name) for known_name in self._scope}
        if not name or folded(name) in known or other is None or not other.kind.is_textual:
            return False
        levels = other.levels if other.kind is Kind.LEVEL else ()
        level = get_close_matches(name, levels, n=1)
        fact = [] if level else get_close_matches(name, list(self._offered), n=1)
        hint = f"A text stands in single quotes: {literal(level[0] if level else name)}."
        self._report(
            "RS303",
            f'"{name}" is not known here.',
            did_you_mean(name, self._offered) if fact else hint,
        )
        return True

    def _condition(self, source: exp.Expr) -> Node | None:
        """A part that must be true, false or unknown."""
        typed = self.part(source)
        if typed is None:
            return None
        if typed.kind is not Kind.BOOLEAN:
            self._report(
                "RS304", f"{words_of(typed)} cannot be true or false.", condition_hint(typed)
            )
            return None
        return typed.node

    def _connected(self, source: exp.And | exp.Or) -> Typed | None:
        conditions = [self._condition(part) for part in source.flatten()]
        known_conditions = tuple(part for part in conditions if part is not None)
        if len(known_conditions) < len(conditions):
            return None
        return Typed(
            And(known_conditions) if isinstance(source, exp.And) else Or(known_conditions),
            Kind.BOOLEAN,
        )

    def _is(self, source: exp.Is) -> Typed | None:
        tested_for = source.expression
        if isinstance(tested_for, exp.Null):
            typed = self._kinds.known_kind(self.part(source.this))
            return typed and Typed(IsNull(typed.node), Kind.BOOLEAN)
        if not isinstance(tested_for, exp.Boolean):
            self._outside(source)
            return None
        inner = self._condition(source.this)
        if inner is None:
            return None
        # `x is true` is x with unknown taken as false; `x is false` is its mirror.
        truth = bool(tested_for.this)
        never_unknown = Call("coalesce", (inner, Literal(not truth, Kind.BOOLEAN)), Kind.BOOLEAN)
        return Typed(never_unknown if truth else Not(never_unknown), Kind.BOOLEAN)

    def _between(self, source: exp.Between) -> Typed | None:
        if source.args.get("symmetric"):
            self._outside(source)
            return None
        low, high = self.part(source.args["low"]), self.part(source.args["high"])
        # Read twice, because it stands twice in what it becomes: so it counts twice.
        between_value, value_again = self.part(source.this), self.part(source.this)
        if between_value is None or value_again is None or low is None or high is None:
            return None
        at_least, at_most = (
            self._kinds.compare(">=", between_value, low),
            self._kinds.compare("<=", value_again, high),
        )
        return at_least and at_most and Typed(And((at_least.node, at_most.node)), Kind.BOOLEAN)

    def _in(self, source: exp.In) -> Typed | None:
        tested = self._kinds.known_kind(self.part(source.this))
        source_options = source.expressions
        if not source_options or any(
            source.args.get(unsupported_form) for unsupported_form in ("query", "unnest", "field")
        ):
            self._report(
                "RS302",
                f"{shown(source.sql(dialect='duckdb'))}: `in` takes a list of values.",
                "Write them out: `in ('a', 'b')`.",
            )
            return None
        quotes_forgotten = [
            self._is_text_without_quotes(option, beside=source.this) for option in source_options
        ]
        if any(quotes_forgotten):
            return None
        typed_options = [self.part(option) for option in source_options]
        if tested is None or any(option is None for option in typed_options):
            return None
        known_options = [option for option in typed_options if option is not None]
        for option in known_options:
            if option.kind is None:
                self._report(
                    "RS305",
                    f"The null in the list for {words_of(tested)} matches nothing.",
                    "Leave it out and add `or … is null`.",
                )
                return None
            if not isinstance(option.node, Literal):
                self._report(
                    "RS302",
                    f"{words_of(option)} is not a plain value, and `in` takes only those.",
                    "Write `=` and `or` for it.",
                )
                return None
        same_kind = self._kinds.alike([tested, *known_options], "`in`")
        if same_kind is None:
            return None
        for option in known_options:
            self._kinds.check_levels(tested, option)
        first_node, *option_nodes = same_kind[1]
        literals = tuple(option.node for option in option_nodes if isinstance(option.node, Literal))
        return Typed(In(first_node.node, literals), Kind.BOOLEAN)

    # -- values --------------------------------------------------------------------------------

    def _case(self, source: exp.Case) -> Typed | None:
        conditions: list[Node | None] = []
        branch_values: list[Typed | None] = []
        for branch in source.args["ifs"]:
            if source.this is None:
                conditions.append(self._condition(branch.this))
            else:
                subject, value = self.part(source.this), self.part(branch.this)
                equal_to_value = subject and value and self._kinds.compare("=", subject, value)
                conditions.append(equal_to_value.node if equal_to_value else None)
            branch_values.append(self.part(branch.args["true"]))
        default = source.args.get("default")
        branch_values.append(NULL if default is None else self.part(default))
        known_conditions = [condition for condition in conditions if condition is not None]
        results = [value for value in branch_values if value is not None]
        if len(known_conditions) < len(conditions) or len(results) < len(branch_values):
            return None
        same_kind = self._kinds.alike(results, "the branches of `case`")
        if same_kind is None:
            return None
        kind, branches_alike = same_kind
        *branches, otherwise = [branch.node for branch in branches_alike]
        case = Case(tuple(zip(known_conditions, branches, strict=True)), otherwise, kind)
        return Typed(case, kind, levels_of(branches_alike))

    def _negative(self, source: exp.Neg) -> Typed | None:
        typed = self.part(source.this)
        if typed is None:
            return None
        match typed.node:
            case Literal(int() | Decimal() as value, kind, None) if kind.is_numeric:
                return Typed(Literal(-value, kind), kind)
        return self._kinds.arithmetic("-", Typed(Literal(0, Kind.INTEGER), Kind.INTEGER), typed)

    def _call(self, source: exp.Anonymous) -> Typed | None:
        function_name = str(source.this).lower()
        function = FUNCTIONS.get(function_name)
        if function is None:
            self._report(
                "RS302",
                f"The function `{function_name}` is not part of the language.",
                INSTEAD.get(function_name) or did_you_mean(function_name, FUNCTIONS),
            )
            return None
        argument_parts = [self.part(argument) for argument in source.expressions]
        arguments = [argument for argument in argument_parts if argument is not None]
        if len(arguments) < len(argument_parts):
            return None
        return self._kinds.call(function_name, function, arguments)
