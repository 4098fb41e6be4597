"""What was decided can be decided again, whatever has changed since."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.column_types import column_type
from riskseg.domain.problems import Problem, ProblemsError
from riskseg.engine import DuckDB
from riskseg.pipeline import archive
from riskseg.pipeline.archive import Kept, account_hash
from riskseg.pipeline.stages import Progress
from riskseg.results.replay import OutputFile, Replay
from riskseg.results.runs import Decisions
from riskseg.run.assign import assign
from riskseg.run.models import promote
from riskseg.run.replay import replay
from riskseg.run.retention import erase, listed, moment_before, prune
from riskseg.run.train import train
from riskseg.store import run_inputs
from riskseg.store.journal import Journal
from tests.support import portfolio as p
from tests.support.sampled import one_in, only

Copy = Callable[[Path], Path]
SOMEONE = "A00000007"


def decide(workspace: Path, name: str = "out.parquet", **more: object) -> Decisions:
    return assign(workspace, p.AS_OF, place(workspace, name), at=p.AT, **more)  # type: ignore[arg-type]


def place(workspace: Path, name: str) -> str:
    return (
        f"sqlite:///{workspace / name}#decisions" if name.endswith(".db") else str(workspace / name)
    )


@pytest.fixture(scope="module")
def decided(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one run; copies find its output where it was written, in the original."""
    workspace = p.copied(trained, tmp_path_factory.mktemp("decided") / "workspace")
    decide(workspace)
    return workspace


def code_of(run: Callable[[], object]) -> str:
    with pytest.raises(ProblemsError) as raised:
        run()
    [problem] = raised.value.problems
    return problem.code


def _another_model(workspace: Path) -> None:
    """Another version, promoted, of each model."""
    for name in p.MODELS:
        p.replace(workspace, f"models/{name}.yaml", "seed: 7", "seed: 8")
        p.replace(workspace, f"models/{name}.yaml", "bills_12m >= 3", "bills_12m >= 5")
    for one in train(workspace, (), at=p.AT):
        promote(workspace, one.name, one.version, at=p.AT, by="ann", reason="")


def _another_strategy(workspace: Path) -> None:
    p.replace(workspace, f"{p.STRATEGY}/tiers.yaml", "late14_bills_6m >= 3", "late14_bills_6m >= 1")


def _another_source(workspace: Path) -> None:
    head, *rows = p.rows(workspace, "bills")
    p.write_rows(workspace, "bills", [head, *rows[::2]])
    # Events that name the other bills meet nothing now.
    settings = workspace / "riskseg.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("[workspace]\n", "[workspace]\nmax_unmatched = 1.0\n", 1), encoding="utf-8"
    )


def test_the_same_bytes_after_a_model_a_strategy_and_a_source_change(
    decided: Path, copy_of: Copy
) -> None:
    workspace = copy_of(decided)
    run = listed(workspace).runs[0].run_id
    _another_model(workspace)
    _another_source(workspace)
    _another_strategy(workspace)
    later = decide(workspace, "later.parquet")
    assert later.models != {} and later.run_id != run
    shutil.rmtree(workspace / "rules")
    shutil.rmtree(workspace / "data")
    for name in (run, run[:6]):
        done = replay(workspace, name)
        assert (done.verdict, done.same, done.differing) == ("same bytes", True, None)
        assert done.sha256 == done.journalled_sha256 != later.sha256
    assert replay(workspace, "last").run_id == later.run_id


