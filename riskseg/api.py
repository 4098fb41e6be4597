"""The public Python API: a workspace, a strategy by itself, and what their methods return.

Each method is one call into `run/`. What a call returns is what the use case returns, and its rows
besides: `.to_arrow()`, `.to_pandas()`, and a small table where it is shown. What is wrong with the
input is raised as a `ProblemsError`; an argument that cannot be used, as a `ValueError`.
"""

from __future__ import annotations

import getpass
import html
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.words import counted, is_one_line
from riskseg.pipeline.account_story import Story
from riskseg.pipeline.decisions import Reasons
from riskseg.pipeline.proving import SECONDS, Proven
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_versions import found
from riskseg.run import assign as run_assign
from riskseg.run import check as run_check
from riskseg.run import compare as run_compare
from riskseg.run import explain as run_explain
from riskseg.run import models as run_models
from riskseg.run import prove as run_prove
from riskseg.run import rules as run_rules
from riskseg.run import score as run_score
from riskseg.run import train as run_train
from riskseg.store.files import sha256_of
from riskseg.store.sinks import InMemory
from riskseg.workspace import find, open_workspace

if TYPE_CHECKING:
    import pandas as pd

Day = date | str
Place = str | os.PathLike[str]
Cells = Sequence[Sequence[object]]

# As many rows as are shown of a table that may have any number.
SHOWN = 10

_log = logging.getLogger("riskseg")


def open(folder: Place | None = None) -> Workspace:
    """Open the workspace in a folder; without one, the nearest upward from where you are.

    Raises RS001 where there is none. The workspace is read anew by every call of a method.
    """
    root = find(Path.cwd()) if folder is None else Path(folder).resolve()
    problems = Problems()
    open_workspace(root, problems)
    # What else is wrong is for `check` to say.
    missing = [p for p in problems if p.code == "RS001"]
    if missing:
        raise ProblemsError(missing)
    return Workspace(root)


