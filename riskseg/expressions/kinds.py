"""Which kinds can be combined, and the typed node of a comparison, a calculation, a call.

Parts of one kind are compared and calculated with; a part of another is brought to it, or is a
Problem that names both.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.facts import Kind
from riskseg.domain.problems import did_you_mean
from riskseg.expressions.functions import FUNCTIONS, NUMERIC, Function
from riskseg.expressions.reading import Report
from riskseg.expressions.tree import Arithmetic, Call, Compare, Comparison, Literal, Node, Operator
from riskseg.expressions.typed import (
    NUMERIC_ORDER,
    Typed,
    converted,
    go_together,
    is_digits,
    levels_of,
    sort_of,
    words_of,
)


class KindRules:
    """What the kinds of parts allow; a Problem is added where they do not."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def compare(self, operator: Comparison, left: Typed, right: Typed) -> Typed | None:
        """A comparison, its sides brought to one kind."""
        for side, other_side in ((left, right), (right, left)):
            if side.kind is None:
                self._report(
                    "RS305",
                    f"A comparison of {words_of(other_side)} with null is always unknown.",
                    "Write `is null` or `is not null`.",
                )
                return None
        same_kind = self.alike([left, right], f"`{operator}`")
        if same_kind is None:
            return None
        kind, (left_part, right_part) = same_kind
        if kind in (Kind.BOOLEAN, Kind.TEXT):
            if operator not in ("=", "<>"):
                self._report(
                    "RS304",
                    f"{words_of(left)} and {words_of(right)} have no order for `{operator}`.",
                    "Use `=`, `<>` or `in (…)`.",
                )
                return None
            self.check_levels(left, right)
        return Typed(Compare(operator, left_part.node, right_part.node), Kind.BOOLEAN)

    def check_levels(self, left: Typed, right: Typed) -> None:
        """RS307 where two texts can never be equal."""
        if left.levels is None or right.levels is None or {*left.levels} & {*right.levels}:
            return
        if isinstance(left.node, Literal):
            left, right = right, left
        if isinstance(right.node, Literal) and not isinstance(left.node, Literal):
            unknown_level, known_levels = str(right.node.value), left.levels or ()
            self._report(
                "RS307",
                f"{words_of(left)} is never '{unknown_level}'.",
                did_you_mean(unknown_level, known_levels),
            )
        else:
            self._report(
                "RS307", f"{words_of(left)} and {words_of(right)} have no text in common.", ""
            )

    def arithmetic(self, operator: Operator, left: Typed, right: Typed) -> Typed | None:
        """A calculation with numbers, or with dates and days."""
        for side in (left, right):
            if self.known_kind(side) is None:
                return None
        if Kind.DATE in (left.kind, right.kind) and operator in ("+", "-"):
            return self._date_arithmetic(operator, left, right)
        for side in (left, right):
            if side.kind not in NUMERIC:
                self._report("RS304", f"{words_of(side)} cannot be part of `{operator}`.", "")
                return None
        result_kind = max(left.node.kind, right.node.kind, key=NUMERIC_ORDER.index)
        if operator == "/" and result_kind is Kind.INTEGER:
            result_kind = Kind.DECIMAL
        node = Arithmetic(
            operator,
            converted(result_kind, left.node),
            converted(result_kind, right.node),
            result_kind,
        )
        return Typed(node, result_kind)

    def _date_arithmetic(self, operator: Operator, left: Typed, right: Typed) -> Typed | None:
        match operator, left.kind, right.kind:
            case "-", _, _ if (day_nodes := self._dates(left, right)) is not None:
                first_date, second_date = day_nodes
                node = Call("days_between", (second_date, first_date), Kind.INTEGER)
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
        self._report(
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

    def call(self, name: str, function: Function, arguments: Sequence[Typed]) -> Typed | None:
        """The call of a function, its arguments brought to the kinds that it takes."""
        count_text = len(arguments)
        if count_text < 2 if function.any_number else count_text != len(function.takes):
            self._report(
                "RS304", f"`{name}` does not take {count_text}.", f"Write `{function.usage}`."
            )
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
            if self.known_kind(argument) is None:
                return None
            if argument.kind not in kinds:
                self._unfit(argument, function)
                return None
        first_argument, *other_arguments = arguments
        if name == "round" and not is_digits(other_arguments[0].node):
            self._report(
                "RS302",
                f"{words_of(other_arguments[0])} is not a number of digits.",
                "Write a whole number from 0 to 6.",
            )
            return None
        if name in ("round", "floor", "ceil") and first_argument.kind is Kind.INTEGER:
            return first_argument
        kind = function.gives.get(first_argument.node.kind, first_argument.node.kind)
        return Typed(Call(name, tuple(argument.node for argument in arguments), kind), kind)

    def _call_alike(
        self, name: str, function: Function, arguments: Sequence[Typed]
    ) -> Typed | None:
        alike = self.alike(arguments, f"`{name}`")
        if alike is None:
            return None
        kind, alike_parts = alike
        if kind not in function.takes[0]:
            self._unfit(arguments[0], function)
            return None
        node = Call(name, tuple(part.node for part in alike_parts), kind)
        return Typed(node, kind, levels_of(alike_parts))

    def _nullif(self, part: Typed, value: Typed) -> Typed | None:
        if self.known_kind(part) is None or self.known_kind(value) is None:
            return None
        same_kind = self.alike([part, value], "`nullif`")
        if same_kind is None:
            return None
        kind, (first, second) = same_kind
        if not isinstance(second.node, Literal):
            self._report(
                "RS302",
                f"{words_of(value)} is not a plain value.",
                f"Write `{FUNCTIONS['nullif'].usage}`.",
            )
            return None
        self.check_levels(part, value)
        return Typed(Call("nullif", (first.node, second.node), kind), kind, part.levels)

    def _unfit(self, argument: Typed, function: Function) -> None:
        self._report("RS304", f"{words_of(argument)} does not fit.", f"Write `{function.usage}`.")

    def known_kind(self, typed: Typed | None) -> Typed | None:
        """The part, or None after a Problem where it is a bare null."""
        if typed is not None and typed.kind is None:
            self._report(
                "RS305", "A bare null here makes the result always unknown.", "Leave it out."
            )
            return None
        return typed

    def alike(self, parts: Sequence[Typed], where: str) -> tuple[Kind, list[Typed]] | None:
        """The parts brought to one kind, and that kind; or None after a Problem."""
        kinds = {sort_of(part.kind) for part in parts if part.kind is not None}
        if not kinds:
            self._report("RS304", f"Nothing but null in {where}.", "Put in a value.")
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
                    self.no_date(str(part.node.value))
                else:
                    self._clash(parts, where)
                return None
        else:
            self._clash(parts, where)
            return None
        converted_parts = [
            Typed(converted(kind, part.node), None if part.kind is None else kind, part.levels)
            for part in parts
        ]
        return kind, converted_parts

    def _clash(self, parts: Sequence[Typed], where: str) -> None:
        known_parts = [part for part in parts if part.kind is not None]
        first_part = known_parts[0]
        other_part = next(
            part for part in known_parts if not go_together(first_part.kind, part.kind)
        )
        self._report(
            "RS304",
            f"{words_of(first_part)} and {words_of(other_part)} do not go together in {where}.",
            "",
        )

    def no_date(self, text: str) -> None:
        self._report("RS304", f"'{text}' is not a date.", "Write it as '2026-01-31'.")
