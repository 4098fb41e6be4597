"""A new file of accounts is scored and decided through the mapping of the workspace's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import open_checked
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.run.init import init
from riskseg.run.replay import replay
from riskseg.run.score import score
from riskseg.run.train import train
from riskseg.store.files import sha256_of
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
SELECT = "select * from read_csv('data/accounts.csv', types = {'Customer': 'VARCHAR'})"
TOML = """\
[workspace]
strategy = "rules/account-file"
[engine]
threads = 1
[source.accounts]
from = "{from_}"
account_id = "Customer"
outcome = "{outcome}"
earned = "{earned}"
"""


def accounts(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    income, years = random.normal(30, 9, rows).round(1), random.integers(0, 20, rows)
    chance = 1 / (1 + np.exp((income - 30) / 5 + (years - 10) / 5))
    return pd.DataFrame(
        {
            "Customer": [f"{n:06d}" for n in range(rows)],
            "Income": income,
            "years": years,
            "region": random.choice(["north", "south"], rows),
            "defaulted": (random.random(rows) < chance).astype(int),
        }
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("from") / "w"
    init(root, "account-file")
    (root / "data").mkdir()
    accounts(400, 1).to_csv(root / "data/accounts.csv", index=False)
    (root / "riskseg.toml").write_text(
        TOML.format(from_=SELECT, outcome="defaulted", earned="Income * 2")
    )
    (root / "models/outcome.yaml").write_text(
        "name: outcome\ntarget: {column: outcome}\nlearners: [scorecard]\n"
        "scorecard: {form: classic}\n"
    )
    train(root, (), at=p.AT)
    return root


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_new_file_is_scored_as_the_workspaces_own_would_be(
    workspace: Path, copy_of: Copy, tmp_path: Path
) -> None:
    new = tmp_path / "new file's.csv"
    accounts(60, 2).drop(columns="defaulted").to_csv(new, index=False)
    done = score(workspace, p.AS_OF, str(tmp_path / "by_option.csv"), accounts_from=new)
    assert done.scored == {"outcome": 60}
    assert done.accounts_from is not None and done.accounts_from.sha256 == sha256_of(new)

    edited = copy_of(workspace)
    accounts(60, 2).to_csv(edited / "data/accounts.csv", index=False)
    score(edited, p.AS_OF, str(tmp_path / "by_edit.csv"))
    assert rows(tmp_path / "by_option.csv") == rows(tmp_path / "by_edit.csv")


def test_a_decided_file_is_journalled_and_found_again(
    workspace: Path, copy_of: Copy, tmp_path: Path
) -> None:
    root, new, out = copy_of(workspace), tmp_path / "new.csv", tmp_path / "out.csv"
    accounts(60, 2).drop(columns="defaulted").to_csv(new, index=False)
    done = assign(root, p.AS_OF, str(out), at=p.AT, accounts_from=new)
    assert done.rows == len(rows(out)) == 60
    given = {"file": str(new.resolve()), "sha256": sha256_of(new)}
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_text())
    assert manifest["accounts_from"] == given
    with read_journal(open_checked(root)) as journal:
        (run,) = journal.runs()
    assert run.arguments["accounts_from"] == given

    again = replay(root, "last", from_source=True)
    assert again.same and again.since is not None
    assert again.since.sources == () and again.since.decisions is not None
    assert again.since.decisions.rows == 0
    assert explain(root, "000007", run="last").changes == ()

    changed = accounts(60, 2).drop(columns="defaulted")
    changed.loc[7, "years"] = 19 if changed.loc[7, "years"] < 10 else 0
    changed.to_csv(new, index=False)
    since = replay(root, "last", from_source=True).since
    assert since is not None and since.sources == ("accounts",)
    assert since.facts is not None and since.facts.rows == 1
    assert explain(root, "000007", run="last").changes != ()
    new.unlink()
    assert replay(root, "last").same
    with pytest.raises(ProblemsError) as error:
        replay(root, "last", from_source=True)
    assert error.value.problems[0].code == "RS006"


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_a_file_named_plainly(ending: str, workspace: Path, copy_of: Copy, tmp_path: Path) -> None:
    """Parquet has types, and a CSV is text that the mapping casts."""
    root, new = copy_of(workspace), tmp_path / f"new{ending}"
    frame = accounts(60, 2).drop(columns="defaulted")
    if ending == ".parquet":
        frame.to_parquet(new, index=False)
    else:
        frame.to_csv(new, index=False)
    earned = "cast(Income as double) * 2"
    (root / "riskseg.toml").write_text(
        TOML.format(from_="data/accounts.csv", outcome="defaulted", earned=earned)
    )
    score(root, p.AS_OF, str(tmp_path / "plain.csv"), accounts_from=new)
    if ending == ".csv":
        score(workspace, p.AS_OF, str(tmp_path / "select.csv"), accounts_from=new)
        assert rows(tmp_path / "plain.csv") == rows(tmp_path / "select.csv")


def test_a_column_that_is_empty_or_spoilt_today(workspace: Path, tmp_path: Path) -> None:
    frame = accounts(60, 2).drop(columns="defaulted").astype(object)
    frame["years"] = None  # the engine takes an empty column for text
    frame.to_csv(tmp_path / "empty.csv", index=False)
    out = str(tmp_path / "out.csv")
    done = score(workspace, p.AS_OF, out, accounts_from=tmp_path / "empty.csv")
    assert done.scored == {"outcome": 60}
    frame["years"] = ["n/a", *range(59)]
    frame.to_csv(tmp_path / "spoilt.csv", index=False)
    with pytest.raises(ProblemsError) as error:
        score(workspace, p.AS_OF, out, accounts_from=tmp_path / "spoilt.csv")
    (problem,) = error.value.problems
    assert problem.code == "RS102" and 'row 1 after the header holds "n/a"' in problem.what
    assert "try_cast(years" in problem.hint
    with pytest.raises(ProblemsError) as error:
        assign(workspace, p.AS_OF, out, at=p.AT, accounts_from=tmp_path / "spoilt.csv")
    assert error.value.problems == (problem,)


def test_scoring_needs_no_outcome_and_training_does(workspace: Path, copy_of: Copy) -> None:
    """Neither does `check`, once there is a model that scores; it says that nothing is learned."""
    root = copy_of(workspace)
    accounts(60, 2).drop(columns="defaulted").to_csv(root / "data/accounts.csv", index=False)
    score(root, p.AS_OF, str(root / "out.csv"))
    assign(root, p.AS_OF, str(root / "out.csv"), at=p.AT)
    found = check(root)
    assert found.problems == ()
    assert any('no column "outcome"' in note for note in found.notes)
    with pytest.raises(ProblemsError) as error:
        train(root, (), at=p.AT)
    assert [problem.code for problem in error.value.problems] == ["RS007"]
    (root / ".riskseg/journal.db").unlink()
    for folder in (root / ".riskseg/runs").iterdir():
        for file in sorted(folder.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        folder.rmdir()
    assert [problem.code for problem in check(root).problems] == ["RS007"]


def test_what_is_said_of_columns_that_a_file_lacks(
    workspace: Path, copy_of: Copy, tmp_path: Path
) -> None:
    """It is about those that a given file has; of the workspace's own file it is a Problem, unless
    it is an outcome, which scoring does not need."""
    root, new, out = copy_of(workspace), tmp_path / "new.csv", str(tmp_path / "out.csv")
    toml = (root / "riskseg.toml").read_text()
    said = [f'[source.accounts.columns.{name}]\nwords = "{name} {{value}}"\n' for name in
            ("outcome", "region", "years")]  # fmt: skip
    (root / "riskseg.toml").write_text(toml + "".join(said) + "[source.accounts.levels]\n"
                                       'region = ["north", "south"]\n')  # fmt: skip
    accounts(60, 2).drop(columns=["defaulted", "region"]).to_csv(new, index=False)
    done = score(root, p.AS_OF, out, accounts_from=new)
    assert done.scored == {"outcome": 60}
    assert done.differences["outcome"][0] == "gone since training, and not used: region"
    assert assign(root, p.AS_OF, out, at=p.AT, accounts_from=new).rows == 60

    accounts(60, 2).drop(columns="years").to_csv(new, index=False)
    with pytest.raises(ProblemsError) as error:
        score(root, p.AS_OF, out, accounts_from=new)
    (problem,) = error.value.problems
    assert (problem.code, problem.file) == ("RS409", str(new))

    own = accounts(60, 2).drop(columns=["defaulted", "region"])
    own.to_csv(root / "data/accounts.csv", index=False)
    with pytest.raises(ProblemsError) as error:
        score(root, p.AS_OF, out)
    assert {problem.code for problem in error.value.problems} == {"RS501"}
    assert all('"region"' in problem.what for problem in error.value.problems)


def unfit(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that do not fit, and the codes of their Problems."""
    frame = accounts(60, 2)
    files = {
        "gone": (folder / "gone.csv", "RS006"),
        "of another kind": (folder / "new.xlsx", "RS006"),
        "parquet where CSV is read": (folder / "new.parquet", "RS006"),
        "a folder": (folder, "RS006"),
        "empty": (folder / "empty.csv", "RS109"),
        "without its id": (folder / "no_id.csv", "RS007"),
        "without a mapped column": (folder / "no_income.csv", "RS007"),
        "without a feature": (folder / "no_years.csv", "RS409"),
    }
    (folder / "new.xlsx").write_bytes(b"PK")
    (folder / "empty.csv").touch()
    frame.to_parquet(folder / "new.parquet", index=False)
    for name, column in (("no_id", "Customer"), ("no_income", "Income"), ("no_years", "years")):
        frame.drop(columns=column).to_csv(folder / f"{name}.csv", index=False)
    return files


