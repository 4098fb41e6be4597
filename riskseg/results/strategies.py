"""What asking of a strategy gives: checked, tested, proved, activated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import pyarrow as pa
from pydantic import Field

from riskseg.domain.decision import OUTCOMES
from riskseg.domain.words import counted
from riskseg.results.base import (
    Cells,
    PartOfDecision,
    ProblemField,
    Result,
    Rows,
    Scalar,
    Single,
    records,
)
from riskseg.results.part import Part

ProofVerdict = Literal["proved", "refuted", "unproved"]


class StrategyVersion(Part):
    """A strategy's name, and a hash of its content."""

    name: str
    version: str


class IdleRule(Part):
    """A pack's rule that does not apply: no action of the strategy is of these kinds."""

    rule: str
    kinds: tuple[str, ...]


class PackInUse(Part):
    """A guard pack: the rules that apply, and those that speak of kinds of action the strategy has
    none of."""

    name: str
    applying: tuple[str, ...]
    idle: tuple[IdleRule, ...]


class StrategyCheck(Single):
    """A strategy that was checked without a Problem."""

    strategy: str
    version: str
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    notes: tuple[str, ...]
    packs: tuple[PackInUse, ...]
    problems: tuple[ProblemField, ...] = ()
    """Always empty: with Problems there is no result."""

    def _title(self) -> str:
        head = f"{self.strategy} {self.version}: no problems."
        return "\n".join([head, *without_data(self.from_data), *self.notes])


class EditorSchema(Part):
    """The JSON Schema of one file of a strategy."""

    file: str
    """The file of a strategy that it is about; `packs/*.yaml` are guard packs of one's own."""
    path: str
    """Where the schema was written."""


class EditorSchemas(Result):
    """JSON Schemas for editors that were written."""

    schemas: tuple[EditorSchema, ...]
    vs_code: Mapping[str, Mapping[str, str]]
    """What `.vscode/settings.json` needs to hold, so that the editor uses them."""

    def to_arrow(self) -> pa.Table:
        """The schemas: file, path."""
        return records({"file": pa.string(), "path": pa.string()}, self.schemas)

    def _title(self) -> str:
        return f"{counted(len(self.schemas), 'schema')} written."


class TestedExample(Part):
    """An example and what is decided for it."""

    example: str
    decision: PartOfDecision | None
    """Null where one of the strategy's examples is faulty: then none is decided."""
    as_expected: bool | None
    """Null where it was not decided, and has no fault of its own."""


class TestedPackExample(Part):
    """An account just inside a rule of a pack, or just outside it."""

    guard: str
    example: str
    forbidden: bool
    """Whether the guard should forbid its actions there; of a duty, whether it should be owed."""
    as_expected: bool


class StrategyTest(Result):
    """A strategy's examples, decided by the SQL that decides real accounts."""

    strategy: str
    version: str
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    examples: tuple[TestedExample, ...]
    pack_examples: tuple[TestedPackExample, ...]
    problems: tuple[ProblemField, ...]
    """A Problem for each example that does not come out as expected."""

    def to_arrow(self) -> pa.Table:
        """example, as_expected, segment, path, action."""
        columns = {"example": pa.string(), "as_expected": pa.bool_()}
        outcomes = dict.fromkeys(OUTCOMES, pa.string())
        return records(
            columns | outcomes,
            (
                {"example": e.example, "as_expected": e.as_expected}
                | {name: e.decision and e.decision[name] for name in outcomes}
                for e in self.examples
            ),
        )

    def _title(self) -> str:
        title_lines = [f"{self.strategy} {self.version}: {counted(len(self.examples), 'example')}."]
        return "\n".join([*title_lines, *without_data(self.from_data), *map(str, self.problems)])


