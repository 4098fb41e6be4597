"""Which strategy decides: the one the journal says holds as of the date."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.stages import Progress
from riskseg.results.runs import Decisions
from riskseg.results.strategies import Activation, Proof
from riskseg.run.activate import activate, versions
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from riskseg.store.journal import Journal
from riskseg.strategy.proof.results import Proofs, Result, Verdict
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
TIERS = f"{p.STRATEGY}/tiers.yaml"


@pytest.fixture(autouse=True)
def proofs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Proofs are tried elsewhere: here they come out as a test says."""

    def come_out(*verdicts: Verdict) -> None:
        found = tuple(Result("declared", f"claim_{i}", v) for i, v in enumerate(verdicts))
        monkeypatch.setattr("riskseg.pipeline.proving.prove_strategy", lambda *_: Proofs(found))

    come_out("proved", "proved")
    return come_out


def make(workspace: Path, first: str, **more: object) -> Activation:
    return activate(
        workspace,
        effective_from=date.fromisoformat(first),
        by="ann",
        at=p.AT,
        **more,  # type: ignore[arg-type]
    )


def decide(workspace: Path, as_of: str = "2026-05-15", **more: object) -> Decisions:
    return assign(
        workspace,
        date.fromisoformat(as_of),
        str(workspace / "out.parquet"),
        at=p.AT,
        reasons="none",
        **more,  # type: ignore[arg-type]
    )


def edit(workspace: Path, cut: int) -> str:
    """Another strategy in the folder: a cut moved. Its fingerprint."""
    path = workspace / TIERS
    text = path.read_text()
    head, _, rest = text.partition("max_dpd_12m > ")
    assert rest
    path.write_text(f"{head}max_dpd_12m > {cut}{rest.lstrip('0123456789')}")
    return decide(workspace, draft=True).strategy.version


def state(workspace: Path) -> list[str]:
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        return [a.fingerprint for a in journal.activations()]


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> set[str]:
    return {problem.code for problem in raised.value.problems}


