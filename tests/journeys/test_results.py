"""What every command prints with --json is as docs/reference/results.schema.json says."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.decision import NAMES
from riskseg.results.schema import COMMANDS
from tests.docs.pages import ROOT
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
SCHEMA = json.loads((ROOT / "docs" / "reference" / "results.schema.json").read_text())
CARD = "feature,bin,points\nbase,,500\nbills_12m,<= 6,-20\nbills_12m,> 6,15\nbills_12m,missing,0\n"
# The words of each command after its own, in an order in which they can be run. `{}` is the
# workspace, `@` the version of the champion of late_payment.
ARGUMENTS = {
    "init": "{}/new",
    "generate": "--out {}/generated --accounts 20 --months 3",
    "check": "",
    "contract": "--out {}/contract.yaml",
    "features": "",
    "train": "late_payment",
    "models": "",
    "models show": "late_payment",
    "models bins": "default",
    "models card": "late_payment --out {}/card.html",
    "models export": "late_payment --to sql --out {}/late.sql",
    "models compare": "late_payment late_payment@@",
    "models recalibrate": "late_payment --since 2026-01-18",
    "models register": "{}/models/late_payment/@",
    "models promote": "late_payment @ --by ann",
    "models import": "{}/card.csv --model late_payment --pdo 20 --points-at-odds 600:50",
    "strategy check": "",
    "strategy show": "",
    "strategy test": "",
    "strategy prove": "",
    "strategy diff": "rules/household-utility rules/other --as-of " + DAY,
    "strategy activate": "--by ann --from 2026-05-01",
    "strategy versions": "",
    "strategy schema": "--out {}/schemas",
    "strategy export": "--to duckdb --out {}/warehouse",
    "strategy facts": f"--as-of {DAY} --out {{}}/facts.csv",
    "strategy sheet export": "--out {}/tables.xlsx",
    "strategy sheet import": "{}/tables.xlsx --dry-run",
    "score": f"--as-of {DAY} --out {{}}/scores.csv",
    "assign": f"--as-of {DAY} --out {{}}/decisions.parquet",
    "ageing": f"--as-of {DAY} --by region --out {{}}/aged.xlsx",
    "insight": f"size --as-of {DAY} --out {{}}/sizes.csv",
    "report": f"--as-of {DAY} --months 1 --out {{}}/report.html",
    "explain": f"A00000007 --as-of {DAY}",
    "replay": "last --from-source",
    "rehearse": f"--from {DAY} --to {DAY}",
    "hold": "A00000007 --reason complaint --until 2099-01-31 --by ann",
    "promise": "A00000007 --amount 20 --until 2099-01-31 --by ann",
    "plan": "A00000007 --instalments 2099-01-31=10,2099-02-28=10.50 --by ann",
    "dispute": "A00000007 --amount 5 --reason 'meter read wrongly' --by ann",
    "note": "A00000007 'moves in spring' --by ann",
    "worklist": f"--as-of {DAY} --out {{}}/list.csv",
    "worklist issue": f"--as-of {DAY} --out {{}}/list.csv",
    "worklist done": "{}/outcomes.csv --by ann",
    "worklist approve": f"--all --as-of {DAY} --by ann --reason agreed",
    "worklist reject": f"--all --as-of {DAY} --by ann --reason disputed",
    "history": f"A00000007 --as-of {DAY} --out {{}}/history.html",
    "journal show": "",
    "journal erase": "A00000007 --by ann",
    "journal prune": '--older-than "1 days" --dry-run',
    "journal move": "--to an-address",
    "demo": "--dir {}/demo --accounts 1000",
}


# One has a workspace of its own, one a database: `tests/run/test_journal_moved.py` holds what it
# prints against the schema.
ELSEWHERE = ("demo", "journal move")


def printing_json() -> Iterator[str]:
    """Every command that has --json."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        if any(parameter.name == "as_json" for parameter in command.params):
            yield " ".join(words)
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))

    return walk(typer.main.get_command(app), ())


