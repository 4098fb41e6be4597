"""Each mutant of a starter strategy is refuted by the property it breaks, and `assign` decides its
counterexample so that the fault can be seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.manifest import Manifest
from riskseg.ledger.accounts import lifecycle_sql
from riskseg.ledger.set_apart import HAS_QUARANTINED_ROWS
from riskseg.pipeline import decisions, models
from riskseg.pipeline import facts as facts_of
from riskseg.pipeline import session as sessions
from riskseg.pipeline.proving import Proven, prove_checked
from riskseg.pipeline.session import Session, begin, open_checked, scratch_engine
from riskseg.pipeline.strategies import checked_strategy
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.rules.calendar import counted_by
from riskseg.rules.elements import in_force
from riskseg.rules.model import Strategy
from riskseg.run import assign as assigning
from riskseg.run.init import init, starters
from riskseg.strategy.proof.results import Result
from tests.journeys.mutants import ACCOUNT_FILE, HOUSEHOLD, Mutant
from tests.support import accounts, portfolio
from tests.support.manifests import manifest_of

SETS: Mapping[str, Sequence[Mutant]] = {
    "household-utility": HOUSEHOLD,
    "account-file": ACCOUNT_FILE,
}
EVERY = [(name, mutant) for name in SETS for mutant in SETS[name]]


def those(*, shown: bool = False, pairs: bool = False) -> pytest.MarkDecorator:
    """Mutants to try: all; those whose counterexamples show; those where two accounts do. By
    default one in six is tried, and the first of each claim; of those that show, one in twelve."""
    firsts = {
        next(i for i, (own, mutant) in enumerate(EVERY) if (own, mutant.claim) == claimed)
        for claimed in {(own, mutant.claim) for own, mutant in EVERY}
    }
    every = 12 if shown else 6
    chosen = [
        pytest.param(
            name,
            mutant,
            id=f"{name}: {mutant.name}",
            marks=[pytest.mark.slow] if index % every and index not in firsts else [],
        )
        for index, (name, mutant) in enumerate(EVERY)
        if not (shown and mutant.shows is None) and not (pairs and mutant.claim != "protection")
    ]
    return pytest.mark.parametrize(("name", "mutant"), chosen)


# The limit of one question to the solver. Each takes a second at most; the limit is one that is not
# reached on a busy machine either, since a question without an answer leaves a claim unproved.
SECONDS = 600

# What a workspace of accounts alone cannot tell: it has no bills.
BILLED = ("closed_in_debt", "in_credit", "no_history")


@dataclass
class Proving:
    """One loaded workspace that every mutant of a strategy is proved in; each only once."""

    session: Session
    proven: dict[str, Proven] = field(default_factory=dict)

    def of(self, mutant: Mutant | None) -> Proven:
        name = mutant.name if mutant else ""
        if name not in self.proven:
            mutate(self.session.workspace.strategy, mutant)
            strategy = checked_strategy(self.session)  # raises what `strategy check` would say
            self.proven[name] = prove_checked(
                self.session, strategy, seconds=SECONDS, with_notes=False
            )
        return self.proven[name]

    def refuted(self, mutant: Mutant) -> Result:
        """The result of the claim that the mutant breaks."""
        found = [r for r in self.of(mutant).proofs.results if r.verdict == "refuted"]
        mine = [r for r in found if (r.claim, r.subject) == (mutant.claim, mutant.subject)]
        assert mine, f"refuted: {[r.name for r in found]}"
        return mine[0]


def mutate(folder: Path, mutant: Mutant | None) -> None:
    """The starter's own files, with the mutant's edits."""
    shutil.rmtree(folder)
    shutil.copytree(starters() / "rules" / folder.name, folder)
    if mutant is not None:
        mutant.make(folder)


@pytest.fixture(scope="module")
def proving(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Proving]]:
    folder = tmp_path_factory.mktemp("proving")
    portfolio.copied(sound, folder / "household-utility")
    init(folder / "account-file", "account-file")
    (folder / "account-file" / "data").mkdir()
    (folder / "account-file" / "data" / "accounts.csv").write_text("id,defaulted\nA1,0\nA2,1\n")
    with ExitStack() as stack:
        made = {}
        for name in SETS:
            workspace = open_checked(folder / name)
            engine = stack.enter_context(scratch_engine(workspace))
            made[name] = Proving(begin(workspace, engine))
        yield made


@pytest.mark.parametrize("name", SETS)
def test_the_starter_itself_is_proved(name: str, proving: dict[str, Proving]) -> None:
    proofs = proving[name].of(None).proofs
    assert [r.name for r in proofs.results if r.verdict != "proved"] == []


@pytest.mark.parametrize("name", SETS)
def test_there_are_many_and_no_two_the_same(name: str) -> None:
    assert len({m.name for m in SETS[name]}) == len(SETS[name]) >= 15
    assert len({m.edits for m in SETS[name]}) == len(SETS[name])
    assert all((m.shows is None) == bool(m.reported) for m in SETS[name])


@those()
def test_refuted_by_the_property_it_breaks(
    name: str, mutant: Mutant, proving: dict[str, Proving]
) -> None:
    result = proving[name].refuted(mutant)
    if mutant.shows is None:
        assert mutant.reported in result.fault
        assert not result.accounts
        return
    decisions = proving[name].of(mutant).decisions[result.name]
    seen = [{**d, **a} for a, d in zip(result.accounts, decisions, strict=True)]
    assert mutant.shows(*seen), seen


@those(pairs=True)
def test_the_protected_get_what_the_others_never_had(
    name: str, mutant: Mutant, proving: dict[str, Proving]
) -> None:
    """Not on the day itself nor on any before it, from the first day of the path on. Of a path that
    began long ago, the first days and the last are enough: years lie between them in which all
    steps are taken."""
    result, strategy = proving[name].refuted(mutant), proving[name].of(mutant).strategy
    other, protected = result.accounts
    assert {n for n in other if other[n] != protected[n]} == {mutant.subject}
    as_of = other["as_of"]
    assert isinstance(as_of, date)
    ranks = {"none": 0} | {a.name: a.rank for a in strategy.actions}
    now = accounts.decided(strategy, [other, protected], as_of)
    path = strategy.path_of(now[0]["segment"], as_of)
    started = other[path.starts.text]
    assert isinstance(started, date)
    started += timedelta(days=min([0, *(step.day for step in path.steps)]))
    days = [started + timedelta(days=n) for n in range((as_of - started).days)]
    had = [
        decision["action"]
        for some in _by_rules(strategy, days if len(days) < 400 else [*days[:200], *days[-200:]])
        for decision in accounts.decided(strategy, [{**other, "as_of": d} for d in some], some[0])
    ]
    assert ranks[now[1]["action"]] > max(ranks[action] for action in [*had, now[0]["action"]])


def _by_rules(strategy: Strategy, days: Sequence[date]) -> list[list[date]]:
    """The days, together where the same paths and guards are in force."""
    found: dict[tuple[str, ...], list[date]] = {}
    for day in days:
        rules = [*in_force(strategy.guards, day), *in_force(strategy.paths, day)]
        found.setdefault(tuple(rule.name for rule in rules), []).append(day)
    return list(found.values())


# -- the counterexamples as accounts -------------------------------------------------------------

TOML = """\
[workspace]
currency = "GBP"
strategy = "rules/{name}"
max_bad_rows = 1

