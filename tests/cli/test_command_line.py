"""The commands as people and machines call them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.cli.groups import CommandGroup
from riskseg.rules.model import Strategy
from riskseg.run.assign import assign
from riskseg.strategy.proof.results import Note
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
HEAVY = (
    *("duckdb", "jinja2", "lightgbm", "numpy", "pandas", "pyarrow", "scipy", "sklearn"),
    *("sqlalchemy", "sqlglot", "yaml", "z3"),
)
Copy = Callable[[Path], Path]


def run(workspace: Path | None, *arguments: str) -> Result:
    head = [] if workspace is None else ["-w", str(workspace)]
    return CliRunner().invoke(app, [*head, *arguments])


def reported(result: Result) -> list[dict[str, Any]]:
    """The Problems of a command that was asked for JSON."""
    problems = json.loads(result.stdout)["problems"]
    busy = {problem["code"] for problem in problems} == {"RS604"}
    assert result.exit_code == (4 if busy else 1), result.output
    return list(json.loads(result.stdout)["problems"])


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: Any, path: tuple[str, ...]) -> None:
        found.append(path)
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))

    walk(typer.main.get_command(app), ())
    return found


@pytest.fixture(scope="module")
def used(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained workspace for commands that change nothing in it that matters."""
    return p.copied(trained, tmp_path_factory.mktemp("used") / "workspace")


# What is loaded, what is helped with


