"""What riskseg.toml expects of a source is held against it by every command that reads it: one
whose output is acted on stops, one that only reports says so; and `--quiet` hides neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.pipeline.feeds import breaches
from riskseg.store.journal import Journal
from riskseg.workspace import Source
from riskseg.workspace.expectations import ExpectTable
from tests.support import portfolio as p
from tests.support import treated

DAY = date(2026, 3, 31)
FAULT = "payments: the newest row is of 2026-03-20, 11 days before 2026-03-31; 3 days are allowed"


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account in arrears, whose payments are older than is allowed."""
    root = treated.write(
        tmp_path_factory.mktemp("stale") / "w",
        paths={"chase": {"steps": [{"day": 3, "action": "letter"}]}},
        rows={
            "accounts": [{"account_id": "A", "treatment": "chase"}],
            "bills": [
                {"account_id": "A", "bill_id": "B", "due_on": DAY - timedelta(9), "amount": 50}
            ],
            "payments": [{"account_id": "A", "paid_on": "2026-03-20", "amount": 1}],
        },
    )
    return expecting(root, 'newest = "3 days"')


def expecting(root: Path, text: str) -> Path:
    with (root / "riskseg.toml").open("a") as file:
        file.write(f"\n[source.payments.expect]\n{text}\n")
    return root


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(root), *words])


