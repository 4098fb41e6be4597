"""Load a workspace's sources into the engine: mapped, typed, checked, bad rows set apart."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problem, Problems, did_you_mean
from riskseg.domain.relations import quoted
from riskseg.engine import Engine, EngineError
from riskseg.features.catalogue import Catalogue, without
from riskseg.features.snapshots import FIRST_KNOWN
from riskseg.ledger.accounts import LIFECYCLE
from riskseg.ledger.allocation import Money
from riskseg.ledger.contract import CONTRACT, Holds
from riskseg.ledger.mapping import Mapped, relation, resolve
from riskseg.ledger.staging import (
    Fault,
    account_ids_sql,
    duplicates_sql,
    original_rows_sql,
    stage,
    suspects_sql,
)
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from riskseg.workspace import Source, Workspace

if TYPE_CHECKING:
    import pyarrow as pa

# More distinct texts than this are names, not levels.
MOST_LEVELS = 64
_DUPLICATE = 254
_ORPHAN = 255


@dataclass(frozen=True)
class BadRows:
    """Rows of one table that fail one check; `first` is the number of the first, from 1.

    `line` is where the first stands in the file; None where the rows are of several files.
    """

    table: str
    fault: Fault
    file: str
    count: int
    first: int
    line: int | None

    def as_problem(self) -> Problem:
        rows = "1 row" if self.count == 1 else f"{self.count} rows"
        if self.line is None:
            rows += f", {'' if self.count == 1 else 'the first is '}row {self.first} of all files"
        elif self.count > 1:
            rows += ", the first of which is here"
        return Problem(
            self.fault.code,
            f"In {self.table}, {self.fault.told} ({rows}).",
            self.file,
            self.line,
            self.fault.mend,
        )


@dataclass(frozen=True)
class Ledger:
    """What was loaded. The engine holds the tables `ledger_accounts`, `ledger_bills`,
    `ledger_payments`, `ledger_events` (views of the sound rows) and `account_ids`.

    `has` lists sources and `source.column`s for the catalogue's `needs`. `first_on` and
    `last_on` are the first and last day on which anything of the ledger became known.
    """

    sources: Mapping[str, Mapped]
    rows: Mapping[str, int]
    bad: tuple[BadRows, ...]
    money: Money
    has: frozenset[str]
    attributes: Mapping[str, Fact]
    accounts: int
    first_on: date | None
    last_on: date | None

    @property
    def billed(self) -> bool:
        return "bills" in self.sources

    @property
    def listed(self) -> bool:
        return "accounts" in self.sources

    @property
    def dated(self) -> bool:
        return self.listed and self.sources["accounts"].has("valid_from")

    @property
    def undone(self) -> bool:
        """Whether payments are taken back by others."""
        return self.money.reverses


def load(
    engine: Engine,
    workspace: Workspace,
    problems: Problems,
    *,
    limit: bool = True,
    texts: bool = False,
) -> Ledger | None:
    """The ledger, or None after adding Problems: a source that cannot be read or, with `limit`,
    more bad rows than `max_bad_rows` allows. `texts` keeps the ids of bills and payments
    readable (see :func:`riskseg.ledger.staging.stage`)."""
    sources = _map(engine, workspace, problems)
    if sources is None:
        return None
    scale = workspace.settings.scale
    engine.run(account_ids_sql(list(sources.values())))
    faults = _stage(engine, sources, scale, problems, texts=texts)
    bad: list[BadRows] = []
    if faults is not None and not _all_sound(engine, sources):
        # Only now is it worth numbering rows, so that the bad ones can be pointed at.
        faults = _stage(engine, sources, scale, problems, numbered=True)
        bad = _find_bad_rows(engine, workspace, sources, faults or {})
    if faults is None:
        return None
    rows = {name: engine.value(f"select count(*) from {name}") for name in sources}
    _refuse(workspace, rows, bad if limit else [], problems)
    if len(problems):
        return None
    _views(engine, sources)
    first_on, last_on = _window(engine, sources)
    return Ledger(
        sources=sources,
        rows=rows,
        bad=tuple(bad),
        money=_money(engine, workspace, sources),
        has=_has(sources),
        attributes=_attributes(engine, sources),
        accounts=engine.value("select count(*) from account_ids"),
        first_on=first_on,
        last_on=last_on,
    )


def _stage(
    engine: Engine,
    sources: Mapping[str, Mapped],
    scale: int,
    problems: Problems,
    *,
    numbered: bool = False,
    texts: bool = False,
) -> dict[str, dict[int, Fault]] | None:
    """Stage every source; the checks by table and number, or None after adding a Problem."""
    faults = {}
    for name, mapped in sources.items():
        staging = stage(mapped, scale, numbered=numbered, texts=texts)
        try:
            engine.run(staging.sql)
        except EngineError as error:
            problems.add("RS007", f"The rows of {name} cannot be read: {error}", file=mapped.file)
            return None
        faults[name] = {f.number: f for f in staging.faults}
    return faults


def _reverses(mapped: Mapped) -> bool:
    return mapped.table.name == "payments" and mapped.has("reverses")


def _all_sound(engine: Engine, sources: Mapping[str, Mapped]) -> bool:
    """Whether no row of any table fails any check."""
    for name, mapped in sources.items():
        suspects = suspects_sql(mapped)
        asked = [f"select count(*) from {name} where fault is not null"]
        asked += [suspects] if suspects else []
        asked += [f"select count(*) from payments where {_IS_ORPHAN}"] if _reverses(mapped) else []
        if any(engine.value(sql) for sql in asked):
            return False
    return True


# Mapping


def _map(engine: Engine, workspace: Workspace, problems: Problems) -> dict[str, Mapped] | None:
    given = workspace.settings.sources
    before = len(problems)
    if "payments" in given and "bills" not in given:
        problems.add(
            "RS005",
            "There are payments and no bills: nothing says what they pay.",
            file="riskseg.toml",
            line=given["payments"].lines.get("from"),
            mend="Add a [source.bills].",
        )
    mapped = {}
    for name in CONTRACT:
        if name in given:
            one = _map_one(engine, workspace, given[name], problems)
            if one is not None:
                mapped[name] = one
    return mapped if len(problems) == before else None


def _map_one(
    engine: Engine, workspace: Workspace, source: Source, problems: Problems
) -> Mapped | None:
    from_ = relation(source.loaded_from, source.is_select)
    line = source.lines.get("from")
    file = source.file
    if not from_:
        problems.add(
            "RS006",
            f'"{source.loaded_from}" is no file that can be loaded.',
            file=file,
            line=line,
            mend="Name a .parquet, .csv or .csv.gz file, a glob of such, or a select over files.",
        )
        return None
    if not source.is_select and not files_of(source, workspace.root):
        problems.add(
            "RS006",
            f'There is no file "{source.loaded_from}".',
            file=file,
            line=line,
            mend="Names are looked up from the folder of riskseg.toml.",
        )
        return None
    try:
        found = engine.columns(from_)
    except EngineError as error:
        problems.add("RS006", f"{source.table} cannot be loaded: {error}", file=file, line=line)
        return None
    before = len(problems)
    columns, attributes = resolve(source.table, source.columns, source.lines, found, file, problems)
    types = _types(engine, from_, {**columns, **attributes}, source, found, problems)
    if len(problems) > before:
        return None
    loaded = source.loaded_from if not source.is_select else f"select of {source.table}"
    return Mapped(
        CONTRACT[source.table],
        file,
        from_,
        columns,
        {n: _as_attribute(e, types[n]) for n, e in attributes.items()},
        types,
        loaded,
    )


def _types(
    engine: Engine,
    from_: str,
    expressions: Mapping[str, str],
    source: Source,
    found: Mapping[str, str],
    problems: Problems,
) -> dict[str, str]:
    """The engine type of each expression; a Problem for each that does not work."""
    listed = ", ".join(f"({e}) as x{i}" for i, e in enumerate(expressions.values()))
    try:
        found_types = engine.columns(f"(select {listed} from {from_})")
        return {name: found_types[f"x{i}"] for i, name in enumerate(expressions)}
    except EngineError:
        pass  # one of them at least: which, and why, each has to be asked alone
    types: dict[str, str] = {}
    for name, expression in expressions.items():
        try:
            types[name] = engine.columns(f"(select ({expression}) as x from {from_})")["x"]
        except EngineError as error:
            missing = re.search(r'Referenced column "([^"]+)" not found', str(error))
            why = f'there is no column "{missing[1]}"' if missing else _first_line(error)
            problems.add(
                "RS007",
                f'"{expression}" does not work on the columns of {source.table}: {why}.',
                file=source.file,
                line=source.lines.get(name) or source.lines.get("from"),
                mend=did_you_mean(missing[1], found) if missing else "",
            )
    return types


def _first_line(error: EngineError) -> str:
    """What the engine says, less its name for the kind of error and its further hints."""
    return re.sub(r"^\w+ Error: ", "", str(error)).split("\n")[0].rstrip(".")


def files_of(source: Source, root: Path) -> list[Path]:
    """The files a source is loaded from; none for a select."""
    if source.is_select:
        return []
    return [Path(f) for f in sorted(glob.glob(str(root / source.loaded_from), recursive=True))]


def fingerprints(engine: Engine, workspace: Workspace) -> dict[str, str]:
    """A hash of each source's mapping and files; of a select, its text and the rows it gave."""
    found = {}
    for name, source in sorted(workspace.settings.sources.items()):
        digest = hashlib.sha256(repr(sorted(source.columns.items())).encode())
        digest.update(source.loaded_from.encode())
        if source.is_select:
            rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {name} t"
            digest.update(repr(engine.rows(rows)).encode())
        for path in files_of(source, workspace.root):
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        found[name] = digest.hexdigest()
    return found


