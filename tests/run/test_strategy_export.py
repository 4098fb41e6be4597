"""`strategy export`: what it writes, what it says, a dbt package that runs, and its Problems."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import jinja2
import pytest
import yaml
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.domain.relations import quoted
from riskseg.results.strategy_export import StrategyExport
from riskseg.run.assign import assign
from riskseg.run.strategy_export import export
from tests.support import portfolio as p
from tests.support import small
from tests.support.strategies import SMALL

STARTER = Path(__file__).parents[2] / "rules" / "household-utility"
EXPECTS = """\
expects:
  is_vulnerable: {type: boolean, else: unknown}
  on_plan: {type: boolean, else: false}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A strategy alone, without a workspace."""
    folder = tmp_path / "rules" / "small"
    folder.mkdir(parents=True)
    for name, text in SMALL.items():
        (folder / name).write_text(text)
    with (folder / "strategy.yaml").open("a") as file:
        file.write(EXPECTS)
    return folder


def run(
    rules: Path, to: str = "duckdb", out: Path | None = None, **words: object
) -> StrategyExport:
    return export(None, str(rules), to, out, here=rules.parent, **words)  # type: ignore[arg-type]


def test_a_folder_with_the_query_its_test_and_its_facts(rules: Path, tmp_path: Path) -> None:
    done = run(rules, "duckdb", tmp_path / "out", table="risk.facts")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {*done.files}
    assert done.files == ("decisions.sql", "self_test.sql", "facts.csv")
    with (tmp_path / "out" / "facts.csv").open() as file:
        facts = list(csv.DictReader(file))
    assert [fact["column"] for fact in facts] == [fact.column for fact in done.facts]
    origins = {fact.column: fact.origin for fact in done.facts}
    assert origins["as_of"] == "day"
    assert origins["p"] == "model"
    assert origins["issued_chase_sms"] == "treatment"
    assert origins["is_vulnerable"] == "account"
    sql = (tmp_path / "out" / "decisions.sql").read_text()
    assert sql.startswith(f"-- The strategy small {done.version} for DuckDB, by riskseg.\n")
    with duckdb.connect() as engine:
        test = (tmp_path / "out" / "self_test.sql").read_text()
        assert engine.execute(test).fetchall() == []
        engine.execute("create schema risk")
        columns = ", ".join(f"{fact.column} {fact.type}" for fact in done.facts)
        engine.execute(f"create table risk.facts (account_id varchar, {columns})")
        found = engine.execute(sql)
        assert [column[0] for column in found.description] == [*done.columns]


def test_the_same_export_again_changes_nothing(rules: Path, tmp_path: Path) -> None:
    first = run(rules, "spark", tmp_path / "out")
    assert run(rules, "spark", tmp_path / "out") == first


def test_without_a_folder_it_is_the_query(rules: Path) -> None:
    done = run(rules, "postgres")
    assert done.sql is not None
    assert done.sql.startswith("-- The strategy small ")
    assert done.folder is None


def test_the_command(rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "warehouse"
    command = ["strategy", "export", str(rules), "--to", "bigquery", "--no-data"]
    shown = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    assert f"for bigquery: {out}\n  decisions.sql\n" in shown.stdout
    assert re.search(r"\d+ made-up accounts test it", shown.stdout)
    machine = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(machine.stdout)["sql"] == (out / "decisions.sql").read_text()
    printed = CliRunner().invoke(app, command)
    assert printed.stdout == (out / "decisions.sql").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"to": "oracle"}, 'RS004 .*"oracle" is not a database'),
        ({"to": "posgres"}, 'Did you mean "postgres"?'),
        ({"table": "facts; drop table x"}, "RS004 .*is not the name of a table"),
        ({"dbt": True}, "RS005 .*--out FOLDER"),
    ],
)
def test_what_cannot_be_asked_for(rules: Path, words: dict[str, object], says: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        run(rules, **words)  # type: ignore[arg-type]
    assert re.search(
        says.replace("RS004 ", "RS004.*").replace("RS005 ", "RS005.*"), str(caught.value)
    )


def test_a_folder_that_holds_something_else(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.sql").write_text("select 1")
    with pytest.raises(ProblemsError, match="RS010"):
        run(rules, "duckdb", tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.sql"]


def test_a_folder_of_the_workspace(tmp_path: Path) -> None:
    workspace = small.make(tmp_path / "w")
    with pytest.raises(ProblemsError, match=r"RS010 .*the strategy"):
        export(workspace, None, "duckdb", workspace / "rules" / "s")
    done = export(workspace, None, "duckdb", workspace / "warehouse")
    assert done.from_data
    assert done.not_reached == ()


def test_rules_that_change_on_a_day(rules: Path) -> None:
    with (rules / "guards.yaml").open("a") as file:
        file.write("- {guard: later, when: on_plan, never: [sms], effective_from: 2026-06-01}\n")
    with pytest.raises(ProblemsError, match="RS240"):
        run(rules)
    done = run(rules, as_of=date(2026, 7, 1))
    assert (done.first_day, done.last_day) == (date(2026, 6, 1), None)
    assert done.sql is not None
    assert "Its rules are in force from 2026-06-01" in done.sql


CALENDAR = "days: [mon, tue, wed, thu, fri], holidays: GB-ENG"


def test_what_calendars_say_of_days(rules: Path, tmp_path: Path) -> None:
    assert run(rules, out=tmp_path / "none", years=(2026,)).days == 0
    assert not (tmp_path / "none" / "days.csv").exists()
    paths = rules / "paths.yaml"
    paths.write_text(paths.read_text().replace("chase:\n", f"chase:\n  calendar: {{{CALENDAR}}}\n"))
    done = run(rules, out=tmp_path / "out", years=(2027, 2026))
    assert done.days == 730
    with (tmp_path / "out" / "days.csv").open() as file:
        days = {row.pop("as_of"): row for row in csv.DictReader(file)}
    (column,) = days["2026-01-01"]
    found = {
        day: days[day][column] for day in ("2025-12-31", "2026-01-01", "2026-12-25") if day in days
    }
    assert found == {"2026-01-01": "1", "2026-12-25": "4"}  # boxing day is observed on Monday
    run(rules, out=tmp_path / "dbt", years=(2026,), dbt=True)
    seeds = yaml.safe_load((tmp_path / "dbt" / "seeds" / f"{NAME}.yml").read_text())["seeds"]
    types = {seed["name"]: seed["config"]["column_types"] for seed in seeds}
    assert types[f"{NAME}_days"] == {"as_of": "date", column: "bigint"}


# -- the dbt package -----------------------------------------------------------------------------

NAME = "riskseg_small"


@pytest.fixture
def package(rules: Path, tmp_path: Path) -> Path:
    # A text that Jinja would take for a template.
    text = (rules / "paths.yaml").read_text()
    (rules / "paths.yaml").write_text(text.replace("template: reminder", "template: '{{x}}'"))
    run(rules, "duckdb", tmp_path / "package", dbt=True)
    return tmp_path / "package"


def rendered(package: Path, file: str) -> str:
    """A file of the package as dbt renders it, with tables of their own names."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  # it is SQL, no page
    (macros,) = (package / "macros").iterdir()
    names: dict[str, Callable[..., str]] = {
        "ref": lambda name: name,
        "source": lambda _, name: name,
        "config": lambda **_: "",
    }
    text = macros.read_text() + (package / file).read_text()
    return environment.from_string(text).render(**names)