class Table(ABC):
    """A result that has rows: as Arrow, as pandas, as text and as HTML."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame; amounts and probabilities stay exact decimals."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    @abstractmethod
    def _title(self) -> str:
        """What it is, in a sentence or a few, one a line."""

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """The columns and rows that are shown."""
        table = self.to_arrow()
        return table.column_names, [[*row.values()] for row in table.slice(0, SHOWN).to_pylist()]

    def __repr__(self) -> str:
        columns, rows = self._shown()
        return f"{self._title()}\n{_as_text(columns, rows)}" if rows else self._title()

    def _repr_html_(self) -> str:
        columns, rows = self._shown()
        return _as_html(self._title(), columns, rows)


@dataclass(frozen=True)
class _Written:
    """The rows that a run wrote: in memory, or to a file whose bytes had this hash."""

    place: str
    sha256: str | None
    memory: InMemory

    @property
    def readable(self) -> bool:
        return self.memory.parquet is not None or self.place.lower().endswith(".parquet")

    def file(self) -> pq.ParquetFile:
        if self.memory.parquet is not None:
            return pq.ParquetFile(pa.BufferReader(self.memory.parquet))
        if not self.readable:
            raise ValueError(
                f"The rows are in {self.place}: read them there, or leave `out` out, or name a "
                ".parquet file."
            )
        place = Path(self.place)
        if not place.is_file() or sha256_of(place) != self.sha256:
            raise problem(
                "RS610",
                "The rows are not there any more as they were written.",
                file=self.place,
                hint="Run it again, without `out` to keep the rows in memory.",
            )
        return pq.ParquetFile(place)


@dataclass(frozen=True, repr=False, eq=False)
class Decisions(Table, run_assign.Assigned):
    """The decisions of a run, one for each account, and its totals by segment."""

    written: _Written = field(kw_only=True)

    def to_arrow(self) -> pa.Table:
        """The decisions, a row for each account, in the order of account ids."""
        return self.written.file().read()

    def _title(self) -> str:
        activated = "" if self.activated else ", not activated"
        return (
            f"{self.strategy.name} as of {self.as_of}: {counted(self.rows, 'decision')} in "
            f"{self.place} (run {self.run_id}{activated})."
        )

    def _shown(self) -> tuple[Sequence[str], Cells]:
        columns = ("segment", "accounts", f"overdue ({self.currency})", *filter(None, [self.of]))
        rows = [
            [s.segment, s.accounts, s.overdue, *([s.mean] if self.of else ()), s.due]
            for s in self.segments
        ]
        return (*columns, "due today"), rows


@dataclass(frozen=True, repr=False, eq=False)
class Scores(Table, run_score.Scores):
    """The probabilities of a run, one for each account and model."""

    written: _Written = field(kw_only=True)

    def to_arrow(self) -> pa.Table:
        """The probabilities, a row for each account, with the version that gave each."""
        return self.written.file().read()

    def _title(self) -> str:
        scored = ", ".join(f"p_{name}: {count:,} scored" for name, count in self.scored.items())
        return f"{counted(self.rows, 'row')} in {self.place}. {scored}."

    def _shown(self) -> tuple[Sequence[str], Cells]:
        if not self.written.readable:
            return (), ()
        file = self.written.file()
        batch = next(file.iter_batches(SHOWN), None)
        rows = [] if batch is None else [[*row.values()] for row in batch.to_pylist()]
        return file.schema_arrow.names, rows


class Check(Table, run_check.Checked):
    """What `check` found: the rows that were read, and a row for each Problem."""

    def to_arrow(self) -> pa.Table:
        """The Problems: code, kind, file, line, what, hint."""
        columns = {"code": pa.string(), "kind": pa.string(), "file": pa.string()}
        columns |= {"line": pa.int64(), "what": pa.string(), "hint": pa.string()}
        return _records(columns, (p.as_dict() for p in self.problems))

    def _title(self) -> str:
        read = ", ".join(f"{table}: {counted(n, 'row')}" for table, n in self.rows.items())
        count = counted(len(self.problems), "problem") if self.problems else "No problems"
        return "\n".join([*filter(None, [read]), *self.notes, f"{count}."])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        rows = [(p.code, p.where, p.what, p.hint) for p in self.problems]
        return ("code", "where", "what", "hint"), rows


class Training(Table, tuple[run_train.Kept, ...]):
    """The versions that were trained, a row for each model."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, auc (on the hold-out), champion, champion_version."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"auc": pa.float64(), "champion": pa.bool_(), "champion_version": pa.string()}
        return _records(
            columns,
            (
                {
                    "model": kept.name,
                    "version": kept.version,
                    "learner": kept.summary["learner"],
                    "auc": (kept.summary["metrics"]["hold_out"] or {}).get("auc"),
                    "champion": kept.champion,
                    "champion_version": kept.champion_version,
                }
                for kept in self
            ),
        )

    def _title(self) -> str:
        return f"{counted(len(self), 'model')} trained."


class Explanation(Table, Story):
    """One account's decision and what led to it; its rows are the rules that matched."""

    def to_arrow(self) -> pa.Table:
        """The rows of the strategy that matched: table, result, row, text, line."""
        columns = {"table": pa.string(), "result": pa.string(), "row": pa.string()}
        columns |= {"text": pa.string(), "line": pa.int64()}
        return _records(columns, (vars(one) for one in self.matched))

    def _title(self) -> str:
        d = self.decision
        lines = [
            f"{d['account_id']} as of {d['as_of']}: {d['lifecycle']}, segment {d['segment']}, "
            f"path {d['path']}, action {d['action']}."
        ]
        for score in self.scores:
            p = "none" if score.p is None else f"{100 * score.p:.2f}%"
            lines.append(f"{score.key}: {p} ({score.model} {score.version})")
            lines += [f"  {reason.contribution:+.2f}  {reason.words}" for reason in score.reasons]
        guards = [guard.name for guard in self.guards if guard.state != "not in force"]
        lines += [f"Guards in force: {', '.join(guards)}."] if guards else []
        return "\n".join([*lines, *self.notes])


