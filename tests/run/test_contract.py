"""The data contract of a small workspace: what it says of each column, and that it stays so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from riskseg.domain.problems import ProblemsError
from riskseg.run.contract import contract
from riskseg.run.init import init

TOML = """\
[source.bills]
from       = "bills.csv"
account_id = "cust"
bill_id    = "cust || '-' || no"
due_on     = "due"
amount     = "total"

[source.accounts]
from   = "accounts.csv"
points = "cast(score as integer)"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    init(root, toml=TOML)
    (root / "bills.csv").write_text("cust,no,issued_on,due,total\nA,1,2026-01-01,2026-01-31,5.00\n")
    (root / "accounts.csv").write_text("account_id,closed_on,score,region\nA,,7,north\n")
    return root


def test_it_says_how_files_are_written_and_what_is_expected_of_them(workspace: Path) -> None:
    toml = (workspace / "riskseg.toml").read_text()
    read = '[source.bills.read]\nencoding = "windows-1252"\ndelimiter = ","\n'
    expect = '[source.bills.expect]\nnewest = "3 days"\nrows = "0.5x..2x"\nsum = "10.."\n'
    (workspace / "riskseg.toml").write_text(f"{toml}{read}{expect}")
    accounts, bills = yaml.safe_load(contract(workspace, None).text)["schema"]
    assert bills["customProperties"] == [
        {"property": "encoding", "value": "windows-1252"},
        {"property": "delimiter", "value": ","},
    ]
    assert accounts["customProperties"] == [{"property": "encoding", "value": "utf-8"}]
    assert [rule["description"] for rule in bills["quality"]][-3:] == [
        "The newest row is no more than 3 days old on the day of the run.",
        "The number of rows is from 0.5 to 2 times that of earlier runs.",
        "The sum of amounts is at least 10.",
    ]


def test_it_names_the_columns_that_are_read_and_what_they_hold(workspace: Path) -> None:
    described = yaml.safe_load(contract(workspace, None, name="collections").text)
    assert (described["apiVersion"], described["kind"]) == ("v3.1.0", "DataContract")
    assert (described["name"], described["version"]) == ("collections", "1.0.0")
    tables = {table["name"]: table for table in described["schema"]}
    assert {name: table["physicalName"] for name, table in tables.items()} == {
        "bills": "bills.csv",
        "accounts": "accounts.csv",
    }
    bills = {column["name"]: column for column in tables["bills"]["properties"]}
    assert bills["account_id"] == {
        "name": "account_id",
        "physicalName": "cust",
        "logicalType": "string",
        "physicalType": "text",
        "description": "An id, kept as text.",
        "required": True,
        "primaryKey": True,
        "primaryKeyPosition": 1,
    }
    assert bills["bill_id"]["transformLogic"] == "cust || '-' || no"
    assert bills["amount"]["logicalType"] == "number"
    assert (bills["issued_on"]["logicalType"], bills["issued_on"]["required"]) == ("date", False)
    assert [rule["description"] for rule in tables["bills"]["quality"]] == [
        "No two rows have the same account_id and bill_id.",
        "due_on is not before issued_on.",
    ]
    accounts = {column["name"]: column for column in tables["accounts"]["properties"]}
    assert accounts["region"]["physicalName"] == "region"
    assert accounts["points"]["transformLogic"] == "cast(score as integer)"
    assert accounts["points"]["logicalType"] == "integer"


def test_it_is_the_same_whatever_the_rows_and_wherever_it_is_written(workspace: Path) -> None:
    first = contract(workspace, workspace / "contract.yaml")
    assert (workspace / "contract.yaml").read_text(encoding="utf-8") == first.text
    with (workspace / "accounts.csv").open("a") as file:
        file.write("B,,8,south\n")
    assert contract(workspace, None) == first.model_copy(update={"place": None})


def test_sources_that_cannot_be_mapped_are_problems(workspace: Path) -> None:
    (workspace / "bills.csv").write_text("cust,no,due\nA,1,2026-01-31\n")
    with pytest.raises(ProblemsError, match="total"):
        contract(workspace, None)
