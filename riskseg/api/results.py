"""What the methods of the API return: the result of a use case, with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.api.table import SHOWN, Cells, Table, cell, records
from riskseg.domain.problems import problem
from riskseg.domain.words import counted
from riskseg.pipeline.account_story import Story
from riskseg.pipeline.proving import Proven
from riskseg.run.assign import Assigned
from riskseg.run.check import Checked
from riskseg.run.models import Version
from riskseg.run.rules import Shown, Tested
from riskseg.run.score import Scores as Scored
from riskseg.run.train import Kept
from riskseg.store.files import sha256_of
from riskseg.store.sinks import InMemory


@dataclass(frozen=True)
class Written:
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
class Decisions(Table, Assigned):
    """The decisions of a run, one for each account, and its totals by segment."""

    written: Written = field(kw_only=True)

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
class Scores(Table, Scored):
    """The probabilities of a run, one for each account and model."""

    written: Written = field(kw_only=True)

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


class Check(Table, Checked):
    """What `check` found: the rows that were read, and a row for each Problem."""

    def to_arrow(self) -> pa.Table:
        """The Problems: code, kind, file, line, what, hint."""
        columns = {"code": pa.string(), "kind": pa.string(), "file": pa.string()}
        columns |= {"line": pa.int64(), "what": pa.string(), "hint": pa.string()}
        return records(columns, (p.as_dict() for p in self.problems))

    def _title(self) -> str:
        read = ", ".join(f"{table}: {counted(n, 'row')}" for table, n in self.rows.items())
        count = counted(len(self.problems), "problem") if self.problems else "No problems"
        return "\n".join([*filter(None, [read]), *self.notes, f"{count}."])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        rows = [(p.code, p.where, p.what, p.hint) for p in self.problems]
        return ("code", "where", "what", "hint"), rows


class Training(Table, tuple[Kept, ...]):
    """The versions that were trained, a row for each model."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, auc (on the hold-out), champion, champion_version."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"auc": pa.float64(), "champion": pa.bool_(), "champion_version": pa.string()}
        return records(
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
        return records(columns, (vars(one) for one in self.matched))

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


class Versions(Table, tuple[Version, ...]):
    """Every trained version, the latest first."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, champion, at, auc (on the hold-out), there."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"champion": pa.bool_(), "at": pa.timestamp("s", "UTC"), "auc": pa.float64()}
        return records(columns | {"there": pa.bool_()}, (vars(one) for one in self))

    def _title(self) -> str:
        return f"{counted(len(self), 'version')}."


class ModelSummary(Table, dict[str, Any]):
    """What a version is and how good it is; its rows are the features, the strongest first."""

    def to_arrow(self) -> pa.Table:
        """The features: feature, words, direction."""
        columns = {"feature": pa.string(), "words": pa.string(), "direction": pa.int64()}
        return records(columns, ({name: f[name] for name in columns} for f in self["features"]))

    def _title(self) -> str:
        auc = (self["metrics"]["hold_out"] or {}).get("auc")
        lines = [f"{self['name']} {self['version']}: {self['question'] or self['predicts']}"]
        lines.append(f"{self['learner']}, AUC {cell(auc)} on the hold-out.")
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
        return records(
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


class StrategyCheck(Table, Shown):
    """A strategy that was checked without a Problem; its rows are those of the segments' table."""

    def to_arrow(self) -> pa.Table:
        """The table of segments: row, the bands and tiers it matches on, segment."""
        columns = ("row", *self.strategy.columns, "segment")
        return records(
            dict.fromkeys(columns, pa.string()),
            (
                dict(zip(columns, (r.id, *map(_levels, r.cells), r.segment), strict=True))
                for r in self.strategy.rows
            ),
        )

    def _title(self) -> str:
        head = f"{self.strategy.name} {self.strategy.fingerprint}: no problems."
        return "\n".join([head, *_without_data(self.from_data), *self.strategy.notes])


class StrategyTest(Table, Tested):
    """A strategy's examples, decided; `problems` are those that are not as expected."""

    def to_arrow(self) -> pa.Table:
        """example, as_expected, segment, path, action. Without rows where an example is faulty."""
        columns = {"example": pa.string(), "as_expected": pa.bool_()}
        columns |= dict.fromkeys(("segment", "path", "action"), pa.string())
        failed = {(p.file, p.line) for p in self.problems}
        decided = zip(self.strategy.examples, self.decisions, strict=False)
        return records(
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
        return records(
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


def _without_data(from_data: bool) -> list[str]:
    if from_data:
        return []
    return ["Without data: facts are those that riskseg declares and the rules expect."]


def _levels(cell: frozenset[str | bool] | None) -> str:
    return "any" if cell is None else " or ".join(sorted(map(str, cell)))
