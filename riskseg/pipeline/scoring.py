"""Probabilities for a table of facts: batches out to the models, six decimals back in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import SINCE_BILL, Relation, fact_column, quoted
from riskseg.engine import Engine
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
    feature_columns = _columns(engine, scorer, facts)
    cycle = SINCE_BILL if SINCE_BILL in engine.columns("facts") else "null"
    sql = f"""
        select snap, cast({cycle} as double) as day, {feature_columns}
        from facts
        where {scorer.population}
        order by snap
        """
    keys, feature_rows = keyed_frame(engine, sql, keys=2)
    probabilities = scorer.model.predict(feature_rows, threads=engine.threads)
    if watch is not None:
        watch.see(feature_rows, probabilities, keys["day"])
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
    """The features as the model takes them, whatever kind today's file gives them: a column that
    is empty today is text, and is still a number to the model.

    Raises RS102 for a value that is none of the model's kind.
    """
    problems = Problems()
    cast_columns = []
    for feature in scorer.model.facts:
        today = facts[folded(feature.name)]
        if feature.kind.is_textual or today.kind.is_numeric or today.kind is Kind.BOOLEAN:
            castable = replace(today, kind=Kind.TEXT if feature.kind.is_textual else Kind.NUMBER)
            cast_columns.append(model_columns([feature.name], {castable.name: castable}))
            continue
        column = fact_column(today.name)
        kind = "boolean" if feature.kind is Kind.BOOLEAN else "double"
        cast = f"try_cast(cast({column} as varchar) as {kind})"
        cast_columns.append(f"cast({cast} as double) as {quoted(feature.name)}")
        uncastable_count, example = engine.rows(
            f"""
            select count(*), min(cast({column} as varchar))
            from facts
            where {scorer.population}
                and {column} is not null
                and {cast} is null
            """
        )[0]
        if uncastable_count:
            accounts = "1 account" if uncastable_count == 1 else f"{uncastable_count:,} accounts"
            problems.add(
                "RS102",
                f'{scorer.model.name} learned from "{feature.name}" as {feature.kind}, and '
                f'{accounts} hold something else, such as "{example}".',
                hint=f"Correct the file, or map the column in [source.accounts]: "
                f'`{feature.name} = "try_cast({feature.name} as {kind})"`.',
            )
    problems.raise_if_any()
    return ", ".join(cast_columns)


def scored(tables: Mapping[str, str], default_values: Mapping[str, str]) -> Relation:
    """`scored`: facts with each probability under its key, null where the model does not speak."""
    scored_columns = ["f.*"]
    scored_columns += [f"{table}.p as {fact_column(key)}" for key, table in tables.items()]
    scored_columns += [
        f"{sql} as {fact_column(defaulted_fact)}" for defaulted_fact, sql in default_values.items()
    ]
    select_list = ",\n            ".join(scored_columns)
    joins = "\n        ".join(
        f"left join {table} on {table}.snap = f.snap" for table in tables.values()
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
