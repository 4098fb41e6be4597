"""Whatever moment an activation or an erasure is killed at: the journal tells of all of it or of
nothing, what is kept stays whole, and doing it again ends well."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.archive import account_hash
from riskseg.results.journal import Erasure
from riskseg.results.runs import Decisions
from riskseg.results.strategies import Activation
from riskseg.run.activate import activate
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.run.retention import erase
from riskseg.store import run_inputs
from riskseg.store.journal import Journal
from tests.journeys.killing import (
    ACTIVATE_DOORS,
    ERASE_DOORS,
    Door,
    begin_command,
    no_proofs,
    tried,
)
from tests.support import portfolio as p

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")

Copy = Callable[[Path], Path]
SOMEONE = "A00000007"
# An id that only a bad row has ever had.
STRANGER = "A99999999"
ACTIVATE = ("strategy", "activate", "--by", "ann", "--from", "2026-05-01")
ERASE = ("journal", "erase", SOMEONE, "--by", "ann")


def leftovers(workspace: Path) -> list[Path]:
    return [*(workspace / ".riskseg").glob("scratch/*"), *workspace.rglob("*.riskseg.part")]


def killed_at(workspace: Path, *words: str, door: Door) -> None:
    process = begin_command(workspace, *words, door=door, proving=False)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def decide(workspace: Path, name: str) -> Decisions:
    return assign(workspace, p.AS_OF, str(workspace / name), at=p.AT, reasons="none")


# An activation


def activated(workspace: Path) -> list[str]:
    """The fingerprints of what is activated; each has its text."""
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        found = journal.activations()
        texts = {(s.fingerprint, s.text) for s in journal.strategies()}
        assert {(a.fingerprint, a.text) for a in found} == texts
    return [a.fingerprint for a in found]


def activate_again(workspace: Path) -> Activation:
    return activate(workspace, effective_from=p.AS_OF.replace(day=1), by="ann", at=p.AT)


def check_activated_again(workspace: Path) -> None:
    """Whether the killed one counts already or not, it ends as if nothing had happened."""
    before = activated(workspace)
    assert decide(workspace, "between.csv").activated is (before != [])
    done = activate_again(workspace)
    assert done.new is (before == [])
    assert activated(workspace) == [done.version]
    after = decide(workspace, "after.csv")
    assert (after.activated, after.strategy.version) == (True, done.version)
    assert leftovers(workspace) == []


@pytest.mark.parametrize("door", tried(ACTIVATE_DOORS))
def test_an_activation_killed_at_a_door(
    door: str, trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskseg.pipeline.proving.prove_strategy", no_proofs)
    workspace = copy_of(trained)
    killed_at(workspace, *ACTIVATE, door=ACTIVATE_DOORS[door])
    assert len(activated(workspace)) == (door in ("after the commit", "after the journal"))
    assert leftovers(workspace) != []
    check_activated_again(workspace)


# An erasure


@pytest.fixture(scope="module")
def held(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs have kept the account, and bad rows name it and a stranger. Not to be changed."""
    workspace = p.copied(trained, tmp_path_factory.mktemp("held") / "workspace")
    p.replace(workspace, "riskseg.toml", "max_bad_rows = 0\n", "max_bad_rows = 0.01\n")
    for account in (SOMEONE, STRANGER):
        bad = {"account_id": account, "paid_on": "soon", "amount": 5}
        p.add_rows(workspace, "payments", bad)
    for name in ("one.csv", "two.csv"):
        decide(workspace, name)
    return workspace


def inputs(workspace: Path) -> list[Path]:
    return sorted((workspace / ".riskseg/runs").glob(f"*/{run_inputs.INPUTS}"))


def reported_by_files(workspace: Path) -> int:
    """In how many inputs the account is erased. Each is whole, and either holds the account or
    tells that it does not."""
    count = 0
    for file in inputs(workspace):
        there = SOMEONE in pq.read_table(file)["account_id"].to_pylist()
        erased = run_inputs.erased(file.parent)
        assert erased == (() if there else (account_hash(SOMEONE),))
        count += not there
    return count


def journalled(workspace: Path) -> list[tuple[str, set[str]]]:
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        return [(e.account, set(e.runs)) for e in journal.erasures()]