class Versions(Table, tuple[run_models.Version, ...]):
    """Every trained version, the latest first."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, champion, at, auc (on the hold-out), there."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"champion": pa.bool_(), "at": pa.timestamp("s", "UTC"), "auc": pa.float64()}
        return _records(columns | {"there": pa.bool_()}, (vars(one) for one in self))

    def _title(self) -> str:
        return f"{counted(len(self), 'version')}."


class ModelSummary(Table, dict[str, Any]):
    """What a version is and how good it is; its rows are the features, the strongest first."""

    def to_arrow(self) -> pa.Table:
        """The features: feature, words, direction."""
        columns = {"feature": pa.string(), "words": pa.string(), "direction": pa.string()}
        return _records(columns, ({name: f[name] for name in columns} for f in self["features"]))

    def _title(self) -> str:
        auc = (self["metrics"]["hold_out"] or {}).get("auc")
        lines = [f"{self['name']} {self['version']}: {self['question'] or self['predicts']}"]
        lines.append(f"{self['learner']}, AUC {_cell(auc)} on the hold-out.")
        verdict = self["verdict"]
        said = [verdict.ranking, verdict.calibration, verdict.certainty]
        lines += [*filter(None, said)]
        lines.append("It is the champion." if self["champion"] else "It is not the champion.")
        return "\n".join(lines)


class Comparison(Table, dict[str, Any]):
    """Two versions on accounts that neither learned from; its rows are the metrics."""

    def to_arrow(self) -> pa.Table:
        """metric, first, second; and the difference with its interval (low, high)."""
        first, second = (model["metrics"] for model in self["models"])
        columns = {"metric": pa.string(), "first": pa.float64(), "second": pa.float64()}
        columns |= dict.fromkeys(("difference", "low", "high"), pa.float64())
        return _records(
            columns,
            (
                dict(
                    zip(
                        columns,
                        (name, first[name], second[name], *(interval or (None,) * 3)),
                        strict=True,
                    )
                )
                for name, interval in self["difference"].items()
            ),
        )

    def _title(self) -> str:
        first, second = self["names"]
        rows = counted(self["rows"], "row")
        return "\n".join([f"{second} beside {first}, on {rows}.", *self["notes"]])


class StrategyCheck(Table, run_rules.Shown):
    """A strategy that was checked without a Problem; its rows are those of the segments' table."""

    def to_arrow(self) -> pa.Table:
        """The table of segments: row, the bands and tiers it matches on, segment."""
        columns = ("row", *self.strategy.columns, "segment")
        return _records(
            dict.fromkeys(columns, pa.string()),
            (
                dict(zip(columns, (r.id, *map(_levels, r.cells), r.segment), strict=True))
                for r in self.strategy.rows
            ),
        )

    def _title(self) -> str:
        head = f"{self.strategy.name} {self.strategy.fingerprint}: no problems."
        return "\n".join([head, *_without_data(self.from_data), *self.strategy.notes])


class StrategyTest(Table, run_rules.Tested):
    """A strategy's examples, decided; `problems` are those that are not as expected."""

    def to_arrow(self) -> pa.Table:
        """example, as_expected, segment, path, action. Without rows where an example is faulty."""
        columns = {"example": pa.string(), "as_expected": pa.bool_()}
        columns |= dict.fromkeys(("segment", "path", "action"), pa.string())
        failed = {(p.file, p.line) for p in self.problems}
        decided = zip(self.strategy.examples, self.decisions, strict=False)
        return _records(
            columns,
            (
                {
                    "example": example.name,
                    "as_expected": (example.file, example.line) not in failed,
                    **{name: decision[name] for name in ("segment", "path", "action")},
                }
                for example, decision in decided
            ),
        )

    def _title(self) -> str:
        examples = counted(len(self.strategy.examples), "example")
        lines = [f"{self.strategy.name} {self.strategy.fingerprint}: {examples}."]
        return "\n".join([*lines, *_without_data(self.from_data), *map(str, self.problems)])


class StrategyProof(Table, Proven):
    """What is proved of a strategy for every account there could be; a row for each property."""

    @property
    def verdict(self) -> str:
        """The worst of all properties: refuted, unproved or proved."""
        return self.proofs.verdict

    def to_arrow(self) -> pa.Table:
        """The properties: claim, subject, verdict, fault, file, line."""
        columns = dict.fromkeys(("claim", "subject", "verdict", "fault", "file"), pa.string())
        columns |= {"line": pa.int64()}
        return _records(
            columns, ({name: vars(r)[name] for name in columns} for r in self.proofs.results)
        )

    def _title(self) -> str:
        count = len(self.proofs.results)
        parts = [f"{len(self.proofs.of(v))} {v}" for v in ("proved", "refuted", "unproved")]
        head = f"{self.strategy.name} {self.strategy.fingerprint}: of {count} properties "
        return "\n".join([head + ", ".join(parts) + ".", *_without_data(self.from_data)])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """What is not proved."""
        faults = [*self.proofs.of("refuted"), *self.proofs.of("unproved")]
        rows = [(r.verdict, r.claim, r.subject, r.fault, f"{r.file}:{r.line}") for r in faults]
        return ("verdict", "claim", "subject", "fault", "where"), rows


