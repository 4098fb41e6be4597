"""`check`: the data contract, the specs, the strategy. Writes nothing, and finds everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.domain.words import first_few
from riskseg.engine import Engine
from riskseg.features.catalogue import without
from riskseg.learning.spec import AuthoredSpec
from riskseg.ledger.mapping import UnusedColumn
from riskseg.pipeline.account_file import without_outcomes
from riskseg.pipeline.feature_kinds import check_kinds
from riskseg.pipeline.feed_notes import volume_notes
from riskseg.pipeline.keys import two_spellings
from riskseg.pipeline.load import Ledger, load
from riskseg.pipeline.models import check_spec, load_champions, read_specs, unknown_for_all
from riskseg.pipeline.numbers_in_texts import numbers_in_texts
from riskseg.pipeline.observation_points import check_dates
from riskseg.pipeline.open_journal import check_there, read_journal
from riskseg.pipeline.outcomes import check_values
from riskseg.pipeline.protected_names import note_of, unmarked
from riskseg.pipeline.quarantine import bad_row_counts, too_many
from riskseg.pipeline.session import Session, read_own_catalogue, scratch_engine
from riskseg.pipeline.special_values import proposed
from riskseg.pipeline.staged_ledger import folder_of
from riskseg.pipeline.stages import Job, NothingLeft, Plan, Progress, Stage
from riskseg.pipeline.strategies import read_authored, read_checked
from riskseg.pipeline.training_rows import check_settings
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.results.workspace import Check
from riskseg.rules.model import Strategy
from riskseg.sources import extracts
from riskseg.sources.describe import fingerprints
from riskseg.sources.laid_out import layout_notes
from riskseg.workspace import Workspace, open_workspace
from riskseg.workspace.undecided import undecided_in

CONFIG = Stage("workspace", "read riskseg.toml, the features and the specs")
LOAD = Stage("load", "read the sources, check every row against the contract")
RULES = Stage("rules", "check the specs and the strategy against the facts there are")


class _Check(Job):
    """What a run of `check` holds while it is carried out."""

    def __init__(self, root: Path, progress: Progress | None, *, reread: bool) -> None:
        super().__init__(progress)
        self.root, self.reread, self.problems = root, reread, Problems()
        self.specs: Mapping[str, AuthoredSpec] = {}
        self.rows: Mapping[str, int] = {}
        self.bad: dict[str, int] = {}
        self.strategy: Strategy | None = None
        self.notes: tuple[str, ...] = ()
        self.last_day: date | None = None

    def configure(self) -> None:
        workspace = open_workspace(self.root, self.problems)
        self.notes = tuple(map(str, undecided_in(self.root)))
        if workspace is None:
            raise NothingLeft
        check_there(workspace, self.problems)
        self.specs = read_specs(workspace, self.problems)
        self.scored = _with_champion(workspace, self.specs)
        self.targets = {
            scored_model: self.specs[scored_model].spec.target.column
            for scored_model in self.scored
        }
        self.workspace = without_outcomes(workspace, filter(None, self.targets.values()))

    def load(self) -> None:
        if self.reread:
            extracts.forget(folder_of(self.workspace))
        self.engine = self.opened.enter_context(scratch_engine(self.workspace))
        problems = Problems()
        # Each bad row is reported below, whatever their share.
        self.ledger = load(self.engine, self.workspace, problems, limit=False)
        self.problems.extend(problems)
        self.catalogue = read_own_catalogue(self.workspace, self.ledger, self.problems)

    def check(self) -> None:
        if self.ledger is None:
            # Without facts the strategy's names cannot be judged; its shape can.
            read_authored(self.workspace, self.problems)
            return
        self.rows, self.last_day = self.ledger.rows, self.ledger.last_on
        self.bad = bad_row_counts(self.ledger.bad)
        most = self.workspace.settings.max_bad_rows
        for bad in self.ledger.bad:
            problem, rows = bad.as_problem(), self.rows[bad.table]
            allowed = f"Within the {most:%} that max_bad_rows allows: runs set it apart."
            if self.bad[bad.table] > most * rows:
                allowed = too_many(most, rows) if most else ""
            self.problems.extend([replace(problem, hint=f"{problem.hint} {allowed}".strip())])
        catalogue, facts = workspace_facts(self.catalogue, self.ledger, self.problems)
        session = Session(self.workspace, self.engine, self.ledger, catalogue, facts)
        for model, authored in self.specs.items():
            self._check_spec(session, authored, outcomes=model not in self.scored)
        self._check_champions(session)
        self.strategy = read_checked(session, self.problems)
        self.notes += tuple(_of_sources(self.engine, self.ledger, self.problems))
        self.notes += tuple(_of_volumes(self.engine, self.workspace, self.ledger))
        self.notes += self.strategy.notes if self.strategy is not None else ()
        self.notes += tuple(layout_notes(self.engine, self.workspace))
        for source in self.ledger.sources.values():
            self.notes += source.notes + source.as_read.read_notes
        self.notes += self.ledger.overlaid.notes if self.ledger.overlaid is not None else ()
        self.notes += tuple(_of_no_source(session, self.strategy))
        self.notes += tuple(
            f'The accounts have no column "{column}": {model} can score them, and cannot learn '
            "from them."
            for model, column in self.targets.items()
            if column is not None and column not in facts
        )
        self.notes += tuple(map(str, proposed(self.engine, self.ledger, catalogue, facts)))
        if names := unmarked(self.ledger, catalogue, facts):
            self.notes += (note_of(names),)
        if note := numbers_in_texts(self.engine, self.ledger, facts):
            self.notes += (note,)
        self.notes += tuple(_of_models_not_trained(self.workspace, self.strategy))

    def _check_spec(self, session: Session, authored: AuthoredSpec, *, outcomes: bool) -> None:
        lacking, problems = session.catalogue.lacking, self.problems
        check_spec(authored, session.facts, lacking, problems, outcomes=outcomes)
        check_settings(session, authored, problems)
        check_dates(session, authored, problems)
        if outcomes:
            check_values(session, authored, problems)

    def _check_champions(self, session: Session) -> None:
        """A column that is of another kind than a champion learned from is found before the night
        in which it is scored."""
        if not session.ledger.listed:
            return
        try:
            with read_journal(self.workspace) as journal:
                models = load_champions(
                    self.workspace, {name: name for name in self.scored}, journal
                )
        except ProblemsError:  # said when the model is used
            return
        for model in models.values():
            check_kinds(
                self.engine,
                model.name,
                (fact for fact in model.facts if folded(fact.name) in session.ledger.attributes),
                session.facts,
                relation="ledger_accounts",
                problems=self.problems,
            )


def _of_models_not_trained(workspace: Workspace, strategy: Strategy | None) -> Iterator[str]:
    """Notes of models that the strategy uses and that have never been trained."""
    uses = {} if strategy is None else strategy.uses
    with read_journal(workspace) as journal:
        missing = {key: model for key, model in uses.items() if not journal.models(model)}
    without = {key: m for key, m in missing.items() if m in workspace.settings.without_models}
    if needed := sorted({m for key, m in missing.items() if key not in without}):
        named = ", ".join(needed)
        yield f"Not trained yet: {named}. `riskseg train` comes before `riskseg assign`."
    for key, model in sorted(without.items()):
        yield unknown_for_all(key, model)


def _of_sources(engine: Engine, ledger: Ledger, problems: Problems) -> Iterator[str]:
    """Notes of ids that meet nothing and are no Problem yet, of accounts in two spellings, and of
    columns that nothing reads."""
    reported = {problem.what for problem in problems}
    yield from (message for message in map(str, ledger.unmet) if message not in reported)
    yield from ledger.alike
    if note := two_spellings(engine):
        yield note
    for table, mapped in ledger.sources.items():
        if mapped.unused:
            yield f"{table}: columns that are not used: {', '.join(map(_unused, mapped.unused))}."


def _of_volumes(engine: Engine, workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Notes of sources of far fewer or more rows than earlier runs read."""
    try:
        with read_journal(workspace) as journal:
            runs = journal.decided_runs()
    except ProblemsError:  # said apart
        return
    if runs:
        yield from volume_notes(ledger, runs, fingerprints(engine, workspace))