def test_the_journal_decides_once_anything_is_activated(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    before = decide(workspace)
    assert not before.activated
    manifest = workspace / "out.parquet.manifest.json"
    assert json.loads(manifest.read_text())["strategy"]["activated"] is False
    done = make(workspace, "2026-05-01")
    assert (done.version, done.new, done.by) == (before.strategy.version, True, "ann")

    # What lies in the folder makes no difference any more, and that is said.
    other = edit(workspace, 1)
    assert other != done.version
    notes: list[str] = []
    after = decide(workspace, progress=Progress(note=notes.append))
    assert (after.activated, after.strategy.version) == (True, done.version)
    assert after.sha256 == before.sha256
    assert after.run_id != before.run_id
    assert any(done.version in n and other in n and "not activated" in n for n in notes), notes
    assert json.loads(manifest.read_text())["strategy"]["activated"] is True
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        assert [r.activated for r in journal.runs()] == [True, False, False]

    draft = decide(workspace, draft=True)
    assert (draft.activated, draft.strategy.version) == (False, other)
    assert draft.sha256 != before.sha256

    # A folder that cannot even be read does not disturb what is in force.
    (workspace / TIERS).write_text("tiers: [")
    assert decide(workspace).sha256 == before.sha256
    with pytest.raises(ProblemsError):
        decide(workspace, draft=True)

    account = "A00000001"
    reported = explain(workspace, account, p.AS_OF)
    assert reported.strategy == done.version
    with pytest.raises(ProblemsError):
        explain(workspace, account, p.AS_OF, draft=True)


@pytest.mark.slow
def test_versions_by_date(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    one = make(workspace, "2026-03-01").version
    two = edit(workspace, 20)
    make(workspace, "2026-05-10")
    for day, expected in (("2026-03-01", one), ("2026-05-09", one), ("2026-05-10", two)):
        assert decide(workspace, day).strategy.version == expected, day
    with pytest.raises(ProblemsError, match="2026-03-01 on") as raised:
        decide(workspace, "2026-02-28")
    assert codes(raised) == {"RS605"}
    assert not decide(workspace, "2026-02-28", draft=True).activated

    # Reaching back over 2026-05-10, which the second decided, is refused; the day itself is not.
    three = edit(workspace, 25)
    with pytest.raises(ProblemsError, match="2026-05-10 on") as raised:
        make(workspace, "2026-05-09")
    assert codes(raised) == {"RS607"}
    assert state(workspace) == [two, one]
    assert make(workspace, "2026-05-10").notes == (
        "1 run of dates from 2026-05-10 on were decided before; they stay as they are.",
    )
    assert decide(workspace, "2026-05-10").strategy.version == three
    assert [(v.version, v.superseded) for v in versions(workspace)] == [
        (three, False),
        (two, True),
        (one, False),
    ]


@pytest.mark.slow
def test_a_plan_can_be_called_off_and_what_is_active_is_not_activated_again(
    trained: Path, copy_of: Copy
) -> None:
    workspace = copy_of(trained)
    one = make(workspace, "2026-03-01").version
    again = make(workspace, "2026-04-01")
    assert (again.new, again.effective_from) == (False, date(2026, 3, 1))
    text = (workspace / TIERS).read_text()
    (workspace / TIERS).write_text("# only a comment\n" + text)
    assert not make(workspace, "2026-03-01").new
    assert state(workspace) == [one]

    two = edit(workspace, 20)
    make(workspace, "2026-12-01")
    decide(workspace)
    (workspace / TIERS).write_text(text)
    called_off = make(workspace, "2026-06-01")
    assert called_off.notes == (f"{two}, planned from 2026-12-01, will not come into force.",)
    assert decide(workspace, "2026-12-02").strategy.version == one


def _misspelt(workspace: Path) -> None:
    p.replace(workspace, TIERS, "late14_bills_6m >= 3", "late14_bils_6m >= 3")


def _wrong_example(workspace: Path) -> None:
    path = workspace / p.STRATEGY / "examples.yaml"
    path.write_text(path.read_text().replace("segment: self_cure", "segment: standard", 1))


def _over(workspace: Path) -> None:
    path = workspace / p.STRATEGY / "strategy.yaml"
    path.write_text(path.read_text() + "\neffective_to: 2026-04-30\n")


@pytest.mark.parametrize(
    ("plant", "verdicts", "unproved", "code"),
    [
        (_misspelt, ("proved",), False, "RS303"),
        (_wrong_example, ("proved",), True, "RS211"),
        (_over, ("proved",), False, "RS210"),
        (None, ("proved", "refuted"), False, "RS606"),
        (None, ("proved", "refuted"), True, "RS606"),
        (None, ("proved", "unproved"), False, "RS606"),
    ],
    ids=["problems", "example", "dates", "refuted", "refuted all the same", "unproved"],
)
def test_what_is_not_activated(
    plant: Callable[[Path], None] | None,
    verdicts: tuple[str, ...],
    unproved: bool,
    code: str,
    trained: Path,
    copy_of: Copy,
    proofs: Callable[..., None],
) -> None:
    workspace = copy_of(trained)
    if plant:
        plant(workspace)
    proofs(*verdicts)
    with pytest.raises(ProblemsError) as raised:
        make(workspace, "2026-05-01", unproved=unproved, reason="in a hurry")
    assert codes(raised) == {code}
    assert state(workspace) == []


def test_what_is_refuted_is_named_once_at_its_line(
    trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(trained)
    guards = f"{p.STRATEGY}/guards.yaml"
    found = Result("declared", "no_agency", "refuted", "It does not hold: x", (), guards, 12)
    monkeypatch.setattr("riskseg.pipeline.proving.prove_strategy", lambda *_: Proofs((found,)))
    with pytest.raises(ProblemsError) as raised:
        make(workspace, "2026-05-01")
    [one] = raised.value.problems
    assert (one.code, one.where) == ("RS606", f"{guards}:12")
    assert one.what == "Refuted: declared no_agency. It does not hold: x."


def test_unproved_with_a_reason(trained: Path, copy_of: Copy, proofs: Callable[..., None]) -> None:
    workspace = copy_of(trained)
    proofs("proved", "unproved")
    make(workspace, "2026-05-01", unproved=True, reason="the solver is slow")
    [made] = versions(workspace)
    assert (made.reason, made.proof) == (
        "the solver is slow",
        Proof(proved=1, unproved=("declared claim_1",)),
    )


@pytest.mark.slow
def test_the_command_line(trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real proofs, of the starter strategy."""
    monkeypatch.undo()
    workspace = copy_of(trained)
    moment = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
    monkeypatch.setattr("riskseg.cli.versions.now", lambda: moment)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["-w", str(workspace), *words])
        return done.exit_code, done.stdout

    activating = ("strategy", "activate")
    assert run(*activating)[0] == 2  # by whom?
    assert run(*activating, "--by", "ann", "--unproved")[0] == 2  # why?
    assert run(*activating, "--by", "ann\nbob")[0] == 2
    assert run(*activating, "--by", "ann", "--unproved", "--reason", "a\tb")[0] == 2
    assert run("strategy", "versions")[1].startswith("Nothing is activated")
    code, reported = run(*activating, "--by", "ann", "--json")
    done = json.loads(reported)
    assert (code, done["effective_from"], done["by"], done["new"]) == (0, "2026-05-01", "ann", True)
    assert done["proof"]["proved"] > 20
    assert done["proof"]["unproved"] == []
    code, reported = run(*activating, "--by", "bob")
    assert code == 0
    assert "already, by ann: nothing is changed." in reported
    assert done["version"] in run("strategy", "versions")[1]
    out = ("--out", str(workspace / "o.csv"))
    assert run("assign", "--as-of", "2026-04-30", *out)[0] == 1
    code, reported = run("assign", "--as-of", "2026-04-30", *out, "--draft")
    assert (code, "not activated" in reported) == (0, True)
    code, reported = run("assign", "--as-of", "2026-05-15", *out)
    assert (code, "not activated" in reported) == (0, False)
