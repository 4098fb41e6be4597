"""Overlays: attributes that accounts have by a key, such as those of a postcode sector.

The rows of an overlay may be dated (`valid_from`). An account then has a row from each day on which
either its own or the overlay's row begins, so that what is known of it on a date is one row, as
for attributes of accounts that are dated themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import fact_column, quoted
from riskseg.domain.words import counted
from riskseg.engine import Engine, EngineError
from riskseg.ledger.mapping import Mapped
from riskseg.sources.describe import kind_of, map_one
from riskseg.workspace import Overlay, Workspace

# Columns of the contract that may be the key of an overlay.
_KEYS = ("party_id", "premise_id")


@dataclass(frozen=True)
class Overlaid:
    """What overlays add: `attributes` as facts, `accounts`, the mapped source with them, whether
    any is `dated`, and `notes` on keys that meet nothing."""

    attributes: Mapping[str, Fact]
    accounts: Mapped
    dated: bool
    notes: tuple[str, ...]


def overlay_accounts(
    engine: Engine, workspace: Workspace, accounts: Mapped, problems: Problems
) -> Overlaid:
    """Add the attributes of every overlay to `ledger_accounts`.

    Adds RS006 and RS007 for an overlay that cannot be read, RS101, RS102 and RS104 for its rows,
    RS501 for an `on` that accounts do not have, RS011 for an attribute that they have already, and
    RS641 where no account's key is in it.
    """
    done = Overlaid({}, accounts, False, ())
    for name, overlay in workspace.settings.overlays.items():
        before = len(problems)
        mapped = map_one(engine, workspace, overlay.source, problems)
        if mapped is None:
            continue
        _check_names(name, overlay, mapped, done.accounts, problems)
        if len(problems) == before:
            _stage(engine, overlay, mapped, problems)
        if len(problems) == before:
            done = _join(engine, name, overlay, mapped, done, problems)
    return done


def _check_names(
    name: str, overlay: Overlay, mapped: Mapped, accounts: Mapped, problems: Problems
) -> None:
    """Add Problems for an `on` that accounts do not have, and for attributes that they have."""
    known = [*accounts.attributes, "account_id", *(key for key in _KEYS if accounts.has(key))]
    if overlay.on not in known:
        problems.add(
            "RS501",
            f'Accounts have no column "{overlay.on}", the key of the overlay {name}.',
            file=overlay.source.file,
            line=overlay.source.lines.get("on"),
            hint=did_you_mean(overlay.on, known) or "Name a column of accounts.",
        )
    for attribute in mapped.attributes:
        if attribute in accounts.attributes:
            problems.add(
                "RS011",
                f'The overlay {name} has a column "{attribute}", and accounts have one too.',
                file=overlay.source.file,
                line=overlay.source.lines.get("from"),
                hint=f"Give it another name: `other = '{quoted(attribute)}'`.",
            )


def _stage(engine: Engine, overlay: Overlay, mapped: Mapped, problems: Problems) -> None:
    """Make the overlay's table: key, valid_from where it is dated, and its attributes."""
    table = overlay.source.table
    dated = mapped.has("valid_from")
    listed = ["cast(key as varchar) as key"]
    listed += ["try_cast(valid_from as date) as valid_from"] if dated else []
    listed += [fact_column(attribute) for attribute in mapped.attributes]
    engine.run("create schema if not exists overlays")
    checks = [("RS101", "the key is null", "key is null")]
    unique = "key"
    if dated:
        checks.append(("RS102", "valid_from is not a date", "valid_from is null"))
        unique = "key, valid_from"
    try:
        engine.run(f"create table {table} as select {', '.join(listed)} from {mapped.rows}")
    except EngineError as error:
        message = f"The rows of {table} cannot be read: {error.reason}."
        problems.add("RS007", message, file=mapped.file)
        return
    found = [
        (code, message, engine.value(f"select count(*) from {table} where {condition}"))
        for code, message, condition in checks
    ]
    twice = f"""
        select coalesce(sum(n - 1), 0)
        from (select count(*) as n from {table} group by {unique})
        """
    found.append(("RS104", f"{unique} occurred in an earlier row", engine.value(twice)))
    for code, message, count in found:
        if count:
            problems.add(
                code,
                f"In {table}, {message} ({counted(int(count), 'row')}).",
                file=mapped.loaded_from,
                hint="Correct the rows, or leave them out: `from` can be a select.",
            )