# Attributes

_KINDS = {
    "BOOLEAN": (Kind.BOOLEAN, "boolean"),
    "DATE": (Kind.DATE, "date"),
    "DOUBLE": (Kind.NUMBER, "double"),
    "FLOAT": (Kind.NUMBER, "double"),
}


def _kind_of(type_: str) -> tuple[Kind, str]:
    if type_ in _KINDS:
        return _KINDS[type_]
    if type_.startswith("DECIMAL"):
        return Kind.DECIMAL, type_
    if type_.startswith("TIMESTAMP"):
        return Kind.DATE, "date"
    if type_.rstrip("0123456789").endswith("INT") or type_ in ("INTEGER", "UINTEGER"):
        return Kind.INTEGER, "bigint"
    return Kind.TEXT, "varchar"


def _as_attribute(expression: str, type_: str) -> str:
    return f"cast({expression} as {_kind_of(type_)[1]})"


def _attributes(engine: Engine, sources: Mapping[str, Mapped]) -> dict[str, Fact]:
    """Attributes as facts. Any may be unknown: today's data without nulls is no promise."""
    if "accounts" not in sources:
        return {}
    accounts = sources["accounts"]
    facts = {}
    for name in accounts.attributes:
        kind = _kind_of(accounts.types[name])[0]
        levels: tuple[str, ...] = ()
        if kind is Kind.TEXT:
            found = engine.rows(
                f"select distinct {quoted(name)} from ledger_accounts where {quoted(name)} "
                f"is not null order by 1 limit {MOST_LEVELS + 1}"
            )
            if len(found) <= MOST_LEVELS:
                kind, levels = Kind.LEVEL, tuple(row[0] for row in found)
        facts[name] = Fact(
            name,
            kind,
            nullable=True,
            levels=levels,
            words=f"{name} is {{value}}",
            family=name,
            source="accounts",
            static=not accounts.has("valid_from"),
        )
    return facts


