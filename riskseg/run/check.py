"""`check`: the data contract, the specs, the strategy. Writes nothing, and finds everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from riskseg.domain.problems import Problem, Problems, ProblemsError
from riskseg.pipeline.account_file import without_outcomes
from riskseg.pipeline.journal import check_there, read_journal
from riskseg.pipeline.load import load, workspace_facts
from riskseg.pipeline.models import check_spec, read_specs
from riskseg.pipeline.observation_points import check_dates
from riskseg.pipeline.outcomes import check_values
from riskseg.pipeline.session import Session, read_own_catalogue, scratch_engine
from riskseg.pipeline.special_values import proposed
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategies import read_authored, read_checked
from riskseg.pipeline.training_rows import check_settings
from riskseg.workspace import Workspace, open_workspace

CONFIG = Stage("workspace", "read riskseg.toml, the features and the specs")
LOAD = Stage("load", "read the sources, check every row against the contract")
RULES = Stage("rules", "check the specs and the strategy against the facts there are")


def plan() -> list[Stage]:
    return [CONFIG, LOAD, RULES]


@dataclass(frozen=True)
class Checked:
    """Rows by table, bad rows among them, and every Problem found."""

    rows: Mapping[str, int]
    bad: Mapping[str, int]
    models: tuple[str, ...]
    strategy: str | None
    default_values: Mapping[str, object]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def check(root: Path, *, progress: Progress | None = None) -> Checked:
    """Check the workspace. One fault hides no other, as far as it can be told without it."""
    progress = progress or Progress()
    problems = Problems()
    progress.reached(CONFIG, 0, 3)
    workspace = open_workspace(root, problems)
    if workspace is None:
        return Checked({}, {}, (), None, {}, tuple(problems))
    check_there(workspace, problems)
    specs = read_specs(workspace, problems)
    progress.reached(LOAD, 1, 3)
    rows: Mapping[str, int] = {}
    bad: dict[str, int] = {}
    strategy: str | None = None
    default_values: dict[str, object] = {}
    notes: tuple[str, ...] = ()
    scored = _with_champion(workspace, specs)
    targets = {name: specs[name].spec.target.column for name in scored}
    workspace = without_outcomes(workspace, filter(None, targets.values()))
    with scratch_engine(workspace) as engine:
        found = Problems()
        ledger = load(engine, workspace, found, limit=False)  # each bad row is told below
        problems.extend(found)
        catalogue = read_own_catalogue(workspace, ledger, problems)
        progress.reached(RULES, 2, 3)
        if ledger is None:
            # Without facts the strategy's names cannot be judged; its shape can.
            read_authored(workspace, problems)
        else:
            rows = ledger.rows
            for one in ledger.bad:
                problems.extend([one.as_problem()])
                bad[one.table] = bad.get(one.table, 0) + one.count
            here, facts = workspace_facts(catalogue, ledger, problems)
            session = Session(workspace, engine, ledger, here, facts)
            for name, authored in specs.items():
                outcomes = name not in scored
                check_spec(authored, facts, here.lacking, problems, outcomes=outcomes)
                check_settings(session, authored, problems)
                check_dates(session, authored, problems)
                if outcomes:
                    check_values(session, authored, problems)
            checked = read_checked(session, problems)
            if checked is not None:
                strategy, default_values = checked.name, dict(checked.default_values)
                notes = checked.notes
            notes += tuple(
                f'The accounts have no column "{column}": {name} can score them, and cannot learn '
                "from them."
                for name, column in targets.items()
                if column is not None and column not in facts
            )
            notes += tuple(map(str, proposed(engine, ledger, here, facts)))
    ordered = sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.code))
    return Checked(rows, bad, tuple(specs), strategy, default_values, tuple(ordered), notes)


def _with_champion(workspace: Workspace, specs: Iterable[str]) -> list[str]:
    """The models that score already; none where the journal cannot be read, which is said apart."""
    try:
        with read_journal(workspace) as journal:
            return [name for name in specs if journal.champion(name) is not None]
    except ProblemsError:
        return []
