"""Probabilities for a table of facts: batches out to the models, six decimals back in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.relations import SINCE_BILL, Relation, fact_column, quoted
from riskseg.engine import Engine
from riskseg.pipeline.feature_kinds import check_kinds, feature_columns
from riskseg.pipeline.frames import keyed_frame, model_columns
from riskseg.pipeline.models import Scorer

if TYPE_CHECKING:
    from riskseg.learning.drift import Watch
    from riskseg.learning.words import Currency

PROBABILITY = "decimal(7, 6)"


def score(
    engine: Engine, key: str, scorer: Scorer, facts: Mapping[str, Fact], watch: Watch | None = None
) -> str:
    """Make the table `scores_KEY` (snap, p) for the model's population of `facts`; its name.

    `watch` takes note of how the rows differ from those the model was trained on.
    """
    columns = _columns(engine, scorer, facts)
    cycle = SINCE_BILL if SINCE_BILL in engine.columns("facts") else "null"
    sql = f"""
        select snap, account_no, cast({cycle} as double) as day, {columns}
        from facts
        where {scorer.population}
        order by snap
        """
    keys, feature_rows = keyed_frame(engine, sql, keys=3)
    probabilities = scorer.model.predict(feature_rows, threads=engine.threads)
    if watch is not None:
        numbers = keys["account_no"].to_numpy()
        watch.see(feature_rows, probabilities, keys["day"], numbers)
    table = quoted(f"scores_{key}")
    engine.register("scored_batch", pa.table({"snap": keys["snap"].to_numpy(), "p": probabilities}))
    engine.run(
        f"""
        create or replace temp table {table} as
        select snap, cast(p as {PROBABILITY}) as p
        from scored_batch
        """
    )
    engine.unregister("scored_batch")
    return table


def _columns(engine: Engine, scorer: Scorer, facts: Mapping[str, Fact]) -> str:
    """The features as the model takes them, whatever kind today's file gives them.

    Raises RS102 for a value that is none of the model's kind.
    """
    model, problems = scorer.model, Problems()
    check_kinds(
        engine,
        model.name,
        model.facts,
        facts,
        relation="facts",
        condition=scorer.population,
        problems=problems,
    )
    problems.raise_if_any()
    return feature_columns(model.facts, facts)


def scored(tables: Mapping[str, str], default_values: Mapping[str, str]) -> Relation:
    """`scored`: facts with each probability under its key, null where the model does not speak."""
    scored_columns = ["f.*"]
    scored_columns += [f"{quoted(key)}.p as {fact_column(key)}" for key in tables]
    scored_columns += [
        f"{sql} as {fact_column(defaulted_fact)}" for defaulted_fact, sql in default_values.items()
    ]
    select_list = ",\n            ".join(scored_columns)
    joins = "\n        ".join(
        f"left join {table} as {quoted(key)} on {quoted(key)}.snap = f.snap"
        for key, table in tables.items()
    )
    return Relation(
        "scored",
        f"""
        select {select_list}
        from facts f
        {joins}
        """,
        materialized=True,
    )


def reason_columns(engine: Engine, scorer: Scorer, facts: Mapping[str, Fact]) -> str:
    """The columns that a model's reasons are worked out from and named with."""
    named = [n for n in scorer.model.named_in_reasons if n in facts]
    beside = model_columns(named, facts)
    return _columns(engine, scorer, facts) + (f", {beside}" if beside else "")


def explain(
    engine: Engine,
    scorer: Scorer,
    facts: Mapping[str, Fact],
    snaps: str,
    currency: Currency,
    top: int = 4,
) -> str:
    """Make the table `reasons` (snap, reasons) for the snapshots a select gives; its name."""
    reason_select = reason_columns(engine, scorer, facts)
    keys, explained_rows = keyed_frame(
        engine,
        f"""
        select snap, {reason_select}
        from facts
        where {scorer.population}
            and snap in ({snaps})
        order by snap
        """,
        keys=1,
    )
    reason_texts = scorer.model.reasons(explained_rows, top, engine.threads, currency).texts()
    reasons_table = pa.table({"snap": keys["snap"].to_numpy(), "reasons": reason_texts})
    engine.register("reasons_batch", reasons_table)
    engine.run(
        """
        create or replace temp table reasons as
        select * from reasons_batch
        """
    )
    engine.unregister("reasons_batch")
    return "reasons"