@pytest.mark.parametrize(
    "command",
    [
        ("assign", "--as-of", str(DAY), "--out", "d.csv"),
        ("worklist", "--as-of", str(DAY), "--out", "l.csv"),
        ("worklist", "issue", "--as-of", str(DAY), "--out", "l.csv"),
    ],
)
def test_what_is_acted_on_is_not_made_of_a_stale_source(
    stale: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = p.copied(stale, tmp_path / "w")
    words = [str(root / word) if word.endswith(".csv") else word for word in command]
    refused = run(root, *words, "--quiet")
    assert refused.exit_code == 5
    assert "RS650 riskseg.toml:" in refused.stderr and FAULT in refused.stderr
    assert not list(root.glob("*.csv"))
    done = run(root, *words, "--accept-feeds", "--quiet", "--json")
    assert done.exit_code == 0, done.output
    assert f"accepted: {FAULT}" in done.stderr
    assert json.loads(done.stdout)["accepted_feeds"] == [f"{FAULT}."]


def test_the_journal_says_what_was_issued_all_the_same(stale: Path, tmp_path: Path) -> None:
    root = p.copied(stale, tmp_path / "w")
    words = ("worklist", "issue", "--as-of", str(DAY), "--out", str(root / "l.csv"))
    assert run(root, *words, "--accept-feeds").exit_code == 0
    with Journal.open_to_read(root / ".riskseg" / "journal.db") as journal:
        (entry,) = journal.runs()
    assert entry.arguments["accepted_feeds"] == [f"{FAULT}."]


@pytest.mark.parametrize(
    "command",
    [
        ("insight", "size", "--as-of", str(DAY)),
        ("ageing", "--as-of", str(DAY)),
        ("explain", "A", "--as-of", str(DAY)),
        ("history", "A", "--as-of", str(DAY)),
        ("strategy", "diff", "rules/treated", "rules/treated", "--as-of", str(DAY)),
        ("rehearse", "--from", str(DAY), "--to", str(DAY + timedelta(days=7))),
        ("worklist", "approve", "--all", "--as-of", str(DAY), "--by", "ann", "--reason", "checked"),
    ],
)
def test_what_only_reports_says_so_and_goes_on(
    stale: Path, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = p.copied(stale, tmp_path / "w")
    monkeypatch.chdir(root)
    done = run(root, *command, "--quiet")
    assert done.exit_code == 0, done.output
    assert FAULT in " ".join(done.output.split())


@pytest.mark.parametrize(
    "command",
    [
        ("score", "--as-of", str(p.AS_OF), "--out", "s.csv"),
        ("train", "late_payment"),
        ("models", "recalibrate", "late_payment"),
    ],
)
def test_probabilities_and_models_are_not_made_of_half_a_source(
    trained: Path, copy_of: Callable[[Path], Path], command: tuple[str, ...]
) -> None:
    root = expecting(copy_of(trained), 'rows = "100000.."')
    words = [str(root / word) if word.endswith(".csv") else word for word in command]
    refused = run(root, *words)
    assert refused.exit_code == 5, refused.output
    assert "RS650" in refused.stderr and "100000.. are expected" in refused.stderr
    if command[0] == "score":
        done = run(root, *words, "--accept-feeds", "--json")
        assert done.exit_code == 0, done.output
        assert "100000.. are expected" in json.loads(done.stdout)["accepted_feeds"][0]


def test_a_multiple_is_of_what_earlier_runs_read(stale: Path, tmp_path: Path) -> None:
    root = p.copied(stale, tmp_path / "w")
    toml = (root / "riskseg.toml").read_text().replace('newest = "3 days"', 'rows = "0.5x..2x"')
    (root / "riskseg.toml").write_text(toml)
    of_list = ("worklist", "--as-of", str(DAY), "--out", str(root / "l.csv"))
    first = run(root, *of_list)
    assert first.exit_code == 0
    assert "no earlier run had another input" in first.stderr
    assert "no earlier run" not in run(root, *of_list, "--quiet").stderr
    assert run(root, "assign", "--as-of", str(DAY), "--out", str(root / "d.csv")).exit_code == 0
    more = "".join(f"A,{n},2026-03-21,1\n" for n in range(4))
    with (root / "data" / "payments.csv").open("a") as file:
        file.write(more)
    refused = run(root, *of_list)
    assert refused.exit_code == 5
    assert "there are 5 rows, where earlier runs had 1" in refused.stderr


def test_a_source_that_had_rows_and_has_none_stops_the_run(tmp_path: Path) -> None:
    """Nothing is expected of it: with no events, everybody's holds would be forgotten."""
    root = treated.write(
        tmp_path / "w",
        paths={"chase": {"steps": [{"day": 3, "action": "letter"}]}},
        rows={
            "accounts": [{"account_id": "A", "treatment": "chase"}],
            "bills": [
                {"account_id": "A", "bill_id": "B", "due_on": DAY - timedelta(9), "amount": 5}
            ],
            "events": [{"account_id": "A", "happened_on": "2026-03-20", "kind": "complaint"}],
        },
    )
    events, toml = root / "data" / "events.csv", root / "riskseg.toml"
    names, row = events.read_text().splitlines()
    words = ("assign", "--as-of", str(DAY), "--out", str(root / "d.csv"))
    events.write_text(f"{names}\n")
    assert run(root, *words).exit_code == 0  # nothing is known of an earlier day
    events.write_text(f"{names}\n{row}\n")
    assert run(root, *words).exit_code == 0
    events.write_text(f"{names}\n")
    fault = "events: there are no rows, where earlier runs had 1"
    for command in (words, ("worklist", *words[1:]), ("worklist", "issue", *words[1:])):
        refused = run(root, *command)
        assert refused.exit_code == 5
        assert f"{fault}. See whether the feed" in refused.stderr
        assert (
            'write the line `rows = "0.."` under [source.events.expect] in riskseg.toml.'
            in refused.stderr
        )
    reported = run(root, "explain", "A", "--as-of", str(DAY), "--fresh")
    assert reported.exit_code == 0 and f"Not as expected: {fault}" in reported.stderr
    for _ in range(2):  # accepted once, the next run is held against what was read before
        assert run(root, *words).exit_code == 5
        assert run(root, *words, "--accept-feeds").exit_code == 0
    with toml.open("a") as file:
        file.write('\n[source.events.expect]\nrows = "0.."\n')
    assert run(root, *words).exit_code == 0


@pytest.mark.parametrize(
    ("expected", "said", "line"),
    [
        ({"newest": "3 days", "sum": "5.."}, ["there are no rows, where"], '`rows = "0.."`'),
        ({"rows": "1.."}, ["there are 0 rows; 1.. are expected"], '`rows = "0.."`'),
        ({"rows": "0.5x..2x"}, ["there are 0 rows, where earlier"], '`rows = "0x..2x"`'),
        ({"rows": "5..90", "newest": "3 days"}, ["no dated row", "0 rows"], '`rows = "0..90"`'),
        # Of a source that may be empty, and is, nothing else is expected.
        ({"rows": "0..", "newest": "3 days"}, [], ""),
        ({"rows": "0x..2x", "newest": "3 days"}, [], ""),
        ({"rows": "..9", "sum": "5.."}, [], ""),
    ],
)
def test_the_line_that_lets_a_source_be_empty_lets_it(
    expected: dict[str, str], said: list[str], line: str
) -> None:
    source = Source("events", "e.csv", {}, expect=ExpectTable.model_validate(expected))
    figures = {"rows": 0, "newest": None, "sum": "0"}
    earlier: list[dict[str, Any]] = [{"rows": 9, "newest": "2026-03-01", "sum": "1"}]
    found = list(breaches(source, figures, earlier, DAY, 2))
    assert len(found) == len(said)
    for problem, words in zip(found, said, strict=True):
        assert words in problem.what
        assert f"write the line {line} under [source.events.expect]" in problem.hint
        allowing = line.removeprefix('`rows = "').removesuffix('"`')
        lines = ExpectTable.model_validate({**expected, "rows": allowing})
        allowed = Source("events", "e.csv", {}, expect=lines)
        assert not list(breaches(allowed, figures, earlier, DAY, 2))


@pytest.mark.parametrize("command", ["assign", "worklist"])
def test_quiet_does_not_hide_that_the_data_end_long_before(
    stale: Path, tmp_path: Path, command: str
) -> None:
    root = p.copied(stale, tmp_path / "w")
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(toml.partition("[source.payments.expect]")[0])
    words = ("--as-of", "2026-06-30", "--out", str(root / "out.csv"), "--quiet")
    done = run(root, command, *words)
    assert done.exit_code == 0, done.output
    assert "The newest row of payments is of 2026-03-20, 102 days before" in done.stderr
    assert "rules:" not in done.stderr  # the stages are progress


def test_quiet_does_not_hide_that_rows_are_left_out(stale: Path, tmp_path: Path) -> None:
    root = p.copied(stale, tmp_path / "w")
    toml = (root / "riskseg.toml").read_text()
    toml = toml.replace("[workspace]\n", "[workspace]\nmax_bad_rows = 0.9\n")
    (root / "riskseg.toml").write_text(toml.partition("[source.payments.expect]")[0])
    with (root / "data" / "payments.csv").open("a") as file:
        file.write("A,,soon,1\n")
    words = ("--as-of", str(DAY), "--out", str(root / "out.csv"), "--quiet")
    assert "1 bad row of payments left out" in run(root, "assign", *words).stderr
