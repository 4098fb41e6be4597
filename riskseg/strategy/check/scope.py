"""What a strategy's expressions may name, and where its Problems are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from riskseg.domain.documents import shown_value
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.expressions import Expression, check
from riskseg.strategy.authored import AuthoredStrategy, Expected
from riskseg.strategy.checked import Condition

AS_OF = Fact("as_of", Kind.DATE, words="the as-of date")
_ZERO, _ONE = Decimal(0), Decimal(1)


class Scope:
    """The facts of the workspace, the strategy's probabilities and its stand-ins, by name.

    `named` gathers the facts that expressions name; `stand_ins` the facts this workspace lacks,
    with the value that stands for them; `expects` is what brought those. `clashing` are the
    probabilities that have the name of a fact, which could not be told from it.
    """

    def __init__(
        self,
        authored: AuthoredStrategy,
        facts: Mapping[str, Fact],
        lacking: Mapping[str, str],
        models: Mapping[str, bool],
        problems: Problems,
    ) -> None:
        self.authored, self.problems = authored, problems
        self.lacking = lacking
        self.named: set[str] = set()
        self.stand_ins: dict[str, object] = {}
        self.expects: dict[str, Expected] = {}
        self.facts: dict[str, Fact] = {AS_OF.name: AS_OF, **facts}
        self._expect()
        known = {*self.facts, *lacking}
        self.clashing = frozenset(name for name in authored.head.uses if name in known)
        self._models(models)

    def tell(self, code: str, what: str, file: str, *path: str | int, mend: str = "") -> None:
        """A Problem about the value at `path` of one of the strategy's files."""
        self.problems.add(code, what, mend=mend, **self.authored.at(file, *path))

    def line(self, file: str, *path: str | int) -> int | None:
        return self.authored.documents[file].line(*path)

    def _expect(self) -> None:
        """Facts the strategy, or a pack it includes, brings a stand-in for, where the workspace
        lacks them. The strategy's own word comes before a pack's."""
        head = self.authored.head.expects
        brought = {name: (one, "strategy.yaml") for name, one in head.items()}
        for pack, authored in self.authored.packs.items():
            file = f"packs/{pack}.yaml"
            for name, one in authored.expects.items():
                first, where = brought.setdefault(name, (one, file))
                if name not in head and (first.type, first.otherwise) != (one.type, one.otherwise):
                    told = f'"{name}" is expected otherwise in {where}.'
                    mend = f"Say in strategy.yaml what stands for it: `expects: {{{name}: …}}`."
                    self.tell("RS222", told, file, "expects", name, mend=mend)
        for name, (expected, file) in brought.items():
            self.expects[name] = expected
            unknown = expected.otherwise == "unknown"
            if name in self.facts:
                continue
            value = None if unknown else as_type(expected.type, expected.otherwise)
            if value is None and not unknown:
                stands = shown_value(expected.otherwise)
                told = f'"{name}" is a {expected.type}: {stands} cannot stand for it.'
                self.tell("RS004", told, file, "expects", name, "else")
            kind = Kind(expected.type)
            self.facts[name] = Fact(name, kind, nullable=unknown, words=f"{name} is {{value}}")
            self.stand_ins[name] = value

    def _models(self, models: Mapping[str, bool]) -> None:
        for name, model in self.authored.head.uses.items():
            if model not in models:
                self.tell(
                    "RS214",
                    f'"{name}" uses the model "{model}", which this workspace does not have.',
                    "strategy.yaml",
                    "uses",
                    name,
                    mend=did_you_mean(model, models) or f"Add models/{model}.yaml.",
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
        """A checked expression; a fact the workspace lacks is told as that, not as misspelt.

        `decided` are names of what is decided, for the few expressions that may use them; they
        come before facts of the same name.
        """
        at = self.authored.at(file, *path)
        known = {**self.facts, **(decided or {})}
        expression = self._checked(
            text,
            known,
            expect="value" if value else "condition",
            may_be_unknown=unknown or value,
            **at,
        )
        if expression is None:
            return None
        missing = sorted(n for n in expression.names if n not in known)
        for name in missing:
            self.problems.add(
                "RS212",
                self._lacks(name),
                mend=f"Add that source to riskseg.toml, or a stand-in: `expects: {{{name}: …}}` in "
                "strategy.yaml.",
                **at,
            )
        self.named |= expression.names - set(decided or ())
        return None if missing else expression

    def condition(
        self, text: object, unknown: str | None, file: str, *path: str | int
    ) -> Condition | None:
        """A checked condition with what an unknown counts as; it must say so where it can be."""
        expression = self.expression(text, file, *path, unknown=unknown is not None)
        return Condition(expression, unknown == "match") if expression else None

    def unknown_fact(self, name: str, file: str, *path: str | int) -> None:
        """A Problem about a name that is no fact here."""
        if name in self.lacking:
            self.tell("RS212", self._lacks(name), file, *path)
        else:
            told = f'There is no fact "{name}".'
            self.tell("RS201", told, file, *path, mend=did_you_mean(name, self.facts))

    def _lacks(self, name: str) -> str:
        table, _, column = self.lacking[name].partition(".")
        need = f"{column} in the {table} source" if column else f"the {table} source"
        return f'"{name}" needs {need}, which this workspace does not have.'

    def _checked(self, text: object, known: Mapping[str, Fact], **how: Any) -> Expression | None:
        """The expression, with any kind that fits for the facts the workspace lacks: of which kind
        they would be is not known here."""
        told = Problems()
        for kind in (Kind.INTEGER, Kind.DATE, Kind.BOOLEAN, Kind.TEXT):
            found = Problems()
            expression = check(text, {**self._ghosts(kind), **known}, found, **how)
            if expression is not None:
                return expression
            if not len(told):
                told.extend(found)
        self.problems.extend(told)
        return None

    def _ghosts(self, kind: Kind) -> dict[str, Fact]:
        lower = _ZERO if kind is Kind.INTEGER else None
        return {n: Fact(n, kind, lower=lower) for n in self.lacking}


def as_type(type_: str, value: object) -> object | None:
    """A stand-in as its type, or None where it is not one."""
    match type_:
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case "decimal":
            number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            exact = Decimal(str(value)) if number else None
            return exact if exact is not None and exact.is_finite() else None
        case "text":
            return value if isinstance(value, str) else None
        case _:
            return value if isinstance(value, date) and not isinstance(value, datetime) else None
