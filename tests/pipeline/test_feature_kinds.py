"""A column must be of the kind that a model learned from, whatever today's file suggests."""

from __future__ import annotations

import pyarrow as pa
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column
from riskseg.engine import DuckDB
from riskseg.pipeline.feature_kinds import check_kinds, feature_columns


@pytest.mark.parametrize(
    ("learned", "today", "values", "refused", "read"),
    [
        (Kind.INTEGER, Kind.INTEGER, [1, None], 0, [1.0, None]),
        (Kind.NUMBER, Kind.TEXT, ["12", "0.5", None], 0, [12.0, 0.5, None]),
        (Kind.INTEGER, Kind.TEXT, ["12", "N/A", "0,25"], 2, None),
        # Empty in all of today's rows, a CSV column is text.
        (Kind.INTEGER, Kind.TEXT, [None, None], 0, [None, None]),
        (Kind.INTEGER, Kind.BOOLEAN, [True], 1, None),
        (Kind.INTEGER, Kind.BOOLEAN, [None], 0, [None]),
        (Kind.BOOLEAN, Kind.BOOLEAN, [True, False], 0, [1.0, 0.0]),
        (Kind.BOOLEAN, Kind.INTEGER, [0, 1], 0, [0.0, 1.0]),
        (Kind.BOOLEAN, Kind.INTEGER, [0, 2], 1, None),
        (Kind.BOOLEAN, Kind.TEXT, ["true", "perhaps"], 1, None),
        (Kind.TEXT, Kind.TEXT, ["Yes", "No"], 0, ["Yes", "No"]),
        # "Yes" read as true is no level that the model knows.
        (Kind.TEXT, Kind.BOOLEAN, [True, None], 1, None),
        (Kind.TEXT, Kind.BOOLEAN, [None], 0, [None]),
        (Kind.LEVEL, Kind.INTEGER, [1, 2], 2, None),
    ],
)
def test_kinds(
    learned: Kind, today: Kind, values: list[object], refused: int, read: list[object] | None
) -> None:
    feature, fact = Fact("Age", learned, nullable=True), Fact("age", today, nullable=True)
    types = {Kind.TEXT: pa.string(), Kind.BOOLEAN: pa.bool_(), Kind.INTEGER: pa.int64()}
    problems = Problems()
    with DuckDB() as engine:
        column = pa.array(values, types[today])
        engine.register("rows", pa.table({"age": column}))
        engine.run(f"create table facts as select age as {fact_column('age')} from rows")
        check_kinds(engine, "late", [feature], {"age": fact}, relation="facts", problems=problems)
        if read is not None:
            columns = feature_columns([feature], {"age": fact})
            assert [row[0] for row in engine.rows(f"select {columns} from facts")] == read
    assert len(problems) == (1 if refused else 0)
    if refused:
        (found,) = problems
        assert found.code == "RS102"
        assert f"{refused} account" in found.what


def test_a_feature_that_is_not_there_is_somebody_elses_problem() -> None:
    problems = Problems()
    with DuckDB() as engine:
        check_kinds(
            engine, "late", [Fact("age", Kind.NUMBER)], {}, relation="facts", problems=problems
        )
    assert not problems