class ProofResult(Part):
    """A property, and what was found of it."""

    claim: str
    """The kind of property."""
    subject: str
    """The part of the strategy it is claimed of."""
    verdict: ProofVerdict
    fault: str
    """What is wrong, in words."""
    accounts: tuple[Mapping[str, Scalar], ...]
    """The account that breaks it, or two that should not differ as they do."""
    file: str | None
    line: int | None

    @property
    def name(self) -> str:
        return f"{self.claim} {self.subject}"


class ProofNote(Part):
    """What is no fault and worth knowing: where the order of rows decides, and for whom."""

    subject: str
    what: str
    file: str | None
    line: int | None


class ProofResults(Part):
    """Every property by itself."""

    results: tuple[ProofResult, ...]
    notes: tuple[ProofNote, ...]

    @property
    def verdict(self) -> ProofVerdict:
        """The worst: a refuted property outweighs an unproved one."""
        if self.of("refuted"):
            return "refuted"
        return "unproved" if self.of("unproved") else "proved"

    def of(self, verdict: ProofVerdict) -> tuple[ProofResult, ...]:
        return tuple(result for result in self.results if result.verdict == verdict)


class StrategyProof(Result):
    """What is proved of a strategy for every account there could be; a row for each property."""

    strategy: StrategyVersion
    verdict: ProofVerdict
    """The worst of all properties."""
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    granted: tuple[str, ...]
    """What was assumed of every account, in words."""
    proofs: ProofResults
    decisions: Mapping[str, tuple[PartOfDecision, ...]]
    """What is decided for the accounts of each result that has any, by its claim and subject."""
    margin: str = Field(default="  ", exclude=True)
    """What entries of the strategy's examples.yaml begin with."""

    def to_arrow(self) -> pa.Table:
        """The properties: claim, subject, verdict, fault, file, line."""
        columns = dict.fromkeys(("claim", "subject", "verdict", "fault", "file"), pa.string())
        return records(columns | {"line": pa.int64()}, self.proofs.results)

    def _title(self) -> str:
        count = len(self.proofs.results)
        parts = [f"{len(self.proofs.of(v))} {v}" for v in ("proved", "refuted", "unproved")]
        head = f"{self.strategy.name} {self.strategy.version}: of {count} properties "
        return "\n".join([head + ", ".join(parts) + ".", *without_data(self.from_data)])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """What is not proved."""
        faults = [*self.proofs.of("refuted"), *self.proofs.of("unproved")]
        rows = [(r.verdict, r.claim, r.subject, r.fault, f"{r.file}:{r.line}") for r in faults]
        return ("verdict", "claim", "subject", "fault", "where"), rows


class Proof(Part):
    """How many properties were proved before an activation, and which were not."""

    proved: int
    unproved: tuple[str, ...]


class Activation(Single):
    """A strategy that was put in force."""

    name: str
    version: str
    effective_from: date
    by: str
    new: bool
    """False where the version was in force from that date on already."""
    proof: Proof
    notes: tuple[str, ...]

    def _title(self) -> str:
        already = "" if self.new else " already"
        holds = f"is in force from {self.effective_from}{already}, by {self.by}."
        return "\n".join([f"{self.name} {self.version} {holds}", *self.notes])


class ActivationEntry(Part):
    """One activation, as the journal has it."""

    name: str
    version: str
    effective_from: date
    at: datetime
    by: str
    proof: Proof
    reason: str
    superseded: bool
    """Whether a later one, from the same day or an earlier one, leaves it no day."""


class Activations(Rows[ActivationEntry]):
    """Every activation, the latest first."""

    def to_arrow(self) -> pa.Table:
        """name, version, effective_from, at, by, reason, superseded."""
        columns = {"name": pa.string(), "version": pa.string(), "effective_from": pa.date32()}
        columns |= {"at": pa.timestamp("s", "UTC"), "by": pa.string(), "reason": pa.string()}
        return records(columns | {"superseded": pa.bool_()}, self)

    def _title(self) -> str:
        return f"{counted(len(self), 'activation')}."


def without_data(from_data: bool) -> list[str]:
    if from_data:
        return []
    return ["Without data: facts are those that riskseg declares and the rules expect."]
