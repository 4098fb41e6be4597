"""Rules that ask for an action: what must be done, and by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column
from riskseg.expressions import Expression
from riskseg.expressions.smt import both, negated
from riskseg.rules.action_facts import last_issued_fact
from riskseg.rules.elements import Condition
from riskseg.rules.proof_account import Account, condition_holds, within
from riskseg.rules.rule import Rule
from riskseg.rules.sql import condition_sql, fact_sql


@dataclass(frozen=True, kw_only=True)
class Demand(Rule):
    """A rule that asks for one of its `actions`, the first that is lawful, on its effective dates:
    while `when` holds, from the date `since` on, until one of them was issued. It is late from the
    day after so many days (`days_within`). While its date is unknown it asks for nothing."""

    example_words = ("owed", "not_owed")

    when: Condition
    since: Expression
    actions: tuple[str, ...]
    days_within: int
    template: str | None = None
    source: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None

    @property
    def path(self) -> str:
        """What stands for the path of an action that it asks for: no path has such a name."""
        return f"{self.kind} {self.name}"

    @property
    def named_facts(self) -> frozenset[str]:
        return self.when.expression.names | self.since.names

    def state_facts(self) -> Iterable[Fact]:
        for action in self.actions:
            words = f"{action} last issued on {{value}}"
            yield Fact(last_issued_fact(action), Kind.DATE, nullable=True, words=words)

    # SQL and the term of a proof, written independently of each other; on its effective dates

    def open_sql(self) -> str:
        """Whether it asks for an action, as true or false, over the columns of facts."""
        since = fact_sql(self.since)
        issued = [f"{fact_column(last_issued_fact(a))} >= {since}" for a in self.actions]
        begun = f"coalesce({since} <= as_of, false)"
        done = f"coalesce({' or '.join(issued)}, false)"
        return f"({condition_sql(self.when)} and {begun} and not {done})"

    def deadline_sql(self) -> str:
        """The last day on which one of its actions is in time."""
        return f"({fact_sql(self.since)} + {self.days_within})"

    def open_term(self, account: Account) -> Any:
        """Whether it asks for an action."""
        since, as_of = account.term(self.since), account.terms["as_of"]
        never_since = [
            negated(both(negated(last.unknown), last.value >= since.value))
            for last in (account.terms[last_issued_fact(a)] for a in self.actions)
        ]
        return both(
            within(self.effective_from, self.effective_to, account),
            condition_holds(self.when, account),
            negated(since.unknown),
            since.value <= as_of.value,
            *never_since,
        )

    def deadline_term(self, account: Account) -> Any:
        """The last day on which one of its actions is in time, where its date is known."""
        return account.term(self.since).value + self.days_within

    def parts(self) -> Mapping[str, object]:
        written = {"actions": "action", "days_within": "within"}
        return {written.get(name, name): part for name, part in super().parts().items()}

    def described(self) -> dict[str, Any]:
        """The rule in the JSON of `strategy show`."""
        texts = {"when": self.when.expression.text, "since": self.since.text}
        return {"name": self.name, **self.parts(), **texts}
