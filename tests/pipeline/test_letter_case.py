"""Names in any letter case: specs, expressions, and models that were trained with others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.expressions import check
from riskseg.features.catalogue import Catalogue
from riskseg.learning.spec import AuthoredSpec, parse_spec
from riskseg.pipeline.frames import keyed_frame, model_columns
from riskseg.pipeline.models import check_spec, scorer
from riskseg.pipeline.training_rows import candidates
from tests.support.manifests import manifest_of

FACTS = {
    "limit_bal": Fact("limit_bal", Kind.INTEGER, nullable=True),
    "größe": Fact("größe", Kind.TEXT, nullable=True),
    "snap": Fact("snap", Kind.INTEGER, nullable=True),
    "bad": Fact("bad", Kind.INTEGER, nullable=True),
}
SPEC = """
name: m
target: {column: BAD}
population: Limit_Bal > 0 and "GRÖSSE" is null
features: {exclude: [Limit_Bal], static: [LIMIT_BAL], keep: [Größe]}
fairness: {by: [GrößE], protected: [grÖße]}
scorecard: {edits: {Limit_BAL: {drop: true}}}
"""


def authored(text: str) -> AuthoredSpec:
    problems = Problems()
    found = parse_spec(text, "m.yaml", problems)
    problems.raise_if_any()
    assert found is not None
    return found


def test_a_spec_names_facts_in_any_letter_case() -> None:
    problems = Problems()
    spec = authored(SPEC.replace("GRÖSSE", "GRÖßE"))
    condition = check_spec(spec, FACTS, {}, problems)
    assert list(problems) == []
    assert condition is not None
    assert condition.names == {"limit_bal", "größe"}
    assert spec.spec.target.column == "bad"
    assert list(spec.spec.scorecard.edits) == ["limit_bal"]


def test_one_feature_in_two_letter_cases_is_edited_once() -> None:
    problems = Problems()
    parse_spec(
        "name: m\ntarget: {event: late}\nscorecard: {edits: {a: {drop: true}, A: {drop: true}}}\n",
        "m.yaml",
        problems,
    )
    assert [(p.code, p.line) for p in problems] == [("RS004", 3)]


def test_a_feature_that_the_spec_excludes_is_a_feature_still() -> None:
    """It is dropped with that reason."""
    ledger = SimpleNamespace(
        attributes=FACTS, billed=False, learns_from=frozenset(), outcomes=frozenset()
    )
    catalogue = Catalogue({})
    session = SimpleNamespace(ledger=ledger, catalogue=catalogue, facts=FACTS)
    found = candidates(cast(Any, session), authored(SPEC.replace("GRÖSSE", "GRÖßE")).spec)
    assert {fact.name for fact in found} == {"limit_bal", "größe", "snap"}


@pytest.mark.parametrize("name", ["limit_bal", "LIMIT_BAL", "Limit_Bal"])
def test_an_expression_holds_the_name_that_the_fact_has(name: str) -> None:
    problems = Problems()
    found = check(f"{name} > 1", {"limit_bal": Fact("limit_bal", Kind.INTEGER)}, problems)
    assert list(problems) == []
    assert found is not None
    assert found.names == {"limit_bal"}


def test_a_model_is_given_facts_under_the_names_that_it_was_trained_with() -> None:
    names = ["LIMIT_BAL", "Größe", "SNAP", "snap"]
    with DuckDB() as engine:
        engine.register("facts", pa.table({"snap": [1], "@limit_bal": [7], "@größe": ["x"],
                                           "@snap": [9]}))  # fmt: skip
        sql = f"select snap, {model_columns(names, FACTS)} from facts"
        keys, rows = keyed_frame(engine, sql, keys=1)
    assert keys["snap"].tolist() == [1]
    assert rows.to_dict("list") == {
        "LIMIT_BAL": [7.0],
        "Größe": ["x"],
        "SNAP": [9.0],
        "snap": [9.0],
    }


def test_an_older_model_reads_the_facts_of_today() -> None:
    model: Any = SimpleNamespace(
        name="m",
        version="v",
        features=("LIMIT_BAL", "Größe"),
        named_in_reasons=(),
        population="LIMIT_BAL > 0 and SNAP is not null",
        manifest=manifest_of("target: {column: BAD}"),
    )
    assert scorer(model, FACTS, billed=False).reads == {"limit_bal", "größe", "snap"}
