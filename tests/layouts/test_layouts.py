"""Each layout on a small extract of our own, in the system's field names: the ledger that it gives,
its values worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.layouts import layouts
from riskseg.ledger.contract import Holds, contract_of
from riskseg.ledger.mapping import Mapped
from riskseg.sources.describe import map_sources
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.layouts.extracts import EXTRACTS, Extract


def ledger(root: Path, extract: Extract, toml: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, as the contract types them, in order."""
    (root / "data").mkdir()
    for name, text in extract.files.items():
        (root / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
    (root / "riskseg.toml").write_text(toml, encoding="utf-8")
    problems = Problems()
    workspace = open_workspace(root, problems)
    problems.raise_if_any()
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        mapped = map_sources(engine, workspace, problems)
        problems.raise_if_any()
        assert mapped is not None
        return {
            table: engine.rows(typed(source, list(extract.ledger[table][0])))
            for table, source in mapped.items()
            if table in extract.ledger
        }


def typed(source: Mapped, columns: list[str]) -> str:
    casts = {Holds.DATE: "date", Holds.MONEY: "decimal(18, 2)"}
    table = contract_of(source.table.name)
    selected = [
        f"cast({name} as {casts.get(column.holds, 'varchar')})"
        if (column := table.column(name)) is not None
        else f'"@{name}"'
        for name in columns
    ]
    return f"select {', '.join(selected)} from {source.rows} order by all"


def value(text: Any) -> Any:
    """A cell of an extract's ledger: dates and amounts are written as people do."""
    if isinstance(text, str) and len(text) == 10 and text[4] == text[7] == "-":
        return date.fromisoformat(text)
    return Decimal(f"{text:.2f}") if isinstance(text, float) else text


@pytest.mark.parametrize("name", sorted(layouts()))
def test_an_extract_gives_the_ledger_that_it_says(name: str, tmp_path: Path) -> None:
    extract = EXTRACTS[name]
    found = ledger(tmp_path, extract, f'[source]\nlayout = "{name}"\n')
    expected = {
        table: sorted((tuple(map(value, row)) for row in rows[1:]), key=repr)
        for table, rows in extract.ledger.items()
    }
    assert {table: sorted(rows, key=repr) for table, rows in found.items()} == expected


@pytest.mark.parametrize("name", sorted(layouts()))
def test_a_layout_fills_what_the_contract_needs_and_names_nothing_else(name: str) -> None:
    for table, layout_table in layouts()[name].tables.items():
        contract = contract_of(table)
        needed = {column.name for column in contract.columns if column.needed}
        assert needed <= layout_table.columns.keys(), table
        if table != "accounts":
            assert all(contract.column(column) for column in layout_table.columns), table


@pytest.mark.parametrize("name", sorted(layouts()))
def test_a_layout_says_where_its_names_come_from_and_what_is_not_confirmed(name: str) -> None:
    layout = layouts()[name]
    assert layout.field_names_from
    assert layout.confirmed_by or layout.unconfirmed


def test_a_line_of_riskseg_toml_wins_over_the_layout(tmp_path: Path) -> None:
    toml = '[source]\nlayout = "invoice-sheet"\n[source.bills]\namount = "total - 1"\n'
    files = {"invoices": "customer,invoice,due,total,paid\nA,1,2026-01-31,10.00,\n"}
    rows = [("account_id", "bill_id", "due_on", "amount")]
    extract = Extract({name: text for name, text in files.items()}, {"bills": rows})
    toml = toml.replace("total - 1", "cast(total as decimal(18, 2)) - 1")
    assert ledger(tmp_path, extract, toml)["bills"] == [
        ("A", "1", date(2026, 1, 31), Decimal("9.00"))
    ]


def test_a_table_of_ones_own_beside_the_layout_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("customer,invoice,due,total,paid\nA,1,2026-01-31,10,\n")
    toml = '[source]\nlayout = "invoice-sheet"\n[source.bills]\nfrom = "sales.csv"\n'
    (tmp_path / "riskseg.toml").write_text(toml)
    problems = Problems()
    workspace = open_workspace(tmp_path, problems)
    problems.raise_if_any()
    assert workspace is not None
    assert {*workspace.settings.sources} == {"bills"}


@pytest.mark.parametrize(
    ("toml", "code", "says"),
    [
        ('[source]\nlayout = "sap-fika"\n', "RS014", "sap-fica"),
        ('[source]\nlayout = "sap-fica"\n', "RS006", "DFKKOP"),
        ('[source]\nlayout = "sap-fica"\nfolder = "nowhere"\n', "RS006", "nowhere/"),
    ],
)
def test_what_cannot_be_is_a_problem_at_its_line(
    toml: str, code: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "riskseg.toml").write_text(toml)
    problems = Problems()
    assert open_workspace(tmp_path, problems) is None
    (problem,) = problems
    assert (problem.code, problem.line) == (code, 2)
    assert says in str(problem)
