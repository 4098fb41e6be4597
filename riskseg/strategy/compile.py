"""A checked strategy as SQL: from one row of facts an account to its decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from riskseg.domain.facts import Fact
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.expressions import Expression
from riskseg.expressions.sql import tree_to_sql
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import UNSCORED, Scheme, Strategy
from riskseg.rules.rule import Restriction
from riskseg.rules.sql import (
    condition_sql,
    fact_sql,
    inner,
    out,
    row_of,
    text_by_row,
)
from riskseg.strategy.divided_columns import divided
from riskseg.strategy.first_matching_row import first_matching_row, rows_in_turn
from riskseg.treatment.due_steps import stepped
from riskseg.treatment.duties import asked
from riskseg.treatment.guards import acted, forbidding, guarded
from riskseg.treatment.placement import placed

# What is found of an account up to its segment: relations after this one add to it, and change none
# of its columns.
SEGMENTED = "segmented"


def compile_strategy(
    strategy: Strategy, as_of: date, *, rows_as_written: bool = False
) -> list[Relation]:
    """Relations from `scored` to `decided`, one row an account.

    `scored` has snap and the `fact_column` of each of `strategy.facts`. `decided` adds each band
    and scheme, and segment, path, path_day, step, action, channel, template, next_action,
    next_on, priority, guards and rows_matched. With `rows_as_written` the rows of the
    table of segments are tried one after the other, which people can read.

    The first character of a column says what it holds, so that no name a person chose can stand
    for another column: `@` a fact, `=` what is decided (`out`), `#` the row of a tier scheme that
    matched (`row_of`), `!` that a guard is in force, `?` that it is so because a fact is unknown,
    and `~` what leads to a decision (`inner`).
    """
    guards = in_force(strategy.guards, as_of)
    paths = in_force(strategy.paths, as_of)
    asked_for = asked(strategy, guards, as_of)
    return [
        _banded(strategy),
        *_tiered(strategy),
        *_segmented(strategy, rows_as_written=rows_as_written),
        *placed(strategy, paths, as_of),
        *stepped(paths, as_of),
        guarded(guards),
        forbidding(strategy, guards),
        *([] if asked_for is None else [asked_for]),
        acted(strategy, guards, as_of, asked_for),
        _decided(strategy, guards),
    ]


def _banded(strategy: Strategy) -> Relation:
    columns = []
    for band in strategy.bands:
        probability = fact_column(band.of)
        *lower, (top, _) = band.cuts
        arms = "".join(
            f" when {probability} < {cut:f} then {literal(level)}" for level, cut in lower
        )
        level = f"case when {probability} is null then {literal(UNSCORED)}{arms} "
        level += f"else {literal(top)} end"
        columns += [f"{level} as {name}" for name in _columns_of(strategy, band.name)]
    return Relation("banded", f"select {', '.join(['*', *columns])} from scored")


def _columns_of(strategy: Strategy, name: str) -> list[str]:
    """The column of what is decided; and the one that conditions read, if any does: they name it
    as they name facts."""
    return [out(name), *([fact_column(name)] if name in strategy.read else [])]


def _tiered(strategy: Strategy) -> Iterator[Relation]:
    """The row of each scheme; and after each that conditions read, its tier, for those below."""
    source = "banded"
    pending: list[Scheme] = []
    for number, scheme in enumerate(strategy.schemes):
        pending.append(scheme)
        if scheme.name in strategy.read:
            rows, source_after = f"tier_rows_{number}", f"tiers_{number}"
            yield _rows_of(pending, source, rows)
            tier = text_by_row(row_of(scheme.name), [row.tier for row in scheme.rows])
            yield Relation(
                source_after, f"select *, {tier} as {fact_column(scheme.name)} from {rows}"
            )
            source, pending = source_after, []
    yield _rows_of(pending, source, "tiered")


def _rows_of(schemes: Sequence[Scheme], source: str, name: str) -> Relation:
    tier_columns = []
    for scheme in schemes:
        arms, rest = [], str(len(scheme.rows))
        for number, row in enumerate(scheme.rows, start=1):
            if row.when is None:
                rest = str(number)
                break
            arms.append(f"when {condition_sql(row.when)} then {number}")
        row_case = f"case {' '.join(arms)} else {rest} end" if arms else rest
        tier_columns.append(f"{row_case} as {row_of(scheme.name)}")
    return Relation(name, f"select {', '.join(['*', *tier_columns])} from {source}")


def _tier_names(schemes: Sequence[Scheme]) -> list[str]:
    tier_columns = []
    for scheme in schemes:
        tier = text_by_row(row_of(scheme.name), [row.tier for row in scheme.rows])
        tier_columns.append(f"{tier} as {out(scheme.name)}")
    return tier_columns


def _segmented(strategy: Strategy, *, rows_as_written: bool) -> list[Relation]:
    own_columns = {band.name for band in strategy.bands} | {
        scheme.name for scheme in strategy.schemes
    }
    table = divided(strategy)
    columns = [
        tree_to_sql(table.trees[column], fact_column)
        if column in table.trees
        else out(column)
        if column in own_columns
        else fact_column(column)
        for column in strategy.columns
    ]
    selected = ", ".join(["*", *_tier_names(strategy.schemes)])
    named = Relation("named", f"select {selected} from tiered")
    row = inner("segment_row")
    if rows_as_written:
        parts = {column: inner(f"part of {column}") for column in table.trees}
        divided_columns = [
            f"{sql} as {parts[column]}"
            for column, sql in zip(strategy.columns, columns, strict=True)
            if column in parts
        ]
        columns = [parts.get(c, sql) for c, sql in zip(strategy.columns, columns, strict=True)]
        in_parts = Relation("in_parts", f"select {', '.join(['*', *divided_columns])} from named")
        matched = [in_parts, rows_in_turn(table.rows, columns, "in_parts", "matched", row)]
    else:
        matched = first_matching_row(table.rows, columns, "named", "matched", row)
    return [named, *matched, _with_segment(strategy)]


def _with_segment(strategy: Strategy) -> Relation:
    """The segment, where conditions read it."""
    segment = text_by_row(inner("segment_row"), [row.segment for row in strategy.rows])
    read = f", {segment} as {fact_column('segment')}" if "segment" in strategy.read else ""
    return Relation(SEGMENTED, f"select *{read} from matched")


def prioritised(priority: Expression) -> str:
    return f"cast({fact_sql(priority)} as decimal(18, 4))"


def facts_hash_sql(strategy: Strategy) -> str:
    """SQL of the hash of every fact that the strategy read of an account in `decided`. It takes
    long, so it is worked out only where decisions are written."""
    facts = ", ".join(_hashed(strategy.facts[fact_read]) for fact_read in sorted(strategy.facts))
    return f"md5(concat_ws('|', {facts}))"


def _hashed(fact: Fact) -> str:
    """A fact as text that no other value of it has, nor a value and a part of the next."""
    fact_text = f"cast({fact_column(fact.name)} as varchar)"
    if fact.kind.is_textual:
        fact_text = f"replace(replace({fact_text}, '\\', '\\\\'), '|', '\\|')"
    return f"coalesce('=' || {fact_text}, '?')"


def _decided(strategy: Strategy, guards: Sequence[Restriction]) -> Relation:
    action = out("action")
    channels = " ".join(
        f"when {literal(a.name)} then {literal(a.channel)}" for a in strategy.actions
    )
    guard_names = []
    for guard in guards:
        guard_text = literal(guard.name)
        if guard.doubt_sql() is not None:
            unknown, doubted = quoted("?" + guard.name), literal(guard.name + "?")
            guard_text = f"case when {unknown} then {doubted} else {guard_text} end"
        guard_names.append(f"case when {quoted('!' + guard.name)} then {guard_text} end")
    listed = f"concat_ws(';', {', '.join(guard_names)})" if guard_names else "''"
    schemes = "".join(
        f"{literal(scheme.name + '#')} || {row_of(scheme.name)} || ';' || "
        for scheme in strategy.schemes
    )
    rows = text_by_row(inner("segment_row"), [row.id for row in strategy.rows])
    priority = "cast(null as decimal(18, 4))"
    if strategy.priority is not None:
        priority = prioritised(strategy.priority)
    due = out("due_action")
    # Where a guard replaced the step's action its template no longer fits.
    acts = f"{action} <> {literal(NO_ACTION)}"
    template = f"case when {action} = {due} and {acts} then {inner('due_template')} end"
    step_taken = f"case when {acts} then {inner('due_step')} end"
    return Relation(
        "decided",
        f"select *, {step_taken} as {out('step')}, {template} as {out('template')}, "
        f"case {action} {channels} end as {out('channel')}, {priority} as {out('priority')}, "
        f"{listed} as {out('guards')}, {schemes}'segments#' || {rows} as {out('rows_matched')} "
        "from acted",
        materialized=True,
    )
