"""What people see: money, control characters, and texts in a CSV file."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from riskseg.cli import terminal
from riskseg.cli.show.models import proxy
from riskseg.cli.show.tables import money, table
from riskseg.domain.problems import Problem
from riskseg.engine import DuckDB
from riskseg.insight.differences import DIFFERENCES, TwoTables
from riskseg.pipeline.outputs import file_relation
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import ProtectedLevel
from riskseg.store import sinks


@pytest.mark.parametrize(
    ("scale", "shown"), [(0, "1,235"), (2, "1,234.50"), (3, "1,234.500"), (4, "1,234.5000")]
)
def test_money_has_the_decimals_of_the_workspace(scale: int, shown: str) -> None:
    value = Decimal("1234.5") if scale else Decimal(1235)
    assert money(value, scale) == shown
    assert money(Decimal(0), scale) == f"{0:.{scale}f}"


@pytest.mark.parametrize(
    ("auc", "through", "said"),
    [
        ([0.8, 0.78, 0.82], ["a", "b"],
         "The features predict region north with AUC 0.80 (0.78 to 0.82), most of all a, b."),
        ([0.52, 0.49, 0.55], ["a"],
         "The features predict region north no better than chance: AUC 0.52 (0.49 to 0.55)."),
        ([0.45, 0.42, 0.47], ["a"],
         "The features predict region north no better than chance: AUC 0.45 (0.42 to 0.47)."),
    ],
)  # fmt: skip
def test_a_protected_attribute_is_named_with_its_level(
    auc: list[float], through: list[str], said: str
) -> None:
    protected = ProtectedLevel(
        attribute="region",
        level="north",
        rows=100,
        in_model=False,
        stands_in=False,
        auc=Interval(*auc),
        through=tuple(through),
    )
    assert proxy(protected) == said


def test_control_characters_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "A\x1b[31m\x07\x9b2J\u202e1"
    terminal.problems_to_stderr([Problem("RS601", f'There is no account "{hostile}".')])
    made = table("account")
    made.add_row(hostile)
    terminal.stdout().print(made)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "A\\x1b[31m\\x07\\x9b2J\\u202e1" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e")


TEXTS = ["=1+1", "+44", "-5", "@x", "\tx", "\rx", "'=1", "''=1", "'plain", "plain", "1-2", "＝1"]


def test_a_csv_text_that_begins_like_a_formula_is_kept_from_being_one_and_read_back(
    tmp_path: Path,
) -> None:
    rows = pa.table({"account_id": TEXTS, "owed": [Decimal("-1.50")] * len(TEXTS)})
    sinks.write(str(tmp_path / "d.csv"), rows.schema, rows.to_batches(), token="t")
    with (tmp_path / "d.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    guarded = {text: row["account_id"] for text, row in zip(TEXTS, written, strict=True)}
    assert {t for t, g in guarded.items() if g != t} == set(TEXTS) - {"'plain", "plain", "1-2"}
    assert all(g in (t, f"'{t}") for t, g in guarded.items())
    assert {row["owed"] for row in written} == {"-1.50"}
    sinks.write(str(tmp_path / "d.parquet"), rows.schema, rows.to_batches(), token="t")
    with DuckDB(reads=[tmp_path / "d.csv", tmp_path / "d.parquet"]) as engine:
        files = (file_relation(engine, tmp_path / f"d.{ending}") for ending in ("csv", "parquet"))
        assert not DIFFERENCES.answer(TwoTables(engine, *files)).any
