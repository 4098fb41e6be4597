"""What is proposed: for each table of the contract its file, for each column what fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from riskseg.sources.matching.found import Found

# From this confidence on, a proposal is written as a line that holds; below, a person decides.
SURE = 0.8


@dataclass(frozen=True)
class ColumnProposal:
    """What may fill a column: an expression, how likely it is right (0 to 1) and why; `options` are
    other columns that may be meant. Without an expression nothing was found."""

    column: str
    expression: str | None
    confidence: float
    why: str
    needed: bool = False
    options: tuple[str, ...] = ()
    header: str | None = None

    @property
    def decided(self) -> bool:
        return self.expression is not None and self.confidence >= SURE

    def doubted(self, confidence: float, why: str) -> ColumnProposal:
        """The same, less certain: for evidence against it."""
        return replace(self, confidence=min(self.confidence, confidence), why=why)


@dataclass(frozen=True)
class TableProposal:
    """A table of the contract, the file that it is found in, and its columns. `decided` is false
    where whether to load it at all is a person's decision, `from_decided` where the `from` is one;
    `note` says why, or what to mind. `kinds` are those of attributes that are texts
    and hold numbers."""

    table: str
    found: Found
    loaded_from: str
    columns: Mapping[str, ColumnProposal]
    decided: bool = True
    from_decided: bool = True
    note: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)

    def with_column(self, proposal: ColumnProposal) -> TableProposal:
        return replace(self, columns={**self.columns, proposal.column: proposal})


@dataclass(frozen=True)
class Proposal:
    """All that is proposed for a workspace. `unused` are the tables that were found and are not
    read, each with the reason."""

    tables: Mapping[str, TableProposal]
    unused: tuple[tuple[str, str], ...] = ()
    url: str | None = None
    layout: str | None = None
    folder: str | None = None
    currency: str | None = None
    scale: int = 2
    notes: tuple[str, ...] = field(default=())