def _unused(column: UnusedColumn) -> str:
    return f"{column.name} (did you mean {column.near}?)" if column.near else column.name


def _of_no_source(session: Session, strategy: Strategy | None) -> Iterator[str]:
    """A note where a strategy reads facts of events that no source brings: they know only what
    riskseg records itself."""
    ledger = session.ledger
    lacking = without(session.catalogue, ledger.of_sources).lacking
    read = set() if strategy is None else {*strategy.facts} - {*ledger.attributes}
    names = sorted(read & lacking.keys())
    if names:
        missing = " and ".join(sorted({lacking[name].partition(".")[0] for name in names}))
        verb = "knows" if len(names) == 1 else "know"
        yield (
            f"There is no source of {missing}: {first_few(tuple(names))} {verb} only what riskseg "
            "records itself."
        )


def plan() -> Plan:
    """What `check` carries out."""
    return [CONFIG.by(_Check.configure), LOAD.by(_Check.load), RULES.by(_Check.check)]


def check(root: Path, *, reread: bool = False, progress: Progress | None = None) -> Check:
    """Check the workspace. One fault hides no other, as far as it can be seen without it. With
    `reread`, all rows of databases are read, and not those alone that have changed."""
    job = _Check(root, progress, reread=reread)
    job.carry_out(plan())
    strategy = job.strategy
    return Check(
        rows=job.rows,
        bad=job.bad,
        models=tuple(job.specs),
        strategy=None if strategy is None else strategy.name,
        default_values={} if strategy is None else strategy.default_values,
        problems=tuple(
            sorted(dict.fromkeys(job.problems), key=lambda p: (p.file or "", p.line or 0, p.code))
        ),
        notes=job.notes,
        last_day=job.last_day,
    )


def _with_champion(workspace: Workspace, specs: Iterable[str]) -> list[str]:
    """The models that score already; none where the journal cannot be read, which is said apart."""
    try:
        with read_journal(workspace) as journal:
            return [
                promoted_model
                for promoted_model in specs
                if journal.champion(promoted_model) is not None
            ]
    except ProblemsError:
        return []
