"""What proving a strategy gives: one result a property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from riskseg.expressions.tree import Value

Verdict = Literal["proved", "refuted", "unproved"]
Claim = Literal[
    "one-row",
    "row-reached",
    "unknown-told",
    "one-path",
    "path-ends",
    "path-reached",
    "step-taken",
    "guard-holds",
    "hold-stops",
    "guard-used",
    "instead-lawful",
    "protection",
    "declared",
]
Account = Mapping[str, Value]

# Every claim there is, and how a person reads it. docs/guide/proofs.md tells more of each.
CLAIMS: Mapping[Claim, str] = {
    "one-row": "every account reaches exactly one row of the table",
    "row-reached": "some account reaches the row",
    "unknown-told": "the condition is never unknown: the file need not say what then",
    "one-path": "every account's segment leads to exactly one path",
    "path-ends": "the path and those it goes on to come to a last step",
    "path-reached": "some account is on the path",
    "step-taken": "some account gets the step's action",
    "guard-holds": "no action is emitted that the guard forbids, known or unknown",
    "hold-stops": "while the hold lasts nothing is emitted",
    "guard-used": "some account is one the guard protects",
    "instead-lawful": "no other guard forbids the action offered instead, and it is no harsher",
    "protection": "the flag, once true, never leads to a harsher action up to any day of the path",
    "declared": "the property holds for every account",
}


@dataclass(frozen=True)
class Result:
    """`claim` is what should hold for every account, `subject` the part of the strategy it is
    claimed of. `accounts` shows that it is not so: one, or two that should not
    differ as they do. `fault` is what is wrong, in words; `file` and `line` where to fix it."""

    claim: Claim
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