@pytest.mark.slow  # Parquet is replayed every time
@pytest.mark.parametrize("name", only("out.json", ["out.csv.gz", "out.json", "out.db"]))
def test_every_form_at_any_number_of_partitions(name: str, decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 2\npartitions = 3")
    decide(workspace, name, reasons="all")
    done = replay(workspace, "last")
    expected = "same rows" if name.endswith(".db") else "same bytes"
    assert (done.verdict, done.rows > 100) == (expected, True)


def test_a_run_that_was_kept_with_the_names_of_an_engine_is_read(
    decided: Path, copy_of: Copy
) -> None:
    """What earlier versions kept has the types as DuckDB calls them."""
    workspace = copy_of(decided)
    about = next((workspace / ".riskseg" / "runs").glob("*/run.json"))
    kept = json.loads(about.read_text())
    assert kept["form"] == 2 and {"int64", "date"} <= set(kept["columns"].values())
    with DuckDB() as engine:
        old = {n: engine.type_sql(column_type(t)).upper() for n, t in kept["columns"].items()}
    assert "BIGINT" in old.values()
    about.write_text(json.dumps({**kept, "form": 1, "columns": old}))
    assert replay(workspace, "last").verdict == "same bytes"
    about.write_text(json.dumps({**kept, "columns": old}))
    with pytest.raises(ProblemsError, match="is not a type of column"):
        replay(workspace, "last")


@pytest.mark.parametrize("name", one_in(2, ["out.parquet", "out.jsonl", "out.xlsx", "out.db"]))
def test_what_differs_is_reported(name: str, decided: Path, copy_of: Copy) -> None:
    """Inputs that someone tampered with decide otherwise, and which is said."""
    workspace = copy_of(decided)
    if name != "out.parquet":
        decide(workspace, name)
    folder = workspace / ".riskseg/runs" / listed(workspace).runs[0].run_id
    path = folder / run_inputs.INPUTS
    table = pq.read_table(path)
    at = table.column_names.index("is_vulnerable")
    turned = pc.if_else(
        pc.equal(table["account_id"], SOMEONE), pc.invert(table["is_vulnerable"]), table.column(at)
    )
    pq.write_table(table.set_column(at, table.schema.field(at), turned), path)
    done = replay(workspace, "last")
    assert (done.verdict, done.same) == ("different", False)
    assert done.differing is not None
    assert done.differing.accounts == (SOMEONE,)
    assert (done.differing.rows, done.differing.columns["facts_hash"]) == (1, 1)


@pytest.mark.slow
def test_what_has_changed_at_the_source(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    same = replay(workspace, "last", from_source=True).since
    assert same is not None
    assert (same.sources, same.moved, same.gone) == ((), 0, ())
    assert same.facts is not None and same.decisions is not None
    assert not same.facts.any and not same.decisions.any

    head, *rows = p.rows(workspace, "accounts")
    cells = [dict(zip(head.split(","), row.split(","), strict=True)) for row in rows]
    turned = next(c for c in cells if c["account_id"] == SOMEONE)
    turned["is_vulnerable"] = "false" if turned["is_vulnerable"] == "true" else "true"
    p.write_rows(workspace, "accounts", [head, *(p.row(head, c) for c in cells)])
    p.add_rows(workspace, "accounts", {"account_id": "NEW", "opened_on": "2026-01-01"})
    done = replay(workspace, "last", from_source=True)
    assert done.verdict == "same bytes"
    since = done.since
    assert since is not None and since.facts is not None and since.decisions is not None
    assert since.sources == ("accounts",)
    assert (since.facts.appeared, since.facts.vanished) == (1, 0)
    assert dict(since.facts.columns) == {"is_vulnerable": 1}
    assert since.decisions.columns["facts_hash"] == 1
    assert 0 <= since.moved <= since.decisions.rows == 1

    # A source that is gone takes facts with it: nothing can be decided, and that is said.
    head, *rows = p.rows(workspace, "accounts")
    at = head.split(",").index("is_vulnerable")
    lines = [line.split(",") for line in (head, *rows)]
    p.write_rows(workspace, "accounts", [",".join([*c[:at], *c[at + 1 :]]) for c in lines])
    toml = (workspace / "riskseg.toml").read_text()
    mapped = 'is_vulnerable = "cast(is_vulnerable as boolean)"\n'
    (workspace / "riskseg.toml").write_text(toml.replace(mapped, ""))
    gone = replay(workspace, "last", from_source=True).since
    assert gone is not None and gone.decisions is None
    assert gone.gone == ("is_vulnerable",)


def test_runs_that_cannot_be_replayed(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    run = listed(workspace).runs[0].run_id
    folder = workspace / ".riskseg/runs" / run
    for name in ("zzzz", "LAST"):
        assert code_of(lambda name=name: replay(workspace, name)) == "RS608"  # type: ignore[misc]
    assert code_of(lambda: replay(workspace, "")) == "RS608"  # it begins the only one
    decide(workspace, "loose.parquet", keep=False)
    assert code_of(lambda: replay(workspace, "last")) == "RS609"
    model = next((workspace / "models/default").iterdir())
    model.rename(workspace / "away")
    assert code_of(lambda: replay(workspace, run)) == "RS611"
    (workspace / "away").rename(model)
    inputs = folder / run_inputs.INPUTS
    whole = inputs.read_bytes()
    for torn in (whole[:1000], b"", whole[:-4] + b"xxxx"):
        inputs.write_bytes(torn)
        assert code_of(lambda: replay(workspace, run)) == "RS610"
    pq.write_table(pq.read_table(_written(inputs, whole)).slice(1), inputs)
    assert code_of(lambda: replay(workspace, run)) == "RS610"  # a row is missing
    inputs.write_bytes(whole)
    (folder / run_inputs.ABOUT).write_text("{}")
    assert code_of(lambda: replay(workspace, run)) == "RS610"


def test_a_run_that_kept_fewer_facts_than_are_read_now_says_so(
    decided: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(decided)
    read_whole = archive.read_kept

    def read_kept(*given: Any) -> Kept:
        kept = read_whole(*given)
        less = {name: type_ for name, type_ in kept.columns.items() if name != "days_past_due"}
        return replace(kept, columns=less)

    monkeypatch.setattr(archive, "read_kept", read_kept)
    with pytest.raises(ProblemsError) as raised:
        replay(workspace, "last")
    [reported] = raised.value.problems
    assert (reported.code, "it lacks days_past_due" in reported.what) == ("RS610", True)


def test_a_kept_strategy_that_was_changed_is_named(
    decided: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(decided)
    run = listed(workspace).runs[0]
    texts = f".riskseg/runs/{run.run_id}/strategy"
    tiers, paths = workspace / texts / "tiers.yaml", workspace / texts / "paths.yaml"
    text = tiers.read_text()

    def reported() -> Problem:
        with pytest.raises(ProblemsError) as raised:
            replay(workspace, "last")
        return raised.value.problems[0]

    # What does not change its meaning is no change.
    tiers.write_text(f"# a remark\n{text}")
    assert replay(workspace, "last").verdict == "same bytes"
    p.replace(workspace, f"{texts}/tiers.yaml", "late14_bills_6m >= 3", "late14_bills_6m >= 1")
    problem = reported()
    assert (problem.code, problem.file) == ("RS610", texts)
    assert run.strategy is not None and run.strategy in problem.what
    # Another version of riskseg may count otherwise: what differs is reported all the same.
    notes: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr("riskseg.__version__", "99")
        done = replay(workspace, "last", progress=Progress(note=notes.append))
    assert (done.verdict, done.riskseg_now) == ("different", "99")
    assert any(run.strategy in note for note in notes)
    tiers.write_text(text)
    paths.unlink()
    problem = reported()
    assert (problem.code, problem.file) == ("RS200", f"{texts}/paths.yaml")


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def everything_holds(workspace: Path, account: str) -> list[Path]:
    """Files of riskseg's own in which an account's id stands, compressed or not."""
    found = []
    for file in (workspace / ".riskseg").rglob("*"):
        if file.is_file():
            held = file.suffix == ".parquet" and account in str(
                pq.read_table(file)["account_id"].to_pylist()
            )
            if held or account.encode() in file.read_bytes():
                found.append(file)
    return found


def test_an_account_is_erased_everywhere(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    p.replace(workspace, "riskseg.toml", "max_bad_rows = 0\n", "max_bad_rows = 0.01\n")
    for account in (SOMEONE, f"{SOMEONE}8"):
        p.add_rows(workspace, "payments", {"account_id": account, "paid_on": "soon", "amount": 5})
    runs = [decide(workspace, name).run_id for name in ("out.csv", "out.parquet", "out.db")]
    quarantine = workspace / ".riskseg/quarantine/payments.csv"
    assert len(quarantine.read_text().splitlines()) == 3
    assert len(everything_holds(workspace, SOMEONE)) > 3

    done = erase(workspace, SOMEONE, by="ann", at=p.AT)
    assert set(runs) < set(done.runs)
    assert (len(done.runs), done.searched, done.rows) == (4, 4, 1)
    # The one whose id only begins so stays.
    assert f"{SOMEONE}8" in quarantine.read_text()
    left = quarantine.read_text().replace(f"{SOMEONE}8", "")
    assert SOMEONE not in left
    quarantine.unlink()
    assert everything_holds(workspace, SOMEONE) == []
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        [erasure] = journal.erasures()
    assert (erasure.account, erasure.by) == (account_hash(SOMEONE), "ann")
    assert set(erasure.runs) == set(done.runs)

    for run in runs:
        again = replay(workspace, run)
        assert (again.verdict, again.erased) == ("same rows", 1), run
    # With the output gone there is nothing to hold it against, and 0 would say too much.
    (workspace / "out.csv").unlink()
    assert replay(workspace, runs[0]).verdict == "not compared"

    # Again, and again when neither the source nor anything kept knows the id any more.
    assert erase(workspace, SOMEONE, by="ann", at=p.AT).runs == ()
    shutil.rmtree(workspace / "data")
    prune(workspace, "0 days", at=p.AT + timedelta(days=1))
    assert erase(workspace, SOMEONE, by="ann", at=p.AT).runs == ()
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        assert len(journal.erasures()) == 1


def test_an_id_that_nothing_knows_is_not_erased(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)

    def reported(account: str) -> str:
        with pytest.raises(ProblemsError) as raised:
            erase(workspace, account, by="ann", at=p.AT)
        [problem] = raised.value.problems
        assert (problem.code, account in problem.what) == ("RS601", True)
        return problem.hint

    assert reported("A0000O007") == 'Did you mean "A00000007"?'
    assert reported("nobody") == "Check the id."
    # One that only a source knows: there is nothing to erase, and the id is no mistake.
    p.add_rows(workspace, "payments", {"account_id": "P1", "paid_on": "2026-01-01", "amount": 5})
    for _ in range(2):
        assert erase(workspace, "P1", by="ann", at=p.AT).runs == ()
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        assert [e.account for e in journal.erasures()] == [account_hash("P1")]
    # Without the sources the kept runs still know who was meant, and what to erase.
    shutil.rmtree(workspace / "data")
    assert reported("A0000O007") == 'Did you mean "A00000007"?'
    assert len(erase(workspace, SOMEONE, by="ann", at=p.AT).runs) == 1


@pytest.mark.slow
def test_a_damaged_run_hinders_no_erasure_from_the_others(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    first, second = listed(workspace).runs[0].run_id, decide(workspace, "second.parquet").run_id
    # The damaged one is neither the first that is searched nor the only one.
    torn, whole = sorted([first, second])
    inputs = workspace / ".riskseg/runs" / torn / run_inputs.INPUTS
    content = inputs.read_bytes()
    inputs.write_bytes(content[:1000])

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["-w", str(workspace), "journal", *words])
        return done.exit_code, done.stdout, done.stderr

    def journalled() -> list[list[str]]:
        with Journal.open(workspace / ".riskseg/journal.db") as journal:
            return [list(e.runs) for e in journal.erasures()]

    code, out, reported = run("erase", SOMEONE)
    assert (code, "of 1 run, of 2 kept" in out) == (1, True)
    assert ("RS610" in reported, f".riskseg/runs/{torn}" in reported, whole in reported) == (
        True,
        True,
        False,
    )
    assert journalled() == [[whole]]
    assert "damaged" in run("show")[1]
    assert {r.run_id: r.erased for r in listed(workspace).runs} == {torn: None, whole: 1}
    code, out, _ = run("erase", SOMEONE, "--json")
    assert (code, [p["code"] for p in json.loads(out)["problems"]]) == (1, ["RS610"])
    # Who is known nowhere else may be known there.
    code, _, reported = run("erase", "nobody")
    assert (code, "RS601" in reported, "RS610" in reported) == (1, True, True)

    inputs.write_bytes(content)
    assert run("erase", SOMEONE)[0] == 0
    assert journalled() == [[torn], [whole]]
    assert everything_holds(workspace, SOMEONE) == []
    for name in (first, second):
        assert (replay(workspace, name).same, replay(workspace, name).erased) == (True, 1)
    # A run that lacks its description can still hold an account; one that is gone cannot.
    (inputs.parent / run_inputs.ABOUT).unlink()
    assert torn in erase(workspace, "A00000008", by="ann", at=p.AT).runs
    inputs.write_bytes(b"")
    assert run("erase", "A00000009")[0] == 1
    shutil.rmtree(inputs.parent)
    assert run("erase", "A00000009")[0] == 0


class Cut(BaseException):
    """Not an Exception: nothing may catch it on the way."""


def test_an_erasure_that_was_cut_is_finished_by_the_next(
    decided: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(decided)
    decide(workspace, "second.parquet")
    whole = os.replace
    for number in range(3):
        left = [number]

        def cut(one: Path, other: Path, left: list[int] = left) -> None:
            if left[0] == 0:
                raise Cut
            left[0] -= 1
            whole(one, other)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", cut)
            if number < 2:
                with pytest.raises(Cut):
                    erase(workspace, SOMEONE, by="ann", at=p.AT)
                continue
        done = erase(workspace, SOMEONE, by="ann", at=p.AT)
    assert len(done.runs) == 2
    for run in done.runs:
        again = replay(workspace, run)
        assert (again.erased, again.same) == (1, True)


@pytest.mark.parametrize("when", only("after", ["before", "after"]))
@pytest.mark.slow
def test_a_run_cut_while_its_inputs_are_settled(
    when: str, decided: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(decided)
    settle = run_inputs.settle

    def cut(*given: object) -> None:
        if when == "after":
            settle(*given)  # type: ignore[arg-type]
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(run_inputs, "settle", cut)
        with pytest.raises(Cut):
            decide(workspace, "cut.parquet")
    runs = workspace / ".riskseg/runs"
    assert len(list(runs.iterdir())) == 1 + (when == "after")
    # The next run sweeps what no journalled run kept.
    decide(workspace, "next.parquet")
    assert {f.name for f in runs.iterdir()} == {r.run_id for r in listed(workspace).runs}
    assert list((workspace / ".riskseg/scratch").iterdir()) == []
    decide(workspace, "cut.parquet")
    assert replay(workspace, "last").verdict == "same bytes"


@pytest.mark.slow
def test_retention(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    shutil.rmtree(workspace / ".riskseg/runs")
    old = decide(workspace, "a.csv").run_id
    young = assign(
        workspace, p.AS_OF, place(workspace, "b.csv"), at=p.AT + timedelta(days=1)
    ).run_id
    later = p.AT.replace(year=p.AT.year + 2)
    assert prune(workspace, "25 months", at=later).runs == 0
    # To the second: what is two years old today is kept.
    assert prune(workspace, "2 years", at=later).runs == 0
    done = prune(workspace, "24 months", at=later + timedelta(hours=1))
    assert (done.runs, done.left) == (1, 1)
    assert [(r.run_id, r.kept) for r in listed(workspace, limit=2).runs] == [
        (young, True),
        (old, False),
    ]
    assert code_of(lambda: replay(workspace, old)) == "RS609"
    assert replay(workspace, young).same
    # Deciding the same again keeps it again.
    decide(workspace, "a.csv")
    assert replay(workspace, old).same


@pytest.mark.slow
def test_runs_that_a_restored_journal_does_not_know_stay(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)
    journal, runs = workspace / ".riskseg/journal.db", workspace / ".riskseg/runs"
    known = listed(workspace).runs[0].run_id
    yesterday = journal.read_bytes()
    lost = decide(workspace, "lost.parquet").run_id
    journal.write_bytes(yesterday)
    later = p.AT + timedelta(days=1000)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["-w", str(workspace), "journal", *words])
        assert done.exit_code == 0
        return done.stdout

    assert f"unknown to the journal: {lost}" in run("show")
    done = prune(workspace, "36 months", at=later)
    assert (done.runs, done.left, done.unknown) == (0, 2, (lost,))
    reported = run("prune", "--older-than", "24 months", "--yes")
    assert "1 kept run unknown to the journal" in reported and lost in reported
    notes: list[str] = []
    decide(workspace, "next.parquet", progress=Progress(note=notes.append))
    assert (runs / lost / run_inputs.INPUTS).is_file()
    assert any("does not know 1 kept run" in n and lost in n for n in notes), notes
    done = prune(workspace, "24 months", at=later)
    assert (done.runs, done.left, done.unknown) == (2, 1, (lost,))
    assert not (runs / known).exists()
    # Deciding the same again makes it known again.
    decide(workspace, "lost.parquet")
    assert replay(workspace, lost).same
    assert prune(workspace, "24 months", at=later).runs == 1


@pytest.mark.parametrize("state", ["gone", "empty"])
def test_a_journal_that_is_gone_is_not_taken_for_a_new_one(
    state: str, decided: Path, copy_of: Copy
) -> None:
    workspace = copy_of(decided)
    journal, runs = workspace / ".riskseg/journal.db", workspace / ".riskseg/runs"
    whole = journal.read_bytes()
    journal.unlink() if state == "gone" else journal.write_bytes(b"")
    commands = (
        ["journal", "prune", "--older-than", "24 months", "--yes"],
        ["journal", "show"],
        ["journal", "erase", SOMEONE],
        ["replay", "last"],
        ["assign", "--as-of", str(p.AS_OF), "--out", str(workspace / "new.parquet")],
        ["explain", SOMEONE, "--as-of", str(p.AS_OF)],
        ["strategy", "versions"],
        ["strategy", "activate", "--by", "ann"],
        ["models"],
        ["train"],
        ["check"],
    )
    for words in commands:
        done = CliRunner().invoke(app, ["-w", str(workspace), *words])
        assert done.exit_code == 1, words
        assert f"The journal is {state}, though 1 run has kept inputs" in done.stderr, words
        assert not (workspace / "new.parquet").exists()
    assert len(list(runs.iterdir())) == 1
    assert journal.exists() == (state == "empty")
    journal.write_bytes(whole)
    assert replay(workspace, "last").same
    journal.unlink()
    shutil.rmtree(runs)
    assert listed(workspace).runs == ()


@pytest.mark.parametrize(
    ("at", "count", "unit", "expected"),
    [
        ("2026-03-31", 1, "months", "2026-02-28"),
        ("2024-02-29", 1, "year", "2023-02-28"),
        ("2026-01-15", 13, "months", "2024-12-15"),
        ("2026-03-01", 1, "day", "2026-02-28"),
        ("2026-03-01", 0, "days", "2026-03-01"),
    ],
)
def test_spans(at: str, count: int, unit: str, expected: str) -> None:
    moment = moment_before(datetime.fromisoformat(at), count, unit)
    assert moment == datetime.fromisoformat(expected)


@pytest.mark.parametrize(("count", "unit"), [(1, "weeks"), (9999, "years"), (10**9, "days")])
def test_spans_that_are_none(count: int, unit: str) -> None:
    assert code_of(lambda: moment_before(p.AT, count, unit)) == "RS612"


def test_the_command_line(decided: Path, copy_of: Copy) -> None:
    workspace = copy_of(decided)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["-w", str(workspace), *words])
        return done.exit_code, done.stdout

    code, reported = run("replay", "last")
    assert (code, "The same bytes" in reported) == (0, True)
    reported = run("replay", "last", "--from-source", "--json")[1]
    assert json.loads(reported)["since"]["moved"] == 0
    assert json.loads(reported)["same"] is True
    assert "erased account" not in run("journal", "show")[1]
    for words in (("replay", ""), ("replay", " ")):
        assert run(*words)[0] == 1
    for by in ("ann\nbob", "ann\x1b[1m", "ann\u2028", " "):
        assert run("journal", "erase", SOMEONE, "--by", by)[0] == 2
    assert run("journal", "erase", SOMEONE, "--by", "ann [ops]")[0] == 0
    reported = run("journal", "show")[1]
    assert (account_hash(SOMEONE)[:12] in reported, "ann [ops]" in reported) == (True, True)
    shown = json.loads(run("journal", "show", "--json")[1])
    [erasure], [ran] = shown["erasures"], shown["runs"]
    assert erasure["account"] == account_hash(SOMEONE)
    assert (erasure["by"], erasure["runs"]) == ("ann [ops]", [ran["run_id"]])
    assert shown["unknown"] == []
    code, reported = run("journal", "erase", "A0000O008", "--json")
    assert (code, "A00000008" in reported) == (1, True)
    code, reported = run("replay", "last")
    assert (code, "1 account erased" in reported) == (0, True)
    assert "1 erased" in run("journal", "show")[1]
    assert "of 1 run of" in run("journal", "prune", "--older-than", "0 days", "--yes")[1]
    assert run("replay", "last")[0] == 1
    assert run("journal", "prune", "--older-than", "3 weeks", "--yes")[0] == 1


def test_a_replayed_verdict_counts_as_same_only_where_it_was_compared() -> None:
    bare = Replay(
        run_id="r",
        as_of=p.AS_OF,
        output=None,
        rows=1,
        verdict="different",
        sha256=None,
        journalled_sha256=None,
        erased=0,
        differing=None,
        why="",
        riskseg_then="1",
        riskseg_now="1",
        since=None,
        file=OutputFile(state="as written"),
    )
    expected = {"same bytes": True, "same rows": True, "different": False, "not compared": False}
    for verdict, same in expected.items():
        assert bare.model_copy(update={"verdict": verdict}).same is same