def hold(result: Any, command: str) -> None:
    """Hold what a command prints against its schema, or Problems against theirs. That the schema
    is one is tried once, not for each command."""
    schema = SCHEMA["problems"] if command == "problems" else SCHEMA["commands"][command]
    jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).validate(result)


@pytest.fixture(scope="module")
def workspace(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = p.copied(trained, tmp_path_factory.mktemp("results") / "workspace")
    other = folder / "rules" / "other"
    other.mkdir()
    for file in (folder / p.STRATEGY).iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "paths.yaml":
            text = text.replace("template: ", "template: other_", 1)
        (other / file.name).write_text(text, encoding="utf-8")
    (folder / "card.csv").write_text(CARD)
    (folder / "outcomes.csv").write_text("id,outcome\n")
    return folder


@pytest.fixture(scope="module")
def printed(workspace: Path) -> dict[str, Any]:
    """What each command prints, all of them run one after the other."""
    results: dict[str, Any] = {}
    (spec,) = (workspace / "models" / "late_payment").iterdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        for command, rest in ARGUMENTS.items():
            if command in ELSEWHERE:
                continue
            words = [w.replace("{}", str(workspace)) for w in shlex.split(rest)]
            words = [w.replace("@@", f"@{spec.name}").replace("/@", f"/{spec.name}") for w in words]
            words = [spec.name if w == "@" else w for w in words]
            ran = CliRunner().invoke(app, [*command.split(), *words, "--json"])
            assert ran.exit_code == 0, f"{command}: {ran.output}"
            results[command] = json.loads(ran.stdout)
    return results


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_command_that_prints_json_has_a_schema() -> None:
    assert set(printing_json()) == set(COMMANDS) == set(ARGUMENTS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ELSEWHERE])
def test_what_is_printed_is_as_the_schema_says(command: str, printed: dict[str, Any]) -> None:
    hold(printed[command], command)


@pytest.mark.slow
def test_the_demo_prints_what_the_schema_says(tmp_path: Path) -> None:
    words = ARGUMENTS["demo"].format(tmp_path).split()
    ran = CliRunner().invoke(app, ["demo", *words, "--json"])
    hold(json.loads(ran.stdout), "demo")


def test_problems_are_as_the_schema_says(workspace: Path) -> None:
    ran = CliRunner().invoke(app, ["-w", str(workspace), "explain", "x", "--as-of", DAY, "--json"])
    assert ran.exit_code == 1
    hold(json.loads(ran.stdout), "problems")


def test_a_key_that_is_not_declared_is_not_as_the_schema_says(printed: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        hold({**printed["check"], "more": 1}, "check")
    with pytest.raises(jsonschema.ValidationError):
        hold({**printed["assign"], "rows": "many"}, "assign")


def test_a_probability_of_a_segment_is_the_mean_of_its_accounts(
    printed: dict[str, Any], workspace: Path
) -> None:
    decided = pq.read_table(workspace / "decisions.parquet")
    of = printed["assign"]["of"]
    for segment in printed["assign"]["segments"]:
        rows = decided.filter(pc.field("segment") == segment["segment"])
        mean = pc.mean(rows[of]).as_py()
        assert (segment["probability"] is None) == (mean is None)
        if mean is not None:
            assert abs(float(segment["probability"]) - float(mean)) <= 0.0001


def test_conditions_that_differ_are_shown_apart(printed: dict[str, Any]) -> None:
    texts = [row["when"] for scheme in printed["strategy show"]["tiers"] for row in scheme["rows"]]
    assert any(text and " or " in text for text in texts) or any(
        text and " and " in text for text in texts
    )
    assert "tree" not in json.dumps(printed["strategy show"])


def test_a_decision_has_the_columns_of_the_decision_schema(printed: dict[str, Any]) -> None:
    assert set(NAMES) <= set(printed["explain"]["decision"])
