"""Whatever is broken in an input is a Problem, never a traceback and never a wait without end."""

from __future__ import annotations

import csv
import json
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from tests.journeys.malformed import ASSIGN, READERS, Case, copied, mutate, workspace

SECONDS = 20
# Exit codes of a command that understood what was wrong: done, problems, wrong usage, busy.
UNDERSTOOD = (0, 1, 2)


class HangError(BaseException):
    """A command that takes longer than any of them may."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("sound") / "w")


def attempt(sound: Path, case: Case) -> list[str]:
    """What went wrong with a broken input: nothing, where every command understood it."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        root = copied(sound, Path(folder) / "w")
        mutate(root, case)
        for words in READERS[case.file]:
            command = [str(root / "new.csv") if word == "OUT" else word for word in words]
            shown = f"seed {case.seed}, {case.file}: {' '.join(words)}"
            try:
                with limited(SECONDS):
                    done = CliRunner().invoke(app, ["-w", str(root), *command])
            except HangError:
                faults.append(f"{shown}: no end")
                continue
            if done.exit_code not in UNDERSTOOD:
                error = repr(done.exception) + "\n" + done.output[-1500:]
                faults.append(f"{shown}: exit {done.exit_code}\n{error}")
            elif words is ASSIGN and done.exit_code == 0:
                faults += [f"{shown}: {fault}" for fault in lost(root)]
    return faults


def lost(root: Path) -> list[str]:
    """Accounts that are neither decided nor set apart."""
    reported = json.loads(CliRunner().invoke(app, ["-w", str(root), "check", "--json"]).stdout)
    rows, bad = reported["rows"].get("accounts", 0), reported["bad"].get("accounts", 0)
    with (root / "new.csv").open(encoding="utf-8", newline="") as file:
        decided = sum(1 for _ in csv.DictReader(file))
    return [] if decided == rows - bad else [f"{rows} rows, {bad} bad, {decided} decided"]


# A run.json that is nested deeper than JSON is read.
FOUND = (2_570,)


@pytest.mark.slow
def test_a_sample_of_broken_inputs(sound: Path) -> None:
    seeds = (*range(54), *FOUND)
    faults = [fault for seed in seeds for fault in attempt(sound, Case(seed))]
    assert not faults, "\n\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_broken_inputs(block: int, sound: Path) -> None:
    seeds = range(1_000 + 100 * block, 1_100 + 100 * block)
    faults = [fault for seed in seeds for fault in attempt(sound, Case(seed))]
    assert not faults, "\n\n".join(faults)
