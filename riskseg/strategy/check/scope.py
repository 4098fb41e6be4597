"""What a strategy's expressions may name, and where its Problems go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from riskseg.domain.decision import NOT_FACTS
from riskseg.domain.documents import shown_value
from riskseg.domain.facts import MOST_DAYS, Fact, Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions import Expression, check, names_in_cases, names_used, texts_compared
from riskseg.expressions.assumptions import can_be_written
from riskseg.rules.elements import Action, Condition
from riskseg.rules.named_numbers import NamedDecimal, NamedInteger
from riskseg.strategy.authored import AuthoredStrategy
from riskseg.strategy.packs.authored import AuthoredPack, Expected

AS_OF = Fact("as_of", Kind.DATE, words="the as-of date")
# How a fact that riskseg does not know comes to be, where no data say which there are.
# How a column of another type becomes an attribute of the type that is expected.
_CONVERTED = {
    Kind.BOOLEAN: '"COLUMN = 1"',
    Kind.INTEGER: '"cast(COLUMN as integer)"',
    Kind.DECIMAL: '"cast(COLUMN as decimal(18, 2))"',
    Kind.NUMBER: '"cast(COLUMN as double)"',
    Kind.DATE: '"cast(COLUMN as date)"',
    Kind.TEXT: '"cast(COLUMN as varchar)"',
}
DECLARE = "A fact of your own is declared in `expects:` of strategy.yaml."
_LATE = re.compile(r'"(.*)" is not known here')
_ZERO, _ONE = Decimal(0), Decimal(1)


def _in_words(kind: Kind) -> str:
    """What a value of a kind is: `a date`, `true or false`."""
    if kind is Kind.BOOLEAN:
        return "true or false"
    return with_article("text" if kind.is_textual else str(kind))


class Scope:
    """The facts of the workspace, the strategy's probabilities and its default values, by name.

    `named` gathers the facts that expressions name; `default_values` the facts this workspace
    lacks, with the value that stands for them; `expects` is what brought those. `declared` are the
    facts the catalogue has of those lacking: they keep their kind and bounds. `fact_names` are the
    names that nothing else of the strategy may have, in any letter case. `notes` are remarks that
    hinder nothing. Without `data`, `facts` are those of any workspace there could be: what is
    expected is among them, and `hint` says how a fact of one's own comes to be. `actions`, from
    mild to harsh, and `decided`, what is decided of an account as names that an expression may
    use, are for rules: set when the tables before them are checked. A `draft` is refused for what
    is only a note of a strategy that decides already. `constants_named` gathers the constants
    that expressions name. `readable` are the bands, tiers and the segment that are decided before
    the condition that is checked, `read` gathers those that conditions name, and `later` says of
    what is decided after it what the condition may read instead.
    """

    def __init__(
        self,
        authored: AuthoredStrategy,
        facts: Mapping[str, Fact],
        lacking: Mapping[str, str],
        models: Mapping[str, bool],
        problems: Problems,
        declared: Mapping[str, Fact],
        *,
        data: bool = True,
        draft: bool = True,
    ) -> None:
        self.authored, self.problems, self.draft = authored, problems, draft
        self.hint = "" if data else DECLARE
        self.lacking, self.declared = lacking, declared
        self.named: set[str] = set()
        self.default_values: dict[str, object] = {}
        self.expects: dict[str, Expected] = {}
        self.facts: dict[str, Fact] = {AS_OF.name: AS_OF, **facts}
        self.constants = {
            name: constant.value for name, constant in authored.head.constants.items()
        }
        self.constants_named: set[str] = set()
        self._expect()
        self.fact_names = {folded(name): name for name in (*lacking, *self.facts)}
        self.notes: dict[str, None] = {}
        self.readable: dict[str, Fact] = {}
        self.read: set[str] = set()
        self.later: dict[str, str] = {}
        self.actions: Sequence[Action] = ()
        self.decided: Mapping[str, Fact] = {}
        self._models(models)

    @property
    def means(self) -> Mapping[str, Sequence[str]]:
        """The kinds that each action says it is; its own name where it says none."""
        return {
            action.name: listed(action.means) or [action.name]
            for action in self.authored.head.actions
        }

    @property
    def packs(self) -> Mapping[str, AuthoredPack]:
        return self.authored.packs

    def at(self, file: str, *path: str | int) -> dict[str, Any]:
        """The file and line of the value at `path` of one of the strategy's files."""
        return self.authored.at(file, *path)

    def canonical(self, name: str) -> str:
        """A fact's name as riskseg writes it, whatever its letter case in the strategy's files."""
        return name if name in self.facts else self.fact_names.get(folded(name), name)

    def note(self, text: str, file: str, *path: str | int) -> None:
        """A remark about the value at `path` of one of the strategy's files."""
        where = self.authored.at(file, *path)
        self.notes.setdefault(f"{where['file']}:{where['line']}: {text}")

    def note_unseen(self, name: str, text: str, file: str, *path: str | int) -> None:
        """A remark where no account holds a text today that a rule names; it may be misspelt."""
        texts_seen = self.facts[name].seen if name in self.facts else ()
        if texts_seen and text not in texts_seen:
            hint = did_you_mean(text, texts_seen)
            self.note(f'No account has the {name} "{text}" today. {hint}', file, *path)

    def add_problem(
        self, code: str, what: str, file: str, *path: str | int, hint: str = ""
    ) -> None:
        """A Problem about the value at `path` of one of the strategy's files."""
        self.problems.add(code, what, hint=hint, **self.authored.at(file, *path))

    def line(self, file: str, *path: str | int) -> int | None:
        return self.authored.documents[file].line(*path)

    def _expect(self) -> None:
        """Facts the strategy, or a pack it includes, brings a default value for, where the
        workspace lacks them. The strategy's own word comes before a pack's."""
        head = self.authored.head.expects
        expected_with_file = {name: (expected, "strategy.yaml") for name, expected in head.items()}
        for pack, authored in self.authored.packs.items():
            file = f"packs/{pack}.yaml"
            for name, expected in authored.expects.items():
                first_expected, first_file = expected_with_file.setdefault(name, (expected, file))
                if name not in head and (
                    first_expected.type,
                    first_expected.otherwise,
                ) != (
                    expected.type,
                    expected.otherwise,
                ):
                    message = f'"{name}" is declared differently in {first_file}.'
                    hint = f"Give its default value in strategy.yaml: `expects: {{{name}: …}}`."
                    self.add_problem("RS222", message, file, "expects", name, hint=hint)
        for written, (as_written, file) in expected_with_file.items():
            name = folded(written)
            expected = (
                self._with_constant(as_written, file, written) if written in head else as_written
            )
            self.expects[name] = expected
            if self.hint:
                self._default_value(self.facts[name], expected, file, written)
            elif name not in self.facts:
                kind = Kind(expected.type)
                fact = self.declared.get(name) or Fact(name, kind, words=f"{name} is {{value}}")
                self.default_values[name] = self._default_value(fact, expected, file, written)
                self.facts[name] = replace(fact, nullable=expected.otherwise == "unknown")
            elif name not in self.declared:
                self._of_type(self.facts[name], Kind(expected.type), file, written)

    def _with_constant(self, expected: Expected, file: str, written: str) -> Expected:
        """What is expected of a fact, with the value of the constant that its `else` may name."""
        default_value = expected.otherwise
        if not isinstance(default_value, str) or not default_value.startswith("$"):
            return expected
        value = self._constant(default_value, file, "expects", written, "else")
        return expected.model_copy(update={"otherwise": "unknown" if value is None else value})

    def _of_type(self, fact: Fact, kind: Kind, file: str, written: str) -> None:
        """Check that an attribute has the type that is expected of it: said once, with the line of
        the mapping that cures it, and not of each rule that names the attribute."""
        if (
            fact.kind is kind
            or (fact.kind.is_numeric and kind.is_numeric)
            or (fact.kind.is_textual and kind.is_textual)
        ):
            return
        self.add_problem(
            "RS304",
            f'"{fact.name}" is {_in_words(fact.kind)} in this workspace, and the strategy expects '
            f"{_in_words(kind)}.",
            file,
            "expects",
            written,
            hint=f"Convert it where it is mapped, in [source.accounts] of riskseg.toml: "
            f"{fact.name} = {_CONVERTED[kind]}, with the name of its column in the source.",
        )
        self.facts[fact.name] = replace(fact, kind=kind, levels=(), seen=(), lower=None, upper=None)

    def _default_value(self, fact: Fact, expected: Expected, file: str, written: str) -> object:
        """The default value of a fact that a workspace lacks, within the bounds it would have."""
        name, kind = fact.name, Kind(expected.type)
        unknown = expected.otherwise == "unknown"
        if fact.kind is not kind:
            message = f'"{name}" is of the type {fact.kind} wherever it is known, not {kind}.'
            self.add_problem(
                "RS004", message, file, "expects", written, "type", hint=f"Write {fact.kind}."
            )
        default_value = None if unknown else as_type(expected.type, expected.otherwise)
        written_value = shown_value(expected.otherwise)
        if default_value is None and not unknown:
            message = (
                f'"{name}" is {with_article(str(expected.type))}: '
                f"{written_value} cannot be its default value."
            )
            self.add_problem("RS004", message, file, "expects", written, "else")
        elif isinstance(default_value, int | Decimal) and _outside(fact, Decimal(default_value)):
            message = f'"{name}" is never {written_value}: it is at least {fact.lower:f}.'
            self.add_problem("RS004", message, file, "expects", written, "else")
        return default_value

    def _models(self, models: Mapping[str, bool]) -> None:
        for name, model in self.authored.head.uses.items():
            if model not in models:
                self.add_problem(
                    "RS214",
                    f'"{name}" uses the model "{model}", which this workspace does not have.',
                    "strategy.yaml",
                    "uses",
                    name,
                    hint=did_you_mean(model, models) or f"Add models/{model}.yaml.",
                )
            self.facts[name] = Fact(
                name,
                Kind.DECIMAL,
                nullable=True,
                lower=_ZERO,
                upper=_ONE,
                words=f"{name} {{value}}",
            )

    def expression(
        self,
        text: object,
        file: str,
        *path: str | int,
        value: bool = False,
        unknown: bool = False,
        decided: Mapping[str, Fact] | None = None,
    ) -> Expression | None:
        """A checked expression; a fact the workspace lacks is reported as that, not as misspelt.

        `decided` are names of what is decided, which come before facts of the same name: of a
        condition those that are `readable` where it stands, if none are given.
        """
        position = self.authored.at(file, *path)
        reads = decided is None
        if decided is None:
            # A starting date, or a pack for any strategy, hangs on nothing that is decided.
            decided = {} if value or file.startswith("packs/") else self.readable
        known_facts = {**self.facts, **decided}
        self.constants_named |= set(names_used(str(text)))
        expression = self._checked(
            text,
            known_facts,
            expect="value" if value else "condition",
            may_be_unknown=unknown or value,
            **position,
        )
        if expression is None:
            return None
        lacking_names = sorted(name for name in expression.names if name not in known_facts)
        for name in lacking_names:
            self.problems.add(
                "RS212",
                self._lacks(name),
                hint="Add that source to riskseg.toml, or a default value: "
                f"`expects: {{{name}: …}}` in "
                "strategy.yaml.",
                **position,
            )
        self.named |= expression.names - set(decided)
        self.read |= expression.names & set(decided) if reads else set()
        for name in sorted(expression.names & NOT_FACTS & set(self.facts)):
            self._ambiguous(name, **position)
        if reads and (inside := names_in_cases(expression.tree) & set(decided)):
            message = f'"{min(inside)}" stands within `case`.'
            hint = (
                "Compare it outside: `… and segment = 'a'`. What is decided is in no calculation."
            )
            self.problems.add("RS302", message, hint=hint, **position)
            return None
        for name, text in texts_compared(expression.tree):
            if name not in decided:
                self.note_unseen(name, text, file, *path)
        return None if lacking_names else expression

    def _ambiguous(self, name: str, **at: Any) -> None:
        self.problems.add(
            "RS202",
            f'"{name}" is an attribute of accounts, and a column of every decision.',
            hint="Give the attribute another name in riskseg.toml.",
            **at,
        )

    def column(self, name: str, file: str, *path: str | int) -> None:
        """Check the name of a fact that the segment table reads."""
        if name in NOT_FACTS and name in self.facts:
            self._ambiguous(name, **self.authored.at(file, *path))

    def condition(
        self, text: object, unknown: str | None, file: str, *path: str | int
    ) -> Condition | None:
        """A checked condition with what an unknown counts as; it must say so where it can be."""
        expression = self.expression(text, file, *path, unknown=unknown is not None)
        return Condition(expression, unknown == "match") if expression else None

    def decimal(self, written: Decimal | str, file: str, *path: str | int) -> Decimal | None:
        """What is written, as a number or a constant; None after adding a Problem."""
        if not isinstance(written, str):
            return written
        value = self._number(written, file, *path)
        return None if value is None else NamedDecimal.of(Decimal(value), written[1:])

    def whole(
        self,
        written: int | str,
        file: str,
        *path: str | int,
        least: int = -MOST_DAYS,
        most: int = MOST_DAYS,
    ) -> int | None:
        """As `decimal`, for a whole number within bounds, which a number that is written is."""
        if not isinstance(written, str):
            return written
        value = self._number(written, file, *path)
        if value is None:
            return None
        if value != int(value) or not least <= value <= most:
            message = f'The constant "{written}" is {value}, which cannot stand here.'
            hint = f"Use a whole number from {least:,} to {most:,}."
            self.add_problem("RS304", message, file, *path, hint=hint)
            return None
        return NamedInteger.of(int(value), written[1:])

    def _number(self, written: str, file: str, *path: str | int) -> int | Decimal | None:
        value = self._constant(written, file, *path)
        if value is None or isinstance(value, int | Decimal):
            return value
        message = f'The constant "{written}" is {shown_value(value)}, not a number.'
        self.add_problem("RS304", message, file, *path, hint="Use a constant that is one.")
        return None

    def _constant(
        self, written: str, file: str, *path: str | int
    ) -> int | Decimal | str | date | None:
        """The value of the constant that is written as `$name`, or None after adding RS303."""
        name = written[1:]
        self.constants_named.add(name)
        value = self.constants.get(name)
        if value is None:
            hint = did_you_mean(written, [f"${known}" for known in self.constants])
            if not self.constants:
                hint = f"Constants are declared in strategy.yaml: `constants: {{{name}: …}}`."
            self.add_problem("RS303", f'There is no constant "{written}".', file, *path, hint=hint)
        return value

    def unknown_fact(self, name: str, file: str, *path: str | int) -> None:
        """A Problem about a name that is no fact here."""
        if name in self.lacking:
            self.add_problem("RS212", self._lacks(name), file, *path)
        else:
            message = f'There is no fact "{name}".'
            self.add_problem("RS201", message, file, *path, hint=self.meant(name, self.facts))

    def meant(self, name: str, known: Iterable[str]) -> str:
        """What a name that is no fact was meant to be, or how it becomes one."""
        return f"{did_you_mean(name, known)} {self.hint}".strip()

    def _lacks(self, name: str) -> str:
        table, _, column = self.lacking[name].partition(".")
        needed = f"{column} in the {table} source" if column else f"the {table} source"
        return f'"{name}" needs {needed}, which this workspace does not have.'

    def _checked(
        self, text: object, known: Mapping[str, Fact], **options: Any
    ) -> Expression | None:
        """The expression, with any kind that fits for the facts the workspace lacks: of which kind
        they would be is not known of every one."""
        first_problems = Problems()
        for kind in (Kind.INTEGER, Kind.DATE, Kind.BOOLEAN, Kind.TEXT):
            kind_problems = Problems()
            expression = check(
                text,
                {**self._ghosts(kind), **known},
                kind_problems,
                offered=known,
                constants=self.constants,
                **options,
            )
            if expression is not None:
                return expression
            if not len(first_problems):
                first_problems.extend(kind_problems)
        for problem in first_problems:
            late = _LATE.match(problem.what) if problem.code == "RS303" else None
            if late is not None and late[1] in self.later:
                what = f'"{late[1]}" is not decided yet where this condition is read.'
                self.problems.extend([replace(problem, what=what, hint=self.later[late[1]])])
                continue
            hint = (
                f"{problem.hint} {self.hint}".strip() if problem.code == "RS303" else problem.hint
            )
            self.problems.extend([replace(problem, hint=hint)])
        return None

    def _ghosts(self, kind: Kind) -> dict[str, Fact]:
        lower = _ZERO if kind is Kind.INTEGER else None
        return {
            lacking_name: self.declared.get(lacking_name, Fact(lacking_name, kind, lower=lower))
            for lacking_name in self.lacking
        }


def listed(means: str | list[str] | None) -> list[str]:
    """The kinds of action under `means`, which may be written as one text."""
    return [means] if isinstance(means, str) else means or []


def as_type(type_: str, value: object) -> object | None:
    """A default value as its type, or None where it is not one."""
    match type_:
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return value if is_whole and can_be_written(Decimal(str(value))) else None
        case "decimal":
            is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            exact = Decimal(str(value)) if is_number else None
            return exact if exact is not None and can_be_written(exact) else None
        case "text":
            return value if isinstance(value, str) else None
        case _:
            return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _outside(fact: Fact, value: Decimal) -> bool:
    return fact.lower is not None and value < fact.lower