def erase_again(workspace: Path, account: str = SOMEONE) -> Erasure:
    return erase(workspace, account, by="ann", at=p.AT)


def check_erased_again(workspace: Path) -> None:
    before = journalled(workspace)
    # What is erased from the inputs of the last run, and is not journalled yet, could have been
    # taken out by anyone: until it is erased again the run cannot be replayed.
    try:
        assert replay(workspace, "last").same
    except ProblemsError as error:
        assert not before
        (problem,) = error.problems
        assert problem.code == "RS610"
        assert "erase the account again" in problem.hint
    done = erase_again(workspace)
    runs = {file.parent.name for file in inputs(workspace)}
    assert set(done.runs) == (set() if before else runs)
    assert journalled(workspace) == [(account_hash(SOMEONE), runs)]
    assert reported_by_files(workspace) == 2
    assert SOMEONE not in (workspace / ".riskseg/quarantine/payments.csv").read_text()
    again = replay(workspace, "last")
    assert (again.same, again.erased) == (True, 1)
    assert leftovers(workspace) == []


# By door: the inputs it is erased from by then, and whether it is out of the quarantine.
HAPPENED = {
    "in the middle of writing": (0, False),
    "before the disk is flushed": (0, False),
    "before the first rename": (0, False),
    "after the first rename": (1, False),
    "before the second rename": (1, False),
    "after the second rename": (2, False),
    "before the quarantine is renamed": (2, False),
    "after the quarantine is renamed": (2, True),
    "before the commit": (2, True),
    "after the commit": (2, True),
    "after the journal": (2, True),
}


@pytest.mark.parametrize("door", tried(ERASE_DOORS))
def test_an_erasure_killed_at_a_door(door: str, held: Path, copy_of: Copy) -> None:
    workspace = copy_of(held)
    killed_at(workspace, *ERASE, door=ERASE_DOORS[door])
    quarantine = (workspace / ".riskseg/quarantine/payments.csv").read_text()
    assert (reported_by_files(workspace), SOMEONE not in quarantine) == HAPPENED[door]
    # The journal tells of it when all is done, and not before.
    assert len(journalled(workspace)) == (door in ("after the commit", "after the journal"))
    check_erased_again(workspace)


def test_an_erasure_from_the_quarantine_alone_is_journalled_by_the_next(
    held: Path, copy_of: Copy
) -> None:
    """Nothing kept tells any more that the bad row was there."""
    workspace = copy_of(held)
    words = ("journal", "erase", STRANGER, "--by", "ann")
    killed_at(workspace, *words, door=ERASE_DOORS["before the commit"])
    assert STRANGER not in (workspace / ".riskseg/quarantine/payments.csv").read_text()
    assert journalled(workspace) == []
    assert erase_again(workspace, STRANGER).runs == ()
    assert journalled(workspace) == [(account_hash(STRANGER), set())]


# Any moment


def killed_at_moments(workspace: Path, copy_of: Copy, count: int, *words: str) -> list[Path]:
    """Copies of a workspace, the command killed in each at a moment of its own; some of them
    while it was writing something."""
    warm, whole = copy_of(workspace), copy_of(workspace)
    took = 0.0
    for one in (warm, whole):
        begun = time.monotonic()
        process = begin_command(one, *words)
        process.join()
        assert process.exitcode == 0
        took = time.monotonic() - begun
    rng = random.Random(20)  # noqa: S311
    copies = [copy_of(workspace) for _ in range(count)]
    for number, one in enumerate(copies):
        process = begin_command(one, *words)
        time.sleep(took * (number + rng.random()) / count)
        process.kill()
        process.join()
    assert any(leftovers(one) for one in copies)
    return copies


@pytest.mark.slow  # the doors are tried one by one without it
def test_an_activation_killed_at_twenty_random_moments(trained: Path, copy_of: Copy) -> None:
    for workspace in killed_at_moments(trained, copy_of, 20, *ACTIVATE):
        check_activated_again(workspace)


@pytest.mark.slow  # the doors are tried one by one without it
def test_an_erasure_killed_at_twenty_random_moments(held: Path, copy_of: Copy) -> None:
    for workspace in killed_at_moments(held, copy_of, 20, *ERASE):
        reported_by_files(workspace)
        check_erased_again(workspace)
