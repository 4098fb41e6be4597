"""What a run keeps so that it can be decided again, and strategies read from kept texts."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import riskseg
from riskseg.domain.column_types import ColumnType, column_type
from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problem, Problems, ProblemsError, did_you_mean, problem
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.domain.words import counted, first_few
from riskseg.engine import Engine, EngineError, duckdb_type
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import Decider, Reasons, decider
from riskseg.pipeline.stages import Progress
from riskseg.rules.model import Strategy
from riskseg.rules.state import is_state
from riskseg.store import run_inputs as store
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.store.journal import Journal
    from riskseg.store.records import RunRecord

# Facts that decide nothing.
_NOT_KEPT = ("party_id",)
# 2 has our own names of columns' types, 1 has DuckDB's.
_FORM = 2


def authored_from(
    files: Mapping[str, str], problems: Problems, *, shown: str
) -> AuthoredStrategy | None:
    """What a strategy's kept texts say, or None after adding their Problems."""
    with tempfile.TemporaryDirectory(prefix="riskseg-") as text_folder:
        store.write_texts(Path(text_folder), files)
        return read_strategy(Path(text_folder), problems, shown=shown)


def read_texts(
    files: Mapping[str, str],
    facts: Mapping[str, Fact],
    lacking: Mapping[str, str],
    problems: Problems,
    *,
    shown: str,
    declared: Mapping[str, Fact] | None = None,
) -> Strategy | None:
    """The strategy that kept texts give with these facts, or None after adding its Problems, in
    which `shown` stands for the folder."""
    read = authored_from(files, problems, shown=shown)
    if read is None:
        return None
    models = {model_name: True for model_name in read.head.uses.values()}
    return check_strategy(read, facts, lacking, models, problems, declared, draft=False)


@dataclass(frozen=True)
class Kept:
    """How a run was decided. `models` maps each of the strategy's `uses` to name and version,
    `columns` the kept facts to their types, `sources` each to its fingerprint then.
    """

    folder: Path
    run: str
    riskseg: str
    as_of: date
    reasons: Reasons
    currency: str
    scale: int
    billed: bool
    files: Mapping[str, str]
    models: Mapping[str, tuple[str, str]]
    facts: Mapping[str, Fact]
    columns: Mapping[str, ColumnType]
    sources: Mapping[str, str]
    rows: int

    @property
    def inputs(self) -> Path:
        return self.folder / store.INPUTS

    @property
    def texts(self) -> Path:
        return self.folder / store.STRATEGY

    @property
    def decided_by(self) -> str:
        """All that its decider is made of, but the date."""
        made_of = (self.files, self.models, self.facts, self.reasons)
        return repr((made_of, self.billed, self.scale, self.currency))


def inputs_select(engine: Engine, less: Collection[str] = ()) -> tuple[str, dict[str, ColumnType]]:
    """A select of what is kept of the accounts in `facts`, in the order of account ids; and its
    columns but the id with their types. Facts in `less` are not kept."""
    facts = {
        fact_name[1:]: fact_type
        for fact_name, fact_type in engine.columns("facts").items()
        if fact_name.startswith("@")
    }
    kept_columns = {
        fact_name: fact_type
        for fact_name, fact_type in facts.items()
        if fact_name not in _NOT_KEPT and fact_name not in less
    }
    select_items = ["i.account_id"]
    select_items += [
        f"cast(f.{fact_column(column)} as {engine.type_sql(_in_file(type_))}) as {quoted(column)}"
        for column, type_ in kept_columns.items()
    ]
    select = f"""
        select {", ".join(select_items)}
        from facts f
        join account_ids i using (account_no)
        order by f.account_no
        """
    return select, kept_columns


def _in_file(type_: ColumnType) -> ColumnType:
    """The type in the file: its widest integers are decimals."""
    return ColumnType("decimal", 38) if type_.is_integer and type_.size > 64 else type_


def about(
    ready: Decider, run: str, currency: str, arrears_from: Decimal, sources: Mapping[str, str],
    columns: Mapping[str, ColumnType], rows: int,
) -> dict[str, Any]:  # fmt: skip
    """run.json: what, beside the facts and the strategy's files, a run was decided with."""
    strategy = ready.strategy
    read = (ready.wanted | set(strategy.facts)) - set(strategy.default_values)
    return {
        "form": _FORM,
        "run": run,
        "command": "assign",
        "riskseg": riskseg.__version__,
        "as_of": ready.as_of.isoformat(),
        "reasons": ready.reasons,
        "currency": currency,
        "scale": ready.scale,
        "arrears_from": str(arrears_from),
        "billed": ready.billed,
        "strategy": {"name": strategy.name, "version": strategy.fingerprint},
        "default_values": {
            k: None if v is None else str(v) for k, v in strategy.default_values.items()
        },
        "models": {k: [s.model.name, s.model.version] for k, s in ready.scorers.items()},
        "facts": {n: _fact_json(f) for n, f in sorted(ready.facts.items()) if n in read},
        "columns": {kept_column: str(type_) for kept_column, type_ in columns.items()},
        "sources": dict(sources),
        "rows": rows,
    }


