"""`report`: every question about the segments answered, as one page or one workbook."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.insight.gathering import GatheringJob, why_unanswered
from riskseg.insight.insight import Insight, insights_into
from riskseg.insight.portfolio import Portfolio
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.report_sheets import sheets
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.results.insights.answer import Answer, InsightDay
from riskseg.results.insights.report import ReportSection, SegmentReport
from riskseg.store.files import write_beside
from riskseg.store.sinks.workbook import write_sheets
from riskseg.workspace import Workspace

ANSWER = Stage("answer", "every question")
WRITE = Stage("write", "the page or the workbook beside its place, then in it")

ENDINGS = (".html", ".htm", ".xlsx")


class _Reporting(GatheringJob):
    """What a run of `report` holds while it is carried out."""

    def __init__(
        self, workspace: Workspace, asked: Asked, out: Path | None, progress: Progress | None
    ) -> None:
        self.asking = insights_into(Portfolio)
        super().__init__(workspace, self.asking.values(), asked, progress)
        self.out = out

    def answer(self) -> None:
        portfolio = self.portfolio
        sections = tuple(map(self._section, self.asking.values()))
        self.done = SegmentReport(
            as_of=portfolio.as_of,
            compare=portfolio.compare,
            strategy=portfolio.strategy.name,
            days=tuple(map(InsightDay.model_validate, portfolio.days)),
            currency=portfolio.currency,
            scale=portfolio.scale,
            sections=sections,
            fuller=self._fuller(sections),
            notes=tuple(dict.fromkeys(self.notes)),
            place=None if self.out is None else str(self.out),
        )

    def _fuller(self, sections: Sequence[ReportSection]) -> str | None:
        """The command whose report answers more, where questions look back at days of which none,
        or too few, are decided."""
        looks_back = any("--months" in section.words() for section in sections)
        if self.asked.months or not looks_back:
            return None
        compare = f" --compare {self.asked.compare}" if self.asked.compare else ""
        out = f" --out {shlex.quote(str(self.out))}" if self.out else ""
        return f"riskseg report --as-of {self.asked.as_of}{compare} --months 12{out}"

    def _section(self, insight: Insight[Portfolio, Answer]) -> ReportSection:
        portfolio = self.portfolio
        command = f"riskseg insight {insight.name} --as-of {portfolio.as_of}"
        asked = self.asked
        if asked.compare or (insight.needs_earlier_day and portfolio.compare):
            command += f" --compare {portfolio.compare}"
        if asked.months:
            command += f" --months {asked.months}"
        unanswered = why_unanswered(insight, portfolio)
        absent = None
        if unanswered is not None:
            (reason,) = unanswered.problems
            absent = f"{reason.what} {reason.hint}"
        return ReportSection(
            name=insight.name,
            title=insight.name.replace("_", " ").capitalize(),
            question=insight.question,
            command=command,
            answer=insight.answer(portfolio) if unanswered is None else None,
            absent=absent,
        )

    def write(self) -> None:
        if self.out is None:
            return
        with write_beside(self.out, token="report") as part:
            if self.out.suffix.lower() == ".xlsx":
                write_sheets(part, sheets(self.done))
            else:
                from riskseg.report.segments import page

                part.write_text(page(self.done), encoding="utf-8")


def plan(root: Path) -> Plan:
    """What `report` carries out."""
    return _stages(open_checked(root))


def _stages(workspace: Workspace) -> Plan:
    gathering = _Reporting.gathering(workspace, insights_into(Portfolio).values())
    return [*gathering, ANSWER.by(_Reporting.answer), WRITE.by(_Reporting.write)]


def report(
    root: Path,
    asked: Asked,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
) -> SegmentReport:
    """Answer every question about the segments as of a date; `out` is a page (.html) or a workbook
    (.xlsx) to write it to.

    Days are as in :func:`riskseg.run.insight.insight`. Raises RS010 for an `out` that cannot be
    written, RS602 for a date of which nothing is known.
    """
    workspace = open_checked(root)
    problems = Problems()
    if out is not None:
        check_output(workspace, out, problems, ENDINGS)
    problems.raise_if_any()
    job = _Reporting(workspace, asked, out, progress)
    job.carry_out(_stages(workspace))
    return job.done
