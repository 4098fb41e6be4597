"""Exports score as riskseg does: in SQL, in ONNX and by adding up a printed table."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlglot

from riskseg.domain.facts import Kind
from riskseg.domain.problems import ProblemsError
from riskseg.domain.relations import quoted
from riskseg.expressions.dialects import DIALECTS
from riskseg.learning.artefact import Model
from riskseg.learning.calibration import Calibration, StoredCalibration
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.export.check import LEAST_ROWS, UNSEEN, check_rows
from riskseg.learning.export.points import points_csv
from riskseg.learning.export.sql import sql
from riskseg.learning.reference import Reference, Spread
from riskseg.learning.scorecard.edits import around
from riskseg.learning.scorecard.tables import Bins, PairTable, Scorecard, Table
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.columns import Column
from tests.learning.growing import grow
from tests.support.manifests import NUMBER, manifest_of

CALIBRATIONS = {
    "none": Calibration(),
    "sigmoid": Calibration("sigmoid", slope=0.93, intercept=-0.21),
    "beta": Calibration("beta", a=0.8, b=1.3, c=-0.1),
    "isotonic": Calibration("isotonic", points=((-2.0, -2.5), (-0.5, -1.0), (1.5, 0.1))),
    "one point": Calibration("isotonic", points=((-2.0, -2.5),)),
    "then": Calibration("sigmoid", slope=0.93, intercept=-0.21).shifted(1.1, 0.3),
}
# Awkward names and levels: what quoting must survive.
TARIFF = 'the "tariff" {x}'
LEVELS = ("fl'at", "{night}", "pre pay", "back\\slash")


def model_of(scorer: Scorecard | Boosted, kinds: dict[str, str], calibration: Calibration) -> Model:
    manifest = manifest_of(
        learner="lightgbm" if isinstance(scorer, Boosted) else "scorecard",
        population="bills_12m >= 3",
        features=[{**NUMBER, "name": name, "kind": kind} for name, kind in kinds.items()]
        or [NUMBER],
    )
    spread = Spread.model_construct(cuts=[1.0, 2.5])
    reference = Reference.model_construct(features=dict.fromkeys(kinds, spread))
    evidence = Evidence.of_no_outcomes([])
    return Model(manifest, "0123456789ab", scorer, calibration, reference, evidence)


def card() -> Scorecard:
    late = Bins("late bills", (1.0, 3.0), None)
    balance = Bins("balance", (10.25, 99.99, 1234.5), None)
    tariff = Bins(TARIFF, (1.0, 3.0), LEVELS)
    debit = Bins("has_debit", (1.0,), None)
    flat = Bins("flat", (), None)
    # -9 and 0 are codes.
    bureau = Bins("bureau", (*around((-9.0, 0.0), whole=False), 400.0), None)

    def table(bins: Bins, *points: int) -> Table:
        ones = (1,) * bins.count
        assert len(points) == bins.count
        return Table(bins, ones, ones, points)

    wide, high = debit.count, tariff.count
    pair = PairTable(
        tariff,
        debit,
        (1,) * (wide * high),
        (0,) * (wide * high),
        tuple(37 * n - 200 for n in range(wide * high)),
    )
    return Scorecard(
        "additive",
        51234,
        (
            table(late, 1201, -3, -2417, 55),
            table(balance, 400, 101, -99, -1203, -7),
            table(tariff, 900, -2, -733, -41, 12),
            table(debit, -310, 310, 0),
            table(flat, 5, -6),
            table(bureau, 801, -77, 801, 99, 801, 33, 0),
        ),
        (pair,),
        {},
    )


CARD_KINDS = {
    "late bills": "integer",
    "balance": "decimal",
    TARIFF: "text",
    "has_debit": "boolean",
    "flat": "number",
    "bureau": "number",
}


def trees(**more: Any) -> Boosted:
    """Six features: the second is text with a fill, the fourth has a fill."""
    booster = grow(**{"nulls": 0.2, "trees": 20, **more})
    columns = [Column(f"x {n}", None, None) for n in range(6)]
    columns[1] = Column(TARIFF, LEVELS, 2.0)
    columns[3] = Column("x 3", None, 0.125)
    columns[4] = Column("score", LEVELS[:2], None)
    return Boosted(tuple(columns), str(booster.model_to_string()))


TREE_KINDS = {
    "x 0": "number",
    TARIFF: "text",
    "x 2": "decimal",
    "x 3": "number",
    "score": "text",
    "x 5": "integer",
}


@pytest.fixture(params=CALIBRATIONS)
def card_model(request: pytest.FixtureRequest) -> Model:
    return model_of(card(), CARD_KINDS, CALIBRATIONS[request.param])


TREES = {
    "nulls": {},
    "nothing missing": {"nulls": 0.0},
    "zero is missing": {"zero_as_missing": True},
    "no splits": {"min_data_in_leaf": 10_000},
}


@pytest.fixture(params=TREES)
def tree_model(request: pytest.FixtureRequest) -> Model:
    calibration = CALIBRATIONS["sigmoid"]
    return model_of(trees(**TREES[request.param]), TREE_KINDS, calibration)


@pytest.fixture(params=["card_model", "tree_model"])
def either(request: pytest.FixtureRequest) -> Iterator[Model]:
    calibration = CALIBRATIONS["beta"]
    if request.param == "card_model":
        yield model_of(card(), CARD_KINDS, calibration)
    else:
        yield model_of(trees(), TREE_KINDS, calibration)


def in_duckdb(statement: str, accounts: pd.DataFrame) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.register("accounts", accounts)
        reported: pd.DataFrame = connection.sql(statement).df()
    return reported.set_index("account_id").loc[accounts["account_id"]].reset_index()


def assert_same(reported: pd.DataFrame, model: Model, accounts: pd.DataFrame) -> None:
    margin = model.scorer.margin(accounts)
    assert np.abs(reported["margin"].to_numpy() - margin).max() < 1e-12
    if isinstance(model.scorer, Scorecard):
        assert (np.rint(reported["score"] * 100) == model.scorer.scores(accounts)).all()
    given = model.predict(accounts)
    assert np.abs(reported["probability"].to_numpy() - given).max() < 1.5e-6
    assert (reported["probability"].to_numpy() == given).mean() > 0.999


def test_the_rows_to_check_by_try_every_edge(either: Model) -> None:
    rows = check_rows(either)
    assert 3000 <= len(rows) < 10_000
    assert rows["account_id"].is_unique
    assert rows.equals(check_rows(either))
    assert set(rows[TARIFF]) == {None, UNSEEN, *LEVELS}
    assert all(rows[name].isna().any() for name in either.features)
    if isinstance(either.scorer, Scorecard):
        assert {0.0, 1.0, 2.0, 3.0, 4.0} <= set(rows["late bills"])
        assert {99.99, math.nextafter(99.99, 0)} <= set(rows["balance"])
        for table in either.scorer.tables:  # every bin is tried
            assert set(table.bins.bin_indexes(rows[table.bins.name])) == set(
                range(table.bins.count)
            )
    assert len(np.unique(either.predict(rows))) > 100


def test_sql_of_a_scorecard(card_model: Model) -> None:
    rows = check_rows(card_model)
    assert_same(in_duckdb(sql(card_model), rows), card_model, rows)


def test_sql_of_trees(tree_model: Model) -> None:
    rows = check_rows(tree_model)
    reported = in_duckdb(sql(tree_model), rows)
    assert list(reported.columns) == ["account_id", "margin", "probability"]
    assert_same(reported, tree_model, rows)


def test_sql_reads_the_types_a_table_has() -> None:
    model = model_of(card(), CARD_KINDS, CALIBRATIONS["sigmoid"])
    rows = check_rows(model)
    typed = rows.assign(
        **{
            "late bills": rows["late bills"].astype("Int64"),
            "has_debit": rows["has_debit"].map({0.0: False, 1.0: True}).astype("boolean"),
        }
    )
    assert_same(in_duckdb(sql(model), typed), model, rows)


def test_a_nan_counts_as_null() -> None:
    model = model_of(card(), CARD_KINDS, CALIBRATIONS["sigmoid"])
    rows = check_rows(model).head(200)
    with duckdb.connect() as connection:
        connection.register("given", rows)
        connection.execute(
            "create table accounts as select * replace ('NaN'::double as balance) from given"
        )
        reported = connection.sql(sql(model)).df().sort_values("account_id")
    assert (reported["probability"] == model.predict(rows.assign(balance=np.nan))).all()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_says_the_same(dialect: str, either: Model) -> None:
    """Read back from the dialect, the statement still scores the same."""
    text = sql(either, dialect)
    (back,) = sqlglot.transpile(text, read=dialect, write="duckdb")
    rows = check_rows(either).head(500)
    assert_same(in_duckdb(back, rows), either, rows)
    assert text.startswith("-- late 0123456789ab")


def test_postgres_scores_the_same(either: Model, postgres_url: str) -> None:
    rows = check_rows(either).head(600)
    flags = [fact.name for fact in either.facts if fact.kind is Kind.BOOLEAN]
    stored = rows.assign(**{name: rows[name].astype("boolean") for name in flags})
    types = {"b": "boolean", "f": "double precision", "O": "text"}
    columns = ", ".join(
        f"{quoted(name)} {types.get(stored[name].dtype.kind, 'text')}" for name in rows.columns
    )
    values = stored.astype(object).where(stored.notna(), None).values.tolist()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute(f"create temp table accounts ({columns})")
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(rows.columns))
            cursor.executemany(f"insert into accounts values ({marks})", values)
            found = cursor.execute(sql(either, "postgres"))
            read = pd.DataFrame(found.fetchall(), columns=[c.name for c in found.description or ()])
    read = read.set_index("account_id").loc[rows["account_id"]].reset_index()
    assert_same(read, either, rows)


def test_a_card_without_a_feature_is_exported_too() -> None:
    """It cannot be trained any more, and one that was may be kept."""
    model = model_of(Scorecard("classic", 51234, (), (), {}), {}, CALIBRATIONS["none"])
    rows = check_rows(model)
    assert len(rows) == LEAST_ROWS
    assert_same(in_duckdb(sql(model), rows), model, rows)


def test_a_dialect_that_is_not_there_is_a_problem(either: Model) -> None:
    with pytest.raises(ProblemsError, match=r"RS004.*Did you mean .postgres"):
        sql(either, "postgre")


def test_many_trees_are_added_in_parts() -> None:
    model = model_of(trees(trees=130, num_leaves=4), TREE_KINDS, CALIBRATIONS["none"])
    text = sql(model)
    assert "riskseg_trees_3" in text and "riskseg_trees_4" not in text
    rows = check_rows(model)
    assert_same(in_duckdb(text, rows), model, rows)


def in_onnx(content: bytes, model: Model, accounts: pd.DataFrame) -> pd.DataFrame:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feed = {}
    for fact in model.facts:
        values = accounts[fact.name]
        if fact.kind.is_textual:
            reported = np.array(["" if v is None else v for v in values], dtype=object)
        else:
            reported = values.to_numpy(dtype=np.float64)
        feed[fact.name] = reported.reshape(-1, 1)
    names = [one.name for one in session.get_outputs()]
    outputs = session.run(None, feed)
    assert all(one.dtype == np.float64 and one.shape[1] == 1 for one in outputs)
    return pd.DataFrame({n: one[:, 0] for n, one in zip(names, outputs, strict=True)})


def test_onnx_of_a_scorecard(card_model: Model) -> None:
    pytest.importorskip("onnx")
    from riskseg.learning.export.onnx_graph import onnx_model

    rows = check_rows(card_model)
    content = onnx_model(card_model)
    assert content == onnx_model(card_model)
    assert_same(in_onnx(content, card_model, rows), card_model, rows)


@pytest.mark.parametrize("kind", [kind for kind in TREES if kind != "zero is missing"])
def test_onnx_of_trees(kind: str) -> None:
    pytest.importorskip("onnx")
    from riskseg.learning.export.onnx_graph import onnx_model

    model = model_of(trees(**TREES[kind]), TREE_KINDS, CALIBRATIONS["isotonic"])
    rows = check_rows(model)
    assert_same(in_onnx(onnx_model(model), model, rows), model, rows)


def test_onnx_refuses_trees_it_cannot_say() -> None:
    pytest.importorskip("onnx")
    from riskseg.learning.export.onnx_graph import onnx_model

    model = model_of(trees(zero_as_missing=True), TREE_KINDS, CALIBRATIONS["none"])
    with pytest.raises(ProblemsError, match="zeros as missing"):
        onnx_model(model)


def test_an_output_named_as_a_feature_is() -> None:
    pytest.importorskip("onnx")
    from riskseg.learning.export.onnx_graph import onnx_model

    names = {"balance": "score"}
    tables = tuple(
        dataclasses.replace(
            table,
            bins=dataclasses.replace(table.bins, name=names.get(table.bins.name, table.bins.name)),
        )
        for table in card().tables
    )
    kinds = {names.get(name, name): kind for name, kind in CARD_KINDS.items()}
    model = model_of(dataclasses.replace(card(), tables=tables), kinds, Calibration())
    rows = check_rows(model)
    reported = in_onnx(onnx_model(model), model, rows).rename(columns={"score_": "score"})
    assert_same(reported, model, rows)


def test_onnx_without_the_package_says_what_to_install(
    either: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskseg.learning.export.onnx_graph import onnx_model

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ProblemsError, match=r"RS024.*riskseg\[exports\]"):
        onnx_model(either)


class ByHand:
    """Adds up points from the file alone, as a person with the printed table would."""

    def __init__(self, text: str) -> None:
        self.lines = list(csv.DictReader(io.StringIO(text)))

    def of(self, what: str) -> list[dict[str, str]]:
        return [line for line in self.lines if line["what"] == what]

    def number(self, what: str, name: str) -> float:
        (line,) = (line for line in self.of(what) if line["feature"] == name)
        return float(line["value"])

    def holds(self, line: dict[str, str], value: Any, tail: str = "") -> bool:
        kind, null = line["bin" + tail], value is None or value != value
        if kind == "missing" or null:
            return kind == "missing" and null
        if kind == "levels":
            return value in json.loads(line["levels" + tail])
        if kind == "other":
            name = line["feature" + tail]
            own = [
                level
                for end in ("", "_2")
                for other in self.lines
                if other["feature" + end] == name and other["levels" + end]
                for level in json.loads(other["levels" + end])
            ]
            return value not in own
        low, high = line["from" + tail], line["to" + tail]
        return (not low or value >= float(low)) and (not high or value < float(high))

    def hundredths(self, account: dict[str, Any]) -> int:
        found = self.of("base")
        for what in ("points", "pair"):
            held = [
                line
                for line in self.of(what)
                if self.holds(line, account[line["feature"]])
                and (what == "points" or self.holds(line, account[line["feature_2"]], "_2"))
            ]
            keys = [(line["feature"], line["feature_2"]) for line in held]
            assert sorted(keys) == sorted({(r["feature"], r["feature_2"]) for r in self.of(what)})
            found += held
        return sum(int(line["value"].replace(".", "")) for line in found)


def test_points_added_up_by_hand_are_the_score() -> None:
    model = model_of(card(), CARD_KINDS, CALIBRATIONS["sigmoid"])
    assert isinstance(model.scorer, Scorecard)
    rows = check_rows(model).head(400)
    by_hand = ByHand(points_csv(model))
    scores = [by_hand.hundredths(account) for account in rows.to_dict("records")]
    assert scores == model.scorer.scores(rows).tolist()
    score_at, odds_at, double = (
        by_hand.number("scale", name) for name in ("score_at", "odds_at", "points_to_double_odds")
    )
    margin = math.log(2) * (score_at - np.array(scores) / 100) / double - math.log(odds_at)
    line = by_hand.number("calibration", "slope") * margin
    line += by_hand.number("calibration", "intercept")
    assert np.abs(np.round(1 / (1 + np.exp(-line)), 6) - model.predict(rows)).max() < 1.5e-6


@pytest.mark.parametrize("kind", CALIBRATIONS)
def test_the_table_tells_every_calibration(kind: str) -> None:
    calibration = CALIBRATIONS[kind]
    text = points_csv(model_of(card(), CARD_KINDS, calibration))
    reported: dict[str, Any] = {}
    points, then = [], {}
    for line in ByHand(text).of("calibration"):
        name = line["feature"]
        if name == "kind":
            reported["kind"] = line["value"]
        elif name == "point":
            points.append([float(line["from"]), float(line["value"])])
        elif name.startswith("then_"):
            then[name.removeprefix("then_")] = float(line["value"])
        else:
            reported[name] = float(line["value"])
    reported |= {"points": points} if points else {}
    reported |= {"then": then} if then else {}
    assert StoredCalibration.model_validate(reported).calibration() == calibration


def test_trees_have_no_points() -> None:
    with pytest.raises(ProblemsError, match="RS004"):
        points_csv(model_of(trees(), TREE_KINDS, Calibration()))