class Workspace:
    """A workspace. An as-of date is a `date` or text such as "2026-06-30"; `at`, the time that the
    journal keeps, is now unless it is given."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f'riskseg.open("{self.root}")'

    @property
    def models(self) -> Models:
        """The trained versions of its models."""
        return Models(self.root)

    def strategy(self, name: str | None = None) -> Strategy:
        """Its strategy; or the one in a folder, or the version in the journal, that is named."""
        return Strategy(self.root, name, self.root)

    def check(self) -> Check:
        """Check the data contract, the specs and the strategy. Writes nothing, raises no Problem:
        `problems` holds all that were found."""
        return Check(**vars(run_check.check(self.root, progress=_progress())))

    def train(
        self,
        *models: str,
        as_of: Day | None = None,
        only: str | None = None,
        promote: bool = False,
        at: datetime | None = None,
    ) -> Training:
        """Train the models that are named, or all; with `as_of`, from what was known by that day.

        `only` names one learner of the spec. The first version of a model becomes the champion,
        unless it ranks barely better than chance; a later one where `promote` is set.
        """
        kept = run_train.train(
            self.root,
            models,
            at=_at(at),
            only=only,
            as_of=None if as_of is None else _day(as_of),
            promote=promote,
            progress=_progress(),
        )
        return Training(kept)

    def score(
        self,
        *models: str,
        as_of: Day,
        out: Place | None = None,
        accounts_from: Place | None = None,
    ) -> Scores:
        """A probability for each account and model that is named, or each trained model.

        The rows stay in memory, or are written to `out`. `accounts_from` is a file of accounts to
        read instead of the workspace's own.
        """
        memory = InMemory()
        done = run_score.score(
            self.root,
            _day(as_of),
            memory if out is None else str(out),
            names=models,
            accounts_from=None if accounts_from is None else Path(accounts_from),
            progress=_progress(),
        )
        return Scores(**vars(done), written=_Written(done.place, done.sha256, memory))

    def assign(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        reasons: Reasons = "due",
        keep: bool = True,
        draft: bool = False,
        accounts_from: Place | None = None,
        at: datetime | None = None,
    ) -> Decisions:
        """Decide every account and journal the run.

        The decisions stay in memory, or are written to `out`: a file or a database's table.
        `reasons` are worked out for accounts with an action "due", for "all", or for "none". `keep`
        what replay needs. A `draft` is decided by the folder's strategy, whatever is in force.
        """
        if reasons not in get_args(Reasons):
            raise ValueError(f"reasons is one of {', '.join(get_args(Reasons))}.")
        memory = InMemory()
        done = run_assign.assign(
            self.root,
            _day(as_of),
            memory if out is None else str(out),
            at=_at(at),
            reasons=reasons,
            keep=keep,
            draft=draft,
            accounts_from=None if accounts_from is None else Path(accounts_from),
            progress=_progress(),
        )
        return Decisions(**vars(done), written=_Written(done.place, done.sha256, memory))

    def explain(
        self,
        account: str,
        *,
        as_of: Day | None = None,
        run: str | None = None,
        fresh: bool = False,
        draft: bool = False,
    ) -> Explanation:
        """One account's whole story: as the latest run of the date decided it, or the `run` that
        is named; with `fresh`, or where no run did, by the sources as they are now."""
        if as_of is None and run is None:
            raise ValueError("Give as_of or run.")
        if run is not None and (fresh or draft):
            raise ValueError("run shows what was decided: fresh and draft do not.")
        day = None if as_of is None else _day(as_of)
        told = run_explain.explain(
            self.root, account, day, run=run, fresh=fresh, draft=draft, progress=_progress()
        )
        return Explanation(**vars(told))


class Models:
    """The trained versions of a workspace's models."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self) -> Versions:
        """Every trained version, the latest first."""
        return Versions(run_models.versions(self._root))

    def show(self, model: str, version: str | None = None) -> ModelSummary:
        """What a version is and how good it is: the champion, or the one that is named by its
        beginning."""
        return ModelSummary(run_models.show(self._root, model, version))

    def compare(self, first: str, second: str, *, cut: float | None = None) -> Comparison:
        """Two versions on accounts that neither learned from. Each is MODEL (its champion) or
        MODEL@VERSION; `cut` is the probability from which an account is treated."""
        told = run_compare.compare(self._root, first, second, cut=cut, progress=_progress())
        return Comparison(told)

    def promote(
        self,
        model: str,
        version: str,
        *,
        by: str | None = None,
        reason: str = "",
        at: datetime | None = None,
    ) -> str:
        """Make a version the champion; its full name. `by` is you if left out."""
        if not (is_one_line(by or "") and is_one_line(reason)):
            raise ValueError("by and reason are one line each, without control characters.")
        return run_models.promote(
            self._root, model, version, at=_at(at), by=by or getpass.getuser(), reason=reason
        )


