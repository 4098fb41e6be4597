"""Decisions of random ledgers in buckets: the bytes of a run that decides all accounts at once."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.buckets import bucket_ledger
from riskseg.pipeline.deciding_from_ledger import DecidedRange, Deciding
from riskseg.pipeline.decisions import prepare
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import decide_bucket
from riskseg.results.runs import Decisions
from riskseg.run.assign import assign
from riskseg.store import sinks
from tests.ledger.facts import write_workspace
from tests.ledger.random_accounts import AS_OF, random_accounts
from tests.support.in_buckets import of_each

AT = datetime(2030, 1, 1, tzinfo=UTC)
BUCKETS = (1, 8, 64)
STRATEGY = {
    "strategy.yaml": """\
name: s
purpose: to be decided in buckets
owner: tests
actions:
  - {name: support, channel: desk, means: support}
  - {name: sms, channel: sms, contact: true}
  - {name: letter, channel: post, contact: true}
  - {name: call, channel: phone, contact: true}
priority: party_balance_overdue
""",
    "tiers.yaml": """\
behaviour:
  - {tier: late, when: days_past_due > 30 or late14_bills_6m >= 2}
  - {tier: others_late, when: party_days_past_due > 10}
  - {tier: good, otherwise: true}
""",
    "segments.yaml": """\
columns: [behaviour]
rows:
  - {id: late, match: [late], segment: intensive}
  - {id: others, match: [others_late], segment: standard}
  - {id: rest, match: [any], segment: gentle}
""",
    "paths.yaml": """\
gentle:
  for: [gentle]
  starts: episode_started_on
  steps: [{day: 1, action: sms}, {day: 15, action: letter}]
  stay: deliberately
standard:
  for: [standard]
  starts: episode_started_on
  steps: [{day: 0, action: sms}, {day: 8, action: call}]
  repeat: {every: 10 days, from: sms}
intensive:
  for: [intensive]
  starts: episode_started_on
  steps: [{day: 1, action: letter}, {day: 6, action: call}]
  repeat: {every: 20 days, from: letter}
""",
    "guards.yaml": """\
