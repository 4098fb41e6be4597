"""Which accounts move from one segment, path or action to another when the strategy changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from riskseg.domain.decision import OUTCOMES
from riskseg.insight.decided_twice import DecidedTwice, differs, new, old
from riskseg.insight.insight import Insight
from riskseg.results.strategy_difference import (
    AccountMigration,
    ChangedAction,
    MovedAccounts,
    MovedLevel,
    Outcome,
)
from riskseg.rules.elements import NO_ACTION

# Accounts that are named of those that go from one outcome to another.
EXAMPLES = 3


class Migration(Insight[DecidedTwice, AccountMigration]):
    """Who moves, by the outcomes between which they move; how levels and actions change."""

    name = "migration"
    question = "Which accounts move between segments, paths and actions?"
    about = DecidedTwice

    def answer(self, subject: DecidedTwice) -> AccountMigration:
        before, after = subject.strategies
        moves = _moves(subject)
        accounts, different, accounts_by_column = _counted(subject)
        overdue = [move.overdue for move in moves if move.overdue is not None]
        return AccountMigration(
            as_of=subject.as_of,
            accounts=accounts,
            moved=sum(move.accounts for move in moves),
            different=different,
            overdue=sum(overdue, Decimal(0)) if subject.billed else None,
            protected=sum(move.protected for move in moves),
            unknown=sum(move.unknown for move in moves),
            moves=moves,
            levels=_levels(subject),
            actions=_actions(subject),
            columns=accounts_by_column,
            models=subject.models,
            without_models=dict.fromkeys(subject.without_models, accounts),
            protective=tuple(dict.fromkeys((*before.protective, *after.protective))),
            default_values=dict(sorted({**before.default_values, **after.default_values}.items())),
            notes=subject.notes,
            currency=subject.currency,
            scale=subject.scale,
        )


MIGRATION = Migration()


def _counted(subject: DecidedTwice) -> tuple[int, int, dict[str, int]]:
    """The number of accounts, of those that are decided otherwise, and by column of a decision."""
    by_column = "".join(
        f",\n    count(*) filter (where {differs([subject_column])})"
        for subject_column in subject.names
    )
    different, *counts_by_name = subject.engine.rows(f"""
        select
            count(*){by_column}
        from decided_otherwise
    """)[0]
    accounts = subject.engine.value("select coalesce(sum(accounts), 0) from decided_before")
    columns = {
        subject_column: count_of_name
        for subject_column, count_of_name in zip(subject.names, counts_by_name, strict=True)
        if count_of_name
    }
    return accounts, different, columns


def _moves(subject: DecidedTwice) -> tuple[MovedAccounts, ...]:
    """The accounts whose outcome differs, by what it was and is; the most accounts first."""
    outcomes = ", ".join((*map(old, OUTCOMES), *map(new, OUTCOMES)))
    rows_by_move = subject.engine.rows(f"""
        with moved as (
            select
                *,
                row_number() over (partition by {outcomes} order by account_no) as nth
            from decided_otherwise
            where {differs(OUTCOMES)}
        )
        select
            {outcomes},
            count(*),
            sum(m.overdue),
            count(*) filter (where m.protected),
            count(*) filter (where m.protected is null),
            list(i.account_id order by m.account_no) filter (where m.nth <= {EXAMPLES})
        from moved m
        join account_ids i on i.account_no = m.account_no
        group by {outcomes}
    """)
    moves = [
        MovedAccounts(
            old=_outcome(treatments[: len(OUTCOMES)]),
            new=_outcome(treatments[len(OUTCOMES) : 2 * len(OUTCOMES)]),
            accounts=accounts,
            overdue=_total(subject, overdue),
            protected=protected,
            unknown=unknown,
            examples=tuple(examples),
        )
        for *treatments, accounts, overdue, protected, unknown, examples in rows_by_move
    ]
    return tuple(
        sorted(
            moves,
            key=lambda account_move: (
                -account_move.accounts,
                *_names(account_move.old),
                *_names(account_move.new),
            ),
        )
    )


def movers(subject: DecidedTwice) -> str:
    """A select of every account that goes from one segment, path or action to another: from what
    to what, its overdue balance, whether a protective flag is true (null: not known), and whether
    its bands or tiers differ too."""
    decided = "".join(
        f",\n    d.{old(outcome)} as {outcome}_before,\n    d.{new(outcome)} as {outcome}_after"
        for outcome in OUTCOMES
    )
    overdue = f"cast(d.overdue as decimal(18, {subject.scale})) as overdue"
    levels = differs(subject.levels) if subject.levels else "false"
    return f"""
    select
        i.account_id,
        date '{subject.as_of}' as as_of{decided},
        {overdue},
        d.protected,
        ({levels}) as level_differs
    from decided_otherwise d
    join account_ids i on i.account_no = d.account_no
    where {differs(OUTCOMES)}
    order by i.account_id
    """


def _levels(subject: DecidedTwice) -> tuple[MovedLevel, ...]:
    """The accounts whose level differs, for each band and tier scheme that both strategies have."""
    moved = [
        MovedLevel(
            name=level_column,
            old=old_level,
            new=new_level,
            accounts=accounts,
            overdue=_total(subject, overdue),
        )
        for level_column in subject.levels
        for old_level, new_level, accounts, overdue in subject.engine.rows(f"""
            select {old(level_column)}, {new(level_column)}, count(*), sum(overdue)
            from decided_otherwise
            where {differs([level_column])}
            group by 1, 2
        """)
    ]
    moved.sort(
        key=lambda moved_level: (
            subject.levels.index(moved_level.name),
            -moved_level.accounts,
            moved_level.old,
            moved_level.new,
        )
    )
    return tuple(moved)


def _actions(subject: DecidedTwice) -> tuple[ChangedAction, ...]:
    """How often each action is due with either strategy, and is added or removed by the new."""
    otherwise = differs(("action", "channel"))
    action_counts = subject.engine.rows(f"""
        with due as (
            select channel, action, accounts, 0 as added, 0 as removed
            from decided_before
            union all
            select {new("channel")}, {new("action")}, 0, 1, 0
            from decided_otherwise
            where {otherwise}
            union all
            select {old("channel")}, {old("action")}, 0, 0, 1
            from decided_otherwise
            where {otherwise}
        )
        select
            channel,
            action,
            sum(accounts),
            sum(accounts + added - removed),
            sum(added),
            sum(removed)
        from due
        where action <> '{NO_ACTION}'
        group by channel, action
        order by channel, action
    """)
    return tuple(
        ChangedAction.model_validate(dict(zip(ChangedAction.model_fields, count_row, strict=True)))
        for count_row in action_counts
    )


def _outcome(names: Sequence[str]) -> Outcome:
    return Outcome.model_validate(dict(zip(OUTCOMES, names, strict=True)))


def _names(outcome: Outcome) -> list[str]:
    return [getattr(outcome, outcome_name) for outcome_name in OUTCOMES]


def _total(subject: DecidedTwice, overdue: Decimal | None) -> Decimal | None:
    """An overdue total; None where there are no bills."""
    return Decimal(0) + (overdue or 0) if subject.billed else None