# Bad rows


def _duplicates(engine: Engine, mapped: Mapped) -> dict[int, Fault]:
    sql = duplicates_sql(mapped)
    if sql is None:
        return {}
    key = ", ".join(c for c in mapped.table.key if c == "account_id" or mapped.has(c))
    told = f"{key} stood in a row before"
    fault = Fault(_DUPLICATE, "RS104", key, told, "", "Keep one row for each.")
    engine.run(f"update {mapped.table.name} set fault = {_DUPLICATE} where rowid in ({sql})")
    return {_DUPLICATE: fault}


_IS_ORPHAN = (
    "fault is null and reverses is not null and not exists (select 1 from payments o where "
    "o.account_no = payments.account_no and o.payment_id = payments.reverses and "
    "o.reverses is null and o.fault is null)"
)


def _orphans(engine: Engine) -> dict[int, Fault]:
    """Reversals of a payment that is not there would take money from nobody knows what."""
    engine.run(f"update payments set fault = {_ORPHAN} where {_IS_ORPHAN}")
    told = "reverses names no payment of the account"
    return {_ORPHAN: Fault(_ORPHAN, "RS110", "reverses", told, "")}


def _find_bad_rows(
    engine: Engine,
    workspace: Workspace,
    sources: Mapping[str, Mapped],
    faults: Mapping[str, dict[int, Fault]],
) -> list[BadRows]:
    """The bad rows of numbered tables, by table and check."""
    found: list[BadRows] = []
    for name, known in faults.items():
        mapped = sources[name]
        known = known | _duplicates(engine, mapped)
        if _reverses(mapped):
            known |= _orphans(engine)
        several = len(files_of(workspace.settings.sources[name], workspace.root)) > 1
        found += _bad_rows(engine, mapped, known, several)
    return found


