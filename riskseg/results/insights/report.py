"""What `report` gives: every question about segments, answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

import pyarrow as pa
from pydantic import SerializeAsAny, WithJsonSchema

from riskseg.results.base import Result
from riskseg.results.insights.answer import Answer, InsightDay
from riskseg.results.part import Part


class ReportSection(Part):
    """A question of the report, with its answer."""

    name: str
    title: str
    question: str
    command: str
    """The command that gives the same."""
    answer: Annotated[SerializeAsAny[Answer] | None, WithJsonSchema({"type": ["object", "null"]})]
    """Its keys are those of the question; null where it cannot be answered."""
    absent: str | None
    """Why it is not answered, and what would answer it."""

    def words(self) -> str:
        """The answer in words, or why there is none."""
        return self.answer.words() if self.answer is not None else self.absent or ""


class SegmentReport(Result):
    """Every question about the segments, answered as of a date."""

    as_of: date
    compare: date | None
    """The earlier day that movement is seen from."""
    strategy: str
    """The name of the strategy in force."""
    days: tuple[InsightDay, ...]
    currency: str
    scale: int
    """The decimals of an amount."""
    sections: tuple[ReportSection, ...]
    notes: tuple[str, ...]
    fuller: str | None = None
    """The command whose report answers more, where questions look back at days of which none, or
    too few, are decided; null where there is none."""
    place: str | None = None
    """Where it was written."""

    def _title(self) -> str:
        return f"{self.strategy}: segments as of {self.as_of}, {len(self.sections)} questions."

    def unanswered(self) -> Mapping[str, Sequence[ReportSection]]:
        """The questions that are not answered, by why they are not."""
        questions: dict[str, list[ReportSection]] = {}
        for section in self.sections:
            if section.absent is not None:
                questions.setdefault(section.absent, []).append(section)
        return questions

    def to_arrow(self) -> pa.Table:
        """A row for each question: its name, and its answer in words."""
        return pa.Table.from_pylist(
            [
                {
                    "name": section.name,
                    "question": section.question,
                    "answer": section.words(),
                }
                for section in self.sections
            ]
        )