def test_the_package_decides_as_riskseg(package: Path) -> None:
    with duckdb.connect() as engine:
        for seed in ("accounts", "decisions"):
            file = package / "seeds" / f"{NAME}_test_{seed}.csv"
            engine.execute(
                f"create table {NAME}_test_{seed} as "
                f"from read_csv('{file}', all_varchar = true, header = true)"
            )
        test = rendered(package, f"tests/{NAME}_decides_as_riskseg.sql")
        assert engine.execute(test).fetchall() == []
        engine.execute(f"create table facts as from {NAME}_test_accounts")
        model = rendered(package, f"models/{NAME}_decisions.sql")
        found = engine.execute(model)
        columns = [column[0] for column in found.description]
        decided = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    assert {row["template"] for row in decided} >= {"{{x}}", None}
    declared = yaml.safe_load((package / "models" / f"{NAME}.yml").read_text())
    (model_words,) = declared["models"]
    assert [column["name"] for column in model_words["columns"]] == columns
    for column in model_words["columns"]:
        for test_words in column.get("data_tests", []):
            if isinstance(test_words, dict):
                accepted = test_words["accepted_values"]["values"]
                assert {row[column["name"]] for row in decided} <= {*accepted}
    (source,) = declared["sources"]
    described = [column["name"] for column in source["tables"][0]["columns"]]
    with (package / "seeds" / f"{NAME}_test_accounts.csv").open() as file:
        assert set(next(csv.reader(file))) == set(described)


