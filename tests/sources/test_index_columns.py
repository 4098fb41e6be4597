"""The index that pandas writes along with a data frame is no attribute of the accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.sources.describe import map_sources
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace

Write = Callable[[pd.DataFrame, Path], None]
TABLE = pd.DataFrame({"id": [f"C{n}" for n in range(9)], "income": range(30, 39)})
MIXED = TABLE.sample(frac=0.7, random_state=1)


def attributes(root: Path, file: str, toml: str = "") -> set[str]:
    """Of the accounts of a workspace whose account file is this one."""
    source = "'''" + file + "'''"
    (root / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/s"\n[source.accounts]\n'
        f'from = {source}\naccount_id = "id"\n{toml}',
        encoding="utf-8",
    )
    problems = Problems()
    workspace = open_workspace(root, problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        mapped = map_sources(engine, workspace, problems)
    problems.raise_if_any()
    assert mapped is not None
    return set(mapped["accounts"].attributes)


def again(table: pd.DataFrame, path: Path) -> None:
    """Written as CSV, read, and written again."""
    table.to_csv(path)
    pd.read_csv(path).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.parquet", lambda table, path: table.to_parquet(path)),
        ("a.parquet", lambda table, path: table.rename_axis("nr").to_parquet(path)),
        ("a.parquet", lambda table, path: table.reset_index(drop=True).to_parquet(path)),
        ("a.parquet", lambda table, path: table.set_index("id").to_parquet(path)),
        ("a.csv", lambda table, path: table.to_csv(path)),
        ("a.csv.gz", lambda table, path: table.to_csv(path)),
        ("a.csv", again),
    ],
)
def test_the_index_is_no_attribute(tmp_path: Path, name: str, write: Write) -> None:
    write(MIXED, tmp_path / name)
    assert attributes(tmp_path, name) == {"income"}
    assert attributes(tmp_path, f"select * from '{name}'") == {"income"}


def test_an_index_that_is_named_in_the_mapping_is_used(tmp_path: Path) -> None:
    MIXED.to_parquet(tmp_path / "a.parquet")
    toml = "place = '\"__index_level_0__\"'\n"
    assert attributes(tmp_path, "a.parquet", toml) == {"income", "place"}
    select = "select id, income, __index_level_0__ from 'a.parquet'"
    assert attributes(tmp_path, select) == {"income", "__index_level_0__"}


def test_a_first_column_without_a_name_that_is_no_number_stays(tmp_path: Path) -> None:
    table = TABLE.copy()
    table.insert(0, "", ["north", "south", "east"] * 3)
    table.to_csv(tmp_path / "a.csv", index=False)
    assert attributes(tmp_path, "a.csv") == {"income", "column0"}


def test_a_column_that_is_called_index_is_one_where_the_file_does_not_say_more(
    tmp_path: Path,
) -> None:
    """What it holds may be an index of prices: whether it numbers the rows is seen in training."""
    TABLE.assign(index=range(9)).to_csv(tmp_path / "a.csv", index=False)
    assert attributes(tmp_path, "a.csv") == {"income", "index"}
