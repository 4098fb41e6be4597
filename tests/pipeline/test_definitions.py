"""What the facts mean is versioned: with a run, with an activation, and reported when it moves."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.stages import Progress
from riskseg.results.runs import Decisions
from riskseg.results.strategies import Activation
from riskseg.run.activate import activate, versions
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from riskseg.store.journal import Journal
from tests.support.sampled import one_in

AT = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
DAY = date(2026, 6, 30)
FILES = {
    "riskseg.toml": """\
[workspace]
strategy = "rules/s"

[source.accounts]
from = "accounts.csv"
size = "cast(square_metres as integer)"

[source.bills]
from = "select * from 'bills.csv'"

[source.payments]
from = "payments.csv"
""",
    "accounts.csv": "account_id,square_metres,other\na,100,1\nb,20,2\n",
    "bills.csv": "account_id,bill_id,due_on,amount\na,1,2026-05-01,100\nb,2,2026-05-01,4\n",
    "payments.csv": "account_id,paid_on,amount\na,2026-05-02,70\n",
    "models/features.yaml": """\
- {name: half, range: account, type: decimal, unit: money, value: "owed / 2", words: "{value}"}
- {name: owed, range: bills, aggregate: sum, unit: money, value: "overdue", words: "{value}"}
- {name: unread, range: bills, aggregate: max, unit: money, value: "amount", words: "{value}"}
""",
    "rules/s/strategy.yaml": """\
name: s
purpose: to be decided by
owner: tests
expects:
  visits_open: {type: integer, else: 0}
actions:
  - {name: sms, channel: sms}
""",
    "rules/s/tiers.yaml": """\
debt:
  - {tier: large, when: half >= 10 and size > 50 and visits_open = 0, unknown: skip}
  - {tier: small, otherwise: true}
""",
    "rules/s/segments.yaml": """\
columns: [debt]
rows:
  - {id: large, match: [large], segment: chase}
  - {id: rest, match: [any], segment: leave}
""",
    "rules/s/paths.yaml": """\
