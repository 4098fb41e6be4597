"""What `insight` gives: a question about segments, answered."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import pyarrow as pa
from pydantic import SerializeAsAny, WithJsonSchema

from riskseg.domain.words import counted
from riskseg.results.base import Result
from riskseg.results.insights.answer import Answer, InsightDay
from riskseg.results.runs import Written


class InsightRows(Written):
    """The first table of an answer."""

    def _title(self) -> str:
        return f"{counted(self.rows, 'row')} in {self.place}."


class InsightResult(Result):
    """A question about the segments, answered."""

    name: str
    question: str
    as_of: date
    days: tuple[InsightDay, ...]
    """The days that the answer is made from, the last of them the as-of date."""
    currency: str
    scale: int
    """The decimals of an amount."""
    answer: Annotated[SerializeAsAny[Answer], WithJsonSchema({"type": "object"})]
    """Its keys are those of the question."""
    notes: tuple[str, ...]
    rows: InsightRows | None = None
    """The first table, where it was written or kept in memory."""

    def _title(self) -> str:
        return f"{self.question}\n{self.answer.words()}"

    def to_arrow(self) -> pa.Table:
        """The first table of the answer."""
        rows = next(iter(self.answer.tables().values()), ())
        return pa.Table.from_pylist([row.model_dump() for row in rows])