- {hold: promise_open, when: open_promise, source: tests}
- {contact_rule: few, of: [sms, call], at_most: 1, in: 30 days, per: party, source: tests}
- {guard: disputed, when: open_disputes > 0, never: [call], instead: support, source: tests}
- {guard: premise, when: premise_closed_debt > 0, never: [letter], source: tests}
- {guard: kept, when: plan_kept, never: [call, letter], source: tests}
""",
}


def random_workspace(root: Path, number: int) -> Path:
    """A workspace of random accounts, some of which share a party or a premise: few, or one time in
    fifty more than there are buckets."""
    draw = Random(number)  # noqa: S311
    count = draw.randint(65, 80) if number % 50 == 49 else draw.randint(1, 8)
    drawn = random_accounts(count, number)
    while not any(account.bills for account in drawn):
        count += 1
        drawn = random_accounts(count, number)
    root.mkdir()
    write_workspace(root, drawn, settings="max_unmatched = 1")
    file = root / "accounts.parquet"
    accounts = pq.read_table(file)
    for shared, most in (("party_id", 2 + count // 2), ("premise_id", 1 + count)):
        ids = [draw.choice((None, f"{draw.randrange(most)}")) for _ in range(count)]
        accounts = accounts.append_column(shared, pa.array(ids, pa.string()))
    pq.write_table(accounts, file)
    for name, text in STRATEGY.items():
        rules = root / "rules" / "s" / name
        rules.parent.mkdir(parents=True, exist_ok=True)
        rules.write_text(text)
    toml = root / "riskseg.toml"
    settings = 'strategy = "rules/s"\nmax_unmatched'
    threads = "\n[engine]\nthreads = 1\n"
    toml.write_text(toml.read_text().replace("max_unmatched", settings) + threads)
    return root


def written(place: Path, decided: list[DecidedRange]) -> bytes:
    """A file of the decisions of buckets."""
    rows = pa.concat_tables([one.decisions for one in decided])
    sinks.write(str(place), rows.schema, rows.to_batches(), token="buckets")
    return place.read_bytes()


def in_buckets(root: Path, day: date) -> Iterator[tuple[int, list[DecidedRange]]]:
    """The decisions of a workspace in each number of buckets."""
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine, read_journal(workspace) as journal:
        session = begin(workspace, engine)
        force = strategy_in_force(session, day, journal, draft=True, progress=Progress())
        decider = prepare(session, force.strategy, day, journal)
        in_common = bucket_ledger(session)
        work = partial(decide_bucket, Deciding(decider, keep=False), in_common)
        for count in sorted({min(count, session.ledger.accounts) for count in BUCKETS}):
            yield count, [*of_each(session, in_common, count, work)]


def compare(root: Path, number: int) -> set[str]:
    """Hold decisions of buckets against those of a run; the actions that are due."""
    random_workspace(root, number)
    place = root / "whole.parquet"

    def run(day: date) -> Decisions:
        return assign(root, day, str(place), at=AT, keep=False, draft=True)

    day = AS_OF[number % len(AS_OF)]
    try:
        done = run(day)
    except ProblemsError as error:
        # Nothing may be known yet as of that day.
        assert [problem.code for problem in error.problems] == ["RS602"]
        done = run(day := AS_OF[-1])
    for count, decided in in_buckets(root, day):
        assert len(decided) == count
        assert written(root / "buckets.parquet", decided) == place.read_bytes(), (number, count)
        totals, *others = [bucket.totals for bucket in decided]
        for other in others:
            totals.include(other)
        assert totals.ordered() == done.segments
        assert totals.actions == done.actions
    return {*done.actions}


def test_decisions_of_buckets_are_those_of_a_run(tmp_path: Path) -> None:
    assert compare(tmp_path / "w", 3)


def test_what_executors_get_has_no_connection_to_a_database(tmp_path: Path) -> None:
    root = random_workspace(tmp_path / "w", 3)
    toml = (root / "riskseg.toml").read_text()
    with closing(sqlite3.connect(root / "ledger.db")) as database:
        for file in root.glob("*.parquet"):
            table = pq.read_table(file)
            database.execute(f"create table {file.stem} ({', '.join(table.column_names)})")
            marks = ", ".join("?" * table.num_columns)
            rows = [
                [value if value is None or type(value) is bool else str(value) for value in row]
                for row in zip(*table.to_pydict().values(), strict=True)
            ]
            database.executemany(f"insert into {file.stem} values ({marks})", rows)
            toml = toml.replace(file.name, file.stem)
        database.commit()
    (root / "riskseg.toml").write_text(f'{toml}\n[source]\nurl = "sqlite:///ledger.db"\n')
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        ledger = bucket_ledger(begin(workspace, engine))
    assert b"ledger.db" not in pickle.dumps(ledger)


def test_a_bucket_that_is_decided_twice_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Twice:
        """Each piece is worked on twice, and the second result is taken."""

        slots = 1

        def each(self, work: Callable[[bytes], bytes], pieces: Iterable[bytes]) -> Iterator[bytes]:
            for piece in pieces:
                work(piece)
                yield work(piece)

    monkeypatch.setattr("riskseg.run.assign.spark_at", lambda _master: Twice())
    root = random_workspace(tmp_path / "w", 3)
    place = root / "out.parquet"
    manifest = root / "out.parquet.manifest.json"
    here = assign(root, AS_OF[3], str(place), at=AT, draft=True)
    written = place.read_bytes(), manifest.read_bytes()
    again = assign(root, AS_OF[3], str(place), at=AT, draft=True, spark="twice")
    assert again == here
    assert (place.read_bytes(), manifest.read_bytes()) == written


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1_000, 50))
def test_decisions_of_1_000_random_ledgers(tmp_path: Path, first: int) -> None:
    actions: set[str] = set()
    for number in range(first, first + 50):
        actions |= compare(tmp_path / str(number), number)
    assert {"sms", "letter", "call"} <= actions
