"""Finds an account by its id in `account_ids`, and finds out whether an account or a bill is known
to the sources, for ids that no run has kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problems, ProblemsError, did_you_mean, problem
from riskseg.domain.relations import literal
from riskseg.engine import Engine, EngineError
from riskseg.pipeline.outputs import file_relation
from riskseg.pipeline.session import scratch_engine
from riskseg.sources.describe import map_sources
from riskseg.store import run_inputs as store
from riskseg.workspace import Workspace


def account_number(engine: Engine, account: str) -> int | None:
    """The number of an account in `account_ids`; None where it is not there."""
    numbers = engine.rows(
        f"select account_no from account_ids where account_id = {literal(account)}"
    )
    return int(numbers[0][0]) if numbers else None


def nearest_account(engine: Engine, account: str, relation: str = "account_ids") -> str:
    """A hint that names the `account_id` of a relation that is spelt most like it."""
    ids = f"(select account_id as id from {relation})"
    return did_you_mean(account, _nearest(engine, account, [ids]), some=True)


def check_known(workspace: Workspace, account: str, kept: Iterable[Path]) -> None:
    """Raise RS601, with the nearest id of the sources and of the `kept` inputs of runs, unless a
    source names the account. A source that cannot be read names none."""
    inputs = [folder / store.INPUTS for folder in kept]
    with scratch_engine(workspace, reads=inputs) as engine:
        ids = _ids_of_sources(engine, workspace)
        if any(_is_among(engine, account, relation) for relation in ids):
            return
        ids += [f"(select account_id as id from {file_relation(engine, file)})" for file in inputs]
        raise _unknown(account, _nearest(engine, account, ids))


def check_account(workspace: Workspace, account: str, problems: Problems) -> None:
    """Add RS601, with the nearest id of the sources, unless a source names the account."""
    with scratch_engine(workspace) as engine:
        ids = _ids_of_sources(engine, workspace)
        if not any(_is_among(engine, account, relation) for relation in ids):
            hint = did_you_mean(account, _nearest(engine, account, ids), some=True)
            problems.add("RS601", f'There is no account "{account}".', hint=hint)


def check_bill(workspace: Workspace, account: str, bill: str, problems: Problems) -> None:
    """Add RS634, with the nearest id of the account's bills or, where none is near, the three that
    fell due last, unless it has a bill of that id."""
    rows = source_rows(workspace, "bills", account, ["bill_id", "due_on"])
    bills = {bill_id: due_on or "" for bill_id, due_on in rows if bill_id}
    if bill not in bills:
        hint = did_you_mean(bill, bills)
        if not hint.startswith("Did you mean"):
            last = sorted(bills, key=lambda known: (bills[known], known))[-3:]
            hint = f"Its last bills: {', '.join(last)}." if last else "It has no bills."
        problems.add("RS634", f'The account "{account}" has no bill "{bill}".', hint=hint)


def source_rows(
    workspace: Workspace, table: str, account: str, columns: Sequence[str]
) -> list[tuple[str | None, ...]]:
    """What a source says of an account under these columns of the contract, as texts; a column that
    it lacks is null. None where it cannot be read."""
    with scratch_engine(workspace) as engine:
        source = (map_sources(engine, workspace, Problems()) or {}).get(table)
        if source is None:
            return []
        listed = ", ".join(
            f"cast({source.columns.get(column, 'null')} as varchar)" for column in columns
        )
        return _rows(
            engine,
            f"""
            select {listed}
            from {source.relation}
            where cast({source.columns["account_id"]} as varchar) = {literal(account)}
            """,
        )


def _ids_of_sources(engine: Engine, workspace: Workspace) -> list[str]:
    """A relation of the accounts' `id` for each source; none where they cannot be read."""
    mapped = map_sources(engine, workspace, Problems()) or {}
    return [
        f"(select cast({source.columns['account_id']} as varchar) as id from {source.relation})"
        for source in mapped.values()
    ]


def _is_among(engine: Engine, account: str, ids: str) -> bool:
    matching_id = f"""
        select id
        from {ids}
        where id = {literal(account)}
        limit 1
        """
    return bool(_rows(engine, matching_id))


def _nearest(engine: Engine, account: str, ids: Iterable[str]) -> list[str]:
    """Of each relation of ids, the one that is most like the account's."""
    nearest = [
        f"""
        select id
        from {relation}
        where id is not null
        order by levenshtein(id, {literal(account)}), id
        limit 1
        """
        for relation in ids
    ]
    return [nearest_row[0] for select in nearest for nearest_row in _rows(engine, select)]


def _rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    try:
        return engine.rows(sql)
    except EngineError:
        return []


def _unknown(account: str, near: Iterable[str]) -> ProblemsError:
    meant = did_you_mean(account, near)
    return problem(
        "RS601",
        f'No kept run, bad row or source has an account "{account}", and none was erased under '
        "that id: nothing is changed.",
        # The nearest of them that is nothing like it would be another person's.
        hint=meant if meant.startswith("Did") else "Check the id.",
    )
