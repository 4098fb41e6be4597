"""A strategy as one SQL query over a table of facts, for a database that knows nothing of riskseg.

The query is what the engine carries out (`compile_strategy`), read as forms of a closed list and
written in the database's own spelling, under names that people read. What an account was like and
how it was treated are columns of the table of facts; what is done about it is decided in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from riskseg.domain.decision import COLUMNS
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column
from riskseg.expressions.dialects import Dialect, SqlType, Writer
from riskseg.expressions.dialects.forms import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    Case,
    Column,
    Convert,
    Form,
    Value,
)
from riskseg.expressions.dialects.forms import Between as BetweenForm
from riskseg.rules.model import Strategy
from riskseg.rules.periods import Period
from riskseg.rules.sql import out
from riskseg.strategy.compile import compile_strategy
from riskseg.strategy.warehouse.chain import Chain, chain
from riskseg.strategy.warehouse.names import column_names, fact_names, output_names
from riskseg.strategy.warehouse.taken import STEP, with_taken

SQL_TYPES: Mapping[Kind, SqlType] = {
    Kind.BOOLEAN: BOOLEAN,
    Kind.INTEGER: INTEGER,
    Kind.DECIMAL: DECIMAL,
    Kind.NUMBER: NUMBER,
    Kind.DATE: DATE,
    Kind.TEXT: TEXT,
    Kind.LEVEL: TEXT,
}
PRIORITY = SqlType("decimal", 18, 4)
_KINDS = {column.name: column.kind for column in COLUMNS}
# What is decided in SQL, beside bands and tiers: all but what comes next, which depends on the
# calendar of later days, and the fingerprint of the facts that were read.
_DECIDED = (
    "segment",
    "path",
    "path_day",
    "step",
    "due_action",
    "action",
    "channel",
    "template",
    "priority",
    "guards",
    "rows_matched",
)
# What each relation works out, by the beginning of its name.
_WORDS = {
    "banded": "The band of each probability.",
    "tier_rows": "The first row of each tier scheme that takes the account.",
    "tiers_": "The tier of each scheme, where later conditions read it.",
    "tiered": "The first row of each tier scheme that takes the account.",
    "named": "The tier of each scheme.",
    "in_parts": "The range that each number of the table of segments lies in.",
    "matched": "The first row of the table of segments that takes the account.",
    "segmented": "The segment, where later conditions read it.",
    "led": "The segment, and the path that it leads to.",
    "on_route": "The path on which the account's route begins: it may stay on the one it is on.",
    "day_of_leg_": "The day of each path of the route: negative before it begins.",
    "on_leg": "Which path of its route the account is on.",
    "placed": "The path, its day, and whether there is nothing more to do on it.",
    "in_rounds": "How often the steps of a path that repeat have come again.",
    STEP: "Whether each step was taken, on a day since the route began; and whether the same was "
    "done elsewhere.",
    "reached_steps_before": "The step that must be taken first, and the latest that was reached.",
    "reached_steps": "The step of the route that is reached and was not taken.",
    "due_steps": "The step that is due: none where the day is closed for it.",
    "next_steps": "The day of the path on which the step that is due came.",
    "stepped": "What the path asks for.",
    "guarded": "Which guards, holds, requirements and contact rules are in force.",
    "forbidden": "Which actions they forbid.",
    "open_duties": "The deadline of each duty that is open.",
    "first_duty": "The earliest of them.",
    "chosen": "What the duty asks for.",
    "asked": "What is due: the duty comes before the step of the path.",
    "acted": "The action that is lawful, or the mildest one in its place.",
    "decided": "What is said of the action.",
}


@dataclass(frozen=True)
class Query:
    """A strategy as a query, before it is written for a database. `facts` gives the column of the
    table of facts for each fact that is read, `outputs` the column that is given for each band,
    tier scheme and decided value, and `names` those of what is worked out on the way."""

    strategy: Strategy
    period: Period
    chain: Chain
    facts: Mapping[str, str]
    outputs: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, strategy: Strategy, period: Period) -> Query:
        """Raises UnknownFormError for SQL that cannot be exported: a fault of ours."""
        relations = compile_strategy(strategy, _day_of(period), rows_as_written=True)
        outputs = output_names(strategy, _DECIDED)
        facts: dict[str, Form] = {
            column_of(name): _fact(strategy, fact) for name, fact in strategy.facts.items()
        }
        facts["as_of"] = Column("as_of", DATE, nullable=False)
        found = chain(relations, facts, [_unquoted(out(name)) for name in outputs])
        given = zip(outputs.values(), found.outputs.values(), strict=True)
        found = with_taken(replace(found, outputs=dict(given)))
        read = [name for name in strategy.facts if column_of(name) in found.read]
        names = fact_names(strategy, {*read, "as_of"}, outputs.values())
        added = [name for step in found.steps for name in step.added]
        own = {
            form.name: output
            for output, form in found.outputs.items()
            if isinstance(form, Column) and form.name in added
        }
        columns = column_names(added, names.values(), own)
        return cls(strategy, period, found, names, outputs, columns)

    @cached_property
    def columns(self) -> Mapping[str, SqlType]:
        """The columns that the query gives, with their types."""
        types = {
            column: SQL_TYPES[_KINDS.get(name, Kind.TEXT)] for name, column in self.outputs.items()
        }
        return {"account_id": TEXT, "as_of": DATE, **types, "priority": PRIORITY}

    @property
    def day(self) -> date:
        """A day of the period: the query is the same on all of them."""
        return _day_of(self.period)

    @property
    def is_bounded(self) -> bool:
        return self.period != Period(date.min, date.max)

    def sql(self, dialect: Dialect, table: str, *, head: str = "") -> str:
        """The query, which reads the relation `table`."""
        relations = ",\n\n".join(self.relations(dialect, table))
        return f"{head}with {relations}\n\n{self.selected(dialect)}"

    def relations(self, dialect: Dialect, table: str) -> list[str]:
        """The named relations of the query, each as text."""
        writer, plain = self._writer(dialect), Writer(dialect)
        types = {
            name: SQL_TYPES[self.strategy.facts[fact].kind] for fact, name in self.facts.items()
        }
        facts = [
            f"{plain.line(Convert(Column(name, NULL), types[name]))} as {dialect.quoted(name)}"
            for name in sorted(types, key=lambda name: (name != "as_of", name))
        ]
        texts = [dialect.relation("facts_read", _select(["account_id", *facts], table))]
        before = "facts_read"
        for step in self.chain.steps:
            added = [
                f"{writer.text(form, 4)} as {dialect.quoted(self.names[name])}"
                for name, form in step.added.items()
            ]
            words = _words_of(step.name)
            comment = f"-- {words}\n" if words else ""
            texts.append(comment + dialect.relation(step.name, _select(["*", *added], before)))
            before = step.name
        return texts

    def _writer(self, dialect: Dialect) -> Writer:
        names = {column_of(fact): name for fact, name in self.facts.items()}
        names |= self.names
        return Writer(dialect, lambda column: dialect.quoted(names[column]))

    def selected(self, dialect: Dialect) -> str:
        """The select of the query's columns from the last of its relations."""
        writer = self._writer(dialect)
        last = self.chain.steps[-1].name if self.chain.steps else "facts_read"
        columns = ["account_id", "as_of"]
        for name, form in self.chain.outputs.items():
            text = writer.text(self._while_in_force(form), 4)
            quoted = dialect.quoted(name)
            columns.append(text if text == quoted else f"{text} as {quoted}")
        return f"{_select(columns, last)}\n"

    def _while_in_force(self, form: Form) -> Form:
        """What is decided, on the days on which the rules of the query are in force."""
        if not self.is_bounded:
            return form
        first, last = Value(self.period.first, DATE), Value(self.period.last, DATE)
        in_force = BetweenForm(Column("as_of", DATE, nullable=False), first, last)
        return Case(((in_force, form),), Value(None, form.type), form.type)


def _day_of(period: Period) -> date:
    return min(max(period.first, date(2026, 3, 2)), period.last)


def _fact(strategy: Strategy, fact: Fact) -> Form:
    """What stands for a fact: its column, or the default value that the workspace gives it."""
    type_ = SQL_TYPES[fact.kind]
    if fact.name not in strategy.default_values:
        return Column(column_of(fact.name), type_, fact.nullable)
    value = strategy.default_values[fact.name]
    return Value(value, type_)  # type: ignore[arg-type]  # checked to be of the fact's kind


def column_of(fact: str) -> str:
    """The column of a fact in the relations of the engine."""
    return _unquoted(fact_column(fact))


def _unquoted(column: str) -> str:
    return column[1:-1].replace('""', '"') if column.startswith('"') else column


def _words_of(relation: str) -> str:
    fitting = [name for name in _WORDS if relation.startswith(name)]
    return _WORDS[max(fitting, key=len)] if fitting else ""


def _select(columns: list[str], source: str) -> str:
    listed = ",\n    ".join(columns)
    return f"select\n    {listed}\nfrom {source}"
