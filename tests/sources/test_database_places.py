"""Whether an output would be into a table that is a source."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.assign import assign
from riskseg.sources.database import DatabaseRows
from riskseg.workspace import Source
from tests.sources.ledgers_in_databases import fill, reading

PG = "postgresql://me@db/erp"


@pytest.mark.parametrize(
    ("url", "rows", "target", "reads"),
    [
        (PG, "billing.bills", f"{PG}#billing.bills", True),
        (PG, "bills", "postgresql+psycopg://you:x@DB/erp#Bills", True),
        (PG, '"billing"."bills"', f"{PG}#billing.bills", True),
        (PG, "billing.bills", f"{PG}#other.bills", False),
        (PG, "bills", f"{PG}#billing.bills", False),
        (PG, "billing.bills", "postgresql://me@db/other#billing.bills", False),
        (PG, "billing.bills", "postgresql://me@db:5433/erp#billing.bills", False),
        (PG, "select * from billing.bills", f"{PG}#billing.bills", False),
        (PG, "billing.bills", "spark://#billing.bills", False),
        (PG, "billing.bills", "d.parquet", False),
        (PG, "billing.bills", "://#billing.bills", False),
        ("spark://", "billing.bills", "spark://local[2]#`Billing`.`Bills`", True),
        ("spark://yarn", "main.billing.bills", "spark://#billing.bills", True),
        ("spark://", "billing.bills", f"{PG}#billing.bills", False),
        ("sqlite:///a.db", "bills", "sqlite:///w/a.db#bills", True),
        ("sqlite:///a.db", "bills", "sqlite:///a.db#bills", False),
        ("postgresql://${RISKSEG_USER}@db/erp", "billing.bills", f"{PG}#billing.bills", True),
    ],
)
def test_an_output_into_a_table_that_is_read(
    url: str,
    rows: str,
    target: str,
    reads: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RISKSEG_USER", "me")
    source = Source("bills", rows, {}, url=url)
    assert DatabaseRows(source, tmp_path / "w").would_read(target) is reads


def test_a_table_that_is_a_source_is_not_written_over(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    fill(address)
    root = reading(tmp_path, address)
    with pytest.raises(ProblemsError, match="This would write over the source of bills"):
        assign(root, date(2026, 1, 1), f"{address}#invoices", at=datetime(2026, 1, 1, tzinfo=UTC))
