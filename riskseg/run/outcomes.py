"""`worklist done`: read back what came of the actions that were issued, from a file or from a table
of a database, and record it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskseg.domain.addresses import file_name, without_secrets
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import quoted
from riskseg.engine import EngineError
from riskseg.pipeline.open_journal import open_journal
from riskseg.pipeline.outputs import file_relation
from riskseg.pipeline.session import locked, open_checked, scratch_engine, write_quarantine
from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.results.worklist import RecordedOutcomes
from riskseg.sources.database import DatabaseRows
from riskseg.sources.database_connections import Connections
from riskseg.sources.mapping_lines import meant
from riskseg.sources.remote_files import copies_of
from riskseg.sources.sql_text import NotAllowedError
from riskseg.store.sinks.port import sink_of
from riskseg.store.sinks.remote_file import RemoteFile
from riskseg.treatment.outcomes import (
    COLUMNS,
    TABLE,
    bad_outcomes,
    outcome_events,
    read_outcomes,
    unmatched_outcomes,
)
from riskseg.workspace import Source, Workspace

READ = Stage("read", "the file, under the names of outcomes, beside the actions that were issued")
CHECK = Stage("check", "set bad rows apart; refuse a row that belongs to no issued action")
RECORD = Stage("record", "outcomes, contacts and promises in the journal, each once")

# As many unmatched rows as are named one by one.
_NAMED = 20

_MAP = (
    "Map words of your own in riskseg.toml, under [outcomes]: "
    "outcome = \"case result when 'NA' then 'no_answer' … end\"."
)


class _Reading(Job):
    """What a run of `worklist done` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        place: str,
        *,
        by: str,
        on: date,
        at: datetime,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.place, self.shown = workspace, place, without_secrets(place)
        self.kind = "file" if table_of(place) is None else "table"
        self.after = " after the header" if self.kind == "file" else ""
        self.by, self.on, self.at = by, on, at
        self.scale = workspace.settings.scale

    def read(self) -> None:
        enter = self.opened.enter_context
        enter(locked(self.workspace))
        source, remote = table_of(self.place), is_remote(self.place)
        reads = [] if source is not None or remote else [Path(self.place)]
        self.engine = enter(scratch_engine(self.workspace, reads=reads))
        self.journal = enter(open_journal(self.workspace))
        self.engine.register("recorded_events", self.journal.events())
        self.engine.run(
            """
            create table journal_actions as
            select event_id, account_id, action, channel, happened_on
            from recorded_events
            where kind = 'action'
            """
        )
        self.engine.unregister("recorded_events")
        if source is not None:
            relation = self._of_table(source)
        else:
            relation = self._of_file(self._copy() if remote else Path(self.place))
        try:
            columns = self._columns(list(self.engine.columns(relation)))
            self.engine.run(read_outcomes(relation, columns, self.on))
        except EngineError as error:
            message = f"The outcomes cannot be read: {error.reason}."
            raise problem("RS006", message, file=self.shown) from error

    def _copy(self) -> Path:
        """The file of an object store, copied into the engine's scratch. Raises RS006, RS016 and
        RS024."""
        problems = Problems()
        copied = copies_of(
            self.place,
            self.engine,
            lambda code, message, hint: problems.add(code, message, file=self.shown, hint=hint),
        )
        problems.raise_if_any()
        assert copied is not None
        copies = [copy for copy in copied.folder.rglob("*") if copy.is_file()]
        if len(copies) != 1:
            message = f"The URL matches {len(copies)} files."
            raise problem("RS006", message, file=self.shown, hint="Name one of them.")
        return copies[0]

    def _of_file(self, file: Path) -> str:
        """What stands after FROM for a file."""
        if not file.stat().st_size:
            hint = "Write it again; a file of the names of the columns alone records nothing."
            raise problem("RS109", "The file of outcomes is empty.", file=self.shown, hint=hint)
        return file_relation(self.engine, file)

    def _of_table(self, source: Source) -> str:
        """What stands after FROM for a table of a database, or a select, whose rows are copied
        into the engine's scratch. Raises RS006 and RS016."""
        here = Path.cwd()  # as for a file that is named where the command is given
        rows = DatabaseRows(source, here)
        with Connections(here) as connections:
            rows.connect(connections)
            rows.describe(self.engine)
            rows.read(self.engine, None)
        return rows.relation(self.engine)

    def _columns(self, headers: list[str]) -> Mapping[str, str]:
        """SQL for each column of outcomes that the file has, as [outcomes] or its name says."""
        mapping_given, problems = self.workspace.settings.outcomes, Problems()
        column_by_header = {
            folded(outcome_column): quoted(outcome_column) for outcome_column in headers
        }
        columns: dict[str, str] = {}
        outcome_names = [column.name for column in COLUMNS]
        for outcome_column, expression in mapping_given.columns.items():
            mapping_line: dict[str, Any] = {
                "file": mapping_given.file,
                "line": mapping_given.lines.get(outcome_column),
            }
            if outcome_column not in outcome_names:
                message = f'"{outcome_column}" is not a column of outcomes.'
                problems.add(
                    "RS003",
                    message,
                    hint=did_you_mean(outcome_column, outcome_names),
                    **mapping_line,
                )
                continue
            try:
                expression, reads, _ = meant(expression, headers)
            except (EngineError, NotAllowedError) as error:
                message = f'"{expression}" is not an expression over the file\'s columns: {error}.'
                problems.add("RS007", message, **mapping_line)
                continue
            for lacking_column in sorted(reads - column_by_header.keys()):
                message = f'{self.shown} has no column "{lacking_column}", which [outcomes] names.'
                problems.add(
                    "RS007", message, hint=did_you_mean(lacking_column, headers), **mapping_line
                )
            columns[outcome_column] = f"({expression})"
        for column in COLUMNS:
            mapped_header = next(
                (
                    column_by_header[outcome_column]
                    for outcome_column in column.names
                    if outcome_column in column_by_header
                ),
                None,
            )
            if mapped_header is not None:
                columns.setdefault(column.name, mapped_header)
        if "outcome" not in columns:
            self._lacks("outcome", headers, problems)
        if "id" not in columns and not {"account_id", "action"} <= columns.keys():
            self._lacks("id", headers, problems)
        problems.raise_if_any()
        return columns

    def _lacks(self, name: str, headers: list[str], problems: Problems) -> None:
        problems.add(
            "RS007",
            f'The {self.kind} has no column "{name}".',
            file=self.shown,
            hint=f"Name the one that holds it in riskseg.toml, under [outcomes]: "
            f'{name} = "…". {did_you_mean(name, headers)}',
        )

    def check(self) -> None:
        engine, share = self.engine, self.workspace.settings.max_bad_rows
        self.rows = int(engine.value("select count(*) from outcome_rows"))
        bad = engine.arrow(bad_outcomes(self.scale, self.on))
        engine.register("bad_outcomes", bad)
        problems = Problems()
        if bad.num_rows > share * self.rows:
            allowed = f"max_bad_rows allows {share:%} of {self.rows:,} rows; raise it, or correct"
            for row in bad.slice(0, _NAMED).to_pylist():
                message = f"In row {row['row']}{self.after}, {row['reason']}."
                hint = f"{allowed} them."
                if row["code"] == "RS107" or "(RS107)" in row["reason"]:
                    hint = f"{_MAP} {hint}"
                problems.add(row["code"], message, file=self.shown, hint=hint)
        unmatched = engine.rows(unmatched_outcomes())
        for row, action_named in unmatched[:_NAMED]:
            problems.add(
                "RS630",
                f"Row {row}{self.after} is of an action never issued: {action_named}.",
                file=self.shown,
                hint="Correct its id, or take the row out: nothing of the file is recorded.",
            )
        if len(unmatched) > _NAMED:
            unnamed_count = len(unmatched) - _NAMED
            message = f"{unnamed_count:,} more rows are of actions that were never issued."
            problems.add("RS630", message, file=self.shown)
        problems.raise_if_any()
        self.bad = bad.num_rows
        self.quarantine = write_quarantine(self.workspace, TABLE, bad, self.progress)

    def record(self) -> None:
        events = self.engine.arrow(outcome_events(self.scale, self.on, self.by)).to_pylist()
        new_events = self.journal.record_events(
            events, command="worklist done", at=self.at, recorded_on=self.on
        )
        count_by_outcome: dict[str, int] = {}
        for event in events:
            if event["kind"] == "outcome":
                count_by_outcome[event["outcome"]] = count_by_outcome.get(event["outcome"], 0) + 1
        kinds = [event["kind"] for event in events]
        recorded = sum(event["kind"] == "outcome" for event in new_events)
        self.done = RecordedOutcomes(
            file=self.shown,
            recorded_on=self.on,
            rows=self.rows,
            new=recorded,
            known=kinds.count("outcome") - recorded,
            bad=self.bad,
            quarantine=None if self.quarantine is None else str(self.quarantine),
            outcomes=dict(sorted(count_by_outcome.items())),
            contacts=kinds.count("contact"),
            promises=kinds.count("promise"),
        )