def _bad_rows(
    engine: Engine, mapped: Mapped, faults: Mapping[int, Fault], several: bool
) -> list[BadRows]:
    name = mapped.table.name
    found = engine.rows(
        f"select fault, count(*), min(row_no) from {name} where fault is not null "
        "group by fault order by fault"
    )
    # A line of a CSV file is one further down: its first line is the head.
    head = 1 if mapped.relation.startswith("read_csv(") else 0
    return [
        BadRows(
            name,
            faults[number],
            mapped.loaded_from,
            count,
            first,
            None if several else first + head,
        )
        for number, count, first in found
    ]


def _refuse(
    workspace: Workspace, rows: Mapping[str, int], bad: list[BadRows], problems: Problems
) -> None:
    """Add the bad rows of every table that has more of them than the workspace allows."""
    share = workspace.settings.max_bad_rows
    for name, count in rows.items():
        mine = [b for b in bad if b.table == name]
        if sum(b.count for b in mine) > share * count:
            allowed = f"max_bad_rows allows {share:%} of {count:,} rows; raise it, or mend them."
            for one in (b.as_problem() for b in mine):
                problems.extend([replace(one, mend=f"{one.mend} {allowed}".strip())])
        if count == 0:
            source = workspace.settings.sources[name]
            problems.add(
                "RS109",
                f"{name} has no rows.",
                file=source.file,
                line=source.lines.get("from"),
                mend="Check the file, or take the source out.",
            )


def quarantine(engine: Engine, ledger: Ledger) -> Iterator[tuple[str, pa.Table]]:
    """For each table with bad rows: row number, code, what is wrong, the row as it came."""
    for name, mapped in ledger.sources.items():
        mine = [b for b in ledger.bad if b.table == name]
        if not mine:
            continue
        told = " ".join(f"when {b.fault.number} then '{b.fault.code} {b.fault.told}'" for b in mine)
        row_nos = f"select row_no from {name} where fault is not null"
        yield (
            name,
            engine.arrow(
                f"select o.row_no as row, left(case t.fault {told} end, 5) as code, "
                f"substr(case t.fault {told} end, 7) as reason, cast(o.told as varchar) as content "
                f"from ({original_rows_sql(mapped, row_nos)}) o join {name} t using (row_no) "
                "order by o.row_no"
            ),
        )


