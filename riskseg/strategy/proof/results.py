"""What proving a strategy gives: one result a property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from riskseg.expressions.tree import Value
from riskseg.rules.rule import Restriction, registered

Verdict = Literal["proved", "refuted", "unproved"]
Account = Mapping[str, Value]

# What is claimed of the parts of a strategy that are no rules.
_TABLES_AND_PATHS = {
    "one-row": "every account reaches exactly one row of the table",
    "row-reached": "some account reaches the row",
    "unknown-stated": "the condition is never unknown: the file need not say what then",
    "one-path": "every account's segment leads to exactly one path",
    "path-ends": "the path and those it goes on to come to a last step",
    "path-reached": "some account is on the path",
    "step-taken": "some account gets the step's action",
    "closed-day": "no action that follows the calendar falls on a closed day",
}
_PROTECTION = {
    "protection": "the flag, once true, never leads to a harsher action up to any day of the path"
}
_PEOPLE = {
    "people-decide": "no significant action that is automatic depends on the flag, which is of a "
    "special category"
}


def claims() -> Mapping[str, str]:
    """Every claim there is, in the order in which they are shown, and how a person reads it.
    docs/guide/proofs.md explains each."""
    rule_kinds = registered().values()
    restrictions = [kind.claims for kind in rule_kinds if issubclass(kind, Restriction)]
    other_claims = [kind.claims for kind in rule_kinds if not issubclass(kind, Restriction)]
    claims_in_order = (_TABLES_AND_PATHS, *restrictions, _PROTECTION, _PEOPLE, *other_claims)
    return {
        claim_name: claim_words
        for part in claims_in_order
        for claim_name, claim_words in part.items()
    }


@dataclass(frozen=True)
class Result:
    """`claim` is what should hold for every account, `subject` the part of the strategy it is
    claimed of. `accounts` shows that it is not so: one, or two that should not
    differ as they do. `fault` is what is wrong, in words; `file` and `line` where to fix it."""

    claim: str
    subject: str
    verdict: Verdict
    fault: str = ""
    accounts: tuple[Account, ...] = ()
    file: str | None = None
    line: int | None = None

    @property
    def name(self) -> str:
        return f"{self.claim} {self.subject}"


@dataclass(frozen=True)
class Note:
    """What is no fault and worth knowing: rows whose order decides, what a last row takes."""

    subject: str
    what: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Proofs:
    results: tuple[Result, ...]
    notes: tuple[Note, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst: a refuted property outweighs an unproved one."""
        verdicts = {result.verdict for result in self.results}
        worst: Verdict = "unproved" if "unproved" in verdicts else "proved"
        return "refuted" if "refuted" in verdicts else worst

    def of(self, verdict: Verdict) -> tuple[Result, ...]:
        return tuple(r for r in self.results if r.verdict == verdict)