chase: {for: [chase], starts: as_of, steps: [{day: 0, action: sms}]}
leave: {for: [leave], starts: as_of}
""",
    "rules/s/guards.yaml": "- prove: action <> 'sms' or half >= 10\n  name: only_the_large\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "w"


def make(workspace: Path, version: str | None = None, first: str = "2026-06-01") -> Activation:
    return activate(workspace, version, effective_from=date.fromisoformat(first), by="ann", at=AT)


def decide(workspace: Path) -> tuple[Decisions, list[str]]:
    notes: list[str] = []
    out = str(workspace / "out.csv")
    done = assign(workspace, DAY, out, at=AT, progress=Progress(note=notes.append))
    return done, [note for note in notes if "proved for other definitions" in note]


def manifest(workspace: Path) -> dict[str, object]:
    reported = json.loads((workspace / "out.csv.manifest.json").read_text())
    return reported["definitions"]  # type: ignore[no-any-return]


def edit(workspace: Path, file: str, old: str, new: str) -> None:
    path = workspace / file
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


# What is edited, and the definitions that move by it.
MOVES = {
    "a feature": ("models/features.yaml", '"overdue"', '"amount"', ["owed"]),
    "one worked out from it": ("models/features.yaml", "owed / 2", "owed / 3", ["half"]),
    "its window": (
        *("models/features.yaml", "aggregate: sum,", "aggregate: sum, window: 90 days,"),
        ["owed"],
    ),
    "arrears_from": (
        *("riskseg.toml", "[workspace]", "[workspace]\narrears_from = 50"),
        ["workspace.arrears_from"],
    ),
    "an attribute": ("riskseg.toml", "cast(square_metres", "cast(other", ["size"]),
    "a column": (
        *(
            "riskseg.toml",
            "[source.payments]",
            '[source.payments]\namount = "cast(amount as decimal(9, 2)) - 1"',
        ),
        ["payments.amount"],
    ),
    "a select": (
        *("riskseg.toml", "select * from", "select * replace (amount * 2 as amount) from"),
        ["bills.from"],
    ),
    "a default value": (
        *("models/features.yaml", "- {name: unread", "- {name: visits_open"),
        ["visits_open"],
    ),
}
SAME = {
    "one that is not read": ("models/features.yaml", '"amount"', '"amount + 1"'),
    "its words": ("models/features.yaml", 'value: "overdue", words: "{value}"',
                  'value: "  overdue", words: "{value} owed"'),
    "an attribute that is not read": ("accounts.csv", "other", "another"),
    "data": ("payments.csv", "70", "1"),
    "a file of a select": ("riskseg.toml", "'bills.csv'", "'./bills.csv'"),
}  # fmt: skip


@pytest.mark.parametrize("move", one_in(3, MOVES))
def test_a_definition_that_moves_is_reported(workspace: Path, move: str) -> None:
    file, old, new, names = MOVES[move]
    make(workspace)
    before, notes = decide(workspace)
    then = manifest(workspace)
    assert (before.activated, notes, then["changed_since_activation"]) == (True, [], [])
    edit(workspace, file, old, new)
    after, notes = decide(workspace)
    now = manifest(workspace)
    assert after.activated
    assert after.strategy.version == before.strategy.version
    assert after.run_id != before.run_id
    assert now["fingerprint"] != then["fingerprint"]
    assert now["changed_since_activation"] == names
    [note] = notes
    assert all(name in note for name in names)
    with Journal.open(workspace / ".riskseg/journal.db") as journal:
        one, other = journal.runs()
    assert (one.definitions, other.definitions) == (now["of"], then["of"])

    reported: list[str] = []
    explain(workspace, "a", DAY, fresh=True, progress=Progress(note=reported.append))
    assert note in reported

    # Activation again, it is proved of these facts, and there is nothing to tell any more.
    again = make(workspace)
    assert again.new
    assert not make(workspace).new
    assert decide(workspace)[1] == []
    assert [v.version for v in versions(workspace)] == [before.strategy.version] * 2


@pytest.mark.parametrize("change", SAME)
def test_what_changes_no_definition_is_not_reported(workspace: Path, change: str) -> None:
    make(workspace)
    decide(workspace)
    then = manifest(workspace)
    edit(workspace, *SAME[change])
    assert decide(workspace)[1] == []
    assert manifest(workspace) == then
    assert not make(workspace).new


def test_a_refuted_strategy_is_not_activated_again_of_other_facts(workspace: Path) -> None:
    """What was proved of a count may be false of what replaced it."""
    text = FILES["rules/s/guards.yaml"] + "- prove: coalesce(unread, 0) >= 0\n  name: never_below\n"
    (workspace / "rules/s/guards.yaml").write_text(text)
    make(workspace)
    edit(
        workspace, "models/features.yaml", 'range: bills, aggregate: max, unit: money, value: "am',
        'range: account, type: decimal, unit: money, value: "owed - 5", words: "x {value}"}\n'
        '- {name: none, range: bills, aggregate: max, unit: money, value: "am',
    )  # fmt: skip
    assert len(decide(workspace)[1]) == 1
    with pytest.raises(ProblemsError) as raised:
        make(workspace)
    assert codes(raised) == ["RS606"]


def test_an_earlier_version_is_activated_again(workspace: Path) -> None:
    one = make(workspace).version
    edit(workspace, "rules/s/tiers.yaml", "half >= 10 ", "half >= 15 ")
    two = make(workspace).version
    assert decide(workspace)[0].strategy.version == two
    (workspace / "rules/s/tiers.yaml").write_text("tiers: [")  # the folder plays no part in it
    back = make(workspace, one[:6])
    assert (back.version, back.new) == (one, True)
    assert decide(workspace)[0].strategy.version == one
    assert not make(workspace, one).new
    assert make(workspace, two, "2026-06-02").new
    for unknown in ("", "zzz", f"{one}0"):
        with pytest.raises(ProblemsError) as raised:
            make(workspace, unknown)
        assert codes(raised) == ["RS230"]


def test_a_beginning_of_two_versions_is_none(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [f"ab{make(workspace).version}"]
    monkeypatch.setattr("riskseg.pipeline.strategy_in_force.meant", lambda *_: [*known, "abc"])
    with pytest.raises(ProblemsError, match=f"could be ab.* or {known[0]}|{known[0]} or abc"):
        make(workspace, "ab")


def test_a_version_that_today_s_facts_do_not_fit_is_not_activated(workspace: Path) -> None:
    one = make(workspace).version
    edit(workspace, "rules/s/tiers.yaml", "half >= 10 ", "half >= 15 ")
    edit(workspace, "rules/s/tiers.yaml", "size > 50 and ", "")
    make(workspace)
    edit(workspace, "riskseg.toml", 'size = "cast(square_metres as integer)"\n', "")
    with pytest.raises(ProblemsError) as raised:
        make(workspace, one)
    assert codes(raised) == ["RS303"]


def sql(workspace: Path, *statements: str) -> None:
    with closing(sqlite3.connect(workspace / ".riskseg/journal.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


EDITS: dict[str, Callable[[str], str]] = {
    "the text": lambda _: "update strategies set files = replace(files, '>= 10', '>= 1')",
    "the version": lambda f: f"update strategies set fingerprint = '{f[::-1]}'",
    "the first day": lambda _: "update activations set effective_from = '2026-01-01'",
    "what was proved": lambda _: "update activations set definitions = null",
    "no activation": lambda _: "delete from activations",
}


@pytest.mark.parametrize("what", EDITS)
def test_what_was_edited_in_the_journal_does_not_decide(workspace: Path, what: str) -> None:
    version = make(workspace).version
    sql(workspace, "pragma foreign_keys = off", EDITS[what](version))
    for use in (
        lambda: decide(workspace),
        lambda: explain(workspace, "a", DAY, fresh=True),
        lambda: make(workspace, first="2026-06-05"),
        lambda: versions(workspace),
    ):
        with pytest.raises(ProblemsError) as raised:
            use()
        assert codes(raised) == ["RS603"]
        assert str(raised.value.problems[0].file).endswith("journal.db")
    assert not (workspace / "out.csv").exists()


def test_a_text_that_another_version_of_riskseg_reads_otherwise(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a run that is decided again: a note. From this version itself it is an edit."""
    make(workspace)
    monkeypatch.setattr("riskseg.strategy.check.fingerprint", lambda _: "0" * 12)
    with pytest.raises(ProblemsError) as raised:
        decide(workspace)
    assert codes(raised) == ["RS603"]
    monkeypatch.setattr("riskseg.__version__", "99")
    notes: list[str] = []
    assign(workspace, DAY, str(workspace / "o.csv"), at=AT, progress=Progress(note=notes.append))
    assert any("as riskseg 99 reads it" in note for note in notes)


def test_the_command_line(workspace: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["-w", str(workspace), "strategy", *words])
        return done.exit_code, done.output

    one = make(workspace).version
    edit(workspace, "rules/s/tiers.yaml", "half >= 10 ", "half >= 15 ")
    make(workspace)
    code, reported = run("activate", one[:5], "--by", "bob", "--from", "2026-06-03")
    assert (code, f"s {one} is in force from 2026-06-03, by bob." in reported) == (0, True), (
        reported
    )
    code, reported = run("activate", "nothing", "--by", "bob")
    assert (code, "RS230" in reported) == (1, True)