def test_the_seeds_of_the_package_are_texts(package: Path) -> None:
    seeds = yaml.safe_load((package / "seeds" / f"{NAME}.yml").read_text())["seeds"]
    for seed in seeds:
        with (package / "seeds" / f"{seed['name']}.csv").open() as file:
            columns = next(csv.reader(file))
        assert seed["config"]["column_types"] == dict.fromkeys(columns, "varchar")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["small", "starter"])
def test_dbt_builds_the_package(which: str, package: Path, tmp_path: Path) -> None:
    dbt = shutil.which("dbt")
    if dbt is None:
        pytest.skip("dbt is not installed here (pip install dbt-duckdb, with dbt on the PATH).")
    name = NAME
    if which == "starter":
        package, name = tmp_path / "starter", "riskseg_household_utility"
        export(None, str(STARTER), "duckdb", package, dbt=True, data=False)
    profile = {"type": "duckdb", "path": str(tmp_path / "dbt.duckdb"), "threads": 1}
    (package / "profiles.yml").write_text(
        yaml.safe_dump({name: {"target": "here", "outputs": {"here": profile}}})
    )
    variables = json.dumps({"riskseg_facts": f"{name}_test_accounts"})
    done = subprocess.run(
        [dbt, "--no-use-colors", "build", "--profiles-dir", ".", "--vars", variables],
        cwd=package,
        env={"PATH": str(Path(dbt).parent), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"WARN=0 ERROR=0 SKIP=0", done.stdout)


def test_accounts_of_a_run_are_decided_the_same(
    trained: Path, copy_of: Callable[[Path], Path], tmp_path: Path
) -> None:
    """From the facts that a run kept, and the probabilities that it wrote."""
    workspace = copy_of(trained)
    done = assign(workspace, p.AS_OF, str(tmp_path / "decisions.parquet"), at=p.AT)
    exported = export(workspace, None, "duckdb")
    inputs = workspace / ".riskseg" / "runs" / done.run_id / "inputs.parquet"
    assert exported.sql is not None
    with duckdb.connect() as engine:
        engine.execute(f"create table inputs as from '{inputs}'")
        engine.execute(f"create table decisions as from '{tmp_path}/decisions.parquet'")
        kept = {column[0] for column in engine.execute("from inputs limit 0").description}
        sources = {fact.fact: "i" if fact.fact in kept else "d" for fact in exported.facts}
        columns = ", ".join(
            f"{sources[fact.fact]}.{quoted(fact.fact)} as {quoted(fact.column)}"
            for fact in exported.facts
        )
        engine.execute(
            f"create table facts as select account_id, {columns} "
            "from inputs i join decisions d using (account_id)"
        )
        engine.execute(f"create table found as {exported.sql}")
        names = ", ".join(map(quoted, exported.columns))
        (count,) = engine.execute("select count(*) from found").fetchone() or (0,)
        assert count == done.rows > 100
        for one, other in (("found", "decisions"), ("decisions", "found")):
            different = f"select {names} from {one} except all select {names} from {other}"
            assert engine.execute(different).fetchall() == []