[engine]
threads = 1

[source.accounts]
from = "data/accounts.parquet"
"""
TYPES = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int64(),
    Kind.DECIMAL: pa.decimal128(18, 6),
    Kind.NUMBER: pa.float64(),
    Kind.DATE: pa.date32(),
}


@dataclass(frozen=True)
class Reported:
    """A model that gives each account the probability its file holds for it, if it holds one."""

    key: str

    version = "reported"
    imported = False
    named_in_reasons = ()
    manifest: Manifest = field(default_factory=lambda: manifest_of("target: {event: late}"))

    @property
    def name(self) -> str:
        return self.key

    @property
    def features(self) -> tuple[str, ...]:
        return (f"reported_{self.key}",)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return (Fact(self.features[0], Kind.DECIMAL),)

    @property
    def population(self) -> str:
        return f"reported_{self.key} is not null"

    def predict(self, batch: pd.DataFrame, threads: int = 1) -> Any:
        return batch[f"reported_{self.key}"].to_numpy()

    def watch(self, *_: Any, **__: Any) -> Any:
        as_in_training = SimpleNamespace(differences=(), summary="")
        return SimpleNamespace(
            anew=self.watch,
            see=lambda *_: None,
            include=lambda _: None,
            drift=lambda: as_in_training,
            measured=lambda: (),
        )


def write_accounts(place: Path, strategy: Strategy, some: Sequence[Mapping[str, Any]]) -> None:
    """An account each, its facts as attributes. Its lifecycle follows from its dates or, where
    there are no bills, from its premise; a row of it is set apart where it has a second one."""
    columns: dict[str, pa.Array] = {
        "account_id": pa.array([f"A{n}" for n, _ in enumerate(some)]),
        "closed_on": pa.array(
            [a["as_of"] if a.get("lifecycle") == "final_billed" else None for a in some],
            pa.date32(),
        ),
        "written_off_on": pa.array(
            [a["as_of"] if a.get("lifecycle") == "written_off" else None for a in some],
            pa.date32(),
        ),
        "premise_id": pa.array(
            [a["lifecycle"] if a.get("lifecycle") in BILLED else None for a in some], pa.string()
        ),
    }
    for name, fact in strategy.facts.items():
        if name in ("as_of", "lifecycle", HAS_QUARANTINED_ROWS.name):
            continue
        reported = f"reported_{name}" if name in strategy.uses else name
        type_ = TYPES.get(fact.kind, pa.string())
        columns[reported] = pa.array([a[name] for a in some], type_)
    table = pa.table(columns)
    twice = table.filter(pa.array([bool(a.get(HAS_QUARANTINED_ROWS.name)) for a in some]))
    pq.write_table(pa.concat_tables([table, twice]), place)


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each strategy, a workspace of accounts alone."""
    made = {}
    for name in SETS:
        made[name] = tmp_path_factory.mktemp("assigning") / name
        init(made[name], name, toml=TOML.format(name=name))
        (made[name] / "data").mkdir()
    return made


