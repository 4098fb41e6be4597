"""What proofs take for granted, held against the accounts a run really reads.

A strategy is proved for every account within the bounds of its facts and the relations between
features. An account outside them would be decided by rules of which nothing is proved, so the run
stops and names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from riskseg.domain.facts import FIRST_DAY, LAST_DAY, Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column, literal
from riskseg.engine import Engine
from riskseg.expressions import Expression, to_sql
from riskseg.features.catalogue import Catalogue
from riskseg.strategy.checked import Strategy
from riskseg.treatment.episodes import EPISODE_STARTED_ON

SHOWN = 3


# Between the treatment and the features: an episode is on while a bill is past due, and began no
# later than the day after that bill was due. How the two are made says so; see
# `treatment/episodes.py` and `ledger/allocation.py`.
_EPISODES = (
    "(days_past_due = 0 and episode_started_on is null) "
    "or (days_past_due > 0 and episode_started_on is not null)",
    "episode_started_on is null or days_past_due <= days_between(episode_started_on, as_of) + 1",
)


def between(catalogue: Catalogue, facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    """What holds between those of the facts named that riskseg computes itself."""
    from riskseg.features.relations import relations, warranted

    available = catalogue.available()
    found = relations([f for n, f in available.items() if n in facts], facts)
    if "days_past_due" in available and {"days_past_due", EPISODE_STARTED_ON.name} <= set(facts):
        found += tuple(warranted(text, facts) for text in _EPISODES)
    return found


def hold_against(engine: Engine, strategy: Strategy, relations: Sequence[Expression]) -> None:
    """Raise RS613 for whatever an account in `scored` breaks; stand-ins are the strategy's own."""
    facts = {n: f for n, f in strategy.facts.items() if n not in strategy.stand_ins}
    granted = [*_bounds(facts), *_relations(relations, facts)]
    if not granted:
        return
    columns = ", ".join(
        f"count(*) filter (where not {sql}), "
        f"(list(account_no order by account_no) filter (where not {sql}))[1:{SHOWN}]"
        for _, sql in granted
    )
    row = engine.rows(f"select {columns} from scored")[0]
    problems = Problems()
    for (told, _), count, numbers in zip(granted, row[::2], row[1::2], strict=True):
        if count:
            listed = ", ".join(map(str, numbers))
            names = [
                name
                for (name,) in engine.rows(
                    "select account_id from account_ids "
                    f"where account_no in ({listed}) order by account_no"
                )
            ]
            who = "1 account" if count == 1 else f"{count:,} accounts"
            problems.add(
                "RS613",
                f"{who} ({', '.join(map(str, names))}{', …' if count > len(names) else ''}) "
                f"{'is' if count == 1 else 'are'} outside what proofs take for granted: {told}.",
                mend="Mend the source, or leave the column out of the strategy.",
            )
    problems.raise_if_any()


def _bounds(facts: Mapping[str, Fact]) -> Iterator[tuple[str, str]]:
    """Each bound of each fact in words, and as SQL that is never unknown."""
    for name, fact in facts.items():
        column = fact_column(name)

        def known(condition: str, column: str = column) -> str:
            return f"coalesce({condition}, {column} is null)"

        if not fact.nullable:
            yield f"{name} is never unknown", f"({column} is not null)"
        if fact.kind.is_numeric and fact.lower is not None:
            yield f"{name} is at least {fact.lower:f}", known(f"{column} >= {fact.lower:f}")
        if fact.kind.is_numeric and fact.upper is not None:
            yield f"{name} is at most {fact.upper:f}", known(f"{column} <= {fact.upper:f}")
        if fact.kind is Kind.NUMBER:
            yield f"{name} is a number", known(f"isfinite({column})")
        if fact.kind is Kind.DATE:
            told = f"{name} is between {FIRST_DAY} and {LAST_DAY}"
            yield told, known(f"{column} between date '{FIRST_DAY}' and date '{LAST_DAY}'")
        if fact.kind is Kind.LEVEL:
            listed = ", ".join(map(literal, fact.levels))
            yield f"{name} is one of {', '.join(fact.levels)}", known(f"{column} in ({listed})")


def _relations(
    relations: Sequence[Expression], facts: Mapping[str, Fact]
) -> Iterator[tuple[str, str]]:
    for relation in relations:
        if relation.names <= set(facts):
            yield (
                relation.text.replace('"', ""),
                f"coalesce({to_sql(relation, fact_column)}, false)",
            )
