"""`requirement`: an action is forbidden until what it needs is known to be so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskseg.expressions.smt import negated
from riskseg.rules.keys import ALWAYS, INSTEAD, Key, Text
from riskseg.rules.proof_account import Account
from riskseg.rules.rule import Entry, Restriction
from riskseg.rules.sql import fact_sql

OF = Key(
    "of", str | list[str], "requirement: the action; contact_rule: the action, or a list of actions"
)
NEEDS = Key("needs", Text, "requirement: the condition; unknown counts as not met")


class Requirement(Restriction):
    """Forbids the action `of` unless what it `needs` is surely so: `when` is the need, and the
    rule is in force where it is false or unknown."""

    kind = "requirement"
    words = "its name: an action that needs something"
    called = "requirement"
    needs = (OF, NEEDS)
    takes = (INSTEAD, *ALWAYS)
    in_packs = True
    condition = NEEDS

    @classmethod
    def named_actions(
        cls, values: Mapping[str, Any]
    ) -> Sequence[tuple[str, tuple[str | int, ...]]]:
        of = values.get(OF.name) or ()
        if isinstance(of, str):
            return [(of, (OF.name,))]
        return [(action, (OF.name, n)) for n, action in enumerate(of)]

    @classmethod
    def unknown_counts(cls, entry: Entry) -> bool:
        return False

    def in_force_sql(self) -> str:
        return f"not coalesce({fact_sql(self.when.expression)}, false)"

    def doubt_sql(self) -> str | None:
        if not self.when.expression.type.nullable:
            return None
        return f"({fact_sql(self.when.expression)}) is null"

    def in_force_term(self, account: Account) -> Any:
        return negated(account.term(self.when.expression).true)

    @property
    def condition_text(self) -> str:
        return f"not ({self.when.expression.explained})"

    def parts(self) -> Mapping[str, object]:
        written = {"when": NEEDS.name, "never": OF.name}
        parts = {written.get(name, name): part for name, part in super().parts().items()}
        return {**parts, NEEDS.name: self.when.expression}