def test_files_that_do_not_fit_are_problems(workspace: Path, copy_of: Copy, tmp_path: Path) -> None:
    root, out = copy_of(workspace), str(tmp_path / "out.csv")
    for what, (file, code) in unfit(tmp_path).items():
        for use in (
            lambda file=file: score(root, p.AS_OF, out, accounts_from=file),
            lambda file=file: assign(root, p.AS_OF, out, at=p.AT, accounts_from=file),
        ):
            with pytest.raises(ProblemsError) as error:
                use()
            assert [problem.code for problem in error.value.problems] == [code], what
    assert not Path(out).exists()


def test_a_workspace_with_bills_takes_no_file(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("account_id\n1\n")
    with pytest.raises(ProblemsError) as error:
        score(sound, p.AS_OF, str(tmp_path / "o.csv"), accounts_from=tmp_path / "new.csv")
    (problem,) = error.value.problems
    assert (problem.code, problem.file) == ("RS013", "riskseg.toml")


def test_by_the_command_line(workspace: Path, tmp_path: Path) -> None:
    accounts(60, 2).drop(columns="defaulted").to_csv(tmp_path / "new.csv", index=False)
    words = ["-w", str(workspace), "score", "--as-of", "2026-05-15", "--from"]
    words += [str(tmp_path / "new.csv"), "--out", str(tmp_path / "o.csv"), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["accounts_from"]["file"] == str(tmp_path / "new.csv")


DESCRIBED = """
[source.accounts.columns.years]
direction = "-"
unit = "years"
"""


@pytest.mark.parametrize(
    ("spoil", "code", "reported"),
    [
        (lambda f: f.drop(columns="Customer"), "RS007", 'no column "Customer"'),
        (lambda f: f.drop(columns="Income"), "RS007", 'no column "income"'),
        (lambda f: f.drop(columns="years"), "RS409", 'no column "years", which outcome'),
        (
            lambda f: f.assign(years=["3", "4", "oops", *f["years"][3:]]),
            "RS102",
            '"years" is a number, and row 3 after the header holds "oops".',
        ),
    ],
)
def test_the_file_that_was_given_is_named_and_not_the_mapping(
    workspace: Path,
    copy_of: Copy,
    tmp_path: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    code: str,
    reported: str,
) -> None:
    root, file = copy_of(workspace), tmp_path / "new.csv"
    toml = root / "riskseg.toml"
    toml.write_text(toml.read_text() + DESCRIBED)
    spoil(accounts(60, 2).drop(columns="defaulted")).to_csv(file, index=False)
    out = str(tmp_path / "o.csv")
    for use in (
        lambda: score(root, p.AS_OF, out, accounts_from=file),
        lambda: assign(root, p.AS_OF, out, at=p.AT, accounts_from=file),
    ):
        with pytest.raises(ProblemsError) as error:
            use()
        (problem,) = error.value.problems
        assert (problem.code, problem.file) == (code, str(file))
        assert reported in problem.what