@those(shown=True)
def test_assign_decides_the_counterexample_so(
    name: str,
    mutant: Mutant,
    proving: dict[str, Proving],
    workspaces: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, proven = proving[name].refuted(mutant), proving[name].of(mutant)
    strategy, workspace = proven.strategy, workspaces[name]
    mutate(workspace / "rules" / name, mutant)
    write_accounts(workspace / "data" / "accounts.parquet", strategy, result.accounts)

    def facts_there_are(*args: Any) -> Any:
        """An attribute may be unknown, a feature of bills not: it keeps what it is with bills."""
        catalogue, found = workspace_facts(*args)
        return catalogue, {**found, **{n: f for n, f in strategy.facts.items() if n in found}}

    monkeypatch.setattr(sessions, "workspace_facts", facts_there_are)
    monkeypatch.setattr(
        facts_of,
        "lifecycle_sql",
        lambda *args, **kw: f"coalesce(a.premise_id, {lifecycle_sql(*args, **kw)})",
    )
    # What was done before, and what the day is, is reported as every other fact is.
    for function in ("lasting", "limit_of"):
        monkeypatch.setattr(facts_of, function, lambda *_: None)
    for function in ("steps_among", "holds", "contact_limits"):
        monkeypatch.setattr(facts_of, function, lambda *_: [])
    monkeypatch.setattr(facts_of, "days_held", lambda *_: None)
    of_the_day = {name: v for name, v in result.accounts[0].items() if counted_by(name)}
    monkeypatch.setattr(decisions, "calendar_facts", lambda *_: of_the_day)
    monkeypatch.setattr(
        models, "load_champions", lambda _, uses, __: {key: Reported(key) for key in uses}
    )
    (as_of,) = {account["as_of"] for account in result.accounts}
    assert isinstance(as_of, date)
    place = workspace / "decisions.parquet"
    assigning.assign(workspace, as_of, str(place), at=portfolio.AT, reasons="none", keep=False)
    rows = pq.read_table(place).to_pylist()

    expected = accounts.decided(strategy, result.accounts, as_of)
    for row, reported in zip(rows, expected, strict=True):
        # The hash says that each fact came to the rules as the proof has it.
        assert row["facts_hash"] == reported["facts_hash"]
    assert mutant.shows is not None
    # Where both speak of it the account is the decision's, but for columns that only bills fill.
    seen = [{**row, **account} for account, row in zip(result.accounts, rows, strict=True)]
    for row, account in zip(rows, result.accounts, strict=True):
        assert {n: row[n] for n in (*strategy.uses, "as_of")} == {
            n: account[n] for n in (*strategy.uses, "as_of")
        }
        assert row["lifecycle"] == account.get("lifecycle", row["lifecycle"])
    assert mutant.shows(*seen), seen