def plan() -> Plan:
    """What `worklist done` carries out."""
    return [
        READ.by(_Reading.read),
        CHECK.by(_Reading.check),
        RECORD.by(_Reading.record),
    ]


def table_of(place: str) -> Source | None:
    """The table of a database, or the select, that `URL#table` names, as a source; None for a
    file, of this machine or of an object store. Raises RS006 for a URL that names none."""
    address, _, named = place.partition("#")
    if "://" not in place or is_remote(place):
        return None
    if "://" not in address or not named.strip():
        hint = (
            "Add #table at its end, or #select …. A file of an object store is known by its "
            "ending, as in s3://bucket/outcomes.csv."
        )
        message = "A database URL must say which table to read."
        raise problem("RS006", message, file=without_secrets(place), hint=hint)
    return Source(TABLE, named, {}, file=without_secrets(address), url=address)


def is_remote(place: str) -> bool:
    """Whether a place is a file of an object store."""
    return isinstance(sink_of(place), RemoteFile)


def record(
    root: Path,
    place: str | Path,
    *,
    by: str,
    on: date,
    at: datetime,
    progress: Progress | None = None,
) -> RecordedOutcomes:
    """Record the outcomes that a file of this machine or of an object store gives of issued
    actions, or a table of a database (`URL#table`, or `URL#select …`), as known from the day `on`.

    Raises RS006, RS007, RS016 and RS024 for what cannot be read or lacks a column, RS630
    for a row that is of no action that was issued. Where more rows are bad than `max_bad_rows`
    allows, each is a Problem; else they go to the quarantine and the others are recorded.
    """
    workspace, place = open_checked(root), file_name(str(place))
    is_file_here = table_of(place) is None and not is_remote(place)
    if is_file_here and not Path(place).is_file():
        raise problem("RS006", "There is no such file.", file=place, hint="Check its name.")
    job = _Reading(workspace, place, by=by, on=on, at=at, progress=progress)
    job.carry_out(plan())
    return job.done