@pytest.mark.parametrize("asked", ["import riskseg.cli", "--help", "--version"])
def test_nothing_heavy_is_loaded_before_it_is_needed(asked: str) -> None:
    # Typer itself reads the words of a command with pydantic.
    heavy = HEAVY if asked == "--version" else (*HEAVY, "pydantic")
    start = f"""
import sys
import riskseg.cli
if {asked!r}.startswith("--"):
    try:
        riskseg.cli.app([{asked!r}])
    except SystemExit as end:
        assert end.code == 0
print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


# What people do all day, and what of it no command loads before it is at work.
OF_EVERY_DAY = (
    *("check", "explain", "features", "history", "outcomes", "prove", "strategy"),
    *("strategy_facts", "worklist"),
)
LATER = (
    *("alembic", "holidays", "jinja2", "lightgbm", "openpyxl", "optbinning", "pandas"),
    *("scipy", "sklearn", "sqlalchemy"),
)


def test_commands_of_every_day_load_no_library_that_only_some_of_their_work_needs() -> None:
    imports = "".join(f"import riskseg.run.{use_case}\n" for use_case in OF_EVERY_DAY)
    script = f"import sys\n{imports}print([m for m in {LATER!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


# What a person waits for, and what of it is not loaded even when the work is done.
NOT_AT_ALL = {
    ("strategy", "check"): ("lightgbm", "pandas", "scipy", "sklearn"),
    ("explain", "A00000007", "--as-of", DAY): (
        *("alembic", "jinja2", "lightgbm", "openpyxl", "optbinning", "scipy", "sklearn"),
    ),
}


@pytest.mark.parametrize("words", NOT_AT_ALL, ids=" ".join)
def test_a_short_command_loads_no_library_that_it_does_not_use(
    words: tuple[str, ...], used: Path
) -> None:
    script = (
        "import sys\nfrom riskseg.cli import app\n"
        f"try: app(['-w', {str(used)!r}, *{words!r}])\n"
        "except SystemExit as end: print('code', end.code)\n"
        f"print([m for m in {NOT_AT_ALL[words]!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-2:] == ["code 0", "[]"], done.stdout + done.stderr


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    result = run(None, *path, "--help")
    assert result.exit_code == 0
    reported_lines = [line.strip() for line in result.stdout.splitlines()]
    about = reported_lines[reported_lines.index("") + 1 :]
    assert about[0] and not about[0].startswith("Options")


def test_the_help_lists_every_command_once_and_says_what_it_does_in_full() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, CommandGroup)
    listed = [name for names in group.sections.values() for name in names]
    assert sorted(listed) == sorted(group.commands)
    shown = " ".join(run(None, "--help").stdout.split())
    for command in group.commands.values():
        sentence, _, _ = " ".join((command.help or "").split()).partition(". ")
        assert sentence.rstrip(".") in shown.replace("made- up", "made-up")


def test_the_help_of_insight_lists_the_questions() -> None:
    shown = " ".join(run(None, "insight", "--help").stdout.split())
    assert "size How large is each segment, and what does it owe?" in shown


def test_the_version() -> None:
    result = run(None, "--version")
    assert (result.exit_code, result.stdout.strip()[0].isdigit()) == (0, True)


# Exit codes


def test_wrong_usage_is_2(used: Path) -> None:
    assert run(used, "assing").exit_code == 2
    assert run(used, "assign", "--as-of", DAY).exit_code == 2
    assert run(used, "assign", "--as-of", "15/05/2026", "--out", "x.csv").exit_code == 2
    assert run(used, "check", "--verbose").exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as-of", "2025-13-45"], '"2025-13-45" is not a day. Write the year'),
        (["--as-of", "2026-06-30", "--compare", "2025/01/01"], '"2025/01/01" is not a day.'),
        (["--as-of", "2026-06-30", "--months", "400"], "not a whole number from 0 to 120. Past"),
        (["--as-of", "2026-06-30", "--months", "one"], '"one" is not a whole number'),
    ],
)
def test_a_day_or_number_that_is_none_is_reported_in_our_words(
    options: list[str], said: str
) -> None:
    result = run(None, "insight", "size", *options)
    assert result.exit_code == 2
    assert f"Invalid value for '{options[-2]}': " in result.stderr
    assert said in " ".join(result.stderr.split())


def test_what_is_left_out_is_its_default() -> None:
    asked = run(None, "insight", "size", "--as-of", "2026-06-30", "--plan", "--sql", "no.txt")
    assert asked.exit_code != 3 and "Traceback" not in asked.output
    assert asked.exception is None or isinstance(asked.exception, SystemExit)


def test_our_own_fault_is_3_with_a_traceback(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a slip of ours")

    monkeypatch.setattr("riskseg.run.check.check", broken)
    result = run(used, "check")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr and "a slip of ours" in result.stderr
    assert "This is a fault in riskseg itself." in result.stderr


# JSON


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("features",),
        ("models",),
        ("models", "show", "default"),
        ("strategy", "check"),
        ("strategy", "test"),
        ("strategy", "show"),
        ("score", "--as-of", DAY, "--out", "{}/scores.csv"),
        ("assign", "--as-of", DAY, "--out", "{}/decisions.jsonl"),
        ("explain", "A00000007", "--as-of", DAY),
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_json_parses_and_stands_alone_on_stdout(arguments: tuple[str, ...], used: Path) -> None:
    result = run(used, *(a.format(used) for a in arguments), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("features",),
        ("train",),
        ("models",),
        ("models", "show", "default"),
        ("strategy", "check"),
        ("strategy", "test"),
        ("strategy", "show"),
        ("score", "--as-of", DAY, "--out", "x.csv"),
        ("assign", "--as-of", DAY, "--out", "x.csv"),
        ("explain", "A00000007", "--as-of", DAY),
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_json_parses_on_problems_too(
    arguments: tuple[str, ...], sound: Path, copy_of: Copy
) -> None:
    workspace = copy_of(sound)
    p.replace(workspace, "riskseg.toml", "currency     =", "curency      =")
    (problem,) = reported(run(workspace, *arguments, "--json"))
    assert (problem["code"], problem["file"], problem["line"]) == ("RS003", "riskseg.toml", 2)
    plain = run(workspace, *arguments)
    assert plain.exit_code == 1
    assert 'riskseg.toml:2: "curency" is not a key' in " ".join(plain.stderr.split())
    assert "Traceback" not in plain.output


def test_generate_and_init_tell_json(tmp_path: Path) -> None:
    made = run(None, "init", str(tmp_path / "new"), "--json")
    assert "riskseg.toml" in json.loads(made.stdout)["written"]
    size = ("--accounts", "20", "--months", "3")
    wrote = run(None, "generate", "--out", str(tmp_path / "data"), *size, "--json")
    assert "bills.parquet" in json.loads(wrote.stdout)["files"]
    again = run(None, "init", str(tmp_path / "new"), "--json")
    assert [q["code"] for q in reported(again)] == ["RS010"]
    again = run(None, "generate", "--out", str(tmp_path / "data"), *size, "--json")
    assert [q["code"] for q in reported(again)] == ["RS010"]
    wrong = run(None, "init", str(tmp_path / "other"), "--strategy", "houshold-utility", "--json")
    assert reported(wrong)[0]["hint"] == 'Did you mean "household-utility"?'


# Plans


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("train",),
        ("score", "--as-of", DAY, "--out", "{}/planned.csv"),
        ("assign", "--as-of", DAY, "--out", "{}/planned.csv"),
        ("explain", "A00000007", "--as-of", DAY),
        ("demo", "--dir", "{}/planned"),
    ],
    ids=lambda a: a[0],
)
def test_a_plan_is_printed_and_not_carried_out(
    arguments: tuple[str, ...], sound: Path, copy_of: Copy
) -> None:
    workspace = copy_of(sound)
    before = sorted(workspace.rglob("*"))
    asked = [a.format(workspace) for a in arguments]
    plain = run(workspace, *asked, "--plan")
    stages = json.loads(run(workspace, *asked, "--plan", "--json").stdout)
    assert plain.exit_code == 0
    assert len(plain.stdout.splitlines()) == len(stages) > 1
    for line, stage in zip(plain.stdout.splitlines(), stages, strict=True):
        assert stage["stage"] in line and stage["does"] in line
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train", "lat_payment"), "RS401"),
        (("train", "--only", "tree"), "RS401"),
        (("score", "lat_payment", "--as-of", DAY, "--out", "x.csv"), "RS401"),
        (("replay", "0000"), "RS608"),
        (("models", "compare", "late_payment", "lat_payment"), "RS401"),
        (("models", "recalibrate", "lat_payment"), "RS401"),
    ],
    ids=lambda a: " ".join(a[:2]) if isinstance(a, tuple) else a,
)
def test_a_name_that_does_not_exist_has_no_plan(
    arguments: tuple[str, ...], code: str, used: Path
) -> None:
    """A plan of what cannot be carried out is a Problem, the one that carrying it out would be."""
    (planned,) = reported(run(used, *arguments, "--plan", "--json"))
    assert planned["code"] == code
    assert [planned] == reported(run(used, *arguments, "--json"))


def test_a_run_that_kept_nothing_has_no_plan_of_a_replay(used: Path, copy_of: Copy) -> None:
    workspace = copy_of(used)
    out = str(workspace / "not_kept.csv")
    assert run(workspace, "assign", "--as-of", DAY, "--out", out, "--no-keep").exit_code == 0
    (planned,) = reported(run(workspace, "replay", "last", "--plan", "--json"))
    assert planned["code"] == "RS609"


def test_the_plan_names_the_stages_a_run_reaches(used: Path) -> None:
    from riskseg.pipeline.stages import Progress

    reached: list[str] = []
    progress = Progress(lambda stage, _done, _total: reached.append(stage.name))
    assign(used, p.AS_OF, str(used / "reached.csv"), at=p.AT, progress=progress)
    planned = json.loads(
        run(used, "assign", "--as-of", DAY, "--out", "x.csv", "--plan", "--json").stdout
    )
    assert reached == [stage["stage"] for stage in planned]


# Problems in plain words


def test_no_workspace(tmp_path: Path) -> None:
    (problem,) = reported(run(tmp_path, "check", "--json"))
    assert problem["code"] == "RS001"
    assert "riskseg init" in problem["hint"]
    (problem,) = reported(
        run(tmp_path / "nowhere", "assign", "--as-of", DAY, "--out", "x.csv", "--json")
    )
    assert problem["code"] == "RS001"


def test_the_nearest_workspace_upward(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(used / "data")
    assert run(None, "strategy", "check").exit_code == 0
    monkeypatch.chdir("/")
    assert [q["code"] for q in reported(run(None, "check", "--json"))] == ["RS001"]
    assert [q["code"] for q in reported(run(None, "strategy", "check", "--json"))] == ["RS230"]


def test_an_account_misspelt(used: Path) -> None:
    (problem,) = reported(run(used, "explain", "A0000007", "--as-of", DAY, "--json"))
    assert problem["code"] == "RS601"
    assert problem["hint"].startswith('Did you mean "A0000')


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("decisions.doc", ".parquet"),
        ("nowhere/decisions.csv", "does not exist"),
        ("data", ".parquet"),
        ("sqlite:///x.db", "#"),
    ],
)
@pytest.mark.parametrize("command", ["assign", "score"])
def test_a_wrong_out_is_reported_before_any_work(
    command: str, out: str, says: str, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(used)
    (problem,) = reported(run(used, command, "--as-of", DAY, "--out", out, "--json"))
    assert problem["code"] == "RS010"
    assert says in problem["what"] + problem["hint"]


@pytest.mark.parametrize(
    "place", ["riskseg.toml", "data/bills.parquet", "models/notes.sql", "y.csv"]
)
def test_statements_never_take_the_place_of_what_is_needed(
    place: str, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(used)
    file = used / place
    before = file.read_bytes() if file.exists() else None
    asked = ("assign", "--as-of", DAY, "--out", "y.csv", "--sql", place, "--json")
    assert {problem["code"] for problem in reported(run(used, *asked))} == {"RS010"}
    assert (file.read_bytes() if file.exists() else None) == before


def test_a_plan_writes_no_statements(used: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.sql"
    kept.write_text("of an earlier run")
    asked = ("assign", "--as-of", DAY, "--out", "y.csv", "--sql", str(kept), "--plan")
    assert run(used, *asked).exit_code == 0
    assert kept.read_text() == "of an earlier run"


@pytest.mark.parametrize(
    "arguments",
    [("assign", "--out", "x.csv"), ("score", "--out", "x.csv"), ("explain", "A00000007")],
    ids=lambda a: a[0],
)
def test_a_date_before_the_data(
    arguments: tuple[str, ...], used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(used)
    (problem,) = reported(run(used, *arguments, "--as-of", "1990-01-01", "--json"))
    assert problem["code"] == "RS602"
    assert "1990-01-01" in problem["what"] and problem["hint"].startswith("Give a date from 20")
    assert not (used / "x.csv").exists()


def test_models_that_are_not_trained(sound: Path, copy_of: Copy, tmp_path: Path) -> None:
    workspace = copy_of(sound)
    out = ("--as-of", DAY, "--out", str(tmp_path / "x.csv"), "--json")
    found = reported(run(workspace, "assign", *out))
    assert [(q["code"], q["file"]) for q in found] == [
        ("RS401", "models/default.yaml"),
        ("RS401", "models/late_payment.yaml"),
    ]
    assert [q["hint"].partition(" To decide")[0] for q in found] == [
        "Run `riskseg train default`.",
        "Run `riskseg train late_payment`.",
    ]
    assert [q["code"] for q in reported(run(workspace, "score", *out))] == ["RS401"]
    assert [q["code"] for q in reported(run(workspace, "models", "show", "default", "--json"))] == [
        "RS401"
    ]
    (misspelt,) = reported(run(workspace, "train", "defualt", "--json"))
    assert (misspelt["code"], misspelt["hint"]) == ("RS401", 'Did you mean "default"?')
    (misspelt,) = reported(run(workspace, "models", "show", "defualt", "--json"))
    assert misspelt["hint"] == 'Did you mean "default"?'


def test_a_model_that_was_changed_by_hand(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    (folder,) = (workspace / "models" / "default").iterdir()
    booster = folder / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value= "))
    (problem,) = reported(run(workspace, "assign", "--as-of", DAY, "--out", "x.csv", "--json"))
    assert problem["code"] == "RS406"
    assert "booster.txt" in f"{problem['file']} {problem['what']}"


def test_a_workspace_that_another_run_holds(used: Path) -> None:
    from riskseg.store.lock import workspace_lock

    with workspace_lock(used):
        (problem,) = reported(run(used, "assign", "--as-of", DAY, "--out", "x.csv", "--json"))
        assert problem["code"] == "RS604"
        # Whoever only reads is not kept waiting.
        assert run(used, "strategy", "check").exit_code == 0
        assert run(used, "explain", "A00000007", "--as-of", DAY).exit_code == 0


def test_a_strategy_outside_its_dates(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    p.replace(
        workspace,
        f"{p.STRATEGY}/strategy.yaml",
        "# effective_from: 2026-01-01",
        "effective_from: 2026-05-16",
    )
    (problem,) = reported(run(workspace, "assign", "--as-of", DAY, "--out", "x.csv", "--json"))
    assert problem["code"] == "RS210"
    assert "2026-05-16" in problem["what"]


def test_a_wrong_example_fails_the_test_of_the_strategy(sound: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    file = f"{p.STRATEGY}/examples.yaml"
    p.replace(
        workspace, file, "segment: early_help, action: sms", "segment: early_help, action: call"
    )
    result = run(workspace, "strategy", "test", "--json")
    (problem,) = reported(result)
    line = next(
        n
        for n, text in enumerate((workspace / file).read_text().splitlines(), start=1)
        if "the next bill will probably be late" in text
    )
    assert (problem["code"], problem["file"], problem["line"]) == ("RS211", file, line)
    assert "action call; it gives action sms" in problem["what"]
    plain = run(workspace, "strategy", "test")
    assert (plain.exit_code, plain.stdout.count("FAIL")) == (1, 1)


def test_notes_of_a_proof_are_worked_out_where_they_are_shown(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    # Far wider than a terminal: piped, it stays one line.
    what = "new comes before late: " + "months_on_book < 6, " * 30 + "late_bills_3m > 0"

    def notes(strategy: Strategy, *_: object) -> list[Note]:
        asked.append(strategy.name)
        return [Note("behaviour", what)]

    monkeypatch.setattr("riskseg.pipeline.proving.notes", notes)
    plain = run(sound, "strategy", "prove")
    assert plain.exit_code == 0, plain.output
    assert not asked and "for whom: --notes" in plain.stdout
    noted = run(sound, "strategy", "prove", "--notes")
    assert f"  behaviour: {what}\n" in noted.stdout
    assert "--notes" not in noted.stdout
    whole = json.loads(run(sound, "strategy", "prove", "--json").stdout)
    assert [note["what"] for note in whole["proofs"]["notes"]] == [what]
    assert whole["granted"] and len(asked) == 2


def test_a_file_that_is_no_text_in_any_of_them(sound: Path, copy_of: Copy) -> None:
    for name in ("riskseg.toml", "models/default.yaml", f"{p.STRATEGY}/tiers.yaml"):
        workspace = copy_of(sound)
        (workspace / name).write_bytes(b"name: caf\xe9\n")
        (problem,) = reported(run(workspace, "check", "--json"))
        assert (problem["code"], problem["file"], problem["line"]) == ("RS002", name, 1)
        shutil.rmtree(workspace)
