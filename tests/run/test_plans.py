"""What `--plan` prints is what is carried out: each command with it is run, and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.pipeline import stages
from riskseg.pipeline.stages import ForEach, Job, NothingLeft, Progress, Stage
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
CARD = "feature,from,to,levels,points\nbase,,,,400\nbills_12m,,6,,10\nbills_12m,6,,,40\n"
SPEC = "name: elsewhere\ntarget: {event: late}\nlearners: [scorecard]\n"

# Of each command, words to call it with; {} is a workspace of two partitions.
CALLS = [
    "check",
    "generate --out {}/made --accounts 20 --months 3",
    "train default late_payment",
    "score --as-of DAY --out {}/scores.csv",
    "explain A00000007 --as-of DAY",
    "assign --as-of DAY --out {}/decisions.csv",
    "explain A00000007 --as-of DAY",
    "explain A00000007 --as-of DAY --fresh",
    "replay last",
    "rehearse --from DAY --to DAY",
    "worklist --as-of DAY --out {}/due.csv",
    "worklist issue --as-of DAY --out {}/worklist.csv",
    "worklist approve --all --as-of DAY --by me --reason checked",
    "worklist reject --all --as-of DAY --by you --reason checked",
    "worklist done {}/outcomes.csv",
    "history A00000007",
    "ageing --as-of DAY",
    "insight size --as-of DAY --months 1 --out {}/sizes.csv",
    "report --as-of DAY --out {}/report.html",
    "replay last --from-source --sql {}/replay.sql",
    "strategy facts --as-of DAY --out {}/facts.csv",
    "strategy prove",
    "strategy prove --no-data",
    f"strategy diff {p.STRATEGY} {p.STRATEGY}",
    f"strategy diff {p.STRATEGY} {p.STRATEGY} --no-data",
    f"strategy diff {p.STRATEGY} {p.STRATEGY} --as-of DAY",
    "strategy activate --by me --from 2026-05-01",
    "models recalibrate late_payment --since 2026-01-01",
    "models compare late_payment late_payment",
    "models import {}/card.csv --model elsewhere --pdo 20 --points-at-odds 600:50",
    "models import {}/card.csv --model elsewhere --pdo 20 --points-at-odds 600:50 "
    f"--reference-as-of {DAY}",
]


def with_plans() -> set[str]:
    """The commands that can print a plan."""
    found = set()

    def walk(command: object, path: tuple[str, ...]) -> None:
        if any("--plan" in option.opts for option in getattr(command, "params", ())):
            found.add(" ".join(path))
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))

    walk(typer.main.get_command(app), ())
    return found


def test_every_command_with_a_plan_is_called_here() -> None:
    called = {name for name in with_plans() for call in CALLS if call.startswith(name)}
    assert with_plans() - called == {"demo"}


def carried_out(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> str:
    """The stages that a command reports, as a line of their names."""
    reported: list[str] = []
    original = Job.__init__

    def recording(job: Job, progress: Progress | None) -> None:
        original(job, progress)
        if progress is not None:  # a job within a stage reports nothing
            job.progress = Progress(
                reached=lambda stage, _done, _total: reported.append(stage.name)
            )

    with monkeypatch.context() as patched:
        patched.setattr(stages.Job, "__init__", recording)
        result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return " ".join(reported)


def planned(words: list[str]) -> str:
    """A pattern of the stages that a command prints; those for each of something may repeat. There
    may be no day at all that no run has decided."""
    result = CliRunner().invoke(app, [*words, "--plan", "--json"])
    assert result.exit_code == 0, result.output
    groups = groupby(json.loads(result.stdout), key=lambda stage: stage["each"])
    names = ((each, [stage["stage"] for stage in group]) for each, group in groups)
    pattern = ""
    for each, group in names:
        repeats = ("*" if "no run" in each else "+") if each else ""
        pattern += f"(?: {' '.join(group)}){repeats}"
    return pattern


@pytest.mark.slow
def test_what_is_printed_is_what_is_carried_out(
    trained: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(trained)
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 1\npartitions = 2")
    (workspace / "card.csv").write_text(CARD)
    (workspace / "models" / "elsewhere.yaml").write_text(SPEC)
    lines = {}
    for call in CALLS:
        words = call.replace("{}", str(workspace)).replace("DAY", DAY).split()
        words = ["-w", str(workspace), *words]
        if call.startswith("worklist done"):
            issued = (workspace / "worklist.csv").read_text().splitlines()[1].split(",")[0]
            (workspace / "outcomes.csv").write_text(f"id,outcome\n{issued},no_answer\n")
        plan = planned(words)
        lines[call] = carried_out(monkeypatch, words)
        said = f"{call}: planned {plan}, reported {lines[call]}"
        assert re.fullmatch(plan, f" {lines[call]}"), said
    once = "load rules facts score decide facts score decide write journal"
    assert lines["assign --as-of DAY --out {}/decisions.csv"] == once
    assert lines["replay last --from-source --sql {}/replay.sql"].endswith("compare now")
    statements = (workspace / "replay.sql").read_text()
    assert statements.count("-- ======== decide: ") == 4  # of two partitions, then and now
    assert re.search(r"^-- decided · \d+ rows · \d+\.\d{3} s$", statements, re.MULTILINE)
    assert lines["train default late_payment"].count("learn") == 2


@pytest.mark.slow
def test_the_demo_carries_out_its_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["demo", "--dir", str(tmp_path / "demo"), "--accounts", "1000"]
    plan = planned(words)
    line = carried_out(monkeypatch, words)
    assert re.fullmatch(plan, f" {line}"), line


# The runner


class Counting(Job):
    def __init__(self, progress: Progress | None = None) -> None:
        super().__init__(progress)
        self.items: list[int] = []
        self.seen: list[object] = []

    def find(self) -> None:
        self.items = [1, 2, 3]

    def double(self, item: int) -> list[int]:
        self.seen.append(item)
        return [2 * item]

    def take(self, stream: object) -> None:
        self.seen.append(list(stream))  # type: ignore[call-overload]

    def end(self) -> None:
        raise NothingLeft


FIND = Stage("find", "finds the items").by(Counting.find)
DOUBLE = Stage("double", "doubles one", weight=2).by(Counting.double)
TAKE = Stage("take", "takes them").by(Counting.take)
END = Stage("end", "ends").by(Counting.end)


def test_a_total_is_known_once_the_items_are() -> None:
    reached: list[tuple[str, int, int]] = []
    progress = Progress(lambda stage, done, total: reached.append((stage.name, done, total)))
    job = Counting(progress)
    job.carry_out([FIND, ForEach("item", lambda job: job.items, (DOUBLE,), into=TAKE)])
    doubled = [("double", 1, 8), ("double", 3, 8), ("double", 5, 8)]
    assert reached == [("find", 0, 4), *doubled, ("take", 7, 8)]
    assert job.seen == [1, 2, 3, [2, 4, 6]]


def test_nothing_is_carried_out_after_nothing_is_left() -> None:
    job, closed = Counting(), []
    job.opened.callback(closed.append, "closed")
    job.carry_out([END, FIND])
    assert (job.items, closed) == ([], ["closed"])


def test_a_stage_without_a_function_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="has a function"):
        Counting().carry_out([Stage("none", "nothing carries it out")])
