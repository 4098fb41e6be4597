"""What a run measured, worked out from its result: counts, control totals, drift, seconds."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

from riskseg.domain.problems import Problem, Problems
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import open_checked
from riskseg.results.control_totals import ControlTotals
from riskseg.results.metrics import RunMetric, RunMetrics, metric
from riskseg.results.models import Training
from riskseg.results.runs import Decisions, DriftFigure, Scores
from riskseg.results.worklist import Worklist
from riskseg.store.files import check_place as check_writable
from riskseg.store.files import write_beside

JSON, TEXT = ".json", (".prom", ".txt")
LAST_SUCCESS = "last_success_timestamp_seconds"
Measured = Decisions | Scores | Worklist | Training


def check_place(root: Path, place: Path) -> None:
    """Raise RS010 where metrics cannot be written to a file."""
    problems = Problems()
    check_output(open_checked(root), place, problems, (JSON, *TEXT))
    if not problems:
        check_writable(place, problems)
    problems.raise_if_any()


def may_replace(place: Path) -> bool:
    """Whether a file is free, or has metrics: what may be written where the workspace, which says
    what it needs, cannot be opened."""
    if not place.name.lower().endswith((JSON, *TEXT)):
        return False
    try:
        beginning = place.read_text(encoding="utf-8")[:200]
    except FileNotFoundError:
        return place.parent.is_dir()
    except (OSError, UnicodeDecodeError):
        return False
    return beginning.startswith("# TYPE riskseg_run") or '"command":' in beginning


def write(metrics: RunMetrics, place: Path) -> None:
    """Write metrics as JSON or as text, by the ending of the file; readers see all or nothing."""
    as_json = place.suffix.lower() == JSON
    text = f"{metrics.model_dump_json(indent=2)}\n" if as_json else metrics.as_openmetrics()
    with write_beside(place, token="metrics") as part:
        part.write_text(text, encoding="utf-8")


def metrics_of(
    command: str,
    result: Measured,
    seconds: Mapping[str, float],
    *,
    workspace: str | None,
    at: datetime,
) -> RunMetrics:
    """The metrics of a command that gave a result in a workspace, each of its stages having taken
    so many `seconds`; it ended `at`."""
    as_of = getattr(result, "as_of", None)
    run_id = getattr(result, "run_id", None)
    found = [*_of_run(run_id, 0, at), _last_success(at.timestamp())]
    if as_of is not None:
        midnight = datetime.combine(as_of, time(), UTC)
        found.append(
            metric(
                "as_of_timestamp_seconds",
                "The as-of date: its midnight in UTC, in seconds since 1970.",
                [({}, midnight.timestamp())],
                unit="seconds",
            )
        )
    found += [_of_stages(seconds), *_measured(result)]
    return _whole(command, workspace, at, found, as_of=as_of, run_id=run_id)


def metrics_of_failure(
    command: str,
    exit_code: int,
    problems: Iterable[Problem],
    seconds: Mapping[str, float],
    *,
    workspace: str | None,
    at: datetime,
    last_success: float | None,
) -> RunMetrics:
    """What is known of a command that ended `at` without a result: its exit code, its Problems by
    their codes, the seconds of the stages that it reached, and when it was done last, if that is
    known, in seconds since 1970."""
    counts = Counter(problem.code for problem in problems)
    of_problems = metric(
        "problems",
        "How many Problems of each code ended the command.",
        [({"code": code}, count) for code, count in sorted(counts.items())],
    )
    found = [*_of_run(None, exit_code, at)]
    if last_success is not None:
        found.append(_last_success(last_success))
    found += [_of_stages(seconds), of_problems]
    return _whole(command, workspace, at, found)


def last_success(place: Path, command: str) -> float | None:
    """When a command was done last, in seconds since 1970, as the metrics say that it wrote to a
    file; None where the file is not there, or says nothing of it."""
    try:
        text = place.read_text(encoding="utf-8")
        samples = _as_json(text) if place.suffix.lower() == JSON else _as_text(text)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    if samples.get("command") != command:
        return None
    value = samples.get(f"riskseg_{LAST_SUCCESS}")
    return float(value) if isinstance(value, int | float) else None


def _as_json(text: str) -> dict[str, object]:
    """The command of metrics as JSON, and the first value of each."""
    content = json.loads(text)
    values = {found["name"]: found["samples"][0]["value"] for found in content["metrics"]}
    return {"command": content["command"], **values}


def _as_text(text: str) -> dict[str, object]:
    """The command of metrics as text, and the last value of each."""
    command = re.search(r'^riskseg_run\{command="([^"]*)"', text, re.MULTILINE)
    values = re.findall(r"^(\w+)\{.*\} (\S+)$", text, re.MULTILINE)
    return {"command": command and command[1], **{name: float(value) for name, value in values}}


def _last_success(seconds: float) -> RunMetric:
    return metric(
        LAST_SUCCESS,
        "When the command was done last, in seconds since 1970. A run that failed keeps the value "
        "of the file that it replaces.",
        [({}, seconds)],
        unit="seconds",
    )


def _of_run(run_id: str | None, exit_code: int, at: datetime) -> Iterator[RunMetric]:
    labels = {} if run_id is None else {"run_id": run_id}
    yield metric("run", "What ran; the value is always 1.", [(labels, 1)])
    yield metric("exit_code", "The exit code of the command; 0 if it is done.", [({}, exit_code)])
    yield metric(
        "finished_timestamp_seconds",
        "When the command ended, done or not, in seconds since 1970.",
        [({}, at.timestamp())],
        unit="seconds",
    )


def _of_stages(seconds: Mapping[str, float]) -> RunMetric:
    return metric(
        "stage_seconds",
        "How long each stage took.",
        [({"stage": stage}, round(taken, 3)) for stage, taken in seconds.items()],
        unit="seconds",
    )


def _whole(
    command: str,
    workspace: str | None,
    at: datetime,
    found: Iterable[RunMetric],
    *,
    as_of: date | None = None,
    run_id: str | None = None,
) -> RunMetrics:
    return RunMetrics(
        command=command,
        workspace=workspace,
        as_of=as_of,
        run_id=run_id,
        finished_at=at,
        metrics=tuple(measured for measured in found if measured.samples),
    )


def _measured(result: Measured) -> Iterator[RunMetric]:
    match result:
        case Decisions():
            yield from _of_decisions(result)
        case Scores():
            yield from _of_scores(result)
        case Worklist():
            yield from _of_worklist(result)
        case Training():
            yield from _of_training(result)


def _of_decisions(decisions: Decisions) -> Iterator[RunMetric]:
    outlooks = [
        ({"segment": segment.segment, "outlook": outlook}, total)
        for segment in decisions.segments
        for outlook, total in segment.outlook.items()
    ]
    yield metric(
        "accounts",
        "The accounts that were decided, by segment and by what comes next for them.",
        [(labels, total.accounts) for labels, total in outlooks],
    )
    yield metric(
        "overdue",
        "What these accounts owe that is overdue, in the currency of the workspace.",
        [(labels, float(t.overdue)) for labels, t in outlooks if t.overdue is not None],
    )
    yield metric(
        "actions_due",
        "How often each action is due.",
        [({"action": action}, count) for action, count in decisions.actions.items()],
    )
    yield metric(
        "rows_set_apart",
        "The bad rows of each source, which were set apart.",
        [({"source": source}, count) for source, count in decisions.quarantined.items()],
    )
    yield metric(
        "feeds_accepted",
        "How many expectations of feeds were not met, and accepted.",
        [({}, len(decisions.accepted_feeds))],
    )
    yield metric(
        "activated", "1 if the strategy was in force, 0 if not.", [({}, decisions.activated)]
    )
    if decisions.control_totals is not None:
        yield from _of_control_totals(decisions.control_totals)
    yield from _of_drift(decisions.drift)


def _of_control_totals(totals: ControlTotals) -> Iterator[RunMetric]:
    yield metric(
        "source_rows",
        "The rows of each source: those read are those used and those set apart.",
        [
            ({"source": source, "state": state}, value)
            for source, rows in totals.rows.items()
            for state, value in rows.model_dump().items()
        ],
    )
    money: Mapping[str, Decimal] = {} if totals.money is None else totals.money.model_dump()
    yield metric(
        "money",
        "The money of the payments by what became of it, in the currency of the workspace.",
        [({"part": part}, float(amount)) for part, amount in money.items()],
    )
    overdue = {"account": totals.overdue_by_account, "segment": totals.overdue_by_segment}
    yield metric(
        "overdue_added_up",
        "What is overdue in all, added up by account and by segment; the two are equal.",
        [({"by": by}, float(sum_)) for by, sum_ in overdue.items() if sum_ is not None],
    )
    yield metric(
        "accounts_set_apart",
        "The accounts that were decided of which a row was set apart.",
        [({}, totals.accounts_set_apart)],
    )


def _of_drift(figures: Sequence[DriftFigure]) -> Iterator[RunMetric]:
    of_figures = [({"model": f.model, "of": f.feature or "probability"}, f) for f in figures]
    yield metric(
        "drift_psi",
        "The population stability index against training, at the same points of the billing cycle.",
        [(labels, figure.psi) for labels, figure in of_figures],
    )
    yield metric(
        "drift_differs",
        "1 where that is a shift beyond chance, 0 where not.",
        [(labels, figure.differs) for labels, figure in of_figures],
    )


def _of_scores(scores: Scores) -> Iterator[RunMetric]:
    yield metric("rows_written", "The rows that were written.", [({}, scores.rows)])
    yield metric(
        "scored",
        "How many rows have a probability of each model.",
        [
            ({"model": model, "version": scores.models[model]}, count)
            for model, count in scores.scored.items()
        ],
    )
    yield from _of_drift(scores.drift)


def _of_worklist(worklist: Worklist) -> Iterator[RunMetric]:
    yield metric(
        "worklist_actions",
        "The actions of the day: those on the list, how many of them need an approval, and how "
        "many more are due than the capacity of the day allows.",
        [
            ({"action": a.action, "channel": a.channel, "state": state}, count)
            for a in worklist.actions
            for state, count in (
                ("listed", a.listed),
                ("needs_approval", a.needs_approval),
                ("over_capacity", a.left),
            )
        ],
    )
    if worklist.issued is not None:
        yield metric(
            "issued_actions",
            "The actions of the list that stand in the journal as issued, how many of them are "
            "new, and how many were issued for the day before and are no longer due.",
            [
                ({"state": "issued"}, worklist.issued),
                ({"state": "new"}, worklist.new),
                ({"state": "no_longer_due"}, len(worklist.no_longer_due)),
            ],
        )
    yield metric("held_back", "Accounts left out for another action.", [({}, worklist.held_back)])
    yield metric(
        "duty_accounts",
        "The accounts of each duty: open, past the deadline, and with nothing done about it today.",
        [
            ({"duty": duty.duty, "state": state}, count)
            for duty in worklist.duties
            for state, count in (("open", duty.open), ("late", duty.late), ("left", duty.left))
        ],
    )


def _of_training(training: Training) -> Iterator[RunMetric]:
    of_models = [({"model": t.name, "version": t.version}, t) for t in training]
    yield metric(
        "trained_rows",
        "The rows that each model learned from, and those of its hold-out.",
        [
            ({**labels, "part": part}, counts.rows)
            for labels, trained in of_models
            for part, counts in (
                ("training", trained.summary.training),
                ("hold_out", trained.summary.hold_out),
            )
        ],
    )
    held = [(labels, trained.summary.metrics.hold_out) for labels, trained in of_models]
    yield metric(
        "model_auc",
        "The area under the ROC curve on the hold-out.",
        [(labels, m.auc) for labels, m in held if m is not None and m.auc is not None],
    )
    yield metric(
        "model_champion",
        "1 where the version is the champion now, 0 where not.",
        [(labels, trained.champion) for labels, trained in of_models],
    )