def _fact_json(fact: Fact) -> dict[str, Any]:
    """A fact less what it has by default."""
    bare = asdict(Fact(fact.name, fact.kind, seen=fact.seen))
    described = {k: v for k, v in asdict(fact).items() if v != bare[k] or k == "kind"}
    return {k: str(v) if isinstance(v, Decimal | Kind) else v for k, v in described.items()}


def _fact(name: str, described: Mapping[str, Any]) -> Fact:
    fact_fields = dict(described) | {"name": name, "kind": Kind(described["kind"])}
    for several in ("levels", "seen", "special_values"):
        fact_fields[several] = tuple(described.get(several, ()))
    for pair_field in ("labels", "phrases"):
        fact_fields[pair_field] = tuple(
            (pair_key, pair_text) for pair_key, pair_text in described.get(pair_field, ())
        )
    for bound in ("lower", "upper"):
        if bound in described:
            fact_fields[bound] = Decimal(described[bound])
    return Fact(**fact_fields)


def read_kept(workspace: Workspace, run: str) -> Kept:
    """What a run has kept. Raises RS610 where it cannot be read."""
    folder = workspace.state / "runs" / run
    try:
        kept_json = json.loads((folder / store.ABOUT).read_text(encoding="utf-8"))
        if kept_json["form"] not in (1, _FORM):
            raise ValueError(f"it is of form {kept_json['form']}, of a later version of riskseg")
        return Kept(
            folder=folder,
            run=kept_json["run"],
            riskseg=kept_json["riskseg"],
            as_of=date.fromisoformat(kept_json["as_of"]),
            reasons=kept_json["reasons"],
            currency=kept_json["currency"],
            scale=kept_json["scale"],
            billed=kept_json["billed"],
            files=store.read_texts(folder / store.STRATEGY),
            models={
                kept_key: (name, version)
                for kept_key, (name, version) in kept_json["models"].items()
            },
            facts={
                _named(fact_name): _fact(_named(fact_name), fact_json)
                for fact_name, fact_json in kept_json["facts"].items()
            },
            columns={
                _named(fact_name): _type(kept_json["form"], kept_type)
                for fact_name, kept_type in kept_json["columns"].items()
            },
            sources=kept_json["sources"],
            rows=kept_json["rows"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(workspace, folder, str(error)) from error


def _named(name: str) -> str:
    """The name of a kept fact: a run of an earlier version has attributes in the letter case of its
    source. The names of state facts are riskseg's own, and some have letters of both cases."""
    return name if is_state(name) else folded(name)


def _type(form: int, name: str) -> ColumnType:
    """The type of a kept column: the first form has DuckDB's names."""
    return duckdb_type(name) if form == 1 else column_type(name)


def damaged(workspace: Workspace, folder: Path, why: str) -> ProblemsError:
    return problem(
        "RS610",
        f"The kept inputs of the run cannot be read: {why}.",
        file=workspace.shown(folder),
        hint="Restore the folder from a copy.",
    )


def kept_decider(workspace: Workspace, kept: Kept) -> Decider:
    """The decider of a run, from what it kept and the versions of its models. Raises RS611 for
    each version that is there no more, and the Problems of the kept strategy, if any."""
    from riskseg.learning.artefact import load

    problems = Problems()
    strategy = read_texts(kept.files, kept.facts, {}, problems, shown=workspace.shown(kept.texts))
    models: dict[str, Model] = {}
    for key, (kept_model, version) in kept.models.items():
        folder = workspace.models / kept_model / version
        if not folder.is_dir():
            problems.add(
                "RS611",
                f"The run was decided with {kept_model} {version}, which is no longer there.",
                file=workspace.shown(folder),
                hint="Restore the folder from a copy: a version is never trained twice.",
            )
            continue
        models[key] = load(folder, shown=workspace.shown(folder))
    problems.raise_if_any()
    assert strategy is not None
    return decider(
        strategy,
        {key: models[key] for key in strategy.uses if key in models},
        kept.as_of,
        kept.reasons,
        kept.facts,
        billed=kept.billed,
        scale=kept.scale,
        currency=kept.currency,
    )


def erased_from(journal: Journal, record: RunRecord) -> set[str]:
    """Hashes of the accounts that were erased from what a run kept."""
    return {erasure.account for erasure in journal.erasures() if record.run_id in erasure.runs}


def checked_decider(
    workspace: Workspace,
    record: RunRecord,
    erased: set[str],
    progress: Progress,
    made: dict[str, Decider] | None = None,
) -> tuple[Kept, Decider]:
    """What a run kept and its decider, after checking that both are what the journal says of it.
    `erased` is what :func:`erased_from` gives; `made` has the deciders of other runs: most runs are
    decided by the strategy and the models of the run before. Raises RS610 where they are not, and
    RS611 as :func:`kept_decider` does."""
    kept = read_kept(workspace, record.run_id)
    check_record(workspace, kept, record, erased)
    made = {} if made is None else made
    ready = made.get(kept.decided_by) or kept_decider(workspace, kept)
    made[kept.decided_by] = ready
    ready = replace(ready, as_of=kept.as_of)
    check_kept_strategy(workspace, kept, ready, record, progress)
    return kept, ready


def open_inputs(
    engine: Engine, workspace: Workspace, kept: Kept, account: str | None = None
) -> int:
    """Make `kept_inputs` of a run's inputs, and `account_ids` of its accounts, or of one `account`
    alone; how many accounts the inputs have. Raises RS610."""
    inputs = f"""
        create view kept_inputs as
        select *
        from read_parquet(
            {engine.file(kept.inputs)}, file_row_number = true, hive_partitioning = false
        )
        """
    wanted = "" if account is None else f" where account_id = {literal(account)}"
    account_ids = f"""
        create table account_ids as
        select cast(file_row_number + 1 as integer) as account_no, account_id
        from kept_inputs{wanted}
        """
    try:
        engine.run(inputs)
        engine.run(account_ids)
        erased = len(store.erased(kept.folder))
    except (EngineError, store.Unreadable) as error:
        raise damaged(workspace, kept.folder, str(error).rstrip(".")) from error
    accounts = int(engine.value("select count(*) from kept_inputs"))
    if accounts + erased != kept.rows:
        count_fault = f"it had {kept.rows} accounts and has {accounts}, with {erased} erased"
        raise damaged(workspace, kept.folder, count_fault)
    return accounts


def kept_facts(engine: Engine, workspace: Workspace, kept: Kept, first: int, last: int) -> None:
    """Make `facts` from a run's inputs, for a range of rows numbered from 1. Raises RS610."""
    row_number = "cast(file_row_number + 1 as integer)"
    fact_columns = [
        f"{row_number} as snap",
        f"{row_number} as account_no",
        f"date '{kept.as_of}' as as_of",
    ]
    fact_columns += [
        f"cast({quoted(kept_column)} as {engine.type_sql(type_)}) as {fact_column(kept_column)}"
        for kept_column, type_ in kept.columns.items()
    ]
    sql = f"""
        select {", ".join(fact_columns)}
        from kept_inputs
        where file_row_number between {first - 1} and {last - 1}
        """
    try:
        build(engine, [Relation("facts", sql, materialized=True)])
    except EngineError as error:
        raise damaged(workspace, kept.folder, str(error).rstrip(".")) from error


def find_run(journal: Journal, run: str) -> RunRecord:
    """The last run of `assign`, or the one whose id begins so. Raises RS608."""
    if not run.strip():
        # It begins every id.
        raise problem("RS608", "No run is named.", hint="Give its id, or `last`.")
    runs = journal.decided_runs()
    if run == "last" and runs:
        return runs[0]
    ids = list(
        dict.fromkeys(run_record.run_id for run_record in runs if run_record.run_id.startswith(run))
    )
    if len(ids) == 1:
        return next(run_record for run_record in runs if run_record.run_id == ids[0])
    if ids:
        listed_ids = ", ".join(ids[:5])
        raise problem(
            "RS608", f'"{run}" begins {len(ids)} runs: {listed_ids}.', hint="Give more of it."
        )
    hint = (
        did_you_mean(run, {run_record.run_id for run_record in runs})
        if runs
        else "Decide one: `riskseg assign`."
    )
    raise problem("RS608", f'The journal has no run "{run}".', hint=hint)


def _overwritten(journal: Journal, record: RunRecord) -> str:
    """The id of a later run that wrote in the same place, if any. A table of a database keeps the
    rows of other dates."""
    if record.output is None:
        return ""
    in_table = record.output_sha256 is None
    for run in journal.decided_runs():
        if run == record:
            break
        same_rows = not in_table or run.as_of == record.as_of
        if run.output == record.output and same_rows and run.run_id != record.run_id:
            return run.run_id
    return ""


def check_record(workspace: Workspace, kept: Kept, record: RunRecord, erased: set[str]) -> None:
    """Raise RS610 where what a run has kept is not what the journal says of it: an account missing
    without an erasure, other models, another date."""
    models = {
        key: f"{recorded_model} {version}" for key, (recorded_model, version) in kept.models.items()
    }
    compared = [
        (kept.run, record.run_id, "is of run"),
        (str(kept.as_of), str(record.as_of), "is as of"),
        (_listed(models), _listed(record.models), "was decided with"),
        (kept.reasons, record.arguments.get("reasons", kept.reasons), "has the reasons"),
    ]
    for in_kept, in_journal, compared_words in compared:
        if in_kept != in_journal:
            contradiction = f"it {compared_words} {in_kept}, and the journal says {in_journal}"
            raise damaged(workspace, kept.folder, contradiction)
    try:
        unknown = [hashed for hashed in store.erased(kept.folder) if hashed not in erased]
    except store.Unreadable as error:
        raise damaged(workspace, kept.folder, str(error).rstrip(".")) from error
    if unknown:
        erased_text = "1 account is" if len(unknown) == 1 else f"{len(unknown)} accounts are"
        raise problem(
            "RS610",
            f"In the kept inputs of the run, {erased_text} said to be erased, of which the journal "
            "knows nothing.",
            file=workspace.shown(kept.folder),
            hint="If an erasure was interrupted, erase the account again; else restore the folder "
            "from a copy.",
        )


def _listed(models: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {model}" for key, model in sorted(models.items())) or "no model"


def check_fingerprint(
    strategy: Strategy,
    journalled: tuple[str | None, str | None],
    changed: Problem,
    progress: Progress,
) -> None:
    """Raise the Problem `changed` where a text that was kept is not that of the strategy which
    the journal names; `journalled` is the fingerprint there, and the version of riskseg.

    Another version of riskseg may give the same text another fingerprint: then it is noted, and
    deciding goes on.
    """
    fingerprint, version = journalled
    if strategy.fingerprint == fingerprint:
        return
    difference = f"is version {strategy.fingerprint}, and the journal says {fingerprint}."
    if version == riskseg.__version__:
        raise ProblemsError([replace(changed, what=f"{changed.what} It {difference}")])
    name, this_riskseg = strategy.name, riskseg.__version__
    progress.warn(
        f'The text of the strategy "{name}", as riskseg {this_riskseg} reads it, {difference}'
    )


def check_kept_strategy(
    workspace: Workspace, kept: Kept, ready: Decider, record: RunRecord, progress: Progress
) -> None:
    """Raise RS610 where the kept text is not that of the strategy which the journal names, or where
    facts that it reads were not kept."""
    known = {*kept.columns, *ready.strategy.default_values, *_NOT_KEPT, "as_of"}
    lacking = sorted(ready.wanted - known)
    if lacking:
        raise problem(
            "RS610",
            f"Run {record.run_id} kept fewer facts than this version of riskseg reads: it lacks "
            f"{_in_words(lacking)}.",
            file=workspace.shown(kept.inputs),
            hint=f"Explain and replay it with the riskseg that decided it, {kept.riskseg}"
            f"{' in an earlier build' if kept.riskseg == riskseg.__version__ else ''}.",
        )
    changed = Problem(
        "RS610",
        f"The strategy that run {record.run_id} kept was changed.",
        file=workspace.shown(kept.texts),
        hint="Restore the folder from a copy.",
    )
    journalled = (record.strategy, record.riskseg_version)
    check_fingerprint(ready.strategy, journalled, changed, progress)


def _in_words(facts: Iterable[str]) -> str:
    """Facts by their names; those that have none which a rule could use are of what was issued."""
    names, states = [], 0
    for fact in facts:
        if fact.isidentifier():
            names.append(fact)
        else:
            states += 1
    of_state = [f"{counted(states, 'fact')} of what was issued before"] if states else []
    return " and ".join([*([first_few(tuple(names))] if names else []), *of_state])


def account_hash(account: str) -> str:
    """What stands for an erased account in the journal. Whoever knows the id can find it again."""
    return hashlib.sha256(f"riskseg erasure of {account}".encode()).hexdigest()