class Strategy:
    """A strategy: with a workspace, against the facts of its data; by itself, against those that
    riskseg declares and the rules expect."""

    def __init__(self, root: Path | None, name: str | None, here: Path) -> None:
        self._root, self._name, self._here = root, name, here

    @classmethod
    def read(cls, folder: Place) -> Strategy:
        """The strategy in a folder, without a workspace. Raises RS230 where there is none."""
        problems = Problems()
        found(None, Path.cwd(), str(folder), problems)
        problems.raise_if_any()
        return cls(None, str(folder), Path.cwd())

    def __repr__(self) -> str:
        if self._root is None:
            return f'riskseg.Strategy.read("{self._name}")'
        name = "" if self._name is None else f'"{self._name}"'
        return f'riskseg.open("{self._root}").strategy({name})'

    def check(self) -> StrategyCheck:
        """Check it. Raises its Problems."""
        return StrategyCheck(**vars(run_rules.show(self._root, self._name, here=self._here)))

    def test(self) -> StrategyTest:
        """Decide its examples; `problems` holds those that do not come out as expected."""
        return StrategyTest(**vars(run_rules.test(self._root, self._name, here=self._here)))

    def prove(self, *, seconds: float = SECONDS, notes: bool = False) -> StrategyProof:
        """Prove every property for all accounts there could be, each within `seconds`. With
        `notes`, work out also where the order of rows decides."""
        done = run_prove.prove(
            self._root,
            self._name,
            here=self._here,
            seconds=seconds,
            with_notes=notes,
            progress=_progress(),
        )
        return StrategyProof(**vars(done))


def _day(value: Day) -> date:
    if isinstance(value, datetime):
        return value.date()
    return date.fromisoformat(value) if isinstance(value, str) else value


def _at(value: datetime | None) -> datetime:
    """The time to be journalled. The clock is read here and in `cli/`, and nowhere else."""
    if value is None:
        return datetime.now(UTC).replace(microsecond=0)
    if value.tzinfo is None:
        raise ValueError("at needs a time zone, for instance datetime.now(UTC).")
    return value


def _progress() -> Progress:
    """Remarks that a person should see are warnings of the logger `riskseg`, stages are its
    information."""
    return Progress(
        reached=lambda stage, done, total: _log.info("%s: %s", stage.name, stage.does),
        within=lambda done, text: _log.info("%s", text),
        note=lambda text: _log.warning("%s", text),
    )


def _without_data(from_data: bool) -> list[str]:
    if from_data:
        return []
    return ["Without data: facts are those that riskseg declares and the rules expect."]


def _levels(cell: frozenset[str | bool] | None) -> str:
    return "any" if cell is None else " or ".join(sorted(map(str, cell)))


def _records(columns: Mapping[str, pa.DataType], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(row) for row in rows], schema=pa.schema(list(columns.items()))
    )


def _cell(value: object) -> str:
    """A value in one line, whatever characters it holds."""
    if value is None:
        return "–"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:,}"
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _as_text(columns: Sequence[str], rows: Cells) -> str:
    grid = [[*map(_cell, columns)], *([*map(_cell, row)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in grid
    )
    return "\n".join(line.rstrip() for line in lines)


def _as_html(title: str, columns: Sequence[str], rows: Cells) -> str:
    text = "<br>".join(html.escape(_cell(line)) for line in title.splitlines())
    if not rows:
        return f"<p>{text}</p>"
    head = "".join(f"<th>{html.escape(_cell(name))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return f"<p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
