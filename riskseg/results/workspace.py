"""What a workspace gives: begun, generated, checked, its facts, the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa

from riskseg.domain.facts import Kind, glossed
from riskseg.domain.words import counted
from riskseg.results.base import (
    Cells,
    ProblemField,
    Result,
    Rows,
    Scalar,
    Single,
    cell,
    records,
)
from riskseg.results.matching import MatchedTable
from riskseg.results.models import TrainedModel
from riskseg.results.part import Part
from riskseg.results.runs import Decisions


class NewWorkspace(Single):
    """A workspace that was begun: the files that were written, by their place in its folder."""

    folder: str
    written: tuple[str, ...]
    layout: str | None = None
    """The layout that was recognised, of `init --from`."""
    matched: tuple[MatchedTable, ...] = ()
    """The tables that were found, of `init --from`."""
    not_read: tuple[str, ...] = ()
    """What `init --from` found and does not read, or did not find, each with the reason."""

    def _title(self) -> str:
        return f"{self.folder}: {counted(len(self.written), 'file')}."


class Portfolio(Single):
    """A generated portfolio."""

    folder: str
    files: tuple[str, ...]

    def _title(self) -> str:
        return f"{self.folder}: {', '.join(self.files)}."


class Check(Result):
    """What `check` found: the rows that were read, and a row for each Problem."""

    rows: Mapping[str, int]
    """The rows of each table."""
    bad: Mapping[str, int]
    """The bad rows among them."""
    models: tuple[str, ...]
    strategy: str | None
    default_values: Mapping[str, Scalar]
    """The value that stands for each fact the workspace lacks."""
    problems: tuple[ProblemField, ...]
    notes: tuple[str, ...] = ()
    last_day: date | None = None
    """The last day on which anything of the sources became known; null where nothing is dated."""

    def to_arrow(self) -> pa.Table:
        """The Problems: code, kind, file, line, what, hint."""
        columns = {"code": pa.string(), "kind": pa.string(), "file": pa.string()}
        columns |= {"line": pa.int64(), "what": pa.string(), "hint": pa.string()}
        return records(columns, (problem.as_dict() for problem in self.problems))

    def _title(self) -> str:
        read = ", ".join(f"{table}: {counted(n, 'row')}" for table, n in self.rows.items())
        count = counted(len(self.problems), "problem") if self.problems else "No problems"
        return "\n".join([*filter(None, [read]), *self.notes, f"{count}."])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        rows = [(p.code, p.where, p.what, p.hint) for p in self.problems]
        return ("code", "where", "what", "hint"), rows


class FactShown(Part):
    """A fact that a rule or a model may name: its type, what it means, and how it counts."""

    name: str
    kind: Kind
    nullable: bool
    levels: tuple[str, ...]
    lower: Decimal | None
    upper: Decimal | None
    words: str
    unit: str
    direction: int
    """1 where more is riskier, -1 where less is, 0 where nothing is declared."""
    family: str
    source: str
    static: bool
    """Whether it is known only as of today: models leave it out unless the spec lists it."""
    protected: bool
    seen: tuple[str, ...]
    """The texts that accounts hold today, where they are few."""
    labels: tuple[tuple[str, str], ...]
    special_values: tuple[float, ...]
    phrases: tuple[tuple[str, str], ...]
    risky_side: int
    hurts_beyond: float | None


class ListedFact(Part):
    """A fact of the catalogue or the data; `lacks` is the source it would need, null where it is
    available."""

    fact: FactShown
    window: str
    lacks: str | None


class FactList(Rows[ListedFact]):
    """Every fact that a rule may name, and the features that lack a source."""

    def to_arrow(self) -> pa.Table:
        """name, kind, window, direction, words, lacks."""
        columns = {"name": pa.string(), "kind": pa.string(), "window": pa.string()}
        columns |= {"direction": pa.int64(), "words": pa.string(), "lacks": pa.string()}
        return records(
            columns,
            (
                {
                    "name": listed.fact.name,
                    "kind": str(listed.fact.kind),
                    "window": listed.window,
                    "direction": listed.fact.direction,
                    "words": glossed(listed.fact.words),
                    "lacks": listed.lacks,
                }
                for listed in self
            ),
        )

    def _title(self) -> str:
        lacking = sum(listed.lacks is not None for listed in self)
        return f"{counted(len(self) - lacking, 'fact')} here, {cell(lacking)} that lack a source."


class Demo(Result):
    """The demo's workspace, the models it trained and the decisions it made."""

    folder: str
    models: tuple[TrainedModel, ...]
    assigned: Decisions

    def to_arrow(self) -> pa.Table:
        """The decisions, in the order of account ids."""
        return self.assigned.to_arrow()

    def _title(self) -> str:
        return f"{self.folder}: {counted(len(self.models), 'model')}.\n{self.assigned!r}"

    def _shown(self) -> tuple[Sequence[str], Cells]:
        return (), ()