def _join(
    engine: Engine,
    name: str,
    overlay: Overlay,
    mapped: Mapped,
    before: Overlaid,
    problems: Problems,
) -> Overlaid:
    """Add one overlay's attributes to `ledger_accounts`."""
    accounts, table = before.accounts, overlay.source.table
    dated = mapped.has("valid_from")
    key = _key(overlay.on)
    keyed, met, all_accounts = engine.rows(
        f"""
        select count({key}),
            count({key}) filter (where {key} in (select key from {table})),
            count(*)
        from ledger_accounts a
        join account_ids i on i.account_no = a.account_no
        """
    )[0]
    if not met:
        problems.add(
            "RS641",
            f"No account has a {overlay.on} that the overlay {name} holds.",
            file=overlay.source.file,
            line=overlay.source.lines.get("on"),
            hint="Compare how both write it: blanks, letter case, leading zeros.",
        )
        return before
    notes = [*before.notes]
    if keyed > met:
        rows = counted(keyed - met, "row")
        notes.append(
            f"Overlay {name}: {rows} of accounts (of {all_accounts:,}) with a {overlay.on} that it "
            "does not hold."
        )
    attributes = [fact_column(attribute) for attribute in mapped.attributes]
    if dated and not accounts.has("observed_on"):
        select = _by_periods(table, key, attributes)
    else:
        select = _by_key(table, key, attributes, dated=dated)
    number = len(before.accounts.attributes)  # another name for each overlay
    engine.run(f"create table overlaid_{number} as {select}")
    engine.run(f"create or replace view ledger_accounts as select * from overlaid_{number}")
    return Overlaid(
        {**before.attributes, **{a: _fact(a, mapped, dated=dated) for a in mapped.attributes}},
        replace(
            accounts,
            attributes={
                **accounts.attributes,
                **{a: f"{table} on {overlay.on}: {e}" for a, e in mapped.attributes.items()},
            },
            types={**accounts.types, **{a: mapped.types[a] for a in mapped.attributes}},
            written={**accounts.written, **mapped.written},
        ),
        before.dated or dated,
        tuple(notes),
    )


def _fact(attribute: str, mapped: Mapped, *, dated: bool) -> Fact:
    return Fact(
        attribute,
        kind_of(mapped.types[attribute])[0],
        nullable=True,
        words=f"{attribute} is {{value}}",
        family=attribute,
        source="accounts",
        static=not dated,
    )


def _key(on: str) -> str:
    """SQL of the key, of a row `a` of accounts and its id `i`."""
    if on == "account_id":
        return "i.account_id"
    return f"cast(a.{on if on in _KEYS else fact_column(on)} as varchar)"


def _by_key(table: str, key: str, attributes: list[str], *, dated: bool) -> str:
    """Accounts with the overlay's row of their key; of a dated one, the row that was in force when
    the account's own began."""
    columns = ", ".join(f"o.{attribute}" for attribute in attributes)
    in_force = " and a.valid_from >= o.valid_from" if dated else ""
    return f"""
        select a.*, {columns}
        from ledger_accounts a
        join account_ids i on i.account_no = a.account_no
        {"asof " if dated else ""}left join {table} o on o.key = {key}{in_force}
        """


def _by_periods(table: str, key: str, attributes: list[str]) -> str:
    """Accounts with a row from each day on which their own row, or the overlay's, begins."""
    columns = ", ".join(f"o.{attribute}" for attribute in attributes)
    return f"""
        with own as (
            select a.*,
                {key} as overlay_key,
                lead(a.valid_from) over (
                    partition by a.account_no order by a.valid_from nulls first
                ) as until
            from ledger_accounts a
            join account_ids i on i.account_no = a.account_no
        ),
        beginning as (
            select * exclude (until), coalesce(valid_from, date '0001-01-01') as from_day
            from own
            union all
            select own.* exclude (until) replace (o.valid_from as valid_from), o.valid_from
            from own
            join {table} o on o.key = own.overlay_key
            where o.valid_from > coalesce(own.valid_from, date '0001-01-01')
                and coalesce(o.valid_from < own.until, true)
        )
        select b.* exclude (overlay_key, from_day), {columns}
        from beginning b
        asof left join {table} o on o.key = b.overlay_key and b.from_day >= o.valid_from
        """