# What the ledger has


def _views(engine: Engine, sources: Mapping[str, Mapped]) -> None:
    for name in CONTRACT:
        if name in sources:
            engine.run(f"create view ledger_{name} as select * from {name} where fault is null")
    if "accounts" not in sources:
        columns = ", ".join(
            f"cast(null as {'date' if c.holds is Holds.DATE else 'varchar'}) as {c.name}"
            for c in CONTRACT["accounts"].columns[1:]
        )
        engine.run(f"create view ledger_accounts as select account_no, {columns} from account_ids")
    if "bills" in sources and "payments" not in sources:
        engine.run(
            "create view ledger_payments as select cast(null as integer) as account_no, "
            "cast(null as date) as paid_on, cast(null as bigint) as minor, "
            "cast(null as date) as known_on, true as settled, cast(null as varchar) as bill_id, "
            "cast(null as varchar) as payment_id, cast(null as varchar) as reverses, "
            "cast(null as varchar) as method where false"
        )
    if "bills" in sources and "accounts" not in sources:
        engine.run(FIRST_KNOWN)


def _money(engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped]) -> Money:
    bills, payments = sources.get("bills"), sources.get("payments")
    negative = bills is not None and engine.value(
        "select coalesce(bool_or(minor < 0), false) from ledger_bills"
    )
    return Money(
        names_bills=payments is not None and payments.has("bill_id"),
        reverses=payments is not None and payments.has("reverses") and payments.has("payment_id"),
        cancels=bills is not None and bills.has("cancelled_on"),
        disputes=bills is not None and bills.has("disputed_amount"),
        credits=bool(negative),
        arrears_from=workspace.settings.arrears_from_minor,
    )


def _has(sources: Mapping[str, Mapped]) -> frozenset[str]:
    found = set(sources)
    found |= {f"{name}.{column}" for name, m in sources.items() for column in m.columns}
    if "payments" in sources and {"payments.status", "payments.reverses"} & found:
        found.add("payments.undone")
    return frozenset(found)


def _window(engine: Engine, sources: Mapping[str, Mapped]) -> tuple[date | None, date | None]:
    dated = [name for name in ("bills", "payments", "events") if name in sources]
    if not dated:
        return None, None
    union = " union all ".join(
        f"select min(known_on) as first_on, max(known_on) as last_on from ledger_{n}" for n in dated
    )
    first, last = engine.rows(f"select min(first_on), max(last_on) from ({union})")[0]
    return first, last


def workspace_facts(
    catalogue: Catalogue, ledger: Ledger, problems: Problems
) -> tuple[Catalogue, dict[str, Fact]]:
    """The catalogue as this workspace sees it, and every fact a rule may name here."""
    here = without(catalogue, ledger.has)
    facts = {LIFECYCLE.name: LIFECYCLE}
    for name in ("opened_on", "closed_on", "written_off_on"):
        if f"accounts.{name}" in ledger.has:
            facts[name] = Fact(name, Kind.DATE, nullable=True, words=f"{name} {{value}}")
    if ledger.billed:
        facts["first_billed_on"] = Fact(
            "first_billed_on", Kind.DATE, nullable=True, words="first billed on {value}"
        )
        facts[EPISODE_STARTED_ON.name] = EPISODE_STARTED_ON
    facts |= {n: f.fact for n, f in here.available().items()}
    for name, fact in ledger.attributes.items():
        if name in facts or name == "as_of":
            problems.add(
                "RS503",
                f'The attribute "{name}" of accounts has the name of a fact of riskseg\'s own.',
                file="riskseg.toml",
                mend="Select the columns you want under other names in [source.accounts].",
            )
        facts[name] = fact
    return here, facts
