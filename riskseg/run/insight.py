"""`insight`: one question about the segments, answered from the journal's runs and the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.insight.gathering import GatheringJob, why_unanswered
from riskseg.insight.insight import Insight, insights_into
from riskseg.insight.portfolio import Portfolio
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.results.insights.answer import Answer, InsightDay
from riskseg.results.insights.result import InsightResult, InsightRows
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory
from riskseg.workspace import Workspace

ANSWER = Stage("answer", "the question")
WRITE = Stage("write", "the first table of the answer, where it is asked for")


class _Asking(GatheringJob):
    """What a run of `insight` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        insight: Insight[Portfolio, Answer],
        asked: Asked,
        target: str | InMemory | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(workspace, [insight], asked, progress)
        self.insight, self.target = insight, target
        self.rows: InsightRows | None = None

    def answer(self) -> None:
        insight, portfolio = self.insight, self.portfolio
        if (unanswered := why_unanswered(insight, portfolio)) is not None:
            raise unanswered
        self.done = InsightResult(
            name=insight.name,
            question=insight.question,
            as_of=portfolio.as_of,
            days=tuple(map(InsightDay.model_validate, portfolio.days)),
            currency=portfolio.currency,
            scale=portfolio.scale,
            answer=insight.answer(portfolio),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def write(self) -> None:
        if self.target is None:
            return
        table = self.done.to_arrow()
        written = sinks.write(
            self.target,
            table.schema,
            table.to_batches(),
            token=f"insight-{self.asked.as_of}",
            dated=Dated(self.asked.as_of),
        )
        rows = InsightRows(place=written.place, rows=written.rows, sha256=written.sha256)
        rows.holding(self.target)
        self.done = self.done.model_copy(update={"rows": rows})


def plan(root: Path, name: str) -> Plan:
    """What `insight` carries out. Raises RS642 for a question that is not known."""
    return _stages(open_checked(root), _known(name))


def _stages(workspace: Workspace, insight: Insight[Portfolio, Answer]) -> Plan:
    gathering = _Asking.gathering(workspace, [insight])
    return [*gathering, ANSWER.by(_Asking.answer), WRITE.by(_Asking.write)]


def _known(name: str) -> Insight[Portfolio, Answer]:
    known: dict[str, Insight[Any, Any]] = insights_into(Portfolio)
    if name not in known:
        raise problem(
            "RS642",
            f'There is no question "{name}".',
            hint=did_you_mean(name, known, otherwise=f"Ask one of these: {', '.join(known)}."),
        )
    return known[name]


def questions() -> dict[str, str]:
    """The questions that can be asked, by name."""
    return {name: insight.question for name, insight in insights_into(Portfolio).items()}


def insight(
    root: Path,
    name: str,
    asked: Asked,
    *,
    target: str | InMemory | None = None,
    progress: Progress | None = None,
) -> InsightResult:
    """Answer the question of that name about the accounts as of a date.

    The decisions are those of the journal's runs, the last 13 as-of dates. A day that is asked
    about and that no run decided is decided from the sources. `target` is where the first table of
    the answer is written. Raises RS642 for a question that is not known, RS643 where it needs an
    earlier day and there is none, RS010 for a target that cannot be written, RS602 for a date of
    which nothing is known.
    """
    asked_insight = _known(name)
    workspace = open_checked(root)
    problems = Problems()
    if isinstance(target, str):
        check_target(workspace, target, problems)
    problems.raise_if_any()
    job = _Asking(workspace, asked_insight, asked, target, progress)
    job.carry_out(_stages(workspace, asked_insight))
    return job.done
